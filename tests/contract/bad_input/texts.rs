//! Texts that break naive programs: they are refused by name, or kept as they are.

use freehold_sdk::Session;
use freehold_sdk::users::v1::{GetUserRequest, RegisterUserRequest};
use freehold_wire::prost::Message;

use super::{Services, feeds, is_typed};
use crate::contract::rpcs;
use crate::mesh::shared;
use crate::messages::with_texts;
use crate::world::Clients;

/// What they are, and the texts.
const ODD: [(&str, &str); 14] = [
    ("is a space", " "),
    ("has line ends", "a\r\nb"),
    ("has control characters", "\u{1}\u{7}\u{1b}[31m\u{7f}"),
    ("begins with a byte order mark", "\u{feff}name"),
    ("runs from right to left", "\u{202e}eman"),
    ("has a combining mark alone", "\u{301}"),
    ("is a family of emoji", "\u{1F468}\u{200D}\u{1F469}\u{200D}\u{1F467}"),
    ("has what is no character", "\u{ffff}\u{fffe}\u{10ffff}"),
    ("spells out a surrogate", "\\ud800"),
    ("has the replacement character", "\u{fffd}"),
    ("is SQL", "'; DROP TABLE app_user; --"),
    ("is a pattern", "%_*?[a-z]"),
    ("is a path", "../../etc/passwd"),
    ("is a template", "{{7*7}} ${PATH} %s %n"),
];

/// In any text of any RPC, also in those that the contract sets no limit to, a NUL included.
#[tokio::test]
async fn an_odd_text_gets_a_typed_answer_anywhere() {
    let mesh = shared().await;
    let services = Services::of(&mesh).await;
    let odd: Vec<(&'static str, &str)> =
        ODD.into_iter().chain([("holds a NUL", "a\0b"), ("is empty", "")]).collect();
    for rpc in rpcs().into_iter().chain(feeds()) {
        for sample in with_texts(&rpc.request(), &odd) {
            if let Err(status) = services.call(&rpc, sample.message.encode_to_vec()).await {
                let what = format!("{}: {} {}: {status}", rpc.full_name(), sample.path, sample.how);
                assert!(is_typed(&status), "{what}");
            }
        }
    }
}

#[tokio::test]
async fn an_odd_text_is_kept_as_it_is() {
    let mesh = shared().await;
    let demo = Clients::of(mesh.up(), "demo", &Session::new());
    for (number, (how, text)) in ODD.into_iter().enumerate() {
        let id = format!("odd-{number}-{text}");
        let user =
            RegisterUserRequest::default().with_id(id.as_str()).with_name(text).with_email("odd@example.com");
        let registered = demo.users.register_user(user).await.unwrap();
        let read = demo.users.get_user(GetUserRequest::default().with_id(id.as_str())).await.unwrap();
        assert_eq!((read.id.as_str(), read.name.as_str()), (id.as_str(), text), "a name that {how}");
        assert_eq!(read, registered);
    }
}
