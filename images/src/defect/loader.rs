//! The loader in an EFI system partition of ours, to be spoilt.

use std::ops::ControlFlow;

use crate::{
    fat::{FatStructure, FatVolume},
    inspect::{Window, efi_image::programs},
    sparse::SparseBytes,
    units::Lba,
};

/// Bytes of a directory entry, which begins with the short name.
const ENTRY_BYTES: u64 = 32;
/// `BOOTX64.EFI` as a directory entry has it.
const NAME: &[u8; 11] = b"BOOTX64 EFI";

/// The loader of the file system that stands at a block.
pub(crate) struct Loader {
    /// Where its first byte stands.
    pub(crate) start: u64,
    /// Where its directory entry stands.
    entry: u64,
}

impl Loader {
    pub(crate) fn find(bytes: &SparseBytes, image: Lba) -> Option<Self> {
        let disc = &mut Window::new(bytes);
        let fat = FatVolume::at(disc, image.byte_offset())?;
        let mut directories = Vec::new();
        fat.walk(disc, &mut |structure, runs| {
            if matches!(structure, FatStructure::Directory { .. }) {
                directories.extend_from_slice(runs);
            }
            ControlFlow::Continue(())
        });
        let entries = directories.into_iter().flat_map(|(start, length)| {
            (start..start.saturating_add(length.get())).step_by(ENTRY_BYTES as usize)
        });
        let entry = entries
            .into_iter()
            .find(|&at| bytes.array_at(at) == *NAME)?;
        let start = programs(disc, fat).first()?.file.start()?;
        Some(Self { start, entry })
    }

    /// Gives it another name, padded as in a directory entry.
    pub(crate) fn rename(&self, bytes: &mut SparseBytes, name: &[u8; NAME.len()]) {
        bytes.write_at(self.entry, name);
    }
}
