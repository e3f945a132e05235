-- What was to be read again, from where, how far it had been read by then, and who said so.
CREATE TABLE freehold_replay (
    id           BIGINT PRIMARY KEY AUTOINCREMENT,
    subscription TEXT NOT NULL,
    mark         BIGINT NOT NULL,
    stood        BIGINT NOT NULL,
    who          TEXT NOT NULL,
    asked_ms     BIGINT NOT NULL
) STRICT;
