//! Shares: the fixed parts into which the keys of a feed fall, so that several instances of one consumer divide its work.
//!
//! In goes a key, out comes its share; a set of them is a mask that travels in `SubscribeRequest.shares`. Both ends compute
//! the same. **Invariant:** a key's share never changes, so whoever has the share has all events of the key.

/// How many shares there are.
pub const SHARES: u32 = 64;

/// A set of shares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Shares(u64);

impl Shares {
    /// None of them.
    pub const NONE: Self = Self(0);
    /// All of them: every key.
    pub const ALL: Self = Self(u64::MAX);

    /// The set of a mask, share 0 in its lowest bit.
    #[must_use]
    pub const fn of_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// Its mask.
    #[must_use]
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// Whether it is empty.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// How many are in it.
    #[must_use]
    pub const fn count(self) -> u32 {
        self.0.count_ones()
    }

    /// Whether the events of this key are in it.
    #[must_use]
    pub fn has(self, key: &str) -> bool {
        self.0 == u64::MAX || self.0 & (1 << share(key)) != 0
    }

    /// Those in either.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Those that are not in the other.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// The highest `most` of them.
    #[must_use]
    pub fn highest(self, most: u32) -> Self {
        let mut rest = self.0;
        for _ in 0..self.count().saturating_sub(most) {
            rest &= rest - 1;
        }
        Self(rest)
    }
}

/// The share of a key, from 0 to 63.
///
/// FNV-1a of 64 bits (source: Fowler, Noll and Vo, draft-eastlake-fnv), whose halves are folded and multiplied by the golden
/// ratio, so that keys which differ in one digit spread (source: Knuth, The Art of Computer Programming 3, 6.4).
#[must_use]
pub fn share(key: &str) -> u32 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in key.bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    let mixed = (hash ^ (hash >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    u32::try_from(mixed >> 58).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_the_same_share_for_ever() {
        // Whoever changes these gives keys to other instances than the ones whose positions passed their events.
        assert_eq!(["", "k0", "k1", "0197f6a2-order", "é"].map(share), SHARES_OF_OLD);
    }

    #[test]
    fn keys_that_differ_little_spread_over_all_shares() {
        for width in [1, 6] {
            let mut counts = [0_u32; 64];
            for key in 0..6400 {
                counts[share(&format!("order-{key:0width$}")) as usize] += 1;
            }
            assert!(counts.iter().all(|count| (40..=190).contains(count)), "{counts:?}");
        }
    }

    #[test]
    fn sets_are_joined_taken_apart_and_cut() {
        let low = Shares::of_bits(0b111);
        assert_eq!(low.highest(2), Shares::of_bits(0b110));
        assert_eq!((low.highest(0), low.highest(9)), (Shares::NONE, low));
        assert_eq!(Shares::ALL.without(low).union(low), Shares::ALL);
        assert_eq!(Shares::ALL.count(), SHARES);
        let of_k0 = Shares::of_bits(1 << share("k0"));
        assert!(of_k0.has("k0") && !Shares::ALL.without(of_k0).has("k0"));
    }

    const SHARES_OF_OLD: [u32; 5] = [33, 11, 53, 57, 18];
}
