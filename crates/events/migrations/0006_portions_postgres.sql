-- An instance's portion is written with each batch. While some transaction stays open the server keeps every version of it;
-- by its chapter, 1,024 marks, it is found from the end of the index, as a key's row is. Whoever makes or takes away a
-- portion has locked its subscription's position, so there is one row of each.
ALTER TABLE freehold_portion ADD COLUMN chapter BIGINT NOT NULL GENERATED ALWAYS AS (mark / 1024) STORED,
    DROP CONSTRAINT freehold_portion_pkey, ADD PRIMARY KEY (subscription, holder, chapter);

-- Moves what an instance holds under this fence; answers whether it still holds it. Locked first: what a statement waited
-- for is seen by the next one alone.
CREATE FUNCTION freehold_move_portion(its_subscription TEXT, its_holder TEXT, its_fence BIGINT, new_epoch BIGINT, new_mark BIGINT)
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
    UPDATE freehold_portion AS held SET starts = 0,
    epoch = CASE WHEN held.mark < new_mark THEN new_epoch ELSE held.epoch END, mark = GREATEST(held.mark, new_mark)
    WHERE held.ctid = lies_at;
    RETURN TRUE;
END $$;
