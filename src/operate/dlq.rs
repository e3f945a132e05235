//! `freehold dlq`: the keys whose events wait, and what is decided about them.
//!
//! A consumer keeps its own parked keys; a filter that names no subscription asks all consumers. What is redriven is listed
//! first: a key that fails again meanwhile is not tried twice, and a run that was cut short is done again for the rest.

use std::time::Duration;

use freehold_client::OperationsClient;
use freehold_contract::Model;
use freehold_sdk::Error;
use freehold_wire::pb::{
    Decision, GetParkedKeyRequest, GetParkedKeyResponse, ListParkedKeysRequest, ParkedKey,
    RedriveDeadLetterRequest, SkipDeadLetterRequest, Waiting,
};
use freehold_wire::prost_types::Timestamp;
use serde_json::{Value, json};

use crate::cli::{Filter, Format, ListArgs, RedriveArgs, SkipArgs};
use crate::contracts;
use crate::exit::{Exit, Failure};
use crate::operate::shown::{self, rough, since};
use crate::operate::{Operated, refused, served};
use crate::output::{self, on_one_line};

const PAGE: i32 = 500;

/// Lists the keys that the filter leaves.
pub(super) async fn list(args: &ListArgs, format: Format) -> Result<(), Failure> {
    let operated = Operated::find(&args.mesh.mesh).await?;
    let mut text = String::new();
    for (_, _, parked) in found(&operated, &args.filter, args.waiting).await? {
        match format {
            Format::Text => text.push_str(&line(&parked)),
            Format::Json => text.push_str(&document(&parked).to_string()),
        }
        text.push('\n');
    }
    output::write(text.as_bytes())
}

/// The same, each with its events and its record.
pub(super) async fn show(args: &ListArgs, format: Format) -> Result<(), Failure> {
    let operated = Operated::find(&args.mesh.mesh).await?;
    let model = contracts::embedded()?;
    for (service, client, parked) in found(&operated, &args.filter, args.waiting).await? {
        let request = GetParkedKeyRequest::default()
            .with_subscription(parked.subscription)
            .with_entity(parked.entity)
            .with_key(parked.key);
        match client.get_parked_key(request).await {
            Ok(whole) => output::write(whole_key(&model, &whole, format).as_bytes())?,
            // It went on since it was listed.
            Err(error) if error.is_not_found() => {}
            Err(error) => return Err(refused(service, &error)),
        }
    }
    Ok(())
}

/// Tries each of them again.
pub(super) async fn redrive(args: &RedriveArgs, format: Format) -> Result<(), Failure> {
    if args.filter == Filter::default() && !args.all {
        let problem = "say which: --subscription, --entity, --key or --reason; or --all";
        return Err(Failure::new(Exit::Usage, problem));
    }
    let operated = Operated::find(&args.mesh.mesh).await?;
    let dead = found(&operated, &args.filter, false).await?;
    let mut pace = tokio::time::interval(Duration::from_secs(1) / args.rate);
    let mut redriven = 0;
    for (service, client, parked) in &dead {
        let outcome = if args.dry_run {
            "would be redriven"
        } else {
            pace.tick().await;
            match client.redrive_dead_letter(again(parked, &args.who.who)).await {
                Ok(_) => "redriven",
                Err(error) if is_gone(&error) => "no longer waits",
                Err(error) => return Err(refused(service, &error)),
            }
        };
        redriven += i32::from(outcome != "no longer waits");
        let told = match format {
            Format::Text => format!("{outcome}: {}\n", name(parked)),
            Format::Json => format!("{}\n", json!({ "outcome": outcome, "parked": document(parked) })),
        };
        output::write(told.as_bytes())?;
    }
    let verb = if args.dry_run { "would be redriven" } else { "redriven" };
    eprintln!("{redriven} {verb}");
    Ok(())
}

/// Gives up one version.
pub(super) async fn skip(args: &SkipArgs) -> Result<(), Failure> {
    let operated = Operated::find(&args.mesh.mesh).await?;
    let request = SkipDeadLetterRequest::default()
        .with_subscription(args.subscription.as_str())
        .with_entity(args.entity.as_str())
        .with_key(args.key.as_str())
        .with_version(args.version)
        .with_who(args.who.who.as_str());
    let (consumer, client) = operated.consumer(&args.subscription)?;
    client.skip_dead_letter(request).await.map_err(|error| refused(consumer, &error))?;
    eprintln!("skipped: version {} of {}", args.version, args.key);
    Ok(())
}

/// The keys that the filter leaves, of the consumer that it names or of all, each with whom to ask about it.
async fn found<'a>(
    operated: &'a Operated,
    filter: &'a Filter,
    waiting: bool,
) -> Result<Vec<(&'a str, &'a OperationsClient, ParkedKey)>, Failure> {
    let asked = match &filter.subscription {
        Some(subscription) => vec![operated.consumer(subscription)?],
        None => operated.services.iter().map(|(name, client)| (name.as_str(), client)).collect(),
    };
    let mut all = Vec::new();
    for (service, client) in asked {
        let mut token = String::new();
        loop {
            let answer = client.list_parked_keys(request(filter, waiting, token)).await;
            let Some(page) = served(service, answer)? else { break };
            all.extend(page.keys.into_iter().map(|parked| (service, client, parked)));
            token = page.next_page_token;
            if token.is_empty() {
                break;
            }
        }
    }
    Ok(all)
}

fn request(filter: &Filter, waiting: bool, token: String) -> ListParkedKeysRequest {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    ListParkedKeysRequest::default()
        .with_subscription(text(&filter.subscription))
        .with_entity(text(&filter.entity))
        .with_key(text(&filter.key))
        .with_reason(text(&filter.reason))
        .with_dead_letters(!waiting)
        .with_page_size(PAGE)
        .with_page_token(token)
}

fn again(parked: &ParkedKey, who: &str) -> RedriveDeadLetterRequest {
    RedriveDeadLetterRequest::default()
        .with_subscription(parked.subscription.as_str())
        .with_entity(parked.entity.as_str())
        .with_key(parked.key.as_str())
        .with_who(who)
}

/// Somebody else decided meanwhile, or its key went on by itself.
fn is_gone(error: &Error) -> bool {
    error.is_failed_precondition()
}

fn name(parked: &ParkedKey) -> String {
    let ParkedKey { subscription, entity, key, version, .. } = parked;
    on_one_line(&format!("{subscription} {entity} {key} v{version}"))
}

/// A parked key on one line.
pub(super) fn line(parked: &ParkedKey) -> String {
    let waited = since(parked.parked_at.as_ref()).map(rough).unwrap_or_default();
    let reason = on_one_line(&parked.reason);
    let attempts = parked.attempts;
    format!("{} {} for {waited}, {attempts} attempts: {reason}", name(parked), waits(parked))
}

fn waits(parked: &ParkedKey) -> &'static str {
    match parked.waiting() {
        Ok(Waiting::ForRetry) => "retry",
        Ok(Waiting::ForVersion) => "gap",
        Ok(Waiting::ForDecision) => "dead",
        _ => "waits",
    }
}

/// A parked key as one document.
pub(super) fn document(parked: &ParkedKey) -> Value {
    json!({
        "subscription": parked.subscription,
        "entity": parked.entity,
        "key": parked.key,
        "version": parked.version,
        "waiting": waits(parked),
        "attempts": parked.attempts,
        "reason": parked.reason,
        "parked_at": parked.parked_at.as_ref().map(Timestamp::to_string),
    })
}

fn whole_key(model: &Model, whole: &GetParkedKeyResponse, format: Format) -> String {
    let parked = whole.parked.clone().unwrap_or_default();
    if format == Format::Json {
        let mut shown = document(&parked);
        shown["events"] = whole.events.iter().map(|event| shown::document(model, event)).collect();
        shown["decisions"] = whole.decisions.iter().map(decided).collect();
        return format!("{shown}\n");
    }
    let mut text = format!("{}\n", line(&parked));
    for event in &whole.events {
        text.push_str(&format!("  event    {}\n", shown::line(model, event)));
    }
    for decision in &whole.decisions {
        let Decision { version, action, who, reason, at, .. } = decision;
        let at = at.as_ref().map(Timestamp::to_string).unwrap_or_default();
        let by = if who.is_empty() { String::new() } else { format!(" by {who}") };
        text.push_str(&format!(
            "  decided  {}\n",
            on_one_line(&format!("{at} {action} v{version}{by}: {reason}"))
        ));
    }
    text
}

fn decided(decision: &Decision) -> Value {
    json!({
        "version": decision.version,
        "action": decision.action,
        "who": decision.who,
        "reason": decision.reason,
        "at": decision.at.as_ref().map(Timestamp::to_string),
    })
}
