//! A mail as a file: written aside, synced, then renamed, so that a reader sees all of it or nothing.

use std::io;
use std::path::Path;

use tokio::fs;
use tokio::io::AsyncWriteExt;

/// Writes `<id>.eml` into `folder`, for good; again under the same id replaces it by the same.
pub(crate) async fn write(folder: &Path, id: &str, message: &[u8]) -> io::Result<()> {
    let name = file_name(id);
    fs::create_dir_all(folder).await?;
    let aside = folder.join(format!(".{name}.part"));
    let mut file = fs::File::create(&aside).await?;
    file.write_all(message).await?;
    file.sync_all().await?;
    fs::rename(&aside, folder.join(format!("{name}.eml"))).await?;
    sync(folder).await
}

/// The id, which another service chose, without what would lead out of the folder.
fn file_name(id: &str) -> String {
    id.replace(|letter: char| !letter.is_ascii_alphanumeric() && letter != '-', "_")
}

/// Makes the new name outlive a power loss.
#[cfg(unix)]
async fn sync(folder: &Path) -> io::Result<()> {
    fs::File::open(folder).await?.sync_all().await
}

/// Folders cannot be synced here; the system does it.
#[cfg(not(unix))]
async fn sync(_folder: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs::{read, read_dir};
    use std::future::{Future, poll_fn};
    use std::pin::pin;
    use std::task::Poll;

    use freehold_testkit::Scratch;
    use tokio::runtime::Builder;

    use super::*;

    const MAIL: &[u8] = b"Subject: x\r\n\r\nhello";

    /// Runs a write that dies after so many steps, and lets what it began on the disk end. Whether it came to its end.
    fn cut_off<W: Future<Output = io::Result<()>>>(steps: usize, write: W) -> bool {
        let runtime = Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let (mut write, mut left) = (pin!(write), steps);
            poll_fn(|context| {
                if left == 0 {
                    return Poll::Ready(false);
                }
                left -= 1;
                write.as_mut().poll(context).map(|written| written.map(|()| true).unwrap())
            })
            .await
        })
    }

    /// What readers find after a write that died at each step in turn.
    fn found_after_each_step<W>(write: impl Fn(std::path::PathBuf) -> W) -> Vec<Vec<u8>>
    where
        W: Future<Output = io::Result<()>>,
    {
        let mut found = Vec::new();
        for steps in 0.. {
            let scratch = Scratch::new("mails");
            let ended = cut_off(steps, write(scratch.path().to_owned()));
            let files = read_dir(scratch.path()).unwrap().map(|file| file.unwrap().path());
            found.extend(
                files
                    .filter(|file| file.extension().is_some_and(|end| end == "eml"))
                    .map(|file| read(file).unwrap()),
            );
            if ended {
                break;
            }
        }
        found
    }

    #[test]
    fn a_reader_finds_all_of_a_mail_or_nothing_wherever_its_writer_dies() {
        let found = found_after_each_step(async |folder| write(&folder, "e1", MAIL).await);
        assert!(!found.is_empty());
        assert!(found.iter().all(|mail| mail == MAIL), "{found:?}");
    }

    /// The planted bug.
    #[test]
    fn a_mail_that_is_written_in_its_place_is_found_half() {
        let found = found_after_each_step(async |folder| {
            let mut file = fs::File::create(folder.join("e1.eml")).await?;
            file.write_all(MAIL).await?;
            file.sync_all().await
        });
        assert!(found.iter().any(|mail| mail != MAIL), "{found:?}");
    }

    #[tokio::test]
    async fn a_mail_that_is_written_again_is_one_file() {
        let scratch = Scratch::new("mails");
        std::fs::write(scratch.join(".e1.part"), "half of what was wri").unwrap();
        for _ in 0..2 {
            write(scratch.path(), "e1", MAIL).await.unwrap();
        }
        let files: Vec<_> = read_dir(scratch.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
        assert_eq!(files, ["e1.eml"]);
    }

    #[tokio::test]
    async fn an_id_does_not_lead_out_of_the_folder() {
        let scratch = Scratch::new("mails");
        write(&scratch.join("mails"), "../e1", MAIL).await.unwrap();
        assert_eq!(read(scratch.join("mails/___e1.eml")).unwrap(), MAIL);
    }
}
