//! isolinux' configurations.

use super::*;

/// As Debian's live discs are laid out: files that include one another by relative paths, a menu program, a submenu.
#[test]
fn isolinux_includes_and_menus_are_followed() {
    let configuration = only(&[
        (
            "/isolinux/isolinux.cfg",
            "# comment\ninclude menu.cfg\ndefault vesamenu.c32\nprompt 0\ntimeout 50\n",
        ),
        (
            "/isolinux/menu.cfg",
            "menu title Boot\r\nmenu include std.cfg\r\nINCLUDE live.cfg\r\nmenu begin tools\r\n\tmenu title Tools\r\n\tinclude tools.cfg\r\nmenu end\r\nlabel disk\r\n\tmenu label Next ^device\r\n\tlocalboot 0x80\r\n",
        ),
        (
            "/isolinux/std.cfg",
            "menu color title 1;31\nmenu background splash.png\n",
        ),
        (
            "/isolinux/live.cfg",
            "label other\n\tlinux /live/gone\nlabel live-amd64\n\tmenu label ^Live\n\tmenu default\n\tlinux /live/vmlinuz\n\tinitrd /live/initrd.img\n\tappend boot=live quiet\ntext help\n label not-one\nendtext\n",
        ),
        (
            "/isolinux/tools.cfg",
            "label memory\n kernel /live/memtest\n",
        ),
        ("/isolinux/vesamenu.c32", "x"),
        ("/live/vmlinuz", "x"),
        ("/live/initrd.img", "x"),
        ("/live/memtest.bin", "x"),
    ]);
    assert!(configuration.complete);
    assert_eq!(configuration.path, "/isolinux/isolinux.cfg");
    let titles: Vec<_> = configuration
        .entries
        .iter()
        .map(|it| (it.title.as_str(), it.parent))
        .collect();
    assert_eq!(
        titles,
        [
            ("other", None),
            ("Live", None),
            ("Tools", None),
            ("memory", Some(2)),
            ("Next device", None)
        ]
    );
    let live = &configuration.entries[1];
    assert_eq!(
        files(live),
        [
            (6, "linux", "/live/vmlinuz", YES),
            (7, "initrd", "/live/initrd.img", YES)
        ]
    );
    assert_eq!((live.file.as_str(), live.line), ("/isolinux/live.cfg", 3));
    assert_eq!(live.command_line.as_deref(), Some("boot=live quiet"));
    assert_eq!(
        files(&configuration.entries[0]),
        [(2, "linux", "/live/gone", NO)]
    );
    // Older releases would find memtest.bin.
    assert_eq!(
        files(&configuration.entries[3]),
        [(2, "kernel", "/live/memtest", None)]
    );
    assert_eq!(files(&configuration.entries[4]), []);
    assert_eq!(configuration.default, DefaultEntry::Entry(1));
    let interface = configuration.interface.as_ref().unwrap();
    assert_eq!(
        (interface.path.as_str(), interface.exists),
        ("/isolinux/vesamenu.c32", YES)
    );
    assert_eq!(configuration.start(), Some(Start::Milliseconds(5_000)));
    assert_eq!(configuration.offers_something_on_the_disc(), YES);
    assert_eq!(configuration.files.len(), 4);
}

/// As Alpine's: a prompt that shows nothing and starts by itself.
#[test]
fn an_isolinux_prompt_has_a_time_that_nobody_sees() {
    let files_of = |kernel: &str| {
        let text = "TIMEOUT 10\nPROMPT 1\nDEFAULT lts quiet\n\nLABEL lts\nMENU LABEL Linux lts\nKERNEL /boot/vmlinuz-lts\nINITRD /boot/ucode,/boot/initramfs-lts\nFDTDIR /boot/dtbs\nAPPEND modules=loop\n";
        only(&[
            ("/boot/syslinux/syslinux.cfg", text),
            (kernel, "x"),
            ("/boot/initramfs-lts", "x"),
            ("/boot/ucode", "x"),
        ])
    };
    let healthy = files_of("/boot/vmlinuz-lts");
    assert_eq!(healthy.default, DefaultEntry::Entry(0));
    assert!(healthy.prompts && healthy.interface.is_none());
    assert_eq!(healthy.start(), Some(Start::Milliseconds(1_000)));
    assert_eq!(healthy.offers_something_on_the_disc(), YES);
    let broken = files_of("/boot/other");
    assert_eq!(
        files(&broken.entries[0]),
        [
            (7, "kernel", "/boot/vmlinuz-lts", NO),
            (8, "initrd", "/boot/ucode", YES),
            (8, "initrd", "/boot/initramfs-lts", YES)
        ]
    );
    assert_eq!(broken.offers_something_on_the_disc(), NO);
}

#[test]
fn isolinux_is_read_where_it_looks_first() {
    let tree = [
        ("/isolinux.cfg", "label root\n"),
        ("/syslinux/isolinux.cfg", "label syslinux\n"),
        ("/isolinux/syslinux.cfg", "label isolinux\n"),
    ];
    assert_eq!(only(&tree).path, "/isolinux/syslinux.cfg");
    assert_eq!(only(&tree[..2]).path, "/syslinux/isolinux.cfg");
    assert_eq!(only(&tree[..1]).path, "/isolinux.cfg");
    // Not beside isolinux.bin.
    let beside = [
        ("/images/isolinux.cfg", "label x\n"),
        ("/images/isolinux.bin", "x"),
    ];
    assert_eq!(read(&disc(&beside, &[])).all, []);
}

#[test]
fn isolinux_defaults_and_times() {
    let of = |text: &str| {
        only(&[
            ("/isolinux.cfg", text),
            ("/menu.c32", "x"),
            ("/vmlinuz", "x"),
        ])
    };
    for (text, default, start) in [
        (
            "label a\nlabel b\n",
            DefaultEntry::Unset,
            Some(Start::WhenAsked),
        ),
        (
            "default b\nlabel a\nlabel b\n",
            DefaultEntry::Entry(1),
            Some(Start::AtOnce),
        ),
        (
            "default b\nprompt 1\nlabel b\n",
            DefaultEntry::Entry(0),
            Some(Start::WhenAsked),
        ),
        (
            "default b\nprompt 1\ntimeout 0\nlabel b\n",
            DefaultEntry::Entry(0),
            Some(Start::WhenAsked),
        ),
        (
            "default b\nprompt 1\ntimeout 300\ntotaltimeout 90\nlabel b\n",
            DefaultEntry::Entry(0),
            Some(Start::Milliseconds(9_000)),
        ),
        (
            "default b\nui menu.c32\nlabel a\nlabel b\n",
            DefaultEntry::Entry(1),
            Some(Start::WhenAsked),
        ),
        (
            "ui menu\nlabel a\nlabel b\n",
            DefaultEntry::Entry(0),
            Some(Start::WhenAsked),
        ),
        (
            "ui menu.c32\nlabel a\nlabel b\nmenu default\n",
            DefaultEntry::Entry(1),
            Some(Start::WhenAsked),
        ),
        (
            "default vmlinuz\n",
            DefaultEntry::Entry(0),
            Some(Start::AtOnce),
        ),
        (
            "timeout 99999999999999999999\nprompt -1\ndefault a\nlabel a\n",
            DefaultEntry::Entry(0),
            Some(Start::Milliseconds(214_748_364_700)),
        ),
        ("", DefaultEntry::Unset, Some(Start::WhenAsked)),
    ] {
        // A file without content is none here.
        let configuration = of(&format!("{text}\n"));
        assert_eq!(
            (configuration.default.clone(), configuration.start()),
            (default, start),
            "{text}"
        );
    }
    let configuration = of("default a\nontimeout b\nlabel a\nlabel b\n");
    assert_eq!(configuration.on_timeout, Some(DefaultEntry::Entry(1)));
    let configuration = of("ontimeout c\n");
    assert_eq!(
        configuration.on_timeout,
        Some(DefaultEntry::Missing("c".to_owned()))
    );
}

#[test]
fn isolinux_configurations_lead_to_others() {
    let all = read(&disc(
        &[
            (
                "/boot/isolinux/isolinux.cfg",
                "default sel\nlabel sel\n com32 which\n append -iso- sys\nlabel sys\n config more/sys.cfg\n append more/\nlabel menu\n kernel menu.c32\n append other.cfg\nlabel xen\n kernel mboot.c32\n append xen.gz dom0 --- vmlinuz quiet --- gone\nlabel lost\n config gone.cfg\n",
            ),
            ("/boot/isolinux/more/sys.cfg", "label one\n kernel vmlinuz\n append initrd=a,b x\ninclude isolinux.cfg\ninclude sys.cfg\n"),
            ("/boot/isolinux/more/vmlinuz", "x"),
            ("/boot/isolinux/more/a", "x"),
            ("/boot/isolinux/other.cfg", "label two\n linux /gone\n"),
            ("/boot/isolinux/xen.gz", "x"),
            ("/boot/isolinux/vmlinuz", "x"),
            ("/boot/isolinux/ldlinux.c32", "x"),
            ("/boot/isolinux/which.c32", "x"),
            ("/boot/isolinux/menu.c32", "x"),
            ("/boot/isolinux/mboot.c32", "x"),
        ],
        &[],
    ))
    .all;
    let paths: Vec<_> = all
        .iter()
        .map(|it| (it.path.as_str(), it.reached_from.as_deref()))
        .collect();
    let from = Some("/boot/isolinux/isolinux.cfg");
    assert_eq!(
        paths,
        [
            ("/boot/isolinux/isolinux.cfg", None),
            ("/boot/isolinux/other.cfg", from),
            ("/boot/isolinux/more/sys.cfg", from)
        ]
    );
    let entries = &all[0].entries;
    assert_eq!(
        files(&entries[0]),
        [(3, "com32", "/boot/isolinux/which.c32", YES)]
    );
    assert_eq!(
        files(&entries[1]),
        [(6, "config", "/boot/isolinux/more/sys.cfg", YES)]
    );
    assert_eq!(
        files(&entries[3]),
        [
            (12, "kernel", "/boot/isolinux/mboot.c32", YES),
            (13, "append", "/boot/isolinux/xen.gz", YES),
            (13, "append", "/boot/isolinux/vmlinuz", YES),
            (13, "append", "/boot/isolinux/gone", NO),
        ]
    );
    assert_eq!(
        files(&entries[4]),
        [(15, "config", "/boot/isolinux/gone.cfg", NO)]
    );
    assert_eq!(
        files(&all[2].entries[0]),
        [
            (2, "kernel", "/boot/isolinux/more/vmlinuz", YES),
            (3, "initrd", "/boot/isolinux/more/a", YES),
            (3, "initrd", "/boot/isolinux/more/b", NO)
        ]
    );
    // One that includes itself, and one that is not there.
    assert!(!all[2].complete);
    assert_eq!(all[2].files[0].exists, NO);
}

/// syslinux 6.04, core/elflink/load_env32.c: a folder of PATH counts from the folder of the configuration.
#[test]
fn a_folder_of_path_counts_from_the_configuration() {
    let configuration = only(&[
        (
            "/boot/isolinux/isolinux.cfg",
            "path modules\nui vesamenu.c32\nlabel live\n linux /vmlinuz\n",
        ),
        ("/boot/isolinux/modules/vesamenu.c32", "x"),
        ("/vmlinuz", "x"),
    ]);
    let menu = configuration.interface.unwrap();
    assert_eq!(
        (menu.path.as_str(), menu.exists),
        ("/boot/isolinux/modules/vesamenu.c32", Some(true))
    );
}
