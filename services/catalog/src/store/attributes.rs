//! The table `product_attributes`: a document per product that was ever given one.
//!
//! A document is text on SQLite and JSONB on PostgreSQL, so the statements that write it or look into it differ.

use freehold_store::{Engine, Queries, Row, StoreError, Work, vals};

use crate::attributes::{Attributes, Path};

/// The attributes of a product as they stand.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Kept {
    pub(crate) attributes: Attributes,
    /// How often they were set.
    pub(crate) version: i64,
}

/// The attributes of a product; `None` where it was never given any.
pub(crate) async fn find(queries: &mut impl Queries, product_id: &str) -> Result<Option<Kept>, StoreError> {
    let row = queries
        .one(
            "SELECT CAST(document AS TEXT) AS document, version FROM product_attributes WHERE product_id = $1",
            vals![product_id],
        )
        .await?;
    row.map(|row| from_row(&row)).transpose()
}

/// Writes all attributes of a product.
pub(crate) async fn save(work: &mut Work, product_id: &str, kept: &Kept) -> Result<(), StoreError> {
    const SQLITE: &str = "INSERT INTO product_attributes (product_id, document, version) VALUES ($1, $2, $3)
         ON CONFLICT (product_id) DO UPDATE SET document = excluded.document, version = excluded.version";
    const POSTGRES: &str = "INSERT INTO product_attributes (product_id, document, version)
         VALUES ($1, CAST($2 AS JSONB), $3)
         ON CONFLICT (product_id) DO UPDATE SET document = excluded.document, version = excluded.version";
    let sql = match work.engine() {
        Engine::Sqlite => SQLITE,
        Engine::Postgres => POSTGRES,
    };
    work.exec(sql, vals![product_id, kept.attributes.text(), kept.version]).await?;
    Ok(())
}

/// Removes all attributes of a product.
pub(crate) async fn delete(work: &mut Work, product_id: &str) -> Result<(), StoreError> {
    work.exec("DELETE FROM product_attributes WHERE product_id = $1", vals![product_id]).await?;
    Ok(())
}

/// The ids of at most `limit` products after an id that have something at the path: any value, or the one of that text
/// of JSON; by id.
pub(crate) async fn having(
    queries: &mut impl Queries,
    engine: Engine,
    path: &Path,
    value: Option<String>,
    after: &str,
    limit: i64,
) -> Result<Vec<String>, StoreError> {
    const SQLITE: &str = "SELECT product_id FROM product_attributes
         WHERE product_id > $1 AND document -> $2 IS NOT NULL AND ($3 IS NULL OR document -> $2 = $3)
         ORDER BY product_id LIMIT $4";
    const POSTGRES: &str = "SELECT product_id FROM product_attributes
         WHERE product_id > $1 AND document #> string_to_array($2, '.') IS NOT NULL
             AND (CAST($3 AS JSONB) IS NULL OR document #> string_to_array($2, '.') = CAST($3 AS JSONB))
         ORDER BY product_id LIMIT $4";
    let (sql, path) = match engine {
        Engine::Sqlite => (SQLITE, path.quoted()),
        Engine::Postgres => (POSTGRES, path.dotted().to_owned()),
    };
    let rows = queries.all(sql, vals![after, path, value, limit]).await?;
    rows.iter().map(|row| row.get("product_id")).collect()
}

fn from_row(row: &Row) -> Result<Kept, StoreError> {
    let document: String = row.get("document")?;
    let attributes =
        Attributes::parse(&document).ok_or_else(|| StoreError::decode("document", "is no object in JSON"))?;
    Ok(Kept { attributes, version: row.get("version")? })
}
