use super::{
    BootImage, Identity, ImageError,
    fat::{FatVolume, FloppyFormat},
};
use crate::{
    boot::{FatType, Floppy},
    probe::bios::{self, Drive},
    sparse::SparseBytes,
    units::{VirtualSector, VirtualSectorCount},
};

/// Where code begins in the boot sector of a FAT12 volume, behind the BPB.
const CODE: u16 = 0x3E;

/// A floppy with a FAT12 file system: stage 1 in its boot sector, stage 2 in the file `PROBE.BIN`, numbered
/// sectors in every free cluster. The probe reads it by cylinder, head and sector.
///
/// # Errors
/// `length` is not the floppy's.
pub fn floppy(
    identity: Identity,
    floppy: Floppy,
    length: VirtualSectorCount,
) -> Result<BootImage, ImageError> {
    if length != floppy.length() {
        return Err(ImageError::FloppySize { floppy, length });
    }
    let (bytes, plan) = identity.settle(length, &floppy_edges(floppy), |plan| {
        let stage2 = bios::stage2(Drive::Emulated, plan)?;
        let mut bytes = SparseBytes::zeroed(length.bytes().get());
        let layout = FatVolume {
            start: VirtualSectorCount::ZERO,
            length,
            fat: Some(FatType::Fat12),
            floppy: Some(format(floppy)),
            track: (floppy.sectors_per_track(), 2),
            files: &[("PROBE.BIN", &stage2)],
        }
        .write(&mut bytes)?;
        let stage2_at = VirtualSector::new(layout.data.get());
        let stage1 = bios::stage1(
            Drive::Emulated,
            CODE,
            stage2_at,
            super::stage2_sectors(&stage2),
        )?;
        bytes.write_at(0, &[0xEB, 0x3C, 0x90]);
        bytes.write_at(u64::from(CODE), &stage1);
        bytes.write_at(510, &[0x55, 0xAA]);
        Ok((bytes, layout.free))
    })?;
    Ok(BootImage {
        bytes,
        plan,
        system_type: 0,
        loaders: Vec::new(),
    })
}

fn format(floppy: Floppy) -> FloppyFormat {
    let (media, sectors_per_cluster, root_entries) = match floppy {
        Floppy::K1200 => (0xF9, 1, 224),
        Floppy::K1440 => (0xF0, 1, 224),
        Floppy::K2880 => (0xF0, 2, 240),
    };
    FloppyFormat {
        media,
        sectors_per_cluster,
        root_entries,
    }
}

/// Where a wrong geometry shows: the end of the first track and of the first cylinder.
fn floppy_edges(floppy: Floppy) -> [(&'static str, u64); 4] {
    let track = u64::from(floppy.sectors_per_track());
    [
        ("track-1", track - 1),
        ("track", track),
        ("cylinder-1", 2 * track - 1),
        ("cylinder", 2 * track),
    ]
}
