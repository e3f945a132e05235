-- Which keys a keyed write touched: erasing one of them takes the recorded reply along, since it may hold its data.
-- `created_ms` is the record's: a later record under the same idempotency key is another one.
-- From here on a record without a reply is one whose reply was erased.
CREATE TABLE freehold_touched (
    entity TEXT NOT NULL,
    key TEXT NOT NULL,
    caller TEXT NOT NULL,
    method TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    created_ms BIGINT NOT NULL,
    PRIMARY KEY (entity, key, caller, method, idempotency_key)
) STRICT, WITHOUT ROWID;

CREATE INDEX freehold_touched_age ON freehold_touched (created_ms);

-- The records of before: a unit's last event, which has its mark and its time, names a key that it touched.
INSERT INTO freehold_touched (entity, key, caller, method, idempotency_key, created_ms)
SELECT event.entity, event.key, record.caller, record.method, record.key, record.created_ms
FROM freehold_idempotency AS record
JOIN freehold_outbox AS event ON event.mark = record.mark AND event.time_ms = record.created_ms;
