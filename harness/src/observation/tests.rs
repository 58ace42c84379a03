use images::{
    probe::report::{AreaReport, CheckReport, SweepReport},
    units::{BlockCount, ByteCount, VirtualSector},
};

use super::*;
use crate::{
    guest::Starts,
    outcome::{OutcomeKind, Stage},
};

fn disc() -> DiscHash {
    DiscHash::of_id("a/cd-74/hard-disk/quarter/reference")
}

/// A disc with one image of a quarter of a 74-minute CD in slot 1.
pub(crate) fn manifest() -> Manifest {
    let length = VirtualSectorCount::new(83_250);
    let check = |name: &str, sector| Check {
        name: name.to_owned(),
        sector: VirtualSector::new(sector),
    };
    Manifest {
        id: "a/cd-74/hard-disk/quarter/reference".to_owned(),
        disc: disc(),
        size: ByteCount::new(170_600_000),
        capacity: Some(BlockCount::new(333_000)),
        catalog: Lba::new(20),
        images: vec![ImageRecord {
            slot: 1,
            load_rba: Lba::new(30),
            length,
            plan: Some(ProbePlan {
                disc: disc(),
                slot: 1,
                image: length,
                structured: VirtualSectorCount::new(64),
                checks: vec![
                    check("first", 0),
                    check("quarter-1", 20_812),
                    check("last", 83_249),
                ],
                sweep: true,
            }),
            expected: vec![
                Found::Other(0x1461),
                Found::Sector(20_812),
                Found::Sector(83_249),
            ],
            area_crc: Some(0x1D4B),
            loader: Some((1024, 0xBEEF)),
            other_loaders: Vec::new(),
            altered: None,
        }],
        map: Vec::new(),
    }
}

/// What a UEFI probe of that disc reports when everything is right.
pub(crate) fn report() -> ProbeReport {
    let check = |name: &str, sector, found| CheckReport {
        name: name.to_owned(),
        sector,
        found,
    };
    let facts = [
        ("path", "PciRoot(0x0)/Pci(0x2,0x0)"),
        ("cdrom-entry", "1"),
        ("block-size", "2048"),
    ];
    ProbeReport {
        kind: ProbeKind::Uefi,
        disc: disc(),
        slot: 1,
        facts: facts
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .to_vec(),
        checks: vec![
            check("first", 0, Found::Other(0x1461)),
            check("quarter-1", 20_812, Found::Sector(20_812)),
            check("last", 83_249, Found::Sector(83_249)),
        ],
        area: Some(AreaReport {
            sectors: 64,
            crc: Some(0x1D4B),
            error: None,
        }),
        sweep: Some(SweepReport {
            first: 64,
            last: 83_249,
            intact: 83_186,
            first_bad: None,
        }),
        file: Some(FileReport {
            bytes: Some(1024),
            crc: Some(0xBEEF),
            error: None,
        }),
        ended: true,
    }
}

/// The one thing that is wrong after `change`, or nothing.
fn check(expect: &str, change: fn(&mut ProbeReport, &mut Manifest)) {
    let (mut report, mut manifest) = (report(), manifest());
    change(&mut report, &mut manifest);
    let damage: Vec<String> = damage(&report, &manifest)
        .iter()
        .map(Damage::to_string)
        .collect();
    assert_eq!(damage.join("; "), expect);
}

#[test]
fn a_report_of_what_was_mastered_is_no_damage() {
    check("", |_, _| ());
    // A BIOS has no file system: its probe says nothing of a loader.
    check("", |report, _| {
        report.kind = ProbeKind::Bios;
        report.file = None;
    });
    check("", |report, manifest| {
        report.area = None;
        report.sweep = None;
        manifest.images[0].plan.as_mut().unwrap().sweep = false;
    });
    // A floppy that is all code and file system leaves nothing to sweep.
    check("", |report, manifest| {
        report.sweep = None;
        report.area.as_mut().unwrap().sectors = 83_250;
        manifest.images[0].plan.as_mut().unwrap().structured = VirtualSectorCount::new(83_250);
    });
    // One sector is something.
    let found_none = "sweep: expected virtual sectors 83249 to 83249, found no report";
    check(found_none, |report, manifest| {
        report.sweep = None;
        report.area.as_mut().unwrap().sectors = 83_249;
        manifest.images[0].plan.as_mut().unwrap().structured = VirtualSectorCount::new(83_249);
    });
}

#[test]
fn every_wrong_sector_is_named_with_both_figures() {
    check(
        "last: expected virtual sector 83249, found 20812",
        |report, _| {
            report.checks[2].found = Found::Sector(20_812);
        },
    );
    check(
        "last: expected virtual sector 83249, found a hole",
        |report, _| {
            report.checks[2].found = Found::Hole;
        },
    );
    check(
        "last: expected virtual sector 83249, found read error 0c",
        |report, _| {
            report.checks[2].found = Found::Error(0x0C);
        },
    );
    check(
        "first: expected other bytes (CRC-16 1461), found other bytes (CRC-16 1462)",
        |report, _| {
            report.checks[0].found = Found::Other(0x1462);
        },
    );
    check(
        "last: expected virtual sector 83249, found virtual sector 9 of slot 2",
        |report, _| {
            report.checks[2].found = Found::Foreign {
                disc: disc(),
                slot: 2,
                number: 9,
            };
        },
    );
    check(
        "last: expected virtual sector 83249, found virtual sector 9 of slot 1 of another disc",
        |report, _| {
            report.checks[2].found = Found::Foreign {
                disc: DiscHash::of_id("x"),
                slot: 1,
                number: 9,
            };
        },
    );
    check(
        "last: expected a read of virtual sector 83249, found one of 83248",
        |report, _| {
            report.checks[2].sector = 83_248;
        },
    );
    check(
        "last: the manifest does not say what must be there",
        |_, manifest| {
            manifest.images[0].expected.pop();
        },
    );
}

#[test]
fn what_is_not_reported_is_damage_and_so_is_what_was_not_asked() {
    check(
        "missing: check last of virtual sector 83249 was not reported",
        |report, _| {
            report.checks.pop();
        },
    );
    check("extra: expected no such check, found one", |report, _| {
        report.checks.push(CheckReport {
            name: "extra".to_owned(),
            sector: 5,
            found: Found::Sector(5),
        });
    });
    // Said twice, once wrongly: the wrong one counts.
    check(
        "last: expected virtual sector 83249, found a hole",
        |report, _| {
            report.checks.push(CheckReport {
                name: "last".to_owned(),
                sector: 83_249,
                found: Found::Hole,
            });
        },
    );
    check(
        "area: expected 64 virtual sectors, found no report",
        |report, _| report.area = None,
    );
    check(
        "sweep: expected virtual sectors 64 to 83249, found no report",
        |report, _| report.sweep = None,
    );
    check(
        "file: expected 1024 bytes with CRC-16 beef, found no report",
        |report, _| report.file = None,
    );
}

#[test]
fn area_sweep_and_file_are_held_against_the_manifest() {
    check(
        "area: expected CRC-16 1d4b, found CRC-16 1d4c",
        |report, _| {
            report.area.as_mut().unwrap().crc = Some(0x1D4C);
        },
    );
    check(
        "area: expected 64 virtual sectors, found 63",
        |report, _| {
            report.area.as_mut().unwrap().sectors = 63;
        },
    );
    check(
        "area: expected 64 virtual sectors, found error 0c at virtual sector 4",
        |report, _| {
            report.area = Some(AreaReport {
                sectors: 64,
                crc: None,
                error: Some((4, 0x0C)),
            });
        },
    );
    check(
        "area: the manifest does not say what must be there",
        |_, manifest| {
            manifest.images[0].area_crc = None;
        },
    );
    check(
        "sweep: expected virtual sectors 64 to 83249, found 64 to 83248",
        |report, _| {
            report.sweep.as_mut().unwrap().last = 83_248;
        },
    );
    check(
        "sweep: expected 83186 intact virtual sectors, found 83185",
        |report, _| {
            report.sweep.as_mut().unwrap().intact = 83_185;
        },
    );
    check(
        "sweep: expected 83186 intact virtual sectors, found 20; the first: expected virtual sector 84, found 85",
        |report, _| {
            let sweep = report.sweep.as_mut().unwrap();
            sweep.intact = 20;
            sweep.first_bad = Some((84, Found::Sector(85)));
        },
    );
    check(
        "file: expected 1024 bytes with CRC-16 beef, found 1024 bytes with CRC-16 0000",
        |report, _| {
            report.file.as_mut().unwrap().crc = Some(0);
        },
    );
    check(
        "file: expected 1024 bytes with CRC-16 beef, found no bytes with CRC-16 none",
        |report, _| {
            report.file = Some(FileReport {
                bytes: None,
                crc: None,
                error: None,
            });
        },
    );
    check(
        "file: expected 1024 bytes with CRC-16 beef, found error 0e",
        |report, _| {
            report.file = Some(FileReport {
                bytes: None,
                crc: None,
                error: Some(0x0E),
            });
        },
    );
}

#[test]
fn a_report_of_no_plan_of_this_disc_is_damage() {
    check(
        "plan: a probe of slot 2 ran, and the disc was mastered without one",
        |report, _| report.slot = 2,
    );
    check(
        "plan: a probe of slot 1 ran, and the disc was mastered without one",
        |_, manifest| {
            manifest.images[0].plan = None;
        },
    );
    let (mut report, manifest) = (report(), manifest());
    report.disc = DiscHash::from_bits(1);
    let damage = damage(&report, &manifest);
    assert_eq!(damage.len(), 1);
    assert!(
        damage[0].what.contains("found one of 0000000000000001"),
        "{}",
        damage[0]
    );
}

pub(crate) fn observation() -> Observation {
    Observation {
        outcome: Outcome {
            kind: OutcomeKind::Booted,
            code: None,
            stage: Stage::Ended,
            gave_back: false,
            detail: "the probe ended on both channels".to_owned(),
        },
        guest: None,
        starts: Starts::Yes,
        probe: Some(report()),
        words: vec!["BdsDxe: starting Boot0001 \"UEFI QEMU DVD-ROM\"".to_owned()],
        reads_before_entry: None,
        reads_known: true,
        reads: vec![DiscRead {
            offset: 34_816,
            bytes: 2048,
        }],
        start: Start::Cold,
        duration_ms: 3_141,
        serial: String::new(),
        screen: None,
    }
}

#[test]
fn a_read_begins_in_a_block() {
    let read = |offset| DiscRead { offset, bytes: 1 }.lba().get();
    assert_eq!((read(34_816), read(34_815), read(0)), (17, 16, 0));
}

#[test]
fn a_snapshot_has_a_line_for_each_fact() {
    let expect = "outcome: booted
stage: ended
entry: slot 1, uefi probe
cdrom-entry: 1
block-size: 2048
checks: 3 ok
area: ok
sweep: ok
file: ok
words:
  BdsDxe: starting Boot0001 \"UEFI QEMU DVD-ROM\"
";
    assert_eq!(observation().snapshot(Some(&manifest())), expect);
}

#[test]
fn a_snapshot_names_what_is_damaged() {
    let mut observation = observation();
    let report = observation.probe.as_mut().unwrap();
    report.kind = ProbeKind::Bios;
    report.facts = [
        ("drive", "80"),
        ("cs", "0000"),
        ("ip", "7C00"),
        ("cylinders", "9"),
        ("heads", "16"),
        ("sectors", "63"),
        ("loaded", "1143"),
        ("limit", "memory"),
        ("invented-later", "1"),
    ]
    .map(|(key, value)| (key.to_owned(), value.to_owned()))
    .to_vec();
    report.checks[1].found = Found::Hole;
    report.checks.pop();
    report.sweep = None;
    observation.words.clear();
    let expect = "outcome: booted
stage: ended
entry: slot 1, bios probe
drive: 80
entry-point: 0000:7C00
geometry: 9/16/63
loaded: to the end of memory
limit: memory
checks: 1 of 3 ok
  quarter-1: expected virtual sector 20812, found a hole
  missing: check last of virtual sector 83249 was not reported
area: ok
sweep: expected virtual sectors 64 to 83249, found no report
";
    assert_eq!(observation.snapshot(Some(&manifest())), expect);
}

#[test]
fn a_snapshot_without_a_probe_or_a_manifest_tells_what_there_is() {
    let mut observation = observation();
    let without_manifest = observation.snapshot(None);
    assert!(without_manifest.contains("checks: 3 not judged\n  first: other bytes\n"));
    observation.probe = None;
    observation.words.clear();
    observation.outcome.kind = OutcomeKind::Refused;
    observation.outcome.code = Some("0009".to_owned());
    observation.outcome.stage = Stage::CatalogRead;
    let expect = "outcome: refused\ncode: 0009\nstage: catalog-read\n";
    assert_eq!(observation.snapshot(Some(&manifest())), expect);
}

#[test]
fn a_snapshot_has_no_checksums() {
    let shows = |line: &str, change: fn(&mut ProbeReport)| {
        let mut observation = observation();
        change(observation.probe.as_mut().unwrap());
        let snapshot = observation.snapshot(Some(&manifest()));
        assert!(
            snapshot.lines().any(|shown| shown.trim() == line),
            "{snapshot}"
        );
        assert!(!snapshot.contains("CRC"), "{snapshot}");
    };
    shows("first: other bytes than expected", |report| {
        report.checks[0].found = Found::Other(0x1462);
    });
    shows("area: other bytes than expected", |report| {
        report.area.as_mut().unwrap().crc = Some(0x1D4C);
    });
}

#[test]
fn a_snapshot_does_not_change_with_what_is_only_evidence() {
    let expect = observation().snapshot(Some(&manifest()));
    let mut other = observation();
    other.duration_ms = 1;
    other.reads.clear();
    other.start = Start::Warm;
    other.outcome.detail.clear();
    other.probe.as_mut().unwrap().facts[0].1 = "PciRoot(0x0)/Pci(0x1F,0x2)".to_owned();
    other.probe.as_mut().unwrap().facts.reverse();
    assert_eq!(other.snapshot(Some(&manifest())), expect);
}

#[test]
fn the_names_of_facts_are_those_of_a_snapshot_and_what_they_are_put_together_from() {
    let names: Vec<&str> = fact_names().collect();
    let report = observation().probe.unwrap();
    for name in ["entry-point", "geometry", "loaded", "cs", "sectors", "path"] {
        assert!(names.contains(&name), "{name}: {names:?}");
    }
    for (name, _) in &report.facts {
        if fact(&report, name).is_some() {
            assert!(names.contains(&name.as_str()), "{name}: {names:?}");
        }
    }
}

/// What is told of two observations, the second of them changed.
fn differs(expect: &str, change: fn(&mut Observation)) {
    let read = |offset| DiscRead {
        offset,
        bytes: 2048,
    };
    let one = Observation {
        reads_before_entry: Some(1),
        reads: [34_816, 61_440, 63_488].map(read).to_vec(),
        ..observation()
    };
    let mut other = one.clone();
    change(&mut other);
    assert_eq!(one.differences(&other).join("; "), expect);
}

#[test]
fn what_is_not_the_same_is_told_with_both_sides() {
    differs("", |_| ());
    differs("", |other| {
        other.duration_ms += 1;
        other.start = Start::Warm;
        other.outcome.detail.clear();
    });
    differs(
        "outcome: booted against hung; stage: ended against entered",
        |other| {
            other.outcome.kind = OutcomeKind::Hung;
            other.outcome.stage = Stage::Entered;
        },
    );
    differs("code: None against Some(\"0004\")", |other| {
        other.outcome.code = Some("0004".to_owned());
    });
    let words = "words: BdsDxe: starting Boot0001 \"UEFI QEMU DVD-ROM\" against one / two";
    differs(words, |other| {
        other.words = vec!["one".to_owned(), "two".to_owned()];
    });
    differs("probe: began against did not begin", |other| {
        other.probe = None;
    });
    let facts = "path=PciRoot(0x0)/Pci(0x2,0x0) cdrom-entry=1 block-size";
    let facts = format!("probe's facts: {facts}=2048 against {facts}=512");
    differs(&facts, |other| {
        other.probe.as_mut().unwrap().facts[2].1 = "512".to_owned();
    });
    differs("slot: 1 against 2", |other| {
        other.probe.as_mut().unwrap().slot = 2;
    });
}

#[test]
fn reads_are_compared_from_the_entry_on() {
    // Before it the firmware may read what it likes.
    differs("", |other| other.reads[0].offset = 0);
    differs(
        "reads after entry: 61440+2048 63488+2048 against 61440+2048 63488+512",
        |other| other.reads[2].bytes = 512,
    );
    // Of one of them fewer are surely the boot image's.
    differs("", |other| {
        other.reads.remove(1);
        other.reads_before_entry = Some(1);
    });
    differs("", |other| other.reads_before_entry = None);
    differs("", |other| {
        other.reads.clear();
        other.reads_known = false;
    });
}
