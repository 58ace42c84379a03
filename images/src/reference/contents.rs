//! What goes onto a disc, before anyone masters it: the same boot images and files that the reference master takes, for
//! another tool to master.

use std::{fs, io, path::Path};

use super::{NotMastered, entries::Plan};
use crate::{
    boot::{Boot, Count},
    boot_image::BootImage,
    manifest::ImageRecord,
    medium::Medium,
    probe::DiscHash,
    size::Size,
    sparse::SparseBytes,
    units::{ByteCount, Lba},
};

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
        let length = super::length(disc, medium, boot, size)?;
        Ok(Self {
            disc,
            boot: boot.clone(),
            plan: Plan::new(disc, boot, length)?,
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
            let path = match (image.loader.is_some(), in_tree) {
                (false, InTree { boot: true, .. }) => tree.join(BOOT_IN_TREE),
                (false, _) => folder.join(BOOT_FILE),
                (true, InTree { efi: true, .. }) => tree.join(EFI_IN_TREE),
                (true, _) => folder.join(EFI_FILE),
            };
            write(&path, &image.bytes)?;
        }
        Ok(())
    }

    /// What a probe must find, when the images stand at these addresses, in the order of [`Self::images`]. Images beyond the
    /// addresses are not on the disc.
    #[must_use]
    pub fn records(&self, load_rbas: &[Lba]) -> Vec<ImageRecord> {
        let images = self.plan.images.iter().zip(load_rbas);
        images
            .map(|(image, &load_rba)| image.record(load_rba))
            .collect()
    }
}
