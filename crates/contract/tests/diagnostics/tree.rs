//! The repository's own contracts, loaded as the command and the generator load them.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use freehold_contract::model::Effect;
use freehold_contract::{Model, Sources, check, load, load_descriptors, render_text};

/// The texts below `proto/`, by path.
fn tree() -> Sources {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../proto");
    let mut folders = vec![root.clone()];
    let mut files: Vec<(String, String)> = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(&root).unwrap().to_str().unwrap().replace('\\', "/");
                files.push((name, fs::read_to_string(&path).unwrap()));
            }
        }
    }
    files.into_iter().collect()
}

fn model() -> Model {
    load(&tree()).unwrap()
}

#[test]
fn the_contracts_of_the_repository_stand() {
    let sources = tree();
    let findings = check(&load(&sources).unwrap(), &sources);
    assert_eq!(render_text(&findings, &sources), "");
}

#[test]
fn every_owner_and_consumer_of_the_repository_is_in_the_model() {
    let model = model();
    let owners: Vec<&str> = model.owners.iter().map(|owner| owner.name.as_str()).collect();
    assert_eq!(owners, ["catalog", "inventory", "notifications", "orders", "payments", "users"]);
    assert!(model.consumers.iter().any(|consumer| consumer.name == "demo"));
}

#[test]
fn a_method_carries_what_its_contract_says() {
    let model = model();
    let catalog = &model.owners[0];
    assert_eq!(
        (catalog.contact.as_str(), catalog.packages.as_slice()),
        ("#catalog", ["catalog.v1".to_owned()].as_slice())
    );
    let get = catalog.services[0].methods.iter().find(|method| method.name == "GetProduct").unwrap();
    assert_eq!(get.full_name, "catalog.v1.CatalogService/GetProduct");
    assert_eq!(get.docs, ["A product by id."]);
    assert_eq!(get.effect, Effect::Read);
    assert_eq!(get.rules.deadline, Duration::from_millis(250));
    assert!(get.rules.public);
    assert_eq!(get.rules.cache.as_ref().unwrap().entity, "catalog.v1.Product");
    let change = catalog.services[0].methods.iter().find(|method| method.name == "ChangePrice").unwrap();
    assert_eq!(change.effect, Effect::Keyed);
}

#[test]
fn a_place_is_the_text_of_what_it_places() {
    let sources = tree();
    let model = load(&sources).unwrap();
    let orders = model.consumers.iter().find(|consumer| consumer.name == "orders").unwrap();
    let text = |place: &freehold_contract::model::Place| {
        sources.text(&place.file).unwrap()[place.start..place.end].to_owned()
    };
    assert_eq!(
        text(&orders.steps[0].place),
        "option (freehold.v1.steps) = \"inventory.v1.InventoryService/Reserve\";"
    );
    assert_eq!(text(&orders.replicas[0].place), "ProductCopy");
    assert_eq!(text(&model.owners[0].services[0].place), "CatalogService");
}

#[test]
fn private_and_personal_are_what_the_owner_says() {
    let model = model();
    let product = &model.owners[0].entities[0];
    let private: Vec<&str> =
        product.fields.iter().filter(|field| field.private).map(|field| field.name.as_str()).collect();
    let personal: Vec<&str> =
        product.fields.iter().filter(|field| field.personal).map(|field| field.name.as_str()).collect();
    assert_eq!((private, personal), (vec!["cost_cents"], vec!["buyer_email"]));
}

#[test]
fn the_encoded_descriptors_hold_the_same_contracts() {
    let model = model();
    let again = load_descriptors(&model.descriptors).unwrap();
    assert_eq!(
        format!(
            "{:?}",
            again.owners.iter().map(|o| (&o.name, o.services.len(), o.events.len())).collect::<Vec<_>>()
        ),
        format!(
            "{:?}",
            model.owners.iter().map(|o| (&o.name, o.services.len(), o.events.len())).collect::<Vec<_>>()
        )
    );
    assert_eq!(again.owners[0].services[0].methods[0].docs, model.owners[0].services[0].methods[0].docs);
    assert_eq!(again.descriptors, model.descriptors);
}

#[test]
fn the_same_texts_in_another_order_make_the_same_bytes() {
    let sources = tree();
    let mut pairs: Vec<(String, String)> =
        sources.paths().map(|path| (path.to_owned(), sources.text(path).unwrap().to_owned())).collect();
    pairs.reverse();
    assert_eq!(load(&pairs.into_iter().collect()).unwrap().descriptors, model().descriptors);
}
