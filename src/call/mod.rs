//! `freehold call`: any method of the mesh, from a shell, with the deadline, key and session of the SDK's channel.
//!
//! The method is resolved in the contracts that this command was built with, or, with `--at`, in those that a server
//! describes itself by. Answers go to standard output as JSON, one a line for a stream; everything else to standard error.

mod reflect;
mod refusal;
mod request;
mod target;

use freehold_contract::Model;
use freehold_sdk::{CallOptions, Channel, Error, Messages, Requests};
use freehold_wire::{Encoded, Method, Retry, metadata};
use prost_reflect::{DynamicMessage, MessageDescriptor};
use tonic::metadata::{Binary, MetadataValue};
use uuid::Uuid;

use crate::call::request::RequestError;
use crate::call::target::Target;
use crate::cli::{CallArgs, Format};
use crate::contracts;
use crate::exit::{Exit, Failure};
use crate::output;
use crate::place::Place;

/// Calls the method and prints what it answers.
pub(crate) fn run(args: &CallArgs, format: Format) -> Result<(), Failure> {
    let runtime = tokio::runtime::Runtime::new().map_err(|error| Failure::new(Exit::Failed, error))?;
    runtime.block_on(call(args, format))
}

async fn call(args: &CallArgs, format: Format) -> Result<(), Failure> {
    let usage = |error| Failure::new(Exit::Usage, error);
    let (model, server) = described(args).await?;
    let target = target::find(&model, &args.method).map_err(|error| Failure::new(Exit::Usage, error))?;
    let text = request::text(args.data.as_deref()).map_err(usage)?;
    let sent = Sent::read(&text, &target).map_err(usage)?;
    let channel = match server {
        Some(server) => server,
        None => in_mesh(args, &target).await?,
    };
    let call = Call::new(args, &target, channel, format);
    call.announce();
    let outcome = call.make(sent).await;
    call.seen();
    outcome
}

/// The contracts that name the method; with `--at`, also the way to the server that they are of.
async fn described(args: &CallArgs) -> Result<(Model, Option<Channel>), Failure> {
    let Some(url) = &args.at else { return Ok((contracts::embedded()?, None)) };
    let channel = Channel::new(&args.caller, url).map_err(|error| Failure::new(Exit::Usage, error))?;
    let model = reflect::model(&channel).await.map_err(|error| Failure::new(Exit::Unreachable, error))?;
    Ok((model, Some(channel)))
}

/// The way to the owner of a method.
async fn in_mesh(args: &CallArgs, target: &Target) -> Result<Channel, Failure> {
    let usage = |error: Error| Failure::new(Exit::Usage, error);
    let Some(owner) = &target.owner else { return unowned(args, target) };
    let unreachable =
        |error| Failure::new(Exit::Unreachable, format!("no mesh answers at {}: {error}", args.mesh));
    args.mesh.mesh(&args.caller).await.map_err(unreachable)?.channel(owner).map_err(usage)
}

/// A method of the language itself: the directory has its own address, a feed is served by every owner.
fn unowned(args: &CallArgs, target: &Target) -> Result<Channel, Failure> {
    let name = &target.method.full_name;
    match &args.mesh {
        Place::Directory(url) if name.starts_with("freehold.v1.Directory/") => {
            Channel::new(&args.caller, url).map_err(|error| Failure::new(Exit::Usage, error))
        }
        _ => Err(Failure::new(Exit::Usage, format!("nobody owns {name}; --at says which server is asked"))),
    }
}

/// What is sent.
enum Sent {
    One(DynamicMessage),
    Many(Vec<DynamicMessage>),
}

impl Sent {
    fn read(text: &str, target: &Target) -> Result<Self, RequestError> {
        if target.method.client_streaming {
            request::messages(text, &target.request).map(Self::Many)
        } else {
            request::message(text, &target.request).map(Self::One)
        }
    }
}

/// A call that is about to be made.
struct Call {
    method: Method<DynamicMessage, Encoded>,
    reply: MessageDescriptor,
    streams: bool,
    channel: Channel,
    options: CallOptions,
    key: Option<String>,
    format: Format,
    verbose: bool,
}

impl Call {
    fn new(args: &CallArgs, target: &Target, channel: Channel, format: Format) -> Self {
        let method = Method::new(target.rules());
        // Made here rather than in the channel, so that a call without an answer can be repeated under it.
        let made = || (method.rules().retry == Retry::Keyed).then(|| Uuid::now_v7().to_string());
        let key = args.key.clone().or_else(made);
        let mut options = CallOptions::new();
        if let Some(key) = &key {
            options = options.with_key(key.as_str());
        }
        if let Some(deadline) = args.deadline {
            options = options.with_deadline(deadline);
        }
        let (reply, streams) = (target.reply.clone(), target.method.server_streaming);
        Self { method, reply, streams, channel, options, key, format, verbose: args.verbose }
    }

    /// Says what is sent, where that is asked for.
    fn announce(&self) {
        if !self.verbose {
            return;
        }
        eprintln!("> {} at {}", self.method.rules().name(), self.channel.address());
        eprintln!("> {}: {}", metadata::CALLER, self.channel.consumer());
        if let Some(key) = &self.key {
            eprintln!("> {}: {key}", metadata::IDEMPOTENCY_KEY);
        }
    }

    /// Says which commits the call has seen, where that is asked for.
    fn seen(&self) {
        let session = self.options.session();
        let Some(bytes) = session.encode().filter(|_| self.verbose) else { return };
        for token in session.tokens() {
            eprintln!("< seen of {}: {}", token.owner, token.mark);
        }
        let value = MetadataValue::<Binary>::from_bytes(&bytes);
        eprintln!("< {}: {}", metadata::TOKEN, String::from_utf8_lossy(value.as_encoded_bytes()));
    }

    async fn make(&self, sent: Sent) -> Result<(), Failure> {
        let (method, options) = (&self.method, &self.options);
        let opened = match (sent, self.streams) {
            (Sent::One(message), false) => {
                return self.one(self.channel.unary(method, message, options).await);
            }
            (Sent::Many(messages), false) => {
                let messages = Requests::of(messages);
                return self.one(self.channel.client_streaming(method, messages, options).await);
            }
            (Sent::One(message), true) => self.channel.server_streaming(method, message, options).await,
            (Sent::Many(messages), true) => {
                self.channel.duplex(method, Requests::of(messages), options).await
            }
        };
        self.many(opened.map_err(|error| self.refused(&error))?).await
    }

    fn one(&self, answer: Result<Encoded, Error>) -> Result<(), Failure> {
        self.print(&answer.map_err(|error| self.refused(&error))?, self.format == Format::Text)
    }

    async fn many(&self, mut answers: Messages<Encoded>) -> Result<(), Failure> {
        while let Some(answer) = answers.next().await {
            self.print(&answer.map_err(|error| self.refused(&error))?, false)?;
        }
        Ok(())
    }

    fn print(&self, answer: &Encoded, pretty: bool) -> Result<(), Failure> {
        let failed = |error| Failure::new(Exit::Failed, format!("failed to read the reply: {error}"));
        let message = DynamicMessage::decode(self.reply.clone(), answer.0.clone())
            .map_err(|error| failed(error.to_string()))?;
        let json =
            if pretty { serde_json::to_string_pretty(&message) } else { serde_json::to_string(&message) };
        let json = json.map_err(|error| failed(error.to_string()))?;
        output::write(format!("{json}\n").as_bytes())
    }

    /// Says why there is no answer.
    fn refused(&self, error: &Error) -> Failure {
        match self.format {
            Format::Text => {
                eprintln!("freehold: {}", refusal::lines(error, self.key.as_deref()).join("\n"));
            }
            Format::Json => eprintln!("{}", refusal::document(error, self.key.as_deref())),
        }
        Failure::silent(refusal::exit(error))
    }
}
