//! A durable executor of steps over several owners, each beside its undo.
