CREATE TABLE stock (
    product_id TEXT PRIMARY KEY,
    on_hand_units BIGINT NOT NULL CHECK (on_hand_units >= 0),
    reserved_units BIGINT NOT NULL CHECK (reserved_units >= 0),
    CHECK (reserved_units <= on_hand_units)
) STRICT;

CREATE TABLE delivery (
    id TEXT PRIMARY KEY,
    product_id TEXT NOT NULL,
    units BIGINT NOT NULL CHECK (units > 0),
    received_ms BIGINT NOT NULL
) STRICT;

CREATE TABLE reservation (
    id TEXT PRIMARY KEY,
    state TEXT NOT NULL CHECK (state IN ('HELD', 'RELEASED', 'SHIPPED'))
) STRICT;

CREATE TABLE reservation_line (
    reservation_id TEXT NOT NULL,
    product_id TEXT NOT NULL,
    units BIGINT NOT NULL CHECK (units > 0),
    PRIMARY KEY (reservation_id, product_id)
) STRICT;
