//! Every replacement of a product ended, and it is in the catalog and in the baskets, or in neither.

use std::collections::BTreeMap;

use freehold_store::vals;

use crate::verify::databases::{Moment, ReadError, cell};
use crate::verify::finding::Findings;

const CHECK: &str = "replacements";
const GATEWAY: &str = "gateway";

/// An owner that does a step of it: what it keeps of that step, by the replacement's id.
struct Owner {
    name: &'static str,
    /// What it keeps.
    what: &'static str,
    sql: &'static str,
    /// The states of a step that stands.
    stands: &'static [&'static str],
    /// What it refuses with where the id is somebody else's there.
    conflict: &'static str,
}

const OWNERS: [Owner; 2] = [
    Owner {
        name: "catalog",
        what: "its discontinuation",
        sql: "SELECT d.id, CASE WHEN p.state = 'ACTIVE' AND d.state <> 'REINSTATED' THEN 'BROKEN' ELSE d.state END AS state
              FROM discontinuation d LEFT JOIN product p ON p.id = d.product_id",
        stands: &["REVOCABLE", "FINAL"],
        conflict: "DISCONTINUATION_CONFLICT",
    },
    Owner {
        name: "orders",
        what: "its move",
        sql: "SELECT r.id, CASE WHEN r.state = 'MOVED' AND EXISTS
                  (SELECT 1 FROM basket_line l WHERE l.product_id = r.product_id) THEN 'BROKEN' ELSE r.state END AS state
              FROM replacement r",
        stands: &["MOVED"],
        conflict: "REPLACEMENT_CONFLICT",
    },
];

/// A replacement as the gateway's log has it.
struct Replacement {
    id: String,
    state: String,
    /// Why it was undone; empty where it was not.
    reason: String,
}

/// Checks every replacement.
pub(crate) async fn check(moment: &mut Moment, findings: &mut Findings) -> Result<(), ReadError> {
    let replacements = replacements(moment).await?;
    for replacement in replacements.iter().filter(|replacement| !replacement.has_ended()) {
        let problem = format!("is {}; it goes on when the mesh runs", replacement.state);
        findings.lags(CHECK, replacement.subject(), problem);
    }
    for owner in OWNERS.iter().filter(|owner| moment.has(owner.name)).collect::<Vec<_>>() {
        let kept = kept(moment, owner).await?;
        for replacement in replacements.iter().filter(|replacement| replacement.has_ended()) {
            owner.compare(findings, replacement, kept.get(&replacement.id).map(String::as_str));
        }
    }
    Ok(())
}

impl Replacement {
    fn subject(&self) -> String {
        format!("gateway replacement {}", self.id)
    }

    fn has_ended(&self) -> bool {
        self.is_done() || self.state == "compensated"
    }

    fn is_done(&self) -> bool {
        self.state == "done"
    }
}

impl Owner {
    fn compare(&self, findings: &mut Findings, replacement: &Replacement, kept: Option<&str>) {
        let stands = kept.is_some_and(|state| self.stands.contains(&state));
        let broken = kept == Some("BROKEN");
        if !replacement.is_done() && replacement.reason == self.conflict {
            return findings.compared();
        }
        if stands == replacement.is_done() && !broken {
            return findings.compared();
        }
        let problem = format!("is {}, and {} at {} is {kept:?}", replacement.state, self.what, self.name);
        findings.violated(CHECK, replacement.subject(), problem);
    }
}

async fn replacements(moment: &mut Moment) -> Result<Vec<Replacement>, ReadError> {
    let sql = "SELECT id, state, reason FROM freehold_saga WHERE name = 'replace_product' ORDER BY id";
    let rows = moment.rows(GATEWAY, sql, vals![]).await?;
    let text = |row, column| cell::<String>(GATEWAY, row, column);
    let replacement = |row| {
        Ok(Replacement { id: text(row, "id")?, state: text(row, "state")?, reason: text(row, "reason")? })
    };
    rows.iter().map(replacement).collect()
}

async fn kept(moment: &mut Moment, owner: &Owner) -> Result<BTreeMap<String, String>, ReadError> {
    let rows = moment.rows(owner.name, owner.sql, vals![]).await?;
    rows.iter().map(|row| Ok((cell(owner.name, row, "id")?, cell(owner.name, row, "state")?))).collect()
}
