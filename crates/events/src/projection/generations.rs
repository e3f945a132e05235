//! The generations of a projection, in the consumer's database, and what is to happen to them when its consumer starts.
//!
//! `plan` decides in plain code; everything else reads and writes rows. **Invariant:** at most one generation is read
//! and at most one is building, and a generation that was left is never fed again.

use std::sync::Arc;

use freehold_store::{Engine, Queries, Row, StoreError, Work, vals};

use super::Projection;
use crate::position;

/// What a generation is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// It is built beside the one that is read.
    Building,
    /// It is read.
    Read,
    /// It was read, or was given up, and is to be swept.
    Left,
}

/// A generation that is not swept yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Generation {
    pub(crate) number: i64,
    pub(crate) version: i64,
    pub(crate) stage: Stage,
}

/// What keeps a generation that was left from being fed: asked in every unit of work that feeds it.
#[derive(Debug, Clone)]
pub(crate) struct Fence {
    pub(crate) projection: Arc<str>,
    pub(crate) generation: i64,
}

impl Stage {
    fn name(self) -> &'static str {
        match self {
            Self::Building => "building",
            Self::Read => "read",
            Self::Left => "left",
        }
    }

    fn of(name: &str) -> Result<Self, StoreError> {
        let all = [Self::Building, Self::Read, Self::Left];
        let unknown = || StoreError::Decode { column: "state".to_owned(), problem: format!("is `{name}`") };
        all.into_iter().find(|stage| stage.name() == name).ok_or_else(unknown)
    }
}

impl Fence {
    /// Lets the unit of work go on, or refuses it; until it ends the generation is not left.
    pub(crate) async fn pass(&self, work: &mut Work) -> Result<(), StoreError> {
        const LOOK: &str = "SELECT generation FROM freehold_projection \
                            WHERE projection = $1 AND generation = $2 AND state IN ('building', 'read')";
        const SHARE: &str = "SELECT generation FROM freehold_projection \
                             WHERE projection = $1 AND generation = $2 AND state IN ('building', 'read') \
                             FOR SHARE";
        let sql = if work.engine() == Engine::Sqlite { LOOK } else { SHARE };
        match work.one(sql, vals![&*self.projection, self.generation]).await? {
            Some(_) => Ok(()),
            None => {
                let (projection, generation) = (&self.projection, self.generation);
                Err(StoreError::Forbidden(format!("generation {generation} of `{projection}` was left")))
            }
        }
    }
}

/// What a consumer of `version` does when it starts: the generations that it leaves, and what it begins.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    pub(crate) leave: Vec<i64>,
    pub(crate) begin: Option<Stage>,
}

/// Plans; `blank`: the generation that is read has not taken anything in yet, so nothing is lost with it.
pub(crate) fn plan(generations: &[Generation], version: i64, blank: bool) -> Plan {
    let of = |stage| generations.iter().find(|generation| generation.stage == stage);
    let (read, building) = (of(Stage::Read), of(Stage::Building));
    let outdated = |generation: &&Generation| generation.version != version;
    let mut leave: Vec<i64> = building.filter(outdated).map(|building| building.number).into_iter().collect();
    let begin = match read {
        None => Some(Stage::Read),
        Some(read) if read.version == version => None,
        Some(_) if building.is_some_and(|building| building.version == version) => None,
        Some(read) if blank => {
            leave.push(read.number);
            Some(Stage::Read)
        }
        Some(_) => Some(Stage::Building),
    };
    Plan { leave, begin }
}

/// The generation that is read.
pub(crate) async fn read(queries: &mut impl Queries, projection: &str) -> Result<Option<i64>, StoreError> {
    const READ: &str = "SELECT generation FROM freehold_projection WHERE projection = $1 AND state = 'read'";
    queries.one(READ, vals![projection]).await?.map(|row| row.get("generation")).transpose()
}

/// The generations that are not swept, oldest first.
pub(crate) async fn all(queries: &mut impl Queries, projection: &str) -> Result<Vec<Generation>, StoreError> {
    const ALL: &str = "SELECT generation, version, state FROM freehold_projection \
                       WHERE projection = $1 AND state <> 'swept' ORDER BY generation";
    let rows = queries.all(ALL, vals![projection]).await?;
    rows.iter().map(from_row).collect()
}

/// The same, and no other unit may change them until this one ends.
pub(crate) async fn lock(work: &mut Work, projection: &str) -> Result<Vec<Generation>, StoreError> {
    const LOCK: &str = "SELECT generation, version, state FROM freehold_projection \
                        WHERE projection = $1 AND state <> 'swept' ORDER BY generation FOR UPDATE";
    if work.engine() == Engine::Sqlite {
        return all(work, projection).await;
    }
    let rows = work.all(LOCK, vals![projection]).await?;
    rows.iter().map(from_row).collect()
}

/// Carries out the plan of a consumer that starts.
pub(crate) async fn settle(work: &mut Work, projection: &Projection) -> Result<(), StoreError> {
    let generations = lock(work, projection.name()).await?;
    let read = generations.iter().find(|generation| generation.stage == Stage::Read);
    let blank = match read {
        Some(read) => position::load(work, &projection.subscription_name(read.number)).await?.is_none(),
        None => true,
    };
    let Plan { leave, begin } = plan(&generations, projection.version(), blank);
    for generation in leave {
        set(work, projection.name(), generation, Stage::Left).await?;
    }
    if let Some(stage) = begin {
        let reason = format!("version {}", projection.version());
        insert(work, (projection.name(), projection.version()), stage, &reason).await?;
    }
    Ok(())
}

/// Begins a rebuild, or answers the one that is under way: the generation that is built.
pub(crate) async fn begin(work: &mut Work, projection: &Projection, reason: &str) -> Result<i64, StoreError> {
    let generations = lock(work, projection.name()).await?;
    let of = |stage| generations.iter().find(|generation| generation.stage == stage);
    let named = (projection.name(), projection.version());
    match (of(Stage::Building), of(Stage::Read)) {
        (Some(building), _) => Ok(building.number),
        (None, Some(_)) => insert(work, named, Stage::Building, reason).await,
        (None, None) => insert(work, named, Stage::Read, reason).await,
    }
}

/// The same for a view that is known by its name alone: it is built by the reactions that build the one that is read.
/// `None` where there is no such view.
pub(crate) async fn begin_again(
    work: &mut Work,
    projection: &str,
    reason: &str,
) -> Result<Option<i64>, StoreError> {
    let generations = lock(work, projection).await?;
    let of = |stage| generations.iter().find(|generation| generation.stage == stage);
    match (of(Stage::Building), of(Stage::Read)) {
        (Some(building), _) => Ok(Some(building.number)),
        (None, Some(read)) => {
            insert(work, (projection, read.version), Stage::Building, reason).await.map(Some)
        }
        (None, None) => Ok(None),
    }
}

/// Moves a generation to another stage.
pub(crate) async fn set(
    work: &mut Work,
    projection: &str,
    generation: i64,
    stage: Stage,
) -> Result<(), StoreError> {
    const SET: &str = "UPDATE freehold_projection SET state = $3, \
                       read_ms = CASE WHEN $3 = 'read' THEN $4 ELSE read_ms END \
                       WHERE projection = $1 AND generation = $2";
    let now = work.now();
    work.exec(SET, vals![projection, generation, stage.name(), now]).await.map(drop)
}

/// Notes that nothing is left of a generation but its number.
pub(crate) async fn swept(work: &mut Work, projection: &str, generation: i64) -> Result<(), StoreError> {
    const SWEPT: &str = "UPDATE freehold_projection SET state = 'swept' \
                         WHERE projection = $1 AND generation = $2 AND state = 'left'";
    work.exec(SWEPT, vals![projection, generation]).await.map(drop)
}

async fn insert(
    work: &mut Work,
    (projection, version): (&str, i64),
    stage: Stage,
    reason: &str,
) -> Result<i64, StoreError> {
    const INSERT: &str = "INSERT INTO freehold_projection \
                          (projection, generation, version, state, reason, begun_ms, read_ms) \
                          SELECT $1, COALESCE(max(generation), 0) + 1, $2, $3, $4, $5, \
                              CASE WHEN $3 = 'read' THEN $5 END \
                          FROM freehold_projection WHERE projection = $1 RETURNING generation";
    let now = work.now();
    let values = vals![projection, version, stage.name(), reason, now];
    let row = work.one(INSERT, values).await?;
    row.map_or(Ok(0), |row| row.get("generation"))
}

fn from_row(row: &Row) -> Result<Generation, StoreError> {
    let stage: String = row.get("state")?;
    Ok(Generation { number: row.get("generation")?, version: row.get("version")?, stage: Stage::of(&stage)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn generation(number: i64, version: i64, stage: Stage) -> Generation {
        Generation { number, version, stage }
    }

    #[test]
    fn a_view_of_the_same_version_goes_on_and_so_does_its_rebuild() {
        let read = generation(1, 7, Stage::Read);
        let goes_on = Plan { leave: vec![], begin: None };
        assert_eq!(plan(&[read], 7, false), goes_on);
        assert_eq!(plan(&[read, generation(2, 7, Stage::Building)], 7, false), goes_on);
        assert_eq!(plan(&[], 7, true), Plan { leave: vec![], begin: Some(Stage::Read) });
    }

    /// E41: what was folded into an older shape is never read as the new one.
    #[test]
    fn a_view_of_another_version_is_built_anew_beside_the_old_one() {
        let (read, left) = (generation(3, 7, Stage::Read), generation(2, 6, Stage::Left));
        let anew = Plan { leave: vec![], begin: Some(Stage::Building) };
        assert_eq!(plan(&[left, read], 8, false), anew);
        assert_eq!(plan(&[left, read], 6, false), anew, "also where the older one comes back");
        let under_way = generation(4, 8, Stage::Building);
        assert_eq!(plan(&[read, under_way], 8, false), Plan { leave: vec![], begin: None });
        let blank = Plan { leave: vec![3], begin: Some(Stage::Read) };
        assert_eq!(plan(&[read], 8, true), blank, "there is nothing to be read meanwhile");
    }

    #[test]
    fn a_rebuild_of_another_version_is_given_up() {
        let building = generation(4, 8, Stage::Building);
        let read = generation(3, 7, Stage::Read);
        assert_eq!(plan(&[read, building], 7, false), Plan { leave: vec![4], begin: None });
        let anew = Plan { leave: vec![4], begin: Some(Stage::Building) };
        assert_eq!(plan(&[read, building], 9, false), anew);
    }
}
