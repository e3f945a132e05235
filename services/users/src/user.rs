//! A user as this service thinks of it.

/// Someone who can place orders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct User {
    /// Chosen at registration.
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) email: Email,
    pub(crate) address: Address,
    /// The team's own; never leaves this service.
    pub(crate) note: String,
    /// Milliseconds since 1970 UTC.
    pub(crate) registered_ms: i64,
}

/// A postal address; what is unknown is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) street: String,
    pub(crate) city: String,
    pub(crate) postal_code: String,
    pub(crate) country: String,
}

/// A mail address: something, one @, something, and no space.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Email(String);

impl Email {
    /// `None` for what cannot be one. Whether it is one, only a mail can tell.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (local, domain) = text.split_once('@')?;
        let fits = !local.is_empty() && !domain.is_empty() && !domain.contains('@');
        (fits && !text.contains(char::is_whitespace)).then(|| Self(text.to_owned()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_address_has_one_at_with_something_on_both_sides() {
        assert!(Email::parse("maria@example.com").is_some());
        for text in ["", "maria", "@example.com", "maria@", "a@b@c", "a b@c", "a@b\n"] {
            assert!(Email::parse(text).is_none(), "{text}");
        }
    }
}
