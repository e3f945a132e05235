//! The stock of one product: what lies on the shelf, and what of it is held.
//!
//! **Invariant:** 0 <= held <= on the shelf; what would break that is refused and changes nothing.

/// The stock of a product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stock {
    pub(crate) product_id: String,
    /// What lies on the shelf.
    pub(crate) on_hand_units: i64,
    /// What of it is held for orders.
    pub(crate) reserved_units: i64,
}

/// Less is available than was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{asked_units} units of product `{product_id}` were asked for, {available_units} are available")]
pub(crate) struct Shortage {
    pub(crate) product_id: String,
    pub(crate) asked_units: i64,
    pub(crate) available_units: i64,
}

impl Stock {
    /// The stock of a product that never came in.
    pub(crate) fn none(product_id: &str) -> Self {
        Self { product_id: product_id.to_owned(), on_hand_units: 0, reserved_units: 0 }
    }

    /// What can be held for an order.
    pub(crate) fn available_units(&self) -> i64 {
        self.on_hand_units - self.reserved_units
    }

    /// Goods came in.
    pub(crate) fn receive(&mut self, units: i64) {
        self.on_hand_units += units;
    }

    /// Holds units for an order.
    pub(crate) fn hold(&mut self, units: i64) -> Result<(), Shortage> {
        let available_units = self.available_units();
        if units > available_units {
            let product_id = self.product_id.clone();
            return Err(Shortage { product_id, asked_units: units, available_units });
        }
        self.reserved_units += units;
        Ok(())
    }

    /// Held units can be had again.
    pub(crate) fn give_back(&mut self, units: i64) {
        self.reserved_units -= units;
    }

    /// Held units leave the house.
    pub(crate) fn take_out(&mut self, units: i64) {
        self.reserved_units -= units;
        self.on_hand_units -= units;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_held_than_is_available() {
        let mut stock = Stock::none("1");
        stock.receive(10);
        stock.hold(7).unwrap();
        let shortage = stock.hold(4).unwrap_err();
        assert_eq!(shortage.to_string(), "4 units of product `1` were asked for, 3 are available");
        assert_eq!(stock.reserved_units, 7, "a refusal changes nothing");
        stock.hold(3).unwrap();
        assert_eq!(stock.available_units(), 0);
    }

    #[test]
    fn what_is_given_back_is_available_and_what_is_taken_out_is_gone() {
        let mut stock = Stock { product_id: "1".to_owned(), on_hand_units: 10, reserved_units: 6 };
        stock.give_back(2);
        assert_eq!(stock.available_units(), 6);
        stock.take_out(4);
        assert_eq!((stock.on_hand_units, stock.reserved_units), (6, 0));
    }
}
