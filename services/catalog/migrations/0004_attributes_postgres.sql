-- As 0004_attributes.sql: here the engine has a type for it.
CREATE TABLE product_attributes (
    product_id TEXT PRIMARY KEY,
    document JSONB NOT NULL CHECK (jsonb_typeof(document) = 'object'),
    version BIGINT NOT NULL CHECK (version > 0)
);
