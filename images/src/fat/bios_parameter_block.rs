use crate::{
    boot::FatType,
    bytes::{le16, le32},
    units::{ByteCount, VirtualSectorCount},
};

/// The first sector of a FAT file system, whose fields make sense together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BiosParameterBlock {
    /// Bytes of the file system's own sectors: 512, 1024, 2048 or 4096.
    pub sector: ByteCount,
    /// Its own sectors in a cluster.
    pub sectors_per_cluster: u8,
    /// Its own sectors before the first FAT.
    pub reserved: u16,
    /// How many FATs there are.
    pub fats: u8,
    /// Entries of the root directory of FAT12 and FAT16.
    pub root_entries: u16,
    /// All of its own sectors.
    total: u32,
    /// Its own sectors in a FAT.
    sectors_per_fat: u32,
    /// The root directory's cluster on FAT32.
    pub root_cluster: u32,
    /// By the number of clusters (§3.5).
    pub fat: FatType,
    has_fat32_layout: bool,
}

/// Clusters from which on a file system is FAT16, and FAT32.
const FAT16_CLUSTERS: u64 = 4_085;
const FAT32_CLUSTERS: u64 = 65_525;

/// How a file system's layout and its number of clusters disagree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WrongWidth {
    /// FAT32 with so many clusters: fewer than it must have.
    TooFewForFat32(u64),
    /// FAT12 or FAT16 with so many: more than they can have.
    TooManyForFat16(u64),
}

impl BiosParameterBlock {
    /// The parameter block in a sector; `None` when its fields cannot be a FAT's.
    #[must_use]
    pub fn decode(sector: &[u8; 512]) -> Option<Self> {
        let bytes_per_sector = le16(sector, 0x0B);
        let sectors_per_cluster = sector[0x0D];
        let total = match le16(sector, 0x13) {
            0 => le32(sector, 0x20),
            total => total.into(),
        };
        let sectors_per_fat = match le16(sector, 0x16) {
            0 => le32(sector, 0x24),
            sectors => sectors.into(),
        };
        let mut block = Self {
            sector: ByteCount::new(bytes_per_sector.into()),
            sectors_per_cluster,
            reserved: le16(sector, 0x0E),
            fats: sector[0x10],
            root_entries: le16(sector, 0x11),
            total,
            sectors_per_fat,
            root_cluster: le32(sector, 0x2C),
            fat: FatType::Fat12,
            has_fat32_layout: le16(sector, 0x16) == 0,
        };
        let makes_sense = matches!(bytes_per_sector, 512 | 1024 | 2048 | 4096)
            && sectors_per_cluster.is_power_of_two()
            && block.reserved > 0
            && matches!(block.fats, 1..=4)
            && sectors_per_fat > 0
            && sector[0x15] >= 0xF0;
        let clusters = makes_sense.then(|| block.clusters()).flatten()?;
        block.fat = match clusters {
            ..FAT16_CLUSTERS => FatType::Fat12,
            FAT16_CLUSTERS..FAT32_CLUSTERS => FatType::Fat16,
            _ => FatType::Fat32,
        };
        // A FAT32 without a root directory of its own is none, however few clusters it has.
        if block.has_fat32_layout {
            block.fat = FatType::Fat32;
        }
        Some(block)
    }

    /// Its length.
    #[must_use]
    pub fn length(&self) -> VirtualSectorCount {
        self.bytes(u64::from(self.total))
            .virtual_sectors_rounded_up()
    }

    /// Why EDK2 refuses the file system (`FatPkg/EnhancedFatDxe/Init.c`): its layout is FAT32's and its clusters are too few for that, or the
    /// other way round. Tables that are too short for all clusters do not matter to it: such file systems of all three widths boot.
    #[must_use]
    pub fn wrong_width(&self) -> Option<WrongWidth> {
        let clusters = self.clusters()?;
        match (self.has_fat32_layout, clusters) {
            (true, ..FAT32_CLUSTERS) => Some(WrongWidth::TooFewForFat32(clusters)),
            (false, FAT32_CLUSTERS..) => Some(WrongWidth::TooManyForFat16(clusters)),
            _ => None,
        }
    }

    /// A number of its own sectors in bytes.
    fn bytes(&self, sectors: u64) -> ByteCount {
        ByteCount::new(sectors.saturating_mul(self.sector.get()))
    }

    /// Where the FAT starts.
    pub(super) fn fat_start(&self) -> u64 {
        self.bytes(self.reserved.into()).get()
    }

    /// Where the root directory of FAT12 and FAT16 starts.
    pub(super) fn root_start(&self) -> u64 {
        let fats = u64::from(self.fats) * u64::from(self.sectors_per_fat);
        self.bytes(u64::from(self.reserved) + fats).get()
    }

    /// Its length.
    pub(super) fn root_length(&self) -> u64 {
        u64::from(self.root_entries) * 32
    }

    /// Its own sectors before the first cluster.
    fn before_clusters(&self) -> u64 {
        let fats = u64::from(self.fats) * u64::from(self.sectors_per_fat);
        let root = self.root_length().div_ceil(self.sector.get().max(1));
        u64::from(self.reserved) + fats + root
    }

    /// How many clusters there are; `None` when the structures leave no room for any.
    pub(super) fn clusters(&self) -> Option<u64> {
        let data = u64::from(self.total).checked_sub(self.before_clusters())?;
        let clusters = data / u64::from(self.sectors_per_cluster);
        (clusters > 0).then_some(clusters)
    }

    /// Where its last cluster ends.
    pub(super) fn end(&self) -> Option<u64> {
        let data = self.clusters()?.checked_mul(self.cluster_bytes())?;
        data.checked_add(self.bytes(self.before_clusters()).get())
    }

    /// Bytes of a cluster.
    pub(super) fn cluster_bytes(&self) -> u64 {
        self.bytes(self.sectors_per_cluster.into()).get()
    }

    /// Where a cluster starts; `None` for numbers that are none.
    pub(super) fn cluster_start(&self, cluster: u32) -> Option<u64> {
        let index = u64::from(cluster).checked_sub(2)?;
        let first = self.bytes(self.before_clusters()).get();
        (index < self.clusters()?)
            .then(|| first.saturating_add(index.saturating_mul(self.cluster_bytes())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of a floppy of 1.44 MB (Microsoft FAT specification §3.1), changed.
    fn decode(change: impl Fn(&mut [u8; 512])) -> Option<BiosParameterBlock> {
        let mut sector = [0; 512];
        for (at, bytes) in [
            (0x0B, &[0x00, 0x02, 1, 1, 0, 2, 224, 0][..]),
            (0x13, &2_880_u16.to_le_bytes()),
            (0x15, &[0xF0, 9, 0]),
        ] {
            sector[at..at + bytes.len()].copy_from_slice(bytes);
        }
        change(&mut sector);
        BiosParameterBlock::decode(&sector)
    }

    #[test]
    fn a_floppy_has_its_structures_where_the_specification_says() {
        let block = decode(|_| ()).unwrap();
        assert_eq!(block.fat, FatType::Fat12);
        assert_eq!(block.length(), VirtualSectorCount::new(2_880));
        assert_eq!(block.fat_start(), 512);
        assert_eq!(block.root_start(), 19 * 512);
        assert_eq!(block.root_length(), 14 * 512);
        assert_eq!(block.cluster_bytes(), 512);
        assert_eq!(block.clusters(), Some(2_847));
        let starts = [0, 1, 2, 3, 2_848, 2_849].map(|cluster| block.cluster_start(cluster));
        let at = |sector: u64| Some(sector * 512);
        assert_eq!(starts, [None, None, at(33), at(34), at(2_879), None]);
    }

    #[test]
    fn a_layout_and_its_clusters_must_agree() {
        assert_eq!(decode(|_| ()).unwrap().wrong_width(), None);
        let few = decode(|sector| {
            sector[0x16] = 0;
            sector[0x24] = 40;
        });
        let wrong = few.unwrap().wrong_width();
        assert!(
            matches!(wrong, Some(WrongWidth::TooFewForFat32(2_000..3_000))),
            "{wrong:?}"
        );
        let many = decode(|sector| {
            sector[0x13..0x15].fill(0);
            sector[0x20..0x24].copy_from_slice(&100_000_u32.to_le_bytes());
        });
        let wrong = many.unwrap().wrong_width();
        assert!(
            matches!(wrong, Some(WrongWidth::TooManyForFat16(_))),
            "{wrong:?}"
        );
        let short = decode(|sector| sector[0x16] = 2).unwrap();
        assert_eq!(short.wrong_width(), None);
    }

    #[test]
    fn fields_that_make_no_sense_are_no_file_system() {
        for (what, at, bytes) in [
            ("bytes of a sector", 0x0B, &[0, 1][..]),
            ("bytes of a sector", 0x0B, &[1, 2]),
            ("bytes of a sector", 0x0B, &[0, 0x20]),
            ("sectors of a cluster", 0x0D, &[0]),
            ("sectors of a cluster", 0x0D, &[3]),
            ("reserved sectors", 0x0E, &[0]),
            ("FATs", 0x10, &[0]),
            ("FATs", 0x10, &[5]),
            ("sectors of a FAT", 0x16, &[0]),
            ("media", 0x15, &[0xEF]),
            ("no room for a cluster", 0x13, &33_u16.to_le_bytes()),
            ("less than its structures", 0x13, &32_u16.to_le_bytes()),
            ("no sectors at all", 0x13, &[0, 0]),
        ] {
            let changed = decode(|sector| sector[at..at + bytes.len()].copy_from_slice(bytes));
            assert_eq!(changed, None, "{what}: {bytes:02X?}");
        }
        for (what, at, bytes) in [
            ("bytes of a sector", 0x0B, &[0, 0x10][..]),
            ("sectors of a cluster", 0x0D, &[128]),
            ("FATs", 0x10, &[1]),
            ("FATs", 0x10, &[4]),
            ("media", 0x15, &[0xFF]),
            ("one cluster", 0x13, &34_u16.to_le_bytes()),
        ] {
            let total: fn(&mut [u8; 512]) = |sector| {
                // Large enough for the largest of these.
                sector[0x13..0x15].fill(0);
                sector[0x20..0x24].copy_from_slice(&100_000_u32.to_le_bytes());
            };
            let changed = decode(|sector| {
                total(sector);
                sector[at..at + bytes.len()].copy_from_slice(bytes);
            });
            assert!(changed.is_some(), "{what}: {bytes:02X?}");
        }
    }

    #[test]
    fn the_number_of_clusters_decides_the_type() {
        let of = |clusters: u32| {
            let block = decode(|sector| {
                sector[0x13..0x15].fill(0);
                sector[0x20..0x24].copy_from_slice(&(33 + clusters).to_le_bytes());
            });
            block.unwrap().fat
        };
        assert_eq!([of(4_084), of(4_085)], [FatType::Fat12, FatType::Fat16]);
        assert_eq!([of(65_524), of(65_525)], [FatType::Fat16, FatType::Fat32]);
        // One with its root directory among the clusters is FAT32, however few they are.
        let block = decode(|sector| {
            sector[0x16..0x18].fill(0);
            sector[0x24] = 9;
            sector[0x2C] = 2;
        });
        let block = block.unwrap();
        assert_eq!((block.fat, block.root_cluster), (FatType::Fat32, 2));
    }
}
