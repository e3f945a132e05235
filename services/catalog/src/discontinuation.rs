//! A discontinuation that has a name, and may therefore be taken back.
//!
//! **Invariant:** whichever of the two comes first, a discontinuation and its taking back leave the product as it was.

/// A named discontinuation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Discontinuation {
    /// Chosen by the caller.
    pub(crate) id: String,
    pub(crate) product_id: String,
    pub(crate) standing: Standing,
}

/// Whether it can be taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It ended the sale, and can be taken back.
    Revocable,
    /// The product was discontinued for good since: taking it back changes nothing in the product any more.
    Final,
    /// It was taken back, or never was and never will be.
    Reinstated,
}

impl Standing {
    const ALL: [Self; 3] = [Self::Revocable, Self::Final, Self::Reinstated];

    /// The word that the database keeps.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Revocable => "REVOCABLE",
            Self::Final => "FINAL",
            Self::Reinstated => "REINSTATED",
        }
    }

    /// The standing behind the database's word.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|standing| standing.as_str() == text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_standing_is_read_back_from_its_word() {
        for standing in Standing::ALL {
            assert_eq!(Standing::parse(standing.as_str()), Some(standing));
        }
        assert_eq!(Standing::parse("final"), None);
    }
}
