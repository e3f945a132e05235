//! The descriptors of a server that this command was not built with, by gRPC's reflection.
//!
//! It asks for the services, then for their files, then for the files that those import, until nothing is missing.
//! **Invariant:** a server that never stops naming further files is refused, not followed.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use freehold_contract::Model;
use freehold_sdk::{CallOptions, Channel, Error, Requests};
use freehold_wire::{Access, Criticality, Method, Retry, Rules};
use prost::Message;
use prost_types::FileDescriptorProto;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;
use tonic_reflection::pb::v1::{ServerReflectionRequest, ServerReflectionResponse};

/// How deep imports are followed, and how many files there may be.
const MOST_ROUNDS: usize = 64;
const MOST_FILES: usize = 4096;

const INFO: Method<ServerReflectionRequest, ServerReflectionResponse> = Method::new(Rules {
    path: "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    deadline: Duration::from_secs(5),
    min_deadline: Duration::ZERO,
    retry: Retry::Safe,
    access: Access::Public,
    cache: None,
    criticality: Criticality::Default,
    streams: true,
});

/// Why a server's descriptors are not known.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReflectError {
    #[error("failed to ask for the server's descriptors")]
    Call(#[from] Error),
    #[error("the server describes itself without end")]
    Endless,
    #[error("the server sent what is no descriptor")]
    Decode(#[from] prost::DecodeError),
    #[error("the server's descriptors do not fit together")]
    Load(#[from] freehold_contract::DescriptorsError),
}

/// The encoded files of a descriptor set: decoded ones would lose the options of the contract language.
#[derive(Clone, PartialEq, prost::Message)]
struct Files {
    #[prost(bytes = "vec", repeated, tag = "1")]
    file: Vec<Vec<u8>>,
}

/// Asks the server that the channel leads to.
pub(crate) async fn model(channel: &Channel) -> Result<Model, ReflectError> {
    let mut known = BTreeMap::new();
    let mut asked = services(channel).await?;
    for _ in 0..MOST_ROUNDS {
        let missing = take_in(&mut known, ask(channel, asked).await?)?;
        if known.len() > MOST_FILES {
            break;
        }
        if missing.is_empty() {
            let files = Files { file: known.into_values().collect() };
            return Ok(freehold_contract::load_descriptors(&files.encode_to_vec())?);
        }
        asked = missing.into_iter().map(MessageRequest::FileByFilename).collect();
    }
    Err(ReflectError::Endless)
}

async fn services(channel: &Channel) -> Result<Vec<MessageRequest>, ReflectError> {
    let listed = ask(channel, vec![MessageRequest::ListServices(String::new())]).await?;
    let names = listed.into_iter().flat_map(|answer| match answer {
        MessageResponse::ListServicesResponse(list) => list.service,
        _ => Vec::new(),
    });
    Ok(names.map(|service| MessageRequest::FileContainingSymbol(service.name)).collect())
}

async fn ask(
    channel: &Channel,
    questions: Vec<MessageRequest>,
) -> Result<Vec<MessageResponse>, ReflectError> {
    let request = |question| ServerReflectionRequest { host: String::new(), message_request: Some(question) };
    let requests = Requests::of(questions.into_iter().map(request).collect::<Vec<_>>());
    let mut replies = channel.duplex(&INFO, requests, &CallOptions::new()).await?;
    let mut answers = Vec::new();
    while let Some(reply) = replies.next().await {
        answers.extend(reply?.message_response);
    }
    Ok(answers)
}

/// Adds what the answers bring; the names of the files that are missing still. What the server refuses stays unknown.
fn take_in(
    known: &mut BTreeMap<String, Vec<u8>>,
    answers: Vec<MessageResponse>,
) -> Result<BTreeSet<String>, prost::DecodeError> {
    let mut imports = BTreeSet::new();
    for answer in answers {
        let MessageResponse::FileDescriptorResponse(files) = answer else { continue };
        for encoded in files.file_descriptor_proto {
            let file = FileDescriptorProto::decode(encoded.as_slice())?;
            imports.extend(file.dependency.iter().cloned());
            known.insert(file.name().to_owned(), encoded);
        }
    }
    Ok(imports.into_iter().filter(|name| !known.contains_key(name)).collect())
}

#[cfg(test)]
mod tests {
    use tonic_reflection::pb::v1::FileDescriptorResponse;

    use super::*;

    fn file(name: &str, imports: &[&str]) -> Vec<u8> {
        let dependency = imports.iter().map(ToString::to_string).collect();
        FileDescriptorProto { name: Some(name.to_owned()), dependency, ..Default::default() }.encode_to_vec()
    }

    fn answer(files: &[Vec<u8>]) -> MessageResponse {
        MessageResponse::FileDescriptorResponse(FileDescriptorResponse {
            file_descriptor_proto: files.to_vec(),
        })
    }

    #[test]
    fn imports_are_asked_for_until_none_is_missing() {
        let mut known = BTreeMap::new();
        let missing = take_in(&mut known, vec![answer(&[file("a", &["b", "c"]), file("b", &[])])]).unwrap();
        assert_eq!(missing, ["c".to_owned()].into());
        assert!(take_in(&mut known, vec![answer(&[file("c", &["a"])])]).unwrap().is_empty());
        assert_eq!(known.len(), 3);
    }

    #[test]
    fn what_is_no_descriptor_is_refused() {
        assert!(take_in(&mut BTreeMap::new(), vec![answer(&[b"\xff".to_vec()])]).is_err());
    }
}
