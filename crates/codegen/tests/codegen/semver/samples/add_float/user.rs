//! A message gets a field that has no equality, and loses its own.

mod reads {
    use freehold_sdk::add_float::v1::Product;

    pub fn run(product: &Product) -> &str {
        &product.id
    }
}

mod is_a_key {
    use std::hash::Hash;

    use freehold_sdk::add_float::v1::Product;

    fn key<Key: Eq + Hash>(_: &Key) {}

    pub fn run(product: &Product) {
        key(product);
    }
}
