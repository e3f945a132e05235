//! The order in which files are linked: imports first. What cannot be ordered is a missing import or a cycle.
//!
//! In go the parsed files by path, out come the paths in an order that is the same every time.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use prost_types::FileDescriptorProto;

use crate::bundled;
use crate::finding::Finding;
use crate::near;
use crate::places::FilePlaces;
use crate::sources::Sources;

/// The tag of `dependency` in a `FileDescriptorProto`.
const DEPENDENCY: i32 = 3;

/// The parsed files by path; `None` for a file that did not parse and has been reported.
pub(crate) type Parsed = BTreeMap<String, Option<FileDescriptorProto>>;

/// The files in the order of their imports; those that hang on a missing file or a cycle are left out and reported.
pub(crate) fn order(parsed: &Parsed, sources: &Sources, findings: &mut Vec<Finding>) -> Vec<String> {
    let mut waiting: HashMap<&str, usize> = HashMap::new();
    let mut importers: HashMap<&str, Vec<&str>> = HashMap::new();
    for file in parsed.values().flatten() {
        let imports: HashSet<&str> = file.dependency.iter().map(String::as_str).collect();
        waiting.insert(file.name(), imports.len());
        for import in imports {
            importers.entry(import).or_default().push(file.name());
        }
        report_imports(file, parsed, sources, findings);
    }
    let mut ready: BTreeSet<&str> =
        waiting.iter().filter(|(_, left)| **left == 0).map(|(file, _)| *file).collect();
    let mut order = Vec::new();
    while let Some(file) = ready.pop_first() {
        waiting.remove(file);
        order.push(file.to_owned());
        for importer in importers.get(file).into_iter().flatten() {
            let Some(left) = waiting.get_mut(importer) else { continue };
            *left -= 1;
            if *left == 0 {
                ready.insert(importer);
            }
        }
    }
    report_cycles(parsed, &waiting.into_keys().collect(), sources, findings);
    order
}

fn report_imports(
    file: &FileDescriptorProto,
    parsed: &Parsed,
    sources: &Sources,
    findings: &mut Vec<Finding>,
) {
    let mut seen = HashSet::new();
    for (index, import) in file.dependency.iter().enumerate() {
        let place = || import_place(file, index, sources);
        if !seen.insert(import) {
            findings.push(
                Finding::error(format!("`{import}` is imported twice"))
                    .under("FH1001")
                    .at(place(), "again here"),
            );
        }
        if !parsed.contains_key(import) {
            let known = parsed.keys().map(String::as_str).chain(bundled::importable());
            let help = match near::nearest(import, known) {
                Some(near) => format!("did you mean this?\n    import \"{near}\";"),
                None => "imports name files by their path below the root of the contracts".to_owned(),
            };
            let finding = Finding::error(format!("the import `{import}` does not exist")).under("FH1004");
            findings.push(finding.at(place(), "no such file").help(help));
        }
    }
}

/// Every file of `stuck` waits for an import; where that import is stuck too, the way leads into a cycle.
fn report_cycles(parsed: &Parsed, stuck: &BTreeSet<&str>, sources: &Sources, findings: &mut Vec<Finding>) {
    let mut walked = HashSet::new();
    for start in stuck {
        let mut path: Vec<&FileDescriptorProto> = Vec::new();
        let mut next = Some(*start);
        while let Some(file) = next.and_then(|name| parsed.get(name)).and_then(Option::as_ref) {
            if let Some(first) = path.iter().position(|earlier| earlier.name() == file.name()) {
                findings.push(cycle(&path[first..], sources));
                break;
            }
            if !walked.insert(file.name()) {
                break;
            }
            path.push(file);
            next = file.dependency.iter().map(String::as_str).find(|import| stuck.contains(import));
        }
    }
}

fn cycle(files: &[&FileDescriptorProto], sources: &Sources) -> Finding {
    let names: Vec<&str> = files.iter().chain(files.first()).map(|file| file.name()).collect();
    let mut finding = Finding::error(format!("files import each other in a circle: {}", names.join(" -> ")))
        .under("FH1005");
    for (file, import) in files.iter().zip(names.iter().skip(1)) {
        let index = file.dependency.iter().position(|name| name == import).unwrap_or_default();
        finding = finding.at(import_place(file, index, sources), "");
    }
    finding.help("move what both sides need into a file of its own that imports neither")
}

fn import_place(file: &FileDescriptorProto, index: usize, sources: &Sources) -> crate::model::Place {
    let index = i32::try_from(index).unwrap_or(i32::MAX);
    FilePlaces::new(file, sources.text(file.name())).at(&[DEPENDENCY, index])
}
