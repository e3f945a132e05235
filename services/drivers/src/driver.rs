//! A driver as this service thinks of it.

/// Someone who drives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Driver {
    /// Chosen at registration.
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) phone: Phone,
    pub(crate) standing: Standing,
    pub(crate) vehicle: Vehicle,
    pub(crate) rating: Rating,
    /// Milliseconds since 1970 UTC.
    pub(crate) registered_ms: i64,
}

/// Whether a driver may take rides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    Good,
    Suspended,
}

/// What a driver drives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Vehicle {
    pub(crate) plate: String,
    pub(crate) model: String,
    /// At least one.
    pub(crate) seats: i32,
}

/// All ratings of a driver in two sums, so that the next one needs no other.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Rating {
    /// Of all ratings together.
    pub(crate) stars: i64,
    pub(crate) ratings: i64,
}

/// A phone number: digits, and what people write between them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Phone(String);

impl Phone {
    /// `None` for what cannot be one. Whether it is one, only a call can tell.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let fits = |sign: char| sign.is_ascii_digit() || " +-/().".contains(sign);
        let digits = text.chars().filter(char::is_ascii_digit).count();
        (digits >= 3 && text.chars().all(fits)).then(|| Self(text.to_owned()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl Standing {
    /// The word that the database keeps.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Good => "GOOD",
            Self::Suspended => "SUSPENDED",
        }
    }

    /// The standing behind the database's word.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        [Self::Good, Self::Suspended].into_iter().find(|standing| standing.as_str() == text)
    }
}

impl Rating {
    /// With one more of so many stars.
    pub(crate) fn and(self, stars: i32) -> Self {
        Self { stars: self.stars + i64::from(stars), ratings: self.ratings + 1 }
    }

    /// The mean in hundredths of a star, rounded half up; 0 where there are no ratings.
    pub(crate) fn hundredths(self) -> i32 {
        let mean = (self.stars * 200 + self.ratings).checked_div(self.ratings * 2).unwrap_or(0);
        i32::try_from(mean).unwrap_or(i32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rated(all: &[i32]) -> Rating {
        all.iter().fold(Rating::default(), |rating, stars| rating.and(*stars))
    }

    #[test]
    fn a_rating_is_the_mean_rounded_half_up() {
        assert_eq!(rated(&[]).hundredths(), 0);
        assert_eq!(rated(&[5]).hundredths(), 500);
        assert_eq!(rated(&[5, 4, 4]).hundredths(), 433);
        assert_eq!(rated(&[5, 5, 4]).hundredths(), 467);
        assert_eq!(rated(&[1, 1, 1, 1, 1, 1, 1, 2]).hundredths(), 113, "1.125");
    }

    #[test]
    fn a_phone_number_has_digits_and_no_letters() {
        assert!(Phone::parse("+49 (30) 123-45/6").is_some());
        for text in ["", "12", "call me", "030 123x", "030\n123"] {
            assert!(Phone::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn every_standing_is_read_back_from_its_word() {
        for standing in [Standing::Good, Standing::Suspended] {
            assert_eq!(Standing::parse(standing.as_str()), Some(standing));
        }
        assert_eq!(Standing::parse("good"), None);
    }
}
