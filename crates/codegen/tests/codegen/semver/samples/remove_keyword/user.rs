//! A message loses fields whose names Rust keeps for itself.

mod reads_another {
    use freehold_sdk::remove_keyword::v1::Product;

    pub fn run(product: &Product) -> &str {
        &product.id
    }
}

mod reads {
    use freehold_sdk::remove_keyword::v1::Product;

    pub fn run(product: &Product) -> &str {
        &product.r#type
    }
}

mod builds {
    use freehold_sdk::remove_keyword::v1::Product;

    pub fn run() -> Product {
        Product::default().with_type("tea")
    }
}

mod gets {
    use freehold_sdk::remove_keyword::v1::Product;

    pub fn run(product: &Product) -> i64 {
        product.self_()
    }
}
