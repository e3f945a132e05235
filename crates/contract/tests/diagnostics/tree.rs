//! The repository's own contracts, loaded as the command and the generator load them.

use std::path::Path;
use std::time::Duration;
use std::{fs, io};

use freehold_contract::model::Effect;
use freehold_contract::{Sources, check, load, load_descriptors, render_text};

/// The texts below `proto/`, by path.
fn tree() -> io::Result<Sources> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../proto");
    let mut folders = vec![root.clone()];
    let mut files: Vec<(String, String)> = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(&root).unwrap_or(&path).to_string_lossy().replace('\\', "/");
                files.push((name, fs::read_to_string(&path)?));
            }
        }
    }
    Ok(files.into_iter().collect())
}

#[test]
fn the_contracts_of_the_repository_stand() {
    let sources = tree().unwrap();
    let findings = check(&load(&sources).unwrap(), &sources);
    assert_eq!(render_text(&findings, &sources), "");
}

#[test]
fn the_contracts_of_a_new_service_stand() {
    let template = |file: &str| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../templates/service/proto").join(file);
        (format!("widgets/v1/{file}"), fs::read_to_string(path).unwrap())
    };
    let sources: Sources = ["widgets.proto", "needs.proto"].map(template).into_iter().collect();
    assert_eq!(render_text(&check(&load(&sources).unwrap(), &sources), &sources), "");
}

#[test]
fn every_owner_and_consumer_of_the_repository_is_in_the_model() {
    let model = load(&tree().unwrap()).unwrap();
    let owners: Vec<&str> = model.owners.iter().map(|owner| owner.name.as_str()).collect();
    let folders = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../../proto")).unwrap();
    let folders = folders.map(|folder| folder.unwrap().file_name().into_string().unwrap());
    let mut own: Vec<String> =
        folders.filter(|name| !["consumers", "freehold", "google"].contains(&name.as_str())).collect();
    own.sort_unstable();
    assert_eq!(owners, own);
    assert!(model.consumers.iter().any(|consumer| consumer.name == "demo"));
}

#[test]
fn a_method_carries_what_its_contract_says() {
    let model = load(&tree().unwrap()).unwrap();
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
    let sources = tree().unwrap();
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
    let model = load(&tree().unwrap()).unwrap();
    let product = &model.owners[0].entities[0];
    let private: Vec<&str> =
        product.fields.iter().filter(|field| field.private).map(|field| field.name.as_str()).collect();
    let personal: Vec<&str> =
        product.fields.iter().filter(|field| field.personal).map(|field| field.name.as_str()).collect();
    assert_eq!((private, personal), (vec!["cost_cents"], vec!["buyer_email"]));
}

#[test]
fn the_encoded_descriptors_hold_the_same_contracts_and_comments() {
    let model = load(&tree().unwrap()).unwrap();
    let again = load_descriptors(&model.descriptors).unwrap();
    assert_eq!(again.descriptors, model.descriptors);
    for (left, right) in again.owners.iter().zip(&model.owners) {
        assert_eq!(
            (&left.name, &left.contact, &left.packages),
            (&right.name, &right.contact, &right.packages)
        );
        assert_eq!((left.entities.len(), left.events.len()), (right.entities.len(), right.events.len()));
        let methods = left
            .services
            .iter()
            .zip(&right.services)
            .flat_map(|(left, right)| left.methods.iter().zip(&right.methods));
        for (left, right) in methods {
            assert_eq!((&left.docs, left.effect, &left.rules), (&right.docs, right.effect, &right.rules));
        }
    }
}

#[test]
fn the_same_texts_in_another_order_make_the_same_bytes() {
    let sources = tree().unwrap();
    let mut pairs: Vec<(String, String)> =
        sources.paths().map(|path| (path.to_owned(), sources.text(path).unwrap().to_owned())).collect();
    pairs.reverse();
    assert_eq!(load(&pairs.into_iter().collect()).unwrap().descriptors, load(&sources).unwrap().descriptors);
}
