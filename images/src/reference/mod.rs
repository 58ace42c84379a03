//! The reference master: every disc that El Torito can express, and on purpose some that it cannot, the same bytes
//! every time.

mod contents;
mod entries;
mod hybrid;
mod imapi;
mod layout;
mod not_mastered;

use std::{fs, io, path::Path};

use crate::{
    boot::{Boot, Emulation},
    boot_image::BootImage,
    defect::{Defect, Facts, Lack, Patient, PlacedImage},
    eltorito::{BOOT_RECORD_LBA, ENTRY_BYTES, EntryBytes, boot_record},
    iso9660::{PrimaryVolume, SYSTEM_AREA_BLOCKS, terminator},
    manifest::Manifest,
    medium::Medium,
    partition_table::MbrEntry,
    probe::DiscHash,
    size::{Size, SizeError},
    sparse::SparseBytes,
    units::{BlockCount, Lba, VirtualSectorCount},
};

pub use self::contents::{
    BOOT_FILE, BOOT_IN_TREE, CATALOG_IN_TREE, Contents, EFI_FILE, EFI_IN_TREE, InTree,
    SYSTEM_AREA_FILE, TREE,
};
use self::{entries::Plan, layout::Layout};
pub(crate) use hybrid::shared_table;
pub use imapi::Imapi;
pub use not_mastered::NotMastered;

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
    let (asked, size) = express(boot, size)?;
    let length = length(disc, medium, &asked, size)?;
    let mut plan = Plan::new(disc, &asked, length)?;
    let layout = Layout::new(&plan, &asked, medium)?;
    plan.settle(&asked, &layout.images);
    let mut mastered = assemble(disc_id, disc, &asked, medium, &plan, &layout)?;
    if let Some(defect) = boot.defect {
        spoil(&mut mastered, defect, &asked, medium, &plan, &layout)
            .map_err(|needs| lacks(boot, defect, needs))?;
    }
    Ok(mastered)
}

fn lacks(boot: &Boot, defect: Defect, needs: Lack) -> NotMastered {
    NotMastered::Defect {
        defect,
        needs,
        boot: boot.clone(),
    }
}

/// The words of a disc, with what its defect adds to them.
fn express(boot: &Boot, size: Option<Size>) -> Result<(Boot, Option<Size>), NotMastered> {
    let (mut asked, mut size) = (boot.clone(), size);
    if let Some(defect) = boot.defect {
        let expressed = defect.express(&mut asked, &mut size);
        expressed.map_err(|needs| lacks(boot, defect, needs))?;
    }
    Ok((asked, size))
}

/// The length of the image under test; `None` for its mode's own.
fn length(
    disc: DiscHash,
    medium: Option<Medium>,
    boot: &Boot,
    size: Option<Size>,
) -> Result<Option<VirtualSectorCount>, NotMastered> {
    resolve(size, medium, |medium| {
        let needed = |length| {
            let plan = Plan::new(disc, boot, Some(length))?;
            Ok(Layout::unbounded(&plan, boot, Some(medium))?.end)
        };
        let whole = medium.capacity().virtual_sectors();
        longest(medium, whole, needed, BlockCount::virtual_sectors)
    })
}

/// What a size means; of [`Size::Full`] the writer knows how long it is on the medium.
fn resolve(
    size: Option<Size>,
    medium: Option<Medium>,
    full: impl FnOnce(Medium) -> Result<VirtualSectorCount, NotMastered>,
) -> Result<Option<VirtualSectorCount>, NotMastered> {
    let Some(size) = size else { return Ok(None) };
    match (size.resolve(medium)?, medium) {
        (Some(length), _) => Ok(Some(length)),
        (None, Some(medium)) => full(medium).map(Some),
        (None, None) => Err(SizeError::NeedsMedium(size).into()),
    }
}

/// The longest image for which a medium leaves room, from one on that is too long: `needed` is what a disc with an image of a length
/// takes, `less` how much shorter the image must be for so many blocks. What else there is on the disc does not depend on the image's length but for its
/// directory records, so one trial tells nearly, and a second one exactly.
fn longest(
    medium: Medium,
    mut length: VirtualSectorCount,
    needed: impl Fn(VirtualSectorCount) -> Result<BlockCount, NotMastered>,
    less: impl Fn(BlockCount) -> VirtualSectorCount,
) -> Result<VirtualSectorCount, NotMastered> {
    for _ in 0..8 {
        let needed = needed(length)?;
        let over = needed.checked_sub(medium.capacity()).unwrap_or_default();
        if over == BlockCount::ZERO {
            break;
        }
        length = length
            .checked_sub(less(over))
            .ok_or(NotMastered::MediumFull { needed, medium })?;
    }
    Ok(length)
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
    if let Some(hybrid) = boot.hybrid {
        hybrid::write(&mut bytes, disc, hybrid, boot, plan, layout)?;
    }
    let mut records = Vec::new();
    let extents = plan.images.iter().zip(&plan.extents);
    for ((image, extent), &lba) in extents.zip(&layout.images) {
        field(lba)?;
        let cut = (*extent < image.length()).then(|| image.bytes.slice(0, extent.bytes().get()));
        bytes.embed(lba.byte_offset(), cut.as_ref().unwrap_or(&image.bytes));
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

/// Injects the defect, or says what the disc lacks for it.
fn spoil(
    mastered: &mut MasteredDisc,
    defect: Defect,
    boot: &Boot,
    medium: Option<Medium>,
    plan: &Plan,
    layout: &Layout,
) -> Result<(), Lack> {
    let placed = |image: Option<&BootImage>, lba: Option<&Lba>| {
        image.zip(lba).map(|(image, &lba)| PlacedImage {
            lba,
            slot: image.plan.slot,
            length: image.length(),
        })
    };
    let first = placed(plan.images.first(), layout.images.first());
    let last = placed(plan.images.last(), layout.images.last());
    let (Some(first), Some(last)) = (first, last) else {
        return Err("a boot image");
    };
    let slots = catalog_slots(mastered, plan, layout);
    let hard_disk = boot.mode.bios() == Some(Emulation::HardDisk);
    let under_test = plan
        .under_test(boot)
        .map(|image| plan.images[image].length());
    defect.stands_in(&Facts {
        medium,
        length: under_test.unwrap_or_default(),
        last_cylinder: hard_disk.then(|| {
            let [sector, low] = mastered
                .bytes
                .array_at(first.lba.byte_offset() + MbrEntry::TABLE + 6);
            u16::from_le_bytes([low, sector >> 6])
        }),
        slots: &slots,
        last_slot: last.slot,
        last_lba: last.lba,
        end: layout.end,
    })?;
    defect.inject(&mut Patient {
        bytes: &mut mastered.bytes,
        catalog: layout.catalog,
        slots,
        first,
        last,
        second_session: layout.second_session,
    });
    Ok(())
}

fn catalog_slots(mastered: &MasteredDisc, plan: &Plan, layout: &Layout) -> Vec<EntryBytes> {
    (0..plan.slot_count())
        .map(|slot| {
            let at = layout.catalog.byte_offset() + (slot * ENTRY_BYTES) as u64;
            mastered.bytes.array_at(at)
        })
        .collect()
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
