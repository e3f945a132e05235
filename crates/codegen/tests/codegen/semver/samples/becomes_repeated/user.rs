//! A field holds many instead of one.

mod reads_another {
    use freehold_sdk::becomes_repeated::v1::Product;

    pub fn run(product: &Product) -> &str {
        &product.id
    }
}

mod reads {
    use freehold_sdk::becomes_repeated::v1::Product;

    pub fn run(product: &Product) -> &str {
        &product.tag
    }
}

mod builds {
    use freehold_sdk::becomes_repeated::v1::Product;

    pub fn run() -> Product {
        Product::default().with_tag("new")
    }
}
