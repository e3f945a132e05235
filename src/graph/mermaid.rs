//! The graph as a Mermaid flowchart, as Markdown pages show it.
//!
//! One arrow per pair of services and kind: `-->` a call, `==>` a step of a saga, `-.->` what the owner's feed brings.
//! **Invariant:** ids are prefixed, so that no service's name is a word of Mermaid's, and labels are quoted.

use crate::graph::map::{Call, Map, Replica, short};

/// Draws the flowchart.
pub(crate) fn draw(map: &Map) -> String {
    let mut chart = String::from("flowchart LR\n");
    map.owners
        .iter()
        .for_each(|owner| chart.push_str(&format!("  {}[(\"{}\")]\n", id(&owner.name), owner.name)));
    map.outside
        .iter()
        .for_each(|other| chart.push_str(&format!("  {}([\"{}\"])\n", id(&other.name), other.name)));
    for from in map.names() {
        for to in map.names() {
            arrow(&mut chart, from, "-->", to, calls(map, from, to, false));
            arrow(&mut chart, from, "==>", to, calls(map, from, to, true));
            arrow(&mut chart, from, "-.->", to, fed(map, from, to));
        }
    }
    chart
}

fn id(name: &str) -> String {
    format!("s_{name}")
}

fn arrow(chart: &mut String, from: &str, arrow: &str, to: &str, labels: Vec<String>) {
    if !labels.is_empty() {
        chart.push_str(&format!("  {} {arrow}|\"{}\"| {}\n", id(from), labels.join("<br>"), id(to)));
    }
}

fn calls(map: &Map, consumer: &str, owner: &str, step: bool) -> Vec<String> {
    let calls = map.calls.iter();
    let calls = calls.filter(|call| call.consumer == consumer && call.owner == owner && call.step == step);
    calls.map(Call::label).collect()
}

/// What flows from an owner to a consumer: events by name, copies with their level.
fn fed(map: &Map, owner: &str, consumer: &str) -> Vec<String> {
    let views = map.views.iter().filter(|view| view.owner == owner && view.consumer == consumer);
    let replicas = map.replicas.iter().filter(|copy| copy.owner == owner && copy.consumer == consumer);
    views.map(|view| short(&view.of).to_owned()).chain(replicas.map(Replica::label)).collect()
}
