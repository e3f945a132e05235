//! What this service owns, as it thinks of it.

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Widget {
    /// Chosen at creation.
    pub(crate) id: String,
    /// What people call it.
    pub(crate) name: String,
}
