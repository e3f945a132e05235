//! The ports of the mesh: one table, from which servers take their defaults and clients guess where to look.

/// The port of the directory, which is also the gateway's.
pub const DIRECTORY: u16 = 7400;

/// The default port of each service, by its owner's name, in the order in which a mesh starts them.
pub const PORTS: &[(&str, u16)] = &[
    ("users", 7401),
    ("catalog", 7402),
    ("inventory", 7403),
    ("payments", 7404),
    ("orders", 7405),
    ("notifications", 7406),
    ("drivers", 7407),
    ("rides", 7408),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_owner_has_a_port_of_its_own() {
        let owners: BTreeSet<&str> = crate::CONTRACT.owners.iter().map(|owner| owner.name).collect();
        assert_eq!(PORTS.iter().map(|(name, _)| *name).collect::<BTreeSet<_>>(), owners);
        let ports: BTreeSet<u16> = PORTS.iter().map(|(_, port)| *port).chain([DIRECTORY]).collect();
        assert_eq!(ports.len(), PORTS.len() + 1);
    }
}
