//! What a disc is compared with.

use super::window::Source;
use crate::{
    signature::{MachineKeys, Revocations},
    units::BlockCount,
};

/// What the disc is compared with.
#[derive(Clone, Copy, Default)]
pub struct Options<'a> {
    /// The capacity of the medium that it is made for.
    pub medium: Option<BlockCount>,
    /// The boot image that it was mastered from.
    pub boot_image: Option<&'a dyn Source>,
    /// Whether to read the whole disc: implanted checksums, and zeros where none should be.
    pub verify: bool,
    /// Code for the first sector of a disc that has none: what isohdpfx.bin or GRUB's boot_hybrid.img holds. Only its first 440
    /// bytes are taken; a partition table stands behind them.
    pub boot_code: Option<&'a [u8]>,
    /// What machines refuse with Secure Boot on.
    pub revocations: Option<&'a Revocations>,
    /// The keys of a machine, for which is said what it starts.
    pub machine: Option<&'a MachineKeys>,
}

impl std::fmt::Debug for Options<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options")
            .field("medium", &self.medium)
            .field("boot_image", &self.boot_image.map(Source::length))
            .field("verify", &self.verify)
            .field("boot_code", &self.boot_code.map(<[u8]>::len))
            .field("revocations", &self.revocations)
            .field("machine", &self.machine.is_some())
            .finish()
    }
}
