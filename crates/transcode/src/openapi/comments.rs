//! The doc comments of a contract, as its descriptors carry them.

use std::collections::HashMap;

use prost_reflect::{DescriptorPool, FileDescriptor};

/// Comments by the file and the path of what they stand above.
pub(crate) struct Comments(HashMap<(String, Vec<i32>), String>);

impl Comments {
    /// All comments.
    pub(crate) fn of(pool: &DescriptorPool) -> Self {
        let mut comments = HashMap::new();
        for file in pool.files() {
            let info = file.file_descriptor_proto().source_code_info.as_ref();
            for location in info.into_iter().flat_map(|info| &info.location) {
                let said = [location.leading_comments(), location.trailing_comments()];
                if let Some(said) = said.into_iter().find(|said| !said.is_empty()) {
                    comments.insert((file.name().to_owned(), location.path.clone()), text(said));
                }
            }
        }
        Self(comments)
    }

    /// What is said above, or behind, the thing at `path`; empty where nothing is.
    pub(crate) fn above(&self, file: &FileDescriptor, path: &[i32]) -> String {
        self.0.get(&(file.name().to_owned(), path.to_vec())).cloned().unwrap_or_default()
    }
}

/// A comment without the space that follows its slashes.
fn text(comment: &str) -> String {
    let lines = comment.trim_end().lines().map(|line| line.strip_prefix(' ').unwrap_or(line));
    lines.collect::<Vec<_>>().join("\n")
}
