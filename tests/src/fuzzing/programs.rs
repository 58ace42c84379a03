//! The readers of the programs and texts that a disc starts, and of the file system from which UEFI starts some.

use std::sync::LazyLock;

use images::{
    any_bytes,
    boot_configuration::{BootConfigurations, DefaultEntry, Loader},
    efi_program::EfiProgram,
    grub_core::GrubCore,
    inspect::{Inspection, Window},
    iso9660::{FileSpec, PrimaryVolume, Tree, terminator},
    sparse::SparseBytes,
    units::{ByteCount, Lba},
};

use super::{
    discs::inspected,
    patched::{Base, Patched},
    target::Target,
};

pub(super) const EFI_PROGRAM: Target = Target {
    name: "efi-program",
    what: "the headers of an EFI program, and the contents of GRUB's core image: sections are bounded, and text stays text",
    read: |input| {
        if let Some(program) = EfiProgram::decode(input) {
            let ends = program.sections.iter().map(|it| it.offset + it.length);
            assert!(ends.max().unwrap_or(0) >= program.length());
            assert!(!program.machine.name().is_empty());
        }
        drop(GrubCore::decode(input));
        drop(GrubCore::of_boot_image(&grub_image(input)));
    },
    longest: 2_048,
    words: &[b"MZ", b"PE\0\0", b"mimg", b"\x64\x86", b"\x0B\x02"],
};

/// GRUB's boot image for a BIOS whose compressed part is this.
fn grub_image(compressed: &[u8]) -> Vec<u8> {
    let length = u32::try_from(compressed.len())
        .unwrap_or(u32::MAX)
        .to_le_bytes();
    // What comes before it: two boot sectors' images, and the decompressor with the lengths in it.
    let mut image = vec![0; 2_048 + 512];
    image.extend([&[0; 8], &length[..], &[0, 0x40, 0, 0]].concat());
    image.extend(compressed);
    image
}

pub(super) const PACKED: Target = Target {
    name: "packed",
    what: "a file as a kernel, a squashfs, compressed streams and cpio archives: its parts do not end before they begin",
    read: |input| any_bytes::packed(&input.to_vec()),
    longest: 2_048,
    words: &[
        b"HdrS\x0B\x02",
        b"\x55\xAA",
        b"hsqs",
        b"070701",
        b"070702",
        b"TRAILER!!!\0",
        b"\x1F\x8B\x08",
        b"\xFD7zXZ\0",
        b"YZ",
        b"\x28\xB5\x2F\xFD",
        b"\x02\x21\x4C\x18",
        b"\x04\x22\x4D\x18",
        b"BZh9",
        b"\x5D\0\0",
    ],
};

pub(super) const SYSLINUX: Target = Target {
    name: "syslinux",
    what: "isolinux' packed program and a module of syslinux, from the same bytes: only a module has symbols",
    read: |input| {
        let half = input.get(input.len() / 2..).unwrap_or_default();
        any_bytes::syslinux(half, input);
        // The first place where the packed program may begin.
        let mut image = vec![0; 0x400];
        image.extend_from_slice(input);
        any_bytes::syslinux(&image, half);
    },
    longest: 1_024,
    words: &[
        b"\x7FELF\x01",
        b"\xB8\xFF\x4C\xCD\x21",
        b"/boot/isolinux\0/isolinux",
        b"\x11\0\0",
        b"\x02\0\0\0",
        b"\x05\0\0\0",
        b"\x06\0\0\0",
    ],
};

pub(super) const UDF: Target = Target {
    name: "udf",
    what: "UDF up to its loaders: walks are bounded, and nothing is found in unreadable parts",
    read: |input| {
        static BASES: LazyLock<[Base; 1]> = LazyLock::new(|| [udf_disc()]);
        let Some(disc) = Patched::new(&*BASES, input) else {
            return;
        };
        any_bytes::udf(&disc);
        disc.assert_bounded();
    },
    longest: 512,
    words: &[
        b"NSR02",
        b"NSR03",
        b"\x08BOOTX64.EFI",
        b"\x08EFI",
        b"\x08BOOT",
        b"\x05\x01",
        b"\x0A\x01",
        b"\x01\x01",
    ],
};

/// The structures on the way to `\EFI\BOOT\BOOTX64.EFI`, with the fields that are read and nothing else (ECMA-167).
fn udf_disc() -> Base {
    const BLOCKS: u64 = 64;
    // The partition, and in it the file set, the three directories' entries, the loader's, and what each directory holds.
    const PARTITION: u64 = 40;
    let names: [&[u8]; 3] = [b"\x08EFI", b"\x08BOOT", b"\x08BOOTX64.EFI"];
    let mut disc = SparseBytes::zeroed(Lba::new(256 + BLOCKS).byte_offset());
    let mut write = |block: u64, at: u64, bytes: &[u8]| {
        disc.write_at(Lba::new(block).byte_offset() + at, bytes);
    };
    write(16, 1, b"BEA01");
    write(17, 1, b"NSR02");
    write(256, 0, &[2, 0]);
    write(256, 16, &[0, 0x80, 0, 0, 32]);
    write(32, 0, &[5, 0]);
    write(32, 188, &[PARTITION as u8]);
    write(33, 0, &[6, 0]);
    write(33, 212, &[0, 8]);
    write(33, 268, &[1]);
    write(33, 440, &[1, 6]);
    write(34, 0, &[8, 0]);
    write(PARTITION, 0, &[0, 1]);
    write(PARTITION, 404, &[1]);
    for (number, name) in (1_u8..).zip(names) {
        let (entry, held) = (PARTITION + u64::from(number), number + 8);
        write(entry, 0, &[5, 1]);
        write(entry, 56, &[0, 8]);
        write(entry, 172, &[8]);
        write(entry, 176, &[0, 8, 0, 0, held]);
        let directory = PARTITION + u64::from(held);
        write(directory, 0, &[1, 1]);
        let is_directory = u8::from(!name.ends_with(b".EFI")) << 1;
        write(directory, 18, &[is_directory, name.len() as u8]);
        write(directory, 24, &[number + 1]);
        write(directory, 38, name);
    }
    let loader = PARTITION + 4;
    write(loader, 0, &[5, 1]);
    write(loader, 56, &[0, 8]);
    write(loader, 172, &[8]);
    write(loader, 176, &[0, 8, 0, 0, 16]);
    let blocks = [16, 17, 32, 33, 34, 256];
    let blocks = blocks.into_iter().chain(PARTITION..PARTITION + 12);
    Base::new(&disc, blocks.map(Lba::new).collect())
}

pub(super) const CONFIGURATION: Target = Target {
    name: "configuration",
    what: "boot-loader configurations, with the input as the text of each configuration of one loader: entries come after those that contain them, and all kept text is printable",
    read: |input| {
        static DISC: LazyLock<SparseBytes> = LazyLock::new(configuration_disc);
        // The texts are no part of it.
        static INSPECTION: LazyLock<Inspection> = LazyLock::new(|| {
            inspected(&mut Window::new(&*DISC)).expect("a disc in memory can be read")
        });
        static RECORDS: LazyLock<[u64; CONFIGURATIONS.len()]> =
            LazyLock::new(|| std::array::from_fn(|number| record_of(&DISC, number as u64)));
        let mut disc = DISC.clone();
        let input = &input[..input.len().min(CONFIGURATION_BYTES)];
        // One loader's for each length: three readers of one input would take three times as long.
        let places = match input.len() % 3 {
            0 => 0..1,
            1 => 1..3,
            _ => 3..CONFIGURATIONS.len(),
        };
        for number in places {
            let block = Lba::new(CONFIGURATIONS_AT.get() + number as u64);
            disc.write_at(block.byte_offset(), input);
            // ECMA-119 9.1.4: the length behind the address, in both byte orders.
            let length = u32::try_from(input.len()).unwrap_or_default();
            let both = [length.to_le_bytes(), length.to_be_bytes()].concat();
            disc.write_at(RECORDS[number] + 10, &both);
        }
        let mut window = Window::new(&disc);
        // What findings make of them costs most of the time: of one length in 160, whatever the loader.
        if input.len().is_multiple_of(160) {
            inspected(&mut window);
        }
        let read = BootConfigurations::read(&mut window, &INSPECTION);
        for configuration in &read.all {
            let entries = &configuration.entries;
            assert!(entries.len() <= 1_000);
            for (index, entry) in entries.iter().enumerate() {
                assert!(entry.parent.is_none_or(|parent| parent < index));
                let escapes = |text: &str| text.contains(['\u{1}', '\u{1b}']);
                assert!(!escapes(&entry.title), "{entry:?}");
                assert!(
                    !entry.files.iter().any(|file| escapes(&file.path)),
                    "{entry:?}"
                );
            }
            if let DefaultEntry::Entry(index) = configuration.default {
                assert!(index < entries.len());
            }
            let _ = configuration.start();
        }
        for loader in [
            Loader::Isolinux,
            Loader::Grub,
            Loader::SystemdBoot,
            Loader::Limine,
        ] {
            let _ = read.offers_something_on_the_disc(loader);
        }
    },
    longest: CONFIGURATION_BYTES,
    words: &[
        b"\nmenuentry x {\n",
        b"submenu x {",
        b"}\n",
        b"linux /a ",
        b"initrd /a\n",
        b"if x; then ",
        b"elif x; then ",
        b"else ",
        b"\nfi\n",
        b"while x; do ",
        b"\ndone\n",
        b"function f {",
        b"source ",
        b"configfile ",
        b"/boot/grub/grub.cfg",
        b"search --set=root --file ",
        b"set ",
        b"default=",
        b"timeout=",
        b"$prefix",
        b"${root}",
        b"\nlabel x\n",
        b"\nkernel /a\n",
        b"\nappend initrd=/a,/b ",
        b"\nmenu begin x\n",
        b"\nmenu end\n",
        b"\nmenu include ",
        b"\ninclude ",
        b"isolinux.cfg",
        b"\nui menu.c32 ",
        b"\ndefault ",
        b"\ntimeout ",
        b"\nconfig ",
        b"\ntext help\n",
        b"\ntitle x\n",
        b"\nefi /a\n",
        b"\noptions x\n",
    ],
};

/// What stands where loaders look for it, block by block.
const CONFIGURATIONS: [&str; 5] = [
    "/boot/grub/grub.cfg",
    "/isolinux/isolinux.cfg",
    "/isolinux/menu.c32",
    "/loader/loader.conf",
    "/loader/entries/a.conf",
];
const CONFIGURATION_BYTES: usize = 768;
/// Behind their directories.
const CONFIGURATIONS_AT: Lba = Lba::new(40);

/// Where the directory record of a configuration is, in bytes.
fn record_of(disc: &SparseBytes, number: u64) -> u64 {
    let block = u32::try_from(CONFIGURATIONS_AT.get() + number).unwrap_or_default();
    let both = [block.to_le_bytes(), block.to_be_bytes()].concat();
    let mut directories = vec![0; 20 * 2_048];
    Window::new(disc).read(DIRECTORIES_AT.byte_offset(), &mut directories);
    let found = directories.windows(8).position(|bytes| bytes == both);
    // The address is behind two bytes of the record.
    DIRECTORIES_AT.byte_offset() + found.expect("a record") as u64 - 2
}

/// The directories of the disc.
const DIRECTORIES_AT: Lba = Lba::new(20);

fn configuration_disc() -> SparseBytes {
    let mut files: Vec<FileSpec> = Vec::new();
    files.extend(CONFIGURATIONS.map(|path| FileSpec {
        path: path.to_owned(),
        length: ByteCount::new(CONFIGURATION_BYTES as u64),
    }));
    files.push(FileSpec {
        path: "/a".to_owned(),
        length: ByteCount::new(1),
    });
    let first = CONFIGURATIONS_AT.get();
    let addresses: Vec<Lba> = (first..).take(files.len()).map(Lba::new).collect();
    let tree = Tree::new(files).place(DIRECTORIES_AT, &addresses);
    let mut disc = SparseBytes::zeroed(Lba::new(first + 8).byte_offset());
    let primary = PrimaryVolume {
        volume_id: "FUZZ",
        space_size: 48,
        path_table_bytes: 10,
        path_table_l: 18,
        path_table_m: 19,
        root: &tree.root_record,
    };
    disc.write_at(Lba::new(16).byte_offset(), &primary.encode());
    disc.write_at(Lba::new(17).byte_offset(), &terminator());
    disc.write_at(DIRECTORIES_AT.byte_offset(), &tree.directories);
    disc
}
