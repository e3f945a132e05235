//! The ports of the mesh: one table, from which servers take their defaults and clients guess where to look.

/// The port of the directory, which the gateway answers on its own port.
pub const DIRECTORY: u16 = 7400;

/// The default port of each service, by its owner's name, in the order in which a mesh starts them.
pub const PORTS: &[(&str, u16)] = &[
    ("gateway", 7400),
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
        let ports: BTreeSet<u16> = PORTS.iter().map(|(_, port)| *port).collect();
        assert_eq!(ports.len(), PORTS.len());
        assert!(PORTS.contains(&("gateway", DIRECTORY)));
    }
}
