//! `efi-foreign-filesystem`: an EFI entry whose image is not a FAT file system.

use super::{
    recipe::declared::{genisoimage, xorriso},
    room::Room,
};
use crate::{
    defect::Injection,
    eltorito::BootInfoTable,
    finding::{Finding, FindingId, Place, Severity},
    inspect::efi_image::EfiImage,
    inspect::{BootReading, Reading, Window},
    iso9660::SYSTEM_AREA_BLOCKS,
    partition_table::Mbr,
    sparse::SparseBytes,
    units::Lba,
};

const ID: FindingId = FindingId::EfiForeignFilesystem;

pub(super) const ROOM: Room = Room {
    severity: Severity::Error,
    milder: Some(Severity::Info),
    trips: &["ovmf"],
    explanation: "The image of an EFI entry is not a FAT file system with a loader.",
    consequence: "From a CD drive, firmware looks for a FAT file system there and reports Not Found. If another entry is right, this one is harmless; HFS+, for example, is for a Mac.",
    remedy: "If you did not make the disc, ask its maker for a new one. Otherwise point the entry to a FAT image that contains \\EFI\\BOOT\\BOOTX64.EFI.",
    recipes: &[xorriso("mkfs.fat mcopy"), genisoimage("mkfs.fat mcopy")],
    replaces: &[FindingId::EfiNoLoader],
    check,
    defect: Some(Injection::in_efi_image(make_hfs_plus)),
    ..Room::BASE
};

fn check(reading: &mut Reading<'_, '_>) -> Vec<Finding> {
    let images = reading.efi_images();
    let works = images.iter().any(EfiImage::works);
    let mut findings = Vec::new();
    for image in images.iter().filter(|image| image.fat.is_none()) {
        let start = image.boot.load_rba.byte_offset();
        let is_overwritten = has_boot_info_table(reading.disc, image.boot);
        let what = match is_overwritten {
            true => Some(OVERWRITTEN),
            false => what_stands_at(reading.disc, start),
        };
        let Some(what) = what else {
            continue;
        };
        let mut message = format!(
            "slot {}: the EFI image at LBA {} is {what}",
            image.entry.slot,
            image.boot.load_rba.get()
        );
        let mut fix = is_overwritten.then_some(WITHOUT_TABLE);
        if what == ZEROS {
            fix = Some(FETCH_AGAIN);
            if let Some(from) = zeros_to_end(reading.disc).filter(|from| *from <= start) {
                message.push_str(&format!(
                    ", and so is the rest of the disc from byte {from} on: a copy that was interrupted looks like this"
                ));
            }
        }
        let mut finding = Finding::new(ID, Place::block(image.boot.load_rba), message);
        if let Some(fix) = fix {
            fix.clone_into(&mut finding.fix);
        }
        findings.push(finding.info_if(works));
    }
    findings
}

const OVERWRITTEN: &str = "damaged: a boot-info table was written over its first sector, so it is not a file system any more";
const WITHOUT_TABLE: &str = "If you did not make the disc, ask its maker for a new one. Otherwise master the EFI image without -boot-info-table: with xorriso and genisoimage, -eltorito-alt-boot belongs between the options of the BIOS image and -e.";

/// Whether a tool wrote a table with the image's own address and length over it.
fn has_boot_info_table(disc: &mut Window<'_>, boot: &BootReading) -> bool {
    let head = disc.array(boot.load_rba.byte_offset());
    let table = head.map(|head| BootInfoTable::decode(&head));
    table.is_some_and(|table| {
        table.volume.get() == SYSTEM_AREA_BLOCKS.get()
            && table.image == boot.load_rba
            && boot.file_bytes == Some(table.length)
    })
}

const ZEROS: &str = "zeros";
const FETCH_AGAIN: &str = "Download the disc again and compare its checksum, or write it again as an image. If the original is wrong too, ask its maker.";
/// Bytes at a disc's end that are read at once, and how often. Tools add fewer bytes than that after a volume.
const STEP: u64 = 1 << 20;
const STEPS: u64 = 256;

/// The byte from which a disc has only zeros, up to the limit of the search; `None` if a tool may have added them.
fn zeros_to_end(disc: &mut Window<'_>) -> Option<u64> {
    let end = disc.length().get();
    let mut from = end;
    for _ in 0..STEPS {
        let start = from.saturating_sub(STEP);
        let mut bytes = vec![0; usize::try_from(from - start).ok()?];
        disc.read(start, &mut bytes);
        if let Some(last) = bytes.iter().rposition(|&byte| byte != 0) {
            from = start + last as u64 + 1;
            break;
        }
        from = start;
    }
    (end - from >= STEP).then_some(from)
}

/// What begins at a byte of the disc, according to its signature.
fn what_stands_at(disc: &mut Window<'_>, start: u64) -> Option<&'static str> {
    const SIGNATURES: [(u64, &[u8], &str); 11] = [
        (3, b"EXFAT   ", "an exFAT file system"),
        (3, b"NTFS    ", "an NTFS file system"),
        (1080, b"\x53\xEF", "an ext2, ext3 or ext4 file system"),
        (1024, b"H+", "an HFS+ file system"),
        (1024, b"HX", "an HFS+ file system"),
        (1024, b"BD", "an HFS file system"),
        (0, b"hsqs", "a squashfs file system"),
        (32_769, b"CD001", "an ISO 9660 file system"),
        (512, b"EFI PART", "a disk with a partition table"),
        (512, b"PM\0\0", "a disk with Apple's partition map"),
        (0, b"MZ", "a program, not a file system that contains one"),
    ];
    let mut has = |at: u64, bytes: &[u8]| {
        let mut seen = vec![0; bytes.len()];
        disc.read(start.saturating_add(at), &mut seen) == bytes.len() && seen == bytes
    };
    let known = SIGNATURES
        .into_iter()
        .find(|(at, bytes, _)| has(*at, bytes));
    if let Some((.., what)) = known {
        return Some(what);
    }
    let head: [u8; 4_096] = disc.array(start)?;
    if head.iter().all(|&byte| byte == 0) {
        return Some(ZEROS);
    }
    let table = Mbr::decode(head.first_chunk()?);
    let is_disk = table.signature && table.is_plausible() && table.used().next().is_some();
    is_disk.then_some("a disk with a partition table")
}

/// The beginning of an HFS+: two sectors of zeros, and a volume header's signature and version (TN1150, "Volume Header").
fn make_hfs_plus(bytes: &mut SparseBytes, image: Lba) {
    let start = image.byte_offset();
    bytes.write_at(start, &[0; 1_536]);
    bytes.write_at(start + 1_024, b"H+\0\x04");
}
