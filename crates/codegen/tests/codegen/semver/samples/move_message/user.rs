//! A message moves to another package.

mod builds {
    use freehold_sdk::move_message::v1::{Money, Price};

    pub fn run() -> Price {
        Price::default().with_value(Money::default().with_cents(1800))
    }
}

mod reads_through {
    use freehold_sdk::move_message::v1::Price;

    pub fn run(price: &Price) -> &str {
        &price.note
    }
}
