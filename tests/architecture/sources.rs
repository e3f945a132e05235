//! What a hand-written source file may be and say.
//!
//! The rules read text, line by line: they catch what slips in by habit, not what somebody hides. Generated files are the
//! generator's affair, and this folder spells what it looks for.

use std::fs;
use std::path::Path;

use crate::{assert_none, root};

/// The most lines of a file.
const MOST_LINES: usize = 600;

/// A source file.
pub(crate) struct Source {
    /// From the root, with `/`.
    pub(crate) path: String,
    /// All of it.
    pub(crate) text: String,
}

impl Source {
    pub(crate) fn new(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned() }
    }

    /// Its lines with their numbers, comments aside.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let numbered = self.text.lines().enumerate().map(|(at, line)| (at + 1, line));
        numbered.filter(|(_, line)| !line.trim_start().starts_with("//"))
    }

    /// The number of the line that its tests begin at: 0 for a file of tests, none for a file without.
    pub(crate) fn tests_from(&self) -> Option<usize> {
        let file_of_tests = self.path.starts_with("tests/")
            || self.path.contains("/tests/")
            || self.path.ends_with("/tests.rs")
            || self.path.ends_with("/simulation.rs")
            || self.path.starts_with("crates/testkit/");
        let begin = |line: &str| line.trim_start().starts_with("#[cfg(test)]");
        if file_of_tests { Some(0) } else { self.text.lines().position(begin).map(|at| at + 1) }
    }

    fn program(&self) -> impl Iterator<Item = (usize, &str)> {
        let tests = self.tests_from().unwrap_or(usize::MAX);
        self.code().filter(move |(line, _)| *line < tests)
    }

    fn tests(&self) -> impl Iterator<Item = (usize, &str)> {
        let tests = self.tests_from().unwrap_or(usize::MAX);
        self.code().filter(move |(line, _)| *line >= tests)
    }
}

/// Every hand-written Rust file of the repository.
pub(crate) fn all() -> Vec<Source> {
    let mut sources = Vec::new();
    collect(root(), &mut sources);
    sources.sort_by(|a, b| a.path.cmp(&b.path));
    sources
}

fn collect(folder: &Path, sources: &mut Vec<Source>) {
    for entry in fs::read_dir(folder).expect("a folder of the repository is read") {
        let path = entry.expect("an entry of the repository is read").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() {
            if !matches!(name.as_str(), "target" | "generated" | "data") && !name.starts_with('.') {
                collect(&path, sources);
            }
        } else if name.ends_with(".rs") {
            let text = fs::read_to_string(&path).expect("a source file is read");
            let path = path.strip_prefix(root()).expect("it is in the root");
            sources.push(Source::new(&path.to_string_lossy().replace('\\', "/"), &text));
        }
    }
}

/// Files too long, or without a word on what they are for.
fn shapeless(sources: &[Source]) -> Vec<String> {
    let mut violations = Vec::new();
    for Source { path, text } in sources {
        let lines = text.lines().count();
        if lines >= MOST_LINES {
            violations.push(format!("{path}: {lines} lines, less than {MOST_LINES} wanted"));
        }
        if !text.starts_with("//!") {
            violations.push(format!("{path}: begins without a `//!`"));
        }
    }
    violations
}

/// Places other than the store that claim a commit: a reply without a commit would look durable. A test without a store may.
fn attested_elsewhere(sources: &[Source]) -> Vec<String> {
    let allowed = |path: &str| path.starts_with("crates/store/") || path == "crates/wire/src/committed.rs";
    let claims = |line: &str| line.contains("attest(");
    find(
        sources.iter().filter(|source| !allowed(&source.path)),
        Source::program,
        claims,
        "only the store attests",
    )
}

/// Calls in another's name beside those that the transcoder passes on: who makes a call of its own, a gateway too, does so
/// under its own name (invariant 12).
fn borrowed_names(sources: &[Source]) -> Vec<String> {
    let gateway = |path: &str| path.starts_with("crates/client/") || path.starts_with("crates/transcode/");
    let others = sources.iter().filter(|source| !gateway(&source.path));
    let borrows = |line: &str| line.contains(".forwarding(");
    find(others, Source::program, borrows, "only the transcoder passes calls on")
}

/// Tests that are left out, or that wait for time to pass. A sleep of an hour is one that nobody waits for: it stands for
/// what never answers.
fn lazy_tests(sources: &[Source]) -> Vec<String> {
    let left_out = |line: &str| line.contains("#[ignore");
    let mut violations = find(sources.iter(), Source::code, left_out, "a test runs or goes");
    let waits = |line: &str| calls(line, "sleep") && !line.contains("from_secs(3600)");
    let others = sources.iter().filter(|source| source.path != "crates/testkit/src/eventually.rs");
    violations.extend(find(others, Source::tests, waits, "wait for a condition: `testkit::eventually`"));
    violations
}

/// Whether `line` calls a function of exactly this name.
fn calls(line: &str, function: &str) -> bool {
    let call = format!("{function}(");
    let is_part_of_a_name =
        |before: &str| before.ends_with(|last: char| last.is_alphanumeric() || last == '_');
    line.match_indices(&call).any(|(at, _)| !is_part_of_a_name(&line[..at]))
}

/// Metadata keys spelled where the constants should stand. A column may be called like a key.
fn spelled_keys(keys: &[String], sources: &[Source]) -> Vec<String> {
    let spelled =
        |line: &str| !line.contains("row.get") && keys.iter().any(|key| line.contains(&format!("\"{key}\"")));
    let others = sources.iter().filter(|source| source.path != "crates/wire/src/metadata.rs");
    find(others, Source::program, spelled, "the keys are constants of wire::metadata")
}

/// Bugs that are planted anywhere but in tests: a release has none that can be switched on.
fn planted_bugs(sources: &[Source]) -> Vec<String> {
    let planted = |line: &str| line.contains("Planted") || line.contains("feature = \"planted\"");
    find(sources.iter(), Source::program, planted, "bugs are planted in tests alone")
}

/// RPCs called or served by a path that somebody wrote down, past the contract. The platform's own have no other.
fn spelled_methods(sources: &[Source]) -> Vec<String> {
    let spelled = |line: &str| line.split('"').skip(1).step_by(2).any(is_an_owners_method);
    find(sources.iter(), Source::program, spelled, "the path of an RPC is the generator's to write")
}

/// Whether a text is "/package.v1.Service/Method" of a service in this repository's contracts.
fn is_an_owners_method(text: &str) -> bool {
    let Some((service, method)) = text.strip_prefix('/').and_then(|path| path.split_once('/')) else {
        return false;
    };
    let capital = |name: &str| name.starts_with(|first: char| first.is_ascii_uppercase());
    let Some((package, service)) = service.rsplit_once('.') else { return false };
    let platform = package.starts_with("grpc.") || package == "freehold.v1";
    !platform && package.contains('.') && capital(service) && capital(method)
}

/// Folders of one machine.
fn folders_of_a_machine(sources: &[Source]) -> Vec<String> {
    let of_a_machine =
        |line: &str| ["\"/home/", "\"/Users/", "\"/tmp/", "\"C:\\"].iter().any(|start| line.contains(start));
    find(sources.iter(), Source::code, of_a_machine, "another machine has no such folder")
}

/// Clocks on the wall where deadlines, waits and leases are decided: such a clock jumps.
fn wall_clocks(sources: &[Source]) -> Vec<String> {
    const DECIDING: [&str; 6] = [
        "crates/client/src/",
        "crates/server/src/",
        "crates/saga/src/",
        "crates/events/src/sharing/",
        "crates/events/src/relay/lease.rs",
        "crates/events/src/retry.rs",
    ];
    let deciding = sources.iter().filter(|source| DECIDING.iter().any(|path| source.path.starts_with(path)));
    let wall = |line: &str| ["SystemTime", "UNIX_EPOCH", "jiff::"].iter().any(|clock| line.contains(clock));
    find(deciding, Source::program, wall, "what is decided here goes by a clock that never jumps")
}

/// One violation for each line of `part` of a source that is `wrong`.
fn find<'a, Lines: Iterator<Item = (usize, &'a str)>>(
    sources: impl Iterator<Item = &'a Source>,
    part: impl Fn(&'a Source) -> Lines,
    wrong: impl Fn(&str) -> bool,
    why: &str,
) -> Vec<String> {
    let mut violations = Vec::new();
    for source in sources.filter(|source| !source.path.starts_with("tests/architecture/")) {
        let lines = part(source).filter(|(_, line)| wrong(line));
        violations.extend(lines.map(|(at, line)| format!("{}:{at}: {why}: {}", source.path, line.trim())));
    }
    violations
}

/// The values of the constants in wire::metadata.
fn keys(metadata: &str) -> Vec<String> {
    let constants = metadata.lines().filter(|line| line.starts_with("pub const") && line.contains(": &str"));
    constants.filter_map(|line| line.split('"').nth(1).map(str::to_owned)).collect()
}

#[test]
fn every_file_is_short_and_says_what_it_is_for() {
    let sources = all();
    assert!(sources.len() > 50, "the sources are found");
    assert_none(&shapeless(&sources));
}

#[test]
fn only_the_store_attests_a_commit() {
    assert_none(&attested_elsewhere(&all()));
}

#[test]
fn only_the_transcoder_calls_in_anothers_name() {
    assert_none(&borrowed_names(&all()));
}

#[test]
fn every_test_runs_and_none_sleeps() {
    assert_none(&lazy_tests(&all()));
}

#[test]
fn metadata_keys_are_spelled_once() {
    let metadata = fs::read_to_string(root().join("crates/wire/src/metadata.rs")).unwrap();
    let keys = keys(&metadata);
    assert!(keys.iter().any(|key| key == "idempotency-key"), "{keys:?}");
    assert_none(&spelled_keys(&keys, &all()));
}

#[test]
fn no_method_is_called_past_the_contract() {
    assert_none(&spelled_methods(&all()));
}

#[test]
fn no_source_names_a_folder_of_one_machine() {
    assert_none(&folders_of_a_machine(&all()));
}

/// C34.
#[test]
fn calls_sagas_and_leases_go_by_clocks_that_never_jump() {
    assert_none(&wall_clocks(&all()));
}

#[test]
fn no_release_has_a_planted_bug() {
    assert_none(&planted_bugs(&all()));
}

fn planted(path: &str, text: &str) -> [Source; 1] {
    [Source::new(path, text)]
}

#[test]
fn a_long_file_and_a_silent_one_are_found() {
    let long = "//! Long.\n".repeat(MOST_LINES);
    assert_eq!(shapeless(&planted("src/a.rs", &long)), ["src/a.rs: 600 lines, less than 600 wanted"]);
    assert_eq!(shapeless(&planted("src/a.rs", "fn a() {}\n")), ["src/a.rs: begins without a `//!`"]);
    assert_none(&shapeless(&planted("src/a.rs", &"//! Right.\n".repeat(MOST_LINES - 1))));
}

#[test]
fn a_claimed_commit_is_found() {
    let text = "//! Orders.\n// Committed::attest(..) is the store's.\nlet reply = Committed::attest(reply, token, false);\n";
    assert_eq!(
        attested_elsewhere(&planted("services/orders/src/grpc.rs", text)),
        [
            "services/orders/src/grpc.rs:3: only the store attests: let reply = Committed::attest(reply, token, false);"
        ]
    );
    assert_none(&attested_elsewhere(&planted("crates/store/src/store.rs", text)));
}

#[test]
fn a_call_in_anothers_name_is_found() {
    let text = "//! Orders.\nlet catalog = CatalogClient::new(channel.forwarding(context.caller()));\n";
    assert_eq!(borrowed_names(&planted("services/orders/src/lib.rs", text)).len(), 1);
    assert_none(&borrowed_names(&planted("crates/transcode/src/call.rs", text)));
}

#[test]
fn a_test_that_is_ignored_or_sleeps_is_found() {
    let test =
        "#[cfg(test)]\nmod tests {\n    #[ignore = \"slow\"]\n    fn a() { std::thread::sleep(ONE); }\n}\n";
    assert_eq!(lazy_tests(&planted("src/a.rs", test)).len(), 2);
    let imported = "#[tokio::test]\nasync fn a() {\n    sleep(ONE).await;\n}\n";
    assert_eq!(lazy_tests(&planted("crates/saga/tests/a.rs", imported)).len(), 1);
    assert_none(&lazy_tests(&planted("src/program.rs", imported)));
    assert_none(&lazy_tests(&planted("tests/a.rs", "fn a() { never_sleep(ONE); }")));
    assert_none(&lazy_tests(&planted("tests/a.rs", "fn a() { sleep(Duration::from_secs(3600)).await }")));
}

#[test]
fn a_spelled_key_is_found() {
    let keys = ["traceparent".to_owned()];
    let text = "headers.get(\"traceparent\");\nrow.get::<String>(\"traceparent\");\n";
    assert_eq!(spelled_keys(&keys, &planted("crates/client/src/a.rs", text)).len(), 1);
    let test = format!("#[cfg(test)]\n{text}");
    assert_none(&spelled_keys(&keys, &planted("crates/client/src/a.rs", &test)));
}

#[test]
fn a_spelled_method_is_found() {
    let text = "let path = \"/users.v1.UserService/GetUser\";\nlet route = \"/v1/users/{id}\";\n";
    assert_eq!(spelled_methods(&planted("services/orders/src/grpc.rs", text)).len(), 1);
    assert_none(&spelled_methods(&planted("crates/server/src/a.rs", "\"/grpc.health.v1.Health/Check\"")));
}

#[test]
fn a_planted_bug_outside_tests_is_found() {
    let text =
        "if self.bug == Planted::SkipsTheInbox {\n#[cfg(test)]\nmod tests;\nlet bug = Planted::Overtakes;\n";
    assert_eq!(planted_bugs(&planted("crates/events/src/inbox.rs", text)).len(), 1);
}

#[test]
fn a_folder_of_one_machine_is_found() {
    assert_eq!(folders_of_a_machine(&planted("src/a.rs", "open(\"/home/ada/orders.db\")")).len(), 1);
}

#[test]
fn a_wall_clock_is_found() {
    let text = "//! Late.\nlet late = SystemTime::now() > deadline;\n";
    assert_eq!(wall_clocks(&planted("crates/client/src/way.rs", text)).len(), 1);
    assert_none(&wall_clocks(&planted("src/demo/drive.rs", text)));
}
