-- As 0001_replica.sql, in PostgreSQL's words: there the triggers ask a setting of the transaction.
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
);

CREATE TABLE freehold_undecoded (
    replica TEXT NOT NULL,
    key     TEXT NOT NULL,
    version BIGINT NOT NULL,
    data    BYTEA NOT NULL,
    reason  TEXT NOT NULL,
    PRIMARY KEY (replica, key)
);

CREATE FUNCTION freehold_only_applier() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF coalesce(current_setting('freehold.applier', true), '') <> 'on' THEN
        RAISE EXCEPTION '% is a copy of % that only its applier writes', TG_TABLE_NAME, TG_ARGV[0];
    END IF;
    IF TG_OP = 'DELETE' THEN
        RETURN OLD;
    END IF;
    RETURN NEW;
END
$$;
