//! The server side of a service: a trait of its handlers, and the tower service that hands calls to them.
//!
//! A write's handler answers with a `Committed` reply, which only a store makes. Where a reply has private fields, they are
//! taken out after the handler: no handler can forget to.

use freehold_contract::model::{Effect, Method, Service};
use proc_macro2::TokenStream;
use quote::quote;

use crate::emit::docs;
use crate::emit::methods::{method_docs, service_docs};
use crate::error::Error;
use crate::names::{self, ServiceNames};
use crate::paths::Scope;
use crate::traits::Traits;

/// Names that the file has a use for itself.
pub(crate) const RESERVED: [&str; 19] = [
    "Answer",
    "Arc",
    "Body",
    "Box",
    "Clone",
    "Committed",
    "Context",
    "Err",
    "Infallible",
    "Into",
    "Messages",
    "Ok",
    "Poll",
    "Result",
    "Send",
    "Service",
    "Status",
    "StdError",
    "Sync",
];

/// What the file of some services' servers uses; the messages' imports come from the scope.
pub(crate) fn uses(services: &[Service], methods: &TokenStream, scope: &Scope<'_>) -> TokenStream {
    let (wire, messages) = (scope.krate.wire(), scope.imports());
    let all = || services.iter().flat_map(|service| &service.methods);
    let streams = all().any(|method| method.client_streaming || method.server_streaming);
    let streams = streams.then(|| quote!(, Messages));
    let committed = all().any(is_write).then(|| quote!(Committed,));
    let is_called = all().next().is_some();
    let (context, status) = (is_called.then(|| quote!(Context,)), is_called.then(|| quote!(, Status)));
    let methods = is_called.then(|| quote!(use #methods;));
    quote! {
        use std::convert::Infallible;
        use std::sync::Arc;
        use std::task::Poll;

        use #wire::dispatch::{self, Answer #streams};
        use #wire::tonic::codegen::{Body, Service, StdError, http};
        use #wire::tonic::{self #status};
        use #wire::{#committed #context async_trait};

        #messages
        #methods
    }
}

/// The handlers of a service and the server that calls them.
pub(crate) fn server(service: &Service, traits: &Traits, scope: &Scope<'_>) -> Result<TokenStream, Error> {
    let names = names::service(names::simple(&service.name));
    let (handlers, routes) = (handlers(service, &names, scope)?, routes(service, &names, traits, scope)?);
    let (structure, tower) = (structure(service, &names), tower(service, &names));
    Ok(quote!(#handlers #structure #routes #tower))
}

fn handlers(service: &Service, names: &ServiceNames, scope: &Scope<'_>) -> Result<TokenStream, Error> {
    let (service_docs, name) = (docs(service_docs(service)), &names.service);
    let mut handlers = Vec::new();
    for method in &service.methods {
        let (docs, name) = (docs(method_docs(method)), names::method(&method.name));
        let (request, reply) = (scope.path(&method.request)?, scope.path(&method.reply)?);
        let parameter = match method.client_streaming {
            true => quote!(requests: Messages<#request>),
            false => quote!(request: #request),
        };
        let reply = match method.server_streaming {
            true => quote!(Messages<#reply>),
            false if is_write(method) => quote!(Committed<#reply>),
            false => reply,
        };
        handlers.push(quote! {
            #docs
            async fn #name(&self, context: Context, #parameter) -> Result<#reply, Status>;
        });
    }
    Ok(quote! {
        #service_docs
        #[async_trait]
        pub trait #name: Send + Sync + 'static { #(#handlers)* }
    })
}

fn structure(service: &Service, names: &ServiceNames) -> TokenStream {
    let (server, name, full_name) = (&names.server, &names.service, &service.name);
    let docs = docs([format!("Serves `{full_name}` by any [`{}`]. Cloning shares it.", names::plain(name))]);
    quote! {
        #docs
        #[derive(Debug)]
        pub struct #server<T>(Arc<T>);

        impl<T: #name> #server<T> {
            /// Serves by `service`.
            #[must_use]
            pub fn new(service: T) -> Self { Self(Arc::new(service)) }
        }

        impl<T> Clone for #server<T> {
            fn clone(&self) -> Self { Self(Arc::clone(&self.0)) }
        }

        impl<T> tonic::server::NamedService for #server<T> {
            const NAME: &'static str = #full_name;
        }
    }
}

/// One function per method: decode, check, call, encode.
fn routes(
    service: &Service,
    names: &ServiceNames,
    traits: &Traits,
    scope: &Scope<'_>,
) -> Result<Option<TokenStream>, Error> {
    let (server, handlers) = (&names.server, &names.service);
    let mut routes = Vec::new();
    for method in &service.methods {
        let (name, constant, module) =
            (names::method(&method.name), names::constant(&method.name), &names.module);
        let (kind, argument) =
            (kind(method), if method.client_streaming { quote!(requests) } else { quote!(request) });
        let mut answer = quote!(service.#name(context, #argument).await);
        if traits.has_private(&method.reply) {
            let reply = scope.path(&method.reply)?;
            answer = match method.server_streaming || is_write(method) {
                true => quote!(#answer.map(|shared| shared.map(#reply::without_private))),
                false => quote!(#answer.map(#reply::without_private)),
            };
        }
        routes.push(quote! {
            fn #name<B>(&self, request: http::Request<B>) -> Answer
            where
                B: Body + Send + 'static,
                B::Error: Into<StdError> + Send,
            {
                let service = Arc::clone(&self.0);
                dispatch::#kind(&methods::#module::#constant, request, move |context, #argument| async move { #answer })
            }
        });
    }
    let routes = quote! {
        impl<T: #handlers> #server<T> { #(#routes)* }
    };
    Ok((!service.methods.is_empty()).then_some(routes))
}

fn tower(service: &Service, names: &ServiceNames) -> TokenStream {
    let (server, handlers) = (&names.server, &names.service);
    let arms: Vec<TokenStream> = service.methods.iter().map(arm).collect();
    let call = match arms.as_slice() {
        [] => quote!(dispatch::unknown_method(request.uri().path())),
        arms => quote! {
            match request.uri().path() {
                #(#arms,)*
                path => dispatch::unknown_method(path),
            }
        },
    };
    quote! {
        impl<T, B> Service<http::Request<B>> for #server<T>
        where
            T: #handlers,
            B: Body + Send + 'static,
            B::Error: Into<StdError> + Send,
        {
            type Response = http::Response<tonic::body::Body>;
            type Error = Infallible;
            type Future = Answer;

            fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> Poll<Result<(), Infallible>> {
                Poll::Ready(Ok(()))
            }

            fn call(&mut self, request: http::Request<B>) -> Answer { #call }
        }
    }
}

fn arm(method: &Method) -> TokenStream {
    let (path, name) = (format!("/{}", method.full_name), names::method(&method.name));
    quote!(#path => self.#name(request))
}

/// The dispatch for this kind of RPC.
fn kind(method: &Method) -> TokenStream {
    match (method.client_streaming, method.server_streaming) {
        (false, false) if is_write(method) => quote!(write),
        (false, false) => quote!(read),
        (false, true) => quote!(stream),
        (true, false) => quote!(collect),
        (true, true) => quote!(duplex),
    }
}

/// Whether the handler answers with a commit.
fn is_write(method: &Method) -> bool {
    let is_unary = !method.client_streaming && !method.server_streaming;
    is_unary && method.effect != Effect::Read
}
