//! Comparing where a copy stands with what a token asks for; nothing else compares marks of different origins.
//!
//! An owner's marks ascend over all its epochs. An epoch begins at its first mark and ends below the first mark of the
//! next one, so a token or position outside its epoch's range belongs to a history that this owner does not have.

use crate::pb::{Epoch, Position, Token};
use crate::token::TokenError;

/// How far a copy has come in an owner's history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watermark {
    owner: String,
    epochs: Vec<Epoch>,
    mark: i64,
}

/// What a watermark knows of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coverage {
    /// The copy contains the token's commit.
    Covered,
    /// The copy is behind the token.
    Behind,
    /// The token is of an epoch that the copy has not heard of: newer, or of another history. Only the owner knows.
    UnknownEpoch,
}

impl Watermark {
    /// A watermark in `owner`'s history: its epochs, oldest first, and the last mark that has been applied.
    #[must_use]
    pub fn new(owner: impl Into<String>, epochs: Vec<Epoch>, mark: i64) -> Self {
        Self { owner: owner.into(), epochs, mark }
    }

    /// The owner.
    #[must_use]
    pub fn owner(&self) -> &str {
        &self.owner
    }

    /// The last mark that has been applied.
    #[must_use]
    pub fn mark(&self) -> i64 {
        self.mark
    }

    /// Notes that everything up to a mark has been applied; a watermark never goes back.
    pub fn advance(&mut self, mark: i64) {
        self.mark = self.mark.max(mark);
    }

    /// The owner's epochs as far as they are known, oldest first.
    #[must_use]
    pub fn epochs(&self) -> &[Epoch] {
        &self.epochs
    }

    /// Whether the copy contains the commit that `token` names.
    ///
    /// # Errors
    /// [`TokenError::ForeignOwner`] for another owner's token, [`TokenError::NeverReached`] for one outside its epoch.
    pub fn covers(&self, token: &Token) -> Result<Coverage, TokenError> {
        if token.owner != self.owner {
            return Err(TokenError::ForeignOwner {
                expected: self.owner.clone(),
                found: token.owner.clone(),
            });
        }
        let never =
            || TokenError::NeverReached { owner: self.owner.clone(), epoch: token.epoch, mark: token.mark };
        match locate(&self.epochs, token.epoch, token.mark) {
            Place::Outside => Err(never()),
            Place::Unknown => Ok(Coverage::UnknownEpoch),
            Place::Within if token.mark <= self.mark => Ok(Coverage::Covered),
            Place::Within => Ok(Coverage::Behind),
        }
    }

    /// Whether the owner's history contains `position`; for the owner itself, whose watermark is its head.
    ///
    /// # Errors
    /// [`TokenError::NeverReached`] where it does not.
    pub fn reached(&self, position: &Position) -> Result<(), TokenError> {
        match locate(&self.epochs, position.epoch, position.mark) {
            Place::Within if position.mark <= self.mark => Ok(()),
            _ => Err(TokenError::NeverReached {
                owner: self.owner.clone(),
                epoch: position.epoch,
                mark: position.mark,
            }),
        }
    }
}

enum Place {
    Within,
    Outside,
    Unknown,
}

/// A commit that wrote no event carries the mark before the epoch's first.
fn locate(epochs: &[Epoch], id: u64, mark: i64) -> Place {
    let Some(index) = epochs.iter().position(|epoch| epoch.id == id) else { return Place::Unknown };
    let ended = epochs.get(index + 1).is_some_and(|next| mark >= next.first);
    if ended || mark < epochs[index].first - 1 { Place::Outside } else { Place::Within }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watermark() -> Watermark {
        let epoch = |id, first| Epoch::default().with_id(id).with_first(first);
        Watermark::new("catalog", vec![epoch(10, 1), epoch(20, 101)], 150)
    }

    fn token(owner: &str, epoch: u64, mark: i64) -> Token {
        Token::default().with_owner(owner).with_epoch(epoch).with_mark(mark)
    }

    #[test]
    fn a_token_is_covered_up_to_the_mark() {
        assert_eq!(watermark().covers(&token("catalog", 10, 100)), Ok(Coverage::Covered));
        assert_eq!(watermark().covers(&token("catalog", 20, 100)), Ok(Coverage::Covered));
        assert_eq!(watermark().covers(&token("catalog", 20, 150)), Ok(Coverage::Covered));
        assert_eq!(watermark().covers(&token("catalog", 20, 151)), Ok(Coverage::Behind));
    }

    #[test]
    fn an_unheard_epoch_is_left_to_the_owner() {
        assert_eq!(watermark().covers(&token("catalog", 30, 1)), Ok(Coverage::UnknownEpoch));
    }

    /// R14, R6: a token of another owner or of a history that was lost is an error, never a wait.
    #[test]
    fn a_foreign_token_and_a_lost_history_are_typed_errors() {
        assert!(matches!(watermark().covers(&token("users", 10, 1)), Err(TokenError::ForeignOwner { .. })));
        assert!(matches!(
            watermark().covers(&token("catalog", 10, 101)),
            Err(TokenError::NeverReached { .. })
        ));
        assert!(matches!(
            watermark().covers(&token("catalog", 20, 50)),
            Err(TokenError::NeverReached { .. })
        ));
        let ahead = Position::default().with_epoch(20).with_mark(151);
        assert!(matches!(watermark().reached(&ahead), Err(TokenError::NeverReached { .. })));
    }
}
