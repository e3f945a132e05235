//! A field gets another name.

mod reads_another {
    use freehold_sdk::rename_field::v1::Product;

    pub fn run(product: &Product) -> &str {
        &product.id
    }
}

mod reads {
    use freehold_sdk::rename_field::v1::Product;

    pub fn run(product: &Product) -> i64 {
        product.cents
    }
}

mod builds {
    use freehold_sdk::rename_field::v1::Product;

    pub fn run() -> Product {
        Product::default().with_cents(1800)
    }
}
