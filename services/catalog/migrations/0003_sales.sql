-- How products sell, built from the events of orders; the rows of a generation are built by it alone.
-- What each order is about: `month` is the one in which it was confirmed, nothing before that.
CREATE TABLE order_sale (
    generation BIGINT NOT NULL,
    order_id TEXT NOT NULL,
    product_id TEXT NOT NULL,
    units BIGINT NOT NULL,
    cents BIGINT NOT NULL,
    month TEXT,
    PRIMARY KEY (generation, order_id, product_id)
) STRICT;

-- Its sum, as it is read: a product in a month.
CREATE TABLE sale (
    generation BIGINT NOT NULL,
    product_id TEXT NOT NULL,
    month TEXT NOT NULL,
    orders BIGINT NOT NULL,
    units BIGINT NOT NULL,
    cents BIGINT NOT NULL,
    PRIMARY KEY (generation, product_id, month)
) STRICT;
