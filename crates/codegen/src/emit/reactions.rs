//! What a consumer does about what happens elsewhere: a trait with one method per view, and the subscriptions that call it.

use std::collections::BTreeMap;

use freehold_contract::model::{Consumer, View};
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use crate::emit::docs;
use crate::error::Error;
use crate::items::Package;
use crate::names;
use crate::paths::Scope;

/// Names that the file has a use for itself.
pub(crate) const RESERVED: [&str; 11] = [
    "Arc",
    "Box",
    "Changed",
    "Delivered",
    "ReactionError",
    "Reactions",
    "Result",
    "Send",
    "Subscription",
    "Vec",
    "Work",
];

/// The trait and the subscriptions, one per owner.
pub(crate) fn reactions(
    consumer: &Consumer,
    needs: &Package,
    scope: &Scope<'_>,
) -> Result<TokenStream, Error> {
    let (mut methods, mut handlers) = (Vec::new(), Vec::new());
    let mut owners: BTreeMap<&str, Vec<Ident>> = BTreeMap::new();
    for view in &consumer.views {
        methods.push(method(view, needs, scope)?);
        handlers.push(handler(view, scope)?);
        owners.entry(&view.owner).or_default().push(handler_name(view));
    }
    let subscriptions = subscriptions(&consumer.name, &owners);
    let delivered = consumer.views.iter().any(|view| !is_change(view)).then(|| quote!(Delivered,));
    let changed = consumer.views.iter().any(is_change).then(|| quote!(Changed,));
    let imports = scope.imports();
    let docs = docs([
        format!("What `{}` does about what happens elsewhere: one method per view.", consumer.name),
        String::new(),
        "Each runs inside a unit of work that also notes the event: it takes effect once, or not at all."
            .to_owned(),
    ]);
    Ok(quote! {
        use std::sync::Arc;

        use freehold_events::{#changed #delivered ReactionError, Subscription};
        use freehold_store::Work;

        #imports

        #docs
        pub trait Reactions: Send + Sync + 'static { #(#methods)* }

        #subscriptions
        #(#handlers)*
    })
}

fn subscriptions(consumer: &str, owners: &BTreeMap<&str, Vec<Ident>>) -> TokenStream {
    let names: Vec<Ident> = owners.keys().map(|owner| names::field(owner)).collect();
    let made = owners.iter().zip(&names).map(|((owner, handlers), name)| {
        quote! {
            let mut #name = Subscription::views(#consumer, #owner);
            #(#name = #handlers(#name, &reactions);)*
        }
    });
    quote! {
        /// The subscriptions that hand events to `reactions`, one per owner.
        #[must_use]
        pub fn subscriptions(reactions: impl Reactions) -> Vec<Subscription> {
            let reactions = Arc::new(reactions);
            #(#made)*
            Vec::from([#(#names),*])
        }
    }
}

/// A view of an entity reads its changes, one of an event that event.
fn is_change(view: &View) -> bool {
    view.of == view.entity
}

fn method(view: &View, needs: &Package, scope: &Scope<'_>) -> Result<TokenStream, Error> {
    let declared = needs.all_messages().into_iter().find(|message| message.full_name == view.name);
    let docs = docs(&declared.ok_or_else(|| Error::Unknown(view.name.clone()))?.docs);
    let (name, ty) = (names::reaction(names::simple(&view.name)), scope.path(&view.name)?);
    let event = if is_change(view) { quote!(change: Changed<#ty>) } else { quote!(event: Delivered<#ty>) };
    Ok(quote! {
        #docs
        fn #name(&self, work: &mut Work, #event) -> impl Future<Output = Result<(), ReactionError>>;
    })
}

fn handler_name(view: &View) -> Ident {
    format_ident!("on_{}", names::plain(&names::reaction(names::simple(&view.name))))
}

fn handler(view: &View, scope: &Scope<'_>) -> Result<TokenStream, Error> {
    let (name, reaction) = (handler_name(view), names::reaction(names::simple(&view.name)));
    let ty = scope.path(&view.name)?;
    let (register, event, delivery) = match is_change(view) {
        true => (quote!(on_change), quote!(change), quote!(Changed)),
        false => (quote!(on_event), quote!(event), quote!(Delivered)),
    };
    Ok(quote! {
        fn #name(subscription: Subscription, reactions: &Arc<impl Reactions>) -> Subscription {
            let reactions = Arc::clone(reactions);
            subscription.#register(move |work, #event: #delivery<#ty>| {
                let reactions = Arc::clone(&reactions);
                Box::pin(async move { reactions.#reaction(work, #event).await })
            })
        }
    })
}
