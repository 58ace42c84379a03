use super::{BootImage, Identity, ImageError, fat::FatVolume};
use crate::{
    boot::{FatType, Loader, Loaders},
    probe::uefi,
    sparse::SparseBytes,
    units::VirtualSectorCount,
};

/// [`efi_system_partition_with`] the probe for x86-64 alone.
///
/// # Errors
/// As there.
pub fn efi_system_partition(
    identity: Identity,
    length: VirtualSectorCount,
    fat: Option<FatType>,
) -> Result<BootImage, ImageError> {
    efi_system_partition_with(identity, length, fat, &Loaders::ordinary())
}

/// An EFI system partition: a FAT file system over the whole image with the probe as each of these loaders, numbered sectors
/// in every free cluster (UEFI §13.3.2.1).
///
/// # Errors
/// The length cannot hold that FAT type, or the loader does not fit.
pub fn efi_system_partition_with(
    identity: Identity,
    length: VirtualSectorCount,
    fat: Option<FatType>,
    which: &Loaders,
) -> Result<BootImage, ImageError> {
    let mut loaders: Vec<(Loader, Vec<u8>)> = Vec::new();
    let (bytes, plan) = identity.settle(length, &[], |plan| {
        loaders.clear();
        for &loader in which.as_slice() {
            loaders.push((loader, uefi::application_for(plan, loader)?));
        }
        let files = loaders.iter();
        let files: Vec<(&str, &[u8])> = files.map(|(it, bytes)| (it.path(), &**bytes)).collect();
        let mut bytes = SparseBytes::zeroed(length.bytes().get());
        let layout = FatVolume {
            start: VirtualSectorCount::ZERO,
            length,
            fat,
            floppy: None,
            track: (32, 64),
            files: &files,
        }
        .write(&mut bytes)?;
        Ok((bytes, layout.free))
    })?;
    Ok(BootImage {
        bytes,
        plan,
        system_type: 0,
        loaders,
    })
}
