//! What is planted: a row of one service that is not what it was, and what `verify` has to say to it.

/// One thing that went wrong.
pub(super) struct Corruption {
    /// In words.
    pub(super) what: &'static str,
    /// In whose database.
    pub(super) service: &'static str,
    /// Finds a row to damage: its key.
    pub(super) pick: &'static str,
    /// Damages it; `{key}` stands for the key.
    pub(super) damage: &'static str,
    /// The check that has to find it.
    pub(super) check: &'static str,
    /// Where; `{key}` stands for the key.
    pub(super) subject: &'static str,
}

const CONFIRMED: &str = "SELECT id FROM shop_order WHERE state = 2 ORDER BY id LIMIT 1";
const HELD: &str = "SELECT id FROM reservation WHERE state = 'HELD' ORDER BY id LIMIT 1";
const CAPTURED: &str = "SELECT id FROM payment WHERE state = 'CAPTURED' ORDER BY id LIMIT 1";
const PRODUCT: &str = "SELECT id FROM product ORDER BY id LIMIT 1";
const COPY: &str = "SELECT id FROM product_copy ORDER BY id LIMIT 1";
const MAIL: &str = "SELECT id FROM mail ORDER BY number LIMIT 1";
const READ: &str = "SELECT key FROM freehold_inbox ORDER BY key LIMIT 1";
const SALE: &str = "SELECT product_id || ' in ' || month FROM sale ORDER BY product_id LIMIT 1";
const FINISHED: &str = "SELECT id FROM ride WHERE state = 'FINISHED' ORDER BY id LIMIT 1";
const DRIVER: &str = "SELECT id FROM driver_copy ORDER BY id LIMIT 1";
const RATED: &str = "SELECT id FROM driver WHERE ratings > 0 ORDER BY id LIMIT 1";
const NONE: &str = "SELECT 'NOBODY'";

/// All of them.
pub(super) const CORRUPTIONS: &[Corruption] = &[
    Corruption {
        what: "an entry of the ledger has another amount",
        service: "payments",
        pick: "SELECT movement FROM ledger_entry ORDER BY id LIMIT 1",
        damage: "UPDATE ledger_entry SET amount_cents = amount_cents + 1 WHERE movement = '{key}' AND amount_cents > 0",
        check: "money",
        subject: "payments movement {key}",
    },
    Corruption {
        what: "one side of a movement is gone from the ledger",
        service: "payments",
        pick: "SELECT movement FROM ledger_entry ORDER BY id LIMIT 1",
        damage: "DELETE FROM ledger_entry WHERE movement = '{key}' AND amount_cents > 0",
        check: "money",
        subject: "payments movement {key}",
    },
    Corruption {
        what: "a whole movement is gone from the ledger",
        service: "payments",
        pick: "SELECT substr(account, 10) FROM ledger_entry WHERE account LIKE 'customer:%' ORDER BY id LIMIT 1",
        damage: "DELETE FROM ledger_entry WHERE movement =
                     (SELECT movement FROM ledger_entry WHERE account = 'customer:{key}' ORDER BY id LIMIT 1)",
        check: "money",
        subject: "payments account {key}",
    },
    Corruption {
        what: "an account has a cent more",
        service: "payments",
        pick: "SELECT customer_id FROM account ORDER BY customer_id LIMIT 1",
        damage: "UPDATE account SET balance_cents = balance_cents + 1 WHERE customer_id = '{key}'",
        check: "money",
        subject: "payments account {key}",
    },
    Corruption {
        what: "a payment has another amount",
        service: "payments",
        pick: CAPTURED,
        damage: "UPDATE payment SET amount_cents = amount_cents + 1 WHERE id = '{key}'",
        check: "orders",
        subject: "orders order {key}",
    },
    Corruption {
        what: "an order that was rejected or cancelled is paid for",
        service: "payments",
        pick: "SELECT id FROM payment WHERE state IN ('VOIDED', 'REFUNDED') ORDER BY id LIMIT 1",
        damage: "UPDATE payment SET state = 'CAPTURED' WHERE id = '{key}'",
        check: "orders",
        subject: "orders order {key}",
    },
    Corruption {
        what: "money is held for no order",
        service: "payments",
        pick: NONE,
        damage: "INSERT INTO payment (id, customer_id, amount_cents, state)
                 SELECT '{key}', customer_id, 0, 'AUTHORISED' FROM account LIMIT 1",
        check: "orders",
        subject: "payments payment {key}",
    },
    Corruption {
        what: "a unit more lies on the shelf",
        service: "inventory",
        pick: "SELECT product_id FROM stock ORDER BY product_id LIMIT 1",
        damage: "UPDATE stock SET on_hand_units = on_hand_units + 1 WHERE product_id = '{key}'",
        check: "stock",
        subject: "inventory stock {key}",
    },
    Corruption {
        what: "a delivery is gone",
        service: "inventory",
        pick: "SELECT product_id FROM delivery ORDER BY id LIMIT 1",
        damage: "DELETE FROM delivery WHERE id = (SELECT id FROM delivery WHERE product_id = '{key}' LIMIT 1)",
        check: "stock",
        subject: "inventory stock {key}",
    },
    Corruption {
        what: "a confirmed order's stock was given back",
        service: "inventory",
        pick: HELD,
        damage: "UPDATE reservation SET state = 'RELEASED' WHERE id = '{key}'",
        check: "orders",
        subject: "orders order {key}",
    },
    Corruption {
        what: "stock is held for no order",
        service: "inventory",
        pick: NONE,
        damage: "INSERT INTO reservation (id, state) VALUES ('{key}', 'HELD')",
        check: "orders",
        subject: "inventory reservation {key}",
    },
    Corruption {
        what: "a reservation line has another count",
        service: "inventory",
        pick: HELD,
        damage: "UPDATE reservation_line SET units = units + 1 WHERE reservation_id = '{key}'",
        check: "entities",
        subject: "inventory.v1.Reservation {key}",
    },
    Corruption {
        what: "an order's row has another state than its history",
        service: "orders",
        pick: CONFIRMED,
        damage: "UPDATE shop_order SET state = 5 WHERE id = '{key}'",
        check: "orders",
        subject: "orders order {key}",
    },
    Corruption {
        what: "an order's row has another total than its lines",
        service: "orders",
        pick: CONFIRMED,
        damage: "UPDATE shop_order SET total_cents = total_cents + 1 WHERE id = '{key}'",
        check: "orders",
        subject: "orders order {key}",
    },
    Corruption {
        what: "an event is gone from an order's history",
        service: "orders",
        pick: CONFIRMED,
        damage: "DELETE FROM order_event WHERE order_id = '{key}' AND revision = 2",
        check: "orders",
        subject: "orders order {key}",
    },
    Corruption {
        what: "the saga of an order that ended is stuck",
        service: "orders",
        pick: CONFIRMED,
        damage: "UPDATE freehold_saga SET state = 'stuck' WHERE id = '{key}'",
        check: "orders",
        subject: "orders order {key}",
    },
    Corruption {
        what: "the saga of a confirmed order gave everything back",
        service: "orders",
        pick: CONFIRMED,
        damage: "UPDATE freehold_saga SET state = 'compensated' WHERE id = '{key}'",
        check: "orders",
        subject: "orders order {key}",
    },
    Corruption {
        what: "an order has not ended, and has no saga that could end it",
        service: "orders",
        pick: CONFIRMED,
        damage: "UPDATE shop_order SET state = 1, revision = 1 WHERE id = '{key}';
                 DELETE FROM order_event WHERE order_id = '{key}' AND revision > 1;
                 DELETE FROM freehold_saga WHERE id = '{key}'",
        check: "orders",
        subject: "orders order {key}",
    },
    Corruption {
        what: "what is shared of a product is another product",
        service: "catalog",
        pick: PRODUCT,
        damage: "UPDATE freehold_entity SET data =
                     (SELECT data FROM freehold_entity WHERE entity = 'catalog.v1.Product' AND key <> '{key}' LIMIT 1)
                 WHERE entity = 'catalog.v1.Product' AND key = '{key}'",
        check: "entities",
        subject: "catalog.v1.Product {key}",
    },
    Corruption {
        what: "a product's price was changed behind its owner's back",
        service: "catalog",
        pick: PRODUCT,
        damage: "UPDATE product SET price_cents = price_cents + 1 WHERE id = '{key}'",
        check: "entities",
        subject: "catalog.v1.Product {key}",
    },
    Corruption {
        what: "a customer is shared no more",
        service: "users",
        pick: "SELECT id FROM app_user ORDER BY id LIMIT 1",
        damage: "DELETE FROM freehold_entity WHERE key = '{key}'",
        check: "entities",
        subject: "users.v1.User {key}",
    },
    Corruption {
        what: "a customer is shared, and gone",
        service: "users",
        pick: "SELECT id FROM app_user ORDER BY id LIMIT 1",
        damage: "DELETE FROM app_user WHERE id = '{key}'",
        check: "entities",
        subject: "users.v1.User {key}",
    },
    Corruption {
        what: "a version was given out without an event",
        service: "catalog",
        pick: PRODUCT,
        damage: "UPDATE freehold_entity SET version = version + 1 WHERE key = '{key}'",
        check: "entities",
        subject: "catalog.v1.Product {key}",
    },
    Corruption {
        what: "an event is gone from the outbox between two others",
        service: "catalog",
        pick: "SELECT key FROM freehold_outbox WHERE version = 3 ORDER BY key LIMIT 1",
        damage: "DELETE FROM freehold_outbox WHERE key = '{key}' AND version = 2",
        check: "entities",
        subject: "catalog.v1.Product {key}",
    },
    Corruption {
        what: "a copy has another value than its owner",
        service: "orders",
        pick: COPY,
        damage: "UPDATE product_copy SET price_cents = price_cents + 1 WHERE id = '{key}'",
        check: "replicas",
        subject: "orders product_copy {key}",
    },
    Corruption {
        what: "a copy is ahead of its owner",
        service: "orders",
        pick: COPY,
        damage: "UPDATE product_copy SET freehold_version = freehold_version + 1 WHERE id = '{key}'",
        check: "replicas",
        subject: "orders product_copy {key}",
    },
    Corruption {
        what: "a copy missed a change that it claims to have passed",
        service: "orders",
        pick: COPY,
        damage: "UPDATE product_copy SET freehold_version = freehold_version - 1 WHERE id = '{key}'",
        check: "replicas",
        subject: "orders product_copy {key}",
    },
    Corruption {
        what: "a copy lacks a row",
        service: "notifications",
        pick: "SELECT id FROM recipient_copy ORDER BY id LIMIT 1",
        damage: "DELETE FROM recipient_copy WHERE id = '{key}'",
        check: "replicas",
        subject: "notifications recipient_copy {key}",
    },
    Corruption {
        what: "a copy has a row of nobody's",
        service: "orders",
        pick: NONE,
        damage: "INSERT INTO customer_copy SELECT '{key}', name, freehold_version, freehold_deleted
                     FROM customer_copy LIMIT 1",
        check: "replicas",
        subject: "orders customer_copy {key}",
    },
    Corruption {
        what: "a copy took a row for deleted",
        service: "orders",
        pick: COPY,
        damage: "UPDATE product_copy SET freehold_deleted = TRUE WHERE id = '{key}'",
        check: "replicas",
        subject: "orders product_copy {key}",
    },
    Corruption {
        what: "a replacement is done, and no owner knows of it",
        service: "gateway",
        pick: NONE,
        damage: "INSERT INTO freehold_saga (id, name, version, revision, state, step, attempts, until_ms, input, data,
                     traceparent, reason, message, trouble, started_ms)
                 VALUES ('{key}', 'replace_product', 1, 9, 'done', '', 0, 0, x'', x'', '', '', '', '', 0)",
        check: "replacements",
        subject: "gateway replacement {key}",
    },
    Corruption {
        what: "a ride is driven for somebody else",
        service: "rides",
        pick: FINISHED,
        damage: "UPDATE ride SET rider_id = 'somebody else' WHERE id = '{key}'",
        check: "entities",
        subject: "rides.v1.Ride {key}",
    },
    Corruption {
        what: "a ride is called off that was finished",
        service: "rides",
        pick: FINISHED,
        damage: "UPDATE ride SET state = 'CANCELLED' WHERE id = '{key}'",
        check: "rides",
        subject: "rides ride {key}",
    },
    Corruption {
        what: "a ride that began was never told of",
        service: "rides",
        pick: FINISHED,
        damage: "DELETE FROM freehold_outbox WHERE type = 'rides.v1.RideStarted' AND key = '{key}'",
        check: "rides",
        subject: "rides ride {key}",
    },
    Corruption {
        what: "a ride was taken by a permit that there never was",
        service: "rides",
        pick: FINISHED,
        damage: "UPDATE ride SET permit_version = permit_version + 1000 WHERE id = '{key}'",
        check: "rides",
        subject: "rides ride {key}",
    },
    Corruption {
        what: "a ride has ended at no time",
        service: "rides",
        pick: FINISHED,
        damage: "UPDATE ride SET ended_ms = 0 WHERE id = '{key}'",
        check: "rides",
        subject: "rides ride {key}",
    },
    Corruption {
        what: "a copy has another phone number than the driver",
        service: "rides",
        pick: DRIVER,
        damage: "UPDATE driver_copy SET phone = '110' WHERE id = '{key}'",
        check: "replicas",
        subject: "rides driver_copy {key}",
    },
    Corruption {
        what: "a driver may take rides, and was suspended",
        service: "drivers",
        pick: RATED,
        damage: "UPDATE driver SET standing = 'SUSPENDED' WHERE id = '{key}'",
        check: "entities",
        subject: "drivers.v1.Permit {key}",
    },
    Corruption {
        what: "a rating is gone",
        service: "drivers",
        pick: RATED,
        damage: "DELETE FROM driver_rating WHERE (driver_number, rating_id) = (SELECT driver_number, rating_id
                     FROM driver_rating JOIN driver ON number = driver_number WHERE id = '{key}' LIMIT 1)",
        check: "rides",
        subject: "drivers driver {key}",
    },
    Corruption {
        what: "a mail is missing",
        service: "notifications",
        pick: MAIL,
        damage: "DELETE FROM mail WHERE id = '{key}'",
        check: "events",
        subject: "notifications mail {key}",
    },
    Corruption {
        what: "a mail is of no event",
        service: "notifications",
        pick: NONE,
        damage: "INSERT INTO mail (id, customer_id, order_id, subject, body, state, written_ms)
                 SELECT '{key}', customer_id, order_id, subject, body, state, written_ms FROM mail LIMIT 1",
        check: "events",
        subject: "notifications mail {key}",
    },
    Corruption {
        what: "a mail is about another order",
        service: "notifications",
        pick: MAIL,
        damage: "UPDATE mail SET order_id = 'another' WHERE id = '{key}'",
        check: "events",
        subject: "notifications mail {key}",
    },
    Corruption {
        what: "an event would take effect again",
        service: "inventory",
        pick: READ,
        damage: "UPDATE freehold_inbox SET version = version - 1 WHERE key = '{key}'",
        check: "events",
        subject: "inventory/views/orders {key}",
    },
    Corruption {
        what: "an event was passed over",
        service: "notifications",
        pick: READ,
        damage: "UPDATE freehold_inbox SET version = version + 1 WHERE key = '{key}'",
        check: "events",
        subject: "notifications/views/orders {key}",
    },
    Corruption {
        what: "nothing is known of the events that took effect",
        service: "payments",
        pick: READ,
        damage: "DELETE FROM freehold_inbox",
        check: "events",
        subject: "payments/views/orders {key}",
    },
    Corruption {
        what: "a subscription has read what was never emitted",
        service: "orders",
        pick: "SELECT subscription FROM freehold_position ORDER BY subscription LIMIT 1",
        damage: "UPDATE freehold_position SET mark = mark + 1 WHERE subscription = '{key}'",
        check: "events",
        subject: "{key}",
    },
    Corruption {
        what: "a unit more was sold than was ordered",
        service: "catalog",
        pick: SALE,
        damage: "UPDATE sale SET units = units + 1 WHERE product_id || ' in ' || month = '{key}'",
        check: "sales",
        subject: "catalog sales of {key}",
    },
    Corruption {
        what: "what was sold in a month is gone",
        service: "catalog",
        pick: SALE,
        damage: "DELETE FROM sale WHERE product_id || ' in ' || month = '{key}'",
        check: "sales",
        subject: "catalog sales of {key}",
    },
    Corruption {
        what: "sales of nobody's",
        service: "catalog",
        pick: NONE,
        damage: "INSERT INTO sale (generation, product_id, month, orders, units, cents)
                 SELECT generation, '{key}', '2026-07', 1, 1, 1 FROM sale LIMIT 1",
        check: "sales",
        subject: "catalog sales of {key} in 2026-07",
    },
    Corruption {
        what: "an event of an order would be counted again",
        service: "catalog",
        pick: READ,
        damage: "UPDATE freehold_inbox SET version = version - 1 WHERE key = '{key}'",
        check: "events",
        subject: "catalog/sales/1 {key}",
    },
];
