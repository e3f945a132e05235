//! `freehold events`: what owners have emitted, as it is emitted or key by key; and forgetting who reads it.

use std::time::Duration;

use freehold_contract::Model;
use freehold_wire::pb::{
    Envelope, ForgetSubscriberRequest, ListEventsRequest, ListSubscribersRequest, Position,
};

use crate::cli::{ForgetArgs, Format, ShowArgs, TailArgs};
use crate::contracts;
use crate::exit::{Exit, Failure};
use crate::operate::{Operated, refused, served, shown};
use crate::output;

const PAGE: i32 = 500;
/// How often owners are asked for what is new.
const PAUSE: Duration = Duration::from_millis(200);

/// Prints events as they are emitted.
pub(super) async fn tail(args: &TailArgs, format: Format) -> Result<(), Failure> {
    let (operated, model) = (Operated::find(&args.mesh.mesh).await?, contracts::embedded()?);
    args.owner.iter().try_for_each(|owner| operated.service(owner).map(drop))?;
    let wanted = |service: &str| args.owner.is_empty() || args.owner.iter().any(|owner| owner == service);
    let mut positions: Vec<(usize, Option<Position>)> = Vec::new();
    for (at, (service, client)) in operated.services.iter().enumerate().filter(|(_, (name, _))| wanted(name))
    {
        let answer = client.list_subscribers(ListSubscribersRequest::default()).await;
        if let Some(standing) = served(service, answer)? {
            positions.push((at, standing.head.filter(|_| !args.all)));
        }
    }
    loop {
        for (at, position) in &mut positions {
            while !page(&operated, *at, position, args, &model, format).await? {}
        }
        if args.no_follow {
            return Ok(());
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Prints one page of an owner and moves on; whether its head was reached.
async fn page(
    operated: &Operated,
    at: usize,
    position: &mut Option<Position>,
    args: &TailArgs,
    model: &Model,
    format: Format,
) -> Result<bool, Failure> {
    let (service, client) = &operated.services[at];
    let mut request = ListEventsRequest::default()
        .with_entity(args.entity.as_deref().unwrap_or_default())
        .with_key(args.key.as_deref().unwrap_or_default())
        .with_page_size(PAGE);
    request.after = *position;
    let page = client.list_events(request).await.map_err(|error| refused(service, &error))?;
    *position = page.position;
    print(model, &page.events, format)?;
    Ok(page.at_head)
}

/// Shows the kept events of a key, of every owner that has any.
pub(super) async fn show(args: &ShowArgs, format: Format) -> Result<(), Failure> {
    let (operated, model) = (Operated::find(&args.mesh.mesh).await?, contracts::embedded()?);
    let mut shown = 0;
    for (service, client) in &operated.services {
        let mut after = None;
        loop {
            let mut request = ListEventsRequest::default()
                .with_entity(args.entity.as_deref().unwrap_or_default())
                .with_key(args.key.as_str())
                .with_page_size(PAGE);
            request.after = after;
            let Some(page) = served(service, client.list_events(request).await)? else { break };
            shown += page.events.len();
            print(&model, &page.events, format)?;
            after = page.position;
            if page.at_head {
                break;
            }
        }
    }
    if shown > 0 {
        Ok(())
    } else {
        Err(Failure::new(Exit::Failed, format!("no event of `{}` is kept", args.key)))
    }
}

/// Withdraws a subscription on its consumer's behalf.
pub(super) async fn forget(args: &ForgetArgs) -> Result<(), Failure> {
    let operated = Operated::find(&args.mesh.mesh).await?;
    let request = ForgetSubscriberRequest::default()
        .with_subscription(args.subscription.as_str())
        .with_who(args.who.who.as_str());
    let answer = operated.service(&args.owner)?.forget_subscriber(request).await;
    if answer.map_err(|error| refused(&args.owner, &error))?.was_registered {
        eprintln!("forgotten: {} keeps nothing for {} any more", args.owner, args.subscription);
        return Ok(());
    }
    let problem = format!("{} has no subscriber `{}`", args.owner, args.subscription);
    Err(Failure::new(Exit::Failed, problem))
}

fn print(model: &Model, events: &[Envelope], format: Format) -> Result<(), Failure> {
    let mut text = String::new();
    for event in events {
        match format {
            Format::Text => text.push_str(&shown::line(model, event)),
            Format::Json => text.push_str(&shown::document(model, event).to_string()),
        }
        text.push('\n');
    }
    output::write(text.as_bytes())
}
