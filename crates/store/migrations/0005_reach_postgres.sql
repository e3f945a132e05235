-- What a tick gives marks to, and what is read of it, is found by its transactions alone, however the server guesses: one
-- that has planned while the outbox was empty would else look through all of an era for those of transactions that were
-- open. `OFFSET 0` keeps it from joining in another order, `+ 0` from going through all ordinals in between.
CREATE OR REPLACE VIEW freehold_event AS
SELECT tick.first_mark + event.place AS mark, tick.first_mark, tick.last_mark, event.ordinal, event.id, event.entity, event.key, event.version, event.type, event.deleted,
       event.time_ms, event.traceparent, event.cause, event.tokens, event.data
FROM freehold_tick AS tick CROSS JOIN LATERAL (
    SELECT row_number() OVER (ORDER BY fresh.ordinal) - 1 AS place, fresh.* FROM (
        SELECT * FROM freehold_outbox AS later
        WHERE later.era = tick.era AND later.xid >= pg_snapshot_xmax(tick.seen) AND later.xid < pg_snapshot_xmax(tick.sees)
        UNION ALL
        SELECT late.* FROM pg_snapshot_xip(tick.seen) AS open (xid) CROSS JOIN LATERAL (
            SELECT * FROM freehold_outbox AS its WHERE its.era = tick.era AND its.xid = open.xid OFFSET 0
        ) AS late
    ) AS fresh
    WHERE pg_visible_in_snapshot(fresh.xid, tick.sees)
    AND fresh.ordinal + 0 BETWEEN tick.first_ordinal AND tick.last_ordinal
) AS event
WHERE tick.first_mark <= tick.last_mark;

CREATE OR REPLACE FUNCTION freehold_take_tick(now_ms BIGINT, until PG_SNAPSHOT, OUT mark BIGINT, OUT epochs BIGINT, OUT fresh BOOLEAN)
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
            SELECT late.ordinal FROM last CROSS JOIN LATERAL pg_snapshot_xip(last.sees) AS open (xid) CROSS JOIN LATERAL (
                SELECT its.ordinal FROM freehold_outbox AS its WHERE its.era = last.era AND its.xid = open.xid OFFSET 0
            ) AS late
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
