use super::{BootImage, Identity, ImageError, isolinux};
use crate::{
    boot::BootInfo,
    probe::bios::{self, Drive},
    sparse::SparseBytes,
    units::{VirtualSector, VirtualSectorCount},
};

/// An image without emulation (El Torito §2.2, media type 0): stage 1 in virtual sector 0, stage 2 behind it,
/// numbered sectors to the end. The probe reads it through the CD drive's extended reads.
///
/// With `passes_for` it looks like that loader, and leaves room for a boot-info table, which is written when the image
/// has its place.
///
/// # Errors
/// The image is too short for the probe.
pub fn no_emulation(
    identity: Identity,
    length: VirtualSectorCount,
    passes_for: Option<BootInfo>,
) -> Result<BootImage, ImageError> {
    let stage2_at = VirtualSector::new(1);
    let (bytes, plan) = identity.settle(length, &[], |plan| {
        let mut bytes = SparseBytes::zeroed(length.bytes().get());
        let stage2 = bios::stage2(Drive::NoEmulation, plan)?;
        let sectors = super::stage2_sectors(&stage2);
        let code_at = passes_for.map_or(0, |_| isolinux::CODE);
        let stage1 = bios::stage1(Drive::NoEmulation, code_at, stage2_at, sectors)?;
        bytes.write_at(u64::from(code_at), &stage1);
        if let Some(loader) = passes_for {
            isolinux::disguise(&mut bytes, loader);
        }
        // A boot sector's signature, which no specification asks of a no-emulation image and some tools do.
        bytes.write_at(510, &[0x55, 0xAA]);
        bytes.write_at(stage2_at.byte_offset(), &stage2);
        Ok((bytes, VirtualSectorCount::new(1 + u64::from(sectors))))
    })?;
    Ok(BootImage {
        bytes,
        plan,
        system_type: 0,
        loaders: Vec::new(),
    })
}
