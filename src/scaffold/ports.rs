//! The table of usual ports, which a new service gets a line in.

use std::path::{Path, PathBuf};
use std::{fs, io};

use crate::scaffold::NewFile;
use crate::scaffold::names::Names;

/// Where the table is, from the root of a workspace.
const TABLE: &str = "sdk/src/ports.rs";
const BEGINS: &str = "pub const PORTS: &[(&str, u16)] = &[";
const ENDS: &str = "];\n";
/// The port of the first service.
const FIRST: u16 = 7401;

/// Why there is no port.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PortsError {
    #[error("failed to read `{}`", .0.display())]
    Io(PathBuf, #[source] io::Error),
    #[error("`{}` has no table that begins with `{}`", .0.display(), BEGINS)]
    NoTable(PathBuf),
    #[error("`{}` has no port left", .0.display())]
    Full(PathBuf),
}

/// Gives the service the next port: in the table among `files`, or in the one that is there already.
pub(crate) fn add(root: &Path, names: &Names, files: &mut Vec<NewFile>) -> Result<u16, PortsError> {
    let path = root.join(TABLE);
    let new = files.iter().position(|file| file.path == TABLE);
    let text = match new {
        Some(at) => files.swap_remove(at).text,
        None => fs::read_to_string(&path).map_err(|error| PortsError::Io(path.clone(), error))?,
    };
    let (text, port) = with(&text, &names.service, &path)?;
    files.push(NewFile { path: TABLE.to_owned(), text });
    Ok(port)
}

/// The table with a line more, and the port in it: the one after the greatest.
fn with(text: &str, service: &str, path: &Path) -> Result<(String, u16), PortsError> {
    let none = || PortsError::NoTable(path.to_owned());
    let (before, table) = text.split_once(BEGINS).ok_or_else(none)?;
    let (rows, after) = table.split_once(ENDS).ok_or_else(none)?;
    let ports = rows.split(')').filter_map(|row| row.rsplit(' ').next()?.parse::<u16>().ok());
    let port = match ports.max() {
        Some(greatest) => greatest.checked_add(1).ok_or_else(|| PortsError::Full(path.to_owned()))?,
        None => FIRST,
    };
    let rows = rows.trim_end();
    let comma = if rows.is_empty() || rows.ends_with(',') { "" } else { "," };
    Ok((format!("{before}{BEGINS}{rows}{comma}\n    (\"{service}\", {port}),\n{ENDS}{after}"), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: &str = include_str!("../../templates/workspace/sdk/src/ports.rs");

    #[test]
    fn each_service_gets_the_next_port() {
        let (one, first) = with(EMPTY, "books", Path::new(TABLE)).unwrap();
        let (two, second) = with(&one, "loans", Path::new(TABLE)).unwrap();
        assert_eq!((first, second), (7401, 7402));
        assert!(two.ends_with("= &[\n    (\"books\", 7401),\n    (\"loans\", 7402),\n];\n"), "{two}");
    }

    #[test]
    fn a_table_on_one_line_takes_a_line_too() {
        let one = EMPTY.replace("&[];", "&[(\"books\", 7401), (\"loans\", 7409)];");
        let (text, port) = with(&one, "shelves", Path::new(TABLE)).unwrap();
        assert_eq!(port, 7410);
        assert!(text.ends_with("(\"loans\", 7409),\n    (\"shelves\", 7410),\n];\n"), "{text}");
    }

    #[test]
    fn the_table_of_this_repository_takes_a_line() {
        let ours = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(TABLE)).unwrap();
        let (text, port) = with(&ours, "books", Path::new(TABLE)).unwrap();
        let greatest = freehold_sdk::PORTS.iter().map(|(_, port)| *port).max();
        assert_eq!(Some(port - 1), greatest);
        assert_eq!(text.replace(&format!("    (\"books\", {port}),\n"), ""), ours);
    }

    #[test]
    fn another_table_is_left_alone() {
        let refused = with("pub const PORTS: [u16; 0] = [];\n", "books", Path::new(TABLE)).unwrap_err();
        assert!(matches!(refused, PortsError::NoTable(_)), "{refused}");
        let full = EMPTY.replace("&[];", "&[(\"a\", 65535)];");
        assert!(matches!(with(&full, "books", Path::new(TABLE)), Err(PortsError::Full(_))));
    }
}
