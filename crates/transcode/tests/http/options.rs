//! HTTP options that make no sense: a gateway does not start with them, and says which RPC it is about.

use freehold_client::Mesh;
use freehold_contract::Sources;
use freehold_transcode::{Transcoder, openapi};
use freehold_wire::Contract;

use crate::contract::of;

/// A contract of two methods with these options.
fn contract(first: &str, second: &str) -> &'static Contract {
    let text = format!(
        r#"syntax = "proto3";
        package odd.v1;
        import "freehold/v1/contract.proto";
        import "google/api/annotations.proto";
        option (freehold.v1.owner) = "odd";
        message Asked {{ string id = 1; repeated string ids = 2; Asked asked = 3; }}
        service OddService {{
            rpc First(Asked) returns (Asked) {{ option (google.api.http) = {{ {first} }}; }}
            rpc Second(stream Asked) returns (Asked) {{ option (google.api.http) = {{ {second} }}; }}
        }}"#
    );
    let sources: Sources = [("odd/v1/odd.proto".to_owned(), text)].into_iter().collect();
    of(freehold_contract::load(&sources).unwrap())
}

const FINE: &str = r#"post: "/v1/second" body: "*""#;

#[tokio::test]
async fn an_option_that_makes_no_sense_is_refused_at_the_start() {
    for (first, second, problem) in [
        (r#"get: "v1""#, FINE, "First to HTTP: `v1`: it must begin with a slash"),
        (r#"get: "/v1/{ic}""#, FINE, "First to HTTP: `/v1/{ic}`: is no field of odd.v1.Asked"),
        (r#"get: "/v1/{ids}""#, FINE, "`/v1/{ids}`: ids is not a single value"),
        (r#"get: "/v1/{asked}""#, FINE, "`/v1/{asked}`: asked is a message"),
        (r#"get: "/v1/{id.x}""#, FINE, "`/v1/{id.x}`: id holds no fields"),
        (r#"post: "/v1" body: "bdoy""#, FINE, "`bdoy`: odd.v1.Asked has no such field"),
        (r#"get: "/v1" response_body: "x""#, FINE, "`x`: odd.v1.Asked has no such field"),
        (r#"custom { kind: "NO VERB" path: "/v1" }"#, FINE, "`NO VERB`: no HTTP method has this name"),
        (r#"body: "*""#, FINE, "`google.api.http`: it has no pattern"),
        (r#"get: "/v1""#, r#"get: "/v2""#, "Second to HTTP: `/v2`: a stream of requests is the whole body"),
        (
            r#"post: "/v1/{id}" body: "*""#,
            r#"post: "/v1/{asked.id}" body: "*""#,
            "Second to HTTP: `POST /v1/{asked.id}` is the route of odd.v1.OddService/First",
        ),
    ] {
        let contract = contract(first, second);
        let refused = Transcoder::new(contract, Mesh::fixed("gateway", [("odd", "http://127.0.0.1:1")]));
        let said = refused.unwrap_err().to_string();
        assert!(said.contains(problem), "{first} {second}: {said}");
    }
    assert!(openapi::document(contract(r#"get: "v1""#, FINE).descriptors, "", "").is_err());
    assert!(openapi::document(b"\xff", "", "").is_err());
}
