//! The graph for people: one paragraph per service, then one per consumer from outside.

use crate::graph::map::{Call, Map, Replica, View, short};

/// One paragraph each: what it owns and emits, then what it takes from others.
pub(crate) fn draw(map: &Map) -> String {
    let mut text = String::new();
    for owner in &map.owners {
        paragraph(&mut text, &owner.name, "", &owner.contact);
        owner.entities.iter().for_each(|entity| line(&mut text, "owns", entity));
        owner.events.iter().for_each(|event| line(&mut text, "emits", event));
        owner.public.iter().for_each(|method| line(&mut text, "open", method));
        taken(&mut text, map, &owner.name);
    }
    for outside in &map.outside {
        paragraph(&mut text, &outside.name, " (outside)", &outside.contact);
        taken(&mut text, map, &outside.name);
    }
    text
}

fn paragraph(text: &mut String, name: &str, kind: &str, contact: &str) {
    let gap = if text.is_empty() { "" } else { "\n" };
    let contact = if contact.is_empty() { String::new() } else { format!("  {contact}") };
    text.push_str(&format!("{gap}{name}{kind}{contact}\n"));
}

fn line(text: &mut String, verb: &str, what: &str) {
    text.push_str(&format!("  {verb:<7} {what}\n"));
}

fn taken(text: &mut String, map: &Map, consumer: &str) {
    for made in map.calls.iter().filter(|call| call.consumer == consumer) {
        line(text, if made.step { "steps" } else { "calls" }, &call(made));
    }
    for taken in map.views.iter().filter(|view| view.consumer == consumer) {
        line(text, "reads", &view(taken));
    }
    for taken in map.replicas.iter().filter(|replica| replica.consumer == consumer) {
        line(text, "copies", &replica(taken));
    }
}

fn call(call: &Call) -> String {
    let from = call.from.as_ref().map_or_else(String::new, |from| format!(", from {from}"));
    let undo = call.undo.as_ref().map_or_else(String::new, |undo| format!(", undone by {}", short(undo)));
    format!("{}{from}{undo}", call.method)
}

fn view(view: &View) -> String {
    format!("{} ({})", view.of, view.fields.join(", "))
}

fn replica(replica: &Replica) -> String {
    format!("{} ({}), {}", replica.of, replica.fields.join(", "), replica.promise())
}
