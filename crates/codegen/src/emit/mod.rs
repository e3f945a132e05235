//! From plain items to Rust: one small function per kind of item, each the tokens of what it is named after.

pub(crate) mod calls;
pub(crate) mod checks;
pub(crate) mod client;
pub(crate) mod contract;
pub(crate) mod debug;
pub(crate) mod entities;
pub(crate) mod enumeration;
pub(crate) mod fields;
pub(crate) mod messages;
pub(crate) mod methods;
pub(crate) mod modules;
pub(crate) mod reactions;
pub(crate) mod replicas;
pub(crate) mod server;
pub(crate) mod types;
pub(crate) mod views;

use proc_macro2::{Literal, TokenStream};
use quote::quote;

/// Doc comments, a line each.
pub(crate) fn docs<Line: AsRef<str>>(lines: impl IntoIterator<Item = Line>) -> TokenStream {
    let lines = lines.into_iter().map(|line| match line.as_ref() {
        "" => String::new(),
        text => format!(" {text}"),
    });
    quote!(#(#[doc = #lines])*)
}

/// A number as people write it: 1_000_000.
pub(crate) fn number(number: impl Into<i128>) -> Literal {
    let number: i128 = number.into();
    let digits = number.unsigned_abs().to_string();
    let mut grouped = if number < 0 { "-".to_owned() } else { String::new() };
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) && digits.len() > 4 {
            grouped.push('_');
        }
        grouped.push(digit);
    }
    grouped.parse().unwrap_or_else(|_| Literal::i128_unsuffixed(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_numbers_are_grouped() {
        for (value, text) in [(0, "0"), (9999, "9999"), (-10_000, "-10_000"), (1_000_000, "1_000_000")] {
            assert_eq!(number(value).to_string(), text);
        }
    }
}
