//! Stock is conserved: what lies on the shelf is what came in less what was shipped; what is held is held by somebody.

use freehold_store::vals;

use crate::verify::databases::{Moment, ReadError, cell};
use crate::verify::finding::Findings;

const CHECK: &str = "stock";
const INVENTORY: &str = "inventory";

/// Checks the stock against deliveries and reservations.
pub(crate) async fn check(moment: &mut Moment, findings: &mut Findings) -> Result<(), ReadError> {
    let sql = "SELECT s.product_id, s.on_hand_units, s.reserved_units,
                   (SELECT CAST(COALESCE(SUM(d.units), 0) AS BIGINT) FROM delivery d WHERE d.product_id = s.product_id) AS delivered,
                   (SELECT CAST(COALESCE(SUM(l.units), 0) AS BIGINT) FROM reservation_line l
                    JOIN reservation r ON r.id = l.reservation_id
                    WHERE l.product_id = s.product_id AND r.state = 'SHIPPED') AS shipped,
                   (SELECT CAST(COALESCE(SUM(l.units), 0) AS BIGINT) FROM reservation_line l
                    JOIN reservation r ON r.id = l.reservation_id
                    WHERE l.product_id = s.product_id AND r.state = 'HELD') AS held
               FROM stock s ORDER BY s.product_id";
    for row in moment.rows(INVENTORY, sql, vals![]).await? {
        let number = |column| cell::<i64>(INVENTORY, &row, column);
        let subject = format!("inventory stock {}", cell::<String>(INVENTORY, &row, "product_id")?);
        let left = number("delivered")? - number("shipped")?;
        findings.equal(CHECK, &subject, "what lies on the shelf", number("on_hand_units")?, left);
        findings.equal(CHECK, &subject, "what is held", number("reserved_units")?, number("held")?);
    }
    Ok(())
}
