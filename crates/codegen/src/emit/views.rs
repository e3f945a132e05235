//! What a consumer reads of events and of entities' changes: its views.

use freehold_contract::model::{Consumer, View};
use proc_macro2::TokenStream;
use quote::quote;

use crate::error::Error;
use crate::names;
use crate::paths::Scope;

/// Names that the file has a use for itself.
pub(crate) const RESERVED: [&str; 1] = ["View"];

/// `View` of each declared view.
pub(crate) fn views(consumer: &Consumer, scope: &Scope<'_>) -> Result<TokenStream, Error> {
    let view = |view: &View| {
        let path = scope.path(&view.name)?;
        let (of, entity, owner, consumer) = (&view.of, &view.entity, &view.owner, &consumer.name);
        let upcast = view.upcast.then(|| upcast(&view.name));
        Ok(quote! {
            impl View for #path {
                const OF: &'static str = #of;
                const ENTITY: &'static str = #entity;
                const OWNER: &'static str = #owner;
                const CONSUMER: &'static str = #consumer;
                #upcast
            }
        })
    };
    let views: Vec<TokenStream> = consumer.views.iter().map(view).collect::<Result<_, Error>>()?;
    let imports = scope.imports();
    Ok(quote!(use freehold_sdk::wire::View; #imports #(#views)*))
}

/// Hands over to the consumer's own function, which is in a module beside the generated one.
fn upcast(view: &str) -> TokenStream {
    let function = names::reaction(names::simple(view));
    quote! {
        fn upcast(self) -> Self {
            crate::upcasts::#function(self)
        }
    }
}
