//! `volume-size`: the volume's size and the file's disagree.

use super::room::Room;
use crate::{
    bytes::both32,
    defect::{Injection, PRIMARY, Patient, SPACE_SIZE},
    finding::{Finding, FindingId, Place, Severity},
    inspect::{Reading, counts},
    units::{BlockCount, ByteCount, Lba, VirtualSectorCount},
};

const ID: FindingId = FindingId::VolumeSize;

pub(super) const ROOM: Room = Room {
    severity: Severity::Error,
    milder: Some(Severity::Info),
    trips: &["ovmf", "tools"],
    explanation: "The volume's size in the primary descriptor disagrees with the disc's length.",
    consequence: "If the volume claims more than there is, files at the end are missing. If there is data after the volume, an EFI entry that ends with the volume cannot reach it.",
    remedy: "Download the image again if it was truncated. Otherwise write the size when the disc is complete.",
    check,
    defect: Some(Injection {
        inject,
        ..Injection::WORDS
    }),
    ..Room::BASE
};

/// The longest file on FAT32 (Microsoft's FAT specification 1.03: a size has 32 bits).
const LONGEST_ON_FAT32: ByteCount = ByteCount::new(u32::MAX as u64);
const FAT32: &str = "Copy or download the image again to a file system other than FAT32, such as exFAT, NTFS or ext4: it was cut at 4,294,967,295 bytes, which is the longest file on FAT32.";

fn check(reading: &mut Reading<'_, '_>) -> Vec<Finding> {
    let Some((lba, primary)) = &reading.descriptors.main.primary else {
        return Vec::new();
    };
    let (claimed, there) = (primary.space_size, reading.disc.blocks());
    let place = Place::within(*lba, SPACE_SIZE);
    if claimed > there {
        let message = format!(
            "the volume claims {claimed}, but the disc has {}",
            there.get()
        );
        let finding = Finding::new(ID, place, message);
        return vec![if is_cut(reading, claimed) {
            match reading.disc.length() == LONGEST_ON_FAT32 {
                true => finding.with_fix(FAT32),
                false => finding,
            }
        } else {
            let end = Lba::new(there.get());
            reading.descriptors.main.sized(finding, end)
        }];
    }
    let trailing = there.checked_sub(claimed).unwrap_or_default();
    if trailing == BlockCount::ZERO || !reading.descriptors.sessions.is_empty() {
        return Vec::new();
    }
    // Appended images come after it, and the boot catalog belongs in it.
    let catalog = reading.inspection.catalog.as_ref();
    if let Some(catalog) = catalog.filter(|catalog| catalog.lba.get() >= claimed.get()) {
        let message = format!(
            "the volume has {claimed}, but its boot catalog is after its end, at LBA {}",
            catalog.lba.get()
        );
        return vec![Finding::new(ID, place, message).warning()];
    }
    let message = format!(
        "the volume has {claimed}, but {} more follow on the disc",
        trailing.get()
    );
    vec![Finding::new(ID, place, message).as_info()]
}

/// Whether anything on the disc shows that it was longer.
fn is_cut(reading: &mut Reading<'_, '_>, claimed: BlockCount) -> bool {
    let end = Lba::new(reading.disc.blocks().get());
    let is_missing = |to: Lba| end < to && to.get() <= claimed.get();
    let images = reading.entries().map(|(_, boot)| {
        let length = boot.extent_blocks.max(counts::blocks_of(boot));
        boot.load_rba.plus(length.unwrap_or_default())
    });
    let sectors = |end: VirtualSectorCount| Lba::new(end.blocks_rounded_up().get());
    let partitions = &reading.inspection.partitions;
    let mbr = partitions.mbr.iter().map(|it| {
        let first = VirtualSectorCount::new(it.first.get());
        sectors(first.plus(it.sectors))
    });
    let gpt = partitions.gpt.iter().flatten();
    let gpt = gpt.map(|it| sectors(VirtualSectorCount::new(it.last.get())));
    let is_whole = reading
        .tree
        .is_some_and(|tree| tree.reading.complete && tree.end <= end);
    let is_missing = images.chain(mbr).chain(gpt).any(is_missing);
    // The content of UDF's own tree is not known.
    !is_whole || is_missing || reading.udf().is_some()
}

/// It claims more than the disc has.
fn inject(disc: &mut Patient<'_>) {
    let claimed = both32(disc.past_end());
    disc.bytes
        .write_at(PRIMARY.byte_offset() + SPACE_SIZE, &claimed);
}
