//! The suite's service as a contract of ours: everybody may call, and nothing is sent twice.

use std::time::Duration;

use freehold_wire::contract::{Contract, Owner};
use freehold_wire::{Access, Criticality, Method, Retry, Rules};

use crate::messages::{
    Empty, SimpleRequest, SimpleResponse, StreamingInputCallRequest, StreamingInputCallResponse,
    StreamingOutputCallRequest, StreamingOutputCallResponse,
};

/// The suite's service.
pub(crate) const SERVICE: &str = "grpc.testing.TestService";

/// Nothing for nothing.
pub(crate) const EMPTY: Method<Empty, Empty> = method("/grpc.testing.TestService/EmptyCall");
/// One answer for one request.
pub(crate) const UNARY: Method<SimpleRequest, SimpleResponse> = method("/grpc.testing.TestService/UnaryCall");
/// Many requests, one answer.
pub(crate) const INPUT: Method<StreamingInputCallRequest, StreamingInputCallResponse> =
    streaming("/grpc.testing.TestService/StreamingInputCall");
/// One request, many answers.
pub(crate) const OUTPUT: Method<StreamingOutputCallRequest, StreamingOutputCallResponse> =
    streaming("/grpc.testing.TestService/StreamingOutputCall");
/// Many for many.
pub(crate) const DUPLEX: Method<StreamingOutputCallRequest, StreamingOutputCallResponse> =
    streaming("/grpc.testing.TestService/FullDuplexCall");
/// A method that the service does not have.
pub(crate) const NO_METHOD: Method<Empty, Empty> = method("/grpc.testing.TestService/UnimplementedCall");
/// A service that nobody has.
pub(crate) const NO_SERVICE: Method<Empty, Empty> =
    method("/grpc.testing.UnimplementedService/UnimplementedCall");

static METHODS: [Rules; 5] =
    [*EMPTY.rules(), *UNARY.rules(), *INPUT.rules(), *OUTPUT.rules(), *DUPLEX.rules()];

/// The contract.
pub(crate) static CONTRACT: Contract = Contract {
    owners: &[Owner {
        name: "testing",
        contact: "",
        services: &[SERVICE],
        methods: &METHODS,
        entities: &[],
        events: &[],
    }],
    consumers: &[],
    descriptors: &[],
};

const fn method<Request, Reply>(path: &'static str) -> Method<Request, Reply> {
    Method::new(rules(path, false))
}

const fn streaming<Request, Reply>(path: &'static str) -> Method<Request, Reply> {
    Method::new(rules(path, true))
}

const fn rules(path: &'static str, streams: bool) -> Rules {
    Rules {
        path,
        deadline: Duration::from_secs(60),
        min_deadline: Duration::ZERO,
        retry: Retry::Never,
        access: Access::Public,
        cache: None,
        criticality: Criticality::Default,
        streams,
    }
}
