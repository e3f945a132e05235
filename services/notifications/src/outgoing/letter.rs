//! Composes the message: salutation, body, signature; the event's id as its Message-ID.

use lettre::Message;
use lettre::message::{Mailbox, header};

use crate::mail::Mail;

const FROM: &str = "shop@freehold.example";
const DOMAIN: &str = "freehold.example";

/// The message; `None` where the address cannot be one.
pub(crate) fn compose(mail: &Mail, name: &str, email: &str) -> Result<Option<Message>, lettre::error::Error> {
    let (Ok(to), Ok(from)) = (email.parse(), FROM.parse()) else { return Ok(None) };
    let name = on_one_line(name);
    Message::builder()
        .message_id(Some(format!("<{}@{DOMAIN}>", mail.id)))
        .from(Mailbox::new(Some("The shop".to_owned()), from))
        .to(Mailbox::new(Some(name.clone()), to))
        .subject(mail.subject.as_str())
        .header(header::ContentType::TEXT_PLAIN)
        .body(format!("Dear {name},\n\n{}\n\nYour shop\n", mail.body))
        .map(Some)
}

/// What somebody calls himself, in characters that a header can hold.
fn on_one_line(name: &str) -> String {
    name.replace(char::is_control, " ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::test_runner::Config;

    use super::*;
    use crate::mail::News;

    #[test]
    fn a_message_carries_the_event_s_id() {
        let mail = News::Shipped.mail("0192-e1", "VINET", "10248");
        let message = compose(&mail, "Vins et alcools", "vinet@example.com").unwrap().unwrap();
        let text = String::from_utf8(message.formatted()).unwrap();
        assert!(text.contains("Message-ID: <0192-e1@freehold.example>"), "{text}");
        assert!(text.contains("Dear Vins et alcools,"), "{text}");
    }

    #[test]
    fn a_name_cannot_add_a_header() {
        let mail = News::Shipped.mail("e1", "VINET", "10248");
        let message = compose(&mail, "Eve\r\nBcc: all@example.com", "eve@example.com").unwrap().unwrap();
        assert_eq!(message.envelope().to().len(), 1);
        let text = String::from_utf8(message.formatted()).unwrap();
        let headers = text.split("\r\n\r\n").next().unwrap();
        assert!(!headers.lines().any(|line| line.starts_with("Bcc")), "{headers}");
    }

    proptest! {
        #![proptest_config(Config { failure_persistence: None, ..Config::default() })]

        /// A letter that cannot be composed would keep all others.
        #[test]
        fn whatever_somebody_or_something_is_called_there_is_a_letter(
            name in ".*|\\PC*|[\\x00-\\x7f]*",
            event in ".{0,64}|[\\x00-\\x7f]{0,64}",
            order in ".{0,64}|[\\x00-\\x7f]{0,64}",
        ) {
            let mail = News::Shipped.mail(&event, "VINET", &order);
            let message = compose(&mail, &name, "vinet@example.com").unwrap().unwrap();
            let text = String::from_utf8(message.formatted()).unwrap();
            let headers = text.split("\r\n\r\n").next().unwrap();
            let fields = headers.lines().filter(|line| !line.starts_with([' ', '\t'])).count();
            prop_assert_eq!(fields, 7, "{}", headers);
        }

        #[test]
        fn whatever_an_address_is_there_is_a_letter_or_none(email in ".*|[\\x00-\\x7f]*@[\\x00-\\x7f]*") {
            let mail = News::Shipped.mail("e1", "VINET", "10248");
            let message = compose(&mail, "Paul Henriot", &email).unwrap();
            prop_assert!(message.is_none_or(|message| message.envelope().to().len() == 1));
        }
    }
}
