use proptest::prelude::*;

use super::{
    DiscHash,
    protocol::{Event, Transcript, WireDamage, frame},
    report::{AreaReport, CheckReport, FileReport, ProbeKind, ProbeReport, SweepReport},
    sector::Found,
};

/// What the probe sent from a hard disk that SeaBIOS 1.16.2 emulated, CRCs by the probe's own code;
/// a line of sercon stands before it.
const CAPTURED: &str = "\x1b[2J\x1b[1;1HBooting from DVD/CD...\r\n\r\n\
    BM1 0 begin=bios disc=ef17ba7d9d345a16 slot=1 *C0B6\r\n\
    BM1 1 drive=80 cs=0000 ip=7C00 *7114\r\n\
    BM1 2 packet=130480001400000000000000C00701000F3F09 *2C34\r\n\
    BM1 3 cylinders=9 heads=16 sectors=63 drives=2 *7257\r\n\
    BM1 4 extensions-error=01 *0C5C\r\n\
    BM1 5 loaded=8 limit=difference *CB0C\r\n\
    BM1 6 check=first sector=0 found=other crc=1461 *A409\r\n\
    BM1 7 check=second sector=1 found=hole *D888\r\n\
    BM1 8 check=third sector=64 found=64 *4CF3\r\n\
    BM1 9 check=mid sector=5040 found=5040 *C2E3\r\n\
    BM1 10 check=last sector=10079 found=10079 *7618\r\n\
    BM1 11 check=past sector=10080 error=01 *96D3\r\n\
    BM1 12 check=quarter+1 sector=2521 found=2521 *A869\r\n\
    BM1 13 area=64 crc=1D4B *AF93\r\n\
    BM1 14 sweep=64-10079 intact=10016 *DA1E\r\n\
    BM1 15 end=ok *4986\r\n";

fn read(bytes: &[u8]) -> Result<Option<ProbeReport>, WireDamage> {
    let mut transcript = Transcript::new();
    transcript.push(bytes);
    transcript.finish()
}

fn lines(fields: &[&str]) -> String {
    (0..)
        .zip(fields)
        .map(|(sequence, fields)| frame(sequence, fields))
        .collect()
}

const BEGIN: &str = "begin=uefi disc=00000000000000ff slot=2";

#[test]
fn a_captured_report_is_read_whole() {
    let report = read(CAPTURED.as_bytes()).unwrap().unwrap();
    assert_eq!(report.kind, ProbeKind::Bios);
    assert_eq!(report.disc.to_string(), "ef17ba7d9d345a16");
    assert_eq!(report.slot, 1);
    assert!(report.ended);
    assert_eq!(report.facts[0], ("drive".to_owned(), "80".to_owned()));
    assert_eq!(
        report.facts.last(),
        Some(&("limit".to_owned(), "difference".to_owned()))
    );
    assert_eq!(report.checks.len(), 7);
    assert_eq!(
        report.checks[5],
        CheckReport {
            name: "past".to_owned(),
            sector: 10_080,
            found: Found::Error(1),
        }
    );
    assert_eq!(
        report.area,
        Some(AreaReport {
            sectors: 64,
            crc: Some(0x1D4B),
            error: None,
        })
    );
    assert_eq!(
        report.sweep,
        Some(SweepReport {
            first: 64,
            last: 10_079,
            intact: 10_016,
            first_bad: None,
        })
    );
}

#[test]
fn events_come_with_the_byte_that_completes_them() {
    let mut transcript = Transcript::new();
    let mut events = Vec::new();
    for (at, byte) in CAPTURED.bytes().enumerate() {
        events.extend(
            transcript
                .push(&[byte])
                .into_iter()
                .map(|event| (at, event)),
        );
    }
    let begin = Event::Begin {
        kind: ProbeKind::Bios,
        disc: DiscHash::from_bits(0xEF17_BA7D_9D34_5A16),
        slot: 1,
    };
    let end_of_begin = CAPTURED.find("*C0B6").unwrap() + "*C0B6\r".len();
    assert_eq!(
        events,
        [(end_of_begin, begin), (CAPTURED.len() - 1, Event::End)]
    );
    assert_eq!(transcript.end_line(), Some("BM1 15 end=ok *4986"));
}

#[test]
fn every_field_has_its_place() {
    let report = read(
        lines(&[
            BEGIN,
            "path=PciRoot(0x0)/CDROM(0x1,0x2A,0x5A0)/\\EFI\\BOOT\\BOOTX64.EFI",
            "check=a sector=5 found=foreign disc=00000000000000fe slot=3 number=77",
            "area=9 error=0C at=4",
            "sweep=9-20 intact=11 first-bad=12 found=other crc=00FF",
            "file=\\EFI\\BOOT\\BOOTX64.EFI size=5000000000 crc=1234",
        ])
        .as_bytes(),
    )
    .unwrap()
    .unwrap();
    assert!(!report.ended);
    assert_eq!(
        report.checks[0].found,
        Found::Foreign {
            disc: DiscHash::from_bits(0xFE),
            slot: 3,
            number: 77,
        }
    );
    assert_eq!(report.area.unwrap().error, Some((4, 0x0C)));
    assert_eq!(
        report.sweep.unwrap().first_bad,
        Some((12, Found::Other(0xFF)))
    );
    assert_eq!(
        report.file,
        Some(FileReport {
            bytes: Some(5_000_000_000),
            crc: Some(0x1234),
            error: None,
        })
    );
}

#[test]
fn what_came_before_on_the_same_line_does_not_matter() {
    let begin = frame(0, BEGIN);
    for before in ["", "\x1b[0m\x1b[25;80H", "BdsDxe: ", "BM1 BM1 x", "\r"] {
        let report = read(format!("{before}{begin}").as_bytes()).unwrap();
        assert_eq!(report.map(|report| report.slot), Some(2), "{before:?}");
    }
    let long = "x".repeat(100_000);
    assert!(read(format!("{long}{begin}").as_bytes()).unwrap().is_some());
}

#[test]
fn damage_is_never_a_report() {
    type IsDamage = fn(&WireDamage) -> bool;
    let cases: [(String, IsDamage); 8] = [
        (CAPTURED.replace("BM1 9 ", "BM2 9 "), |damage| {
            matches!(
                damage,
                WireDamage::Gap {
                    expected: 9,
                    found: 10
                }
            )
        }),
        (CAPTURED.replace("found=5040", "found=5041"), |damage| {
            matches!(damage, WireDamage::Crc { sent: 0xC2E3, .. })
        }),
        (CAPTURED.replace(" *C2E3", ""), |damage| {
            matches!(damage, WireDamage::Frame { .. })
        }),
        (CAPTURED.replace("*C2E3", "*c2e3"), |damage| {
            matches!(damage, WireDamage::Frame { .. })
        }),
        (CAPTURED.repeat(2), |damage| {
            matches!(
                damage,
                WireDamage::Gap {
                    expected: 16,
                    found: 0
                }
            )
        }),
        (CAPTURED.replace("BM1 0 ", "BM1! 0"), |damage| {
            matches!(
                damage,
                WireDamage::Gap {
                    expected: 0,
                    found: 1
                }
            )
        }),
        (lines(&[BEGIN, "end=bad"]), |damage| {
            matches!(damage, WireDamage::Unknown { .. })
        }),
        (lines(&["drive=80"]), |damage| {
            matches!(damage, WireDamage::Unknown { .. })
        }),
    ];
    for (text, is_expected) in cases {
        let damage = read(text.as_bytes()).unwrap_err();
        assert!(is_expected(&damage), "{damage}");
    }
}

#[test]
fn a_report_cut_anywhere_has_not_ended() {
    for end in 0..CAPTURED.len() - 1 {
        let report = read(&CAPTURED.as_bytes()[..end]).unwrap();
        assert!(report.is_none_or(|report| !report.ended));
    }
}

#[test]
fn text_that_only_looks_like_a_line_is_no_damage_before_a_probe_began() {
    assert_eq!(read(b"BM1 4 players\r\nBM1 \r\n"), Ok(None));
}

#[test]
fn the_first_stage_has_a_voice() {
    let mut transcript = Transcript::new();
    assert_eq!(
        transcript.push(b"\x1b[1mBM1! stage1 F1\r\n"),
        [Event::Stage1Failed(0xF1)]
    );
    assert_eq!(transcript.finish(), Ok(None));
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        let _ = read(&bytes);
    }

    #[test]
    fn nearly_right_lines_are_read_without_panic(fields in "[a-z]{0,6}=?[ -~]{0,40}", sequence in 0..3_u32) {
        let _ = read(format!("{}{}", frame(0, BEGIN), frame(sequence, &fields)).as_bytes());
    }

    /// One changed byte anywhere: either it was not in a line of ours, or it is noticed.
    #[test]
    fn one_changed_byte_never_changes_the_report(at in 0..CAPTURED.len(), byte: u8) {
        let whole = read(CAPTURED.as_bytes()).unwrap();
        let mut bytes = CAPTURED.as_bytes().to_vec();
        bytes[at] = byte;
        if let Ok(Some(report)) = read(&bytes) {
            prop_assert!(!report.ended || Some(report) == whole);
        }
    }

    #[test]
    fn pieces_make_no_difference(cuts in prop::collection::vec(0..CAPTURED.len(), 0..8)) {
        let mut cuts = cuts;
        cuts.sort_unstable();
        let mut transcript = Transcript::new();
        let mut from = 0;
        for cut in cuts {
            transcript.push(&CAPTURED.as_bytes()[from..cut]);
            from = cut;
        }
        transcript.push(&CAPTURED.as_bytes()[from..]);
        prop_assert_eq!(transcript.finish(), read(CAPTURED.as_bytes()));
    }
}

/// A line of noise, and a probe's line at its end: what is heard of it must not depend on how the serial line cut it.
#[test]
fn a_line_after_much_noise_is_the_same_however_it_is_cut() {
    let early = frame(0, "begin=bios disc=0123456789abcdef slot=1").replace("\r\n", "");
    let late = frame(0, "begin=uefi disc=0123456789abcdef slot=2");
    let whole = [early.as_str(), &" ".repeat(5_000), &late].concat();
    let events = |length: usize| {
        let mut transcript = Transcript::new();
        let pieces = whole.as_bytes().chunks(length);
        let events: Vec<Event> = pieces.flat_map(|piece| transcript.push(piece)).collect();
        (events, transcript.finish())
    };
    let at_once = events(whole.len());
    assert!(
        matches!(at_once.0[..], [Event::Begin { slot: 2, .. }]),
        "{at_once:?}"
    );
    for length in [1, 7, 1_024, 4_097] {
        assert_eq!(events(length), at_once, "{length}");
    }
}
