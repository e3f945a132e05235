//! A message loses a field.

mod reads_another {
    use freehold_sdk::remove_field::v1::Product;

    pub fn run(product: &Product) -> &str {
        &product.id
    }
}

mod reads {
    use freehold_sdk::remove_field::v1::Product;

    pub fn run(product: &Product) -> &str {
        &product.name
    }
}

mod builds {
    use freehold_sdk::remove_field::v1::Product;

    pub fn run() -> Product {
        Product::default().with_id("1").with_name("Chai")
    }
}
