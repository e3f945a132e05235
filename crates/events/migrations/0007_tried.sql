-- When an event was tried first, or when it parked where it was not: how long it is retried counts from there.
ALTER TABLE freehold_parked ADD COLUMN tried_ms BIGINT NOT NULL DEFAULT 0;
UPDATE freehold_parked SET tried_ms = parked_ms;
