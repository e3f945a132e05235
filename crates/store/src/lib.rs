//! An owned database: unit of work, entities, outbox, inbox, idempotency, epochs and migrations on SQLite and PostgreSQL.
