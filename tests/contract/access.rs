//! C32: every caller and every method, over the wire. Generated from the contracts: an RPC or a consumer that is added
//! is tried without an edit here.

use freehold_wire::reason;
use tonic::{Code, Status};

use crate::contract::{MODEL, Rpc, callers, consumer, declares, language, rpcs, sharing};
use crate::mesh::shared;
use crate::wire::{Answer, Wire, named};

/// C32. Permission is denied if and only if the needs, read from their own texts, do not declare the call; and then the
/// error names the line and the file.
#[tokio::test]
async fn every_caller_may_call_what_its_needs_declare_and_nothing_else() {
    let mesh = shared().await;
    let wires = mesh.up().wires().await;
    let mut tried = 0;
    for rpc in rpcs() {
        for caller in callers() {
            let answer = wires[&rpc.owner.name].call(rpc.full_name(), &named(caller), []).await;
            judge(&rpc, caller, &answer)
                .unwrap_or_else(|wrong| panic!("{caller:?} calls {}: {wrong}", rpc.full_name()));
            tried += 1;
        }
    }
    assert_eq!(tried, rpcs().len() * callers().len());
}

/// The judge of the test above finds a server that lets everybody in, one that lets nobody in, one that keeps the line
/// to itself, and one that names another.
#[test]
fn a_wrong_decision_or_a_wrong_line_is_found() {
    let rpc = |name: &str| rpcs().into_iter().find(|rpc| rpc.full_name() == name).unwrap();
    let erase = rpc("users.v1.UsersService/EraseUser");
    let demo = Some("demo");
    assert!(judge(&erase, demo, &Ok(nothing())).is_err(), "everybody is let in");
    assert!(judge(&erase, Some("backoffice"), &Err(denied("no"))).is_err(), "nobody is let in");
    assert!(judge(&erase, demo, &Err(denied("no"))).is_err(), "the line is kept");
    let right = missing(&erase, demo).join(": ");
    assert_eq!(judge(&erase, demo, &Err(denied(&right))), Ok(()));
    let other = right.replace("EraseUser", "UpdateUser");
    assert!(judge(&erase, demo, &Err(denied(&other))).is_err(), "another line is named");
    let bare = Status::permission_denied(right);
    assert!(judge(&erase, demo, &Err(bare)).is_err(), "without a reason to match on");
}

/// The feed and the directory are open to everybody as far as the call goes; what a feed gives is decided by type.
#[tokio::test]
async fn every_caller_may_call_the_feeds_and_the_directory() {
    let mesh = shared().await;
    let wires = mesh.up().wires().await;
    for owner in sharing() {
        for method in language("Feed") {
            is_open(&wires[&owner.name], &method.full_name).await;
        }
    }
    let directory = Wire::to(mesh.up().directory()).await;
    for method in language("Directory") {
        is_open(&directory, &method.full_name).await;
    }
}

async fn is_open(wire: &Wire, method: &str) {
    for caller in callers() {
        let answer = wire.call(method, &named(caller), []).await;
        let fine = answer.as_ref().err().is_none_or(|status| status.code() == Code::InvalidArgument);
        assert!(fine, "{caller:?} calls {method}: {answer:?}");
    }
}

/// A method is served where its owner is, and nowhere else, whoever asks.
#[tokio::test]
async fn no_service_answers_for_another() {
    let mesh = shared().await;
    let wires = mesh.up().wires().await;
    for rpc in rpcs() {
        for (name, wire) in wires.iter().filter(|(name, _)| **name != rpc.owner.name) {
            let status = wire.call(rpc.full_name(), &named(Some(rpc.caller())), []).await.unwrap_err();
            assert_eq!(status.code(), Code::Unimplemented, "{} at {name}: {status}", rpc.full_name());
            assert_eq!(reason::of(&status), "UNIMPLEMENTED", "{} at {name}", rpc.full_name());
        }
    }
}

/// Whether the answer is what the needs call for.
fn judge(rpc: &Rpc, caller: Option<&str>, answer: &Result<Answer, Status>) -> Result<(), String> {
    let declared =
        caller.and_then(consumer).is_some_and(|consumer| declares(&MODEL, consumer, rpc.full_name()));
    let refused = answer.as_ref().err();
    if declared || rpc.method.rules.public {
        // An empty message is taken, or refused for what is in it.
        return match refused {
            None => Ok(()),
            Some(status) if status.code() == Code::InvalidArgument => Ok(()),
            Some(status) => Err(format!("declared, and refused with {status}")),
        };
    }
    let status = refused.ok_or("not declared, and let in")?;
    if status.code() != Code::PermissionDenied || reason::of(status) != "UNDECLARED" {
        return Err(format!("not declared, and answered with {status}"));
    }
    let unsaid = missing(rpc, caller).into_iter().find(|part| !status.message().contains(part));
    unsaid.map_or(Ok(()), |part| Err(format!("`{}` does not say {part}", status.message())))
}

/// What a refusal has to say: the line that is missing, and the file that it belongs into.
fn missing(rpc: &Rpc, caller: Option<&str>) -> Vec<String> {
    let line = format!("option (freehold.v1.calls) = {{ method: \"{}\" }};", rpc.full_name());
    match caller.map(|name| (name, consumer(name))) {
        None => vec![rpc.full_name().to_owned(), "freehold-caller".to_owned()],
        Some((name, None)) => vec![format!("`{name}`"), "needs.proto".to_owned(), line],
        Some((name, Some(consumer))) => vec![format!("`{name}`"), consumer.file.clone(), line],
    }
}

fn nothing() -> Answer {
    Answer { message: Vec::new(), metadata: tonic::metadata::MetadataMap::new() }
}

fn denied(message: &str) -> Status {
    freehold_wire::Reason::PermissionDenied.because("UNDECLARED", message)
}
