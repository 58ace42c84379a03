//! GRUB's configurations.

use super::*;

/// As Ubuntu's: a default by position, and entries under a condition.
#[test]
fn grub_entries_and_conditions() {
    let text = "set timeout=30\n\nloadfont unicode\nset menu_color_normal=white/black\n\nmenuentry \"Try or Install\" {\n\tset gfxpayload=keep\n\tlinux\t/casper/vmlinuz  --- quiet splash\n\tinitrd\t/casper/initrd\n}\ngrub_platform\nif [ \"$grub_platform\" = \"efi\" ]; then\nmenuentry 'Next volume' {\n\texit 1\n}\nelse\nmenuentry 'Memory' {\n\tlinux16 /boot/gone.bin\n}\nfi\n";
    let of = |kernel| {
        only(&[
            ("/boot/grub/grub.cfg", text),
            (kernel, "x"),
            ("/casper/initrd", "x"),
        ])
    };
    let healthy = of("/casper/vmlinuz");
    assert!(healthy.complete);
    assert_eq!(healthy.entries.len(), 3);
    assert_eq!(
        files(&healthy.entries[0]),
        [
            (8, "linux", "/casper/vmlinuz", YES),
            (9, "initrd", "/casper/initrd", YES)
        ]
    );
    assert_eq!(
        healthy.entries[0].command_line.as_deref(),
        Some("--- quiet splash")
    );
    assert!(healthy.entries[1].conditional);
    assert_eq!(
        files(&healthy.entries[2]),
        [(18, "linux16", "/boot/gone.bin", None)]
    );
    assert_eq!(healthy.default, DefaultEntry::Entry(0));
    assert_eq!(healthy.start(), Some(Start::Milliseconds(30_000)));
    assert_eq!(healthy.offers_something_on_the_disc(), YES);
    assert_eq!(of("/other").offers_something_on_the_disc(), NO);
}

/// As Debian's: a stub in the EFI image finds the disc by a file, and goes on with the tree's configuration.
#[test]
fn grub_stubs_in_an_image_lead_to_the_tree() {
    let stub = "search --file --set=root /.disk/id/abc\nset prefix=($root)/boot/grub\nsource $prefix/x86_64-efi/grub.cfg\n";
    let tree = [
        ("/.disk/id/abc", "x"),
        (
            "/boot/grub/x86_64-efi/grub.cfg",
            "insmod part_gpt\nconfigfile ${prefix}/grub.cfg\nnonsense\n",
        ),
        (
            "/boot/grub/grub.cfg",
            "if loadfont $prefix/font.pf2 ; then\n  set gfxmode=800x600\nelse\n  set gfxmode=auto\nfi\nset default=\"install\"\nset timeout=5\nset timeout=-1\nmenuentry --hotkey=g 'Graphical' --id graphical {\n set background_color=black\n linux /install/vmlinuz vga=788 --- quiet\n initrd /install/initrd.gz\n}\nmenuentry 'Install' $menuentry_id_option 'install' {\n linux /install/vmlinuz --- quiet\n initrd /install/initrd.gz\n}\nsubmenu 'Advanced' {\n menuentry 'Rescue' { linux ($root)/install/gone ; initrd /install/initrd.gz ; }\n}\n",
        ),
        ("/install/vmlinuz", "x"),
        ("/install/initrd.gz", "x"),
    ];
    let image = [("/EFI/debian/grub.cfg", stub)];
    let configurations = read(&disc(&tree, &image));
    let [main, stub] = &configurations.all[..] else {
        panic!("{configurations:#?}")
    };
    assert_eq!(
        (main.path.as_str(), main.file_system),
        ("/boot/grub/grub.cfg", FileSystem::Tree)
    );
    assert_eq!(main.default, DefaultEntry::Entry(1));
    assert_eq!(main.start(), Some(Start::WhenAsked));
    assert_eq!(main.entries[3].parent, Some(2));
    assert_eq!(
        files(&main.entries[3]),
        [
            (19, "linux", "/install/gone", NO),
            (19, "initrd", "/install/initrd.gz", YES)
        ]
    );
    assert!(matches!(stub.file_system, FileSystem::Image(_)));
    assert_eq!(stub.path, "/EFI/debian/grub.cfg");
    assert!(!stub.prompts && stub.entries.is_empty() && stub.complete);
    let named: Vec<_> = stub
        .files
        .iter()
        .map(|it| (it.path.as_str(), it.exists))
        .collect();
    assert_eq!(
        named,
        [
            ("/boot/grub/x86_64-efi/grub.cfg", YES),
            ("/boot/grub/grub.cfg", YES)
        ]
    );
    assert_eq!(
        (stub.searches[0].by, stub.searches[0].found),
        (SearchBy::File, YES)
    );
    assert_eq!(
        configurations.offers_something_on_the_disc(Loader::Grub),
        YES
    );
    // Where the tree has no configuration, GRUB has only its prompt.
    let lost = read(&disc(&tree[..2], &image));
    assert_eq!(lost.offers_something_on_the_disc(Loader::Grub), NO);
}

/// As Fedora's: found by label, with `linuxefi` and a nested menu.
#[test]
fn grub_searches_by_label_and_uuid() {
    let text = |label: &str| {
        format!(
            "set default=\"1\"\nset timeout=60\nsearch --no-floppy --set=root -l '{label}'\nmenuentry 'Start' --class fedora {{\n\tlinuxefi /images/vmlinuz root=live:CDLABEL={label} rd.live.image\n\tinitrdefi /images/initrd.img\n}}\nmenuentry 'Check' {{\n\tlinuxefi /images/vmlinuz rd.live.check\n\tinitrdefi /images/gone.img\n}}\n"
        )
    };
    let of = |label: &str| {
        let text = text(label);
        only(&[
            ("/EFI/BOOT/grub.cfg", &text),
            ("/images/vmlinuz", "x"),
            ("/images/initrd.img", "x"),
        ])
    };
    let healthy = of("CUSTOMER");
    assert_eq!(healthy.searches[0].found, YES);
    assert_eq!(healthy.default, DefaultEntry::Entry(1));
    assert_eq!(healthy.offers_something_on_the_disc(), NO);
    assert_eq!(healthy.entries[0].is_on_the_disc(), YES);
    let command_line = "root=live:CDLABEL=CUSTOMER rd.live.image";
    assert_eq!(
        healthy.entries[0].command_line.as_deref(),
        Some(command_line)
    );
    // The root stays what it was.
    let relabelled = of("OTHER");
    assert_eq!(
        (relabelled.searches[0].found, relabelled.searches[0].line),
        (NO, 3)
    );
    assert_eq!(relabelled.entries[0].is_on_the_disc(), YES);
    let of = |text: &str| only(&[("/boot/grub2/grub.cfg", text), ("/a", "x")]).searches;
    for (text, by, wanted, sets, found) in [
        (
            "search --fs-uuid --set=root 2000-01-01-00-00-00-00",
            SearchBy::Uuid,
            "2000-01-01-00-00-00-00",
            Some("root"),
            YES,
        ),
        ("search -u 1234-ABCD", SearchBy::Uuid, "1234-ABCD", None, NO),
        (
            "search --file /a --set dev",
            SearchBy::File,
            "/a",
            Some("dev"),
            YES,
        ),
        (
            "search --set --file /a",
            SearchBy::File,
            "/a",
            Some("root"),
            YES,
        ),
        (
            "search --file --set /a",
            SearchBy::File,
            "/a",
            Some("root"),
            YES,
        ),
        (
            "search.file /b root hd0",
            SearchBy::File,
            "/b",
            Some("root"),
            NO,
        ),
        (
            "search --no-floppy --hint cd0 --hint-bios=hd0 -fs root $x",
            SearchBy::File,
            "${x}",
            Some("root"),
            None,
        ),
        ("x=/a; search -f \"$x\"", SearchBy::File, "/a", None, YES),
        (
            "if [ a ]; then search --file /b; fi",
            SearchBy::File,
            "/b",
            None,
            None,
        ),
    ] {
        let searches = of(text);
        let [search] = &searches[..] else {
            panic!("{text}: {searches:?}")
        };
        let read = (
            search.by,
            search.wanted.as_str(),
            search.sets.as_deref(),
            search.found,
        );
        assert_eq!(read, (by, wanted, sets, found), "{text}");
    }
}

#[test]
fn grub_variables_are_known_where_they_are_set() {
    let of = |text: &str| {
        let configuration = only(&[("/boot/grub/grub.cfg", text), ("/a", "x"), ("/b c", "x")]);
        let entry = configuration.entries.last().unwrap();
        files(entry)
            .into_iter()
            .map(|it| (it.2.to_owned(), it.3))
            .collect::<Vec<_>>()
    };
    for (text, path, exists) in [
        ("set k=/a\nmenuentry x { linux $k }", "/a", YES),
        ("k=/a\nmenuentry x { linux \"${k}\"x }", "/ax", NO),
        ("menuentry x { linux '/b c' }", "/b c", YES),
        ("menuentry x { linux /b\\ c }", "/b c", YES),
        ("menuentry x { linux $k }", "${k}", None),
        (
            "if t; then k=/a; fi\nmenuentry x { linux $k }",
            "${k}",
            None,
        ),
        (
            "if t; then k=/a; else k=/a; fi\nmenuentry x { linux $k }",
            "/a",
            YES,
        ),
        (
            "if t; then k=/a; elif u; then k=/q; else k=/a; fi\nmenuentry x { linux $k }",
            "${k}",
            None,
        ),
        (
            "k=/q\nwhile t; do k=/a; done\nmenuentry x { linux $k }",
            "${k}",
            None,
        ),
        (
            "for k in /a /b; do true; done\nmenuentry x { linux $k }",
            "${k}",
            None,
        ),
        ("menuentry x { linux $k }\nk=/a", "/a", YES),
        ("menuentry x { k=/a; linux $k }", "/a", YES),
        (
            "k=/a\nregexp --set 1:k (.*) $y\nmenuentry x { linux $k }",
            "${k}",
            None,
        ),
        ("k=/a\nunset k\nmenuentry x { linux $k }", "${k}", None),
        (
            "function f { k=/a }\nf\nmenuentry x { linux $k }",
            "/a",
            YES,
        ),
        ("menuentry x { linux (hd0,1)/q }", "(hd0,1)/q", None),
        ("menuentry x { linux (cd0)/q }", "/q", NO),
        ("set root=(hd0,1)\nmenuentry x { linux /q }", "/q", None),
        ("set root=cd0\nmenuentry x { linux /q }", "/q", NO),
        ("menuentry x { chainloader /q.efi }", "/q.efi", None),
        // A device in the middle of a path is not shown.
        ("menuentry x { linux /a$root }", "/adisc", None),
        ("menuentry x { if t; then linux /q; fi }", "/q", None),
        ("menuentry x { multiboot2 /a x\n }", "/a", YES),
        ("menuentry x { module --nounzip /q x }", "/q", NO),
        ("menuentry x { initrd newc:init:/a }", "/a", YES),
        (
            "menuentry x { configfile $prefix/q.cfg }",
            "/boot/grub/q.cfg",
            None,
        ),
        (
            "prefix=/boot/grub\nmenuentry x { configfile $prefix/q.cfg }",
            "/boot/grub/q.cfg",
            NO,
        ),
    ] {
        assert_eq!(of(text), [(path.to_owned(), exists)], "{text}");
    }
    for text in [
        "menuentry x { chainloader +1 }",
        "menuentry x { chainloader (hd0)+1 }",
        "menuentry x { reboot }",
    ] {
        assert_eq!(of(text), [], "{text}");
    }
}

#[test]
fn grub_defaults_and_times() {
    let menu = "menuentry A --id=a {}\nsubmenu B --id b { menuentry C { linux /q }\nmenuentry D { linux /a } }\n";
    let of = |text: &str| {
        only(&[
            ("/boot/grub/grub.cfg", &format!("{menu}{text}")),
            ("/a", "x"),
        ])
    };
    for (text, default, start) in [
        ("", DefaultEntry::Entry(0), Some(Start::WhenAsked)),
        (
            "default=b\ntimeout=0",
            DefaultEntry::Entry(1),
            Some(Start::AtOnce),
        ),
        (
            "default='b>1'\ntimeout=3",
            DefaultEntry::Entry(3),
            Some(Start::Milliseconds(3_000)),
        ),
        (
            "default='1>C'\ntimeout=-1",
            DefaultEntry::Entry(2),
            Some(Start::WhenAsked),
        ),
        (
            "default=9\ntimeout=x",
            DefaultEntry::Entry(0),
            Some(Start::WhenAsked),
        ),
        (
            "default=$saved_entry\ntimeout=$t",
            DefaultEntry::Unknown,
            None,
        ),
    ] {
        let configuration = of(text);
        assert_eq!(
            (configuration.default.clone(), configuration.start()),
            (default, start),
            "{text}"
        );
    }
    assert_eq!(of("default='b>0'").offers_something_on_the_disc(), NO);
    assert_eq!(of("default='b>1'").offers_something_on_the_disc(), YES);
    // An entry under a condition may be counted or not.
    let text = "if t; then menuentry A { linux /q }\nfi\nmenuentry B { linux /a }\ndefault=1\n";
    let configuration = only(&[("/boot/grub/grub.cfg", text), ("/a", "x")]);
    assert_eq!(configuration.default, DefaultEntry::Unknown);
    assert_eq!(configuration.offers_something_on_the_disc(), YES);
}

#[test]
fn what_another_medium_starts_is_not_this_disc_s_menu() {
    let tree = [(
        "/boot/grub/loopback.cfg",
        "menuentry x { linux /gone iso-scan/filename=$iso_path }",
    )];
    let read = read(&disc(&tree, &[]));
    assert_eq!(read.offers_something_on_the_disc(Loader::GrubLoopback), NO);
    assert_eq!(read.offers_something_on_the_disc(Loader::Grub), None);
}

/// GRUB takes a path without a slash for a list of blocks: `invalid file name`.
#[test]
fn grub_refuses_paths_without_a_slash() {
    let text = "menuentry one {\n linux os/kernel quiet\n initrd /os/initrd\n}\nmenuentry two {\n set root=(http,example)\n linux os/kernel\n chainloader +1\n}\n";
    let of = only(&[
        ("/boot/grub/grub.cfg", text),
        ("/os/kernel", "x"),
        ("/os/initrd", "x"),
    ]);
    assert_eq!(
        files(&of.entries[0]),
        [
            (2, "linux", "os/kernel", NO),
            (3, "initrd", "/os/initrd", YES)
        ]
    );
    assert_eq!(files(&of.entries[1]), [(7, "linux", "os/kernel", None)]);
}
