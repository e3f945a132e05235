//! A mesh in a test, a fault proxy, engines.
