//! The readers of what stands on a disc.

use std::{path::Path, sync::LazyLock};

use images::{
    boot::FatType,
    boot_image::{Identity, efi_system_partition},
    container::Container,
    distilled::Distilled,
    eltorito::{BootEntry, ENTRY_BYTES, RawValidation, SectionHeader, boot_record},
    fat::FatVolume,
    field::FieldNames,
    inspect::{EntryKind, Inspection, Options, TrustedBy, Window, inspect, inspect_program},
    iso9660::{DirectoryRecord, Names, terminator},
    map::{DiscMap, Structure},
    overview::Overview,
    partition_table::{Mbr, MbrEntry, RawGptEntry, RawGptHeader},
    probe::DiscHash,
    signature::{
        Authority, Certificate, CertificateTable, HashedParts, Sbat, SbatLevel, Shim,
        SignatureList, SignedData, VendorKeys,
    },
    sparse::SparseBytes,
    units::{Lba, VirtualSectorCount},
};

use super::{
    patched::{Base, Patched},
    target::Target,
};

pub(super) const ISO: Target = Target {
    name: "iso",
    what: "whole discs through `images::inspect`: reads are bounded; findings are on the disc or say that they are not, the worst first",
    read: |input| {
        static BASES: LazyLock<Vec<Base>> = LazyLock::new(|| {
            let bases = [
                ("none", None),
                ("bios+efi", None),
                ("bios+efi,hybrid=gpt", None),
                ("bios+efi,hybrid=mbr", None),
                ("floppy-1440k", None),
                ("hard-disk", None),
            ];
            bases
                .map(|(boot, size)| Base::mastered(boot, size, |_| true))
                .into()
        });
        read_patched(&BASES, input);
    },
    longest: 512,
    words: &[b"CD001", b"EL TORITO SPECIFICATION", b"EFI PART", b"NSR02"],
};

pub(super) const SECURE_BOOT: Target = Target {
    name: "secure-boot",
    what: "signatures, certificates, revocation lists and SBAT, alone and as the file of a program: no input counts as signed by Microsoft",
    read: |input| {
        if let Ok(signature) = SignedData::decode(input) {
            let signer = signature.prove(None);
            assert!(signer.is_err());
            if let Some(signer) = signature.signer() {
                assert!(!signature.chain(signer, signature.certificates()).is_empty());
            }
        }
        if let Some(certificate) = Certificate::decode(input) {
            let name = certificate.subject.common_name();
            assert!(!name.contains(char::is_control) && name.chars().count() <= 100);
            assert_eq!(Authority::of(&certificate), None);
        }
        if let Ok(list) = SignatureList::decode(input) {
            assert!(list.programs.is_sorted());
        }
        drop(VendorKeys::decode(input));
        drop(Shim::levels(input));
        if let (Some(sbat), Some(level)) = (Sbat::decode(input), SbatLevel::decode(input)) {
            let _ = sbat.below(&level);
        }
        let table = CertificateTable::decode(input);
        assert!(table.signatures.len() <= table.count);
        if let Some(parts) = HashedParts::decode(input, input.len() as u64) {
            assert!(parts.length() <= input.len() as u64);
        }
        let program = input.to_vec();
        if let Some(read) = inspect_program(&program) {
            assert_eq!(read.trusted_by, TrustedBy::Neither, "{read:?}");
        }
    },
    longest: 4_096,
    words: &[
        b"MZ",
        b"PE\0\0",
        b"\x02\x02\x00",
        b"sbat,1,",
        b"shim,4,",
        b".sbat\0\0\0",
        // signedData, SpcIndirectData, messageDigest, SHA-256, commonName.
        b"\x06\x09\x2A\x86\x48\x86\xF7\x0D\x01\x07\x02",
        b"\x06\x0A\x2B\x06\x01\x04\x01\x82\x37\x02\x01\x04",
        b"\x06\x09\x2A\x86\x48\x86\xF7\x0D\x01\x09\x04",
        b"\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01",
        b"\x06\x03\x55\x04\x03",
        b"\x26\x16\xC4\xC1\x4C\x50\x92\x40\xAC\xA9\x41\xF9\x36\x93\x43\x28",
        b"\xA1\x59\xC0\xA5\xE4\x94\xA7\x4A\x87\xB5\xAB\x15\x5C\x2B\xF0\x72",
    ],
};

pub(super) const MAP: Target = Target {
    name: "map",
    what: "the map of a disc, its overview and what each block belongs to: segments are in order and do not overlap",
    read: |input| {
        static BASES: LazyLock<Vec<Base>> = LazyLock::new(|| {
            let bases = ["bios+efi", "bios+efi,hybrid=gpt", "hard-disk"];
            bases
                .map(|boot| Base::mastered(boot, None, |_| true))
                .into()
        });
        let Some(disc) = Patched::new(&BASES, input) else {
            return;
        };
        let mut window = Window::new(&disc);
        let Some(inspection) = inspected(&mut window) else {
            return;
        };
        let map = DiscMap::read(&mut window, &inspection);
        assert!(
            map.extents().is_sorted_by_key(|extent| extent.offset),
            "{map:?}"
        );
        for owned in map.whose(0, map.length()) {
            assert!(owned.blocks.iter().all(|run| run.start() <= run.end()));
        }
        drop(Overview::read(&mut window, &inspection, &map));
        let starts: Vec<u64> = map.extents().iter().map(|extent| extent.offset).collect();
        let mut names = FieldNames::new(&mut window, &inspection, &map);
        // The middle of a structure is as good as its beginning.
        for offset in starts
            .into_iter()
            .take(NAMED)
            .flat_map(|start| [start, start + 40])
        {
            let name = names.name(offset);
            assert!((name.offset..name.end()).contains(&offset), "{name:?}");
        }
        disc.assert_bounded();
    },
    longest: 512,
    words: &[],
};

/// So many structures have bytes that are named.
const NAMED: usize = 60;

pub(super) const CATALOG: Target = Target {
    name: "catalog",
    what: "two blocks as a boot catalog: slots ascend, and each is reported as its bytes define it",
    read: |input| read_catalog(input),
    longest: 1_024,
    words: &[b"\x55\xAA", b"\x88", b"\x91\xEF", b"\x90", b"\x44\x20"],
};

pub(super) const DESCRIPTORS: Target = Target {
    name: "descriptors",
    what: "volume descriptors and sessions of a disc: as `iso`",
    read: |input| {
        static BASES: LazyLock<Vec<Base>> = LazyLock::new(|| {
            let meant = |what: &Structure| matches!(what, Structure::VolumeDescriptor { .. });
            // What follows the set may be one of its descriptors, too.
            let base = Base::mastered("none", None, meant);
            vec![base.and([19, 48, 49].map(Lba::new))]
        });
        read_patched(&BASES, input);
    },
    longest: 512,
    words: &[
        b"CD001\x01",
        b"EL TORITO SPECIFICATION",
        b"\xFFCD001",
        b"%/E",
    ],
};

pub(super) const TREE: Target = Target {
    name: "tree",
    what: "path tables and directories: as `iso`, and a record's name has no more characters than bytes",
    read: |input| {
        static BASES: LazyLock<Vec<Base>> = LazyLock::new(|| {
            let meant = |what: &Structure| {
                matches!(
                    what,
                    Structure::Directory { .. } | Structure::PathTable { .. }
                )
            };
            vec![Base::mastered("bios+efi", None, meant)]
        });
        if let Some(record) = DirectoryRecord::decode(input) {
            assert!(record.length <= input.len() && record.identifier.len() < record.length);
            for names in [Names::Plain, Names::Joliet] {
                drop(record.name_in(names));
            }
        }
        read_patched(&BASES, input);
    },
    longest: 512,
    words: &[b"NM", b"SP", b"\x00\x01", b";1"],
};

pub(super) const FAT: Target = Target {
    name: "fat",
    what: "FAT12, FAT16 and FAT32: walks are bounded",
    read: |input| {
        static BASES: LazyLock<Vec<Base>> = LazyLock::new(|| {
            let bases = [
                (FatType::Fat12, 2_880),
                (FatType::Fat16, 8_400),
                (FatType::Fat32, 67_000),
            ];
            bases.map(|(fat, sectors)| fat_base(fat, sectors)).into()
        });
        let Some(disc) = Patched::new(&BASES, input) else {
            return;
        };
        let mut window = Window::new(&disc);
        if let Some(volume) = FatVolume::at(&mut window, 0) {
            drop(volume.removable_media_loaders(&mut window));
            volume.walk(&mut window, &mut |_, _| std::ops::ControlFlow::Continue(()));
        }
        disc.assert_bounded();
    },
    longest: 512,
    words: &[b"EFI        \x10", b"BOOT       \x10", b"BOOTX64 EFI"],
};

pub(super) const MBR: Target = Target {
    name: "mbr",
    what: "a master boot record: each entry is written as the same bytes",
    read: |input| {
        let mut sector = [0; 512];
        let size = input.len().min(512);
        sector[..size].copy_from_slice(&input[..size]);
        let table = Mbr::decode(&sector);
        let entries = sector[446..510].as_chunks::<{ MbrEntry::BYTES }>().0;
        for (entry, bytes) in table.entries.iter().zip(entries) {
            assert_eq!(entry.encode(), *bytes);
            assert!(entry.end().get() >= entry.first.get());
        }
        assert_eq!(table.signature, sector[510..] == [0x55, 0xAA]);
        // The rest of the input is what the partitions lead to.
        inspect_bytes(&[&sector[..], &input[size..]].concat());
    },
    longest: 1_536,
    words: &[b"\x55\xAA", b"\x80", b"\xEF", b"\xEE"],
};

pub(super) const GPT: Target = Target {
    name: "gpt",
    what: "a GUID partition table with its backup: as `iso`, and entries end after their start",
    read: |input| {
        static BASES: LazyLock<Vec<Base>> = LazyLock::new(|| {
            let meant = |what: &Structure| {
                matches!(
                    what,
                    Structure::PartitionTable
                        | Structure::GptHeader { .. }
                        | Structure::GptEntries { .. }
                )
            };
            vec![Base::mastered("bios+efi,hybrid=gpt", None, meant)]
        });
        if let Some(sector) = input.first_chunk::<512>() {
            let _ = RawGptHeader::decode(sector);
        }
        drop(RawGptEntry::decode(input));
        read_patched(&BASES, input);
    },
    longest: 1_024,
    words: &[
        b"EFI PART",
        b"\x28\x73\x2A\xC1\x1F\xF8\xD2\x11\xBA\x4B\x00\xA0\xC9\x3E\xC9\x3B",
    ],
};

pub(super) const CONTAINER: Target = Target {
    name: "container",
    what: "files that are not ISOs: each format has a name and a remedy",
    read: |input| {
        let source = input.to_vec();
        if let Some(container) = Container::recognise(&source, Path::new("download/disc.cue")) {
            assert!(!container.name().is_empty() && !container.to_string().is_empty());
            drop(container.remedy());
        }
    },
    longest: 4_096,
    words: &[
        b"FILE \"a.bin\" BINARY\n",
        b"TRACK 01 MODE1/2352\n",
        b"[CloneCD]",
        b"MEDIA DESCRIPTOR",
        b"conectix",
        b"koly",
        b"<html",
        b"<?xml",
        b"NER5",
        b"\x00\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x00",
    ],
};

pub(super) const DISTILLED: Target = Target {
    name: "distilled",
    what: "`.disc` files: each is written as a text that is read back alike",
    read: |input| {
        let Ok(text) = std::str::from_utf8(input) else {
            return;
        };
        let read = Distilled::parse(text).or_else(|error| {
            // Nobody guesses a digest.
            let digest = error.problem.split("what is here is ").nth(1);
            let digest = digest.and_then(|rest| rest.get(..64));
            let right = digest.map(|digest| text.replace("DIGEST", digest));
            right.map_or(Err(error), |text| Distilled::parse(&text))
        });
        if let Ok(disc) = read {
            assert_eq!(Distilled::parse(&disc.to_toml()).as_ref(), Ok(&disc));
            drop(disc.listing());
        }
    },
    longest: 768,
    words: &[
        b"schema = \"disc/1\"\n",
        b"length = ",
        b"sha256 = \"DIGEST\"\n",
        b"[[range]]\n",
        b"lba = ",
        b"blocks = ",
        b"what = [\"catalog\"]\n",
        b"data = '''\n",
        b"0000 ",
        b"0020 ",
    ],
};

/// Inspects a disc that an input patches.
fn read_patched(bases: &[Base], input: &[u8]) {
    let Some(disc) = Patched::new(bases, input) else {
        return;
    };
    inspected(&mut Window::new(&disc));
    disc.assert_bounded();
}

/// Inspects a disc, which these bytes are from the start.
fn inspect_bytes(bytes: &[u8]) {
    inspected(&mut Window::new(&bytes.to_vec()));
}

/// What must hold of every inspection. A source in memory can be read, so there is one.
pub(super) fn inspected(window: &mut Window<'_>) -> Option<Inspection> {
    let inspection = inspect(window, &Options::default()).ok()?;
    let severities = inspection.findings.iter().map(|finding| finding.severity);
    assert!(severities.rev().is_sorted(), "{:?}", inspection.findings);
    assert_eq!(inspection.size, window.length());
    if let Some(catalog) = &inspection.catalog {
        assert!(catalog.entries.is_sorted_by(|a, b| a.slot < b.slot));
    }
    Some(inspection)
}

/// Where the catalog stands on the smallest disc with one.
const CATALOG_LBA: Lba = Lba::new(19);

fn read_catalog(input: &[u8]) {
    let mut disc = SparseBytes::zeroed(Lba::new(22).byte_offset());
    disc.write_at(Lba::new(17).byte_offset(), &boot_record(19));
    disc.write_at(Lba::new(18).byte_offset(), &terminator());
    let mut primary = [0; 7];
    primary.copy_from_slice(b"\x01CD001\x01");
    disc.write_at(Lba::new(16).byte_offset(), &primary);
    let input = &input[..input.len().min(4_096)];
    disc.write_at(CATALOG_LBA.byte_offset(), input);
    let mut window = Window::new(&disc);
    let inspection = inspected(&mut window);
    let catalog = inspection.and_then(|inspection| inspection.catalog);
    let Some(catalog) = catalog else {
        panic!("the catalog was not read");
    };
    for entry in &catalog.entries {
        let at = CATALOG_LBA.byte_offset() + u64::from(entry.slot) * ENTRY_BYTES as u64;
        let bytes = disc.array_at::<ENTRY_BYTES>(at);
        match entry.kind {
            EntryKind::Validation => {
                assert_eq!(entry.slot, 0);
                assert_eq!(entry.platform, RawValidation::decode(&bytes).platform);
            }
            EntryKind::Header => {
                let header = SectionHeader::decode(&bytes);
                assert_eq!(header.map(|header| header.platform), Some(entry.platform));
            }
            EntryKind::Extension => assert_eq!(bytes[0], 0x44),
            EntryKind::Initial | EntryKind::Section => {
                let raw = BootEntry::decode(&bytes);
                let Some(read) = &entry.boot else {
                    panic!("{entry:?}");
                };
                assert_eq!(read.load_rba.get(), u64::from(raw.load_rba));
                assert_eq!(read.sector_count.get(), u64::from(raw.sector_count));
                assert_eq!((read.media, read.bootable), (raw.media, bytes[0] == 0x88));
                assert_eq!(raw.encode()[..5], bytes[..5]);
            }
        }
    }
}

fn fat_base(fat: FatType, sectors: u64) -> Base {
    let identity = Identity {
        disc: DiscHash::of_id("fuzzing/-/-/-/-"),
        slot: 1,
    };
    let partition = efi_system_partition(identity, VirtualSectorCount::new(sectors), Some(fat));
    let bytes = partition
        .unwrap_or_else(|error| panic!("FAT{fat}: {error}"))
        .bytes;
    // The boot sector, the first blocks of the table, the root and the directories.
    let used = bytes.pieces().map(|(start, _)| Lba::of_offset(start));
    let blocks = used.flat_map(|lba| [lba.get(), lba.get() + 1].map(Lba::new));
    let blocks = blocks.take(24).collect();
    Base::new(&bytes, blocks)
}
