use images::{
    probe::{DiscHash, protocol, report::ProbeKind},
    units::{BlockCount, Lba, VirtualSectorCount},
};

use super::{facts::ProbeFacts, *};
use crate::text::from_line_before;
use crate::{firmware::FirmwareId, layout::BootImage};

fn check(facts: &Facts, expected: Option<(OutcomeKind, Stage)>) {
    let outcome = facts.decide();
    let seen = outcome
        .as_ref()
        .map(|outcome| (outcome.kind, outcome.stage));
    assert_eq!(seen, expected, "{facts:#?} {outcome:#?}");
}

pub(super) fn entered() -> Facts {
    Facts {
        any_output: true,
        reads: Stage::ImageLoaded,
        entered: true,
        ..Facts::default()
    }
}

#[test]
fn nothing_decides_nothing() {
    check(&Facts::default(), None);
    check(&entered(), None);
}

#[test]
fn the_stage_is_unknown_when_nothing_shows_it() {
    let overdue = Facts {
        over: Some(Over::Deadline(Duration::from_secs(40))),
        ..Facts::default()
    };
    check(&overdue, Some((OutcomeKind::Hung, Stage::Unknown)));
}

#[test]
fn a_failure_waits_for_the_last_word() {
    let mut facts = Facts {
        any_output: true,
        reads: Stage::CatalogRead,
        failed: Some((Some("0009".into()), "Boot failed".into())),
        ..Facts::default()
    };
    check(&facts, None);
    facts.quiet = LAST_WORD;
    check(&facts, Some((OutcomeKind::Refused, Stage::CatalogRead)));
    facts.quiet = Duration::ZERO;
    facts.nothing_left = Some("No bootable device.".into());
    check(&facts, Some((OutcomeKind::Refused, Stage::CatalogRead)));
    assert_eq!(
        facts.decide().expect("decided").code.as_deref(),
        Some("0009")
    );
}

#[test]
fn a_machine_that_hears_nothing_is_waited_for_a_while() {
    let mut facts = Facts {
        deaf: true,
        quiet: DEAF,
        ..entered()
    };
    check(&facts, Some((OutcomeKind::Hung, Stage::Entered)));
    facts.quiet = DEAF / 2;
    check(&facts, None);
    // A memory tester disables interrupts for hours.
    facts.quiet = DEAF * 100;
    facts.awaits_pattern = true;
    check(&facts, None);
}

#[test]
fn a_probe_needs_both_channels_and_the_right_disc() {
    let ours = DiscHash::from_bits(1);
    let mut facts = entered();
    facts.probe = ProbeFacts {
        begun: Some(ours),
        expected: Some(ours),
        ended: true,
        ..ProbeFacts::default()
    };
    check(&facts, None);
    facts.probe.confirmed = Confirmed::Yes;
    check(&facts, Some((OutcomeKind::Booted, Stage::Ended)));
    facts.probe.expected = Some(DiscHash::from_bits(2));
    let outcome = facts.decide().expect("decided");
    assert_eq!(outcome.kind, OutcomeKind::HandedOver);
    facts.probe.expected = Some(ours);
    facts.probe.confirmed = Confirmed::No;
    facts.dead = true;
    check(&facts, Some((OutcomeKind::HandedOver, Stage::ProbeBegan)));
    facts.probe.ended = false;
    check(&facts, Some((OutcomeKind::Hung, Stage::ProbeBegan)));
}

#[test]
fn where_there_is_one_channel_it_decides_and_that_is_told() {
    let mut facts = entered();
    facts.probe = ProbeFacts {
        begun: Some(DiscHash::from_bits(1)),
        ended: true,
        confirmed: Confirmed::Impossible,
        ..ProbeFacts::default()
    };
    check(&facts, Some((OutcomeKind::Booted, Stage::Ended)));
    let outcome = facts.decide().expect("decided");
    assert!(outcome.detail.contains("no debug port"), "{outcome:?}");
    facts.probe.confirmed = Confirmed::Yes;
    assert_eq!(facts.decide().expect("decided").detail, "");
}

#[test]
fn quiet_is_no_verdict_while_a_text_is_awaited() {
    let mut facts = entered();
    facts.output_after_entry = true;
    facts.quiet = Duration::from_secs(30);
    check(&facts, Some((OutcomeKind::HandedOver, Stage::Entered)));
    facts.awaits_pattern = true;
    check(&facts, None);
    facts.pattern = Some("screen");
    check(&facts, Some((OutcomeKind::Booted, Stage::Entered)));
}

#[test]
fn a_text_that_a_probe_says_does_not_cut_its_report_short() {
    let mut facts = Facts {
        pattern: Some("serial line"),
        awaits_pattern: true,
        ..entered()
    };
    facts.probe.amid_line = true;
    check(&facts, None);
    facts.probe.amid_line = false;
    facts.probe.begun = Some(DiscHash::from_bits(1));
    check(&facts, None);
    facts.probe.ended = true;
    check(&facts, None);
    facts.probe.confirmed = Confirmed::Yes;
    check(&facts, Some((OutcomeKind::Booted, Stage::Ended)));
    facts.probe.confirmed = Confirmed::No;
    facts.dead = true;
    check(&facts, Some((OutcomeKind::HandedOver, Stage::ProbeBegan)));
}

#[test]
fn quiet_is_no_verdict_during_a_dialogue() {
    let mut facts = Facts {
        dialogue: Some(Dialogue::Underway),
        deaf: true,
        quiet: SETTLED * 10,
        output_after_entry: true,
        pattern: Some("screen"),
        ..entered()
    };
    check(&facts, None);
    facts.dialogue = Some(Dialogue::Ended(2));
    check(&facts, Some((OutcomeKind::Booted, Stage::Entered)));
    facts.pattern = None;
    facts.awaits_pattern = true;
    facts.quiet = Duration::ZERO;
    check(&facts, None);
}

#[test]
fn a_dialogue_that_fails_is_what_the_facts_say() {
    let mut facts = Facts {
        dialogue: Some(Dialogue::Failed("step 1 of 2".to_owned())),
        pattern: Some("screen"),
        ..entered()
    };
    check(&facts, Some((OutcomeKind::Hung, Stage::Entered)));
    facts.output_after_entry = true;
    check(&facts, Some((OutcomeKind::HandedOver, Stage::Entered)));
    facts.failed = Some((Some("0009".into()), "Boot failed".into()));
    check(&facts, Some((OutcomeKind::Refused, Stage::Entered)));
}

#[test]
fn what_the_probe_says_is_taken() {
    let disc = DiscHash::from_bits(1);
    let mut probe = ProbeFacts::default();
    probe.hear(protocol::Event::Begin {
        kind: ProbeKind::Bios,
        disc,
        slot: 1,
    });
    assert_eq!((probe.begun, probe.ended), (Some(disc), false));
    probe.hear(protocol::Event::Damage);
    probe.hear(protocol::Event::End);
    assert!(probe.ended);
    assert_eq!(probe.stage1_failed, None);
    probe.hear(protocol::Event::Stage1Failed(0x0C));
    assert_eq!(probe.stage1_failed, Some(0x0C));
}

#[test]
fn of_what_the_firmware_says_the_first_of_a_kind_counts() {
    let failed = |code: &str| Said::Failed {
        code: Some(code.to_owned()),
        text: format!("Boot failed: {code}"),
    };
    let mut facts = Facts::default();
    facts.firmware_said(Said::Trying);
    assert!(!facts.entered);
    facts.firmware_said(Said::Entered);
    assert!(facts.entered);
    for said in [
        failed("0004"),
        failed("0009"),
        Said::Nothing("No bootable device.".to_owned()),
        Said::Nothing("again".to_owned()),
        Said::Crashed("X64 Exception".to_owned()),
        Said::Crashed("another".to_owned()),
    ] {
        facts.firmware_said(said);
    }
    assert_eq!(facts.failed.unwrap().0.unwrap(), "0004");
    assert_eq!(facts.nothing_left.unwrap(), "No bootable device.");
    assert_eq!(facts.crashed.unwrap(), "X64 Exception");
}

#[test]
fn a_machine_that_stopped_by_itself_is_over() {
    for (stopped, kind, detail) in [
        (
            Stopped::Reset,
            OutcomeKind::Reset,
            "the machine reset itself",
        ),
        (
            Stopped::Off,
            OutcomeKind::Reset,
            "the machine switched itself off",
        ),
        (Stopped::Panicked, OutcomeKind::Hung, "the guest panicked"),
    ] {
        let facts = Facts {
            stopped: Some(stopped),
            ..entered()
        };
        let outcome = facts.decide().unwrap();
        assert_eq!((outcome.kind, outcome.detail.as_str()), (kind, detail));
    }
}

#[test]
fn control_is_given_back_by_who_had_it() {
    let mut facts = Facts {
        nothing_left: Some("No bootable device.".to_owned()),
        ..entered()
    };
    let outcome = facts.decide().unwrap();
    assert_eq!(
        (outcome.kind, outcome.gave_back),
        (OutcomeKind::HandedOver, true)
    );
    facts.entered = false;
    let outcome = facts.decide().unwrap();
    assert_eq!(
        (outcome.kind, outcome.gave_back),
        (OutcomeKind::Refused, false)
    );
}

#[test]
fn a_processor_that_is_lost_is_not_waited_for_long() {
    let lost = Facts {
        lost: Some("it executes zeros".to_owned()),
        quiet: LOST,
        ..entered()
    };
    check(&lost, Some((OutcomeKind::Hung, Stage::Entered)));
    assert!(
        lost.decide()
            .unwrap()
            .detail
            .contains("the processor is lost")
    );
    let still = |change: fn(&mut Facts)| {
        let mut facts = lost.clone();
        change(&mut facts);
        check(&facts, None);
    };
    still(|facts| facts.quiet = LOST / 2);
    still(|facts| facts.entered = false);
    // A machine with signs of life is not executing data.
    still(|facts| facts.output_after_entry = true);
    still(|facts| facts.lost = None);
}

#[test]
fn each_sign_of_life_after_the_entry_is_one() {
    let signs: [fn(&mut Facts); 3] = [
        |facts| facts.output_after_entry = true,
        |facts| facts.screen_after_entry = true,
        |facts| facts.reads_after_entry = true,
    ];
    for sign in signs {
        let mut facts = Facts {
            quiet: SETTLED,
            ..entered()
        };
        check(&facts, None);
        sign(&mut facts);
        check(&facts, Some((OutcomeKind::HandedOver, Stage::Entered)));
        facts.quiet = SETTLED / 2;
        check(&facts, None);
        // Before the entry it is the firmware's.
        facts.quiet = SETTLED;
        facts.entered = false;
        check(&facts, None);
    }
}

#[test]
fn a_crash_and_a_deadline_are_told_in_words() {
    let crashed = Facts {
        crashed: Some("X64 Exception".to_owned()),
        ..entered()
    };
    check(&crashed, Some((OutcomeKind::Hung, Stage::Entered)));
    let said = |over| {
        let facts = Facts {
            over: Some(over),
            ..entered()
        };
        facts.decide().unwrap().detail
    };
    let limit = Duration::from_secs(40);
    assert_eq!(said(Over::Deadline(limit)), "no decision within 40 s");
    let flood = "it filled the serial line and did not stop";
    assert_eq!(said(Over::Flood("serial line")), flood);
}

#[test]
fn a_first_stage_that_failed_is_told_with_its_code() {
    let mut facts = entered();
    facts.probe.stage1_failed = Some(0x0C);
    check(&facts, Some((OutcomeKind::HandedOver, Stage::Entered)));
    assert!(facts.decide().unwrap().detail.ends_with("stage1 0C"));
}

#[test]
fn where_a_processor_is_lost() {
    let zeros = [0; 16];
    let code = [0, 0, 0xF4];
    let lost = |address, code: &[u8]| lost_at(address, true, code);
    let vectors = "it executes the interrupt vectors and BIOS data, at 004FFh";
    assert_eq!(lost(0x4FF, &code).as_deref(), Some(vectors));
    assert_eq!(lost(0x500, &code), None);
    assert_eq!(
        lost(0x7C00, &zeros).as_deref(),
        Some("it executes zeros, at 07C00h")
    );
    assert_eq!(lost(0x7C00, &[]), None);
    assert_eq!(lost_at(0, false, &zeros), None);
}

#[test]
fn a_probe_may_be_quiet_as_long_as_it_likes() {
    let mut facts = entered();
    facts.output_after_entry = true;
    facts.probe.begun = Some(DiscHash::from_bits(1));
    facts.quiet = Duration::from_secs(9);
    check(&facts, None);
}

fn read(block: u64, blocks: u64) -> DiscRead {
    DiscRead {
        offset: Lba::new(block).byte_offset(),
        bytes: BlockCount::new(blocks).bytes().get(),
    }
}

fn layout(media: u8, count: u64) -> BootLayout {
    BootLayout {
        catalog: Some(Lba::new(33)),
        images: vec![BootImage {
            slot: 1,
            media,
            count: VirtualSectorCount::new(count),
            load_rba: Lba::new(34),
        }],
    }
}

#[test]
fn reads_show_the_stage() {
    let layout = layout(0, 8);
    let stage = |reads: &[DiscRead]| stage_of_reads(reads, &layout);
    assert_eq!(stage(&[]), Stage::Unknown);
    assert_eq!(stage(&[read(17, 1)]), Stage::MediumFound);
    assert_eq!(stage(&[read(17, 1), read(32, 2)]), Stage::CatalogRead);
    // Up to it, and after it.
    assert_eq!(stage(&[read(32, 1), read(38, 2)]), Stage::MediumFound);
    assert_eq!(
        stage(&[read(17, 1), read(33, 1), read(35, 1)]),
        Stage::ImageLoaded
    );
    assert_eq!(
        stage(&[read(17, 1), read(33, 1), read(36, 1)]),
        Stage::CatalogRead
    );
}

fn own_reads(reads: &[DiscRead], layout: &BootLayout, as_disk: bool) -> usize {
    FirmwareId::Seabios
        .family()
        .own_reads(reads, layout, as_disk, 0)
}

#[test]
fn the_bios_s_own_reads_are_told_from_the_boot_image_s() {
    let before = [read(17, 1), read(16, 1), read(17, 1), read(33, 1)];
    let own = |layout: &BootLayout, more: &[DiscRead]| {
        own_reads(&[&before, more].concat(), layout, false)
    };
    // Nine virtual sectors are three blocks.
    assert_eq!(
        own(&layout(0, 9), &[read(34, 2), read(36, 1), read(34, 1)]),
        6
    );
    // A floppy's boot sector comes with its block; the boot sector itself reads that block again.
    assert_eq!(own(&layout(2, 1), &[read(34, 1), read(34, 1)]), 5);
    assert_eq!(own(&layout(0, 0), &[read(34, 1)]), 4);
    // An entry that points at the catalog causes another read of it, as an image.
    let mut shared = layout(0, 4);
    shared.images[0].load_rba = Lba::new(33);
    assert_eq!(own(&shared, &[read(33, 1), read(33, 1)]), 5);
    let disk = [
        DiscRead {
            offset: 0,
            bytes: 512,
        },
        DiscRead {
            offset: 512,
            bytes: 512,
        },
    ];
    assert_eq!(own_reads(&disk, &BootLayout::default(), true), 1);
}

#[test]
fn output_begins_after_the_firmware_s_last_words() {
    let start_of_output = |text: &str, id: FirmwareId| id.family().start_of_output(text);
    let bios = "SeaBIOS (version 1)\n\nBooting from DVD/CD..";
    let output = |tail: &str| {
        let text = format!("{bios}{tail}");
        let start = start_of_output(&text, FirmwareId::Seabios).expect("found");
        is_output(&text[start..], FirmwareId::Seabios.family())
    };
    assert!(!output(""));
    assert!(!output(".\n\n"));
    assert!(output("HELLO"));
    assert!(output(".\nHELLO"));
    assert_eq!(start_of_output(bios, FirmwareId::Seabios), Some(bios.len()));
    let uefi = "BdsDxe: starting Boot0001 \"UEFI QEMU DVD-ROM\" from PciRoot\n";
    assert_eq!(start_of_output(uefi, FirmwareId::Ovmf), Some(uefi.len()));
}

#[test]
fn the_screen_is_read_without_the_firmware() {
    let screen = "SeaBIOS (version 1)\n\nBooting from DVD/CD...\nhello";
    let firmware = "SeaBIOS (version 1)\n\nBooting from DVD/CD..";
    assert_eq!(without_firmware(screen, firmware).trim(), "hello");
}

#[test]
fn an_echo_of_what_was_given_to_a_guest_is_not_what_it_says() {
    let kernel = "[    0.000000] Command line: BOOT_IMAGE=/live/vmlinuz label=LIVE ready\nready\n";
    assert_eq!(without_echoes(kernel, &[], is_full_row).trim(), "ready");
    // A screen of 80 columns breaks the line.
    let row = "[    0.000000] Command line: BOOT_IMAGE=/live/vmlinuz label=LIVE console=ttyS0 c";
    assert_eq!(row.len(), 80);
    let screen = format!("{row}\nonsole=tty0 ready\n[    0.1] Booting\nready");
    assert_eq!(
        without_echoes(&screen, &[], is_full_row).trim(),
        "[    0.1] Booting\nready"
    );
    // A serial line does not, and text after a line as long as some screen's rows still counts.
    let serial = format!("{row} quiet splash ro\nready");
    assert_eq!(serial.find('\n'), Some(96));
    assert_eq!(
        without_echoes(&serial, &[], |length| length == 80).trim(),
        "ready"
    );
    let dialogue = "grub> echo ready\nready\ngrub> ";
    assert_eq!(
        without_echoes(dialogue, &["echo ready"], is_full_row).trim(),
        "ready\ngrub>"
    );
}

#[test]
fn what_a_guest_writes_behind_the_firmware_s_last_line_is_a_line() {
    // The mirror may delay a dot, and sends the line's end later.
    let firmware = "SeaBIOS (version 1)\n\nBooting from DVD/CD..";
    for dots in ["..", "..."] {
        let shown =
            format!("SeaBIOS (version 1)\n\nBooting from DVD/CD{dots}Linux version 6.1\nok");
        let text = off_the_firmware_s_line(&shown, firmware);
        assert_eq!(text, "SeaBIOS (version 1)\n\nLinux version 6.1\nok");
    }
    let shown = "one\nBooting from DVD/CD..x";
    for firmware in ["", "Booting from DVD/CD..\n"] {
        assert_eq!(off_the_firmware_s_line(shown, firmware), shown);
    }
}

#[test]
fn a_text_is_searched_from_the_beginning_of_a_line() {
    let text = "one\ntwo three\nfour";
    assert_eq!(from_line_before(text, 0, 4), text);
    assert_eq!(from_line_before(text, 9, 2), "two three\nfour");
    assert_eq!(from_line_before("\u{e4}\u{e4}", 3, 0), "\u{e4}\u{e4}");
    assert_eq!(from_line_before(text, 99, 0), "four");
}
