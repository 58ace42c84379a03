//! What is made of the words on screens, one after the other. The words are those of the programs that the files name.

use std::time::Duration;

use super::{GuestStage, GuestState, Need, SaidBy, Standing, Vocabulary, follow::Follower};

const KERNEL: &str = "[    0.000000] Linux version 6.1.0-31-amd64 (someone@somewhere) (gcc-12)";
const MENU: &str = "\
                        GNU GRUB  version 2.06

 +----------------------------------------------------------------------------+
 |*A system                                                                   |
 +----------------------------------------------------------------------------+

      Use the ^ and v keys to select which entry is highlighted.
      Press enter to boot the selected OS, `e' to edit the commands
      before booting or `c' for a command-line.
";

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// What stands after these screens, a second apart, and so long a silence.
fn after(screens: &[&str], silence: u64) -> Option<Standing> {
    let mut follower = Follower::new(Vocabulary::builtin());
    let mut now = Duration::ZERO;
    for screen in screens {
        now += seconds(1);
        follower.see(SaidBy::Serial, screen, now);
    }
    follower.standing(now + seconds(silence), now)
}

fn state(screens: &[&str], silence: u64) -> Option<(GuestState, bool)> {
    after(screens, silence).map(|standing| (standing.guest.state, standing.decides))
}

#[test]
fn a_failure_is_told_in_its_own_words_not_in_those_that_follow() {
    let screen = "ISOLINUX 6.04 20200816 ETCD Copyright (C) 1994-2015 H. Peter Anvin et al\n\
                  Failed to load ldlinux.c32\nBoot failed: press a key to retry...\n";
    let standing = after(&[screen], 1).expect("known");
    assert_eq!(standing.guest.state, GuestState::GaveUp);
    assert!(
        standing
            .guest
            .said
            .starts_with("Failed to load ldlinux.c32"),
        "{standing:?}"
    );
    assert_eq!(standing.guest.program.as_deref(), Some("isolinux"));
    assert!(standing.decides, "{standing:?}");
}

/// As GRUB 2.06 of Debian 12 prints it where its configuration says `linuxefi`.
#[test]
fn the_errors_of_an_entry_are_told_with_its_failure() {
    let screen = |one: &str, other: &str| {
        format!(
            "  Booting `Customer Live'\n\nLoading kernel ...\n{one}\nLoading initrd ...\n{other}\n\n\
             Press any key to continue...\n\n  Failed to boot both default and fallback entries.\n\n\
             Press any key to continue..."
        )
    };
    let said = |screen: &str| {
        let standing = after(&[screen], 1).expect("known");
        assert_eq!(standing.guest.state, GuestState::GaveUp);
        standing.guest
    };
    let one = "error: can't find command `linuxefi'.";
    let guest = said(&screen(one, "error: can't find command `initrdefi'."));
    assert!(guest.said.starts_with(one), "{guest:?}");
    assert!(guest.means.contains("does not have"), "{guest:?}");
    // Unknown errors are reported unchanged, and a missing file with its own message.
    let (one, other) = ("error: first.", "error: second.");
    let guest = said(&screen(one, other));
    let last = "Failed to boot both default and fallback entries.";
    assert_eq!(guest.said, format!("{one}\n{other}\n{last}"));
    let missing = "error: file `/live/vmlinuz' not found.";
    let guest = said(&screen(
        missing,
        "error: you need to load the kernel first.",
    ));
    assert!(guest.said.starts_with(missing), "{guest:?}");
}

/// As a serial line has it to which GRUB writes and SeaBIOS mirrors the screen.
#[test]
fn a_message_that_is_mixed_with_its_copy_is_quoted_from_the_screen() {
    let one = "error: file `/vmlinuz' not found.";
    let last = "Failed to boot both default and fallback entries.";
    let screen = format!(
        "{one}\nerror: you need to load the kernel first.\n\nPress any key to continue...\n\n  {last}\n\nPress any key to continue..."
    );
    let mixed = format!(
        "{one}\n{one}error: you need to load the kernel first.\nerror: you nboot both default and fallback entries\n\n  {last}\n\nPress any key to continue..."
    );
    let mut follower = Follower::new(Vocabulary::builtin());
    follower.see(SaidBy::Serial, &mixed, seconds(1));
    follower.see(SaidBy::Screen, &screen, seconds(1));
    let standing = follower.standing(seconds(3), seconds(1)).expect("known");
    assert_eq!(standing.guest.by, Some(SaidBy::Screen));
    assert!(!standing.guest.said.contains("nboot"), "{standing:?}");
    // A screen that has a part of it is not better.
    let mut follower = Follower::new(Vocabulary::builtin());
    follower.see(SaidBy::Serial, &screen, seconds(1));
    follower.see(SaidBy::Screen, &format!("  {last}"), seconds(1));
    let standing = follower.standing(seconds(3), seconds(1)).expect("known");
    assert_eq!(standing.guest.by, Some(SaidBy::Serial));
}

#[test]
fn a_prompt_after_a_failure_is_told_with_the_failure() {
    let initramfs = format!(
        "{KERNEL}\nUnable to find a medium containing a live file system\n\
         BusyBox v1.35.0 (Debian 1:1.35.0-4) built-in shell (ash)\n\n(initramfs) "
    );
    let standing = after(&[&initramfs], 6).expect("known");
    assert_eq!(standing.guest.state, GuestState::Prompt);
    assert!(
        standing.guest.said.starts_with("Unable to find a medium"),
        "{standing:?}"
    );
    assert_eq!(standing.guest.stage, GuestStage::Initramfs);
}

#[test]
fn a_script_s_own_reason_is_told_with_the_shell_that_it_leaves() {
    let shell = "BusyBox v1.35.0 (Debian 1:1.35.0-4) built-in shell (ash)\n\
                 Enter 'help' for a list of built-in commands.\n\n/ # ";
    let reason = "Sailor: no medium with the label X was found\nSailor cannot start.";
    let screen = format!("{KERNEL}\nSailor: waiting\n\n{reason}\n\n\n{shell}");
    let standing = after(&[&screen], 6).expect("known");
    assert_eq!(standing.guest.state, GuestState::Prompt);
    assert_eq!(standing.guest.said, reason);
    // A kernel's log is no reason.
    let standing = after(&[&format!("{KERNEL}\n[    1.0] sr0: 4x\n\n{shell}")], 6).expect("known");
    assert_eq!(standing.guest.said, "/ #");
}

/// As Xen 4.17 of Debian 12 prints it, without a module and with `--cpu max`.
#[test]
fn a_panic_of_xen_is_told_with_its_reason() {
    let begins = "(XEN) Xen version 4.17.7 (Debian 4.17.7+13-g2445b30a44-0+deb12u1)\n";
    let stars = "(XEN) ****************************************\n";
    let panic =
        "(XEN) Panic on CPU 0:\n(XEN) dom0 kernel not specified. Check bootloader configuration\n";
    let screen =
        format!("{begins}(XEN)\n{stars}{panic}{stars}(XEN)\n(XEN) Reboot in five seconds...\n");
    let standing = after(&[&screen], 1).expect("known");
    assert_eq!(standing.guest.state, GuestState::Panic);
    assert_eq!(standing.guest.program.as_deref(), Some("xen"));
    assert_eq!(standing.guest.said, panic.trim());
    assert!(standing.guest.means.contains("module"), "{standing:?}");
    assert!(standing.decides, "{standing:?}");
    let crashed = "(XEN) Hardware Dom0 crashed: rebooting machine in 5 seconds.";
    let standing = after(&[&format!("{begins}{crashed}\n")], 1).expect("known");
    assert_eq!(standing.guest.state, GuestState::Panic);
    assert!(
        standing.guest.means.contains("--cpu qemu64"),
        "{standing:?}"
    );
    // Its first words alone show a kernel.
    assert_eq!(state(&[begins], 100), None);
}

/// As limine 8.2.0 prints it on a disc without limine-bios.sys.
#[test]
fn a_panic_of_limine_is_told_with_the_lines_that_explain_it() {
    let reason = "!! Stage 3 file not found!\n\
                  !! Have you copied limine-bios.sys to the root, /boot, /limine, or /boot/limine\n\
                  !! directories of one of the partitions on the boot device?";
    let panic = "PANIC: Failed to load stage 3.";
    let screen = format!(
        "Booting from DVD/CD...\n\n{reason}\n{panic}\nStacktrace:\n  [0x1245a] <panic+0x76>\n"
    );
    let standing = after(&[&screen], 3).expect("known");
    assert_eq!(standing.guest.state, GuestState::GaveUp);
    assert_eq!(standing.guest.said, format!("{reason}\n{panic}"));
    // Without such lines, it is quoted alone.
    let standing = after(&[panic], 3).expect("known");
    assert_eq!(standing.guest.said, panic);
}

/// As FreeDOS 1.1 starts from an image of a floppy.
#[test]
fn a_prompt_of_freedos_is_a_system_after_its_kernel() {
    let kernel = "FreeDOS kernel 2040 (build 2040 OEM:0xfd) [compiled Jun 21 2011]\n";
    let date = "Current date is Mon 11-30-2026\nEnter new date (mm-dd-[cc]yy):";
    let screen = format!("{kernel} - InitDiskno hard disks detected\n{date}");
    assert_eq!(state(&[&screen], 4), Some((GuestState::System, true)));
    assert_eq!(
        state(&[kernel, "E:\\>"], 4),
        Some((GuestState::System, true))
    );
    // Without the kernel's words, it may be the picture of one.
    assert_eq!(state(&["E:\\>"], 4), None);
    // The boot sector prints its name alone where it finds no kernel, and first where it finds one.
    assert_eq!(state(&["FreeDOS"], 4), Some((GuestState::GaveUp, false)));
    assert_eq!(state(&["FreeDOS"], 11), Some((GuestState::GaveUp, true)));
}

#[test]
fn the_menu_of_refind_is_one_unless_it_counts_down() {
    let menu = "   rEFInd - Main Menu\n\n   Boot Linux from ESP\n   About rEFInd\n";
    assert_eq!(state(&[menu], 9), Some((GuestState::Menu, true)));
    let counting = format!("{menu}\n   Automatic boot in 3 seconds\n");
    assert_eq!(state(&[&counting], 9), Some((GuestState::Menu, false)));
}

#[test]
fn a_menu_decides_when_it_waits_and_not_while_it_counts() {
    assert_eq!(state(&[MENU], 1), Some((GuestState::Menu, false)));
    assert_eq!(state(&[MENU], 4), Some((GuestState::Menu, true)));
    let counting = |left: u32| {
        format!("{MENU}   The highlighted entry will be executed automatically in {left}s.")
    };
    let screens = [counting(3), counting(2), counting(1)];
    let screens: Vec<&str> = screens.iter().map(String::as_str).collect();
    assert_eq!(state(&screens, 4), Some((GuestState::Menu, false)));
    assert_eq!(state(&screens, 50), Some((GuestState::Menu, false)));
    // A countdown that stands still is none, and no menu that waits for a person.
    assert_eq!(state(&screens, 61), Some((GuestState::Runs, true)));
}

#[test]
fn the_same_failure_again_and_again_is_one_that_repeats() {
    let failed = "Loading /live/vmlinuz... failed: No such file or directory\n";
    let screens = [failed, "", failed, "", failed];
    let standing = after(&screens, 1).expect("known");
    assert_eq!(standing.guest.state, GuestState::Retries);
    assert_eq!(standing.guest.said, failed.trim());
    assert!(standing.decides);
    assert_ne!(
        state(&[failed, "", failed], 0).map(|(state, _)| state),
        Some(GuestState::Retries)
    );
}

#[test]
fn failures_that_differ_are_not_one_that_repeats() {
    let three = "No configuration methods succeeded (http://ipxe.org/040ee119)\n\
                 Could not open medium (http://ipxe.org/2d03e18e)\n\
                 Connection timed out (http://ipxe.org/4c106092)\n";
    assert_ne!(
        state(&[three], 5).map(|(state, _)| state),
        Some(GuestState::Retries)
    );
    // Sectors and times are what differs in one that does.
    let sector =
        |number: u32| format!("[    {number}.5] I/O error, dev sr0, sector {number} op 0x0\n");
    let screen = format!("{KERNEL}\n{}{}{}", sector(1), sector(20), sector(300));
    assert_eq!(
        state(&[&screen], 0).map(|(state, _)| state),
        Some(GuestState::Retries)
    );
}

#[test]
fn a_login_counts_only_after_a_kernel() {
    assert_eq!(state(&["machine login: "], 5), None);
    let booted = format!("{KERNEL}\n\nmachine login: ");
    assert_eq!(state(&[&booted], 1), Some((GuestState::System, true)));
    // A kernel that says nothing is known by its reads.
    let mut follower = Follower::new(Vocabulary::builtin());
    follower.kernel_was_read(Duration::ZERO);
    follower.see(SaidBy::Screen, "machine login: ", seconds(1));
    let standing = follower.standing(seconds(3), seconds(1)).expect("known");
    assert_eq!(standing.guest.state, GuestState::System);
    assert_eq!(standing.guest.by, Some(SaidBy::Screen));
}

#[test]
fn a_loader_that_speaks_after_a_kernel_was_read_has_not_started_it() {
    let mut follower = Follower::new(Vocabulary::builtin());
    follower.kernel_was_read(Duration::ZERO);
    let failed = "error: file `/boot/initrd' not found.\n\nPress any key to continue...";
    follower.see(SaidBy::Screen, failed, seconds(1));
    let standing = follower.standing(seconds(20), seconds(1)).expect("known");
    assert_eq!(standing.guest.state, GuestState::GaveUp);
    assert_eq!(standing.guest.stage, GuestStage::Loader);
    // Of one that says nothing more, the kernel is what runs.
    assert_eq!(follower.stage(), GuestStage::Kernel);
}

#[test]
fn what_cannot_all_be_true_is_nothing() {
    let lies = format!(
        "{KERNEL}\n[    1.000000] Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)\n\
         Unable to find a medium containing a live file system\nmachine login: "
    );
    assert_eq!(after(&[&lies], 60), None);
}

#[test]
fn a_loader_s_complaint_before_a_system_is_history() {
    let booted =
        format!("error: file `/boot/grub/fonts/unicode.pf2' not found.\n{KERNEL}\nmachine login: ");
    assert_eq!(state(&[&booted], 1), Some((GuestState::System, true)));
}

#[test]
fn the_channel_that_changed_last_counts() {
    let mut follower = Follower::new(Vocabulary::builtin());
    follower.see(SaidBy::Serial, MENU, seconds(1));
    follower.kernel_was_read(Duration::ZERO);
    follower.see(SaidBy::Screen, "machine login: ", seconds(30));
    let standing = follower.standing(seconds(31), seconds(30)).expect("known");
    assert_eq!(standing.guest.state, GuestState::System);
}

/// Programs whose messages stand in frames or centred, so that a frame says nothing against them.
const FRAMED: [&str; 4] = ["shim.toml", "ovmf.toml", "reactos.toml", "windows.toml"];

/// Every known word in a place where it is no word of a program: an entry of a menu in a frame, a line of a listing.
#[test]
fn words_in_a_menu_or_a_listing_decide_nothing() {
    let frames = [
        "| {} |",
        " \u{2502}*{} \u{2502}",
        "-rw-r--r-- 1 root root 12 {}",
        "  {} (rescue)  x",
    ];
    let mut taken = Vec::new();
    for (name, state, text) in super::words::examples() {
        let last = text.lines().last().unwrap_or_default();
        // An installer draws a frame of its own, by which it is known.
        if last.contains(['\u{2524}', '\u{2502}', '|']) || FRAMED.contains(&name) {
            continue;
        }
        // What a menu says below itself is centred as its entries are.
        let centred = matches!(state, GuestState::Menu | GuestState::System);
        for frame in &frames[..if centred { 3 } else { 4 }] {
            let framed = frame.replace("{}", last.trim());
            let screen = format!("Choose one:\n{framed}\n\n  Some other line\n");
            if let Some(standing) = after(&[KERNEL, &screen], 60) {
                taken.push(format!(
                    "{name}: {framed:?} is taken for {}",
                    standing.guest.state
                ));
            }
        }
    }
    assert!(taken.is_empty(), "{}", taken.join("\n"));
}

#[test]
fn words_that_follow_a_banner_in_its_line_are_read() {
    let screen = "SeaBIOS (version 1.16.2)\n\nISOLINUX 6.04 20200816 ETCDisolinux: Image checksum error, sorry...\n";
    let standing = after(&[screen], 1).expect("known");
    assert_eq!(standing.guest.state, GuestState::GaveUp);
}

#[test]
fn a_kernel_without_a_screen_runs_until_something_is_seen_of_it() {
    let blind =
        "  Booting `Harbour'\n\nerror: no suitable video mode found.\nBooting in blind mode";
    let kernel = format!("{blind}\n{KERNEL}");
    let came_to = |serial: &str, screen: &str| {
        let mut follower = Follower::new(Vocabulary::builtin());
        follower.see(SaidBy::Screen, blind, seconds(1));
        follower.see(SaidBy::Serial, blind, seconds(1));
        follower.see(SaidBy::Serial, serial, seconds(2));
        follower.see(SaidBy::Screen, screen, seconds(3));
        let still = |more: u64| follower.standing(seconds(3 + more), seconds(3));
        let decides = |more| still(more).is_some_and(|standing| standing.decides);
        let standing = still(80).map(|standing| standing.guest);
        (standing, decides(60), decides(80))
    };
    let (guest, early, late) = came_to(&kernel, blind);
    let guest = guest.expect("known");
    assert_eq!(
        (guest.state, guest.stage, guest.program.as_deref()),
        (GuestState::Runs, GuestStage::Kernel, Some("grub"))
    );
    assert_eq!(
        guest.said,
        "error: no suitable video mode found.\nBooting in blind mode"
    );
    assert!(!early && late);
    // What it says on the serial line is known all the same.
    let panic = format!("{kernel}\n[    3.1] Kernel panic - not syncing: No working init found.");
    let (guest, ..) = came_to(&panic, blind);
    assert_eq!(guest.map(|guest| guest.state), Some(GuestState::Panic));
    // A kernel that says nothing was read all the same.
    let mut follower = Follower::new(Vocabulary::builtin());
    follower.kernel_was_read(Duration::ZERO);
    follower.see(SaidBy::Screen, blind, seconds(1));
    let standing = follower.standing(seconds(80), seconds(1)).expect("known");
    assert_eq!(standing.guest.stage, GuestStage::Kernel);
    // A driver of the kernel's own has found the screen.
    let (guest, ..) = came_to(&kernel, "a picture");
    assert_eq!(guest, None);
}

#[test]
fn a_command_line_on_a_cleared_screen_is_told_with_the_failure_before_it() {
    let banner =
        "   GNU GRUB  version 2.06\n\n   Minimal BASH-like line editing is supported.\n\n\ngrub>";
    let failure = "Welcome to GRUB!\n\nerror: no such device: /harbour/kernel.";
    let standing = after(&[failure, banner], 6).expect("known");
    assert_eq!(standing.guest.state, GuestState::Prompt);
    assert_eq!(
        standing.guest.said,
        "error: no such device: /harbour/kernel."
    );
    assert!(standing.decides);
    // Long before, it is another matter.
    let mut screens = vec![failure];
    screens.extend(["Welcome to GRUB!"; 6]);
    screens.push(banner);
    let standing = after(&screens, 6).expect("known");
    assert_eq!(standing.guest.said, "grub>");
    // These are a failure only where nothing follows.
    let standing = after(&["GRUB loading...", banner], 6).expect("known");
    assert_eq!(standing.guest.said, "grub>");
}

#[test]
fn a_return_to_the_firmware_is_told_with_the_key_that_was_asked_for() {
    let asks = "BdsDxe: starting Boot0001 \"UEFI QEMU DVD-ROM\"\nPress any key to boot from CD or DVD.....";
    let menu = "Select Language            <Standard English>         This is the option";
    let returned = |screens: &[&str]| after(screens, 6).expect("known").guest;
    let guest = returned(&[asks, menu]);
    assert_eq!(guest.state, GuestState::GaveBack);
    assert_eq!(
        (guest.program.as_deref(), guest.said.as_str(), guest.needs),
        (
            Some("windows"),
            "Press any key to boot from CD or DVD.....",
            Some(Need::Key)
        )
    );
    assert_eq!(returned(&["Welcome to GRUB!", menu]).needs, None);
}

/// shim 16.1 waits two seconds between its last line and its return.
#[test]
fn a_return_to_the_firmware_is_told_with_the_failure_that_led_to_it() {
    let failure = "Failed to open \\EFI\\BOOT\\grubx64.efi - Not Found\nFailed to load image \\EFI\\BOOT\\grubx64.efi: Not Found\n\
                   start_image() returned Not Found";
    let shell =
        "UEFI Interactive Shell v2.2\nEDK II\nUEFI v2.70 (EDK II, 0x00010000)\nMapping table";
    // The screen is cleared.
    let standing = after(&[failure, failure, failure, shell], 6).expect("known");
    let guest = standing.guest;
    assert_eq!(
        (guest.state, guest.program.as_deref()),
        (GuestState::GaveBack, Some("shim"))
    );
    assert!(
        guest.said.ends_with("start_image() returned Not Found"),
        "{guest:?}"
    );
    // Long before, it is another matter.
    let mut screens = vec![failure];
    screens.extend(["Welcome to GRUB!"; 12]);
    screens.push(shell);
    let guest = after(&screens, 6).expect("known").guest;
    assert_eq!(
        (guest.state, guest.program.as_deref()),
        (GuestState::GaveBack, Some("ovmf"))
    );
}

#[test]
fn a_panic_is_told_with_the_failure_that_led_to_it() {
    let unpacking =
        format!("{KERNEL}\n[    1.6] Initramfs unpacking failed: junk within compressed archive");
    let panic = "[    2.8] Kernel panic - not syncing: No working init found.  Try passing init= option to kernel.";
    // The failure has left the screen.
    let standing = after(&[&unpacking, "[    2.1] usbcore: registered", panic], 1).expect("known");
    assert_eq!(standing.guest.state, GuestState::Panic);
    let said: Vec<&str> = standing.guest.said.lines().collect();
    assert!(
        said[0].contains("unpacking failed") && said[1].contains("panic"),
        "{said:?}"
    );
    assert!(standing.guest.findings.contains(&"initrd-cut".to_owned()));
}

/// As shim 16.1 sends it through OVMF 2022.11, which sends a box's edges as bytes of code page 437, and through OVMF 2025.02, which sends them as UTF-8: a box over the firmware's own lines, which are longer than the terminal is wide.
#[test]
fn a_box_over_lines_that_went_on_is_read() {
    let line = "BdsDxe: starting Boot0001 \"UEFI QEMU DVD-ROM QM00011 \" from PciRoot(0x0)/Pci(0x1F,0x2)/Sata(0x5,0xFFFF,0x0)\r\n";
    let blank = " ".repeat(98);
    for edge in [&b"\xB3"[..], "│".as_bytes()] {
        let mut sent = line.repeat(2).into_bytes();
        for (row, text) in [
            (1, "ERROR"),
            (2, ""),
            (3, "Verification failed: (0x1A) Security Violation"),
        ] {
            sent.extend(format!("\x1b[{row:02};01H").bytes());
            sent.extend(edge);
            sent.extend(format!("{:>26}{text}{}", "", &blank[26 + text.len()..]).bytes());
            sent.extend(edge);
        }
        let guest = super::watching::followed(
            Vocabulary::builtin(),
            crate::firmware::FirmwareKind::Uefi,
            100,
            [sent.as_slice()].into_iter(),
        );
        let guest = guest.expect("the words are known");
        assert_eq!(guest.state, GuestState::GaveUp);
        assert_eq!(guest.program.as_deref(), Some("shim"));
    }
}

#[test]
fn a_search_that_fails_is_no_end_where_the_loader_goes_on() {
    let failure = "Welcome to GRUB!\n\nerror: no such device: MYLIVE.";
    let standing = after(&[failure], 30).expect("known");
    assert_eq!(standing.guest.state, GuestState::GaveUp);
    let went_on = format!("{failure}\nThe customer's own menu");
    let standing = after(&[failure, &went_on], 30);
    assert!(standing.is_none_or(|it| it.guest.state != GuestState::GaveUp));
    let no_kernel = format!("{failure}\nerror: no multiboot header found.");
    let standing = after(&[failure, &no_kernel], 6).expect("known");
    assert_eq!(standing.guest.state, GuestState::GaveUp);
}
