-- What there is to say of a product, in whatever shape: an object in JSON, as `serde_json` writes it.
CREATE TABLE product_attributes (
    product_id TEXT PRIMARY KEY,
    document TEXT NOT NULL CHECK (json_valid(document)),
    version BIGINT NOT NULL CHECK (version > 0)
) STRICT;
