-- What is to be read again, from where, how far that has come, and who said so. `mark` is null before anything was read of
-- what begins with the oldest event that is kept. A unit counts for the claim alone under which it was begun.
CREATE TABLE freehold_replay (
    id           BIGINT PRIMARY KEY AUTOINCREMENT,
    subscription TEXT NOT NULL,
    epoch        BIGINT NOT NULL,
    mark         BIGINT,
    until_mark   BIGINT NOT NULL,
    who          TEXT NOT NULL,
    asked_ms     BIGINT NOT NULL,
    claim        BIGINT NOT NULL,
    starts       BIGINT NOT NULL,
    ended_ms     BIGINT,
    outcome      TEXT NOT NULL
) STRICT;

CREATE INDEX freehold_replay_open ON freehold_replay (subscription, ended_ms, id);
