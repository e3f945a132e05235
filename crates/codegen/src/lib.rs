//! Contract model to Rust source: the SDK and each consumer's needs.
