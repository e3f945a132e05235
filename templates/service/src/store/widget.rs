//! The table `app_widget`.

use freehold_store::{Queries, Row, StoreError, Work, vals};

use crate::convert;
use crate::widget::Widget;

/// Writes the row, and what the mesh shares of it: the one place that does.
pub(crate) async fn save(work: &mut Work, widget: &Widget) -> Result<(), StoreError> {
    work.exec(
        "INSERT INTO app_widget (id, name) VALUES ($1, $2)
         ON CONFLICT (id) DO UPDATE SET name = excluded.name",
        vals![widget.id.as_str(), widget.name.as_str()],
    )
    .await?;
    work.put(&convert::entity(widget)).await?;
    Ok(())
}

/// The one of that id.
pub(crate) async fn find(queries: &mut impl Queries, id: &str) -> Result<Option<Widget>, StoreError> {
    let row = queries
        .one(
            "SELECT app_widget.id, app_widget.name
             FROM app_widget
             WHERE app_widget.id = $1",
            vals![id],
        )
        .await?;
    row.map(|row| from_row(&row)).transpose()
}

fn from_row(row: &Row) -> Result<Widget, StoreError> {
    Ok(Widget { id: row.get("id")?, name: row.get("name")? })
}
