//! From texts to a model: every file parsed, its imports ordered, its names and options resolved.
//!
//! The compiler stops at the first broken file; this drives it file by file instead, so that one run reports what is
//! wrong in all of them. A file whose import is broken is not resolved, for what it would report is not its own fault.

use std::collections::HashSet;

use miette::Diagnostic;
use prost_reflect::DescriptorPool;
use prost_types::FileDescriptorProto;
use protox::file::File;

use crate::assemble;
use crate::bundled;
use crate::finding::Finding;
use crate::imports::{self, Parsed};
use crate::model::{Model, Place};
use crate::nesting;
use crate::sources::Sources;

/// The longest file that is compiled, in bytes.
const LONGEST: usize = 4 * 1024 * 1024;

/// Compiles the texts into a model. The contract language is part of every model, whether given or not.
///
/// # Errors
/// All findings of all files that do not compile. Whether what compiles is a sound contract is for `check` to say.
pub fn load(sources: &Sources) -> Result<Model, Vec<Finding>> {
    let mut findings = misgiven(sources);
    let parsed = parse_all(sources, &mut findings);
    let order = imports::order(&parsed, sources, &mut findings);
    let pool = link(&order, parsed, sources, &mut findings);
    if findings.is_empty() {
        Ok(assemble::model(pool, sources))
    } else {
        findings.sort_by(Finding::by_place);
        Err(findings)
    }
}

/// What every tree may import without holding it, compiled.
pub(crate) fn built_in() -> DescriptorPool {
    // All of it is ours, and compiles; an import that were missing all the same is then told by its importer.
    let mut pool = load(&bundled::google_api_texts().collect()).map(|model| model.pool).unwrap_or_default();
    for file in bundled::well_known_files() {
        if pool.get_file_by_name(file.name()).is_none() {
            drop(pool.add_file_descriptor_proto(file));
        }
    }
    pool
}

/// What is wrong with the paths, before any text is read.
fn misgiven(sources: &Sources) -> Vec<Finding> {
    let twice = sources.twice().map(|path| {
        Finding::error(format!("two files have the path `{path}`"))
            .under("FH1002")
            .at(Place::whole(path), "")
            .help(
                "a path below the root of the contracts names one file; remove one of the two roots or files",
            )
    });
    let foreign = sources.foreign_language().map(|path| {
        Finding::error(format!("`{path}` is not the contract language that this version speaks"))
            .under("FH1006")
            .at(Place::whole(path), "")
            .help(format!("remove {path}: the language is built in"))
    });
    twice.chain(foreign).collect()
}

/// Parses the given files, the language, and what they import of the rest that is built in.
fn parse_all(sources: &Sources, findings: &mut Vec<Finding>) -> Parsed {
    let mut parsed = Parsed::new();
    let mut wanted: Vec<String> =
        sources.paths().chain(bundled::language_paths()).map(str::to_owned).collect();
    while let Some(path) = wanted.pop() {
        if parsed.contains_key(&path) {
            continue;
        }
        let file = match (sources.text(&path), bundled::well_known(&path)) {
            (Some(text), _) => parse(&path, text, findings),
            (None, Some(well_known)) => Some(well_known),
            (None, None) => continue,
        };
        wanted.extend(file.iter().flat_map(|file| file.dependency.iter().cloned()));
        parsed.insert(path, file);
    }
    parsed
}

fn parse(path: &str, text: &str, findings: &mut Vec<Finding>) -> Option<FileDescriptorProto> {
    let at = |start: usize, end: usize| Place::in_text(path, text, start, end);
    if text.len() > LONGEST {
        let message = format!("`{path}` has {} bytes; at most {LONGEST} are compiled", text.len());
        findings
            .push(Finding::error(message).under("FH1003").at(Place::whole(path), "").help("split the file"));
        return None;
    }
    if let Some(bracket) = nesting::too_deep(text) {
        let message = format!("brackets nest more than {} deep", nesting::DEEPEST);
        let finding =
            Finding::error(message).under("FH1003").at(at(bracket, bracket + 1), "opens one too many");
        findings.push(finding.help("give the inner messages names of their own"));
        return None;
    }
    match File::from_source(path, text) {
        Ok(file) => Some(file.into()),
        Err(error) => {
            report(path, text, &error, findings);
            None
        }
    }
}

/// Resolves the files in order. A file whose import failed is left out without a word.
fn link(
    order: &[String],
    mut parsed: Parsed,
    sources: &Sources,
    findings: &mut Vec<Finding>,
) -> DescriptorPool {
    let mut pool = DescriptorPool::new();
    let mut linked = HashSet::new();
    for path in order {
        let Some(file) = parsed.get_mut(path).and_then(Option::take) else { continue };
        if !file.dependency.iter().all(|import| linked.contains(import)) {
            continue;
        }
        match pool.add_file_descriptor_proto(file) {
            Ok(()) => drop(linked.insert(path.clone())),
            Err(error) => {
                let text = sources.text(path).unwrap_or_default();
                report(path, text, &error.with_source_code(&one_byte_each(text)), findings);
            }
        }
    }
    pool
}

/// The compiler takes its columns, which count bytes, for characters. In a text of the same length that has one byte
/// per character both are the same, so its offsets come out right.
fn one_byte_each(text: &str) -> String {
    let ascii = |byte: u8| if byte.is_ascii() { char::from(byte) } else { 'x' };
    text.bytes().map(ascii).collect()
}

/// One finding per error of the compiler, each with its labels.
fn report(path: &str, text: &str, error: &dyn Diagnostic, findings: &mut Vec<Finding>) {
    findings.push(finding(path, text, error));
    for related in error.related().into_iter().flatten() {
        findings.push(finding(path, text, related));
    }
}

fn finding(path: &str, text: &str, error: &dyn Diagnostic) -> Finding {
    let cause = error.diagnostic_source().map(|cause| format!(": {cause}")).unwrap_or_default();
    let mut finding = Finding::error(format!("{error}{cause}")).under("FH1001");
    for label in error.labels().into_iter().flatten() {
        let end = label.offset().saturating_add(label.len());
        let place = Place::in_text(path, text, label.offset(), end);
        finding = finding.at(place, label.label().unwrap_or_default());
    }
    if finding.places.is_empty() {
        let end = text.trim_end().len();
        finding = finding.at(Place::in_text(path, text, end, end), "");
    }
    match error.help() {
        Some(help) => finding.help(help.to_string()),
        None => finding,
    }
}
