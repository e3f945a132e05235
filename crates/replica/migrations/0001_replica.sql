-- The copies that this service keeps. While `after_key` is set, a snapshot has come that far; while `bound` is set, a new
-- table is being made, which is complete when everything up to there has been applied.
CREATE TABLE freehold_replica (
    replica      TEXT PRIMARY KEY NOT NULL,
    subscription TEXT NOT NULL,
    owner        TEXT NOT NULL,
    entity       TEXT NOT NULL,
    target       TEXT NOT NULL,
    columns      TEXT NOT NULL,
    ready        BOOLEAN NOT NULL,
    after_key    TEXT,
    bound        BIGINT
) STRICT;

-- Changes whose data did not decode: the copy has a hole there until the next change of the key.
CREATE TABLE freehold_undecoded (
    replica TEXT NOT NULL,
    key     TEXT NOT NULL,
    version BIGINT NOT NULL,
    data    BLOB NOT NULL,
    reason  TEXT NOT NULL,
    PRIMARY KEY (replica, key)
) STRICT;

-- Open while an applier's unit of work runs, and never outside one: the triggers of the copies ask it.
CREATE TABLE freehold_applier (
    id      BIGINT PRIMARY KEY NOT NULL,
    applies BOOLEAN NOT NULL
) STRICT;

INSERT INTO freehold_applier (id, applies) VALUES (1, FALSE);
