//! C23: a length prefix that claims four gigabytes, of which nothing follows.
//!
//! In this process, as its address space is what tells: memory that is claimed and never used shows nowhere else.

use std::convert::Infallible;
use std::task::{Context, Poll};
use std::time::Duration;

use freehold_server::Server;
use freehold_wire::contract::Owner;
use freehold_wire::dispatch::{self, Answer};
use freehold_wire::{Access, Check, Contract, Criticality, Method, Retry, Rules, Violations};
use http::{Request, Response};
use prost::Message;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tonic::server::NamedService;

use crate::frames::{DATA, END_HEADERS, HEADERS, HELLO, PING, call, frame};
use crate::{PATIENCE, heard, memory};

/// Less than one claim, in KiB; other tests and their threads have room in it.
const MOST: u64 = 3 * 1024 * 1024;
const CONNECTIONS: usize = 8;

#[derive(Clone, PartialEq, Message)]
struct Note {
    #[prost(string, tag = "1")]
    text: String,
}

impl Check for Note {
    fn check(&self, _: &mut Violations) {}
}

const READ: Method<Note, Note> = Method::new(Rules {
    path: "/claim.v1.ClaimService/Read",
    deadline: Duration::from_secs(20),
    min_deadline: Duration::ZERO,
    retry: Retry::Safe,
    access: Access::Public,
    cache: None,
    criticality: Criticality::Default,
    streams: false,
});

static METHODS: [Rules; 1] = [*READ.rules()];
static CONTRACT: Contract = Contract {
    owners: &[Owner {
        name: "claim",
        contact: "",
        services: &["claim.v1.ClaimService"],
        methods: &METHODS,
        entities: &[],
        events: &[],
    }],
    consumers: &[],
    descriptors: &[],
};

#[derive(Clone)]
struct Claim;

impl NamedService for Claim {
    const NAME: &'static str = "claim.v1.ClaimService";
}

impl tower_service::Service<Request<Body>> for Claim {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Answer;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Answer {
        dispatch::read(&READ, request, |_, note: Note| async { Ok(note) })
    }
}

/// C23. The naive reader, which makes room for what it is told, is run as well.
#[tokio::test]
async fn a_length_that_is_claimed_takes_no_memory() {
    let bound = Server::new("claim", &CONTRACT).serve(Claim).bind().await.unwrap();
    let (address, shutdown) = (bound.addr(), CancellationToken::new());
    let served = tokio::spawn(bound.run(shutdown.clone()));
    let before = memory("VmPeak:");
    for _ in 0..CONNECTIONS {
        let begun = frame(HEADERS, END_HEADERS, 1, &call(READ.rules().path));
        let claimed = frame(DATA, 0, 1, &[0, 0xff, 0xff, 0xff, 0xff, 1]);
        let said = [HELLO, &begun, &claimed, &frame(PING, 0, 0, b"complete")].concat();
        let heard = heard(address, &said).await;
        assert!(heard.iter().any(|(kind, _)| *kind == HEADERS), "it is refused: {heard:?}");
    }
    assert!(memory("VmPeak:") - before < MOST, "room was made for what was claimed");
    let mut naive = Vec::<u8>::new();
    // A machine that gives so much to nobody proves the same.
    if naive.try_reserve_exact(u32::MAX as usize).is_ok() {
        assert!(memory("VmPeak:") - before > MOST, "this shows nothing");
    }
    shutdown.cancel();
    timeout(PATIENCE, served).await.unwrap().unwrap().unwrap();
}
