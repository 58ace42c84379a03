//! What stands where on a disc.

use super::{entries::Plan, not_mastered::NotMastered};
use crate::{
    boot::{Boot, Hybrid, Place},
    defect::Defect,
    eltorito::{BOOT_RECORD_LBA, Catalog},
    finding::FindingId,
    iso9660::{FileSpec, SYSTEM_AREA_BLOCKS, Tree},
    manifest::Region,
    medium::Medium,
    partition_table::Gpt,
    units::{BlockCount, ByteCount, Lba},
};

/// A session's first block is a multiple of this in an image file, where there are no lead-in and lead-out between two:
/// what writers do whose medium has no tracks.
const SESSION_ALIGNMENT: u64 = 32;
/// A system area, a primary volume descriptor and a terminator: a session that adds no files.
const SECOND_SESSION: BlockCount = SYSTEM_AREA_BLOCKS.plus(BlockCount::new(2));

/// The addresses of everything on a disc.
pub(super) struct Layout {
    /// The directory tree: the catalog, the files of the plan, the boot images within the volume.
    pub(super) tree: Tree,
    /// Where the files of the tree stand, in its order: the catalog first.
    pub(super) files: Vec<Lba>,
    pub(super) path_table_l: Lba,
    pub(super) path_table_m: Lba,
    pub(super) directories: Lba,
    pub(super) catalog: Lba,
    /// Where the images stand, in the plan's order.
    pub(super) images: Vec<Lba>,
    /// The volume's size, which the primary volume descriptor says.
    pub(super) volume: BlockCount,
    /// Where a second session begins, if there is one.
    pub(super) second_session: Option<Lba>,
    /// Where the backup of a GUID partition table begins, with its padding, if there is one.
    pub(super) backup_table: Option<Lba>,
    /// The disc's length.
    pub(super) end: BlockCount,
}

impl Layout {
    /// Lays a disc out, and refuses one that its medium cannot hold.
    pub(super) fn new(
        plan: &Plan,
        boot: &Boot,
        medium: Option<Medium>,
    ) -> Result<Self, NotMastered> {
        let layout = Self::unbounded(plan, boot, medium)?;
        match medium {
            Some(medium) if layout.end > medium.capacity() => Err(NotMastered::MediumFull {
                needed: layout.end,
                medium,
            }),
            _ => Ok(layout),
        }
    }

    /// Lays a disc out as if its medium had no end.
    pub(super) fn unbounded(
        plan: &Plan,
        boot: &Boot,
        medium: Option<Medium>,
    ) -> Result<Self, NotMastered> {
        let appended = boot.place == Some(Place::Appended);
        let catalog_blocks = Catalog::blocks(plan.slot_count());
        let mut files = vec![FileSpec {
            path: "/BOOT/BOOT.CAT".to_owned(),
            length: catalog_blocks.bytes(),
        }];
        files.extend(plan.files().map(|(path, content)| FileSpec {
            path: path.to_owned(),
            length: ByteCount::new(content.len() as u64),
        }));
        let before_images = files.len();
        let in_tree = plan.images.len() - usize::from(appended);
        let extents = plan.images.iter().zip(&plan.extents);
        files.extend(extents.take(in_tree).map(|(image, extent)| FileSpec {
            path: image_path(image.plan.slot, image.is_efi()),
            length: extent.bytes(),
        }));
        let lengths: Vec<_> = files.iter().map(|file| file.length).collect();
        let tree = Tree::new(files);

        let mut next = Lba::new(SYSTEM_AREA_BLOCKS.get()).plus(Defect::descriptors(boot.defect));
        let mut take = |blocks: BlockCount| {
            let at = next;
            next = next.plus(blocks);
            at
        };
        let path_table = tree.path_table_length().blocks_rounded_up();
        let path_table_l = take(path_table);
        let path_table_m = take(path_table);
        let directories = take(tree.directory_blocks());
        let mut placed: Vec<Lba> = lengths[..before_images]
            .iter()
            .map(|length| take(length.blocks_rounded_up()))
            .collect();
        let mut images: Vec<Lba> = plan
            .extents
            .iter()
            .map(|extent| take(extent.blocks_rounded_up()))
            .collect();
        let mut end = BlockCount::new(next.get());
        let mut volume = end;
        match (boot.place, images.last_mut(), plan.extents.last()) {
            (Some(Place::Appended), Some(last), _) => volume = BlockCount::new(last.get()),
            (Some(place), Some(last), Some(extent)) => {
                let capacity = medium
                    .ok_or(NotMastered::PlaceNeedsMedium { place })?
                    .capacity();
                let before_image = BlockCount::new(last.get());
                *last = place_at(place, extent.blocks_rounded_up(), capacity);
                // What stands before the image must end before it.
                let moved = BlockCount::new(last.get()).max(before_image);
                end = if moved > BlockCount::new(last.get()) {
                    moved.plus(capacity)
                } else {
                    capacity
                };
                volume = end;
            }
            _ => {}
        }
        let second_session = (boot.defect.map(Defect::id) == Some(FindingId::MultisessionStale))
            .then(|| {
                let start = Lba::new(end.get().next_multiple_of(SESSION_ALIGNMENT));
                end = BlockCount::new(start.plus(SECOND_SESSION).get());
                start
            });
        let backup_table = (boot.hybrid == Some(Hybrid::Gpt)).then_some(Lba::new(end.get()));
        if backup_table.is_some() {
            let ends_together = volume == end;
            end = end.plus(Gpt::SECTORS.blocks_rounded_up());
            if ends_together {
                volume = end;
            }
        }
        let catalog = placed.first().copied().unwrap_or_default();
        placed.extend(images.iter().take(in_tree));
        Ok(Self {
            tree,
            files: placed,
            path_table_l,
            path_table_m,
            directories,
            catalog,
            images,
            volume,
            second_session,
            backup_table,
            end,
        })
    }

    /// What stands where, for people.
    pub(super) fn map(&self, plan: &Plan) -> Vec<Region> {
        let mut map = Vec::new();
        let mut add = |start: Lba, end: Lba, what: String| {
            if end > start {
                let blocks = BlockCount::new(end.get() - start.get());
                map.push(Region {
                    start,
                    blocks,
                    what,
                });
            }
        };
        let one = |lba: Lba| lba.plus(BlockCount::new(1));
        let descriptors = Lba::new(SYSTEM_AREA_BLOCKS.get());
        add(Lba::new(0), descriptors, "system area".to_owned());
        add(
            descriptors,
            one(descriptors),
            "primary volume descriptor".to_owned(),
        );
        add(
            BOOT_RECORD_LBA,
            one(BOOT_RECORD_LBA),
            "boot record".to_owned(),
        );
        add(
            one(BOOT_RECORD_LBA),
            self.path_table_l,
            "volume descriptors".to_owned(),
        );
        add(
            self.path_table_l,
            self.path_table_m,
            "path table".to_owned(),
        );
        add(self.path_table_m, self.directories, "path table".to_owned());
        add(self.directories, self.catalog, "directories".to_owned());
        let catalog_end = self.catalog.plus(Catalog::blocks(plan.slot_count()));
        add(self.catalog, catalog_end, "boot catalog".to_owned());
        for ((path, content), &lba) in plan.files().zip(&self.files[1..]) {
            let blocks = ByteCount::new(content.len() as u64).blocks_rounded_up();
            add(lba, lba.plus(blocks), path.to_owned());
        }
        let extents = plan.images.iter().zip(&plan.extents);
        for ((image, extent), &lba) in extents.zip(&self.images) {
            let end = lba
                .plus(extent.blocks_rounded_up())
                .min(Lba::new(self.end.get()));
            add(lba, end, format!("boot image, slot {}", image.plan.slot));
        }
        if let Some(start) = self.second_session {
            add(
                start,
                start.plus(SECOND_SESSION),
                "second session".to_owned(),
            );
        }
        if let Some(start) = self.backup_table {
            let what = "backup of the GUID partition table";
            add(start, Lba::new(self.end.get()), what.to_owned());
        }
        map
    }
}

/// Where an image of so many blocks starts on a medium of that capacity.
fn place_at(place: Place, blocks: BlockCount, capacity: BlockCount) -> Lba {
    let capacity = capacity.get();
    Lba::new(match place {
        Place::End | Place::Appended => capacity.saturating_sub(blocks.get()),
        Place::LastBlock => capacity.saturating_sub(1),
        Place::PastEnd => (capacity + 1).saturating_sub(blocks.get()),
    })
}

fn image_path(slot: u16, efi: bool) -> String {
    format!("/BOOT/{}_SLOT_{slot}.IMG", if efi { "EFI" } else { "BIOS" })
}
