//! Errors as HTTP has them: `google.rpc.Status` in JSON, under the HTTP status that its code stands for.
//!
//! In: a status, of an owner or of the transcoder itself. Out: an answer whose body is
//! `{"error": {"code": 404, "status": "NOT_FOUND", "message": "..", "details": [{"@type": "..", ..}]}}`; at the end of a
//! stream the same is a line. Details of types that are not Google's own are left out: nobody could read them.

use bytes::Bytes;
use freehold_wire::reason;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, Response, StatusCode};
use http_body_util::Full;
use serde_json::{Value, json};
use tonic::body::Body;
use tonic::{Code, Status};
use tonic_types::{
    BadRequest, ErrorDetail, ErrorInfo, Help, LocalizedMessage, PreconditionFailure, QuotaFailure,
    RequestInfo, ResourceInfo, RetryInfo, StatusExt,
};

/// The answer that says `status`.
pub(crate) fn response(status: &Status) -> Response<Body> {
    response_as(http(status.code()), status)
}

/// The same under an HTTP status of its own, where HTTP has a narrower one than the code.
pub(crate) fn response_as(http: StatusCode, status: &Status) -> Response<Body> {
    let mut response = Response::new(Body::new(Full::new(Bytes::from(line(http, status)))));
    *response.status_mut() = http;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let delay = status.get_details_retry_info().and_then(|info| info.retry_delay);
    if let Some(delay) = delay {
        // HTTP counts whole seconds; to come back too early would be in vain.
        let seconds = delay.as_secs() + u64::from(delay.subsec_nanos() > 0);
        response.headers_mut().insert(RETRY_AFTER, seconds.into());
    }
    response
}

/// The end of a stream that fails.
pub(crate) fn last_line(status: &Status) -> Vec<u8> {
    line(http(status.code()), status)
}

/// The HTTP status that stands for a code.
pub(crate) fn http(code: Code) -> StatusCode {
    match code {
        Code::Ok => StatusCode::OK,
        // A client that goes away is answered by nobody; proxies log this number for it.
        Code::Cancelled => StatusCode::from_u16(499).unwrap_or(StatusCode::BAD_REQUEST),
        Code::InvalidArgument | Code::FailedPrecondition | Code::OutOfRange => StatusCode::BAD_REQUEST,
        Code::Unauthenticated => StatusCode::UNAUTHORIZED,
        Code::PermissionDenied => StatusCode::FORBIDDEN,
        Code::NotFound => StatusCode::NOT_FOUND,
        Code::Aborted | Code::AlreadyExists => StatusCode::CONFLICT,
        Code::ResourceExhausted => StatusCode::TOO_MANY_REQUESTS,
        Code::Unimplemented => StatusCode::NOT_IMPLEMENTED,
        Code::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Code::DeadlineExceeded => StatusCode::GATEWAY_TIMEOUT,
        Code::Unknown | Code::Internal | Code::DataLoss => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

fn line(http: StatusCode, status: &Status) -> Vec<u8> {
    let details: Vec<Value> = status.get_error_details_vec().into_iter().filter_map(detail).collect();
    let error = json!({
        "code": http.as_u16(),
        "status": reason::spelled(status.code()),
        "message": status.message(),
        "details": details,
    });
    let mut line = json!({ "error": error }).to_string().into_bytes();
    line.push(b'\n');
    line
}

fn detail(detail: ErrorDetail) -> Option<Value> {
    let (kind, mut value) = match detail {
        ErrorDetail::ErrorInfo(ErrorInfo { reason, domain, metadata }) => {
            ("ErrorInfo", json!({ "reason": reason, "domain": domain, "metadata": metadata }))
        }
        ErrorDetail::BadRequest(BadRequest { field_violations }) => {
            let violations = field_violations
                .into_iter()
                .map(|violation| json!({ "field": violation.field, "description": violation.description }));
            ("BadRequest", json!({ "fieldViolations": violations.collect::<Vec<_>>() }))
        }
        ErrorDetail::RetryInfo(RetryInfo { retry_delay }) => {
            let delay = retry_delay.unwrap_or_default();
            let (seconds, nanos) = (delay.as_secs(), delay.subsec_nanos());
            ("RetryInfo", json!({ "retryDelay": format!("{seconds}.{nanos:09}s") }))
        }
        ErrorDetail::ResourceInfo(ResourceInfo { resource_type, resource_name, owner, description }) => (
            "ResourceInfo",
            json!({
                "resourceType": resource_type, "resourceName": resource_name,
                "owner": owner, "description": description,
            }),
        ),
        ErrorDetail::QuotaFailure(QuotaFailure { violations }) => {
            let violations = violations.into_iter().map(
                |violation| json!({ "subject": violation.subject, "description": violation.description }),
            );
            ("QuotaFailure", json!({ "violations": violations.collect::<Vec<_>>() }))
        }
        ErrorDetail::PreconditionFailure(PreconditionFailure { violations }) => {
            let violations = violations.into_iter().map(|violation| {
                json!({
                    "type": violation.r#type, "subject": violation.subject,
                    "description": violation.description,
                })
            });
            ("PreconditionFailure", json!({ "violations": violations.collect::<Vec<_>>() }))
        }
        ErrorDetail::RequestInfo(RequestInfo { request_id, serving_data }) => {
            ("RequestInfo", json!({ "requestId": request_id, "servingData": serving_data }))
        }
        ErrorDetail::Help(Help { links }) => {
            let links =
                links.into_iter().map(|link| json!({ "description": link.description, "url": link.url }));
            ("Help", json!({ "links": links.collect::<Vec<_>>() }))
        }
        ErrorDetail::LocalizedMessage(LocalizedMessage { locale, message }) => {
            ("LocalizedMessage", json!({ "locale": locale, "message": message }))
        }
        // Among what is left is `DebugInfo`, which is of no concern to whoever is outside.
        _ => return None,
    };
    value["@type"] = format!("type.googleapis.com/google.rpc.{kind}").into();
    Some(value)
}
