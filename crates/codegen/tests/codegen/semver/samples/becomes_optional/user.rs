//! Fields may be unset from now on.

mod reads {
    use freehold_sdk::becomes_optional::v1::Product;

    pub fn run(product: &Product) -> i64 {
        product.cents + 1
    }
}

mod builds_with_text {
    use freehold_sdk::becomes_optional::v1::Product;

    pub fn run() -> Product {
        Product::default().with_name("Chai")
    }
}

mod builds_with_a_number_that_literals_are {
    use freehold_sdk::becomes_optional::v1::Product;

    pub fn run() -> Product {
        Product::default().with_cents(1800)
    }
}

mod builds_with_a_number_that_literals_are_not {
    use freehold_sdk::becomes_optional::v1::Product;

    pub fn run() -> Product {
        Product::default().with_count(5)
    }
}

mod reads_the_enum {
    use freehold_sdk::becomes_optional::v1::{Product, State};

    pub fn run(product: &Product) -> bool {
        product.state() == Ok(State::Sold)
    }
}

mod builds_with_the_enum {
    use freehold_sdk::becomes_optional::v1::{Product, State};

    pub fn run() -> Product {
        Product::default().with_state(State::Sold)
    }
}
