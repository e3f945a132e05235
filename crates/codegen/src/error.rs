//! Why a contract cannot be written as Rust. Each sentence says what to change in the .proto.

/// Why nothing was generated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Two things of the contract would have the same name in Rust.
    #[error("`{first}` and `{second}` both become `{name}` in Rust; rename one of them")]
    Collision {
        /// The name in Rust.
        name: String,
        /// The one, as the contract spells it.
        first: String,
        /// The other.
        second: String,
    },
    /// The contract uses a part of Protobuf that has no place in one.
    #[error("`{item}` uses {feature}, which is not generated; {instead}")]
    Unsupported {
        /// The file, message or field.
        item: String,
        /// What it uses.
        feature: &'static str,
        /// What to write instead.
        instead: &'static str,
    },
    /// The model names something that its descriptors do not have.
    #[error("the model names `{0}`, which its descriptors do not have")]
    Unknown(String),
    /// What was written is not Rust: a fault of the generator.
    #[error("failed to format {file}, a fault of the generator: {problem}")]
    NotRust {
        /// The file.
        file: String,
        /// What the parser said.
        problem: String,
    },
}
