//! A state of contracts out of a git repository, through the `git` program: a name resolved, files listed, texts fetched
//! by one `cat-file --batch`. The work tree and the index are never looked at.
//!
//! **Invariant:** nothing is fetched whose size was not bounded first, and what git says to a failure is passed on.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use freehold_contract::{Sources, nearest};

use super::state::State;
use crate::contracts::{LARGEST, LARGEST_TREE, MOST_FILES};

/// Why a name is no state of contracts.
#[derive(Debug, thiserror::Error)]
pub(crate) enum GitError {
    #[error("`{0}` is no file or folder, and git is not there to look for a ref of that name: install it")]
    Missing(String, #[source] io::Error),
    #[error("`{0}` is no file or folder, and there is no git repository here to look for a ref of that name")]
    NoRepository(String),
    #[error(
        "`{name}` is no file, folder or git ref{}; a clone of one commit lacks the others: `git fetch origin {name}`",
        .meant.as_ref().map(|meant| format!("; did you mean `{meant}`?")).unwrap_or_default()
    )]
    UnknownRef { name: String, meant: Option<String> },
    #[error(
        "which folder of `{0}` is meant is not known, since the contracts at hand are none: write `{0}:proto`"
    )]
    NoFolder(String),
    #[error("`{name}` has no `{path}`; another folder is named by `{name}:FOLDER`")]
    NoPath { name: String, path: String },
    #[error("there is no .proto file under `{path}` of `{name}`; another folder is named by `{name}:FOLDER`")]
    Empty { name: String, path: String },
    #[error("`{path}` of `{name}` is a symbolic link, which is not followed there; commit the file itself")]
    Link { name: String, path: String },
    #[error("`{path}` of `{name}` has {bytes} bytes; at most {LARGEST} are read: it is no contract")]
    TooLarge { name: String, path: String, bytes: u64 },
    #[error(
        "there is too much under `{path}` of `{name}`: at most {LARGEST_TREE} bytes and {MOST_FILES} files are read"
    )]
    TooMuch { name: String, path: String },
    #[error("`{path}` of `{name}` is not UTF-8")]
    NotUtf8 { name: String, path: String },
    #[error("git failed to {0}: {1}")]
    Failed(&'static str, String),
    #[error("failed to read what git answers")]
    Io(#[from] io::Error),
}

/// What a name such as `main` or `v1:proto` stands for.
struct Wanted<'a> {
    /// "main".
    name: &'a str,
    /// "proto"; empty for the root.
    path: String,
}

/// A file as git lists it.
struct Listed {
    path: String,
    object: String,
    bytes: u64,
}

/// What git answered.
struct Answer {
    code: Option<i32>,
    out: Vec<u8>,
    error: String,
}

/// The state that `spec` names: `REF`, whose folder is the one that `current` is in the repository, or `REF:PATH`.
pub(crate) fn read(spec: &str, current: &Path) -> Result<State, GitError> {
    let git = Git { folder: if current.is_dir() { current.to_owned() } else { PathBuf::from(".") } };
    let (name, path) = spec.split_once(':').map_or((spec, None), |(name, path)| (name, Some(path)));
    if name.is_empty() || name.starts_with('-') {
        return Err(GitError::UnknownRef { name: spec.to_owned(), meant: None });
    }
    let prefix = git.prefix(spec)?;
    let path = match path {
        Some(path) => path.trim_end_matches('/').to_owned(),
        None if current.is_dir() => prefix,
        None => return Err(GitError::NoFolder(name.to_owned())),
    };
    let wanted = Wanted { name, path };
    match git.list(&wanted)? {
        Some(files) => git.texts(&wanted, &files).map(State::Texts),
        None => git.other(&wanted),
    }
}

/// Whether a ref has this name; no where there is no git, or no repository.
pub(crate) fn is_ref(name: &str) -> bool {
    let git = Git { folder: PathBuf::from(".") };
    let answer = git.ask(&["rev-parse", "--verify", "--quiet", &format!("{name}^{{tree}}")]);
    !name.starts_with('-') && answer.is_ok_and(|answer| answer.code == Some(0))
}

/// A repository, by a folder in it.
struct Git {
    folder: PathBuf,
}

impl Git {
    /// The folder as the repository calls it, without a slash at its end.
    fn prefix(&self, spec: &str) -> Result<String, GitError> {
        let answer = self.ask(&["rev-parse", "--show-prefix"]);
        let answer = answer.map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => GitError::Missing(spec.to_owned(), error),
            _ => GitError::Io(error),
        })?;
        if answer.error.contains("not a git repository") {
            return Err(GitError::NoRepository(spec.to_owned()));
        }
        let out = answer.succeeded("find the repository")?;
        Ok(String::from_utf8_lossy(&out).trim_end().trim_end_matches('/').to_owned())
    }

    /// The .proto files of a tree; none where the name stands for no tree.
    fn list(&self, wanted: &Wanted<'_>) -> Result<Option<Vec<Listed>>, GitError> {
        let Wanted { name, path } = wanted;
        let answer = self.ask(&["ls-tree", "-r", "-l", "-z", "--full-tree", &format!("{name}:{path}")])?;
        if answer.code != Some(0) {
            return Ok(None);
        }
        let too_much = || GitError::TooMuch { name: (*name).to_owned(), path: path.clone() };
        let mut files = Vec::new();
        let mut total = 0;
        for (at, line) in answer.out.split(|byte| *byte == 0).filter(|line| !line.is_empty()).enumerate() {
            if at >= MOST_FILES || total > LARGEST_TREE {
                return Err(too_much());
            }
            let Some(file) = listed(wanted, line)? else { continue };
            if file.bytes > LARGEST {
                let (name, path) = ((*name).to_owned(), file.path);
                return Err(GitError::TooLarge { name, path, bytes: file.bytes });
            }
            total += file.bytes;
            files.push(file);
        }
        Ok(Some(files))
    }

    /// A descriptor set, or what is wrong with the name.
    fn other(&self, wanted: &Wanted<'_>) -> Result<State, GitError> {
        let Wanted { name, path } = wanted;
        let (owned, object) = ((*name).to_owned(), format!("{name}:{path}"));
        let known = self.ask(&["rev-parse", "--verify", "--quiet", &format!("{name}^{{tree}}")])?;
        if known.code != Some(0) {
            return Err(GitError::UnknownRef { meant: self.nearest(name)?, name: owned });
        }
        let kind = self.ask(&["cat-file", "-t", &object])?;
        match String::from_utf8_lossy(&kind.out).trim() {
            "blob" => {}
            "tree" => return Err(GitError::Failed("list the files", "it does not say why".to_owned())),
            _ => return Err(GitError::NoPath { name: owned, path: path.clone() }),
        }
        let size = self.ask(&["cat-file", "-s", &object])?.succeeded("tell the size of a file")?;
        let bytes = String::from_utf8_lossy(&size).trim().parse().unwrap_or(u64::MAX);
        if bytes > LARGEST {
            return Err(GitError::TooLarge { name: owned, path: path.clone(), bytes });
        }
        self.ask(&["cat-file", "blob", &object])?.succeeded("read a file").map(State::Descriptors)
    }

    /// The branch or tag that was probably meant.
    fn nearest(&self, name: &str) -> Result<Option<String>, GitError> {
        let refs = ["refs/heads", "refs/tags", "refs/remotes"];
        let answer = self.ask(&[&["for-each-ref", "--format=%(refname:short)"], &refs[..]].concat())?;
        let names = String::from_utf8_lossy(&answer.out);
        Ok(nearest(name, names.lines()).map(str::to_owned))
    }

    /// The texts of the files, in one go.
    fn texts(&self, wanted: &Wanted<'_>, files: &[Listed]) -> Result<Sources, GitError> {
        let (name, path) = (wanted.name.to_owned(), wanted.path.clone());
        if files.is_empty() {
            return Err(GitError::Empty { name, path });
        }
        let mut child = self.command(&["cat-file", "--batch", "--buffer"]).stdin(Stdio::piped()).spawn()?;
        let objects: String = files.iter().map(|file| format!("{}\n", file.object)).collect();
        let mut stdin = child.stdin.take();
        // It begins to answer before it has read all names: whoever only writes until then would wait for ever. Where the
        // names do not all get there, answers are missing.
        let writer =
            std::thread::spawn(move || stdin.as_mut().map(|stdin| stdin.write_all(objects.as_bytes())));
        let texts = batch(&mut child, wanted, files);
        drop(child.kill());
        drop(writer.join());
        child.wait()?;
        texts
    }

    fn ask(&self, words: &[&str]) -> io::Result<Answer> {
        let output = self.command(words).stderr(Stdio::piped()).output()?;
        let error = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        Ok(Answer { code: output.status.code(), out: output.stdout, error })
    }

    /// Git, in the folder, as whoever calls it does not change what it answers: hooks set its variables for their own.
    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new("git");
        command.arg("-C").arg(&self.folder).args(words);
        for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"] {
            command.env_remove(name);
        }
        command.env("LC_ALL", "C").env("GIT_TERMINAL_PROMPT", "0").env("GIT_OPTIONAL_LOCKS", "0");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        command
    }
}

impl Answer {
    fn succeeded(self, what: &'static str) -> Result<Vec<u8>, GitError> {
        if self.code == Some(0) { Ok(self.out) } else { Err(GitError::Failed(what, self.error)) }
    }
}

/// A line of `ls-tree -l -z`: "100644 blob <object> <size>\t<path>"; none for what is no .proto file.
fn listed(wanted: &Wanted<'_>, line: &[u8]) -> Result<Option<Listed>, GitError> {
    let line = String::from_utf8_lossy(line);
    let Some((head, path)) = line.split_once('\t') else { return Ok(None) };
    if !path.ends_with(".proto") {
        return Ok(None);
    }
    let words: Vec<&str> = head.split_whitespace().collect();
    match words[..] {
        ["120000", ..] => Err(GitError::Link { name: wanted.name.to_owned(), path: path.to_owned() }),
        [_, "blob", object, bytes] => Ok(Some(Listed {
            path: path.to_owned(),
            object: object.to_owned(),
            bytes: bytes.parse().unwrap_or(u64::MAX),
        })),
        _ => Ok(None),
    }
}

/// What `cat-file --batch` answers: for each object a line "<object> blob <size>", its bytes, and a newline.
fn batch(child: &mut Child, wanted: &Wanted<'_>, files: &[Listed]) -> Result<Sources, GitError> {
    let cut_off = || io::Error::from(io::ErrorKind::UnexpectedEof);
    let mut answers = BufReader::new(child.stdout.take().ok_or_else(cut_off)?);
    let mut texts = Vec::with_capacity(files.len());
    for file in files {
        let mut head = String::new();
        answers.by_ref().take(1 << 10).read_line(&mut head)?;
        if head.trim_end() != format!("{} blob {}", file.object, file.bytes) {
            return Err(GitError::Failed("read a file", head.trim_end().to_owned()));
        }
        let mut text = Vec::new();
        answers.by_ref().take(file.bytes + 1).read_to_end(&mut text)?;
        text.pop();
        let not_utf8 = |_| GitError::NotUtf8 { name: wanted.name.to_owned(), path: file.path.clone() };
        texts.push((file.path.clone(), String::from_utf8(text).map_err(not_utf8)?));
    }
    Ok(texts.into_iter().collect())
}
