//! The ready file: where the services are, as JSON, written aside and renamed, so that a reader sees all of it.

use std::path::Path;
use std::{fs, io};

/// Writes `{"directory": url, "services": {name: url}}`.
pub(crate) fn write(file: &Path, directory: &str, services: &[(String, String)]) -> io::Result<()> {
    let services: serde_json::Map<String, serde_json::Value> =
        services.iter().map(|(name, url)| (name.clone(), url.as_str().into())).collect();
    let text = serde_json::json!({ "directory": directory, "services": services }).to_string();
    let aside = file.with_extension("part");
    fs::write(&aside, text + "\n")?;
    fs::rename(&aside, file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ready_file_names_every_service() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ready.json");
        let services = [("orders".to_owned(), "http://127.0.0.1:7405".to_owned())];
        write(&file, "http://127.0.0.1:7400", &services).unwrap();
        let read: serde_json::Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
        assert_eq!(read["services"]["orders"], "http://127.0.0.1:7405");
        assert_eq!(read["directory"], "http://127.0.0.1:7400");
    }
}
