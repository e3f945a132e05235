CREATE TABLE account (
    customer_id TEXT PRIMARY KEY,
    balance_cents BIGINT NOT NULL CHECK (balance_cents >= 0),
    held_cents BIGINT NOT NULL CHECK (held_cents >= 0),
    CHECK (held_cents <= balance_cents)
) STRICT;

CREATE TABLE deposit (
    id TEXT PRIMARY KEY,
    customer_id TEXT NOT NULL,
    amount_cents BIGINT NOT NULL CHECK (amount_cents > 0),
    received_ms BIGINT NOT NULL
) STRICT;

CREATE TABLE payment (
    id TEXT PRIMARY KEY,
    customer_id TEXT NOT NULL,
    amount_cents BIGINT NOT NULL CHECK (amount_cents >= 0),
    state TEXT NOT NULL CHECK (state IN ('AUTHORISED', 'CAPTURED', 'VOIDED', 'REFUNDED'))
) STRICT;

CREATE TABLE ledger_entry (
    id BIGINT PRIMARY KEY AUTOINCREMENT,
    movement TEXT NOT NULL,
    account TEXT NOT NULL,
    amount_cents BIGINT NOT NULL CHECK (amount_cents <> 0),
    booked_ms BIGINT NOT NULL,
    UNIQUE (movement, account)
) STRICT;
