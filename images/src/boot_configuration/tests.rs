//! Discs with configurations as distributions write them, in our own words.

mod grub;
mod isolinux;
mod limine;

use std::io::Write;

use proptest::prelude::*;

use super::{reader::ENTRIES, *};
use crate::{
    boot::FatType,
    boot_image::{Identity, efi_system_partition},
    bytes::both32,
    eltorito::boot_record,
    inspect::{Options, inspect},
    iso9660::{FileSpec, PrimaryVolume, Tree, terminator},
    probe::DiscHash,
    sparse::SparseBytes,
    units::{BlockCount, ByteCount, Lba, VirtualSectorCount},
};

type Files<'f> = [(&'f str, &'f str)];

fn primary(root: &[u8], blocks: u32) -> [u8; 2048] {
    let volume = PrimaryVolume {
        volume_id: "CUSTOMER",
        space_size: blocks,
        path_table_bytes: 10,
        path_table_l: 19,
        path_table_m: 20,
        root,
    };
    volume.encode()
}

/// A disc with these files in its tree, whose names are ISO 9660's, and in the FAT image of its EFI entry.
fn disc(tree: &Files<'_>, image: &Files<'_>) -> SparseBytes {
    fn bytes<'f>(files: &Files<'f>) -> Vec<(&'f str, &'f [u8])> {
        files
            .iter()
            .map(|(path, it)| (*path, it.as_bytes()))
            .collect()
    }
    disc_of(&bytes(tree), &bytes(image))
}

/// The same with files of any bytes.
pub(crate) fn disc_of(tree: &[(&str, &[u8])], image: &[(&str, &[u8])]) -> SparseBytes {
    let specs = tree.iter().map(|(path, content)| FileSpec {
        path: (*path).to_owned(),
        length: ByteCount::new(content.len() as u64),
    });
    let built = Tree::new(specs.collect());
    let directories = Lba::new(22);
    let mut next = directories.plus(built.directory_blocks());
    let mut addresses = Vec::new();
    for (_, content) in tree {
        addresses.push(next);
        let length = ByteCount::new(content.len() as u64);
        next = next.plus(length.blocks_rounded_up());
    }
    let extents = built.place(directories, &addresses);
    let mut bytes = SparseBytes::zeroed(next.byte_offset());
    bytes.write_at(directories.byte_offset(), &extents.directories);
    for ((_, content), at) in tree.iter().zip(&addresses) {
        bytes.write_at(at.byte_offset(), content);
    }
    let block = |lba: u64| Lba::new(lba).byte_offset();
    if image.is_empty() {
        bytes.write_at(block(17), &terminator());
    } else {
        let fat = fat(image);
        let end = next.plus(BlockCount::new(fat.len() / 2048));
        bytes.set_len(end.byte_offset());
        bytes.embed(next.byte_offset(), &fat);
        bytes.write_at(block(17), &boot_record(21));
        bytes.write_at(block(18), &terminator());
        let mut catalog = [0; 64];
        catalog[..2].copy_from_slice(&[1, 0xEF]);
        catalog[30..32].copy_from_slice(&[0x55, 0xAA]);
        // The words add up to zero.
        let sum = [0xEF01_u16, 0xAA55]
            .iter()
            .fold(0_u16, |sum, it| sum.wrapping_add(*it));
        catalog[28..30].copy_from_slice(&sum.wrapping_neg().to_le_bytes());
        catalog[32] = 0x88;
        catalog[38..40].copy_from_slice(&2_880_u16.to_le_bytes());
        catalog[40..44].copy_from_slice(&next.to_u32().unwrap().to_le_bytes());
        bytes.write_at(block(21), &catalog);
    }
    let blocks = u32::try_from(bytes.len() / 2048).unwrap();
    bytes.write_at(block(16), &primary(&extents.root_record, blocks));
    bytes
}

fn fat(files: &[(&str, &[u8])]) -> SparseBytes {
    let identity = Identity {
        disc: DiscHash::of_id("configuration/-/-/-/-"),
        slot: 1,
    };
    let length = VirtualSectorCount::new(2_880);
    let image = efi_system_partition(identity, length, Some(FatType::Fat12));
    let mut bytes = image.unwrap().bytes;
    let library = fatfs::FileSystem::new(bytes.cursor(), fatfs::FsOptions::new()).unwrap();
    for (path, content) in files {
        let names: Vec<&str> = path.split('/').filter(|it| !it.is_empty()).collect();
        let (name, folders) = names.split_last().unwrap();
        let mut folder = library.root_dir();
        for name in folders {
            folder = folder.create_dir(name).unwrap();
        }
        let mut file = folder.create_file(name).unwrap();
        file.write_all(content).unwrap();
    }
    drop(library);
    bytes
}

fn read(bytes: &SparseBytes) -> BootConfigurations {
    let mut window = Window::new(bytes);
    let inspection = inspect(&mut window, &Options::default()).unwrap();
    BootConfigurations::read(&mut window, &inspection)
}

/// The only configuration of a disc with these files in its tree.
fn only(tree: &Files<'_>) -> Configuration {
    let mut all = read(&disc(tree, &[])).all;
    assert_eq!(all.len(), 1, "{all:#?}");
    all.remove(0)
}

/// The files of an entry: line, directive, path, whether it is there.
fn files(entry: &Entry) -> Vec<(u32, &str, &str, Option<bool>)> {
    let files = entry.files.iter();
    files
        .map(|it| (it.line, it.directive.as_str(), it.path.as_str(), it.exists))
        .collect()
}

const YES: Option<bool> = Some(true);
const NO: Option<bool> = Some(false);

#[test]
fn a_disc_without_a_loader_has_no_configuration() {
    let read = read(&disc(&[("/README", "x")], &[("/A", "x")]));
    assert_eq!(read, BootConfigurations::default());
    assert_eq!(read.offers_something_on_the_disc(Loader::Isolinux), None);
}

/// As Arch's: everything is in the FAT image.
#[test]
fn systemd_boot_s_entries_are_read() {
    let image = [
        (
            "/loader/loader.conf",
            "# a comment\ntimeout 15\ndefault 01-*\n",
        ),
        (
            "/loader/entries/01-linux.conf",
            "title    Linux (x86_64)\nsort-key 01\nlinux    /arch/vmlinuz\ninitrd   /arch/ucode.img\ninitrd   /arch/initramfs.img\noptions  archisobasedir=arch\noptions  quiet\n",
        ),
        (
            "/loader/entries/02-shell.conf",
            "title Shell\nefi \\shellx64.efi\n",
        ),
        ("/loader/entries/readme.txt", "title x\n"),
        ("/EFI/Linux/uki.efi", "x"),
        ("/ARCH/VMLINUZ", "x"),
        ("/arch/ucode.img", "x"),
        ("/shellx64.efi", "x"),
    ];
    let all = read(&disc(&[("/a", "x")], &image)).all;
    let [configuration] = &all[..] else {
        panic!("{all:#?}")
    };
    assert_eq!(configuration.loader, Loader::SystemdBoot);
    let entries = &configuration.entries;
    assert_eq!(entries.len(), 3);
    assert_eq!(entries[0].title, "Linux (x86_64)");
    assert_eq!(
        entries[0].command_line.as_deref(),
        Some("archisobasedir=arch quiet")
    );
    assert_eq!(
        files(&entries[0]),
        [
            (3, "linux", "/arch/vmlinuz", YES),
            (4, "initrd", "/arch/ucode.img", YES),
            (5, "initrd", "/arch/initramfs.img", NO)
        ]
    );
    assert_eq!(files(&entries[1]), [(2, "efi", "\\shellx64.efi", YES)]);
    assert_eq!(configuration.default, DefaultEntry::Entry(0));
    assert_eq!(configuration.start(), Some(Start::Milliseconds(15_000)));
    assert_eq!(configuration.offers_something_on_the_disc(), NO);
    for (text, default, start) in [
        ("x y\n", DefaultEntry::Unknown, Start::AtOnce),
        (
            "timeout menu-force\ndefault 02-shell.conf\n",
            DefaultEntry::Entry(1),
            Start::WhenAsked,
        ),
        (
            "timeout menu-hidden\ndefault 02-shell\n",
            DefaultEntry::Entry(1),
            Start::AtOnce,
        ),
        (
            "timeout 0\ndefault @saved\n",
            DefaultEntry::Unknown,
            Start::AtOnce,
        ),
        (
            "default none\n",
            DefaultEntry::Missing("none".to_owned()),
            Start::AtOnce,
        ),
    ] {
        let tree = [
            ("/loader/loader.conf", text),
            ("/loader/entries/01-a.conf", "linux /a\n"),
            ("/loader/entries/02-shell.conf", "efi /a\n"),
        ];
        let configuration = only(&tree);
        assert_eq!(
            (configuration.default.clone(), configuration.start()),
            (default, Some(start)),
            "{text}"
        );
    }
}

/// A directory record by hand: identifier, first block, length, flags, system use.
fn record(identifier: &[u8], lba: u32, length: u32, flags: u8, system_use: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0; 33];
    bytes[2..10].copy_from_slice(&both32(lba));
    bytes[10..18].copy_from_slice(&both32(length));
    bytes[25] = flags;
    bytes[32] = u8::try_from(identifier.len()).unwrap();
    bytes.extend_from_slice(identifier);
    if bytes.len() % 2 == 1 {
        bytes.push(0);
    }
    bytes.extend_from_slice(system_use);
    bytes[0] = u8::try_from(bytes.len()).unwrap();
    bytes
}

/// A disc of one directory, with a Joliet tree beside it where `joliet` is given; block 30 is `isolinux.cfg` and `grub.cfg`.
fn by_hand(plain: &[Vec<u8>], joliet: Option<&[Vec<u8>]>, text: &str) -> SparseBytes {
    let mut bytes = SparseBytes::zeroed(40 * 2048);
    let root = |lba| record(&[0], lba, 2048, 2, &[]);
    bytes.write_at(16 * 2048, &primary(&root(25), 40));
    bytes.write_at(25 * 2048, &plain.concat());
    bytes.write_at(30 * 2048, text.as_bytes());
    let mut end = 17;
    if let Some(joliet) = joliet {
        let mut block = primary(&root(26), 40);
        block[0] = 2;
        block[88..91].copy_from_slice(b"%/E");
        let label: Vec<u8> = "Customer"
            .encode_utf16()
            .flat_map(u16::to_be_bytes)
            .collect();
        block[40..72].copy_from_slice(&[0, b' '].repeat(16));
        block[40..40 + label.len()].copy_from_slice(&label);
        bytes.write_at(17 * 2048, &block);
        bytes.write_at(26 * 2048, &joliet.concat());
        end = 18;
    }
    bytes.write_at(end * 2048, &terminator());
    bytes
}

#[test]
fn each_loader_knows_its_own_names() {
    let text = "label a\n linux /Kernel\nlabel b\n linux /kernel\nlabel c\n linux /KERNEL.;1\nlabel d\n linux /link\nlabel e\n linux /link/x\nlabel f\n linux /.\n";
    let length = u32::try_from(text.len()).unwrap();
    let exists = |bytes: &SparseBytes| {
        let read = read(bytes).all.remove(0);
        let files = read.entries.iter().map(|it| it.files[0].exists);
        files.collect::<Vec<_>>()
    };
    let name = |name: &str| {
        let mut entry = vec![b'N', b'M', u8::try_from(5 + name.len()).unwrap(), 1, 0];
        entry.extend_from_slice(name.as_bytes());
        entry
    };
    // Rock Ridge's names count as they are; links are empty files.
    let rock_ridge = [
        record(b"ISOLINUX.CFG;1", 30, length, 0, &name("isolinux.cfg")),
        record(b"KERNEL.;1", 31, 5, 0, &name("Kernel")),
        record(b"LINK.;1", 31, 0, 0, &name("link")),
    ];
    assert_eq!(
        exists(&by_hand(&rock_ridge, None, text)),
        [YES, NO, NO, None, None, NO]
    );
    let plain = [
        record(b"ISOLINUX.CFG;1", 30, length, 0, &[]),
        record(b"KERNEL.;1", 31, 5, 0, &[]),
    ];
    assert_eq!(
        exists(&by_hand(&plain, None, text)),
        [YES, YES, NO, NO, NO, NO]
    );
    // GRUB reads Joliet's names where there is no Rock Ridge, and isolinux never does.
    let wide = |name: &str| -> Vec<u8> { name.encode_utf16().flat_map(u16::to_be_bytes).collect() };
    let text = "search -l Customer\nmenuentry a { linux /Kernel-6.1 }\nmenuentry b { linux /kernel-6.1 }\nmenuentry c { linux /KERNEL_6 }\n";
    let length = u32::try_from(text.len()).unwrap();
    let plain = [
        record(b"EFI", 27, 2048, 2, &[]),
        record(b"KERNEL_6.;1", 31, 5, 0, &[]),
    ];
    let joliet = [
        record(&wide("EFI"), 27, 2048, 2, &[]),
        record(&wide("Kernel-6.1"), 31, 5, 0, &[]),
    ];
    let mut bytes = by_hand(&plain, Some(&joliet), text);
    bytes.write_at(27 * 2048, &record(&wide("BOOT"), 28, 2048, 2, &[]));
    bytes.write_at(28 * 2048, &record(&wide("grub.cfg"), 30, length, 0, &[]));
    assert_eq!(exists(&bytes), [YES, NO, NO]);
    assert_eq!(read(&bytes).all[0].searches[0].found, YES);
}

#[test]
fn what_is_hostile_is_read_to_its_bounds() {
    // Every file includes the next one, twice.
    let includes: Vec<(String, String)> = (0..40)
        .map(|number| {
            let next = number + 1;
            (
                format!("/isolinux/{number}.cfg"),
                format!("include {next}.cfg\ninclude {next}.cfg\nlabel {number}\n"),
            )
        })
        .collect();
    let mut tree: Vec<(&str, &str)> = includes
        .iter()
        .map(|(a, b)| (a.as_str(), b.as_str()))
        .collect();
    tree.push(("/isolinux/isolinux.cfg", "include 0.cfg\n"));
    assert!(!only(&tree).complete);
    let many = "label x\n kernel y\n".repeat(2_000);
    let configuration = only(&[("/isolinux.cfg", &many)]);
    assert_eq!(configuration.entries.len(), ENTRIES);
    assert!(!configuration.complete);
    let long = "#".repeat(300 << 10);
    assert!(!only(&[("/isolinux.cfg", &long)]).complete);
    for text in [
        "{".repeat(100_000),
        "if x; then ".repeat(20_000),
        "menuentry x { ".repeat(10_000),
        "while ".repeat(20_000),
        "then fi done }".repeat(1_000),
        "function f { f; f }\nf\n".to_owned(),
        "function f { menuentry x { y } }\n".to_owned() + &"f\n".repeat(50_000),
        "a=$a$a$a$a\n".repeat(10_000),
        "menuentry x { source /boot/grub/grub.cfg }\n".to_owned(),
        "source /boot/grub/grub.cfg\nsource /boot/grub/grub.cfg\n".to_owned(),
        "linux ".to_owned() + &"$x".repeat(60_000),
        "menuentry 'x".to_owned(),
    ] {
        let configuration = only(&[("/boot/grub/grub.cfg", &text)]);
        assert!(configuration.entries.len() <= ENTRIES);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_text_is_read(
        bytes in prop::collection::vec(any::<u8>(), 1..400),
        words in prop::collection::vec(prop::sample::select(vec![
            "if ", "then ", "else ", "elif ", "fi\n", "while ", "do ", "done\n", "for ", "function ", "{ ", "}\n", "menuentry ", "submenu ", "linux ",
            "/a ", "$x", "${root}", "set ", "root=", "x=", "source ", "configfile ", "/boot/grub/grub.cfg\n", "search --set ", "\"", "'", "\\", "\n", ";", "#",
            "label a\n", "kernel ", "append ", "initrd=", ",", "menu begin\n", "menu end\n", "menu include ", "include ", "isolinux.cfg\n", "default ", "timeout ",
            "99999999999999999999\n", "config ", "text help\n", "title ", "efi ", "options ", "*", "default=", "0>1\n",
            "/", "//b\n", ":", "protocol: linux\n", "PROTOCOL=linux\n", "path: boot():", "KERNEL_PATH=boot://", "${", "}", "default_entry: ",
        ]), 0..60),
    ) {
        let mut text = String::from_utf8_lossy(&bytes).into_owned();
        text.push_str(&words.concat());
        let tree = [
            ("/boot/grub/grub.cfg", text.as_str()),
            ("/isolinux/isolinux.cfg", &text),
            ("/loader/loader.conf", &text),
            ("/loader/entries/a.conf", &text),
            ("/limine-bios.sys", limine::OF_8),
            ("/boot/limine-bios.sys", limine::OF_7),
            ("/limine.conf", &text),
            ("/limine.cfg", &text),
            ("/a", "x"),
        ];
        let read = read(&disc(&tree, &[]));
        for configuration in &read.all {
            let _ = configuration.start();
            let texts = configuration.entries.iter().flat_map(|it| [Some(&it.title), it.command_line.as_ref()]);
            let shows_all = texts.flatten().all(|it| !it.contains(['\u{1}', '\u{1b}']));
            prop_assert!(shows_all);
            for (index, entry) in configuration.entries.iter().enumerate() {
                prop_assert!(entry.parent.is_none_or(|parent| parent < index));
            }
        }
        let json = serde_json::to_string(&read).unwrap();
        prop_assert_eq!(serde_json::from_str::<BootConfigurations>(&json).unwrap(), read);
    }

    #[test]
    fn any_damage_is_survived(changes in prop::collection::vec((16_u64 * 2048..60 * 2048, any::<u8>()), 1..80)) {
        let tree = [("/boot/grub/grub.cfg", "menuentry x { linux /a }"), ("/isolinux/isolinux.cfg", "label a\nkernel /a\n"), ("/a", "x")];
        let image = [("/EFI/x/grub.cfg", "source /y\n"), ("/loader/entries/a.conf", "linux /a\n")];
        let mut bytes = disc(&tree, &image);
        for (at, byte) in changes {
            bytes.write_at(at, &[byte]);
        }
        drop(read(&bytes));
    }
}
