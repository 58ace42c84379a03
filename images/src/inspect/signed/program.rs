//! An EFI program of a disc, with all that was read of it.

use super::reading::{ProgramPlace, TrustedBy};
use crate::{efi_program::Machine, inspect::file::DiscBytes, signature::SignedProgram};

/// A program and all that was read of it.
#[derive(Debug)]
pub(crate) struct DiscProgram {
    pub(crate) place: ProgramPlace,
    pub(crate) slot: Option<u16>,
    pub(crate) path: String,
    pub(crate) file: DiscBytes,
    pub(crate) machine: Machine,
    /// Whether firmware starts it by its name.
    pub(crate) is_loader: bool,
    pub(crate) signed: SignedProgram,
    pub(crate) trusted_by: TrustedBy,
    /// The number of the shim through which it is trusted.
    pub(crate) through: Option<usize>,
}

impl DiscProgram {
    pub(crate) fn offset(&self) -> u64 {
        self.file.start().unwrap_or_default()
    }

    /// The last part of its path.
    pub(crate) fn name(&self) -> &str {
        let parts = self.path.rsplit(['/', '\\']);
        parts.into_iter().next().unwrap_or_default()
    }
}
