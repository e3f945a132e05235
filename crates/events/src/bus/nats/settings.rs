//! What of a server's and a stream's settings keeps letters, and what loses them. Plain code.
//!
//! What would lose acknowledged letters as a matter of course, or stop the relay, is refused; what loses them in a mishap
//! is told, because the owner's feed makes up for it.

use std::time::Duration;

use async_nats::ServerInfo;
use async_nats::jetstream::stream::{Config, DiscardPolicy, PersistenceMode, RetentionPolicy, StorageType};
use freehold_store::outbox::MAX_DATA;

use crate::bus::{BusError, Finding};

/// The room that is left for the headers of a letter.
pub(super) const HEADERS: usize = 32 * 1024;
/// The oldest server: the first that stores several messages in one write.
const LEAST: (u32, u32) = (2, 12);
/// How long a stream remembers ids, and keeps letters.
const REMEMBERED: Duration = Duration::from_secs(120);
const KEPT: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// Limits below these drop letters before a consumer that is away for an hour has read them.
const FEW_MESSAGES: i64 = 100_000;
const FEW_BYTES: i64 = 256 * 1024 * 1024;
const BRIEF: Duration = Duration::from_secs(60 * 60);

/// What was found so far that is bearable.
#[derive(Debug, Default)]
pub(super) struct Verdict {
    pub(super) warnings: Vec<Finding>,
}

impl Verdict {
    pub(super) fn warn(&mut self, setting: &'static str, found: impl Into<String>, problem: &'static str) {
        self.warnings.push(Finding { setting, found: found.into(), problem });
    }

    pub(super) fn refuse(
        &self,
        setting: &'static str,
        found: impl Into<String>,
        problem: &'static str,
    ) -> Result<(), BusError> {
        Err(BusError::Unsafe(Finding { setting, found: found.into(), problem }))
    }
}

/// The stream that we make.
pub(super) fn wanted(name: String, subjects: Vec<String>, clustered: bool) -> Config {
    Config {
        name,
        subjects,
        storage: StorageType::File,
        retention: RetentionPolicy::Limits,
        discard: DiscardPolicy::Old,
        max_age: KEPT,
        duplicate_window: REMEMBERED,
        num_replicas: if clustered { 3 } else { 1 },
        allow_rollup: true,
        allow_direct: true,
        allow_atomic_publish: true,
        ..Config::default()
    }
}

/// Looks at the server.
pub(super) fn of_server(server: &ServerInfo, verdict: &mut Verdict) -> Result<(), BusError> {
    if version(&server.version) < LEAST {
        return verdict.refuse("version", &server.version, "it must be 2.12 or newer");
    }
    if !server.jetstream {
        return verdict.refuse(
            "jetstream",
            "off",
            "without it nothing is stored; start the server with `jetstream {}`",
        );
    }
    if server.max_payload <= 2 * HEADERS {
        return verdict.refuse(
            "max_payload",
            server.max_payload.to_string(),
            "a letter's headers alone may need 64 KiB",
        );
    }
    if server.max_payload < MAX_DATA + HEADERS {
        let problem =
            "larger events go without their data, which consumers fetch from the owner; 2MB takes all";
        verdict.warn("max_payload", server.max_payload.to_string(), problem);
    }
    Ok(())
}

/// Looks at a stream.
pub(super) fn of_stream(stream: &Config, clustered: bool, verdict: &mut Verdict) -> Result<(), BusError> {
    if stream.storage != StorageType::File {
        return verdict.refuse("storage", "memory", "a restart loses what was acknowledged; make it `file`");
    }
    match stream.retention {
        RetentionPolicy::Limits => {}
        RetentionPolicy::Interest => {
            verdict.refuse(
                "retention",
                "interest",
                "a letter is dropped that no consumer waits for; make it `limits`",
            )?;
        }
        RetentionPolicy::WorkQueue => {
            verdict.refuse(
                "retention",
                "workqueue",
                "a letter is for one consumer alone; make it `limits`",
            )?;
        }
    }
    if stream.no_ack {
        return verdict.refuse("no_ack", "true", "nothing says what is stored");
    }
    if stream.sealed {
        return verdict.refuse("sealed", "true", "nothing can be published to it");
    }
    if !stream.allow_rollup {
        return verdict.refuse("allow_rollup_hdrs", "false", "every beat would be kept for ever");
    }
    if stream.persist_mode == Some(PersistenceMode::Async) {
        return verdict.refuse("persist_mode", "async", "letters are acknowledged before they are written");
    }
    if stream.discard == DiscardPolicy::New {
        return verdict.refuse("discard", "new", "a full stream stops the relay for good; make it `old`");
    }
    of_limits(stream, verdict)?;
    if clustered && stream.num_replicas < 3 {
        let found = stream.num_replicas.to_string();
        verdict.warn("num_replicas", found, "one server's loss is the letters' loss; a cluster keeps 3");
    }
    Ok(())
}

fn of_limits(stream: &Config, verdict: &mut Verdict) -> Result<(), BusError> {
    let largest = usize::try_from(stream.max_message_size).unwrap_or(0);
    if largest > 0 && largest <= 2 * HEADERS {
        return verdict.refuse(
            "max_msg_size",
            largest.to_string(),
            "a letter's headers alone may need 64 KiB",
        );
    }
    let lost = "what is dropped before it is read is fetched from the owner";
    let few = |limit: i64, few: i64| limit > 0 && limit < few;
    if few(stream.max_messages, FEW_MESSAGES) {
        verdict.warn("max_msgs", stream.max_messages.to_string(), lost);
    }
    if few(stream.max_messages_per_subject, FEW_MESSAGES) {
        verdict.warn("max_msgs_per_subject", stream.max_messages_per_subject.to_string(), lost);
    }
    if few(stream.max_bytes, FEW_BYTES) {
        verdict.warn("max_bytes", stream.max_bytes.to_string(), lost);
    }
    if !stream.max_age.is_zero() && stream.max_age < BRIEF {
        verdict.warn("max_age", format!("{:?}", stream.max_age), lost);
    }
    if stream.duplicate_window < REMEMBERED {
        let problem = "readers that are none of ours see a letter twice after a restart of its relay";
        verdict.warn("duplicate_window", format!("{:?}", stream.duplicate_window), problem);
    }
    Ok(())
}

/// The first two numbers of a version.
fn version(text: &str) -> (u32, u32) {
    let mut numbers = text.trim_start_matches('v').split('.').map(|part| part.parse().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good() -> Config {
        wanted("freehold-orders".to_owned(), vec!["freehold.orders.>".to_owned()], false)
    }

    fn server() -> ServerInfo {
        ServerInfo {
            version: "2.12.1".to_owned(),
            jetstream: true,
            max_payload: 2 * MAX_DATA,
            ..ServerInfo::default()
        }
    }

    fn refused(change: impl FnOnce(&mut Config)) -> Option<&'static str> {
        let mut stream = good();
        change(&mut stream);
        match of_stream(&stream, false, &mut Verdict::default()) {
            Err(BusError::Unsafe(finding)) => Some(finding.setting),
            _ => None,
        }
    }

    fn warned(clustered: bool, change: impl FnOnce(&mut Config)) -> Vec<&'static str> {
        let (mut stream, mut verdict) = (good(), Verdict::default());
        change(&mut stream);
        of_stream(&stream, clustered, &mut verdict).unwrap();
        verdict.warnings.iter().map(|finding| finding.setting).collect()
    }

    #[test]
    fn what_loses_acknowledged_letters_or_stops_the_relay_is_refused_by_its_name() {
        assert_eq!(refused(|_| {}), None);
        assert_eq!(refused(|stream| stream.storage = StorageType::Memory), Some("storage"));
        assert_eq!(refused(|stream| stream.retention = RetentionPolicy::Interest), Some("retention"));
        assert_eq!(refused(|stream| stream.retention = RetentionPolicy::WorkQueue), Some("retention"));
        assert_eq!(refused(|stream| stream.no_ack = true), Some("no_ack"));
        assert_eq!(refused(|stream| stream.sealed = true), Some("sealed"));
        assert_eq!(refused(|stream| stream.allow_rollup = false), Some("allow_rollup_hdrs"));
        assert_eq!(
            refused(|stream| stream.persist_mode = Some(PersistenceMode::Async)),
            Some("persist_mode")
        );
        assert_eq!(refused(|stream| stream.discard = DiscardPolicy::New), Some("discard"));
        assert_eq!(refused(|stream| stream.max_message_size = 1024), Some("max_msg_size"));
    }

    #[test]
    fn what_loses_letters_in_a_mishap_is_told() {
        assert_eq!(warned(false, |_| {}), [] as [&str; 0]);
        assert_eq!(warned(false, |stream| stream.max_messages = 10), ["max_msgs"]);
        assert_eq!(warned(false, |stream| stream.max_messages_per_subject = 1), ["max_msgs_per_subject"]);
        assert_eq!(warned(false, |stream| stream.max_bytes = 1024), ["max_bytes"]);
        assert_eq!(warned(false, |stream| stream.max_age = Duration::from_secs(5)), ["max_age"]);
        assert_eq!(
            warned(false, |stream| stream.duplicate_window = Duration::from_secs(1)),
            ["duplicate_window"]
        );
        assert_eq!(warned(true, |_| {}), ["num_replicas"]);
        assert_eq!(wanted(String::new(), Vec::new(), true).num_replicas, 3);
    }

    #[test]
    fn a_server_that_is_too_old_or_takes_too_little_is_refused() {
        let judged = |server: &ServerInfo| match of_server(server, &mut Verdict::default()) {
            Err(BusError::Unsafe(finding)) => Some(finding.setting),
            _ => None,
        };
        assert_eq!(judged(&server()), None);
        assert_eq!(judged(&ServerInfo { version: "2.9.10".to_owned(), ..server() }), Some("version"));
        assert_eq!(judged(&ServerInfo { jetstream: false, ..server() }), Some("jetstream"));
        assert_eq!(judged(&ServerInfo { max_payload: 1024, ..server() }), Some("max_payload"));
        let mut verdict = Verdict::default();
        of_server(&ServerInfo { max_payload: MAX_DATA, ..server() }, &mut verdict).unwrap();
        assert_eq!(verdict.warnings[0].setting, "max_payload", "its usual value");
    }
}
