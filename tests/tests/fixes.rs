//! A disc that a real tool made, damaged in one place: its fix puts back the bytes that the tool wrote, all of them and no others. What is right is
//! what the tool wrote, so that the reader is not compared with itself. A tool or loader that is not installed leaves its disc out, and the test says so.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "the helpers of a test fail as the test does"
)]

use std::{fs, path::Path, process::Command};

use images::{
    finding::{Finding, FindingId as Id},
    inspect::{Inspection, Options},
    mend::mend,
    reference::{Imapi, MasteredDisc, master as reference},
};

const BLOCK: usize = 2_048;
const PRIMARY: usize = 16 * BLOCK;
const RECORD: usize = 17 * BLOCK;

/// A disc as a tool made it, and what is known of its catalog.
struct Made {
    disc: Vec<u8>,
    catalog: usize,
}

impl Made {
    /// Where a slot of the catalog begins.
    fn slot(&self, slot: usize) -> usize {
        self.catalog + slot * 32
    }

    fn slot_of(&self, platform: &str) -> usize {
        self.slot(if platform == "bios" { 1 } else { 3 })
    }
}

/// A BIOS entry of isolinux, and an EFI entry of a FAT image with a loader.
fn made(folder: &Path, tool: &str) -> Option<Made> {
    let script = format!(
        "mkdir -p tree/isolinux tree/boot tree/doc
         cp /usr/lib/ISOLINUX/isolinux.bin /usr/lib/syslinux/modules/bios/ldlinux.c32 tree/isolinux/
         echo 'label one' >tree/isolinux/isolinux.cfg
         head -c 9000 /dev/zero | tr '\\0' d >tree/doc/text
         printf 'echo hello\\nsleep 100\\n' >own.cfg
         grub-mkimage -O x86_64-efi -p /nowhere -c own.cfg -o grub.efi normal echo sleep
         truncate -s 3M tree/boot/efi.img
         mkfs.fat tree/boot/efi.img >/dev/null
         mmd -i tree/boot/efi.img ::/EFI ::/EFI/BOOT
         mcopy -i tree/boot/efi.img grub.efi ::/EFI/BOOT/BOOTX64.EFI
         {tool} -quiet -R -J -V DISC -o disc.iso -b isolinux/isolinux.bin -c isolinux/boot.cat -no-emul-boot -boot-load-size 4 -boot-info-table \\
           -eltorito-alt-boot -e boot/efi.img -no-emul-boot tree"
    );
    master(folder, &script)
}

/// What commands of a shell make in a folder.
fn master(folder: &Path, script: &str) -> Option<Made> {
    let done = Command::new("sh")
        .args(["-ec", script])
        .current_dir(folder)
        .output()
        .unwrap();
    if !done.status.success() {
        let said = String::from_utf8_lossy(&done.stderr);
        println!("not here: {script}: {said}");
        return None;
    }
    let disc = fs::read(folder.join("disc.iso")).unwrap();
    let pointer = disc[RECORD + 0x47..][..4].try_into().unwrap();
    let catalog = usize::try_from(u32::from_le_bytes(pointer)).unwrap() * BLOCK;
    Some(Made { disc, catalog })
}

/// Makes the words of the validation entry sum to 0 again.
fn sum(disc: &mut [u8], made: &Made) {
    let entry = &mut disc[made.catalog..][..32];
    entry[0x1C..0x1E].fill(0);
    let words = entry
        .chunks(2)
        .map(|word| u16::from_le_bytes([word[0], word[1]]));
    let sum = words.fold(0, u16::wrapping_add);
    entry[0x1C..0x1E].copy_from_slice(&0_u16.wrapping_sub(sum).to_le_bytes());
}

fn put32(disc: &mut [u8], at: usize, change: impl FnOnce(u32) -> u32) {
    let field: [u8; 4] = disc[at..at + 4].try_into().unwrap();
    let value = change(u32::from_le_bytes(field));
    disc[at..at + 4].copy_from_slice(&value.to_le_bytes());
}

fn put16(disc: &mut [u8], at: usize, change: impl FnOnce(u16) -> u16) {
    let value = change(u16::from_le_bytes([disc[at], disc[at + 1]]));
    disc[at..at + 2].copy_from_slice(&value.to_le_bytes());
}

type Damage = fn(&mut Vec<u8>, &Made);

/// What is damaged, and the finding whose fix mends it.
const DAMAGES: &[(&str, Id, Damage)] = &[
    (
        "spaces behind the identifier",
        Id::BootRecordIdPadding,
        |disc, _| {
            disc[RECORD + 0x1E..RECORD + 0x27].fill(b' ');
        },
    ),
    ("version 2", Id::BootRecordIdPadding, |disc, _| {
        disc[RECORD + 6] = 2
    }),
    (
        "a record behind Joliet's descriptor",
        Id::BootRecordMisplaced,
        |disc, _| {
            let (record, behind) = disc[RECORD..RECORD + 2 * BLOCK].split_at_mut(BLOCK);
            record.swap_with_slice(behind);
        },
    ),
    ("no record", Id::NoBootRecord, |disc, _| {
        // The descriptors behind it close up, as where none was written.
        let terminator = (18..).find(|block| disc[block * BLOCK] == 255).unwrap();
        disc.copy_within(RECORD + BLOCK..(terminator + 1) * BLOCK, RECORD);
        disc[terminator * BLOCK..][..BLOCK].fill(0);
    }),
    (
        "a pointer past the end",
        Id::CatalogOutOfRange,
        |disc, _| {
            put32(disc, RECORD + 0x47, |catalog| catalog + 100_000);
        },
    ),
    (
        "a pointer to the boot record",
        Id::CatalogHeaderId,
        |disc, _| {
            put32(disc, RECORD + 0x47, |_| 17);
        },
    ),
    (
        "a pointer to the primary volume descriptor, which begins with 01 too",
        Id::CatalogKey,
        |disc, _| {
            put32(disc, RECORD + 0x47, |_| 16);
        },
    ),
    ("a header id", Id::CatalogHeaderId, |disc, made| {
        disc[made.slot(0)] = 2;
        sum(disc, made);
    }),
    (
        "a header id, not summed",
        Id::CatalogHeaderId,
        |disc, made| disc[made.slot(0)] = 2,
    ),
    ("a key", Id::CatalogKey, |disc, made| {
        disc[made.slot(0) + 0x1E..][..2].copy_from_slice(&[0xAA, 0x55]);
        sum(disc, made);
    }),
    ("a key, not summed", Id::CatalogKey, |disc, made| {
        disc[made.slot(0) + 0x1F] = 0
    }),
    ("a checksum", Id::CatalogChecksum, |disc, made| {
        disc[made.slot(0) + 0x1C] ^= 0x40
    }),
    (
        "the initial entry's platform",
        Id::CatalogPlatform,
        |disc, made| {
            disc[made.slot(0) + 1] = 0x80;
            sum(disc, made);
        },
    ),
    (
        "the section's platform",
        Id::CatalogPlatform,
        |disc, made| disc[made.slot(2) + 1] = 0xFE,
    ),
    ("no section", Id::CatalogNoEfi, |disc, made| {
        disc[made.slot(2)..made.slot(4)].fill(0)
    }),
    (
        "no section header",
        Id::CatalogSectionHeaderMissing,
        |disc, made| {
            disc.copy_within(made.slot(3)..made.slot(4), made.slot(2));
            disc[made.slot(3)..made.slot(4)].fill(0);
        },
    ),
    (
        "a last header that is none",
        Id::CatalogSectionChain,
        |disc, made| {
            disc[made.slot(2)] = 0x90;
        },
    ),
    ("a header's count", Id::CatalogSectionChain, |disc, made| {
        disc[made.slot(2) + 2] = 2
    }),
    (
        "the initial indicator",
        Id::EntryNotBootable,
        |disc, made| disc[made.slot_of("bios")] = 0,
    ),
    ("the EFI indicator", Id::EntryNotBootable, |disc, made| {
        disc[made.slot_of("efi")] = 0
    }),
    ("a media type", Id::EntryMediaType, |disc, made| {
        disc[made.slot_of("bios") + 1] = 7
    }),
    ("a reserved bit", Id::EntryMediaType, |disc, made| {
        disc[made.slot_of("bios") + 1] = 0x80
    }),
    ("the EFI media type", Id::EntryMediaType, |disc, made| {
        disc[made.slot_of("efi") + 1] = 0x1F
    }),
    ("a load segment", Id::EntryLoadSegment, |disc, made| {
        put16(disc, made.slot_of("bios") + 2, |_| 0x7C00);
    }),
    ("no count", Id::CountZero, |disc, made| {
        put16(disc, made.slot_of("bios") + 6, |_| 0)
    }),
    ("a large count", Id::CountTooLarge, |disc, made| {
        put16(disc, made.slot_of("bios") + 6, |_| 2_400);
    }),
    (
        "a count with its bytes swapped",
        Id::CountByteOrder,
        |disc, made| {
            put16(disc, made.slot_of("bios") + 6, u16::swap_bytes);
        },
    ),
    (
        "an EFI count with its bytes swapped",
        Id::CountByteOrder,
        |disc, made| {
            put16(disc, made.slot_of("efi") + 6, u16::swap_bytes);
        },
    ),
    ("an EFI count in blocks", Id::CountUnit, |disc, made| {
        put16(disc, made.slot_of("efi") + 6, |count| count / 4);
    }),
    ("an EFI count of 4", Id::CountEfiShort, |disc, made| {
        put16(disc, made.slot_of("efi") + 6, |_| 4);
    }),
    (
        "an address past the end",
        Id::ImageOutOfRange,
        |disc, made| {
            put32(disc, made.slot_of("bios") + 8, |lba| lba + 100_000);
        },
    ),
    (
        "an EFI address past the end",
        Id::ImageOutOfRange,
        |disc, made| {
            put32(disc, made.slot_of("efi") + 8, |lba| lba + 100_000);
        },
    ),
    (
        "an EFI address of a descriptor",
        Id::ImageOutOfRange,
        |disc, made| {
            put32(disc, made.slot_of("efi") + 8, |_| 16);
        },
    ),
    (
        "an address that is off by one",
        Id::ImageNotAtStart,
        |disc, made| {
            put32(disc, made.slot_of("bios") + 8, |lba| lba + 1);
        },
    ),
    (
        "an EFI address that is off by one",
        Id::ImageNotAtStart,
        |disc, made| {
            put32(disc, made.slot_of("efi") + 8, |lba| lba + 1);
        },
    ),
    ("an EFI entry as a floppy", Id::EfiAsFloppy, |disc, made| {
        disc[made.slot_of("efi") + 1] = 2;
        put16(disc, made.slot_of("efi") + 6, |_| 1);
    }),
    ("a volume's size", Id::VolumeSize, |disc, _| {
        for block in [16, 18] {
            let size = block * BLOCK + 80;
            put32(disc, size, |blocks| blocks + 99);
            let little: [u8; 4] = disc[size..size + 4].try_into().unwrap();
            let blocks = u32::from_le_bytes(little);
            disc[size + 4..size + 8].copy_from_slice(&blocks.to_be_bytes());
        }
    }),
];

/// A catalog that was copied with the files of another disc names images that are not on this one.
#[test]
fn a_catalog_of_another_disc_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let Some(made) = made(folder.path(), "xorriso -as mkisofs") else {
        return;
    };
    let mut other = made.disc[made.catalog..][..BLOCK].to_vec();
    for entry in [1, 3] {
        put32(&mut other, entry * 32 + 8, |lba| lba + 7);
    }
    fs::write(folder.path().join("tree/isolinux/boot.cat"), &other).unwrap();
    let mut copy = master(
        folder.path(),
        "xorriso -as mkisofs -quiet -R -J -V DISC -o disc.iso -b isolinux/isolinux.bin -c own.cat -no-emul-boot -boot-load-size 4 tree",
    )
    .unwrap();
    // The pointer leads past the end, and this disc's own catalog is lost.
    copy.disc[copy.catalog..][..BLOCK].fill(0);
    put32(&mut copy.disc, RECORD + 0x47, |_| 100_000);
    let mended = mend(&copy.disc, &Options::default(), |_, _| true).unwrap();
    assert!(mended.inspection.found(Id::CatalogOutOfRange));
    assert!(mended.edits.is_empty(), "{:?}", mended.fixed);
}

#[test]
fn a_fix_puts_back_what_the_tool_wrote() {
    let mut wrong = Vec::new();
    for tool in ["xorriso -as mkisofs", "genisoimage"] {
        let folder = tempfile::tempdir().unwrap();
        let Some(made) = made(folder.path(), tool) else {
            continue;
        };
        assert_eq!(made.disc[PRIMARY], 1);
        for (what, id, damage) in DAMAGES {
            let mut damaged = made.disc.clone();
            damage(&mut damaged, &made);
            assert!(damaged != made.disc, "{tool}: {what} is as it was");
            for all in [false, true] {
                let options = Options::default();
                let wanted = |_: &Inspection, finding: &Finding| all || finding.id == *id;
                let mended = mend(&damaged, &options, wanted).unwrap();
                let mut disc = damaged.clone();
                for (offset, bytes) in mended.edits.pieces() {
                    let offset = usize::try_from(offset).unwrap();
                    disc[offset..][..bytes.len()].copy_from_slice(bytes);
                }
                if disc != made.disc {
                    let mut differs = (0..disc.len()).filter(|&at| disc[at] != made.disc[at]);
                    let first = differs.next().unwrap_or_default();
                    let fixed: Vec<_> = mended.fixed.iter().map(|it| it.id.as_str()).collect();
                    wrong.push(format!(
                        "{tool}: {what}: byte {first} and {} more differ after {fixed:?}; found {:#?}",
                        differs.count(),
                        mended.inspection.findings
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The folder with a disc of ours, mended.
fn mended(mut disc: MasteredDisc) -> (tempfile::TempDir, String) {
    let mended = mend(&disc.bytes, &Options::default(), |_, _| true).unwrap();
    for (offset, bytes) in mended.edits.pieces() {
        disc.bytes.write_at(offset, bytes);
    }
    let folder = tempfile::tempdir().unwrap();
    disc.write_to(folder.path()).unwrap();
    let iso = folder.path().join("disc.iso").display().to_string();
    (folder, iso)
}

/// isoinfo takes the image out of the tree, as long as the directory says that it is.
#[test]
fn isoinfo_extracts_the_image_that_was_spread() {
    let boot = "floppy-1440k".parse().unwrap();
    let disc = |imapi: Imapi| {
        imapi
            .master("fixes/-/-/-/imapi", None, &boot, None)
            .unwrap()
    };
    let healthy = disc(Imapi::Hotfix);
    let image = &healthy.manifest.images[0];
    let mut right = vec![0; 1_474_560];
    healthy
        .bytes
        .read_at(image.load_rba.byte_offset(), &mut right);
    let (_folder, iso) = mended(disc(Imapi::Spread));
    let extracted = Command::new("isoinfo")
        .args(["-i", &iso, "-x", "/BOOT/BIOS_SLOT_1.IMG;1"])
        .output()
        .unwrap()
        .stdout;
    assert!(extracted == right, "{} bytes", extracted.len());
}

/// xorriso reads the entries in the order in which they stand.
#[test]
fn xorriso_reads_the_entry_that_stood_too_deep_as_the_second_one() {
    let boot = "bios+efi,defect=catalog-efi-too-deep".parse().unwrap();
    let disc = reference("fixes/-/-/-/reference", None, &boot, None).unwrap();
    let (_folder, iso) = mended(disc);
    let report = Command::new("xorriso")
        .args([
            "-indev",
            &format!("stdio:{iso}"),
            "-report_el_torito",
            "plain",
        ])
        .output()
        .unwrap();
    let report = String::from_utf8_lossy(&report.stdout).into_owned();
    let entries = report
        .lines()
        .filter_map(|line| line.strip_prefix("El Torito boot img :"));
    let platforms: Vec<&str> = entries
        .filter_map(|line| line.split_whitespace().nth(1))
        .collect();
    assert_eq!(platforms[..3], ["BIOS", "UEFI", "BIOS"], "{report}");
    assert_eq!(platforms.len(), 15, "{report}");
}
