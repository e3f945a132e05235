//! The channel that every generated client uses: deadline, session, idempotency key, connect retry.
