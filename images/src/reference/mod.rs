//! The reference master: every disc that El Torito can express, and on purpose some that it cannot, the same bytes
//! every time.

mod contents;
mod entries;
mod layout;

use std::{fs, io, path::Path};

use crate::{
    boot::{Boot, Place},
    boot_image::ImageError,
    defect::{Defect, Patient},
    eltorito::{BOOT_RECORD_LBA, Catalog, boot_record},
    iso9660::{PrimaryVolume, SYSTEM_AREA_BLOCKS, terminator},
    manifest::Manifest,
    medium::Medium,
    probe::DiscHash,
    size::{Size, SizeError},
    sparse::SparseBytes,
    units::{BlockCount, Lba, VirtualSectorCount},
};

pub use self::contents::{
    BOOT_FILE, BOOT_IN_TREE, CATALOG_IN_TREE, Contents, EFI_FILE, EFI_IN_TREE, InTree, TREE,
};
use self::{entries::Plan, layout::Layout};

/// The volume's name.
pub const VOLUME_ID: &str = "BOOT_MATRIX";

/// A disc and what it is known to hold.
#[derive(Clone, Debug)]
pub struct MasteredDisc {
    /// The ISO's bytes.
    pub bytes: SparseBytes,
    /// What a firmware and a probe must find on it.
    pub manifest: Manifest,
}

impl MasteredDisc {
    /// Writes `disc.iso`, sparse, and `manifest.json` into a folder. The manifest comes last, and both by renaming,
    /// so that a folder with a manifest holds a whole disc.
    ///
    /// # Errors
    /// The folder cannot be written, or the disk is full.
    pub fn write_to(&self, folder: &Path) -> io::Result<()> {
        fs::create_dir_all(folder)?;
        let partial = folder.join("disc.iso.part");
        self.bytes.write_to(&fs::File::create(&partial)?)?;
        fs::rename(&partial, folder.join("disc.iso"))?;
        let partial = folder.join("manifest.json.part");
        fs::write(&partial, serde_json::to_vec_pretty(&self.manifest)?)?;
        fs::rename(&partial, folder.join("manifest.json"))
    }
}

/// A disc that cannot be.
#[derive(Debug, thiserror::Error)]
pub enum NotMastered {
    /// The disc does not fit its medium.
    #[error("medium full: the disc needs {needed} ({needed_bytes}), and {medium} holds {capacity} ({capacity_bytes})",
        needed_bytes = needed.bytes(), capacity = medium.capacity(), capacity_bytes = medium.capacity().bytes())]
    MediumFull {
        /// What the disc needs.
        needed: BlockCount,
        /// The medium.
        medium: Medium,
    },
    /// `count=full` of an image that is longer than a sector count can say.
    #[error(
        "the boot image has {length}, and a sector count reaches 65535: use count=0, count=1 or count=wrapped"
    )]
    CountTooLarge {
        /// The image's length.
        length: VirtualSectorCount,
    },
    /// A placement relative to a medium, without a medium.
    #[error("place={place} is relative to a medium, and the disc names none")]
    PlaceNeedsMedium {
        /// The placement.
        place: Place,
    },
    /// A block address that the 32-bit fields of ISO 9660 and El Torito cannot hold.
    #[error("LBA {} does not fit the 32 bits that ISO 9660 and El Torito have for it", lba.get())]
    BeyondLba32 {
        /// The address.
        lba: Lba,
    },
    /// A defect that this kind of disc cannot have.
    #[error("the defect {defect} needs {needs}, and {boot} has none")]
    Defect {
        /// The defect.
        defect: Defect,
        /// What it needs.
        needs: &'static str,
        /// The disc.
        boot: Boot,
    },
    /// More entries than the section headers' 16-bit counts and the slots' numbers reach.
    #[error("a catalog of {slots} slots is longer than slot numbers reach (65535)")]
    TooManyEntries {
        /// The slots that the catalog would have.
        slots: usize,
    },
    /// The size has no meaning here.
    #[error(transparent)]
    Size(#[from] SizeError),
    /// The boot image cannot be.
    #[error(transparent)]
    Image(#[from] ImageError),
}

/// Masters one disc.
///
/// `disc_id` (five parts, as in `hard-disk-quarter/cd-74/hard-disk/quarter/reference`) names it and is what every
/// numbered sector carries; the other arguments say what it is.
///
/// # Errors
/// The disc cannot be: it does not fit, an image cannot be that long, a count cannot say it.
pub fn master(
    disc_id: &str,
    medium: Option<Medium>,
    boot: &Boot,
    size: Option<Size>,
) -> Result<MasteredDisc, NotMastered> {
    let disc = DiscHash::of_id(disc_id);
    let length = length(disc, medium, boot, size)?;
    let plan = Plan::new(disc, boot, length)?;
    let layout = Layout::new(&plan, boot, medium)?;
    let mut mastered = assemble(disc_id, disc, boot, medium, &plan, &layout)?;
    spoil(&mut mastered, boot, &plan, &layout)?;
    Ok(mastered)
}

/// The length of the image under test; `None` for its mode's own.
fn length(
    disc: DiscHash,
    medium: Option<Medium>,
    boot: &Boot,
    size: Option<Size>,
) -> Result<Option<VirtualSectorCount>, NotMastered> {
    let Some(size) = size else { return Ok(None) };
    match size.resolve(medium)? {
        Some(length) => Ok(Some(length)),
        None => longest(disc, medium, boot).map(Some),
    }
}

/// The longest image under test for which the medium leaves room. How much else there is on the disc does not depend
/// on the image's length but for its directory records, so one trial with the whole medium tells nearly, and a
/// second one exactly.
fn longest(
    disc: DiscHash,
    medium: Option<Medium>,
    boot: &Boot,
) -> Result<VirtualSectorCount, NotMastered> {
    let medium = medium.ok_or(SizeError::NeedsMedium(Size::Full))?;
    let mut length = medium.capacity();
    for _ in 0..8 {
        let plan = Plan::new(disc, boot, Some(length.virtual_sectors()))?;
        let needed = Layout::unbounded(&plan, boot, Some(medium))?.end;
        let Some(over) = needed.checked_sub(medium.capacity()) else {
            break;
        };
        if over == BlockCount::ZERO {
            break;
        }
        length = length
            .checked_sub(over)
            .ok_or(NotMastered::MediumFull { needed, medium })?;
    }
    Ok(length.virtual_sectors())
}

fn assemble(
    disc_id: &str,
    disc: DiscHash,
    boot: &Boot,
    medium: Option<Medium>,
    plan: &Plan,
    layout: &Layout,
) -> Result<MasteredDisc, NotMastered> {
    let field = |lba: Lba| lba.to_u32().ok_or(NotMastered::BeyondLba32 { lba });
    let mut bytes = SparseBytes::zeroed(layout.end.bytes().get());
    let tree = layout.tree.place(layout.directories, &layout.files);
    let primary = PrimaryVolume {
        volume_id: VOLUME_ID,
        space_size: field(Lba::new(layout.volume.get()))?,
        path_table_bytes: u32::try_from(tree.path_table_l.len()).unwrap_or(u32::MAX),
        path_table_l: field(layout.path_table_l)?,
        path_table_m: field(layout.path_table_m)?,
        root: &tree.root_record,
    };
    let descriptors = Lba::new(SYSTEM_AREA_BLOCKS.get());
    let last_descriptor = Lba::new(descriptors.get() + Defect::descriptors(boot.defect).get() - 1);
    bytes.write_at(descriptors.byte_offset(), &primary.encode());
    bytes.write_at(
        BOOT_RECORD_LBA.byte_offset(),
        &boot_record(field(layout.catalog)?),
    );
    bytes.write_at(last_descriptor.byte_offset(), &terminator());
    bytes.write_at(layout.path_table_l.byte_offset(), &tree.path_table_l);
    bytes.write_at(layout.path_table_m.byte_offset(), &tree.path_table_m);
    bytes.write_at(layout.directories.byte_offset(), &tree.directories);
    bytes.write_at(
        layout.catalog.byte_offset(),
        &plan.catalog(boot, &layout.images)?.slots().concat(),
    );
    for (content, lba) in plan.contents().zip(&layout.files[1..]) {
        bytes.write_at(lba.byte_offset(), content);
    }
    let mut records = Vec::new();
    for (image, &lba) in plan.images.iter().zip(&layout.images) {
        field(lba)?;
        bytes.embed(lba.byte_offset(), &image.bytes);
        records.push(image.record(lba));
    }
    let manifest = Manifest {
        id: disc_id.to_owned(),
        disc,
        size: layout.end.bytes(),
        capacity: medium.map(Medium::capacity),
        catalog: layout.catalog,
        images: records,
        map: layout.map(plan),
    };
    Ok(MasteredDisc { bytes, manifest })
}

fn spoil(
    mastered: &mut MasteredDisc,
    boot: &Boot,
    plan: &Plan,
    layout: &Layout,
) -> Result<(), NotMastered> {
    let Some(defect) = boot.defect else {
        return Ok(());
    };
    let hard_disk = boot.mode.bios() == Some(crate::boot::Emulation::HardDisk);
    if let Some(needs) = defect.needs(hard_disk, boot.mode.efi(), plan.entry_count()) {
        return Err(NotMastered::Defect {
            defect,
            needs,
            boot: boot.clone(),
        });
    }
    let catalog: Catalog = plan.catalog(boot, &layout.images)?;
    let ends = (
        plan.images.first(),
        plan.images.last(),
        layout.images.first(),
        layout.images.last(),
    );
    if let (Some(first), Some(last), Some(&first_lba), Some(&last_lba)) = ends {
        defect.inject(&mut Patient {
            bytes: &mut mastered.bytes,
            catalog: layout.catalog,
            slots: catalog.slots(),
            first: (first_lba, first.plan.slot),
            last: (last_lba, last.plan.slot),
        });
    }
    Ok(())
}
