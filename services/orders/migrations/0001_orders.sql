-- The truth: what happened to each order, for ever.
CREATE TABLE order_event (
    order_id TEXT NOT NULL,
    revision BIGINT NOT NULL,
    type TEXT NOT NULL,
    at_ms BIGINT NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (order_id, revision)
) STRICT;

-- Its fold, for lists and joins.
CREATE TABLE shop_order (
    id TEXT PRIMARY KEY,
    customer_id TEXT NOT NULL,
    state BIGINT NOT NULL,
    total_cents BIGINT NOT NULL,
    reason TEXT NOT NULL,
    placed_ms BIGINT NOT NULL,
    revision BIGINT NOT NULL
) STRICT;

CREATE INDEX shop_order_by_customer ON shop_order (customer_id, id);

CREATE TABLE order_line (
    order_id TEXT NOT NULL,
    ordinal BIGINT NOT NULL,
    product_id TEXT NOT NULL,
    product_name TEXT NOT NULL,
    catalog_cents BIGINT NOT NULL,
    unit_cents BIGINT NOT NULL,
    units BIGINT NOT NULL,
    discount_basis_points BIGINT NOT NULL,
    line_cents BIGINT NOT NULL,
    product_version BIGINT NOT NULL,
    PRIMARY KEY (order_id, ordinal)
) STRICT;
