use std::io;

use super::*;
use crate::{
    boot::Boot,
    inspect::{Inspection, Options, Source, Window, inspect},
    map::DiscMap,
    reference::master,
    sparse::SparseBytes,
    units::{BLOCK_BYTES, ByteCount},
};

fn disc(boot: &str) -> SparseBytes {
    let boot: Boot = boot.parse().unwrap();
    master("fields/-/-/-/reference", None, &boot, None)
        .unwrap()
        .bytes
}

fn inspected(disc: &dyn Source) -> Inspection {
    inspect(&mut Window::new(disc), &Options::default()).unwrap()
}

/// The disc with some of its bytes turned around, and the names of what differs then.
fn changed(original: &SparseBytes, places: &[(u64, usize)]) -> Vec<String> {
    let mut other = original.clone();
    for &(at, bytes) in places {
        let mut turned = vec![0; bytes];
        original.read_at(at, &mut turned);
        turned.iter_mut().for_each(|byte| *byte ^= 0xFF);
        other.write_at(at, &turned);
    }
    let comparison = compare(original, &other, &inspected(original)).unwrap();
    let sum: u64 = comparison.fields.iter().map(|field| field.bytes).sum();
    let changed: usize = places.iter().map(|(_, bytes)| bytes).sum();
    assert_eq!(sum, changed as u64, "{comparison:?}");
    comparison
        .fields
        .into_iter()
        .map(|differing| match differing.of {
            None => differing.field,
            Some(of) => format!("{}: {of}", differing.field),
        })
        .collect()
}

/// ECMA-119 8.4.26 to 8.4.29 have the dates at bytes 814, 831, 848 and 865, counted from 1.
#[test]
fn a_volume_has_its_dates_where_the_standard_has_them() {
    let disc = disc("none");
    let volume = 16 * BLOCK_BYTES;
    assert_eq!(
        changed(&disc, &[(volume + 813, 17)]),
        ["the creation date of the volume"]
    );
    assert_eq!(
        changed(
            &disc,
            &[(volume + 830, 2), (volume + 864, 17), (volume + 40, 32)]
        ),
        [
            "the volume identifier of the volume",
            "the modification date of the volume",
            "the effective date of the volume"
        ]
    );
    assert_eq!(layout_sum(VOLUME), 2048);
    assert_eq!(layout_sum(DIRECTORY_RECORD), 33);
    assert_eq!(layout_sum(MASTER_BOOT_RECORD), 512);
    assert_eq!(layout_sum(GPT_HEADER), 92);
    assert_eq!(layout_sum(GPT_ENTRY), 128);
    assert_eq!(layout_sum(FAT_ENTRY), 32);
}

fn layout_sum(layout: Layout) -> usize {
    layout.iter().map(|(bytes, _)| bytes).sum()
}

/// The root's own record has its date at byte 18 (ECMA-119 9.1.5), the record of its parent follows it, 34 bytes on.
#[test]
fn a_record_is_named_by_its_path() {
    let disc = disc("none");
    let mut window = Window::new(&disc);
    let volume: [u8; 2048] = window.array(16 * BLOCK_BYTES).unwrap();
    let root = u64::from(u32::from_le_bytes(volume[158..162].try_into().unwrap())) * BLOCK_BYTES;
    let names = changed(
        &disc,
        &[(root + 18, 7), (root + 34 + 2, 8), (root + 68 + 18, 1)],
    );
    assert_eq!(names[..2], ["the recording date: /.", "the location: /.."]);
    assert!(names[2].starts_with("the recording date: /"), "{names:?}");
    assert!(!names[2].ends_with('.'), "{names:?}");
}

#[test]
fn a_catalog_and_a_boot_info_table_are_named() {
    let disc = disc("none,boot-info=isolinux");
    let inspection = inspected(&disc);
    let catalog = inspection.catalog.as_ref().unwrap();
    let (_, boot) = inspection.entries().next().unwrap();
    let image = boot.load_rba.byte_offset();
    let at = catalog.lba.byte_offset();
    let of = boot.path.clone();
    let of = of.unwrap_or_else(|| "boot image of slot 1".to_owned());
    let mut names = changed(
        &disc,
        &[
            (at + 28, 2),
            (at + 32 + 6, 2),
            (image + 20, 4),
            (image + 16, 1),
            (image + 64, 3),
        ],
    );
    names.sort();
    let mut expected = [
        "the checksum of the validation entry: slot 0".to_owned(),
        "the sector count of the initial entry: slot 1".to_owned(),
        format!("the image's length in the boot-info table: {of}"),
        format!("the checksum in the boot-info table: {of}"),
        format!("the content: {of}"),
    ];
    expected.sort();
    assert_eq!(names, expected);
}

/// Microsoft's FAT specification has the serial number at byte 39 of a boot sector of FAT12 and FAT16, and the time of a directory
/// entry at byte 22.
#[test]
fn a_file_system_in_an_image_is_named() {
    let disc = disc("efi");
    let inspection = inspected(&disc);
    let (_, boot) = inspection.entries().next().unwrap();
    let image = boot.load_rba.byte_offset();
    let names = changed(&disc, &[(image + 39, 4)]);
    assert!(
        names[0].starts_with("the volume serial number in a FAT boot sector: boot image of slot 1"),
        "{names:?}"
    );
    let mut window = Window::new(&disc);
    let map = DiscMap::read(&mut window, &inspection);
    let folder = map.extents().iter().find(|extent| {
        extent
            .what
            .to_string()
            .starts_with("directory \\EFI\\BOOT in")
    });
    let folder = folder.expect("the image has a folder EFI\\BOOT").offset;
    let names = changed(&disc, &[(folder + 2 * 32 + 22, 4)]);
    assert!(
        names[0].starts_with("the modification time in a FAT directory: \\EFI\\BOOT\\BOOTX64.EFI"),
        "{names:?}"
    );
}

#[test]
fn tables_for_disks_are_named() {
    let disc = disc("bios+efi,hybrid=gpt");
    let names = changed(&disc, &[(440, 4), (512 + 56, 16), (1024 + 16, 16)]);
    assert_eq!(
        names,
        [
            "the disk signature of the master boot record",
            "the disk GUID of the GPT header",
            "the partition GUID in the GPT: entry 1"
        ]
    );
}

/// A disc with a block of zeros behind it.
struct Longer<'d>(&'d SparseBytes);

impl Source for Longer<'_> {
    fn length(&self) -> ByteCount {
        ByteCount::new(Source::length(self.0).get() + BLOCK_BYTES)
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        Source::read_at(self.0, offset, buffer)
    }
}

#[test]
fn a_longer_disc_is_another() {
    let disc = disc("none");
    let comparison = compare(&disc, &Longer(&disc), &inspected(&disc)).unwrap();
    assert!(!comparison.is_same());
    assert_eq!(comparison.fields, []);
    assert!(compare(&disc, &disc, &inspected(&disc)).unwrap().is_same());
}
