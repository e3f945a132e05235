//! FH340x: who owns a package (K5).
//!
//! Tokens, positions, epochs, subscriptions and access are all kept by the owner's name: under another one they end. So
//! it breaks whether or not anybody declares a need.

use crate::finding::{Finding, Mark, Severity};
use crate::language::{self, number};

use super::readers::Target;
use super::scope::{Scope, breaks};
use super::side::Side;

/// FH3401.
pub(super) fn changed(scope: &Scope<'_>) -> Vec<Finding> {
    differing(scope, |_, now| now.is_some())
}

/// FH3402.
pub(super) fn given_up(scope: &Scope<'_>) -> Vec<Finding> {
    differing(scope, |_, now| now.is_none())
}

fn differing(scope: &Scope<'_>, wanted: fn(&str, Option<&str>) -> bool) -> Vec<Finding> {
    let mut findings = Vec::new();
    let packages =
        scope.old.packages.keys().filter(|package| scope.live && scope.new.packages.contains_key(*package));
    for package in packages {
        let Some(before) = scope.old.owner(package) else { continue };
        let now = scope.new.owner(package);
        if now.is_some_and(|now| now.name == before.name)
            || !wanted(&before.name, now.map(|now| now.name.as_str()))
        {
            continue;
        }
        let affected = scope.affected(&of_package(scope, package), breaks);
        let text = match now {
            Some(now) => format!("`{package}` is owned by `{}` now, and was by `{}`", now.name, before.name),
            None => format!("`{package}` is owned by nobody now, and was by `{}`", before.name),
        };
        let mut finding = Finding::error(text);
        for mark in [owner_line(scope.new, package, "now"), owner_line(scope.old, package, "before")]
            .into_iter()
            .flatten()
        {
            finding = finding.mark(mark);
        }
        let help = format!(
            "leave the package to its owner:\n    option (freehold.v1.owner) = \"{}\";\n\
             to hand it over, let the new owner serve a package of its own beside it, move the readers, then remove the \
             old one; or waive each reader by name",
            before.name
        );
        findings.push(finding.hits(package.as_str(), affected).at_least(Severity::Error).help(help));
    }
    findings
}

/// All that consumers can take of a package.
fn of_package<'s>(scope: &'s Scope<'_>, package: &str) -> Vec<Target<'s>> {
    let messages = scope.old.messages.iter().filter(|message| message.package_name() == package);
    let mut targets: Vec<Target<'_>> = messages.map(|message| Target::Type(message.full_name())).collect();
    let methods = scope.old.methods().filter(|(_, method)| method.parent_service().package_name() == package);
    targets.extend(methods.map(|(name, _)| Target::Method(name)));
    targets
}

/// The line that names the owner, or else the package.
fn owner_line(side: &Side<'_>, package: &str, label: &str) -> Option<Mark> {
    let files = side.packages.get(package)?;
    let named = files.iter().find(|file| language::file(file).owner.is_some());
    let place = match named {
        Some(file) => side.places().file_option(file, &[number::OWNER]),
        None => side.places().package(files.first()?),
    };
    Some(side.mark(place, label))
}
