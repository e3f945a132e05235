//! A session: what one line of work has seen, as one token per owner, shared by everything that works on it.
//!
//! The SDK merges the tokens of each reply into it and sends it along with each call, so that a later read anywhere
//! sees what an earlier write did. Cloning shares the session.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::pb::Token;
use crate::token::{self, TokenError};

/// The tokens of one line of work, one per owner.
#[derive(Debug, Clone, Default)]
pub struct Session {
    tokens: Arc<Mutex<BTreeMap<String, Token>>>,
}

impl Session {
    /// A session that has seen nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A session that has seen `tokens`.
    #[must_use]
    pub fn of(tokens: impl IntoIterator<Item = Token>) -> Self {
        let session = Self::new();
        tokens.into_iter().for_each(|token| session.saw(token));
        session
    }

    /// Reads a session from the metadata bytes.
    ///
    /// # Errors
    /// [`TokenError`] for bytes that are no session.
    pub fn decode(bytes: &[u8]) -> Result<Self, TokenError> {
        Ok(Self { tokens: Arc::new(Mutex::new(token::decode(bytes)?)) })
    }

    /// The session as metadata bytes; `None` where it has seen nothing.
    #[must_use]
    pub fn encode(&self) -> Option<Vec<u8>> {
        let tokens = self.lock();
        (!tokens.is_empty()).then(|| token::encode(&tokens))
    }

    /// Notes a commit. Per owner the later one stays: marks ascend over all epochs of an owner, so a reply that was
    /// recorded before a restart never takes back what was seen since.
    pub fn saw(&self, token: Token) {
        let mut tokens = self.lock();
        match tokens.get(&token.owner) {
            Some(known) if known.mark > token.mark => {}
            _ => {
                tokens.insert(token.owner.clone(), token);
            }
        }
    }

    /// Notes all that `other` has seen.
    pub fn merge(&self, other: &Session) {
        for token in other.tokens() {
            self.saw(token);
        }
    }

    /// The token of `owner`, if this session has seen a commit of it.
    #[must_use]
    pub fn token(&self, owner: &str) -> Option<Token> {
        self.lock().get(owner).cloned()
    }

    /// All tokens, in the order of their owners.
    #[must_use]
    pub fn tokens(&self) -> Vec<Token> {
        self.lock().values().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Token>> {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(owner: &str, epoch: u64, mark: i64) -> Token {
        Token::default().with_owner(owner).with_epoch(epoch).with_mark(mark)
    }

    #[test]
    fn tokens_merge_by_maximum_per_owner() {
        let session = Session::of([token("a", 1, 5), token("b", 1, 1)]);
        session.merge(&Session::of([token("a", 1, 3), token("b", 1, 9), token("c", 2, 2)]));
        assert_eq!(session.tokens(), vec![token("a", 1, 5), token("b", 1, 9), token("c", 2, 2)]);
    }

    #[test]
    fn a_new_epoch_replaces_an_old_one() {
        let session = Session::of([token("a", 1, 500)]);
        session.saw(token("a", 2, 501));
        assert_eq!(session.token("a"), Some(token("a", 2, 501)));
    }

    /// C12, R16: a write is repeated after its owner was restarted, and answered with the token of the first time.
    #[test]
    fn a_reply_from_before_a_restart_takes_nothing_back() {
        let session = Session::of([token("orders", 2, 150)]);
        session.saw(token("orders", 1, 90));
        assert_eq!(session.token("orders"), Some(token("orders", 2, 150)));
        let heard_last = |known: &Token, new: &Token| known.epoch == new.epoch && known.mark >= new.mark;
        assert!(!heard_last(&token("orders", 2, 150), &token("orders", 1, 90)), "the planted rule loses it");
    }
}
