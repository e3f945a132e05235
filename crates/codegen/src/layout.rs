//! Where the generated files go: one table for this repository, and the same shape for any other.

use freehold_contract::model::Model;

/// The consumers of this repository that are no services, and the folders of their needs. A consumer that is in neither
/// place lives in a repository of its own, and is written there.
const OUTSIDE: [(&str, &str); 1] = [("demo", "src/demo/generated")];

/// The folders of generated files, as paths below the root of a repository; each one holds nothing else.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Layout {
    /// The SDK's modules.
    pub sdk: Option<String>,
    /// The contract language itself: what freehold-wire and freehold-client hold of it.
    pub language: Option<Language>,
    /// The needs of consumers: each one's name and folder.
    pub consumers: Vec<(String, String)>,
}

/// The folders of the contract language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Language {
    /// Messages, methods and servers, in freehold-wire.
    pub wire: String,
    /// Clients, in freehold-client.
    pub client: String,
}

impl Layout {
    /// The layout of this repository: a service that has needs keeps them in its own crate.
    #[must_use]
    pub fn repository(model: &Model) -> Self {
        let folder = |name: &str| {
            if model.owners.iter().any(|owner| owner.name == name) {
                return Some(format!("services/{name}/src/generated"));
            }
            OUTSIDE.iter().find(|(consumer, _)| *consumer == name).map(|(_, folder)| (*folder).to_owned())
        };
        let consumers = model.consumers.iter().filter_map(|consumer| {
            let folder = folder(&consumer.name)?;
            Some((consumer.name.clone(), folder))
        });
        Self {
            sdk: Some("sdk/src/generated".to_owned()),
            language: Some(Language {
                wire: "crates/wire/src/generated".to_owned(),
                client: "crates/client/src/generated".to_owned(),
            }),
            consumers: consumers.collect(),
        }
    }

    /// The layout of any other repository: the crate of its SDK, and a folder with a crate for each of its services. Of the
    /// consumers in the contracts, `crates` names those whose crate is there; the others live elsewhere.
    #[must_use]
    pub fn elsewhere<'a>(sdk: &str, services: &str, crates: impl IntoIterator<Item = &'a str>) -> Self {
        let needs = |name: &str| (name.to_owned(), format!("{services}/{name}/src/generated"));
        Self {
            sdk: Some(format!("{sdk}/src/generated")),
            language: None,
            consumers: crates.into_iter().map(needs).collect(),
        }
    }

    /// All folders; whatever else is in one of them was generated from a contract that is gone.
    pub fn folders(&self) -> impl Iterator<Item = &str> {
        let language = self.language.iter().flat_map(|language| [&language.wire, &language.client]);
        let consumers = self.consumers.iter().map(|(_, folder)| folder);
        self.sdk.iter().chain(language).chain(consumers).map(String::as_str)
    }
}
