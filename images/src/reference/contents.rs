//! What goes onto a disc, before anyone masters it: the same boot images and files that the reference master takes, for
//! another tool to master.

use std::{fs, io, path::Path};

use super::{entries::Plan, not_mastered::NotMastered};
use crate::{
    boot::{Boot, Count},
    boot_image::BootImage,
    iso9660::SYSTEM_AREA_BLOCKS,
    manifest::ImageRecord,
    medium::Medium,
    partition_table::MbrEntry,
    probe::DiscHash,
    size::Size,
    sparse::SparseBytes,
    units::{ByteCount, Lba},
};

/// An image is compared as far as this: a tool that damages one does so at its start.
const COMPARED: u64 = 4 << 20;

/// The folder with the disc's files, in the folder that [`Contents::write_to`] was given.
pub const TREE: &str = "tree";
/// Where in the tree the BIOS boot image stands.
pub const BOOT_IN_TREE: &str = "boot/bios.img";
/// Where in the tree the EFI system partition stands.
pub const EFI_IN_TREE: &str = "boot/efi.img";
/// Where in the tree the catalog may stand.
pub const CATALOG_IN_TREE: &str = "boot/boot.cat";
/// The BIOS boot image outside the tree.
pub const BOOT_FILE: &str = "bios.img";
/// The EFI system partition outside the tree.
pub const EFI_FILE: &str = "efi.img";
/// The system area of a disc that is a disk too: code for its first 32 KiB, and no partition table.
pub const SYSTEM_AREA_FILE: &str = "system-area.img";

/// The boot images and files of a disc.
#[derive(Debug)]
pub struct Contents {
    disc: DiscHash,
    boot: Boot,
    plan: Plan,
}

/// Which boot images a tool wants among the disc's files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InTree {
    /// The BIOS boot image.
    pub boot: bool,
    /// The EFI system partition.
    pub efi: bool,
}

impl Contents {
    /// What goes onto the disc that these words describe.
    ///
    /// # Errors
    /// As [`super::master`], but for what depends on the layout: whether it fits is for its master to say.
    pub fn new(
        disc_id: &str,
        medium: Option<Medium>,
        boot: &Boot,
        size: Option<Size>,
    ) -> Result<Self, NotMastered> {
        let disc = DiscHash::of_id(disc_id);
        let (asked, size) = super::express(boot, size)?;
        let length = super::length(disc, medium, &asked, size)?;
        let mut plan = Plan::new(disc, &asked, length)?;
        if let Some(defect) = boot.defect {
            plan.spoil_images(defect);
        }
        Ok(Self {
            disc,
            boot: asked,
            plan,
        })
    }

    /// The disc's hash, which every numbered sector carries.
    #[must_use]
    pub const fn disc(&self) -> DiscHash {
        self.disc
    }

    /// The boot images, in the order in which their entries must stand.
    #[must_use]
    pub fn images(&self) -> &[BootImage] {
        &self.plan.images
    }

    /// How much there is to put on the disc.
    #[must_use]
    pub fn length(&self) -> ByteCount {
        let images = self.plan.images.iter().map(|image| image.bytes.len());
        let files = self.plan.contents().map(|content| content.len() as u64);
        ByteCount::new(images.chain(files).sum())
    }

    /// The sector count that the words ask for; `None` when they leave it to the tool.
    ///
    /// # Errors
    /// `count=full` of an image that is longer than a count can say.
    pub fn load_sectors(&self) -> Result<Option<u16>, NotMastered> {
        let under_test = self.plan.images.last().map(BootImage::length);
        let of = |count: Count| super::entries::sector_count(count, under_test.unwrap_or_default());
        self.boot.count.map(of).transpose()
    }

    /// Writes the tree and the boot images, sparse, into a folder: [`TREE`], and beside it what of [`BOOT_FILE`] and
    /// [`EFI_FILE`] is not wanted in it.
    ///
    /// # Errors
    /// The folder cannot be written, or the disk is full.
    pub fn write_to(&self, folder: &Path, in_tree: InTree) -> io::Result<()> {
        let tree = folder.join(TREE);
        let write = |path: &Path, bytes: &SparseBytes| {
            fs::create_dir_all(path.parent().unwrap_or(folder))?;
            bytes.write_to(&fs::File::create(path)?)
        };
        for (path, content) in self.plan.files() {
            let path = tree.join(path.trim_start_matches('/'));
            fs::create_dir_all(path.parent().unwrap_or(&tree))?;
            fs::write(path, content)?;
        }
        for image in &self.plan.images {
            let path = match (image.is_efi(), in_tree) {
                (false, InTree { boot: true, .. }) => tree.join(BOOT_IN_TREE),
                (false, _) => folder.join(BOOT_FILE),
                (true, InTree { efi: true, .. }) => tree.join(EFI_IN_TREE),
                (true, _) => folder.join(EFI_FILE),
            };
            write(&path, &image.bytes)?;
        }
        if self.boot.hybrid.is_some()
            && let Some(image) = self
                .plan
                .images
                .first()
                .filter(|_| self.boot.mode.bios().is_some())
        {
            let mut area = SparseBytes::zeroed(SYSTEM_AREA_BLOCKS.bytes().get());
            let code = super::hybrid::boot_code(image).map_err(io::Error::other)?;
            area.write_at(0, &code);
            area.write_at(MbrEntry::SIGNATURE, &[0x55, 0xAA]);
            write(&folder.join(SYSTEM_AREA_FILE), &area)?;
        }
        Ok(())
    }

    /// What a probe must find, when the images stand at these addresses, in the order of [`Self::images`]. Images beyond the
    /// addresses are not on the disc.
    #[must_use]
    pub fn records(&mut self, load_rbas: &[Lba]) -> Vec<ImageRecord> {
        // What the tool must have written into the image the probe must find there.
        self.plan.settle(&self.boot, load_rbas);
        let images = self.plan.images.iter().zip(load_rbas);
        images
            .map(|(image, &load_rba)| image.record(load_rba))
            .collect()
    }

    /// The first byte of an image, in the order of [`Self::images`], that a disc has not where the image stands; nothing where it is the same as far
    /// as is compared. `read` reads the disc from an offset within the image on, and says how many bytes there are.
    ///
    /// # Errors
    /// Those of `read`.
    pub fn first_difference(
        &self,
        image: usize,
        mut read: impl FnMut(u64, &mut [u8]) -> io::Result<usize>,
    ) -> io::Result<Option<u64>> {
        let pieces = self.images().get(image).map(|image| image.bytes.pieces());
        let mut buffer = Vec::new();
        for (offset, bytes) in pieces.into_iter().flatten() {
            if offset > COMPARED {
                break;
            }
            buffer.resize(bytes.len(), 0);
            let there = read(offset, &mut buffer)?;
            let found = buffer.get(..there).unwrap_or_default();
            let same = bytes.iter().zip(found).take_while(|(a, b)| a == b).count();
            if same < bytes.len() {
                return Ok(Some(offset.saturating_add(same as u64)));
            }
        }
        Ok(None)
    }
}
