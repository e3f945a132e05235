-- Any instance of the owner ticks. One at a time: the lock is the transaction's own, so no instance that stops keeps it, and
-- each statement behind it has a snapshot of its own, which sees what was committed before the lock was given. `until` is
-- the snapshot of a tick that takes up an era which is over. A table has the lock, and one that nobody else locks:
-- a transaction that reads on one snapshot takes it before it has that snapshot, which an advisory lock cannot.
CREATE FUNCTION freehold_take_tick(now_ms BIGINT, until PG_SNAPSHOT, OUT mark BIGINT, OUT epochs BIGINT, OUT fresh BOOLEAN)
LANGUAGE plpgsql SET enable_seqscan = off AS $$
BEGIN
    LOCK TABLE freehold_store IN SHARE ROW EXCLUSIVE MODE;
    WITH last AS MATERIALIZED (
        SELECT era, sees, last_mark FROM freehold_tick ORDER BY ordinal DESC LIMIT 1
    ),
    unseen AS MATERIALIZED (
        SELECT ordinal, row_number() OVER (ORDER BY ordinal) - 1 AS place FROM (
            SELECT later.ordinal FROM last JOIN freehold_outbox AS later
            ON later.era = last.era AND later.xid >= pg_snapshot_xmax(last.sees)
            UNION ALL
            SELECT late.ordinal FROM last JOIN freehold_outbox AS late
            ON late.era = last.era AND late.xid = ANY (ARRAY(SELECT pg_snapshot_xip(last.sees)))
        ) AS seen_now
    )
    INSERT INTO freehold_tick
    (era, seen, sees, first_mark, last_mark, first_ordinal, last_ordinal, ticked_ms)
    SELECT (SELECT era FROM last), (SELECT sees FROM last), COALESCE(until, pg_current_snapshot()),
    (SELECT last_mark FROM last) + 1 + min(place), (SELECT last_mark FROM last) + 1 + max(place),
    min(ordinal), max(ordinal), now_ms FROM unseen GROUP BY place / 1000 ORDER BY min(place);
    fresh := FOUND;
    SELECT last_mark INTO mark FROM freehold_tick ORDER BY ordinal DESC LIMIT 1;
    SELECT max(ordinal) INTO epochs FROM freehold_epoch;
END $$;
