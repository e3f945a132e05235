//! A mail as a file: written aside, synced, then renamed, so that a reader sees all of it or nothing.

use std::io;
use std::path::Path;

use tokio::fs;
use tokio::io::AsyncWriteExt;

/// Writes `<id>.eml` into `folder`; again under the same id replaces it by the same.
pub(crate) async fn write(folder: &Path, id: &str, message: &[u8]) -> io::Result<()> {
    fs::create_dir_all(folder).await?;
    let aside = folder.join(format!(".{id}.part"));
    let mut file = fs::File::create(&aside).await?;
    file.write_all(message).await?;
    file.sync_all().await?;
    fs::rename(&aside, folder.join(format!("{id}.eml"))).await
}
