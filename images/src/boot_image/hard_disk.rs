use super::{BootImage, Identity, ImageError, fat::FatVolume};
use crate::{
    boot::FatType,
    partition_table::{MbrEntry, PartitionType},
    probe::bios::{self, Drive},
    sparse::SparseBytes,
    units::{VirtualSector, VirtualSectorCount},
};

/// A hard disk's geometry, as INT 13h addresses it: at most 1024 cylinders, 255 heads, 63 sectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Geometry {
    /// Cylinders, at least 1.
    pub cylinders: u16,
    /// Heads, at least 1.
    pub heads: u16,
    /// Sectors per track, at least 1.
    pub sectors: u16,
}

/// What of a geometry is asked for; the rest follows from the length.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GeometryRequest {
    /// Cylinders.
    pub cylinders: Option<u16>,
    /// Heads.
    pub heads: Option<u16>,
    /// Sectors per track.
    pub sectors: Option<u16>,
}

impl GeometryRequest {
    const HEADS: [u16; 5] = [16, 32, 64, 128, 255];

    /// The length of a disk of which only the cylinders were given.
    pub(crate) fn length(self) -> Option<VirtualSectorCount> {
        let cylinders = u64::from(self.cylinders?);
        let per_cylinder =
            u64::from(self.heads.unwrap_or(16)) * u64::from(self.sectors.unwrap_or(63));
        Some(VirtualSectorCount::new(cylinders * per_cylinder))
    }

    /// The geometry of a disk of that length, rounded up to whole cylinders: with the fewest heads that
    /// address it.
    pub(crate) fn of(self, length: VirtualSectorCount) -> Result<Geometry, ImageError> {
        let sectors = self.sectors.unwrap_or(63);
        let cylinders_with = |heads: u16| {
            length
                .get()
                .div_ceil(u64::from(heads) * u64::from(sectors))
                .max(1)
        };
        let heads = self
            .heads
            .or_else(|| {
                Self::HEADS
                    .into_iter()
                    .find(|&heads| cylinders_with(heads) <= 1024)
            })
            .unwrap_or(255);
        let needed = cylinders_with(heads);
        let cylinders = u16::try_from(needed)
            .ok()
            .filter(|&cylinders| cylinders <= 1024);
        match (cylinders, self.cylinders) {
            (None, _) => Err(ImageError::BeyondChs {
                length,
                cylinders: needed,
                heads,
                sectors,
            }),
            (Some(cylinders), Some(given)) if given != cylinders => Err(ImageError::Cylinders {
                length,
                needed,
                given,
                heads,
                sectors,
            }),
            (Some(cylinders), _) => Ok(Geometry {
                cylinders,
                heads,
                sectors,
            }),
        }
    }
}

impl Geometry {
    /// Cylinder, head and sector of an absolute sector, as a partition entry holds them: head; sector with the
    /// cylinder's two high bits; the cylinder's low byte.
    pub(crate) fn chs(self, sector: u64) -> [u8; 3] {
        let (heads, sectors) = (u64::from(self.heads), u64::from(self.sectors));
        let cylinder = sector / (heads * sectors);
        let [low, high, ..] = cylinder.to_le_bytes();
        let byte = |value: u64| u8::try_from(value).unwrap_or(u8::MAX);
        [
            byte(sector / sectors % heads),
            byte(sector % sectors + 1) | high << 6,
            low,
        ]
    }

    /// The last sector that it addresses.
    pub(crate) fn last(self) -> [u8; 3] {
        self.chs(u64::from(self.cylinders) * self.cylinder_sectors() - 1)
    }

    const fn cylinder_sectors(self) -> u64 {
        self.heads as u64 * self.sectors as u64
    }

    /// Where a wrong geometry shows: the end of the first track and cylinder, and the cylinders beyond which
    /// eight bits do not reach.
    fn edges(self) -> [(&'static str, u64); 6] {
        let (track, cylinder) = (u64::from(self.sectors), self.cylinder_sectors());
        [
            ("track-1", track - 1),
            ("track", track),
            ("cylinder-1", cylinder - 1),
            ("cylinder", cylinder),
            ("cylinder-255", 255 * cylinder),
            ("cylinder-256", 256 * cylinder),
        ]
    }
}

/// A hard disk: stage 1 in the MBR, stage 2 in the first track, one partition in slot 0 from the second track on
/// with a FAT file system, numbered sectors in every free cluster (El Torito §2.2, media type 4; §3.3).
///
/// SeaBIOS takes the geometry from the partition's end CHS alone. So that names the last addressable sector,
/// and the entry's LBA length names the image, which need not be whole cylinders.
///
/// # Errors
/// INT 13h cannot address the length with the geometry asked for, or it is too short.
pub fn hard_disk(
    identity: Identity,
    length: VirtualSectorCount,
    request: GeometryRequest,
) -> Result<BootImage, ImageError> {
    let geometry = request.of(length)?;
    let start = VirtualSectorCount::new(u64::from(geometry.sectors));
    let in_partition = length.checked_sub(start).filter(|rest| rest.get() >= 32);
    let needed = start.plus(VirtualSectorCount::new(32));
    let in_partition = in_partition.ok_or(ImageError::TooShort { length, needed })?;
    let mut system_type = 0;
    let (bytes, plan) = identity.settle(length, &geometry.edges(), |plan| {
        let mut bytes = SparseBytes::zeroed(length.bytes().get());
        let layout = FatVolume {
            start,
            length: in_partition,
            fat: None,
            floppy: None,
            track: (geometry.sectors, geometry.heads),
            files: &[("README.TXT", b"A boot-matrix hard-disk image.\r\n")],
        }
        .write(&mut bytes)?;
        system_type = partition_type(layout.fat, in_partition);
        let stage2 = bios::stage2(Drive::Emulated, plan)?;
        let sectors = super::stage2_sectors(&stage2);
        let stage2_end = VirtualSectorCount::new(1 + u64::from(sectors));
        if stage2_end > start {
            return Err(ImageError::TooShort {
                length: start,
                needed: stage2_end,
            });
        }
        let stage1 = bios::stage1(Drive::Emulated, 0, VirtualSector::new(1), sectors)?;
        bytes.write_at(0, &stage1);
        bytes.write_at(
            MbrEntry::TABLE,
            &partition_entry(geometry, system_type, start, in_partition),
        );
        bytes.write_at(MbrEntry::SIGNATURE, &[0x55, 0xAA]);
        bytes.write_at(512, &stage2);
        Ok((bytes, layout.free))
    })?;
    Ok(BootImage {
        bytes,
        plan,
        system_type,
        loaders: Vec::new(),
    })
}

/// The active partition's entry (El Torito §3.3 asks for it in slot 0).
fn partition_entry(
    geometry: Geometry,
    system_type: u8,
    start: VirtualSectorCount,
    length: VirtualSectorCount,
) -> [u8; 16] {
    MbrEntry {
        status: MbrEntry::ACTIVE,
        first_chs: geometry.chs(start.get()),
        kind: PartitionType(system_type),
        last_chs: geometry.last(),
        first: VirtualSector::new(start.get()),
        length,
    }
    .encode()
}

/// The partition type of a FAT volume that is addressed by CHS.
fn partition_type(fat: FatType, length: VirtualSectorCount) -> u8 {
    match fat {
        FatType::Fat12 => 0x01,
        FatType::Fat16 if length.get() < 65_536 => 0x04,
        FatType::Fat16 => 0x06,
        FatType::Fat32 => 0x0B,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn geometry_is_rounded_up_to_whole_cylinders() {
        let check = |length, expected| {
            let geometry = GeometryRequest::default()
                .of(VirtualSectorCount::new(length))
                .unwrap();
            assert_eq!(
                (geometry.cylinders, geometry.heads, geometry.sectors),
                expected
            );
        };
        check(1, (1, 16, 63));
        check(333_000, (331, 16, 63));
        check(1_032_192, (1024, 16, 63));
        check(1_032_193, (513, 32, 63));
        check(12_219_392, (761, 255, 63));
        check(16_450_560, (1024, 255, 63));
        let error = GeometryRequest::default()
            .of(VirtualSectorCount::new(16_450_561))
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "a hard disk of 16450561 virtual sectors (8422687232 bytes) needs 1025 cylinders of 255 heads and 63 sectors, and INT 13h addresses 1024"
        );
    }

    #[test]
    fn chs_has_the_cylinders_high_bits_above_the_sector() {
        let geometry = Geometry {
            cylinders: 1024,
            heads: 255,
            sectors: 63,
        };
        assert_eq!(geometry.chs(63), [1, 1, 0]);
        assert_eq!(geometry.chs(16_450_559), [254, 0xC0 | 63, 0xFF]);
    }

    #[test]
    fn what_shows_a_wrong_geometry_is_at_its_edges() {
        let geometry = Geometry {
            cylinders: 331,
            heads: 16,
            sectors: 63,
        };
        assert_eq!(
            geometry.edges().map(|(_, sector)| sector),
            [62, 63, 1_007, 1_008, 257_040, 258_048]
        );
    }

    #[test]
    fn a_partition_has_the_type_of_its_volume() {
        let types = |fat, lengths: [u64; 2]| {
            lengths.map(|length| partition_type(fat, VirtualSectorCount::new(length)))
        };
        // A FAT16 volume of less than 32 MiB has a type of its own.
        assert_eq!(types(FatType::Fat16, [65_535, 65_536]), [0x04, 0x06]);
        assert_eq!(types(FatType::Fat12, [65_535, 65_536]), [0x01; 2]);
        assert_eq!(types(FatType::Fat32, [65_535, 65_536]), [0x0B; 2]);
    }
}
