//! A message gets a field.

mod reads {
    use freehold_sdk::add_field::v1::Product;

    pub fn run(product: &Product) -> &str {
        &product.id
    }
}

mod builds {
    use freehold_sdk::add_field::v1::Product;

    pub fn run() -> Product {
        Product::default().with_id("1")
    }
}

mod takes_apart {
    use freehold_sdk::add_field::v1::Product;

    pub fn run(product: Product) -> String {
        let Product { id, .. } = product;
        id
    }
}

mod keeps_in_a_set {
    use std::collections::HashSet;

    use freehold_sdk::add_field::v1::Product;

    pub fn run(product: Product) -> HashSet<Product> {
        HashSet::from([product])
    }
}
