-- The owner's side: who reads this owner's feed, and how far each of them has come.
CREATE TABLE freehold_subscription (
    subscription  TEXT PRIMARY KEY NOT NULL,
    consumer      TEXT NOT NULL,
    epoch         BIGINT NOT NULL,
    mark          BIGINT NOT NULL,
    registered_ms BIGINT NOT NULL,
    acked_ms      BIGINT NOT NULL
) STRICT;

-- The consumer's side: where each of its subscriptions stands. `origin` is the owner's head when it began, `starts` how
-- often a process has begun to read from here.
CREATE TABLE freehold_position (
    subscription TEXT PRIMARY KEY NOT NULL,
    owner        TEXT NOT NULL,
    epochs       BLOB NOT NULL,
    epoch        BIGINT NOT NULL,
    mark         BIGINT NOT NULL,
    origin       BIGINT NOT NULL,
    starts       BIGINT NOT NULL,
    moved_ms     BIGINT NOT NULL
) STRICT;

-- Events that wait: the first of a key is `waiting` for its retry, held before a `gap`, or `dead`; the rest are `behind`.
CREATE TABLE freehold_parked (
    subscription TEXT NOT NULL,
    entity       TEXT NOT NULL,
    key          TEXT NOT NULL,
    version      BIGINT NOT NULL,
    envelope     BLOB NOT NULL,
    state        TEXT NOT NULL,
    attempts     BIGINT NOT NULL,
    unanswered   BIGINT NOT NULL,
    next_ms      BIGINT NOT NULL,
    parked_ms    BIGINT NOT NULL,
    reason       TEXT NOT NULL,
    PRIMARY KEY (subscription, entity, key, version)
) STRICT;

CREATE INDEX freehold_parked_due ON freehold_parked (subscription, state, next_ms);

-- What was decided about dead letters and held gaps, and by whom.
CREATE TABLE freehold_parked_log (
    id           BIGINT PRIMARY KEY AUTOINCREMENT,
    subscription TEXT NOT NULL,
    entity       TEXT NOT NULL,
    key          TEXT NOT NULL,
    version      BIGINT NOT NULL,
    action       TEXT NOT NULL,
    who          TEXT NOT NULL,
    reason       TEXT NOT NULL,
    at_ms        BIGINT NOT NULL
) STRICT;
