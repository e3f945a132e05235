//! What the generator makes of contracts in memory.

use freehold_codegen::{Error, Layout, generate};

use crate::support::{contracts, everything, everything_layout, generated, model, root, text};

#[test]
fn generating_twice_gives_the_same_bytes() {
    let ours = || model(contracts(&root().join("proto")));
    let (first, second) = (ours(), ours());
    assert_eq!(
        generate(&first, &Layout::repository(&first)),
        generate(&second, &Layout::repository(&second))
    );

    let mut backwards = contracts(&everything().join("proto"));
    backwards.reverse();
    let forwards = generate(&model(contracts(&everything().join("proto"))), &everything_layout()).unwrap();
    assert_eq!(
        forwards,
        generate(&model(backwards), &everything_layout()).unwrap(),
        "whatever order files come in"
    );
}

#[test]
fn an_addition_to_a_contract_appears_everywhere_it_belongs() {
    let files = generate(&model(crate::support::extended()), &everything_layout()).unwrap();
    let v2 = |file: &str| text(&files, &format!("sdk/src/generated/everything/v2/{file}"));
    assert!(v2("client.rs").contains("pub async fn find("), "an RPC has a client method");
    assert!(v2("client.rs").contains("pub struct AddedClient"), "a service has a client");
    assert!(v2("server.rs").contains("async fn find("), "an RPC has a handler");
    assert!(v2("server.rs").contains("\"/everything.v2.Added/Add\" => self.add(request)"), "and a route");
    assert!(v2("methods.rs").contains("pub const ADD: Method<AddRequest, AddResponse>"), "and a constant");
    assert!(
        v2("fields.rs").contains("pub fn with_added(mut self, added: impl Into<String>)"),
        "a field has a setter"
    );
    assert!(v2("checks.rs").contains("violations.max_chars(\"added\", &self.added, 3)"), "and its limits");
    assert!(
        text(&files, "sdk/src/generated/contract.rs").contains("added::ADD.rules()"),
        "access knows of it"
    );
}

#[test]
fn comments_of_a_contract_become_docs_and_nothing_else() {
    let files = generated(
        "// A shop; see [Owner] and Vec<u8>.\n//\n//     not_a_doctest();\nmessage Shop {\n  // Its name.\n  string name = 1;\n  int64 size = 2; // In square metres.\n}",
    );
    let files = files.unwrap();
    let messages = text(&files, "sdk/shop/v1/messages.rs");
    assert!(
        messages.contains("/// A shop; see \\[Owner\\] and Vec\\<u8>.\n///\n///    not_a_doctest();\n"),
        "{messages}"
    );
    assert!(messages.contains("/// In square metres.\n"), "{messages}");
}

#[test]
fn names_that_are_one_in_rust_are_refused_by_both_their_names() {
    let collisions = [
        ("message Foo {} message FOO {}", "shop.v1.Foo", "shop.v1.FOO"),
        ("enum E { E_A = 0; e_a = 1; }", "shop.v1.E.E_A", "shop.v1.E.e_a"),
        ("message CartClient {} service Cart {}", "shop.v1.CartClient", "shop.v1.Cart"),
        ("service Cart {} service CartService {}", "shop.v1.Cart", "shop.v1.CartService"),
        (
            "message A { bool with_b = 1; bool b = 2; optional E e = 3; optional bool optional_e = 4; } enum E { X = 0; }",
            "shop.v1.A.e",
            "shop.v1.A.optional_e",
        ),
    ];
    for (contract, first, second) in collisions {
        match generated(contract) {
            Err(Error::Collision { first: one, second: other, .. }) => {
                assert_eq!((one.as_str(), other.as_str()), (first, second))
            }
            other => panic!("{contract}: {other:?}"),
        }
    }
}

#[test]
fn a_limit_that_no_type_has_a_use_for_is_refused() {
    let limits = [
        "string a = 1 [(freehold.v1.field).min = 1];",
        "int64 a = 1 [(freehold.v1.field).max_length = 1];",
        "int64 a = 1 [(freehold.v1.field).max_items = 1];",
        "uint32 a = 1 [(freehold.v1.field).min = -1];",
        "optional int32 a = 1 [(freehold.v1.field).max = 3000000000];",
        "repeated int64 a = 1 [(freehold.v1.field).max_length = 1];",
        "map<string, string> a = 1 [(freehold.v1.field).max_length = 1];",
    ];
    for limit in limits {
        let contract = format!(
            "message A {{ {limit} }} service S {{ rpc Do(A) returns (A) {{ option idempotency_level = NO_SIDE_EFFECTS; }} }}"
        );
        let refused = generated(&contract).unwrap_err();
        assert!(
            matches!(&refused, Error::Unsupported { item, .. } if item == "shop.v1.A.a"),
            "{limit}: {refused:?}"
        );
    }
}

#[test]
fn another_syntax_is_refused_by_its_file() {
    let text = "syntax = \"proto2\"; package old.v1; message A { required string a = 1; }";
    let model = model([("old/v1/old.proto".to_owned(), text.to_owned())]);
    let layout = Layout { sdk: Some("sdk".to_owned()), ..Layout::default() };
    let refused = generate(&model, &layout).unwrap_err();
    assert!(
        refused.to_string().starts_with("`old/v1/old.proto` uses a syntax other than proto3"),
        "{refused}"
    );
}

#[test]
fn a_consumer_that_is_not_there_is_named() {
    let layout = Layout { consumers: vec![("nobody".to_owned(), "src".to_owned())], ..Layout::default() };
    let refused = generate(&model(contracts(&root().join("proto"))), &layout).unwrap_err();
    assert_eq!(refused, Error::Unknown("nobody".to_owned()));
}

/// The whole output of a small contract, as people read it.
#[test]
fn a_small_contract_reads_like_this() {
    let model = model([
        ("shop/v1/shop.proto".to_owned(), include_str!("small/shop.proto").to_owned()),
        ("till/v1/needs.proto".to_owned(), include_str!("small/needs.proto").to_owned()),
    ]);
    let layout = Layout {
        sdk: Some("sdk".to_owned()),
        consumers: vec![("till".to_owned(), "till".to_owned())],
        ..Layout::default()
    };
    for file in generate(&model, &layout).unwrap() {
        if let Some(name) = file.path.strip_suffix(".rs") {
            insta::assert_snapshot!(name.replace('/', "."), String::from_utf8(file.contents).unwrap());
        }
    }
}
