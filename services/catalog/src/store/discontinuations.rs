//! The table `discontinuation`: one row per name that was ever given or taken back, for ever.

use freehold_store::{Queries, Row, StoreError, Work, vals};

use crate::discontinuation::{Discontinuation, Standing};

/// Writes a discontinuation. Its product is locked.
pub(crate) async fn save(work: &mut Work, discontinuation: &Discontinuation) -> Result<(), StoreError> {
    work.exec(
        "INSERT INTO discontinuation (id, product_id, state) VALUES ($1, $2, $3)
         ON CONFLICT (id) DO UPDATE SET state = excluded.state",
        vals![
            discontinuation.id.as_str(),
            discontinuation.product_id.as_str(),
            discontinuation.standing.as_str(),
        ],
    )
    .await?;
    Ok(())
}

/// Makes what stands of a product final.
pub(crate) async fn make_final(work: &mut Work, product_id: &str) -> Result<(), StoreError> {
    work.exec(
        "UPDATE discontinuation SET state = 'FINAL' WHERE product_id = $1 AND state = 'REVOCABLE'",
        vals![product_id],
    )
    .await?;
    Ok(())
}

/// The discontinuation of that name.
pub(crate) async fn find(
    queries: &mut impl Queries,
    id: &str,
) -> Result<Option<Discontinuation>, StoreError> {
    let row =
        queries.one("SELECT id, product_id, state FROM discontinuation WHERE id = $1", vals![id]).await?;
    row.map(|row| from_row(&row)).transpose()
}

fn from_row(row: &Row) -> Result<Discontinuation, StoreError> {
    let state: String = row.get("state")?;
    Ok(Discontinuation {
        id: row.get("id")?,
        product_id: row.get("product_id")?,
        standing: Standing::parse(&state)
            .ok_or_else(|| StoreError::decode("state", "holds no state of a discontinuation"))?,
    })
}
