//! The graph of this repository's contracts, and of a fixed tree in each format, as snapshots: `INSTA_UPDATE=always cargo
//! test -p freehold --bin freehold graph` writes them anew, and the difference is what changed between services.
//!
//! What a drawing program must be able to read is held against its grammar, for names that it would choke on, too.

use std::path::Path;

use freehold_contract::{Model, Sources};

use super::*;

/// An owner and a consumer whose names are words of the drawing languages.
const AWKWARD: [(&str, &str); 2] = [
    (
        "end/v1/end.proto",
        r#"
        syntax = "proto3";
        package end.v1;
        import "freehold/v1/contract.proto";
        option (freehold.v1.owner) = "end";
        message Edge {
          option (freehold.v1.entity).key = "id";
          string id = 1;
        }
        message Drawn {
          option (freehold.v1.event).of = "end.v1.Edge";
          option (freehold.v1.event).key = "id";
          string id = 1;
        }
        message GetRequest { string id = 1; }
        service EndService {
          rpc Get(GetRequest) returns (Edge) { option idempotency_level = NO_SIDE_EFFECTS; }
        }
        "#,
    ),
    (
        "consumers/graph/v1/needs.proto",
        r#"
        syntax = "proto3";
        package consumers.graph.v1;
        import "freehold/v1/contract.proto";
        option (freehold.v1.consumer) = "graph";
        option (freehold.v1.calls) = { method: "end.v1.EndService/Get" };
        message DrawnView {
          option (freehold.v1.view).of = "end.v1.Drawn";
          string id = 1;
        }
        message EdgeCopy {
          option (freehold.v1.replica).of = "end.v1.Edge";
          option (freehold.v1.replica).when_stale = FAIL;
          string id = 1;
        }
        "#,
    ),
];

fn model(files: &[(&str, &str)]) -> Model {
    let sources: Sources = files.iter().copied().collect();
    freehold_contract::load(&sources)
        .unwrap_or_else(|findings| panic!("{}", freehold_contract::render_text(&findings, &sources)))
}

/// A tree that has some of everything and that no service changes.
fn everything(format: GraphFormat) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/everything/proto");
    draw(&Map::of(&freehold_contract::load(&contracts::read(&folder).unwrap()).unwrap()), format)
}

fn awkward(format: GraphFormat) -> String {
    draw(&Map::of(&model(&AWKWARD)), format)
}

#[test]
fn the_graph_of_the_mesh() {
    insta::assert_snapshot!(draw(&Map::of(&contracts::embedded().ok().unwrap()), GraphFormat::Text));
}

#[test]
fn an_arrow_says_which_method_makes_the_call() {
    let map = Map::of(&contracts::embedded().ok().unwrap());
    for format in [GraphFormat::Mermaid, GraphFormat::Dot] {
        assert!(draw(&map, format).contains("BatchGetPrices from PlaceOrder"));
    }
}

#[test]
fn a_graph_as_text() {
    insta::assert_snapshot!(everything(GraphFormat::Text));
}

#[test]
fn a_graph_as_mermaid() {
    insta::assert_snapshot!(everything(GraphFormat::Mermaid));
}

#[test]
fn a_graph_as_dot() {
    insta::assert_snapshot!(everything(GraphFormat::Dot));
}

#[test]
fn a_graph_as_json() {
    let graph: serde_json::Value = serde_json::from_str(&everything(GraphFormat::Json)).unwrap();
    insta::assert_snapshot!(format!("{graph:#}"));
}

#[test]
fn the_same_contracts_give_the_same_bytes_in_whatever_order_they_come() {
    let turned: Vec<_> = AWKWARD.into_iter().rev().collect();
    for format in [GraphFormat::Text, GraphFormat::Mermaid, GraphFormat::Dot, GraphFormat::Json] {
        assert_eq!(awkward(format), draw(&Map::of(&model(&turned)), format));
    }
}

#[test]
fn a_service_may_be_named_like_a_word_of_mermaid() {
    assert_eq!(
        awkward(GraphFormat::Mermaid),
        "flowchart LR\n  \
         s_end[(\"end\")]\n  \
         s_graph([\"graph\"])\n  \
         s_end -.->|\"Drawn<br>copy of Edge, eventual, else FAIL\"| s_graph\n  \
         s_graph -->|\"Get\"| s_end\n"
    );
}

#[test]
fn a_service_may_be_named_like_a_word_of_graphviz() {
    let drawn = awkward(GraphFormat::Dot);
    for edge in [
        "\"graph\" -> \"end\" [label=\"Get\", style=solid];",
        "\"end\" -> \"graph\" [label=\"Drawn\", style=dashed];",
        "\"end\" -> \"graph\" [label=\"copy of Edge, eventual, else FAIL\", style=dashed];",
    ] {
        assert!(drawn.contains(edge), "{edge} in\n{drawn}");
    }
}

#[test]
fn every_declared_need_is_an_arrow() {
    let model = contracts::embedded().ok().unwrap();
    let map = Map::of(&model);
    let count =
        |of: fn(&freehold_contract::model::Consumer) -> usize| model.consumers.iter().map(of).sum::<usize>();
    assert_eq!(map.calls.len(), count(|consumer| consumer.calls.len() + consumer.steps.len()));
    assert_eq!(map.views.len(), count(|consumer| consumer.views.len()));
    assert_eq!(map.replicas.len(), count(|consumer| consumer.replicas.len()));
    assert!(!map.calls.is_empty() && !map.views.is_empty() && !map.replicas.is_empty());
}
