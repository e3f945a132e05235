//! A choice gets a member.

mod matches {
    use freehold_sdk::add_choice::v1::Payment;
    use freehold_sdk::add_choice::v1::payment::Way;

    pub fn run(payment: &Payment) -> Option<&str> {
        match payment.way.as_ref()? {
            Way::Card(card) => Some(card),
            _ => None,
        }
    }
}

mod builds {
    use freehold_sdk::add_choice::v1::Payment;

    pub fn run() -> Payment {
        Payment::default().with_cash(1800)
    }
}
