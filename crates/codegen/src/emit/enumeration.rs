//! Enums, with the names that the contract gives to their values.

use proc_macro2::{Ident, TokenStream};
use quote::quote;

use crate::emit::docs;
use crate::items::Enumeration;
use crate::names;
use crate::paths::Scope;

/// An enum.
pub(crate) fn enumeration(enumeration: &Enumeration, scope: &Scope<'_>) -> TokenStream {
    let (doc, name) = (docs(&enumeration.docs), names::type_name(&enumeration.name));
    let variants = variants(enumeration);
    let values = enumeration.values.iter().zip(&variants).map(|(value, variant)| {
        let (docs, number) = (docs(&value.docs), proc_macro2::Literal::i32_unsuffixed(value.number));
        quote!(#docs #variant = #number)
    });
    let names: Vec<&str> = enumeration.values.iter().map(|value| value.name.as_str()).collect();
    let option = scope.prelude("Option");
    quote! {
        #doc
        #[non_exhaustive]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
        #[repr(i32)]
        pub enum #name { #(#values,)* }

        impl #name {
            /// The value's name as the contract spells it; it changes only where the contract does.
            #[must_use]
            pub fn as_str_name(&self) -> &'static str {
                match self { #(Self::#variants => #names,)* }
            }

            /// The value of that name, as the contract spells it.
            #[must_use]
            pub fn from_str_name(value: &str) -> #option<Self> {
                match value {
                    #(#names => Some(Self::#variants),)*
                    _ => None,
                }
            }
        }
    }
}

/// The variants of the values: without the enum's name where they differ without it.
pub(crate) fn variants(enumeration: &Enumeration) -> Vec<Ident> {
    let short = enumeration.values.iter().map(|value| names::value_variant(&enumeration.name, &value.name));
    let short: Vec<Ident> = short.collect();
    let distinct: std::collections::BTreeSet<&Ident> = short.iter().collect();
    if distinct.len() == short.len() {
        return short;
    }
    enumeration.values.iter().map(|value| names::whole_variant(&value.name)).collect()
}
