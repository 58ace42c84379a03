//! The codes with which SeaBIOS and Bochs' BIOS refuse a CD.

use images::finding::FindingId as Id;

/// What leaves no boot record at LBA 17.
const NO_BOOT_RECORD: &[Id] = &[
    Id::IsoInPartition,
    Id::IsoBurntAsFile,
    Id::NotIso,
    Id::BootRecordIdPadding,
    Id::BootRecordMisplaced,
    Id::NoBootRecord,
];

/// What a BIOS cannot get past, by its code, with the sentence for it: those of SeaBIOS (`src/cdrom.c`, `cdrom_boot`), which it has from Bochs' BIOS.
pub(crate) const BIOS_CODES: &[(&str, &str, &[Id])] = &[
    ("0001", "there is no such CD drive", &[]),
    (
        "0003",
        "block 17 cannot be read",
        &[
            Id::IsoInPartition,
            Id::IsoBurntAsFile,
            Id::NotIso,
            Id::VolumeSize,
        ],
    ),
    ("0004", "LBA 17 is not a boot record", NO_BOOT_RECORD),
    (
        "0005",
        "the descriptor at LBA 17 is not El Torito's",
        NO_BOOT_RECORD,
    ),
    (
        "0007",
        "the boot catalog cannot be read",
        &[Id::CatalogOutOfRange, Id::VolumeSize],
    ),
    (
        "0008",
        "the catalog does not begin with a validation entry",
        &[Id::CatalogHeaderId],
    ),
    (
        "0009",
        "the validation entry's platform is not x86",
        &[
            Id::CatalogPlatform,
            Id::CatalogBiosNotFirst,
            Id::CatalogEfiOnly,
        ],
    ),
    (
        "000a",
        "the validation entry has no key bytes 55 AA",
        &[Id::CatalogKey],
    ),
    (
        "000b",
        "the initial entry is not marked as bootable",
        &[Id::EntryNotBootable],
    ),
    (
        "000c",
        "the boot image cannot be read",
        &[Id::ImageOutOfRange, Id::VolumeSize],
    ),
    ("000d", "no drive can be emulated", &[]),
];
