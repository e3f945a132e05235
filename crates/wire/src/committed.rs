//! A reply that rests on a commit.

use crate::pb::Token;

/// The reply of a unit of work that has committed, with the token of its commit.
///
/// A generated server answers a write with this alone, and only a store makes one: a write that answers before it is
/// durable does not compile.
#[derive(Debug, Clone, PartialEq)]
pub struct Committed<Reply> {
    reply: Reply,
    token: Token,
    replayed: bool,
}

impl<Reply> Committed<Reply> {
    /// Attests a commit. For stores: an architecture test refuses any other caller.
    #[doc(hidden)]
    #[must_use]
    pub fn attest(reply: Reply, token: Token, replayed: bool) -> Self {
        Self { reply, token, replayed }
    }

    /// The reply.
    #[must_use]
    pub fn reply(&self) -> &Reply {
        &self.reply
    }

    /// Which commit a later read must see to see this write.
    #[must_use]
    pub fn token(&self) -> &Token {
        &self.token
    }

    /// Whether this reply was recorded by an earlier call under the same idempotency key.
    #[must_use]
    pub fn replayed(&self) -> bool {
        self.replayed
    }

    /// The same commit with its reply in another shape.
    #[must_use]
    pub fn map<Other>(self, shape: impl FnOnce(Reply) -> Other) -> Committed<Other> {
        Committed { reply: shape(self.reply), token: self.token, replayed: self.replayed }
    }

    /// The reply and the token.
    #[must_use]
    pub fn into_parts(self) -> (Reply, Token) {
        (self.reply, self.token)
    }
}
