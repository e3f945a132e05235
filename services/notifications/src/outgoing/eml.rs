//! Mails as files: written aside, synced, then renamed, so that a reader sees all of a mail or nothing.
//!
//! The files of a page share the sync of their folder, which costs as much as a commit. All of it blocks: it belongs on a
//! thread of its own.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

/// Writes `<id>.eml` into `folder` for each id and message, for good; again under the same id replaces it by the same.
/// Asks before each step whether to go on, and answers whether it came to its end.
pub(crate) fn write_all(
    folder: &Path,
    mails: &[(&str, Vec<u8>)],
    mut go_on: impl FnMut() -> bool,
) -> io::Result<bool> {
    fs::create_dir_all(folder)?;
    for (id, message) in mails {
        let name = file_name(id);
        let aside = folder.join(format!(".{name}.part"));
        if !(go_on() && write(&aside, message, &mut go_on)?) {
            return Ok(false);
        }
        fs::rename(aside, folder.join(format!("{name}.eml")))?;
    }
    if !go_on() {
        return Ok(false);
    }
    sync(folder).map(|()| true)
}

fn write(path: &Path, message: &[u8], mut go_on: impl FnMut() -> bool) -> io::Result<bool> {
    let mut file = File::create(path)?;
    if !go_on() {
        return Ok(false);
    }
    file.write_all(message)?;
    file.sync_all()?;
    Ok(go_on())
}

/// The id, which another service chose, without what would lead out of the folder.
fn file_name(id: &str) -> String {
    id.replace(|letter: char| !letter.is_ascii_alphanumeric() && letter != '-', "_")
}

/// Makes the new name outlive a power loss.
#[cfg(unix)]
fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Folders cannot be synced here; the system does it.
#[cfg(not(unix))]
fn sync(_folder: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs::{read, read_dir};

    use freehold_testkit::Scratch;

    use super::*;

    const MAIL: &[u8] = b"Subject: x\r\n\r\nhello";

    /// What readers find after a writer that died before each of its steps in turn.
    fn found_after_each_step(write: impl Fn(&Path, &mut dyn FnMut() -> bool) -> bool) -> Vec<Vec<u8>> {
        let mut found = Vec::new();
        for steps in 0.. {
            let scratch = Scratch::new("mails");
            let mut left = steps;
            let mut go_on = || {
                left -= i32::from(left >= 0);
                left >= 0
            };
            let ended = write(scratch.path(), &mut go_on);
            let files = read_dir(scratch.path()).unwrap().map(|file| file.unwrap().path());
            let mails = files.filter(|file| file.extension().is_some_and(|end| end == "eml"));
            found.extend(mails.map(|file| read(file).unwrap()));
            if ended {
                break;
            }
        }
        found
    }

    #[test]
    fn a_reader_finds_all_of_a_mail_or_nothing_wherever_its_writer_dies() {
        let two = [("e1", MAIL.to_vec()), ("e2", MAIL.to_vec())];
        let found = found_after_each_step(|folder, go_on| write_all(folder, &two, go_on).unwrap());
        assert!(found.len() > 2, "{found:?}");
        assert!(found.iter().all(|mail| mail == MAIL), "{found:?}");
    }

    /// The planted bug.
    #[test]
    fn a_mail_that_is_written_in_its_place_is_found_half() {
        let found =
            found_after_each_step(|folder, go_on| write(&folder.join("e1.eml"), MAIL, go_on).unwrap());
        assert!(found.iter().any(|mail| mail != MAIL), "{found:?}");
    }

    #[test]
    fn a_mail_that_is_written_again_is_one_file() {
        let scratch = Scratch::new("mails");
        std::fs::write(scratch.join(".e1.part"), "half of what was wri").unwrap();
        for _ in 0..2 {
            assert!(write_all(scratch.path(), &[("e1", MAIL.to_vec())], || true).unwrap());
        }
        let files: Vec<_> = read_dir(scratch.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
        assert_eq!(files, ["e1.eml"]);
    }

    #[test]
    fn an_id_does_not_lead_out_of_the_folder() {
        let scratch = Scratch::new("mails");
        write_all(&scratch.join("mails"), &[("../e1", MAIL.to_vec())], || true).unwrap();
        assert_eq!(read(scratch.join("mails/___e1.eml")).unwrap(), MAIL);
    }
}
