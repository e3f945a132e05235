//! A request as a message of its RPC: path, query string and body together.
//!
//! In: what the client sent. Out: the encoded message, or INVALID_ARGUMENT with every field that is wrong. The body is
//! read first, so that what the path says can be held against it.

use std::time::Instant;

use bytes::{Bytes, BytesMut};
use freehold_wire::dispatch::MAX_MESSAGE;
use freehold_wire::{Encoded, Reason, reason};
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use http_body::Body as HttpBody;
use http_body_util::BodyExt;
use prost::Message;
use prost_reflect::DynamicMessage;
use tokio::time::timeout_at;
use tonic::Status;
use tonic::body::Body;

use crate::json::{self, Json, Misread};
use crate::parameters;
use crate::problems::Problems;
use crate::routes::Route;
use crate::schema::Takes;

/// What a client asked for, but for the body.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) route: &'a Route,
    pub(crate) path: &'a str,
    pub(crate) query: &'a str,
}

impl Asked<'_> {
    /// The message that it makes with this body.
    ///
    /// # Errors
    /// INVALID_ARGUMENT that names the fields.
    pub(crate) fn message(self, body: &[u8]) -> Result<Encoded, Status> {
        let binding = &self.route.binding;
        let mut problems = Problems::default();
        let mut message = self.body(body, &mut problems)?;
        let segments: Vec<&str> = self.path.strip_prefix('/').unwrap_or(self.path).split('/').collect();
        // The route was found by the same template.
        let taken = binding.template.take(&segments).unwrap_or_default();
        parameters::of_path(&mut message, binding, &taken, &mut problems);
        parameters::of_query(&mut message, binding, self.query, &mut problems);
        problems.none()?;
        Ok(Encoded(message.encode_to_vec().into()))
    }

    fn body(self, body: &[u8], problems: &mut Problems) -> Result<DynamicMessage, Status> {
        let descriptor = self.route.rpc.descriptor.input();
        let empty = DynamicMessage::new(descriptor.clone());
        match &self.route.binding.body {
            _ if body.is_empty() => Ok(empty),
            Takes::Nothing => Err(reason::bad_field("body", "this route takes none")),
            Takes::Message => Ok(json::message(&descriptor, parsed(body)?, problems)),
            Takes::Field(field) => {
                let (mut message, name) = (empty, field.json_name());
                let json = json::parse(body).map_err(|misread| wrong(name, misread))?;
                let value = problems.within(name, |problems| json::field(field, json, problems));
                if let Some(value) = value {
                    message.set_field(field, value);
                }
                Ok(message)
            }
        }
    }
}

/// Reads a whole body, until the deadline.
///
/// # Errors
/// INVALID_ARGUMENT for one over the limit, with the field in which the limit falls, and for one that breaks off;
/// DEADLINE_EXCEEDED for one that comes too slowly.
pub(crate) async fn whole(body: Body, deadline: Instant) -> Result<Bytes, Status> {
    if body.is_end_stream() {
        return Ok(Bytes::new());
    }
    let late = |_| Reason::DeadlineExceeded.status("the body was not there by the call's deadline");
    timeout_at(deadline.into(), read(body)).await.map_err(late)?
}

async fn read(mut body: Body) -> Result<Bytes, Status> {
    let mut read = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| reason::bad_field("body", "broke off"))?;
        let Ok(data) = frame.into_data() else { continue };
        read.extend_from_slice(&data);
        if read.len() > MAX_MESSAGE {
            return Err(too_large(&read[..MAX_MESSAGE]));
        }
    }
    Ok(read.freeze())
}

/// What is said of a body that goes on after these bytes, as many as are taken.
pub(crate) fn too_large(bytes: &[u8]) -> Status {
    let field = json::parse(bytes).err().map(|misread| misread.path).filter(|path| !path.is_empty());
    let field = field.unwrap_or_else(|| "body".to_owned());
    reason::bad_field(shorten(&field), format!("ends beyond the {MAX_MESSAGE} bytes that a body may have"))
}

/// Whether what is sent says that it is JSON. A page of another origin cannot make a browser say so without being asked
/// for leave, which nobody here gives.
///
/// # Errors
/// INVALID_ARGUMENT that names the header.
pub(crate) fn check_content_type(headers: &HeaderMap) -> Result<(), Status> {
    const TAKEN: [&str; 2] = ["application/json", "application/x-ndjson"];
    let said = headers.get(CONTENT_TYPE).and_then(|said| said.to_str().ok()).unwrap_or_default();
    let essence = said.split(';').next().unwrap_or_default().trim();
    if TAKEN.iter().any(|taken| essence.eq_ignore_ascii_case(taken)) {
        return Ok(());
    }
    Err(reason::bad_field(CONTENT_TYPE.as_str(), format!("must be {}", TAKEN.join(" or "))))
}

fn parsed(body: &[u8]) -> Result<Json, Status> {
    json::parse(body).map_err(|misread| {
        let path = if misread.path.is_empty() { "body" } else { &misread.path };
        reason::bad_field(shorten(path), misread.problem)
    })
}

fn wrong(field: &str, Misread { path, problem }: Misread) -> Status {
    let dot = if path.is_empty() || path.starts_with('[') { "" } else { "." };
    reason::bad_field(shorten(&format!("{field}{dot}{path}")), problem)
}

fn shorten(path: &str) -> String {
    path.chars().take(200).collect()
}
