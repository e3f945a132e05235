-- While some transaction stays open the server keeps every version that a row has had, and whoever looks up a row comes by
-- all that its index has of the key, so what is written with each event would take longer each time. Here a few versions
-- are a chapter, the index has the chapter, and a row is looked up in its last one, or in that of the version which it is
-- known to have. A key has one row, as before: it begins as version 0, and who finds that another was faster takes back what
-- he made. All of it happens in functions: each of their statements sees what was committed before it, and goes by the
-- index, from its end where that is what is asked for, whatever the server believes of the table when it plans that.
CREATE FUNCTION freehold_chapter(version BIGINT) RETURNS BIGINT LANGUAGE sql IMMUTABLE AS 'SELECT version / 4';

ALTER TABLE freehold_entity ADD COLUMN chapter BIGINT NOT NULL GENERATED ALWAYS AS (freehold_chapter(version)) STORED,
    DROP CONSTRAINT freehold_entity_pkey, ADD PRIMARY KEY (entity, key, chapter);
ALTER TABLE freehold_inbox ADD COLUMN chapter BIGINT NOT NULL GENERATED ALWAYS AS (freehold_chapter(version)) STORED,
    DROP CONSTRAINT freehold_inbox_pkey, ADD PRIMARY KEY (subscription, entity, key, chapter);

-- Locks a key's row, and makes it where there is none.
CREATE FUNCTION freehold_hold_key(its_entity TEXT, its_key TEXT, OUT version BIGINT, OUT deleted BOOLEAN, OUT data BYTEA)
LANGUAGE plpgsql SET enable_seqscan = off SET enable_bitmapscan = off AS $$
DECLARE
    made BOOLEAN := FALSE;
BEGIN
    LOOP
        SELECT last.version, last.deleted, last.data INTO version, deleted, data
        FROM freehold_entity AS last WHERE last.entity = its_entity AND last.key = its_key
        ORDER BY last.chapter DESC LIMIT 1 FOR UPDATE;
        EXIT WHEN FOUND;
        INSERT INTO freehold_entity VALUES (its_entity, its_key, 0, FALSE, NULL) ON CONFLICT DO NOTHING;
        made := FOUND;
    END LOOP;
    IF made AND version > 0 THEN
        DELETE FROM freehold_entity AS mine
        WHERE mine.entity = its_entity AND mine.key = its_key AND mine.chapter = 0 AND mine.version = 0;
    END IF;
END $$;

-- Counts a key up; answers its version.
CREATE FUNCTION freehold_count_key(its_entity TEXT, its_key TEXT) RETURNS BIGINT
LANGUAGE plpgsql SET enable_seqscan = off SET enable_bitmapscan = off AS $$
DECLARE
    new_version BIGINT;
BEGIN
    LOOP
        UPDATE freehold_entity AS held SET version = held.version + 1 WHERE held.ctid = (
            SELECT last.ctid FROM freehold_entity AS last WHERE last.entity = its_entity AND last.key = its_key
            ORDER BY last.chapter DESC LIMIT 1 FOR UPDATE
        ) RETURNING held.version INTO new_version;
        EXIT WHEN FOUND;
        -- There is no row, or another has counted meanwhile, which this statement does not see.
        PERFORM freehold_hold_key(its_entity, its_key);
    END LOOP;
    RETURN new_version;
END $$;

-- Writes what a key that is locked has become, as the version behind the one that it has; answers that version.
CREATE FUNCTION freehold_save_key(its_entity TEXT, its_key TEXT, new_version BIGINT, is_deleted BOOLEAN, its_data BYTEA)
RETURNS BIGINT LANGUAGE plpgsql SET enable_seqscan = off SET enable_bitmapscan = off AS $$
BEGIN
    UPDATE freehold_entity AS held SET version = new_version, deleted = is_deleted, data = its_data
    WHERE held.entity = its_entity AND held.key = its_key AND held.chapter = freehold_chapter(new_version - 1)
    AND held.version = new_version - 1;
    RETURN CASE WHEN FOUND THEN new_version END;
END $$;

-- Locks the inbox row of a key, and makes it where there is none; answers its version.
CREATE FUNCTION freehold_make_inbox(its_subscription TEXT, its_entity TEXT, its_key TEXT) RETURNS BIGINT
LANGUAGE plpgsql SET enable_seqscan = off SET enable_bitmapscan = off AS $$
DECLARE
    held BIGINT;
    made BOOLEAN := FALSE;
BEGIN
    LOOP
        SELECT version INTO held FROM freehold_inbox
        WHERE subscription = its_subscription AND entity = its_entity AND key = its_key
        ORDER BY chapter DESC LIMIT 1 FOR UPDATE;
        EXIT WHEN FOUND;
        INSERT INTO freehold_inbox VALUES (its_subscription, its_entity, its_key, 0) ON CONFLICT DO NOTHING;
        made := FOUND;
    END LOOP;
    IF made AND held > 0 THEN
        DELETE FROM freehold_inbox
        WHERE subscription = its_subscription AND entity = its_entity AND key = its_key AND chapter = 0 AND version = 0;
    END IF;
    RETURN held;
END $$;

-- Locks the inbox rows of keys, [entity, key, the version that it is likely to have] each, in one order for all; answers the
-- place of each and its version.
CREATE FUNCTION freehold_hold_inbox(its_subscription TEXT, keys JSON) RETURNS TABLE (place BIGINT, version BIGINT)
LANGUAGE plpgsql SET enable_seqscan = off SET enable_bitmapscan = off AS $$
BEGIN
    RETURN QUERY SELECT sorted.place,
    COALESCE(held.version, freehold_make_inbox(its_subscription, sorted.entity, sorted.key)) FROM (
        SELECT item ->> 0 AS entity, item ->> 1 AS key, CAST(item ->> 2 AS BIGINT) AS likely, wanted.place
        FROM json_array_elements(keys) WITH ORDINALITY AS wanted (item, place) ORDER BY 1, 2
    ) AS sorted LEFT JOIN LATERAL (
        SELECT its.version FROM freehold_inbox AS its
        WHERE its.subscription = its_subscription AND its.entity = sorted.entity AND its.key = sorted.key
        AND its.chapter = freehold_chapter(sorted.likely) FOR UPDATE
    ) AS held ON TRUE;
END $$;

-- Moves inbox rows that are locked, [entity, key, the version that it has, the one that it gets] each; answers how many.
CREATE FUNCTION freehold_move_inbox(its_subscription TEXT, moves JSON) RETURNS BIGINT
LANGUAGE plpgsql SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off
SET enable_mergejoin = off AS $$
DECLARE
    moved BIGINT;
BEGIN
    UPDATE freehold_inbox AS held SET version = found.moves_to FROM (
        SELECT its.ctid AS lies_at, CAST(move ->> 3 AS BIGINT) AS moves_to
        FROM json_array_elements(moves) AS move CROSS JOIN LATERAL (
            SELECT stands.ctid FROM freehold_inbox AS stands
            WHERE stands.subscription = its_subscription AND stands.entity = move ->> 0 AND stands.key = move ->> 1
            AND stands.chapter = freehold_chapter(CAST(move ->> 2 AS BIGINT))
            AND stands.version = CAST(move ->> 2 AS BIGINT) OFFSET 0
        ) AS its OFFSET 0
    ) AS found WHERE held.ctid = found.lies_at;
    GET DIAGNOSTICS moved = ROW_COUNT;
    RETURN moved;
END $$;
