//! Between users on the wire and users in here.

use freehold_sdk::users::v1 as pb;
use freehold_wire::Entity;
use freehold_wire::reason::bad_field;
use tonic::Status;

use crate::user::{Address, Email, User};

/// The user as the contract describes it, private fields included.
pub(crate) fn entity(user: &User) -> pb::User {
    pb::User::default()
        .with_id(user.id.as_str())
        .with_name(user.name.as_str())
        .with_email(user.email.as_str())
        .with_address(
            pb::Address::default()
                .with_street(user.address.street.as_str())
                .with_city(user.address.city.as_str())
                .with_postal_code(user.address.postal_code.as_str())
                .with_country(user.address.country.as_str()),
        )
        .with_note(user.note.as_str())
        .with_registered_ms(user.registered_ms)
}

/// The user as others may see it.
pub(crate) fn reply(user: &User) -> pb::User {
    entity(user).shared()
}

/// A mail address out of the field `email`.
pub(crate) fn email(text: &str) -> Result<Email, Status> {
    Email::parse(text).ok_or_else(|| bad_field("email", "must be one mail address, such as name@example.com"))
}

/// An address; one that was not sent is unknown.
pub(crate) fn address(address: Option<pb::Address>) -> Address {
    let address = address.unwrap_or_default();
    Address {
        street: address.street,
        city: address.city,
        postal_code: address.postal_code,
        country: address.country,
    }
}
