-- When an event was tried first, or when it parked where it was not: how long it is retried counts from there.
ALTER TABLE freehold_parked ADD COLUMN tried_ms BIGINT NOT NULL DEFAULT 0;
UPDATE freehold_parked SET tried_ms = parked_ms;

-- A portion that takes in what it has taken before has not got on: its starts stay counted.
CREATE OR REPLACE FUNCTION freehold_move_portion(its_subscription TEXT, its_holder TEXT, its_fence BIGINT, new_epoch BIGINT, new_mark BIGINT)
RETURNS BOOLEAN LANGUAGE plpgsql SET enable_seqscan = off SET enable_bitmapscan = off AS $$
DECLARE
    lies_at TID;
    fence_now BIGINT;
BEGIN
    SELECT last.ctid, last.fence INTO lies_at, fence_now
    FROM freehold_portion AS last WHERE last.subscription = its_subscription AND last.holder = its_holder
    ORDER BY last.chapter DESC LIMIT 1 FOR UPDATE;
    IF NOT FOUND OR fence_now <> its_fence THEN
        RETURN FALSE;
    END IF;
    UPDATE freehold_portion AS held SET starts = CASE WHEN held.mark <= new_mark THEN 0 ELSE held.starts END,
    epoch = CASE WHEN held.mark < new_mark THEN new_epoch ELSE held.epoch END, mark = GREATEST(held.mark, new_mark)
    WHERE held.ctid = lies_at;
    RETURN TRUE;
END $$;
