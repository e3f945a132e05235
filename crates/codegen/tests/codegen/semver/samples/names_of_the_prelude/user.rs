//! Messages get the names of what Rust has by itself.

mod reads {
    use freehold_sdk::names_of_the_prelude::v1::{Product, State};

    pub fn run(product: &Product) -> (Option<&String>, &Vec<String>, bool) {
        let sold = product.states().any(|state| state == Ok(State::Sold));
        (product.name.as_ref(), &product.tags, sold)
    }
}

mod builds {
    use freehold_sdk::names_of_the_prelude::v1::{Product, State, product::Size};

    pub fn run() -> Product {
        Product::default()
            .with_name("Chai")
            .with_tags(["new"])
            .with_states([State::Sold])
            .with_size(Size::Number(5))
    }
}
