-- Discontinuations with a name, for ever: a repetition is known again, and one that comes after it was taken back is
-- refused.
CREATE TABLE discontinuation (
    id TEXT PRIMARY KEY,
    product_id TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('REVOCABLE', 'FINAL', 'REINSTATED'))
) STRICT;

CREATE INDEX discontinuation_by_product ON discontinuation (product_id);
