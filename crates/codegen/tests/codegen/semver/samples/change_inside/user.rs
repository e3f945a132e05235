//! What is nested in a message changes: a map, a choice, a message.

mod counts {
    use freehold_sdk::change_inside::v1::Order;

    pub fn run(order: &Order) -> Option<i64> {
        order.counts.get("a").copied()
    }
}

mod builds_a_line {
    use freehold_sdk::change_inside::v1::Order;
    use freehold_sdk::change_inside::v1::order::Line;

    pub fn run(amount: i64) -> Order {
        Order::default().with_lines([Line::default().with_quantity(amount)])
    }
}

mod holds_lines {
    use freehold_sdk::change_inside::v1::Order;
    use freehold_sdk::change_inside::v1::order::Line;

    pub fn run(order: &Order) -> &[Line] {
        &order.lines
    }
}

mod chooses {
    use freehold_sdk::change_inside::v1::order::Note;

    pub fn run(note: &Note) -> Option<&str> {
        match note {
            Note::Text(text) => Some(text),
            _ => None,
        }
    }
}

mod chooses_another {
    use freehold_sdk::change_inside::v1::order::Note;

    pub fn run(note: &Note) -> bool {
        matches!(note, Note::Number(5))
    }
}

mod sets_another {
    use freehold_sdk::change_inside::v1::Order;

    pub fn run() -> Order {
        Order::default().with_number(5)
    }
}
