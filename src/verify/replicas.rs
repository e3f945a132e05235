//! Every replica is its owner's state: the same where it has caught up, a prefix of the history where it has not.
//!
//! Which copies there are, of what, with which columns, is read from the contracts. **Invariant:** a copy is never ahead
//! of its owner, never of another value than its version had, and never keeps what was deleted.

use std::collections::BTreeMap;

use freehold_contract::Model;
use freehold_contract::model::Replica;
use freehold_store::{Row, vals};
use prost_reflect::{DynamicMessage, Kind, MessageDescriptor, Value};

use crate::verify::databases::{Moment, ReadError, cell};
use crate::verify::finding::Findings;
use crate::verify::positions::Positions;

const CHECK: &str = "replicas";

/// A key as its owner shares it.
struct Owned {
    version: i64,
    deleted: bool,
    data: Option<Vec<u8>>,
}

/// Checks every copy of every consumer that has a database here.
pub(crate) async fn check(
    moment: &mut Moment,
    model: &Model,
    positions: &Positions,
    findings: &mut Findings,
) -> Result<(), ReadError> {
    for consumer in &model.consumers {
        for replica in &consumer.replicas {
            let name = freehold_sdk::CONTRACT.owner(&consumer.name).map(|owner| owner.name);
            let (Some(name), Some(shape)) = (name, model.pool.get_message_by_name(&replica.name)) else {
                continue;
            };
            if moment.has(name) && moment.has(&replica.owner) {
                one(moment, name, replica, &shape, positions, findings).await?;
            }
        }
    }
    Ok(())
}

async fn one(
    moment: &mut Moment,
    consumer: &'static str,
    replica: &Replica,
    shape: &MessageDescriptor,
    positions: &Positions,
    findings: &mut Findings,
) -> Result<(), ReadError> {
    let table = table(shape.name());
    if !moment.has_table(consumer, &table).await? {
        findings.lags(CHECK, format!("{consumer} {table}"), "does not exist yet".to_owned());
        return Ok(());
    }
    let subscription = format!("{consumer}/replica/{}", replica.name);
    let mark = positions
        .0
        .iter()
        .find(|position| position.subscription == subscription)
        .map(|position| position.mark);
    let mut owned = owned(moment, replica).await?;
    // Table names are the contracts': as few as there are declared copies, so that leaking the text is bounded.
    let sql: &'static str = format!("SELECT * FROM {table}").leak();
    for row in moment.rows(consumer, sql, vals![]).await? {
        let key: String = cell(consumer, &row, &replica.key)?;
        let subject = format!("{consumer} {table} {key}");
        let version: i64 = cell(consumer, &row, "freehold_version")?;
        match owned.remove(&key) {
            None => findings.violated(CHECK, subject, "is a copy of nothing".to_owned()),
            Some(owner) if version == owner.version => {
                same(findings, consumer, &subject, &row, &owner, replica, shape)?
            }
            Some(owner) if version > owner.version => {
                let problem = format!("is at version {version}, ahead of its owner at {}", owner.version);
                findings.violated(CHECK, subject, problem);
            }
            Some(owner) => {
                behind(moment, findings, replica, subject, &key, version, owner.version, mark).await?
            }
        }
    }
    for (key, owner) in owned {
        let subject = format!("{consumer} {table} {key}");
        behind(moment, findings, replica, subject, &key, 0, owner.version, mark).await?;
    }
    Ok(())
}

/// A copy that has caught up has the owner's values.
fn same(
    findings: &mut Findings,
    consumer: &'static str,
    subject: &str,
    row: &Row,
    owner: &Owned,
    replica: &Replica,
    shape: &MessageDescriptor,
) -> Result<(), ReadError> {
    let deleted: bool = cell(consumer, row, "freehold_deleted")?;
    findings.equal(CHECK, subject, "whether it is deleted", deleted, owner.deleted);
    if owner.deleted || deleted {
        return Ok(());
    }
    let data = owner.data.as_deref().unwrap_or_default();
    let Ok(message) = DynamicMessage::decode(shape.clone(), data) else {
        findings.violated(CHECK, subject, "its owner shares what does not decode".to_owned());
        return Ok(());
    };
    for field in &replica.fields {
        let Some(descriptor) = shape.get_field(field.number) else { continue };
        let value = message.get_field(&descriptor);
        match (&*value, descriptor.kind()) {
            (Value::String(text), _) => {
                findings.equal(
                    CHECK,
                    subject,
                    &field.name,
                    cell::<String>(consumer, row, &field.name)?,
                    text.clone(),
                );
            }
            (Value::Bool(flag), _) => {
                findings.equal(CHECK, subject, &field.name, cell::<bool>(consumer, row, &field.name)?, *flag);
            }
            (value, Kind::Message(_)) => {
                let _ = value;
            }
            (value, _) => {
                if let Some(number) = number(value) {
                    findings.equal(
                        CHECK,
                        subject,
                        &field.name,
                        cell::<i64>(consumer, row, &field.name)?,
                        number,
                    );
                }
            }
        }
    }
    Ok(())
}

fn number(value: &Value) -> Option<i64> {
    match value {
        Value::I32(number) | Value::EnumNumber(number) => Some(i64::from(*number)),
        Value::I64(number) => Some(*number),
        Value::U32(number) => Some(i64::from(*number)),
        Value::U64(number) => i64::try_from(*number).ok(),
        _ => None,
    }
}

/// A copy that is behind is late if its owner's next event lies after its position, and wrong if it lies before.
#[expect(clippy::too_many_arguments, reason = "both sides of a comparison, and where it is reported")]
async fn behind(
    moment: &mut Moment,
    findings: &mut Findings,
    replica: &Replica,
    subject: String,
    key: &str,
    version: i64,
    owners: i64,
    mark: Option<i64>,
) -> Result<(), ReadError> {
    let owner = freehold_sdk::CONTRACT.owner(&replica.owner).map_or("", |owner| owner.name);
    let sql = "SELECT MIN(mark) AS next FROM freehold_event WHERE entity = $1 AND key = $2 AND version > $3";
    let rows = moment.rows(owner, sql, vals![replica.of.as_str(), key, version]).await?;
    let next: Option<i64> = rows.first().map_or(Ok(None), |row| cell(owner, row, "next"))?;
    let problem = format!("is at version {version}, its owner at {owners}");
    match (next, mark) {
        (Some(next), Some(mark)) if next <= mark => {
            findings.violated(
                CHECK,
                subject,
                format!("{problem}, though the copy claims to have passed that"),
            );
        }
        _ => findings.lags(CHECK, subject, problem),
    }
    Ok(())
}

async fn owned(moment: &mut Moment, replica: &Replica) -> Result<BTreeMap<String, Owned>, ReadError> {
    let owner = freehold_sdk::CONTRACT.owner(&replica.owner).map_or("", |owner| owner.name);
    let sql = "SELECT key, version, deleted, data FROM freehold_entity WHERE entity = $1 AND version > 0";
    let mut owned = BTreeMap::new();
    for row in moment.rows(owner, sql, vals![replica.of.as_str()]).await? {
        let entity = Owned {
            version: cell(owner, &row, "version")?,
            deleted: cell(owner, &row, "deleted")?,
            data: cell(owner, &row, "data")?,
        };
        owned.insert(cell(owner, &row, "key")?, entity);
    }
    Ok(owned)
}

/// The table of a copy: "product_copy" for `ProductCopy`.
fn table(message: &str) -> String {
    let mut table = String::new();
    for letter in message.chars() {
        if letter.is_ascii_uppercase() && !table.is_empty() {
            table.push('_');
        }
        table.push(letter.to_ascii_lowercase());
    }
    table
}
