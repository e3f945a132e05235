-- Who has a basket. Whoever changes its lines changes this row first, so that they come one after the other.
CREATE TABLE basket (
    customer_id TEXT PRIMARY KEY,
    changes BIGINT NOT NULL
) STRICT;

-- What customers mean to order. Nothing is held for it and nothing paid.
CREATE TABLE basket_line (
    customer_id TEXT NOT NULL,
    product_id TEXT NOT NULL,
    units BIGINT NOT NULL CHECK (units > 0),
    PRIMARY KEY (customer_id, product_id)
) STRICT;

CREATE INDEX basket_line_by_product ON basket_line (product_id);

-- Every product that was ever in a basket or replaced. Whoever puts one into a basket, or replaces it, takes its row
-- first: no line of it comes in while it is being replaced, and none after.
CREATE TABLE basket_product (
    product_id TEXT PRIMARY KEY,
    replacement_id TEXT NOT NULL -- the replacement that stands; empty where none does
) STRICT;

-- Replacements, for ever: a repetition is known again, and one that comes after its restoration is refused.
CREATE TABLE replacement (
    id TEXT PRIMARY KEY,
    product_id TEXT NOT NULL,
    by_product_id TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('MOVED', 'RESTORED')),
    moved_baskets BIGINT NOT NULL
) STRICT;

CREATE INDEX replacement_by_target ON replacement (by_product_id);

-- What a replacement moved and can still move back. A basket that is saved, or whose line is moved on, forgets it.
CREATE TABLE moved_line (
    replacement_id TEXT NOT NULL,
    customer_id TEXT NOT NULL,
    units BIGINT NOT NULL,
    PRIMARY KEY (replacement_id, customer_id)
) STRICT;

CREATE INDEX moved_line_by_customer ON moved_line (customer_id);
