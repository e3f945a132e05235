-- The owner's side: who publishes its outbox to each bus. Under a new fence what was begun under an old one does not count.
CREATE TABLE freehold_relay (
    bus        TEXT PRIMARY KEY NOT NULL,
    holder     TEXT NOT NULL,
    fence      BIGINT NOT NULL,
    renewals   BIGINT NOT NULL,
    since_ms   BIGINT NOT NULL,
    renewed_ms BIGINT NOT NULL,
    problem    TEXT NOT NULL
) STRICT;
