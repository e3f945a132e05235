//! Where a new workspace takes Freehold's crates from: a folder, a git repository, or a registry by version.
//!
//! Generated code names the crates as Rust knows them and nothing more, so the manifest of the workspace decides this alone.

use std::path::{Path, PathBuf};

/// The checkout that this command was built from.
const BUILT_FROM: &str = env!("CARGO_MANIFEST_DIR");
/// How the template says it: a line `freehold-wire = "0.1.0"`.
const CRATE: &str = "freehold-";
const VERSION: &str = " = \"0.1.0\"";

/// What was named is no source.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no source of Freehold: it wants a checkout's folder, the URL of a git repository (with #REV for one commit) or a \
     version such as 0.1.0"
)]
pub(crate) struct SourceError(String);

/// Where the crates come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    /// A checkout.
    Folder(PathBuf),
    /// A git repository, and the commit where one is named.
    Git(String, Option<String>),
    /// A registry.
    Version(String),
}

impl Source {
    /// The source that was named, or the nearest one.
    pub(crate) fn parse(named: Option<&str>) -> Result<Self, SourceError> {
        let Some(named) = named else { return Ok(Self::nearest(Path::new(BUILT_FROM))) };
        if named.contains("://") || named.starts_with("git@") {
            let (url, commit) =
                named.split_once('#').map_or((named, None), |(url, rev)| (url, Some(rev.to_owned())));
            return Ok(Self::Git(url.to_owned(), commit));
        }
        if !named.is_empty() && is_checkout(Path::new(named)) {
            return Ok(Self::Folder(Path::new(named).to_owned()));
        }
        let is_version = named.starts_with(|first: char| first.is_ascii_digit() || first == '=')
            && named.chars().all(|letter| letter.is_ascii_alphanumeric() || "=.-+".contains(letter));
        if is_version { Ok(Self::Version(named.to_owned())) } else { Err(SourceError(named.to_owned())) }
    }

    /// A checkout where it is still there, and otherwise the version of this command.
    fn nearest(checkout: &Path) -> Self {
        if is_checkout(checkout) {
            Self::Folder(checkout.to_owned())
        } else {
            Self::Version(env!("CARGO_PKG_VERSION").to_owned())
        }
    }

    /// The manifest of a workspace with this source in it.
    pub(crate) fn fill(&self, manifest: &str) -> String {
        manifest.lines().map(|line| self.line(line) + "\n").collect()
    }

    fn line(&self, line: &str) -> String {
        match line.strip_suffix(VERSION).filter(|name| name.starts_with(CRATE)) {
            Some(name) => format!("{name} = {}", self.of(name)),
            None => line.to_owned(),
        }
    }

    /// What a manifest says of a crate.
    fn of(&self, name: &str) -> String {
        match self {
            Self::Folder(checkout) => {
                let checkout = std::path::absolute(checkout).unwrap_or_else(|_| checkout.clone());
                let folder = checkout.join("crates").join(name.trim_start_matches(CRATE));
                format!("{{ path = {} }}", quoted(&folder.to_string_lossy()))
            }
            Self::Git(url, None) => format!("{{ git = {} }}", quoted(url)),
            Self::Git(url, Some(commit)) => format!("{{ git = {}, rev = {} }}", quoted(url), quoted(commit)),
            Self::Version(version) => quoted(version),
        }
    }
}

/// A string as JSON has it is one as TOML has it.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn is_checkout(folder: &Path) -> bool {
    folder.join("crates/wire/Cargo.toml").is_file()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(named: &str) -> String {
        Source::parse(Some(named)).unwrap().fill("freehold-wire = \"0.1.0\"\nprost = \"0.14\"\n")
    }

    #[test]
    fn the_manifest_says_a_folder_a_repository_or_a_version() {
        assert_eq!(filled("0.2.0"), "freehold-wire = \"0.2.0\"\nprost = \"0.14\"\n");
        let git = "https://git.example/freehold";
        assert_eq!(filled(git), format!("freehold-wire = {{ git = \"{git}\" }}\nprost = \"0.14\"\n"));
        let at = filled(&format!("{git}#abc"));
        assert!(at.starts_with(&format!("freehold-wire = {{ git = \"{git}\", rev = \"abc\" }}\n")), "{at}");
        let folder = filled(BUILT_FROM);
        assert!(folder.starts_with("freehold-wire = { path = \""), "{folder}");
        assert!(folder.contains("crates/wire\" }"), "{folder}");
    }

    #[test]
    fn the_nearest_source_is_the_checkout_as_long_as_it_is_there() {
        assert_eq!(Source::parse(None), Ok(Source::Folder(BUILT_FROM.into())));
        assert_eq!(
            Source::nearest(Path::new("a checkout that is gone")),
            Source::Version(env!("CARGO_PKG_VERSION").to_owned())
        );
    }

    #[test]
    fn what_is_no_source_is_refused() {
        for named in ["", "nowhere", "../nowhere", "0.1 || 2"] {
            assert_eq!(Source::parse(Some(named)), Err(SourceError(named.to_owned())));
        }
    }
}
