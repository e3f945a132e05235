//! Every ride is as far as its events tell, and was taken by a driver who was allowed to; a driver's rating is the sum of
//! all ratings.

use std::collections::BTreeMap;

use freehold_sdk::drivers::v1::{Permit, Standing};
use freehold_sdk::rides::v1::{RideAccepted, RideCancelled, RideFinished, RideRequested, RideStarted};
use freehold_store::{Row, vals};
use freehold_wire::Event;
use freehold_wire::prost::Message;

use crate::verify::databases::{Moment, ReadError, cell};
use crate::verify::finding::Findings;

const CHECK: &str = "rides";
const RIDES: &str = "rides";
const DRIVERS: &str = "drivers";

/// A row of `ride`, as far as it tells how the ride went.
struct Ride {
    id: String,
    state: String,
    driver_id: String,
    accepted_ms: i64,
    started_ms: i64,
    ended_ms: i64,
    /// Of the permit by which the driver took it.
    permit_version: i64,
}

/// Checks every ride, and every driver's rating.
pub(crate) async fn check(moment: &mut Moment, findings: &mut Findings) -> Result<(), ReadError> {
    let sql = "SELECT id, state, driver_id, requested_ms, accepted_ms, started_ms, ended_ms, permit_version
               FROM ride ORDER BY id";
    let rides = moment.rows(RIDES, sql, vals![]).await?;
    let rides = rides.iter().map(ride).collect::<Result<Vec<_>, _>>()?;
    let mut told = told(moment).await?;
    for ride in &rides {
        let told = told.remove(&ride.id).unwrap_or_default();
        went(findings, ride, &told);
        if ride.permit_version > 0 && moment.has(DRIVERS) {
            allowed(moment, findings, ride).await?;
        }
    }
    ratings(moment, findings).await
}

fn ride(row: &Row) -> Result<Ride, ReadError> {
    Ok(Ride {
        id: cell(RIDES, row, "id")?,
        state: cell(RIDES, row, "state")?,
        driver_id: cell(RIDES, row, "driver_id")?,
        accepted_ms: cell(RIDES, row, "accepted_ms")?,
        started_ms: cell(RIDES, row, "started_ms")?,
        ended_ms: cell(RIDES, row, "ended_ms")?,
        permit_version: cell(RIDES, row, "permit_version")?,
    })
}

/// What is kept of the events of each ride, in their order; changes left out.
async fn told(moment: &mut Moment) -> Result<BTreeMap<String, Vec<String>>, ReadError> {
    let sql = "SELECT key, type FROM freehold_outbox WHERE entity = 'rides.v1.Ride' AND type <> entity
               ORDER BY key, version";
    let mut told: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for row in moment.rows(RIDES, sql, vals![]).await? {
        told.entry(cell(RIDES, &row, "key")?).or_default().push(cell(RIDES, &row, "type")?);
    }
    Ok(told)
}

/// The events lead to the state, and the row has what each of them brought. Old events need not be kept.
fn went(findings: &mut Findings, ride: &Ride, told: &[String]) {
    let subject = format!("rides ride {}", ride.id);
    let Some(path) = path(ride) else {
        return findings.violated(CHECK, subject, format!("is in the state {}, which is none", ride.state));
    };
    let kept = &path[path.len().saturating_sub(told.len())..];
    let told: Vec<&str> = told.iter().map(String::as_str).collect();
    findings.equal(CHECK, &subject, "what was told of it", told.as_slice(), kept);
    let went = |event: &str| path.contains(&event);
    let brought = [
        ("whether it has a driver", !ride.driver_id.is_empty(), went(RideAccepted::NAME)),
        ("whether it was accepted at a time", ride.accepted_ms > 0, went(RideAccepted::NAME)),
        ("whether it was taken by a permit", ride.permit_version > 0, went(RideAccepted::NAME)),
        ("whether it began at a time", ride.started_ms > 0, went(RideStarted::NAME)),
        (
            "whether it ended at a time",
            ride.ended_ms > 0,
            went(RideFinished::NAME) || went(RideCancelled::NAME),
        ),
    ];
    for (what, is, must_be) in brought {
        findings.equal(CHECK, &subject, what, is, must_be);
    }
}

/// The events that lead to the state that a ride is in.
fn path(ride: &Ride) -> Option<Vec<&'static str>> {
    let all = [RideRequested::NAME, RideAccepted::NAME, RideStarted::NAME, RideFinished::NAME];
    let taken = !ride.driver_id.is_empty();
    match ride.state.as_str() {
        "REQUESTED" => Some(all[..1].to_vec()),
        "ACCEPTED" => Some(all[..2].to_vec()),
        "STARTED" => Some(all[..3].to_vec()),
        "FINISHED" => Some(all.to_vec()),
        "CANCELLED" => Some([&all[..=usize::from(taken)], &[RideCancelled::NAME]].concat()),
        _ => None,
    }
}

/// The permit by which a ride was taken is its owner's, and let the driver; where it is not kept any more, it was one.
async fn allowed(moment: &mut Moment, findings: &mut Findings, ride: &Ride) -> Result<(), ReadError> {
    let sql = "SELECT e.version, b.data FROM freehold_entity e LEFT JOIN freehold_outbox b
                   ON b.entity = e.entity AND b.key = e.key AND b.version = $2
               WHERE e.entity = 'drivers.v1.Permit' AND e.key = $1";
    let permit = vals![ride.driver_id.as_str(), ride.permit_version];
    let subject = format!("rides ride {}", ride.id);
    let rows = moment.rows(DRIVERS, sql, permit).await?;
    let last = rows.first().map(|row| cell::<i64>(DRIVERS, row, "version")).transpose()?;
    if last < Some(ride.permit_version) {
        let problem =
            format!("was taken by version {} of a permit, whose last is {last:?}", ride.permit_version);
        findings.violated(CHECK, subject, problem);
        return Ok(());
    }
    let data = rows.first().map(|row| cell::<Option<Vec<u8>>>(DRIVERS, row, "data")).transpose()?.flatten();
    let standing = data.and_then(|data| Permit::decode(data.as_slice()).ok()).map(|permit| permit.standing);
    let good = i32::from(Standing::Good);
    findings.equal(CHECK, subject, "the standing by which it was taken", standing.unwrap_or(good), good);
    Ok(())
}

async fn ratings(moment: &mut Moment, findings: &mut Findings) -> Result<(), ReadError> {
    let sql = "SELECT d.id, d.stars, d.ratings, CAST(COALESCE(SUM(r.stars), 0) AS BIGINT) AS sum, COUNT(r.rating_id) AS count
               FROM driver d LEFT JOIN driver_rating r ON r.driver_number = d.number GROUP BY d.number ORDER BY d.id";
    for row in moment.rows(DRIVERS, sql, vals![]).await? {
        let number = |column| cell::<i64>(DRIVERS, &row, column);
        let subject = format!("drivers driver {}", cell::<String>(DRIVERS, &row, "id")?);
        findings.equal(CHECK, &subject, "the sum of its stars", number("stars")?, number("sum")?);
        findings.equal(CHECK, &subject, "the number of its ratings", number("ratings")?, number("count")?);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ride(state: &str, driver_id: &str) -> Ride {
        let [accepted_ms, started_ms, ended_ms, permit_version] = [0; 4];
        let (id, state, driver_id) = ("r1".to_owned(), state.to_owned(), driver_id.to_owned());
        Ride { id, state, driver_id, accepted_ms, started_ms, ended_ms, permit_version }
    }

    #[test]
    fn a_ride_that_was_called_off_was_accepted_if_it_has_a_driver() {
        let requested = [RideRequested::NAME, RideCancelled::NAME];
        let accepted = [RideRequested::NAME, RideAccepted::NAME, RideCancelled::NAME];
        assert_eq!(path(&ride("CANCELLED", "")).as_deref(), Some(&requested[..]));
        assert_eq!(path(&ride("CANCELLED", "ada")).as_deref(), Some(&accepted[..]));
        assert_eq!(path(&ride("LOST", "")), None);
    }

    #[test]
    fn old_events_need_not_be_kept_and_no_other_is_told() {
        let violated = |told: &[&str]| {
            let told: Vec<String> = told.iter().map(|name| (*name).to_owned()).collect();
            let mut findings = Findings::default();
            went(&mut findings, &ride("REQUESTED", ""), &told);
            findings.is_violated()
        };
        assert!(!violated(&[RideRequested::NAME]) && !violated(&[]));
        assert!(violated(&[RideAccepted::NAME]));
        assert!(violated(&[RideRequested::NAME, RideAccepted::NAME]));
    }
}
