//! Read-only local copies of another owner's entity: snapshot, apply, consistency levels.
