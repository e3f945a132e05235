//! Health and reflection: public, and about what is served.

use freehold_client::{CallOptions, Code, Mesh};
use freehold_server::Server;
use freehold_server::directory::Directory;
use freehold_wire::directory::DirectoryServiceServer;
use prost::Message;
use tokio::time::timeout;
use tokio_stream::StreamExt;
use tonic::server::NamedService;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};
use tonic_reflection::pb::{v1, v1alpha};

use crate::echo::{CONTRACT, Echo, PATIENCE, READ, Served, note};

/// A client of any service, without the mesh's metadata: health and reflection want none.
async fn grpc(served: &Served) -> tonic::client::Grpc<tonic::transport::Channel> {
    let endpoint = tonic::transport::Endpoint::from_shared(served.url()).unwrap();
    let mut grpc = tonic::client::Grpc::new(endpoint.connect().await.unwrap());
    grpc.ready().await.unwrap();
    grpc
}

fn codec<Out: Message + 'static, In: Message + Default + 'static>() -> freehold_wire::codec::Protobuf<Out, In>
{
    freehold_wire::codec::Protobuf::default()
}

#[tokio::test]
async fn each_service_has_a_health_of_its_own() {
    let served = Echo::new().serve().await;
    for (service, code) in [("", Code::Ok), (Echo::NAME, Code::Ok), ("nobody.v1.Nobody", Code::NotFound)] {
        let request = tonic::Request::new(HealthCheckRequest { service: service.to_owned() });
        let path = "/grpc.health.v1.Health/Check".parse().unwrap();
        let codec = codec::<HealthCheckRequest, HealthCheckResponse>();
        match grpc(&served).await.unary(request, path, codec).await {
            Ok(answer) => assert_eq!(answer.get_ref().status(), ServingStatus::Serving, "{service}"),
            Err(status) => assert_eq!(status.code(), code, "{service}"),
        }
    }
}

/// C22: readiness flips first.
#[tokio::test]
async fn a_watcher_hears_of_the_end_before_it_comes() {
    let served = Echo::new().serve().await;
    let request = tonic::Request::new(HealthCheckRequest { service: Echo::NAME.to_owned() });
    let path = "/grpc.health.v1.Health/Watch".parse().unwrap();
    let codec = codec::<HealthCheckRequest, HealthCheckResponse>();
    let mut watch = grpc(&served).await.server_streaming(request, path, codec).await.unwrap().into_inner();
    assert_eq!(watch.next().await.unwrap().unwrap().status(), ServingStatus::Serving);
    served.shutdown.cancel();
    let next = timeout(PATIENCE, watch.next()).await.unwrap();
    assert_eq!(next.unwrap().unwrap().status(), ServingStatus::NotServing);
    let last = timeout(PATIENCE, watch.next()).await.unwrap().unwrap().unwrap_err();
    assert_eq!((last.code(), &*freehold_wire::reason::of(&last)), (Code::Unavailable, "ENDING"));
}

/// The directory is all that an outside program has to know.
#[tokio::test]
async fn a_mesh_is_found_through_its_directory() {
    let served = Echo::new().serve().await;
    let listed = DirectoryServiceServer::new(Directory::new([("first", served.url())]));
    let directory = Served::of(Server::new("directory", &CONTRACT).serve(listed).bind().await.unwrap());
    let mesh = Mesh::directory("tester", &directory.url()).await.unwrap();
    let channel = mesh.channel("first").unwrap();
    assert_eq!(channel.unary(&READ, note("found"), &CallOptions::new()).await.unwrap().text, "found");
}

const LISTED: [&str; 4] = [
    "echo.v1.EchoService",
    "grpc.health.v1.Health",
    "grpc.reflection.v1.ServerReflection",
    "grpc.reflection.v1alpha.ServerReflection",
];

#[tokio::test]
async fn reflection_v1_lists_what_is_served_and_describes_it() {
    use v1::server_reflection_request::MessageRequest;
    use v1::server_reflection_response::MessageResponse;
    let served = Echo::new().serve().await;
    let ask = |message_request| v1::ServerReflectionRequest {
        host: String::new(),
        message_request: Some(message_request),
    };
    let asked = tokio_stream::iter([
        ask(MessageRequest::ListServices(String::new())),
        ask(MessageRequest::FileContainingSymbol("grpc.health.v1.Health".to_owned())),
    ]);
    let path = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo".parse().unwrap();
    let codec = codec::<v1::ServerReflectionRequest, v1::ServerReflectionResponse>();
    let mut answers =
        grpc(&served).await.streaming(tonic::Request::new(asked), path, codec).await.unwrap().into_inner();
    let Some(MessageResponse::ListServicesResponse(list)) =
        answers.next().await.unwrap().unwrap().message_response
    else {
        panic!("no list");
    };
    let names: Vec<_> = list.service.into_iter().map(|service| service.name).collect();
    assert_eq!(names, LISTED);
    let described = answers.next().await.unwrap().unwrap().message_response;
    assert!(matches!(described, Some(MessageResponse::FileDescriptorResponse(_))));
}

#[tokio::test]
async fn reflection_v1alpha_lists_the_same() {
    use v1alpha::server_reflection_request::MessageRequest;
    use v1alpha::server_reflection_response::MessageResponse;
    let served = Echo::new().serve().await;
    let message_request = Some(MessageRequest::ListServices(String::new()));
    let asked = tokio_stream::once(v1alpha::ServerReflectionRequest { host: String::new(), message_request });
    let path = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo".parse().unwrap();
    let codec = codec::<v1alpha::ServerReflectionRequest, v1alpha::ServerReflectionResponse>();
    let mut answers =
        grpc(&served).await.streaming(tonic::Request::new(asked), path, codec).await.unwrap().into_inner();
    let Some(MessageResponse::ListServicesResponse(list)) =
        answers.next().await.unwrap().unwrap().message_response
    else {
        panic!("no list");
    };
    let names: Vec<_> = list.service.into_iter().map(|service| service.name).collect();
    assert_eq!(names, LISTED);
}
