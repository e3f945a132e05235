//! A session's tokens as bytes: what travels in `freehold-token-bin`.
//!
//! One version byte, the encoded `TokenSet`, four bytes of CRC-32. The checksum finds damage, not forgery: a token grants
//! nothing, it only asks for freshness. **Invariant:** whatever the bytes, decoding answers within their length.

use std::collections::BTreeMap;

use prost::Message;

use crate::pb::{Token, TokenSet};

const VERSION: u8 = 1;
const CHECKSUM: usize = 4;
/// The most owners that a session remembers; a call that passes more services than this is refused.
pub const MAX_OWNERS: usize = 64;

/// Why bytes are no session, or a token cannot be met.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// The bytes were cut short or altered.
    #[error("the token is damaged: {0}")]
    Damaged(&'static str),
    /// The bytes were written by a newer version of the mesh.
    #[error("the token has format {0}; this service reads format 1")]
    Format(u8),
    /// The token names an owner that the reader does not copy from.
    #[error("the token is of owner `{found}`, this is `{expected}`")]
    ForeignOwner {
        /// Whose history it is compared with.
        expected: String,
        /// Whose token it is.
        found: String,
    },
    /// The token's epoch or mark is no part of the owner's history: the owner was restored, or the token is forged.
    #[error("the history of `{owner}` never reached this token (epoch {epoch:016x}, mark {mark})")]
    NeverReached {
        /// The owner.
        owner: String,
        /// The token's epoch.
        epoch: u64,
        /// The token's mark.
        mark: i64,
    },
}

/// Encodes a session's tokens, by owner.
#[must_use]
pub fn encode(tokens: &BTreeMap<String, Token>) -> Vec<u8> {
    let set = TokenSet::default().with_tokens(tokens.values().cloned());
    let mut bytes = Vec::with_capacity(1 + set.encoded_len() + CHECKSUM);
    bytes.push(VERSION);
    bytes.extend(set.encode_to_vec());
    let sum = crc32fast::hash(&bytes);
    bytes.extend(sum.to_le_bytes());
    bytes
}

/// Decodes a session's tokens.
///
/// # Errors
/// [`TokenError::Damaged`] or [`TokenError::Format`]; never a part of what was sent.
pub fn decode(bytes: &[u8]) -> Result<BTreeMap<String, Token>, TokenError> {
    let Some((body, sum)) = bytes.split_last_chunk::<CHECKSUM>() else {
        return Err(TokenError::Damaged("it is too short"));
    };
    if crc32fast::hash(body) != u32::from_le_bytes(*sum) {
        return Err(TokenError::Damaged("its checksum does not match"));
    }
    match body.split_first() {
        None => Err(TokenError::Damaged("it is too short")),
        Some((&VERSION, encoded)) => decode_set(encoded),
        Some((&other, _)) => Err(TokenError::Format(other)),
    }
}

fn decode_set(encoded: &[u8]) -> Result<BTreeMap<String, Token>, TokenError> {
    let set = TokenSet::decode(encoded).map_err(|_| TokenError::Damaged("it is not a token set"))?;
    if set.tokens.len() > MAX_OWNERS {
        return Err(TokenError::Damaged("it names too many owners"));
    }
    let mut tokens = BTreeMap::new();
    for token in set.tokens {
        if token.owner.is_empty() || token.mark < 0 {
            return Err(TokenError::Damaged("a token in it has no owner or a negative mark"));
        }
        if tokens.insert(token.owner.clone(), token).is_some() {
            return Err(TokenError::Damaged("it names an owner twice"));
        }
    }
    Ok(tokens)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens() -> BTreeMap<String, Token> {
        let token = |owner: &str, mark| Token::default().with_owner(owner).with_epoch(7).with_mark(mark);
        [token("catalog", 3), token("orders", 900)].map(|token| (token.owner.clone(), token)).into()
    }

    #[test]
    fn a_session_survives_the_wire() {
        assert_eq!(decode(&encode(&tokens())), Ok(tokens()));
    }

    /// R14: every single flipped bit and every cut is found.
    #[test]
    fn a_tampered_or_cut_token_is_a_typed_error() {
        let bytes = encode(&tokens());
        for at in 0..bytes.len() * 8 {
            let mut altered = bytes.clone();
            altered[at / 8] ^= 1 << (at % 8);
            assert!(decode(&altered).is_err(), "bit {at}");
        }
        for cut in 0..bytes.len() {
            assert!(decode(&bytes[..cut]).is_err(), "cut at {cut}");
        }
    }

    #[test]
    fn a_newer_format_says_so() {
        let mut bytes = encode(&tokens());
        bytes.truncate(bytes.len() - CHECKSUM);
        bytes[0] = 9;
        let sum = crc32fast::hash(&bytes);
        bytes.extend(sum.to_le_bytes());
        assert_eq!(decode(&bytes), Err(TokenError::Format(9)));
    }
}
