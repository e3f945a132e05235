//! What every rule looks at: one baseline beside the contracts at hand, what of it is still there, and who needs it.
//!
//! Calls are judged against baselines that run. Events and entities are replayed, so of a baseline that was only
//! released what they lead to is judged, and nothing else. Files that are the same bytes in both are passed over.

use std::collections::HashSet;

use prost_reflect::{EnumDescriptor, FieldDescriptor, MessageDescriptor, MethodDescriptor};

use crate::compat::{Baseline, Life};
use crate::finding::{Affected, Finding, Mark, Verdict};

use super::readers::{Exposure, Readers, Target, Way};
use super::shape::Shapes;
use super::side::{Side, shared};

/// A baseline beside the contracts at hand.
pub(super) struct Scope<'a> {
    pub(super) old: &'a Side<'a>,
    pub(super) new: &'a Side<'a>,
    /// Whether it runs.
    pub(super) live: bool,
    /// The needs of the contracts at hand.
    pub(super) readers: Readers<'a>,
    /// The needs of the baseline.
    pub(super) former: Readers<'a>,
    pub(super) shapes: Shapes,
    /// The paths of the files that differ.
    changed: HashSet<String>,
    /// What a baseline that was only released still promises; none of one that runs: everything.
    shared: Option<HashSet<String>>,
}

impl<'a> Scope<'a> {
    pub(super) fn new(baseline: &Baseline, old: &'a Side<'a>, new: &'a Side<'a>) -> Self {
        let live = baseline.life == Life::Live;
        let (before, now) = (old.encoded(), new.encoded());
        let differs = |(path, bytes): &(String, Vec<u8>)| now.get(path) != Some(bytes);
        Self {
            old,
            new,
            live,
            readers: Readers::new(old, new, live),
            former: Readers::new(old, old, live),
            shapes: Shapes::default(),
            changed: before.into_iter().filter(differs).map(|(path, _)| path).collect(),
            shared: (!live).then(|| shared(old)),
        }
    }

    /// The messages of the baseline that count and may have changed.
    pub(super) fn messages(&self) -> impl Iterator<Item = &MessageDescriptor> {
        let own = self.old.messages.iter();
        own.filter(|message| self.counts(message.parent_file().name(), message.full_name()))
    }

    /// The messages that are in both.
    pub(super) fn message_pairs(&self) -> impl Iterator<Item = (&MessageDescriptor, MessageDescriptor)> {
        self.messages().filter_map(|old| Some((old, self.new.message(old.full_name())?)))
    }

    /// The fields that are in both under one number.
    pub(super) fn field_pairs(&self) -> impl Iterator<Item = (FieldDescriptor, FieldDescriptor)> {
        self.message_pairs().flat_map(|(old, new)| {
            let pairs =
                old.fields().filter_map(|field| Some((field.clone(), new.get_field(field.number())?)));
            pairs.collect::<Vec<_>>()
        })
    }

    /// The enums of the baseline that count and may have changed.
    pub(super) fn enums(&self) -> impl Iterator<Item = &EnumDescriptor> {
        let own = self.old.enums.iter();
        own.filter(|choice| self.counts(choice.parent_file().name(), choice.full_name()))
    }

    /// The enums that are in both.
    pub(super) fn enum_pairs(&self) -> impl Iterator<Item = (&EnumDescriptor, EnumDescriptor)> {
        self.enums().filter_map(|old| Some((old, self.new.choice(old.full_name())?)))
    }

    /// The methods of a baseline that runs.
    pub(super) fn methods(&self) -> impl Iterator<Item = (&str, &MethodDescriptor)> {
        let own = self.old.methods().filter(|_| self.live);
        own.filter(|(_, method)| self.changed.contains(method.parent_service().parent_file().name()))
    }

    /// The methods that are in both.
    pub(super) fn method_pairs(&self) -> impl Iterator<Item = (&str, &MethodDescriptor, &MethodDescriptor)> {
        self.methods().filter_map(|(name, old)| Some((name, old, self.new.method(name)?)))
    }

    /// Whether the file has changed, or is no longer there.
    pub(super) fn has_changed(&self, file: &str) -> bool {
        self.changed.contains(file)
    }

    fn counts(&self, file: &str, name: &str) -> bool {
        self.changed.contains(file) && self.shared.as_ref().is_none_or(|shared| shared.contains(name))
    }

    /// Whom a change hits, by the needs of the contracts at hand.
    pub(super) fn affected(
        &self,
        targets: &[Target<'_>],
        judge: impl Fn(&Exposure<'a>) -> Option<Verdict>,
    ) -> Vec<Affected> {
        self.readers.affected(targets, judge)
    }

    /// Who declared it in the baseline and no longer does: the line that is gone.
    pub(super) fn withdrawn(&self, targets: &[Target<'_>]) -> Vec<Affected> {
        let declared =
            |exposure: &Exposure<'_>| removal(exposure).filter(|verdict| *verdict == Verdict::Broken);
        let before = self.former.affected(targets, declared);
        let now = self.readers.affected(targets, declared);
        let left = |was: &Affected| {
            now.iter().all(|is| is.consumer != was.consumer || is.verdict != Verdict::Broken)
        };
        before.into_iter().filter(|was| was.verdict == Verdict::Broken && left(was)).collect()
    }

    /// The same, where with it the last declared need went.
    pub(super) fn withdrawn_last(&self, targets: &[Target<'_>]) -> Vec<Affected> {
        let declared = |affected: &Affected| affected.verdict == Verdict::Broken;
        if self.affected(targets, removal).iter().any(declared) {
            Vec::new()
        } else {
            self.withdrawn(targets)
        }
    }

    /// Whether a finding about something that only was released is worth telling: not where nobody is hit, for what was
    /// given up long ago stays given up.
    pub(super) fn tells(&self, finding: &Finding) -> bool {
        self.live || !finding.affected.is_empty()
    }

    /// The place of a message that is in both, for what it no longer holds.
    pub(super) fn no_longer(&self, message: &MessageDescriptor) -> Mark {
        self.new.at_message(message, "no longer here")
    }
}

/// What becomes of whoever declared something that is gone: it breaks. A caller that gets an entity has not named the
/// entity's fields, so nobody can tell.
pub(super) fn removal(exposure: &Exposure<'_>) -> Option<Verdict> {
    Some(if exposure.named { Verdict::Broken } else { Verdict::PotentiallyAffected })
}

/// Whoever has to do with it breaks.
pub(super) fn breaks(_: &Exposure<'_>) -> Option<Verdict> {
    Some(Verdict::Broken)
}

/// Whoever has to do with it may break.
pub(super) fn may_break(_: &Exposure<'_>) -> Option<Verdict> {
    Some(Verdict::PotentiallyAffected)
}

/// What the owner reads: whoever sends it.
pub(super) fn sent(exposure: &Exposure<'_>, verdict: Verdict) -> Option<Verdict> {
    (exposure.way == Way::Sent).then_some(verdict)
}

/// What consumers read: whoever receives or takes it.
pub(super) fn read(exposure: &Exposure<'_>, verdict: Verdict) -> Option<Verdict> {
    matches!(exposure.way, Way::Received | Way::Taken).then_some(verdict)
}

/// "package.Message.field".
pub(super) fn names<'t>(names: impl IntoIterator<Item = &'t str>) -> String {
    let quoted: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}
