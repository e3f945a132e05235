//! `freehold replay`: has a consumer read again what it has read, or one of its views built anew.
//!
//! What took effect does not take effect again: of reactions the inbox knows it, and a view that is built tells nobody
//! anything. How far a replay is `freehold lag` says. **Invariant:** nothing is changed where the answer would not be known before.

use freehold_client::{FeedClient, OperationsClient};
use freehold_wire::metadata::OPERATOR;
use freehold_wire::pb::{
    HeadRequest, ListSubscriptionsRequest, Position, ReplayRequest, ReplayResponse, SubscriptionStanding,
};
use serde_json::json;

use crate::cli::{Format, From, ReplayArgs};
use crate::exit::{Exit, Failure};
use crate::operate::{Operated, refused, served};
use crate::output;

/// Has each of them read again, or says what would be.
pub(super) async fn run(args: &ReplayArgs, format: Format) -> Result<(), Failure> {
    let operated = Operated::find(&args.mesh.mesh).await?;
    let client = operated.service(&args.consumer)?;
    let subscriptions = match &args.view {
        Some(view) => vec![whole_view(args, client, view).await?],
        None => reacting(args, client).await?,
    };
    for subscription in subscriptions {
        let mut request = ReplayRequest::default()
            .with_subscription(subscription.as_str())
            .with_who(args.who.who.as_str())
            .with_dry_run(args.dry_run);
        if let From::Position(mark) = args.from {
            request = request.with_after(Position::default().with_mark(mark));
        }
        let answer = client.replay(request).await.map_err(|error| refused(&args.consumer, &error))?;
        let told = match format {
            Format::Text => line(&subscription, &answer, args.dry_run),
            Format::Json => document(&subscription, &answer, args.dry_run),
        };
        output::write(format!("{told}\n").as_bytes())?;
    }
    Ok(())
}

/// The view, where its owner keeps every event that it is built from.
async fn whole_view(args: &ReplayArgs, client: &OperationsClient, view: &str) -> Result<String, Failure> {
    let name = format!("{}/{view}", args.consumer);
    let generation = format!("{name}/");
    let standings = standings(args, client).await?;
    let Some(built) = standings.into_iter().find(|standing| standing.subscription.starts_with(&generation))
    else {
        return Err(Failure::new(Exit::Failed, format!("{} builds no view `{view}`", args.consumer)));
    };
    let mesh = args.mesh.mesh.mesh(OPERATOR).await;
    let mesh = mesh.map_err(|error| Failure::new(Exit::Unreachable, error))?;
    let channel = mesh.channel(&built.owner).map_err(|error| refused(&built.owner, &error))?;
    let head = FeedClient::new(channel).head(HeadRequest::default().with_kept(true)).await;
    match head.map_err(|error| refused(&built.owner, &error))?.purged_to {
        None => Ok(name),
        Some(to) => {
            let problem = format!(
                "{} no longer keeps its events up to position {}, and a view of the rest would lack them",
                built.owner, to.mark
            );
            Err(Failure::new(Exit::Refused, problem))
        }
    }
}

/// The subscriptions of the consumer that react by themselves.
async fn reacting(args: &ReplayArgs, client: &OperationsClient) -> Result<Vec<String>, Failure> {
    let views = format!("{}/views/", args.consumer);
    let mut standings = standings(args, client).await?;
    standings.retain(|standing| {
        let wanted = args.owner.as_ref().is_none_or(|owner| *owner == standing.owner);
        wanted && standing.subscription.starts_with(&views)
    });
    if standings.is_empty() {
        let problem = format!("{} reacts to nothing here; a view is named by --view", args.consumer);
        return Err(Failure::new(Exit::Failed, problem));
    }
    if standings.len() > 1 && args.from != From::Beginning {
        let owners: Vec<&str> = standings.iter().map(|standing| standing.owner.as_str()).collect();
        let problem = format!("a position is one owner's: say --owner, one of {}", owners.join(", "));
        return Err(Failure::new(Exit::Usage, problem));
    }
    Ok(standings.into_iter().map(|standing| standing.subscription).collect())
}

async fn standings(
    args: &ReplayArgs,
    client: &OperationsClient,
) -> Result<Vec<SubscriptionStanding>, Failure> {
    let answer = client.list_subscriptions(ListSubscriptionsRequest::default()).await;
    Ok(served(&args.consumer, answer)?.unwrap_or_default().subscriptions)
}

fn mark(position: &Option<Position>) -> Option<i64> {
    position.as_ref().map(|position| position.mark)
}

fn line(subscription: &str, answer: &ReplayResponse, dry_run: bool) -> String {
    let Some(until) = mark(&answer.until) else {
        let verb = if dry_run { "would be built anew" } else { "is built anew" };
        let generation = if dry_run { String::new() } else { format!(", generation {}", answer.generation) };
        return format!("{subscription} {verb}{generation}");
    };
    let verb = if dry_run { "would read" } else { "reads" };
    match mark(&answer.after) {
        Some(after) => format!("{subscription} {verb} again what comes after {after}, up to {until}"),
        None => format!("{subscription} {verb} again from the oldest that is kept, up to {until}"),
    }
}

fn document(subscription: &str, answer: &ReplayResponse, dry_run: bool) -> String {
    json!({
        "subscription": subscription,
        "dry_run": dry_run,
        "after": mark(&answer.after),
        "until": mark(&answer.until),
        "generation": (answer.generation > 0).then_some(answer.generation),
    })
    .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replay_says_what_it_does() {
        let at = |mark| Position::default().with_mark(mark);
        let all = ReplayResponse::default().with_until(at(42));
        let part = all.with_after(at(7));
        let built = ReplayResponse::default().with_generation(3);
        let dry = ReplayResponse::default();
        insta::assert_snapshot!(
            [
                line("mails/views/orders", &part, false),
                line("mails/views/orders", &all, true),
                line("catalog/sales", &built, false),
                line("catalog/sales", &dry, true),
                document("mails/views/orders", &all, true),
                document("catalog/sales", &built, false),
            ]
            .join("\n"),
            @r#"
        mails/views/orders reads again what comes after 7, up to 42
        mails/views/orders would read again from the oldest that is kept, up to 42
        catalog/sales is built anew, generation 3
        catalog/sales would be built anew
        {"after":null,"dry_run":true,"generation":null,"subscription":"mails/views/orders","until":42}
        {"after":null,"dry_run":false,"generation":3,"subscription":"catalog/sales","until":null}
        "#
        );
    }
}
