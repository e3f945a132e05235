-- One row per saga. Its state, step, attempts and next_ms are the intent that the executor acts on; all of them change
-- in one unit of work, so what is written here is always a point from which the saga can go on.
CREATE TABLE freehold_saga (
    id          TEXT   NOT NULL PRIMARY KEY,
    name        TEXT   NOT NULL, -- of the definition
    version     BIGINT NOT NULL, -- of the definition; pinned when the saga begins
    revision    BIGINT NOT NULL, -- ascends with every change: an executor that was overtaken writes nothing
    state       TEXT   NOT NULL, -- running, compensating, stuck, done, compensated
    step        TEXT   NOT NULL, -- what is being done or undone; end:done or end:compensated where only that is left to record
    attempts    BIGINT NOT NULL, -- failed ones of that step
    next_ms     BIGINT,          -- the timer: not before then; null when the saga has ended
    until_ms    BIGINT NOT NULL, -- when the time of a running step is up
    input       BLOB   NOT NULL,
    data        BLOB   NOT NULL, -- the state that the steps carry
    tokens      BLOB,            -- the session: what the saga has seen
    traceparent TEXT   NOT NULL,
    reason      TEXT   NOT NULL, -- why it compensates
    message     TEXT   NOT NULL,
    trouble     TEXT   NOT NULL, -- what the last failed attempt said
    started_ms  BIGINT NOT NULL,
    ended_ms    BIGINT
) STRICT;

CREATE INDEX freehold_saga_due ON freehold_saga (name, version, next_ms) WHERE next_ms IS NOT NULL;

-- What was tried, for people and for `verify`; the executor never reads it.
CREATE TABLE freehold_saga_step (
    saga     TEXT   NOT NULL,
    ordinal  BIGINT NOT NULL, -- from 0, in the order of the definition
    step     TEXT   NOT NULL,
    state    TEXT   NOT NULL, -- intent, done, refused, undone
    attempts BIGINT NOT NULL, -- failed ones, of the step and of its undo
    reason   TEXT   NOT NULL, -- what the last of them said
    at_ms    BIGINT NOT NULL,
    PRIMARY KEY (saga, ordinal)
) STRICT;
