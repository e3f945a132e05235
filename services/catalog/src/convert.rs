//! Between products on the wire and products in here.

use freehold_sdk::catalog::v1 as pb;
use freehold_wire::Entity;

use crate::product::{Product, State};
use crate::store::attributes::Kept;

/// The product as the contract describes it, private fields included.
pub(crate) fn entity(product: &Product) -> pb::Product {
    pb::Product::default()
        .with_id(product.id.as_str())
        .with_name(product.name.as_str())
        .with_price_cents(product.price_cents)
        .with_cost_cents(product.cost_cents)
        .with_buyer_email(product.buyer_email.as_str())
        .with_state(state(product.state))
        .with_category(product.category.as_str())
}

/// The product as others may see it.
pub(crate) fn reply(product: &Product) -> pb::Product {
    entity(product).shared()
}

/// The price of a product, and whether it can be ordered at that.
pub(crate) fn price(product: &Product) -> pb::Price {
    pb::Price::default()
        .with_product_id(product.id.as_str())
        .with_price_cents(product.price_cents)
        .with_state(state(product.state))
}

/// The attributes of a product; none at version 0 where it was never given any.
pub(crate) fn attributes(product_id: &str, kept: Option<&Kept>) -> pb::ProductAttributes {
    let document = kept.map(|kept| kept.attributes.document()).unwrap_or_default();
    pb::ProductAttributes::default()
        .with_product_id(product_id)
        .with_attributes(document)
        .with_version(kept.map_or(0, |kept| kept.version))
}

fn state(state: State) -> pb::ProductState {
    match state {
        State::Active => pb::ProductState::Active,
        State::Discontinued => pb::ProductState::Discontinued,
    }
}
