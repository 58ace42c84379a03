use super::{BootImage, Identity, ImageError, fat::FatVolume};
use crate::{boot::FatType, probe::uefi, sparse::SparseBytes, units::VirtualSectorCount};

/// Where UEFI looks for the loader of a removable medium on x86-64 (UEFI §3.5.1.1).
pub const LOADER: &str = "/EFI/BOOT/BOOTX64.EFI";

/// An EFI system partition: a FAT file system over the whole image with the probe as its loader, numbered sectors
/// in every free cluster (UEFI §13.3.2.1).
///
/// # Errors
/// The length cannot hold that FAT type, or the loader does not fit.
pub fn efi_system_partition(
    identity: Identity,
    length: VirtualSectorCount,
    fat: Option<FatType>,
) -> Result<BootImage, ImageError> {
    let mut loader = Vec::new();
    let (bytes, plan) = identity.settle(length, &[], |plan| {
        loader = uefi::application(plan)?;
        let mut bytes = SparseBytes::zeroed(length.bytes().get());
        let layout = FatVolume {
            start: VirtualSectorCount::ZERO,
            length,
            fat,
            floppy: None,
            track: (32, 64),
            files: &[(LOADER, &loader)],
        }
        .write(&mut bytes)?;
        Ok((bytes, layout.free))
    })?;
    Ok(BootImage {
        bytes,
        plan,
        system_type: 0,
        loader: Some(loader),
    })
}
