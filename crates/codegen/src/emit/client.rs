//! The client of a service and the stub that it stands on: a trait with a default for every method, so that a mock
//! implements what it needs, and a new RPC does not break it.

use freehold_contract::model::{Method, Service};
use proc_macro2::TokenStream;
use quote::quote;

use crate::emit::docs;
use crate::emit::methods::{method_docs, service_docs};
use crate::error::Error;
use crate::names::{self, ServiceNames};
use crate::paths::Scope;

/// Names that the file has a use for itself.
pub(crate) const RESERVED: [&str; 20] = [
    "Arc",
    "Box",
    "CallOptions",
    "Channel",
    "Clone",
    "Context",
    "Duration",
    "Err",
    "Error",
    "Into",
    "Mesh",
    "Messages",
    "Ok",
    "Option",
    "Requests",
    "Result",
    "Send",
    "Session",
    "Some",
    "String",
];

/// What the file of some services' clients uses; the messages' imports come from the scope.
pub(crate) fn uses(
    services: &[Service],
    owned: bool,
    methods: &TokenStream,
    scope: &Scope<'_>,
) -> TokenStream {
    let (client, wire, messages) = (scope.krate.client(), scope.krate.wire(), scope.imports());
    let all = || services.iter().flat_map(|service| &service.methods);
    let mesh = owned.then(|| quote!(Mesh,));
    let replies = all().any(|method| method.server_streaming).then(|| quote!(Messages,));
    let requests = all().any(|method| method.client_streaming).then(|| quote!(Requests,));
    let methods = all().next().map(|_| quote!(use #methods;));
    let error = (owned || methods.is_some()).then(|| quote!(Error,));
    quote! {
        use std::fmt;
        use std::sync::Arc;
        use std::time::Duration;

        use #client::{CallOptions, Channel, #error #mesh #replies #requests async_trait};
        use #wire::{Context, Session};

        #messages
        #methods
    }
}

/// The client of a service and its stub. `owner` is who serves it; none for what every owner serves.
pub(crate) fn client(
    service: &Service,
    owner: Option<&str>,
    scope: &Scope<'_>,
) -> Result<TokenStream, Error> {
    let names = names::service(names::simple(&service.name));
    let (calls, stub) = (calls(service, scope)?, stub(service, &names, scope)?);
    let (structure, connect, options) = (structure(service, &names), connect(owner), options());
    let ServiceNames { client, stub: stub_name, .. } = &names;
    Ok(quote! {
        #structure

        impl #client {
            #connect

            /// A client over a channel.
            #[must_use]
            pub fn new(channel: Channel) -> Self { Self::from_stub(channel) }

            /// A client over a stub, such as a mock.
            #[must_use]
            pub fn from_stub(stub: impl #stub_name + 'static) -> Self {
                Self { stub: Arc::new(stub), options: CallOptions::new() }
            }

            #options
            #(#calls)*
        }

        #stub
    })
}

fn structure(service: &Service, names: &ServiceNames) -> TokenStream {
    let ServiceNames { client, stub, .. } = names;
    let (docs, title) = (docs(service_docs(service)), names::plain(client));
    let usage = crate::emit::docs(["", "Cloning is cheap and shares the connection and the session."]);
    quote! {
        #docs
        #usage
        #[derive(Clone)]
        pub struct #client {
            stub: Arc<dyn #stub>,
            options: CallOptions,
        }

        impl fmt::Debug for #client {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(#title).field("options", &self.options).finish_non_exhaustive()
            }
        }
    }
}

fn connect(owner: Option<&str>) -> Option<TokenStream> {
    let owner = owner?;
    let docs = docs([format!("A client of `{owner}`, where the mesh says that it is.")]);
    Some(quote! {
        #docs
        ///
        /// # Errors
        /// The mesh does not know the service.
        pub fn connect(mesh: &Mesh) -> Result<Self, Error> {
            Ok(Self::new(mesh.channel(#owner)?))
        }
    })
}

/// The options of calls, each on a copy of the client.
fn options() -> TokenStream {
    quote! {
        /// The same client as part of a line of work: never longer than it has left, in its session and its trace.
        #[must_use]
        pub fn within(&self, context: &Context) -> Self {
            self.with_options(self.options.within(context))
        }

        /// The same client with a deadline other than the contract's; beyond four times that one it is clamped.
        #[must_use]
        pub fn with_deadline(&self, deadline: Duration) -> Self {
            self.with_options(self.options.with_deadline(deadline))
        }

        /// The same client with an idempotency key: keyed writes under one key take effect once.
        #[must_use]
        pub fn with_key(&self, key: impl Into<Arc<str>>) -> Self {
            self.with_options(self.options.with_key(key))
        }

        /// The same client in a session: calls see what it has seen, and it sees what they commit.
        #[must_use]
        pub fn with_session(&self, session: &Session) -> Self {
            self.with_options(self.options.with_session(session))
        }

        /// The session of this client's calls.
        #[must_use]
        pub fn session(&self) -> &Session { self.options.session() }

        fn with_options(&self, options: CallOptions) -> Self {
            Self { stub: Arc::clone(&self.stub), options }
        }
    }
}

fn calls(service: &Service, scope: &Scope<'_>) -> Result<Vec<TokenStream>, Error> {
    let call = |method: &Method| {
        let (docs, name) = (docs(method_docs(method)), names::method(&method.name));
        let (parameter, ty) = parameter(method, scope)?;
        let reply = reply(method, scope)?;
        Ok(quote! {
            #docs
            ///
            /// # Errors
            /// What the owner refuses it with, or why it was not answered.
            pub async fn #name(&self, #parameter: #ty) -> Result<#reply, Error> {
                self.stub.#name(#parameter, &self.options).await
            }
        })
    };
    service.methods.iter().map(call).collect()
}

/// The stub trait, and the channel as the stub that calls the owner.
fn stub(service: &Service, names: &ServiceNames, scope: &Scope<'_>) -> Result<TokenStream, Error> {
    let ServiceNames { client, stub, module, .. } = names;
    let (mut defaults, mut calls) = (Vec::new(), Vec::new());
    for method in &service.methods {
        let (docs, name, constant) =
            (docs(method_docs(method)), names::method(&method.name), names::constant(&method.name));
        let (parameter, ty) = parameter(method, scope)?;
        let (reply, way) = (reply(method, scope)?, way(method));
        let unused = quote::format_ident!("_{parameter}");
        defaults.push(quote! {
            #docs
            async fn #name(&self, #unused: #ty, _options: &CallOptions) -> Result<#reply, Error> {
                Err(Error::unimplemented(methods::#module::#constant.rules()))
            }
        });
        calls.push(quote! {
            async fn #name(&self, #parameter: #ty, options: &CallOptions) -> Result<#reply, Error> {
                Channel::#way(self, &methods::#module::#constant, #parameter, options).await
            }
        });
    }
    let docs = docs([
        format!("What a [`{}`] stands on: the owner, or a mock of it.", names::plain(client)),
        String::new(),
        "A method that is not implemented answers UNIMPLEMENTED.".to_owned(),
    ]);
    Ok(quote! {
        #docs
        #[async_trait]
        pub trait #stub: Send + Sync { #(#defaults)* }

        #[async_trait]
        impl #stub for Channel { #(#calls)* }
    })
}

fn parameter(method: &Method, scope: &Scope<'_>) -> Result<(TokenStream, TokenStream), Error> {
    let request = scope.path(&method.request)?;
    Ok(if method.client_streaming {
        (quote!(requests), quote!(Requests<#request>))
    } else {
        (quote!(request), request)
    })
}

fn reply(method: &Method, scope: &Scope<'_>) -> Result<TokenStream, Error> {
    let reply = scope.path(&method.reply)?;
    Ok(if method.server_streaming { quote!(Messages<#reply>) } else { reply })
}

/// The channel's method for this kind of RPC.
fn way(method: &Method) -> TokenStream {
    match (method.client_streaming, method.server_streaming) {
        (false, false) => quote!(unary),
        (false, true) => quote!(server_streaming),
        (true, false) => quote!(client_streaming),
        (true, true) => quote!(duplex),
    }
}
