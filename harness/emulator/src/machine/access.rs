//! What an access to memory or to a register is.

pub use translate::form::Width;

/// Whether a watched access loads or stores.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AccessKind {
    /// It loads.
    Load,
    /// It stores.
    Store,
}
