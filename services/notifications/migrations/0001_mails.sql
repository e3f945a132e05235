-- What customers are told. Whom to reach is not kept here: it is read from the copy of users when the mail goes out.
CREATE TABLE mail (
    number BIGINT PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    customer_id TEXT NOT NULL,
    order_id TEXT NOT NULL,
    subject TEXT NOT NULL,
    body TEXT NOT NULL,
    state BIGINT NOT NULL,
    written_ms BIGINT NOT NULL
) STRICT;

CREATE INDEX mail_by_state ON mail (state, number);
CREATE INDEX mail_by_order ON mail (order_id, number);
