//! How a type reads wherever it stands: every path in full, so that two spellings are equal when the types are.
//!
//! In: the tokens of a type, and the module that they stand in. Out: text. A name means what the module declares or imports
//! under it, else what Rust's prelude does. **Invariant:** a module that is private is no part of a path, for generated
//! modules hand on all that their private ones declare.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::{Item, UseTree};

/// The name of the crate that the generated modules are the whole of.
pub(crate) const SDK: &str = "freehold_sdk";

/// A path, segment by segment.
pub(crate) type Path = Vec<String>;

/// What the names in a module mean.
#[derive(Debug)]
pub(crate) struct Names<'a> {
    module: &'a [String],
    private: &'a BTreeSet<Path>,
    meanings: BTreeMap<String, Path>,
}

impl<'a> Names<'a> {
    /// The names of a module by its items; `private` are the modules that are no part of a path.
    pub(crate) fn new(module: &'a [String], items: &[Item], private: &'a BTreeSet<Path>) -> Self {
        let mut names = Self { module, private, meanings: BTreeMap::new() };
        for item in items {
            let declared = match item {
                Item::Const(item) => &item.ident,
                Item::Enum(item) => &item.ident,
                Item::Mod(item) => &item.ident,
                Item::Struct(item) => &item.ident,
                Item::Trait(item) => &item.ident,
                Item::Use(item) => {
                    names.import(&mut Vec::new(), &item.tree);
                    continue;
                }
                _ => continue,
            };
            let path = [module, &[declared.to_string()]].concat();
            names.meanings.insert(declared.to_string(), path);
        }
        names
    }

    fn import(&mut self, before: &mut Path, tree: &UseTree) {
        match tree {
            UseTree::Path(path) => {
                before.push(path.ident.to_string());
                self.import(before, &path.tree);
                before.pop();
            }
            UseTree::Name(name) if name.ident == "self" => {
                let Some(last) = before.last() else { return };
                self.meanings.insert(last.clone(), self.absolute(before.clone()));
            }
            UseTree::Name(name) => {
                let name = name.ident.to_string();
                let path = [before.as_slice(), std::slice::from_ref(&name)].concat();
                self.meanings.insert(name, self.absolute(path));
            }
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.import(before, tree)),
            UseTree::Rename(_) | UseTree::Glob(_) => {}
        }
    }

    /// A path that may begin with `crate` or `super`, from the root of the crate.
    fn absolute(&self, path: Path) -> Path {
        let ups = path.iter().take_while(|segment| *segment == "super").count();
        if ups > 0 {
            let above = self.module.len().saturating_sub(ups);
            return [&self.module[..above], &path[ups..]].concat();
        }
        match path.split_first() {
            Some((first, rest)) if first == "crate" => [&[SDK.to_owned()], rest].concat(),
            _ => path,
        }
    }

    /// Whether a path in full is one of this crate.
    pub(crate) fn is_own(path: &str) -> bool {
        path.strip_prefix(SDK).is_some_and(|rest| rest.starts_with("::"))
    }

    /// The path of what the module declares under a name.
    pub(crate) fn here(&self, name: &syn::Ident) -> String {
        public(&[self.module, &[name.to_string()]].concat(), self.private)
    }

    /// What a path means, in full and through public modules alone.
    pub(crate) fn meaning(&self, path: Path) -> String {
        let path = match path.split_first() {
            Some((first, rest)) => match self.meanings.get(first) {
                Some(meaning) => [meaning.as_slice(), rest].concat(),
                None => self.absolute(path),
            },
            None => path,
        };
        in_prelude(&path).map_or_else(|| public(&path, self.private), str::to_owned)
    }

    /// The text of a type, or of any other tokens that hold paths.
    pub(crate) fn spell(&self, tokens: impl quote::ToTokens) -> String {
        let mut text = String::new();
        self.spell_into(tokens.into_token_stream(), &mut text);
        text
    }

    fn spell_into(&self, tokens: TokenStream, text: &mut String) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut rest = tokens.as_slice();
        while let Some((first, after)) = rest.split_first() {
            if let Some((path, after)) = leading_path(rest) {
                // `Item = T` binds a name of a trait: it means nothing by itself.
                let is_bound = path.len() == 1 && is_punct(after.first(), '=');
                word(&if is_bound { path.concat() } else { self.meaning(path) }, text);
                rest = after;
                continue;
            }
            match first {
                TokenTree::Group(group) => {
                    let (open, close) = brackets(group.delimiter());
                    text.push_str(open);
                    self.spell_into(group.stream(), text);
                    text.push_str(close);
                }
                TokenTree::Punct(punct) => match punct.as_char() {
                    ',' if after.is_empty() => {}
                    ',' => text.push_str(", "),
                    mark @ ('=' | '+') => text.push_str(&format!(" {mark} ")),
                    mark => text.push(mark),
                },
                other => word(&other.to_string(), text),
            }
            rest = after;
        }
    }
}

/// A path as users of the crate write it: without its private modules.
pub(crate) fn public(path: &[String], private: &BTreeSet<Path>) -> String {
    let is_public = |end: &usize| !private.contains(&path[..=*end]);
    let segments: Vec<&str> = (0..path.len()).filter(is_public).map(|end| path[end].as_str()).collect();
    segments.join("::")
}

/// The names of the prelude are spelled in full where a contract has a type of that name.
fn in_prelude(path: &[String]) -> Option<&str> {
    let segments: Vec<&str> = path.iter().map(String::as_str).collect();
    match segments.as_slice() {
        ["core", "option" | "result", name] | ["prost", "alloc", "vec" | "string" | "boxed", name] => {
            Some(name)
        }
        _ => None,
    }
}

/// The path that some tokens begin with, and what comes after it.
fn leading_path(tokens: &[TokenTree]) -> Option<(Path, &[TokenTree])> {
    let mut rest = tokens;
    if let [TokenTree::Punct(_), TokenTree::Punct(_), after @ ..] = rest
        && is_punct(rest.first(), ':')
    {
        rest = after;
    }
    let mut path = Path::new();
    while let Some((TokenTree::Ident(segment), after)) = rest.split_first() {
        path.push(segment.to_string());
        rest = after;
        match after {
            [TokenTree::Punct(one), TokenTree::Punct(two), TokenTree::Ident(_), ..]
                if one.as_char() == ':' && two.as_char() == ':' =>
            {
                rest = &after[2..];
            }
            _ => break,
        }
    }
    (!path.is_empty()).then_some((path, rest))
}

fn is_punct(token: Option<&TokenTree>, mark: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == mark)
}

fn brackets(delimiter: Delimiter) -> (&'static str, &'static str) {
    match delimiter {
        Delimiter::Parenthesis => ("(", ")"),
        Delimiter::Brace => ("{", "}"),
        Delimiter::Bracket => ("[", "]"),
        Delimiter::None => ("", ""),
    }
}

fn word(word: &str, text: &mut String) {
    if text.ends_with(|last: char| last.is_alphanumeric() || last == '_') {
        text.push(' ');
    }
    text.push_str(word);
}
