//! What a file says about itself: package, syntax, and the options that shape generated code.

use super::change::Pair;
use super::report::{Breach, Report};
use crate::model::Place;
use crate::schema::{Edition, File, FileOptions};

/// The tags in `FileDescriptorProto`.
mod tag {
    pub(super) const PACKAGE: i32 = 2;
    pub(super) const OPTIONS: i32 = 8;
    pub(super) const SYNTAX: i32 = 12;
    pub(super) const EDITION: i32 = 14;
}

/// An option of files.
#[derive(Debug)]
pub(super) struct FileOption {
    pub(super) tag: i32,
    pub(super) name: &'static str,
    /// Its value as it is written, or its default.
    pub(super) value: fn(&FileOptions) -> String,
}

impl FileOption {
    pub(super) fn check(&self, pair: &Pair<File>, report: &mut Report) {
        let (before, now) = ((self.value)(&pair.before.options), (self.value)(&pair.now.options));
        if before != now {
            let message = format!("the option `{}` changed from `{before}` to `{now}`", self.name);
            report.add(breach(pair, &[&[tag::OPTIONS, self.tag]], message));
        }
    }
}

pub(super) fn same_package(pair: &Pair<File>, report: &mut Report) {
    let (before, now) = (&pair.before.package, &pair.now.package);
    if before != now {
        let message = format!("the package changed from `{before}` to `{now}`");
        report.add(breach(pair, &[&[tag::PACKAGE]], message));
    }
}

/// One edition instead of another is none: what changes by that, other rules see.
pub(super) fn same_syntax(pair: &Pair<File>, report: &mut Report) {
    let word = |edition: Edition| match edition {
        Edition::Proto2 => "proto2",
        Edition::Proto3 => "proto3",
        Edition::Of2023 | Edition::Of2024 => "editions",
    };
    let (before, now) = (word(pair.before.edition), word(pair.now.edition));
    if before != now {
        let message = format!("the syntax changed from `{before}` to `{now}`");
        report.add(breach(pair, &[&[tag::SYNTAX], &[tag::EDITION]], message));
    }
}

/// At the first of the statements that is written, or else at the file.
fn breach(pair: &Pair<File>, statements: &[&[i32]], message: String) -> Breach {
    let place = |file: &File| {
        let written = statements.iter().find_map(|statement| file.written(statement));
        Some(written.unwrap_or_else(|| Place::whole(&file.path)))
    };
    let element = pair.now.path.clone();
    Breach { element, message, now: place(pair.now), before: place(pair.before), help: String::new() }
}

/// The value of `optimize_for` by name.
pub(super) fn speed(value: i32) -> String {
    match value {
        1 => "SPEED".to_owned(),
        2 => "CODE_SIZE".to_owned(),
        3 => "LITE_RUNTIME".to_owned(),
        other => other.to_string(),
    }
}
