//! `freehold relay status`: how far each owner's events have been published to its bus.
//!
//! Each owner says so of itself. An owner without a bus has no relay and no line.

use freehold_wire::pb::{ListRelaysRequest, RelayStanding};
use serde_json::{Value, json};

use crate::cli::{Format, MeshArgs};
use crate::exit::Failure;
use crate::operate::shown::{rough, since};
use crate::operate::{Operated, served};
use crate::output;

/// Prints a line for each relay.
pub(super) async fn status(args: &MeshArgs, format: Format) -> Result<(), Failure> {
    let operated = Operated::find(&args.mesh).await?;
    let mut text = String::new();
    if format == Format::Text {
        text.push_str(&titles());
    }
    for (owner, client) in &operated.services {
        let answer = client.list_relays(ListRelaysRequest::default()).await;
        for relay in served(owner, answer)?.unwrap_or_default().relays {
            match format {
                Format::Text => text.push_str(&output::on_one_line(&line(owner, &relay))),
                Format::Json => text.push_str(&document(owner, &relay).to_string()),
            }
            text.push('\n');
        }
    }
    output::write(text.as_bytes())
}

fn titles() -> String {
    format!(
        "{:<14} {:<8} {:>10} {:>8} {:>6}  {:<16} {:>8}  {}\n",
        "OWNER", "BUS", "POSITION", "BEHIND", "FOR", "HOLDER", "TAKEN", "PROBLEM"
    )
}

fn line(owner: &str, relay: &RelayStanding) -> String {
    let mark = relay.position.as_ref().map_or(0, |position| position.mark);
    let behind = since(relay.behind_since.as_ref()).map_or_else(|| "-".to_owned(), rough);
    let line = format!(
        "{owner:<14} {:<8} {mark:>10} {:>8} {behind:>6}  {:<16} {:>8}  {}",
        relay.bus, relay.behind, relay.holder, relay.fence, relay.problem
    );
    line.trim_end().to_owned()
}

fn document(owner: &str, relay: &RelayStanding) -> Value {
    json!({
        "owner": owner,
        "bus": relay.bus,
        "position": relay.position.as_ref().map(|position| position.mark),
        "behind": relay.behind,
        "behind_seconds": since(relay.behind_since.as_ref()).map(|behind| behind.as_secs_f64()),
        "holder": relay.holder,
        "fence": relay.fence,
        "held_since": relay.held_since.as_ref().map(ToString::to_string),
        "renewed_at": relay.renewed_at.as_ref().map(ToString::to_string),
        "problem": relay.problem,
    })
}

#[cfg(test)]
mod tests {
    use freehold_wire::pb::Position;

    use super::*;

    fn relay() -> RelayStanding {
        RelayStanding::default()
            .with_bus("nats")
            .with_position(Position::default().with_epoch(1).with_mark(1204))
            .with_behind(3)
            .with_holder("00c0ffee00c0ffee")
            .with_fence(2)
            .with_problem("the bus is away: it is not connected")
    }

    #[test]
    fn a_relay_is_one_line_that_says_what_keeps_it() {
        let shown = format!("{}{}", titles(), line("orders", &relay()));
        insta::assert_snapshot!(shown, @r"
        OWNER          BUS        POSITION   BEHIND    FOR  HOLDER              TAKEN  PROBLEM
        orders         nats           1204        3      -  00c0ffee00c0ffee        2  the bus is away: it is not connected
        ");
    }

    #[test]
    fn a_relay_is_a_document_with_every_field() {
        let document = document("orders", &relay());
        assert_eq!(
            (&document["position"], &document["behind"], &document["bus"]),
            (&json!(1204), &json!(3), &json!("nats"))
        );
        assert_eq!(document["behind_seconds"], Value::Null);
    }
}
