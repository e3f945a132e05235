CREATE TABLE product (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    price_cents BIGINT NOT NULL CHECK (price_cents >= 0),
    cost_cents BIGINT NOT NULL CHECK (cost_cents >= 0),
    buyer_email TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('ACTIVE', 'DISCONTINUED')),
    category TEXT NOT NULL
) STRICT;
