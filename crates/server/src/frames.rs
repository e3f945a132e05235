//! Where the frames of an HTTP/2 connection begin, and what each of them is: all that its nine-byte heads say.
//!
//! In: the bytes that a peer sends after its preface, in pieces of any size. Out: one [`Head`] per frame. Payloads are
//! counted, never looked at. Source: RFC 9113, section 4.1.

/// The length of a frame's head.
const HEAD: usize = 9;

/// The types of frames that matter here.
pub(crate) mod kind {
    /// Part of a message.
    pub(crate) const DATA: u8 = 0;
    /// The beginning of a call, or its trailers.
    pub(crate) const HEADERS: u8 = 1;
}

/// The head of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    /// The bytes after the head.
    pub(crate) length: u32,
    /// Its type.
    pub(crate) kind: u8,
}

/// Follows a stream of bytes from frame to frame.
#[derive(Debug, Default)]
pub(crate) struct Frames {
    head: [u8; HEAD],
    /// How much of the head is there.
    filled: usize,
    /// How much of the payload is still to come.
    payload: usize,
}

impl Frames {
    /// Takes of `bytes` until a head is complete; `None` when all of them are taken.
    pub(crate) fn next(&mut self, bytes: &mut &[u8]) -> Option<Head> {
        let skipped = self.payload.min(bytes.len());
        *bytes = &bytes[skipped..];
        self.payload -= skipped;
        let taken = (HEAD - self.filled).min(bytes.len());
        let (now, rest) = bytes.split_at(taken);
        self.head[self.filled..self.filled + taken].copy_from_slice(now);
        *bytes = rest;
        self.filled += taken;
        if self.filled < HEAD {
            return None;
        }
        let [a, b, c, kind, ..] = self.head;
        let length = u32::from_be_bytes([0, a, b, c]);
        (self.filled, self.payload) = (0, length as usize);
        Some(Head { length, kind })
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn encoded(heads: &[Head]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for head in heads {
            bytes.extend_from_slice(&head.length.to_be_bytes()[1..]);
            bytes.extend_from_slice(&[head.kind, 0xff, 0xff, 0xff, 0xff, 0xff]);
            bytes.extend(std::iter::repeat_n(0xff, head.length as usize));
        }
        bytes
    }

    proptest! {
        /// However the bytes are cut into pieces, the same frames are seen. The planted fault is a head that is read anew
        /// where a piece ends inside it.
        #[test]
        fn frames_are_seen_however_they_are_cut(
            frames in vec((0_u32..300, any::<u8>()), 0..20),
            cuts in vec(1_usize..40, 1..200),
        ) {
            let heads: Vec<Head> = frames.into_iter().map(|(length, kind)| Head { length, kind }).collect();
            let bytes = encoded(&heads);
            let (mut seen, mut frames, mut rest) = (Vec::new(), Frames::default(), &bytes[..]);
            for cut in cuts.into_iter().cycle() {
                if rest.is_empty() {
                    break;
                }
                let mut piece;
                (piece, rest) = rest.split_at(cut.min(rest.len()));
                while let Some(head) = frames.next(&mut piece) {
                    seen.push(head);
                }
                prop_assert!(piece.is_empty());
            }
            prop_assert_eq!(seen, heads);
        }
    }
}
