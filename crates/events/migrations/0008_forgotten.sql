-- Who was withdrawn from the readers of this owner's feed, how far it had come, and who said so.
CREATE TABLE freehold_forgotten (
    id           BIGINT PRIMARY KEY AUTOINCREMENT,
    subscription TEXT NOT NULL,
    epoch        BIGINT NOT NULL,
    mark         BIGINT NOT NULL,
    who          TEXT NOT NULL,
    at_ms        BIGINT NOT NULL
) STRICT;
