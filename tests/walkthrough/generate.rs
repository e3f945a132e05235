//! `freehold gen` over trees of other people.

use std::fs;

use freehold_testkit::Scratch;

use crate::folder::Folder;

const SHOP: &str = "\
syntax = \"proto3\";
package shop.v1;
import \"freehold/v1/contract.proto\";
import \"google/api/annotations.proto\";
option (freehold.v1.owner) = \"shop\";
message Item {
  option (freehold.v1.entity).key = \"id\";
  string id = 1;
}
service ShopService {
  rpc GetItem(Item) returns (Item) {
    option idempotency_level = NO_SIDE_EFFECTS;
    option (google.api.http) = { get: \"/v1/items/{id}\" };
  }
}
";

const NEEDS: &str = "\
syntax = \"proto3\";
package till.v1;
import \"freehold/v1/contract.proto\";
option (freehold.v1.consumer) = \"till\";
option (freehold.v1.calls) = { method: \"shop.v1.ShopService/GetItem\" };
";

const GEN: &str = "freehold gen --proto contracts --sdk rust/shop-sdk --services rust/services";

/// A tree of a shape of its own, which holds neither the contract language nor google/api.
fn tree() -> (Scratch, Folder) {
    let scratch = Scratch::new("tree");
    let folder = Folder(scratch.path().to_owned());
    folder.write("contracts/shop/v1/shop.proto", SHOP);
    folder.write("contracts/till/v1/needs.proto", NEEDS);
    folder.write("contracts/elsewhere/v1/needs.proto", &NEEDS.replace("till", "elsewhere"));
    folder.write("rust/services/till/Cargo.toml", "[package]\nname = \"till\"\n");
    (scratch, folder)
}

#[test]
fn a_tree_of_another_shape_is_written_and_checked() {
    let (_scratch, tree) = tree();
    let stale = tree.run(&format!("{GEN} --check"));
    assert_eq!(stale.code, Some(13), "{}", stale.printed);
    assert!(
        stale.printed.contains("missing rust/shop-sdk/src/generated/shop/v1/client.rs\n"),
        "{}",
        stale.printed
    );
    assert!(!tree.0.join("rust/shop-sdk").exists(), "a check writes nothing");

    let written = tree.succeed(GEN);
    assert!(written.contains("missing rust/services/till/src/generated/calls.rs\n"), "{written}");
    assert!(!written.contains("elsewhere"), "who has no crate here is generated where it has one: {written}");
    assert_eq!(tree.succeed(&format!("{GEN} --check")), "");
    assert_eq!(tree.succeed(GEN), "", "what is fresh is not written again");
}

#[test]
fn each_stale_file_is_named() {
    let (_scratch, tree) = tree();
    tree.succeed(GEN);
    tree.write(
        "contracts/shop/v1/shop.proto",
        &SHOP.replace("string id = 1;", "string id = 1;\n  string name = 2;"),
    );
    fs::remove_file(tree.0.join("contracts/till/v1/needs.proto")).unwrap();
    let stale = tree.run(&format!("{GEN} --check"));
    assert_eq!(stale.code, Some(13), "{}", stale.printed);
    for line in [
        "stale   rust/shop-sdk/src/generated/shop/v1/messages.rs",
        "stale   rust/shop-sdk/src/generated/contract.rs",
    ] {
        assert!(stale.printed.contains(line), "{line}: {}", stale.printed);
    }
    let json = tree.run(&format!("{GEN} --check -o json"));
    let line = "{\"path\":\"rust/shop-sdk/src/generated/contract.rs\",\"state\":\"stale\"}\n";
    assert!(json.printed.contains(line), "{}", json.printed);
}

#[test]
fn contracts_that_check_refuses_are_refused_in_the_same_words() {
    for (wrong, code) in [("Nothing", 10), ("Item", 11)] {
        let (_scratch, tree) = tree();
        let text = SHOP.replace("rpc GetItem(Item)", &format!("rpc GetItem({wrong})"));
        tree.write(
            "contracts/shop/v1/shop.proto",
            &text.replace("owner) = \"shop\"", "owner) = \"My Shop\""),
        );
        let checked = tree.run("freehold check contracts");
        let refused = tree.run(GEN);
        assert_eq!((checked.code, refused.code), (Some(code), Some(code)), "{}", refused.printed);
        assert!(checked.printed.starts_with(&refused.printed), "{}\n{}", checked.printed, refused.printed);
        assert!(!tree.0.join("rust/shop-sdk").exists());
    }
}

/// Planted: conventions refused like any other rule, so that a vendored tree could be neither generated nor exported.
#[test]
fn contracts_that_only_break_a_convention_are_generated() {
    let (_scratch, tree) = tree();
    let text = SHOP.replace("string id = 1;", "string id = 1;\n  string fullName = 2;");
    tree.write("contracts/shop/v1/shop.proto", &text);
    assert_eq!(tree.run("freehold check contracts").code, Some(11));
    tree.succeed(GEN);
    tree.succeed("freehold export openapi --proto contracts");
}
