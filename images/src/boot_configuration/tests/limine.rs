//! Limine's configurations.

use super::*;

/// What is looked for in the third stages of 7, 8 and 10.4.
pub(super) const OF_7: &str =
    "config: Malformed config file.\0Limine 7.13.3 (x)\0/limine.cfg\0/boot/limine/limine.cfg\0";
pub(super) const OF_8: &str = "config: Malformed config file.\0Limine 8.2.0 (x)\0/limine.conf\0/boot/limine.conf\0/limine.cfg\0";
const OF_10: &str =
    "config: Malformed config file.\0Limine 10.4.0 (x)\0/limine.conf\0/boot/limine.conf\0";

#[test]
fn limine_s_entries_are_read() {
    let configuration = only(&[
        ("/boot/limine-bios.sys", OF_8),
        (
            "/boot/limine.conf",
            "# a comment\ntimeout: 3\n${DIR}=/live\n\n/One\r\n    Protocol: linux\n    kernel_path: boot():/boot/vmlinuz\n    cmdline: quiet\n    module_path: boot():/boot/gone#ab\n    module_path: boot():/boot/initrd\n\n/+Others\n//Elsewhere\nprotocol: limine\nkernel_path: hdd(1:1):/kernel\nmodule_path: boot(2):/module\nmodule_path: boot():${DIR}/module\nmodule_path: boot():/boot/../x\n//Chain\nprotocol: efi_chainload\nimage_path: boot():/EFI/x.efi\nkernel_path: boot():/gone\n/Last\nprotocol: multiboot2\npath: boot():/a\nkernel_path: boot():/b\n",
        ),
        ("/boot/vmlinuz", "x"),
        ("/boot/initrd", "x"),
    ]);
    assert!(configuration.complete);
    assert_eq!(configuration.loader, Loader::Limine);
    let titles: Vec<_> = configuration
        .entries
        .iter()
        .map(|it| (it.title.as_str(), it.parent))
        .collect();
    assert_eq!(
        titles,
        [
            ("One", None),
            ("Others", None),
            ("Elsewhere", Some(1)),
            ("Chain", Some(1)),
            ("Last", None)
        ]
    );
    assert_eq!(
        files(&configuration.entries[0]),
        [
            (7, "kernel_path", "/boot/vmlinuz", YES),
            (9, "module_path", "/boot/gone", NO),
            (10, "module_path", "/boot/initrd", YES)
        ]
    );
    assert_eq!(
        configuration.entries[0].command_line.as_deref(),
        Some("quiet")
    );
    assert_eq!(
        files(&configuration.entries[2]),
        [
            (15, "kernel_path", "hdd(1:1):/kernel", None),
            (16, "module_path", "boot(2):/module", None),
            (17, "module_path", "boot():${DIR}/module", None),
            (18, "module_path", "boot():/boot/../x", None)
        ]
    );
    assert_eq!(
        files(&configuration.entries[3]),
        [(21, "image_path", "/EFI/x.efi", NO)]
    );
    // Only one of two names is read.
    assert_eq!(files(&configuration.entries[4]), [(25, "path", "/a", None)]);
    assert_eq!(configuration.default, DefaultEntry::Entry(0));
    assert_eq!(configuration.start(), Some(Start::Milliseconds(3_000)));
    assert_eq!(configuration.offers_something_on_the_disc(), NO);
}

#[test]
fn the_older_language_is_read() {
    let configuration = only(&[
        ("/LIMINE-BIOS.SYS", OF_7),
        (
            "/boot/limine/limine.cfg",
            ":One\nPROTOCOL=linux\nKERNEL_PATH=$boot:///kernel\nmodule_path=boot:///gone\nMODULE_PATH = boot:///gone\n:Two\nPROTOCOL=multiboot1\nKERNEL_PATH=boot():/kernel\n",
        ),
        ("/kernel", "x"),
    ]);
    assert_eq!(
        files(&configuration.entries[0]),
        [(3, "kernel_path", "/kernel", YES)]
    );
    // In the other language.
    assert_eq!(
        files(&configuration.entries[1]),
        [(8, "kernel_path", "boot():/kernel", None)]
    );
    assert_eq!(configuration.start(), Some(Start::Milliseconds(5_000)));
}

#[test]
fn only_what_the_disc_s_own_limine_reads_is_read() {
    let conf = (
        "/limine.conf",
        "/One\nprotocol: linux\npath: boot():/gone\n",
    );
    let cfg = (
        "/limine.cfg",
        ":Two\nPROTOCOL=linux\nKERNEL_PATH=boot:///gone\n",
    );
    let paths = |stage: &str| -> Vec<String> {
        let all = read(&disc(&[("/limine-bios.sys", stage), conf, cfg], &[])).all;
        all.into_iter().map(|it| it.path).collect()
    };
    let none: [&str; 0] = [];
    assert_eq!(paths("x"), none);
    assert_eq!(paths(OF_7), ["/limine.cfg"]);
    assert_eq!(paths(OF_8), ["/limine.conf"]);
    // A program for UEFI, and a configuration beside it.
    let image = [
        ("/EFI/BOOT/BOOTX64.EFI", OF_8),
        ("/boot/limine.conf", conf.1),
    ];
    let all = read(&disc(&[("/gone", "x")], &image)).all;
    assert_eq!(all.len(), 1);
    assert_ne!(all[0].file_system, FileSystem::Tree);
    // Another file system has it.
    assert_eq!(files(&all[0].entries[0]), [(3, "path", "/gone", None)]);
}

#[test]
fn limine_s_default_entry_is_known_or_not() {
    let entry = "protocol: linux\npath: boot():/gone\n";
    let default = |stage: &str, text: &str, more: &Files<'_>| {
        let tree = [&[("/limine-bios.sys", stage), ("/limine.conf", text)], more].concat();
        only(&tree).default
    };
    let two = format!("/One\n{entry}/Two\n{entry}");
    let second = format!("default_entry: 2\n{two}");
    assert_eq!(default(OF_8, &second, &[]), DefaultEntry::Entry(1));
    for text in [
        format!("default_entry: One\n{two}"),
        format!("default_entry: 3\n{two}"),
        format!("default_entry: 0\n{two}"),
        // A submenu may be open or not.
        format!("/One\n//In it\n{entry}"),
        // A BIOS does not show it.
        format!("/One\nprotocol: efi_chainload\n{second}"),
        format!("{two}${{MORE}}\n"),
    ] {
        assert_eq!(default(OF_8, &text, &[]), DefaultEntry::Unknown, "{text}");
    }
    // Two files, and an order that is not known.
    let other = [("/boot/limine.conf", "x")];
    assert_eq!(default(OF_8, &two, &other), DefaultEntry::Entry(0));
    assert_eq!(default(OF_10, &two, &other), DefaultEntry::Unknown);
    assert_eq!(default(OF_8, "timeout: no\n", &[]), DefaultEntry::Unset);
}
