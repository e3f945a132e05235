//! `freehold graph`: who owns what, and who calls, reads and copies what of whom, drawn from the contracts.
//!
//! One map, four formats: text to read, Mermaid and Graphviz to draw, JSON to compute with. What a contract does not
//! declare is refused at run time, so the picture is complete except for the methods that are open to anybody.

mod dot;
mod map;
mod mermaid;
mod text;

use serde_json::json;

use crate::cli::{Format, GraphArgs, GraphFormat};
use crate::contracts;
use crate::exit::Failure;
use crate::graph::map::Map;
use crate::output;

/// Prints the graph of the contracts that the command was built with, or of those in a folder.
pub(crate) fn run(args: &GraphArgs, format: Format) -> Result<(), Failure> {
    let model = match &args.proto {
        Some(folder) => contracts::of_folder(folder)?,
        None => contracts::embedded()?,
    };
    let usual = if format == Format::Json { GraphFormat::Json } else { GraphFormat::Text };
    output::write(draw(&Map::of(&model), args.format.unwrap_or(usual)).as_bytes())
}

fn draw(map: &Map, format: GraphFormat) -> String {
    match format {
        GraphFormat::Text => text::draw(map),
        GraphFormat::Mermaid => mermaid::draw(map),
        GraphFormat::Dot => dot::draw(map),
        GraphFormat::Json => format!("{}\n", json!(map)),
    }
}

#[cfg(test)]
mod tests;
