//! What a mastered disc is known to hold: the host's side of every check.

use serde::{Deserialize, Serialize};

use crate::{
    probe::{DiscHash, ProbePlan, sector::Found},
    units::{BlockCount, ByteCount, Lba, VirtualSectorCount},
};

/// What a disc was mastered to be. Written beside the ISO as `manifest.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The disc's id, five parts.
    pub id: String,
    /// Its hash, which every self-identifying sector and every probe line carries.
    pub disc: DiscHash,
    /// The ISO's length.
    pub size: ByteCount,
    /// The medium's capacity, when the disc was made for a medium.
    pub capacity: Option<BlockCount>,
    /// The boot catalog.
    pub catalog: Lba,
    /// The boot images, by slot.
    pub images: Vec<ImageRecord>,
    /// What stands where, by ascending LBA, without overlap.
    pub map: Vec<Region>,
}

/// One boot image on the disc.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageRecord {
    /// The 0-based catalog slot of its entry.
    pub slot: u16,
    /// Where it starts.
    pub load_rba: Lba,
    /// How long it is.
    pub length: VirtualSectorCount,
    /// What its probe was told to do; `None` for an image that is not ours.
    pub plan: Option<ProbePlan>,
    /// What each check of the plan must find, in the plan's order.
    pub expected: Vec<Found>,
    /// The CRC-16 over the structured sectors, when the plan sweeps.
    pub area_crc: Option<u16>,
    /// The loader's length and CRC-16, when the image holds a UEFI loader.
    pub loader: Option<(u64, u16)>,
    /// The same of the loaders for other architectures, where there are several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub other_loaders: Vec<(u64, u16)>,
    /// The first byte of the image that a tool's disc has not as the tool was given it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub altered: Option<u64>,
}

/// A run of blocks with one meaning.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Region {
    /// The first block.
    pub start: Lba,
    /// How many blocks.
    pub blocks: BlockCount,
    /// What stands there, as a person would say it: `primary volume descriptor`, `boot catalog`,
    /// `boot image, slot 1`, `/EFI.IMG`.
    pub what: String,
}

impl Manifest {
    /// The image of a slot.
    #[must_use]
    pub fn image(&self, slot: u16) -> Option<&ImageRecord> {
        self.images.iter().find(|image| image.slot == slot)
    }

    /// What stands at a block, as a person would say it.
    #[must_use]
    pub fn what_is_at(&self, lba: Lba) -> Option<&str> {
        let after = self.map.partition_point(|region| region.start <= lba);
        let region = self.map.get(after.checked_sub(1)?)?;
        (lba < region.start.plus(region.blocks)).then_some(region.what.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference::master;

    #[test]
    fn what_is_at_a_block_is_what_was_put_there() {
        let boot = "none".parse().unwrap();
        let manifest = master("manifest/-/none/-/reference", None, &boot, None)
            .unwrap()
            .manifest;
        let region = |start, blocks, what: &str| Region {
            start: Lba::new(start),
            blocks: BlockCount::new(blocks),
            what: what.to_owned(),
        };
        let manifest = Manifest {
            map: vec![region(16, 1, "descriptor"), region(20, 2, "catalog")],
            ..manifest
        };
        let found = [15, 16, 17, 19, 20, 21, 22].map(|lba| manifest.what_is_at(Lba::new(lba)));
        let (descriptor, catalog) = (Some("descriptor"), Some("catalog"));
        assert_eq!(
            found,
            [None, descriptor, None, None, catalog, catalog, None]
        );
        let slots = manifest.images.iter().map(|image| image.slot);
        assert_eq!(slots.collect::<Vec<_>>(), [1]);
        assert_eq!(manifest.image(1), manifest.images.first());
        assert_eq!(manifest.image(2), None);
    }
}
