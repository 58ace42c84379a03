//! Real boots of small discs with SeaBIOS: every outcome, from evidence.

use std::time::Duration;

use crate::common::{Bench, CATALOG, Do, INITIAL, boot, disc, seabios};
use harness::{
    attachment::Attachment,
    case::Success,
    observation::Observation,
    outcome::{OutcomeKind, Stage},
    run::run,
};
use images::probe::{DiscHash, protocol::frame};

const BEGIN: &str = "begin=bios disc=00000000000000ff slot=1";

/// Kind, code and stage at once, with everything else in the message.
fn check(observed: &Observation, kind: OutcomeKind, code: Option<&str>, stage: Stage) {
    let outcome = &observed.outcome;
    assert!(
        outcome.kind == kind && outcome.code.as_deref() == code && outcome.stage == stage,
        "expected {kind} {code:?} {stage}, got {observed:#?}"
    );
}

fn refused(damage: impl FnOnce(&mut [u8]), code: &str, stage: Stage) {
    let mut bytes = disc(&[]);
    damage(&mut bytes);
    let (bench, observed) = boot(&bytes);
    let observed = observed.expect("observed");
    check(&observed, OutcomeKind::Refused, Some(code), stage);
    assert_eq!(
        observed.words,
        [
            "Booting from DVD/CD...".to_owned(),
            format!("Boot failed: Could not read from CDROM (code {code})"),
            "No bootable device.".to_owned()
        ]
    );
    for name in [
        "registers.txt",
        "screen.txt",
        "screenshot.png",
        "observation.json",
        "reads.txt",
    ] {
        assert!(bench.has(name), "{name}");
    }
}

// The codes and their causes: SeaBIOS src/cdrom.c, cdrom_boot.

#[test]
fn refused_0004_no_boot_record() {
    refused(|disc| disc[17 * 2048] = 255, "0004", Stage::MediumFound);
}

#[test]
fn refused_0005_boot_record_id() {
    refused(
        |disc| disc[17 * 2048 + 7] = b'e',
        "0005",
        Stage::MediumFound,
    );
}

#[test]
fn refused_0007_catalog_past_the_end() {
    refused(
        |disc| disc[17 * 2048 + 0x47 + 2] = 0x10,
        "0007",
        Stage::MediumFound,
    );
}

#[test]
fn refused_0008_validation_header_id() {
    refused(|disc| disc[CATALOG] = 2, "0008", Stage::CatalogRead);
}

#[test]
fn refused_0009_platform() {
    refused(|disc| disc[CATALOG + 1] = 0xEF, "0009", Stage::CatalogRead);
}

#[test]
fn refused_000a_key() {
    refused(
        |disc| disc[CATALOG + 0x1E] = 0xAA,
        "000a",
        Stage::CatalogRead,
    );
}

#[test]
fn refused_000b_indicator() {
    refused(|disc| disc[INITIAL] = 0, "000b", Stage::CatalogRead);
}

#[test]
fn refused_000c_image_past_the_end() {
    refused(|disc| disc[INITIAL + 10] = 0x10, "000c", Stage::CatalogRead);
}

fn probe(lines: &[&str], confirmed: Option<usize>) -> Vec<u8> {
    let framed: Vec<String> = (0..)
        .zip(lines)
        .map(|(sequence, line)| frame(sequence, line))
        .collect();
    let said = format!("\r\n{}", framed.concat());
    match confirmed {
        Some(line) => disc(&[Do::Say(&said), Do::SayOnDebugPort(&framed[line])]),
        None => disc(&[Do::Say(&said)]),
    }
}

#[test]
fn booted_from_every_drive() {
    let bytes = probe(&[BEGIN, "drive=E0", "end=ok"], Some(2));
    for attachment in [
        Attachment::Ide,
        Attachment::Ahci,
        Attachment::Scsi,
        Attachment::UsbCd,
    ] {
        let bench = Bench::new(&bytes);
        let observed = run(&bench.case(seabios(), attachment)).expect("observed");
        check(&observed, OutcomeKind::Booted, None, Stage::Ended);
        let report = observed.probe.as_ref().expect("report");
        assert_eq!(report.disc, DiscHash::from_bits(0xFF));
        assert!(observed.reads_known);
        let blocks: Vec<u64> = observed.reads.iter().map(|read| read.lba().get()).collect();
        assert!(blocks.ends_with(&[17, 19, 20]), "{attachment}: {blocks:?}");
        assert_eq!(
            observed.words,
            ["Booting from DVD/CD...", "Booting from 0000:7c00"]
        );
        assert!(observed.serial.contains("end=ok"), "{}", observed.serial);
        // Files of their own.
        let kept = Observation {
            serial: String::new(),
            screen: None,
            ..observed
        };
        let written: Observation =
            serde_json::from_slice(&bench.evidence("observation.json")).expect("JSON");
        assert_eq!(written, kept);
    }
}

#[test]
fn an_end_line_on_one_channel_is_no_boot() {
    let (_bench, observed) = boot(&probe(&[BEGIN, "end=ok"], None));
    let observed = observed.expect("observed");
    check(&observed, OutcomeKind::HandedOver, None, Stage::ProbeBegan);
    assert!(
        observed.outcome.detail.contains("debug port"),
        "{observed:?}"
    );
}

#[test]
fn another_line_on_the_debug_port_is_no_boot() {
    let (_bench, observed) = boot(&probe(&[BEGIN, "end=ok"], Some(0)));
    check(
        &observed.expect("observed"),
        OutcomeKind::HandedOver,
        None,
        Stage::ProbeBegan,
    );
}

#[test]
fn a_probe_that_does_not_end_hangs() {
    let (_bench, observed) = boot(&probe(&[BEGIN, "drive=E0"], None));
    let observed = observed.expect("observed");
    check(&observed, OutcomeKind::Hung, None, Stage::ProbeBegan);
    assert!(
        observed.outcome.detail.contains("interrupts off"),
        "{observed:?}"
    );
}

#[test]
fn a_probe_of_another_disc_is_no_boot() {
    let bench = Bench::new(&probe(&[BEGIN, "end=ok"], Some(1)));
    let mut case = bench.case(seabios(), Attachment::Ide);
    case.manifest = Some(serde_json::from_value(serde_json::json!({
        "id": "a/b/c/d/e", "disc": "00000000000000fe", "size": 0, "capacity": null, "catalog": 19,
        "images": [], "map": [],
    })).expect("manifest"));
    let observed = run(&case).expect("observed");
    assert_eq!(observed.outcome.kind, OutcomeKind::HandedOver);
    assert!(
        observed.outcome.detail.contains("00000000000000fe"),
        "{observed:?}"
    );
}

#[test]
fn a_damaged_line_is_no_boot() {
    let good = frame(0, BEGIN);
    let bad = frame(1, "end=ok").replace("ok", "OK");
    let (bench, observed) = boot(&disc(&[Do::Say(&format!("\r\n{good}{bad}"))]));
    // An emulated line loses nothing: what ran is not the probe.
    let observed = observed.expect("observed");
    check(&observed, OutcomeKind::HandedOver, None, Stage::ProbeBegan);
    assert!(observed.outcome.detail.contains("CRC"), "{observed:?}");
    assert_eq!(observed.probe, None);
    assert!(bench.evidence_text("serial.raw").contains("end=OK"));
}

#[test]
fn a_missing_line_is_no_boot() {
    let lines = format!("\r\n{}{}", frame(0, BEGIN), frame(2, "end=ok"));
    let (_bench, observed) = boot(&disc(&[Do::Say(&lines)]));
    let observed = observed.expect("observed");
    assert_ne!(observed.outcome.kind, OutcomeKind::Booted);
    assert!(observed.outcome.detail.contains("line 2"), "{observed:?}");
}

#[test]
fn the_first_stage_speaks() {
    let (_bench, observed) = boot(&disc(&[Do::Say("BM1! stage1 04\r\n")]));
    let observed = observed.expect("observed");
    check(&observed, OutcomeKind::HandedOver, None, Stage::Entered);
    assert!(observed.outcome.detail.contains("BM1! stage1 04"));
}

#[test]
fn foreign_code_that_speaks_and_halts_was_handed_over_to() {
    let (bench, observed) = boot(&disc(&[Do::Say("Missing operating system")]));
    let observed = observed.expect("observed");
    check(&observed, OutcomeKind::HandedOver, None, Stage::Entered);
    assert!(
        bench
            .evidence_text("serial.txt")
            .contains("Missing operating system")
    );
}

#[test]
fn code_that_halts_in_silence_hangs() {
    let (bench, observed) = boot(&disc(&[]));
    let observed = observed.expect("observed");
    check(&observed, OutcomeKind::Hung, None, Stage::Entered);
    assert_eq!(observed.outcome.detail, "halted with interrupts off");
    assert!(bench.evidence_text("registers.txt").contains("HLT=1"));
}

#[test]
fn a_sector_count_of_zero_is_lost() {
    let mut bytes = disc(&[]);
    bytes[INITIAL + 6] = 0;
    let (_bench, observed) = boot(&bytes);
    let observed = observed.expect("observed");
    assert_eq!(observed.outcome.kind, OutcomeKind::Hung);
    assert_eq!(observed.outcome.stage, Stage::Entered);
    assert!(observed.outcome.detail.contains("lost"), "{observed:?}");
}

#[test]
fn spinning_in_silence_ends_at_the_deadline() {
    let bench = Bench::new(&disc(&[Do::Spin]));
    let mut case = bench.case(seabios(), Attachment::Ide);
    case.patience = Some(Duration::from_millis(900));
    let observed = run(&case).expect("observed");
    check(&observed, OutcomeKind::Hung, None, Stage::Entered);
    // Patience is the machine's own time: beside other work it is longer by the clock, and three times as long at most.
    let (said, _) = observed
        .outcome
        .detail
        .strip_prefix("no decision within ")
        .and_then(|said| said.split_once(" s"))
        .expect("how long it was waited");
    let said: f64 = said.parse().expect("seconds");
    assert!((0.9..=2.8).contains(&said), "{observed:?}");
    assert!((900..5000).contains(&observed.duration_ms));
}

#[test]
fn speaking_and_waiting_is_settled_before_the_deadline() {
    let (_bench, observed) = boot(&disc(&[Do::Say("Press a key\r\n"), Do::Spin]));
    let observed = observed.expect("observed");
    check(&observed, OutcomeKind::HandedOver, None, Stage::Entered);
}

#[test]
fn a_reset_is_seen_and_stays_to_be_looked_at() {
    let (bench, observed) = boot(&disc(&[Do::Reset]));
    let observed = observed.expect("observed");
    check(&observed, OutcomeKind::Reset, None, Stage::Entered);
    assert!(bench.evidence_text("registers.txt").contains("EIP="));
    let debug = bench.evidence_text("debug.txt");
    assert_eq!(debug.matches("Booting from DVD/CD").count(), 1, "{debug}");
}

#[test]
fn switching_off_is_seen() {
    let (_bench, observed) = boot(&disc(&[Do::PowerOff]));
    let observed = observed.expect("observed");
    assert!(
        observed.outcome.detail.contains("switched itself off"),
        "{observed:?}"
    );
}

#[test]
fn giving_control_back_is_no_refusal() {
    let (_bench, observed) = boot(&disc(&[Do::GiveUp]));
    let observed = observed.expect("observed");
    check(&observed, OutcomeKind::HandedOver, None, Stage::Entered);
    assert!(
        observed.outcome.detail.contains("No bootable device."),
        "{observed:?}"
    );
}

#[test]
fn a_pattern_is_found_on_the_serial_line() {
    let bench = Bench::new(&disc(&[Do::Say("Welcome to \x1b[1mthe\x1b[0m loader")]));
    let mut case = bench.case(seabios(), Attachment::Ide);
    case.success = Success::Text(regex::bytes::Regex::new("to the loader").expect("pattern"));
    let observed = run(&case).expect("observed");
    check(&observed, OutcomeKind::Booted, None, Stage::Entered);
}

#[test]
fn a_pattern_in_the_firmware_s_own_words_is_no_boot() {
    let bench = Bench::new(&disc(&[Do::Say("hello")]));
    let mut case = bench.case(seabios(), Attachment::Ide);
    case.success = Success::Text(regex::bytes::Regex::new("Booting|SeaBIOS").expect("pattern"));
    case.deadline = Some(Duration::from_secs(2));
    let observed = run(&case).expect("observed");
    assert_ne!(observed.outcome.kind, OutcomeKind::Booted, "{observed:?}");
}
