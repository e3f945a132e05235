//! Contracts from Protobuf sources: compiled, modelled, linted. Pure, no IO.
