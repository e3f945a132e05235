//! Two fields become a choice.

mod builds {
    use freehold_sdk::choice_of_fields::v1::Payment;

    pub fn run() -> Payment {
        Payment::default().with_card("1234").with_cash(1800)
    }
}

mod reads {
    use freehold_sdk::choice_of_fields::v1::Payment;

    pub fn run(payment: &Payment) -> &str {
        &payment.card
    }
}
