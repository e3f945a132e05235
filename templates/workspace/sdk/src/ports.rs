//! The ports of the mesh: one table, from which servers take their defaults and clients guess where to look.

/// The default port of each service, by its owner's name.
pub const PORTS: &[(&str, u16)] = &[];
