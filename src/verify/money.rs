//! Money is conserved: every movement sums to zero, every account is the sum of its entries, every cent that is ours was
//! captured and not refunded.

use std::collections::BTreeMap;

use freehold_store::vals;

use crate::verify::databases::{Moment, ReadError, cell};
use crate::verify::finding::Findings;

const CHECK: &str = "money";
const PAYMENTS: &str = "payments";

/// Checks the ledger against itself, the accounts and the payments.
pub(crate) async fn check(moment: &mut Moment, findings: &mut Findings) -> Result<(), ReadError> {
    movements(moment, findings).await?;
    let balances = balances(moment).await?;
    let of = |account: &str| balances.get(account).copied().unwrap_or(0);
    accounts(moment, findings, of).await?;
    let captured = captured(moment).await?;
    findings.equal(CHECK, "payments ledger", "the account `house`", of("house"), captured);
    let sum: i64 = balances.values().sum();
    findings.equal(CHECK, "payments ledger", "the sum of all entries", sum, 0);
    Ok(())
}

async fn movements(moment: &mut Moment, findings: &mut Findings) -> Result<(), ReadError> {
    let sql = "SELECT movement, CAST(SUM(amount_cents) AS BIGINT) AS sum, COUNT(*) AS entries FROM ledger_entry GROUP BY movement";
    for row in moment.rows(PAYMENTS, sql, vals![]).await? {
        let movement: String = cell(PAYMENTS, &row, "movement")?;
        let (sum, entries): (i64, i64) = (cell(PAYMENTS, &row, "sum")?, cell(PAYMENTS, &row, "entries")?);
        findings.equal(
            CHECK,
            format!("payments movement {movement}"),
            "(sum, entries)",
            (sum, entries),
            (0, 2),
        );
    }
    Ok(())
}

async fn balances(moment: &mut Moment) -> Result<BTreeMap<String, i64>, ReadError> {
    let sql = "SELECT account, CAST(SUM(amount_cents) AS BIGINT) AS sum FROM ledger_entry GROUP BY account";
    let rows = moment.rows(PAYMENTS, sql, vals![]).await?;
    rows.iter().map(|row| Ok((cell(PAYMENTS, row, "account")?, cell(PAYMENTS, row, "sum")?))).collect()
}

async fn accounts(
    moment: &mut Moment,
    findings: &mut Findings,
    of: impl Fn(&str) -> i64,
) -> Result<(), ReadError> {
    let sql = "SELECT a.customer_id, a.balance_cents, a.held_cents,
                   (SELECT CAST(COALESCE(SUM(p.amount_cents), 0) AS BIGINT) FROM payment p
                    WHERE p.customer_id = a.customer_id AND p.state = 'AUTHORISED') AS authorised
               FROM account a ORDER BY a.customer_id";
    for row in moment.rows(PAYMENTS, sql, vals![]).await? {
        let id: String = cell(PAYMENTS, &row, "customer_id")?;
        let held: i64 = cell(PAYMENTS, &row, "held_cents")?;
        let subject = format!("payments account {id}");
        let (spendable, reserved) = (of(&format!("customer:{id}")), of(&format!("held:{id}")));
        findings.equal(CHECK, &subject, "what is held", held, reserved);
        findings.equal(CHECK, &subject, "what is held", held, cell(PAYMENTS, &row, "authorised")?);
        let balance: i64 = cell(PAYMENTS, &row, "balance_cents")?;
        findings.equal(CHECK, &subject, "the balance", balance, spendable + reserved);
    }
    Ok(())
}

async fn captured(moment: &mut Moment) -> Result<i64, ReadError> {
    let sql =
        "SELECT CAST(COALESCE(SUM(amount_cents), 0) AS BIGINT) AS sum FROM payment WHERE state = 'CAPTURED'";
    let rows = moment.rows(PAYMENTS, sql, vals![]).await?;
    rows.first().map_or(Ok(0), |row| cell(PAYMENTS, row, "sum"))
}
