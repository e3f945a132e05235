//! Every name that the generator gives to something in Rust, computed here and nowhere else.
//!
//! Protobuf names go in, identifiers come out: in Rust's case, escaped where Rust keeps the word for itself, and out of
//! the way of the names that the generated files use themselves.

use heck::{ToShoutySnakeCase, ToSnakeCase, ToUpperCamelCase};
use proc_macro2::{Ident, Span};

/// Modules and crates that the generated files of a package name; a message's own module steps aside for them.
const MODULES: [&str; 16] = [
    "alloc",
    "checks",
    "client",
    "core",
    "debug",
    "entities",
    "fields",
    "freehold_client",
    "freehold_sdk",
    "freehold_wire",
    "messages",
    "methods",
    "prost",
    "prost_types",
    "server",
    "std",
];

/// What a generated client and server, or the pointers to what they stand on, can do besides their RPCs; an RPC of that
/// name steps aside.
const OWN_METHODS: [&str; 19] = [
    "as_mut",
    "as_ref",
    "call",
    "clone",
    "connect",
    "drop",
    "fmt",
    "from_stub",
    "into",
    "new",
    "poll_ready",
    "session",
    "to_owned",
    "try_into",
    "with_deadline",
    "with_key",
    "with_options",
    "with_session",
    "within",
];

/// An identifier, escaped where Rust keeps the word for itself.
pub(crate) fn ident(name: &str) -> Ident {
    match name {
        "" => Ident::new("unnamed", Span::call_site()),
        // These cannot be escaped.
        "self" | "Self" | "super" | "crate" | "_" => Ident::new(&format!("{name}_"), Span::call_site()),
        _ if name.starts_with(|first: char| first.is_ascii_digit()) => {
            Ident::new(&format!("_{name}"), Span::call_site())
        }
        _ if is_keyword(name) => Ident::new_raw(name, Span::call_site()),
        _ => Ident::new(name, Span::call_site()),
    }
}

/// The type of a message or an enum: "OrderLine".
pub(crate) fn type_name(name: &str) -> Ident {
    ident(&name.to_upper_camel_case())
}

/// A field, or the parameter that sets it: "unit_cents".
pub(crate) fn field(name: &str) -> Ident {
    ident(&name.to_snake_case())
}

/// The method that sets a field: "with_unit_cents".
pub(crate) fn setter(field: &str) -> Ident {
    ident(&format!("with_{}", field.to_snake_case()))
}

/// The method that reads an enum field which may be unset. Not the field's own name: prost gives that to the number.
pub(crate) fn optional_accessor(field: &str) -> Ident {
    ident(&format!("optional_{}", field.to_snake_case()))
}

/// The variant of an enum for one of its values, without the enum's name before it.
pub(crate) fn value_variant(enumeration: &str, value: &str) -> Ident {
    let (prefix, name) = (enumeration.to_upper_camel_case(), value.to_upper_camel_case());
    match name.strip_prefix(&prefix) {
        // Only a whole word is a prefix: `Food` does not begin with `Foo`.
        Some(rest) if rest.starts_with(|first: char| !first.is_lowercase()) => ident(rest),
        _ => ident(&name),
    }
}

/// The variant of an enum for one of its values, with everything that the contract says.
pub(crate) fn whole_variant(value: &str) -> Ident {
    type_name(value)
}

/// The module of what is nested in a message: "order_line".
pub(crate) fn nested_module(message: &str) -> Ident {
    let name = message.to_snake_case();
    if MODULES.contains(&name.as_str()) { ident(&format!("{name}_")) } else { ident(&name) }
}

/// The modules of a package: "catalog.v1" is in `catalog::v1`.
pub(crate) fn package_modules(package: &str) -> Vec<Ident> {
    package.split('.').map(|part| ident(&part.to_snake_case())).collect()
}

/// The folder of a package, below the folder of all of them: "catalog/v1".
pub(crate) fn package_folder(package: &str) -> String {
    let parts: Vec<String> = package_modules(package).iter().map(plain).collect();
    parts.join("/")
}

/// The names of all that is generated for a gRPC service.
#[derive(Debug, Clone)]
pub(crate) struct ServiceNames {
    /// The module of its methods: "catalog".
    pub(crate) module: Ident,
    /// "CatalogClient".
    pub(crate) client: Ident,
    /// "CatalogStub".
    pub(crate) stub: Ident,
    /// "CatalogService".
    pub(crate) service: Ident,
    /// "CatalogServiceServer".
    pub(crate) server: Ident,
}

/// The names of what is generated for a gRPC service; a trailing `Service` is not repeated.
pub(crate) fn service(name: &str) -> ServiceNames {
    let whole = name.to_upper_camel_case();
    let base = whole.strip_suffix("Service").filter(|base| !base.is_empty()).unwrap_or(&whole);
    let suffixed = |suffix: &str| ident(&format!("{base}{suffix}"));
    ServiceNames {
        module: ident(&base.to_snake_case()),
        client: suffixed("Client"),
        stub: suffixed("Stub"),
        service: suffixed("Service"),
        server: suffixed("ServiceServer"),
    }
}

/// An RPC in a client, a stub and a server trait: "get_product".
pub(crate) fn method(name: &str) -> Ident {
    let name = name.to_snake_case();
    if OWN_METHODS.contains(&name.as_str()) { ident(&format!("{name}_")) } else { ident(&name) }
}

/// The constant of an RPC: "GET_PRODUCT".
pub(crate) fn constant(name: &str) -> Ident {
    ident(&name.to_shouty_snake_case())
}

/// The method that reacts to a view: "order_confirmed" for `OrderConfirmedView`.
pub(crate) fn reaction(view: &str) -> Ident {
    let name = view.to_snake_case();
    ident(name.strip_suffix("_view").filter(|base| !base.is_empty()).unwrap_or(&name))
}

/// The table of a replica: "product_copy".
pub(crate) fn table(replica: &str) -> String {
    replica.to_snake_case()
}

/// The last part of a dotted name.
pub(crate) fn simple(full_name: &str) -> &str {
    full_name.rsplit('.').next().unwrap_or(full_name)
}

/// An identifier without the mark of an escaped one: as a file or a string has it.
pub(crate) fn plain(ident: &Ident) -> String {
    ident.to_string().trim_start_matches("r#").to_owned()
}

/// `gen` is a keyword of this edition that the parser takes for a name.
fn is_keyword(name: &str) -> bool {
    name == "gen" || syn::parse_str::<Ident>(name).is_err()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_rust_keeps_for_itself_are_escaped() {
        for (name, escaped) in
            [("type", "r#type"), ("gen", "r#gen"), ("self", "self_"), ("_", "unnamed"), ("order", "order")]
        {
            assert_eq!(field(name).to_string(), escaped);
        }
        assert_eq!(type_name("self").to_string(), "Self_");
        assert_eq!(setter("type").to_string(), "with_type");
    }

    #[test]
    fn a_value_loses_the_name_of_its_enum_and_nothing_else() {
        assert_eq!(value_variant("OrderState", "ORDER_STATE_PLACED").to_string(), "Placed");
        assert_eq!(value_variant("Foo", "FOOD").to_string(), "Food");
        assert_eq!(value_variant("Http", "HTTP_2").to_string(), "_2");
        assert_eq!(value_variant("Access", "PUBLIC").to_string(), "Public");
    }

    #[test]
    fn a_service_with_and_without_the_suffix_has_the_same_names() {
        for name in ["CatalogService", "Catalog"] {
            let names = service(name);
            assert_eq!(names.client.to_string(), "CatalogClient");
            assert_eq!(names.server.to_string(), "CatalogServiceServer");
        }
        assert_eq!(service("Service").client.to_string(), "ServiceClient");
    }

    #[test]
    fn what_a_client_does_by_itself_keeps_its_name() {
        assert_eq!(method("Connect").to_string(), "connect_");
        assert_eq!(method("Move").to_string(), "r#move");
        assert_eq!(nested_module("Client").to_string(), "client_");
    }
}
