//! The public items of one module: types with their fields, functions, constants, traits.
//!
//! In: a module's syntax, one item at a time. Out: the entries of the surface.

use syn::{
    Attribute, FnArg, ImplItem, Item as Syntax, ItemEnum, ItemImpl, ItemStruct, ItemTrait, ReturnType,
    Signature, TraitItem, Type, Visibility,
};

use crate::semver::spell::Names;
use crate::semver::surface::{Feature, Form, Kind, Surface};

/// Traits that say nothing: every type has the one, by a derive or by hand, and only the generated dispatch names the other.
const PASSED_OVER: [&str; 2] = ["freehold_wire::check::Check", "std::fmt::Debug"];

/// Adds what is public of an item.
pub(crate) fn read(item: &Syntax, names: &Names<'_>, feature: Feature, surface: &mut Surface) {
    match item {
        Syntax::Mod(item) if is_public(&item.vis) => {
            let form = Form::Text(String::new());
            surface.add(names.here(&item.ident), Kind::Module, feature, form);
        }
        Syntax::Const(item) if is_public(&item.vis) => {
            let form = Form::Text(names.spell(&item.ty));
            surface.add(names.here(&item.ident), Kind::Constant, feature, form);
        }
        Syntax::Struct(item) if is_public(&item.vis) => structure(item, names, feature, surface),
        Syntax::Enum(item) if is_public(&item.vis) => enumeration(item, names, feature, surface),
        Syntax::Trait(item) if is_public(&item.vis) => interface(item, names, feature, surface),
        Syntax::Impl(item) => implementation(item, names, feature, surface),
        _ => {}
    }
}

fn structure(item: &ItemStruct, names: &Names<'_>, feature: Feature, surface: &mut Surface) {
    let path = names.here(&item.ident);
    surface.add(path.clone(), Kind::Struct, feature, Form::Text(openness(&item.attrs)));
    derived(&item.attrs, &path, names, feature, surface);
    for field in item.fields.iter().filter(|field| is_public(&field.vis)) {
        let Some(name) = &field.ident else { continue };
        let (path, ty) = (format!("{path}::{name}"), names.spell(&field.ty));
        if let Some(gives) = getter(&field.attrs, &ty) {
            let form = Form::Function { is_async: false, takes: vec!["&self".to_owned()], gives };
            surface.add(path.clone(), Kind::Method, feature, form);
        }
        surface.add(path, Kind::Field, feature, Form::Text(ty));
    }
}

fn enumeration(item: &ItemEnum, names: &Names<'_>, feature: Feature, surface: &mut Surface) {
    let path = names.here(&item.ident);
    surface.add(path.clone(), Kind::Enum, feature, Form::Text(openness(&item.attrs)));
    derived(&item.attrs, &path, names, feature, surface);
    for variant in &item.variants {
        let held: Vec<String> = variant.fields.iter().map(|field| names.spell(&field.ty)).collect();
        let form = match &variant.discriminant {
            Some((_, number)) => Form::Number(names.spell(number)),
            None => Form::Text(format!("({})", held.join(", "))),
        };
        surface.add(format!("{path}::{}", variant.ident), Kind::Variant, feature, form);
    }
}

fn interface(item: &ItemTrait, names: &Names<'_>, feature: Feature, surface: &mut Surface) {
    let path = names.here(&item.ident);
    surface.add(path.clone(), Kind::Trait, feature, Form::Text(names.spell(&item.supertraits)));
    for member in &item.items {
        let TraitItem::Fn(method) = member else { continue };
        let kind = if method.default.is_some() { Kind::Provided } else { Kind::Required };
        let path = format!("{path}::{}", method.sig.ident);
        surface.add(path, kind, feature, function(&method.sig, names));
    }
}

fn implementation(item: &ItemImpl, names: &Names<'_>, feature: Feature, surface: &mut Surface) {
    let Type::Path(own) = item.self_ty.as_ref() else { return };
    let segments = own.path.segments.iter().map(|segment| segment.ident.to_string()).collect();
    let path = names.meaning(segments);
    if !Names::is_own(&path) {
        return;
    }
    if let Some((_, interface, _)) = &item.trait_ {
        let interface = names.spell(interface);
        if PASSED_OVER.contains(&interface.as_str()) {
            return;
        }
        let path = format!("{path}: {interface}");
        surface.add(path, Kind::Implementation, feature, Form::Text(String::new()));
        return;
    }
    for member in &item.items {
        let ImplItem::Fn(method) = member else { continue };
        if is_public(&method.vis) {
            let path = format!("{path}::{}", method.sig.ident);
            surface.add(path, Kind::Method, feature, function(&method.sig, names));
        }
    }
}

fn function(signature: &Signature, names: &Names<'_>) -> Form {
    let takes = signature.inputs.iter().map(|input| match input {
        FnArg::Receiver(receiver) => match (&receiver.reference, &receiver.mutability) {
            (Some(_), Some(_)) => "&mut self".to_owned(),
            (Some(_), None) => "&self".to_owned(),
            (None, _) => "self".to_owned(),
        },
        FnArg::Typed(typed) => names.spell(&typed.ty),
    });
    let gives = match &signature.output {
        ReturnType::Default => "()".to_owned(),
        ReturnType::Type(_, ty) => names.spell(ty),
    };
    Form::Function { is_async: signature.asyncness.is_some(), takes: takes.collect(), gives }
}

/// The traits that the derives of a type give it.
fn derived(attributes: &[Attribute], path: &str, names: &Names<'_>, feature: Feature, surface: &mut Surface) {
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("derive")) {
        let Ok(list) = attribute.meta.require_list() else { continue };
        for derive in names.spell(&list.tokens).split(", ") {
            // What prost makes of the rest is the same for every message, oneof or enum.
            let path = format!("{path}: {derive}");
            surface.add(path, Kind::Implementation, feature, Form::Text(String::new()));
        }
    }
}

/// What the getter that prost adds to a field answers; none where it adds none.
fn getter(attributes: &[Attribute], ty: &str) -> Option<String> {
    let list = attributes.iter().find(|attribute| attribute.path().is_ident("prost"))?;
    let words = list.meta.require_list().ok()?.tokens.to_string();
    let may_be_unset = words.split(", ").any(|word| word.trim() == "optional");
    if !may_be_unset || words.starts_with("message") {
        return None;
    }
    let held = ty.strip_prefix("Option<")?.strip_suffix('>')?;
    Some(match held {
        "String" => "&str".to_owned(),
        "Vec<u8>" => "&[u8]".to_owned(),
        number => number.to_owned(),
    })
}

/// Whether others may list all that a type has.
fn openness(attributes: &[Attribute]) -> String {
    let is_open = attributes.iter().any(|attribute| attribute.path().is_ident("non_exhaustive"));
    if is_open { "non_exhaustive".to_owned() } else { String::new() }
}

pub(crate) fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

/// The feature that an item is behind.
pub(crate) fn feature(attributes: &[Attribute]) -> Option<Feature> {
    let condition = attributes.iter().find(|attribute| attribute.path().is_ident("cfg"))?;
    let condition = condition.meta.require_list().ok()?.tokens.to_string();
    let named = [("\"client\"", Feature::Client), ("\"server\"", Feature::Server)];
    named.into_iter().find(|(name, _)| condition.contains(name)).map(|(_, feature)| feature)
}
