//! `Debug` where the derived one would say too much or too little: personal data stays out of logs, and an enum field
//! shows the name of its value.

use proc_macro2::TokenStream;
use quote::quote;

use crate::error::Error;
use crate::items::{Field, Kind, Member, Message, Oneof, Shape};
use crate::names;
use crate::paths::Scope;

/// Names that the file has a use for itself.
pub(crate) const RESERVED: [&str; 2] = ["None", "Some"];

/// `Debug` of a message.
pub(crate) fn message(message: &Message, scope: &Scope<'_>) -> Result<TokenStream, Error> {
    let path = scope.path(&message.full_name)?;
    let title = names::plain(&names::type_name(&message.name));
    let fields = message.members.iter().map(|member| match member {
        Member::Oneof(oneof) => {
            let (name, ident) = (&oneof.name, names::field(&oneof.name));
            quote!(.field(#name, &self.#ident))
        }
        Member::Field(field) => self::field(field),
    });
    Ok(implementation(&path, &quote!(f.debug_struct(#title) #(#fields)* .finish())))
}

fn field(field: &Field) -> TokenStream {
    let (name, ident) = (&field.name, names::field(&field.name));
    if field.rules.personal {
        return quote!(.field(#name, &format_args!("<personal>")));
    }
    match (&field.kind, field.shape) {
        (Kind::Enumeration(_), Shape::Plain) => quote!(.field(#name, &self.#ident())),
        (Kind::Enumeration(_), Shape::Optional) => {
            let accessor = names::optional_accessor(&field.name);
            quote!(.field(#name, &self.#accessor()))
        }
        (Kind::Enumeration(_), Shape::Repeated { .. }) => {
            quote!(.field(#name, &self.#ident().collect::<Vec<_>>()))
        }
        _ => quote!(.field(#name, &self.#ident)),
    }
}

/// `Debug` of a oneof with a field about a person.
pub(crate) fn oneof(message: &Message, oneof: &Oneof, scope: &Scope<'_>) -> Result<TokenStream, Error> {
    let path = scope.choice(message, oneof)?;
    let arms = oneof.fields.iter().map(|field| {
        let variant = names::type_name(&field.name);
        let title = names::plain(&variant);
        if field.rules.personal {
            let hidden = format!("{title}(<personal>)");
            quote!(Self::#variant(_) => f.write_str(#hidden))
        } else {
            quote!(Self::#variant(value) => f.debug_tuple(#title).field(value).finish())
        }
    });
    Ok(implementation(&path, &quote!(match self { #(#arms,)* })))
}

fn implementation(path: &TokenStream, body: &TokenStream) -> TokenStream {
    quote! {
        impl fmt::Debug for #path {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                #body
            }
        }
    }
}
