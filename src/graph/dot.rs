//! The graph in Graphviz' language: what `dot -Tsvg` draws.
//!
//! One edge per declared need: solid a call, bold a step of a saga, dashed what the owner's feed brings.
//! **Invariant:** every id and label is a quoted string.

use crate::graph::map::{Call, Map, Replica, View, short};

/// Draws the digraph.
pub(crate) fn draw(map: &Map) -> String {
    let mut graph = String::from(
        "digraph freehold {\n  rankdir=LR;\n  node [fontname=\"sans-serif\"];\n  edge [fontname=\"sans-serif\", fontsize=10];\n",
    );
    for owner in &map.owners {
        graph.push_str(&format!("  {} [shape=cylinder];\n", quoted(&owner.name)));
    }
    for outside in &map.outside {
        graph.push_str(&format!("  {} [shape=box, style=rounded];\n", quoted(&outside.name)));
    }
    map.calls.iter().for_each(|call| graph.push_str(&of_call(call)));
    map.views.iter().for_each(|view| graph.push_str(&of_view(view)));
    map.replicas.iter().for_each(|replica| graph.push_str(&of_replica(replica)));
    graph + "}\n"
}

fn of_call(call: &Call) -> String {
    edge(&call.consumer, &call.owner, &call.label(), if call.step { "bold" } else { "solid" })
}

fn of_view(view: &View) -> String {
    edge(&view.owner, &view.consumer, short(&view.of), "dashed")
}

fn of_replica(replica: &Replica) -> String {
    edge(&replica.owner, &replica.consumer, &replica.label(), "dashed")
}

fn edge(from: &str, to: &str, label: &str, style: &str) -> String {
    format!("  {} -> {} [label={}, style={style}];\n", quoted(from), quoted(to), quoted(label))
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
