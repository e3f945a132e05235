//! A field gets another type.

mod reads_another {
    use freehold_sdk::change_type::v1::Product;

    pub fn run(product: &Product) -> &str {
        &product.id
    }
}

mod reads {
    use freehold_sdk::change_type::v1::Product;

    pub fn run(product: &Product) -> i64 {
        product.size + 1
    }
}

mod builds {
    use freehold_sdk::change_type::v1::Product;

    pub fn run() -> Product {
        Product::default().with_size(5)
    }
}
