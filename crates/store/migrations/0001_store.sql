-- The store's own tables.

-- Whose database this is.
CREATE TABLE freehold_store (
    one BIGINT PRIMARY KEY CHECK (one = 1),
    service TEXT NOT NULL
) STRICT;

-- Which migrations have been applied, by set.
CREATE TABLE freehold_migration (
    set_name TEXT NOT NULL,
    version BIGINT NOT NULL,
    name TEXT NOT NULL,
    checksum BLOB NOT NULL,
    applied_ms BIGINT NOT NULL,
    PRIMARY KEY (set_name, version)
) STRICT, WITHOUT ROWID;

-- One row per start; the epoch before it ends below its first mark.
CREATE TABLE freehold_epoch (
    ordinal BIGINT PRIMARY KEY AUTOINCREMENT,
    id BIGINT NOT NULL UNIQUE,
    first_mark BIGINT NOT NULL,
    started_ms BIGINT NOT NULL
) STRICT;

-- Every key's shared fields as they stand. Version 0: locked, no event yet. Rows outlive their entity.
CREATE TABLE freehold_entity (
    entity TEXT NOT NULL,
    key TEXT NOT NULL,
    version BIGINT NOT NULL,
    deleted BOOLEAN NOT NULL,
    data BLOB,
    PRIMARY KEY (entity, key)
) STRICT;

-- The owner's events. AUTOINCREMENT: a mark is never given out twice, also after the highest row is purged.
CREATE TABLE freehold_outbox (
    mark BIGINT PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    entity TEXT NOT NULL,
    key TEXT NOT NULL,
    version BIGINT NOT NULL,
    type TEXT NOT NULL,
    deleted BOOLEAN NOT NULL,
    time_ms BIGINT NOT NULL,
    traceparent TEXT NOT NULL,
    cause TEXT NOT NULL,
    tokens BLOB NOT NULL,
    data BLOB,
    UNIQUE (entity, key, version)
) STRICT;

-- Up to which version a key's events have taken effect here. Never expires.
CREATE TABLE freehold_inbox (
    subscription TEXT NOT NULL,
    entity TEXT NOT NULL,
    key TEXT NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (subscription, entity, key)
) STRICT, WITHOUT ROWID;

-- What keyed writes replied. A row without a reply exists only inside the unit that staked it.
CREATE TABLE freehold_idempotency (
    caller TEXT NOT NULL,
    method TEXT NOT NULL,
    key TEXT NOT NULL,
    request_hash BLOB NOT NULL,
    reply BLOB,
    mark BIGINT NOT NULL,
    created_ms BIGINT NOT NULL,
    PRIMARY KEY (caller, method, key)
) STRICT;

CREATE INDEX freehold_idempotency_age ON freehold_idempotency (created_ms);
