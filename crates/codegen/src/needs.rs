//! The files of a consumer's needs: its messages, its views and reactions, its replicas, the services it calls.

use freehold_contract::model::Consumer;
use quote::quote;

use crate::emit::{calls, reactions, replicas, views};
use crate::error::Error;
use crate::items::Package;
use crate::output::Files;
use crate::package::{self, World};
use crate::paths::{Crate, Scope};
use crate::{collisions, names, read};

/// Writes what a consumer declared into a folder of its own crate. Only what it needs is there.
pub(crate) fn consumer(
    consumer: &Consumer,
    folder: &str,
    world: &World<'_>,
    files: &mut Files,
) -> Result<(), Error> {
    let needs = read::needs(world.model, consumer)?;
    collisions::check(&needs)?;
    let world = world.with(&needs);
    let mut modules = package::data(&needs, folder, Crate::Consumer, &world, files)?;
    if !consumer.views.is_empty() {
        let items = views::views(consumer, &beside(&world, &needs, &views::RESERVED))?;
        let title = "What is read of others' events and of their entities' changes.".to_owned();
        files.rust(&format!("{folder}/views.rs"), &[title], &items)?;
        let items = reactions::reactions(consumer, &needs, &beside(&world, &needs, &reactions::RESERVED))?;
        let title = "What happens here when something happened elsewhere.".to_owned();
        files.rust(&format!("{folder}/reactions.rs"), &[title], &items)?;
        modules.private("reactions", None);
        modules.private("views", None);
        modules.export("reactions", &["Reactions", "subscriptions"].map(names::ident), None);
    }
    if !consumer.replicas.is_empty() {
        let items = replicas::replicas(consumer, &needs, &beside(&world, &needs, &replicas::RESERVED))?;
        let title = "The copies that are kept of others' entities: their tables and columns.".to_owned();
        files.rust(&format!("{folder}/replicas.rs"), &[title], &items)?;
        modules.private("replicas", None);
    }
    if let Some(items) = calls::calls(consumer, world.model) {
        let title = "The services that are called.".to_owned();
        files.rust(&format!("{folder}/calls.rs"), &[title], &items)?;
        modules.private("calls", None);
        modules.export("calls", &[names::ident("Calls")], None);
    }
    let title = format!("What `{}` takes from others, as `{}` declares it.", consumer.name, consumer.file);
    files.rust(&format!("{folder}/mod.rs"), &[title], &modules.top())
}

fn beside<'a>(world: &'a World<'_>, needs: &'a Package, reserved: &'static [&'static str]) -> Scope<'a> {
    Scope::beside(&world.homes, Crate::Consumer, &needs.name, quote!(super::messages), reserved)
}
