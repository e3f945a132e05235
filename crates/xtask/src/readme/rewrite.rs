//! How a command of a page is run.
//!
//! A reader's commands use the default ports, the default data folder and, for speed, the release build. Here they use
//! the mesh of this check and the debug build, which is there already: what is shown does not depend on it.

use super::mesh::Place;

/// What every command of the mesh begins with.
const RUN: &str = "cargo run";

/// Whether `command` runs a mesh until it is stopped.
pub(crate) fn starts_a_mesh(command: &str) -> bool {
    verb(&debug_build(command)) == Some("up")
}

/// `command` for the mesh at `place`.
pub(crate) fn as_run(command: &str, place: &Place) -> String {
    let command = debug_build(&place.here(command));
    let Some(verb) = verb(&command) else { return command };
    let (data, ready) = (place.data().display().to_string(), place.ready_file().display().to_string());
    let (port, mesh) = (place.first_port().to_string(), format!("http://127.0.0.1:{}", place.first_port()));
    let mut options = match verb {
        "up" => vec![("--data", &data), ("--port", &port), ("--ready-file", &ready)],
        "demo" if command.contains("--mesh") => vec![],
        "demo" | "verify" => vec![("--data", &data)],
        "call" if command.contains("--at") => vec![],
        "call" | "status" => vec![("--mesh", &mesh)],
        "doctor" => vec![("--data", &data), ("--mesh", &mesh)],
        _ => vec![],
    };
    options.retain(|(name, _)| !command.contains(name));
    let options: String = options.iter().map(|(name, value)| format!(" {name} '{value}'")).collect();
    let said = format!("{RUN} -- {verb}");
    match command.strip_prefix(&said) {
        Some(rest) => format!("{said}{options}{rest}"),
        None => format!("{said}{options}"),
    }
}

/// Only cargo's own option goes: `--released` of the command behind it is another one.
fn debug_build(command: &str) -> String {
    let release = command.strip_prefix(RUN).and_then(|rest| rest.strip_prefix(" --release"));
    match release.filter(|rest| rest.is_empty() || rest.starts_with(' ')) {
        Some(rest) => format!("{RUN}{rest}"),
        None => command.to_owned(),
    }
}

/// The verb of the mesh's command; none for other commands.
fn verb(command: &str) -> Option<&str> {
    match command.strip_prefix(RUN)?.trim() {
        "" | "--" => Some("up"),
        rest => rest.strip_prefix("-- ")?.split_whitespace().next().filter(|word| !word.starts_with('-')),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_that_stays_is_told_from_one_that_ends() {
        for command in ["cargo run", "cargo run --release", "cargo run -- up --only orders"] {
            assert!(starts_a_mesh(command), "{command}");
        }
        for command in
            ["cargo run -- demo", "cargo run -p orders", "cargo build", "cargo run --release -- verify"]
        {
            assert!(!starts_a_mesh(command), "{command}");
        }
    }

    #[test]
    fn a_command_is_run_against_the_mesh_of_the_check() {
        let place = Place::at(std::env::temp_dir().join("freehold-rewrite"), 17_400);
        let folder = place.folder().display();
        for (command, expected) in [
            (
                "cargo run --release",
                format!(
                    "cargo run -- up --data '{folder}/data' --port '17400' --ready-file '{folder}/mesh/ready.json'"
                ),
            ),
            (
                "cargo run --release -- verify | tail -1",
                format!("cargo run -- verify --data '{folder}/data' | tail -1"),
            ),
            (
                "cargo run -- demo --mesh http://localhost:7400",
                "cargo run -- demo --mesh http://localhost:17400".into(),
            ),
            ("cargo run -- status", "cargo run -- status --mesh 'http://127.0.0.1:17400'".into()),
            ("cargo run -- check", "cargo run -- check".into()),
            (
                "cargo run -- call GetProduct",
                "cargo run -- call --mesh 'http://127.0.0.1:17400' GetProduct".into(),
            ),
            (
                "cargo run -- call --at http://127.0.0.1:7402 Health/Check",
                "cargo run -- call --at http://127.0.0.1:17402 Health/Check".into(),
            ),
            (
                "cargo run -- doctor",
                format!("cargo run -- doctor --data '{folder}/data' --mesh 'http://127.0.0.1:17400'"),
            ),
            ("grpcurl -plaintext localhost:7405 list", "grpcurl -plaintext localhost:17405 list".into()),
            ("cargo build --release", "cargo build --release".into()),
            ("cargo run -- release --released kept", "cargo run -- release --released kept".into()),
        ] {
            assert_eq!(as_run(command, &place), expected);
        }
    }
}
