-- The events by their marks, in one text for both engines. Here a mark is the row's own.
CREATE VIEW freehold_event AS
SELECT mark, id, entity, key, version, type, deleted, time_ms, traceparent, cause, tokens, data FROM freehold_outbox;

-- The last mark that was given out, also where its event is gone.
CREATE VIEW freehold_head AS
SELECT COALESCE((SELECT seq FROM sqlite_sequence WHERE name = 'freehold_outbox'), 0) AS mark;
