//! The document of a product: set, read, found, and refused where it breaks its bounds.

use freehold_sdk::catalog::v1::find_products_request::Value as Wanted;
use freehold_testkit::mounted::wrong_fields;
use freehold_wire::prost_types::Struct;
use freehold_wire::reason;
use tonic::Code;

use super::*;
use crate::attributes::Attributes;

/// A document, from its JSON.
fn document(json: &str) -> Struct {
    Attributes::parse(json).unwrap().document()
}

fn set_request(id: &str, json: &str) -> pb::SetAttributesRequest {
    pb::SetAttributesRequest::default().with_product_id(id).with_attributes(document(json))
}

impl Bench {
    async fn set(&self, request: pb::SetAttributesRequest) -> Result<pb::ProductAttributes, Status> {
        self.server.call(&methods::SET_ATTRIBUTES, request).await
    }

    async fn attributes(&self, id: &str) -> Result<pb::ProductAttributes, Status> {
        let request = pb::GetAttributesRequest::default().with_product_id(id);
        self.server.call(&methods::GET_ATTRIBUTES, request).await
    }

    /// The ids of the products that have that value, or any, in one page.
    async fn having(&self, path: &str, value: impl Into<Option<Wanted>>) -> Vec<String> {
        let mut request = pb::FindProductsRequest::default().with_path(path);
        request.value = value.into();
        let found = self.server.call(&methods::FIND_PRODUCTS, request).await.unwrap();
        found.products.into_iter().map(|product| product.id).collect()
    }

    async fn described(&self, products: &[(&str, &str)]) {
        for (id, json) in products {
            self.create(chai().with_id(*id)).await.unwrap();
            self.set(set_request(id, json)).await.unwrap();
        }
    }
}

#[tokio::test]
async fn attributes_are_replaced_as_a_whole_and_read_back_as_they_were_set() {
    on_each_engine(async |bench| {
        bench.create(chai()).await.unwrap();
        assert_eq!(
            bench.attributes("1").await.unwrap(),
            pb::ProductAttributes::default().with_product_id("1").with_attributes(Struct::default())
        );
        let json =
            r#"{"colours":["red",null],"size":{"größe":1.25,"w":1e300},"note":"\"é\u0001\\n","vegan":true}"#;
        let set = bench.set(set_request("1", json)).await.unwrap();
        assert_eq!((set.version, set.attributes.clone()), (1, Some(document(json))));
        assert_eq!(bench.attributes("1").await.unwrap(), set);
        let set = bench.set(set_request("1", r#"{"vegan":false}"#)).await.unwrap();
        assert_eq!((set.version, set.attributes.clone()), (2, Some(document(r#"{"vegan":false}"#))));
        assert_eq!(bench.attributes("1").await.unwrap(), set);
        let told: Vec<String> = bench.told().await.into_iter().map(|event| event.0).collect();
        assert_eq!(told, ["catalog.v1.Product"], "nobody else is told");
    })
    .await;
}

#[tokio::test]
async fn attributes_are_set_only_at_the_version_that_was_expected() {
    on_each_engine(async |bench| {
        bench.create(chai()).await.unwrap();
        let at = |version| set_request("1", "{}").with_version(version);
        let refused = bench.set(at(1)).await.unwrap_err();
        assert_eq!((refused.code(), reason::of(&refused).as_str()), (Code::Aborted, "STALE_VERSION"));
        assert_eq!(bench.set(at(0)).await.unwrap().version, 1);
        assert_eq!(bench.set(at(1)).await.unwrap().version, 2);
        assert_eq!(bench.set(at(1)).await.unwrap_err().code(), Code::Aborted);
        assert_eq!(bench.attributes("1").await.unwrap().version, 2);
    })
    .await;
}

#[tokio::test]
async fn attributes_end_with_their_product() {
    on_each_engine(async |bench| {
        assert_eq!(bench.set(set_request("1", "{}")).await.unwrap_err().code(), Code::NotFound);
        assert_eq!(bench.attributes("1").await.unwrap_err().code(), Code::NotFound);
        bench.described(&[("1", r#"{"vegan":true}"#)]).await;
        bench.delete("1").await.unwrap();
        assert_eq!(bench.attributes("1").await.unwrap_err().code(), Code::NotFound);
        assert_eq!(bench.having("vegan", Wanted::Flag(true)).await, [""; 0]);
    })
    .await;
}

#[tokio::test]
async fn products_are_found_by_an_attribute_and_its_type() {
    on_each_engine(async |bench| {
        let odd = r#"{"size":{"w":2},"tags":["x"],"t":"\"é\u0001\\n/"}"#;
        bench
            .described(&[
                ("b", r#"{"size":{"w":2.0},"vegan":true,"t":"true"}"#),
                ("a", odd),
                ("c", r#"{"size":{"w":"2"},"vegan":false,"big":1e300}"#),
                ("d", r#"{"size":2,"tags":"x","none":null}"#),
            ])
            .await;
        bench.create(chai().with_id("e")).await.unwrap();
        let text = |text: &str| Wanted::Text(text.to_owned());
        assert_eq!(bench.having("size.w", Wanted::Number(2.0)).await, ["a", "b"]);
        assert_eq!(bench.having("size.w", text("2")).await, ["c"]);
        assert_eq!(bench.having("size", Wanted::Number(2.0)).await, ["d"]);
        assert_eq!(bench.having("vegan", Wanted::Flag(true)).await, ["b"]);
        assert_eq!(bench.having("t", text("true")).await, ["b"]);
        assert_eq!(bench.having("t", text("\"é\u{1}\\n/")).await, ["a"]);
        assert_eq!(bench.having("tags", text("x")).await, ["d"], "a list is no text");
        assert_eq!(bench.having("big", Wanted::Number(1e300)).await, ["c"]);
        assert_eq!(bench.having("none", text("null")).await, [""; 0]);
        assert_eq!(bench.having("nowhere.at-all", Wanted::Flag(true)).await, [""; 0]);
        assert_eq!(bench.having("size.w", None).await, ["a", "b", "c"]);
        assert_eq!(bench.having("none", None).await, ["d"], "null is a value");
        assert_eq!(bench.having("nowhere", None).await, [""; 0]);
    })
    .await;
}

#[tokio::test]
async fn what_was_found_comes_in_pages() {
    on_each_engine(async |bench| {
        bench.described(&["c", "a", "b"].map(|id| (id, r#"{"vegan":true}"#))).await;
        let ask = |path: &str, token: &str| {
            let wanted = pb::FindProductsRequest::default().with_path(path).with_flag(true);
            bench.server.call(&methods::FIND_PRODUCTS, wanted.with_page_size(2).with_page_token(token))
        };
        let first = ask("vegan", "").await.unwrap();
        let ids = |page: &pb::FindProductsResponse| {
            page.products.iter().map(|product| product.id.clone()).collect::<Vec<_>>()
        };
        assert_eq!(ids(&first), ["a", "b"]);
        let last = ask("vegan", &first.next_page_token).await.unwrap();
        assert_eq!((ids(&last), last.next_page_token.as_str()), (vec!["c".to_owned()], ""));
        assert_eq!(wrong_fields(ask("organic", &first.next_page_token).await), ["page_token"]);
    })
    .await;
}

#[tokio::test]
async fn what_breaks_a_bound_is_refused_by_its_path() {
    on_each_engine(async |bench| {
        bench.create(chai()).await.unwrap();
        let refused = async |json: &str| wrong_fields(bench.set(set_request("1", json)).await);
        assert_eq!(refused(r#"{"size":{"1st":1}}"#).await, ["attributes.size.1st"]);
        assert_eq!(refused(&format!(r#"{{"t":"{}"}}"#, "x".repeat(65_536))).await, ["attributes"]);
        let bare = pb::SetAttributesRequest::default().with_product_id("1");
        assert_eq!(wrong_fields(bench.set(bare).await), ["attributes"]);
        let find = async |path: &str| {
            let request = pb::FindProductsRequest::default().with_path(path).with_flag(true);
            wrong_fields(bench.server.call(&methods::FIND_PRODUCTS, request).await)
        };
        for path in ["a..b", "a\"b", "$", "a[0]", "a'; --"] {
            assert_eq!(find(path).await, ["path"], "{path}");
        }
        assert_eq!(bench.attributes("1").await.unwrap().version, 0);
    })
    .await;
}
