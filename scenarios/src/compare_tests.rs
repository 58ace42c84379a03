use serde_json::json;

use super::{runs::without_evidence, *};
use crate::{
    baseline::Told,
    record::{CellResult, Verdict},
    results::{Results, Tools},
};

fn cell(boot: serde_json::Value, load_rba: u64) -> Baseline {
    serde_json::from_value(json!({
        "schema": "baseline/1", "cell": "a/-/none/-/t/seabios/ide", "boot": boot,
        "reads": ["17 boot record", "33 boot catalog", format!("{load_rba} boot image of slot 1")],
        "disc": { "blocks": 300, "boot_records": [17], "catalog": 33, "findings": [],
            "entries": [ { "slot": 1, "kind": "initial", "platform": "x86",
                "boot": { "bootable": true, "media": "none", "load_segment": 0, "system_type": 0, "sector_count": 4, "load_rba": load_rba } } ] }
    }))
    .unwrap()
}

fn booted(load_rba: u8) -> Baseline {
    let boot = json!({
        "outcome": "booted", "stage": "ended", "entry": { "slot": 1, "probe": "bios" },
        "facts": { "drive": "E0", "packet": format!("13000001{load_rba:02X}000000000000000400"),
            "cdrom-start": load_rba.to_string(), "cdrom-blocks": (300 - u64::from(load_rba)).to_string(),
            "last-block": (299 - u64::from(load_rba)).to_string() },
        "checks": ["checks: 3 ok"], "words": ["Booting from DVD/CD..."]
    });
    cell(boot, load_rba.into())
}

/// To the last block.
fn exactly(is: &Baseline, was: &Baseline) -> Differences {
    with_baseline(is, was, Strictness::Everything)
}

fn sentences(differences: &[Difference]) -> Vec<String> {
    differences.iter().map(ToString::to_string).collect()
}

#[test]
fn what_is_the_same_does_not_differ() {
    assert!(exactly(&booted(34), &booted(34)).is_empty());
}

#[test]
fn what_changed_in_booting_is_told_in_sentences() {
    let was = cell(
        json!({ "outcome": "refused", "code": "0009", "stage": "catalog-read" }),
        34,
    );
    let mut is = booted(34);
    is.boot.facts = [("geometry".to_owned(), "9/16/63".to_owned())].into();
    is.reads.as_mut().unwrap().remove(1);
    let differences = exactly(&is, &was);
    assert_eq!(
        sentences(&differences.boot),
        [
            "outcome: booted, was refused 0009",
            "stage: ended, was catalog-read",
            "entry that ran: slot 1, bios probe, was none",
            "words: Booting from DVD/CD..., was none",
            "the firmware no longer reads LBA 33 (boot catalog)",
        ]
    );
    assert_eq!(differences.structure, []);
    assert_eq!(
        sentences(&exactly(&was, &is).boot).last().unwrap(),
        "the firmware reads LBA 33 (boot catalog) now"
    );
    let mut again = is.clone();
    again.boot.facts.clear();
    again.boot.checks = vec!["checks: 2 of 3 ok".to_owned()];
    assert_eq!(
        sentences(&exactly(&again, &is).boot),
        ["checks: 2 of 3 ok, was 3 ok", "geometry: none, was 9/16/63"]
    );
}

#[test]
fn what_changed_on_the_disc_is_told_too() {
    let (mut is, was) = (booted(34), booted(34));
    let disc = is.disc.as_mut().unwrap();
    disc.findings.push("count-zero".to_owned());
    disc.boot_records = vec![images::units::Lba::new(18)];
    let boot = disc.entries[0].boot.as_mut().unwrap();
    boot.sector_count = images::units::VirtualSectorCount::ZERO;
    let differences = exactly(&is, &was);
    assert_eq!(differences.boot, []);
    assert_eq!(
        sentences(&differences.structure),
        [
            "there (count-zero)",
            "sector count of slot 1: 0, was 4",
            "LBA of the boot record: 18, was 17",
        ]
    );
    is.boot.outcome = "hung".to_owned();
    let differences = exactly(&is, &was);
    let all: Vec<&str> = differences.all().map(|one| one.what.as_str()).collect();
    assert_eq!(all.len(), 4);
    assert_eq!(&all[..2], ["outcome", "finding count-zero"]);
    is.disc = None;
    let gone = sentences(&exactly(&is, &was).structure);
    assert!(
        gone.contains(&"sector count of slot 1: none, was 4".to_owned()),
        "{gone:?}"
    );
}

#[test]
fn what_booting_does_not_depend_on_is_noted() {
    let (was, mut moved) = (booted(34), booted(35));
    let disc = moved.disc.as_mut().unwrap();
    disc.blocks = images::units::BlockCount::new(300);
    disc.boot_records = vec![images::units::Lba::new(18)];
    disc.noted.push("no-volume-id".to_owned());
    disc.entries[0].boot.as_mut().unwrap().load_segment = 0x7C0;
    let of = |is: &Baseline| with_baseline(is, &was, Strictness::Booting);
    let differences = of(&moved);
    assert!(differences.is_empty(), "{differences:?}");
    let noted = sentences(&differences.noted);
    assert!(noted.contains(&"LBA of the boot record: 18, was 17".to_owned()));
    assert!(noted.contains(&"load RBA of slot 1: 35, was 34".to_owned()));
    assert!(noted.contains(&"there (no-volume-id)".to_owned()));
    assert!(!exactly(&moved, &was).is_empty());

    // A new warning counts; one that is gone is noted.
    let mut wrong = moved.clone();
    wrong
        .disc
        .as_mut()
        .unwrap()
        .findings
        .push("count-zero".to_owned());
    assert_eq!(of(&wrong).structure.len(), 1);
    let back = with_baseline(&moved, &wrong, Strictness::Booting);
    assert!(back.is_empty(), "{back:?}");
    assert!(sentences(&back.noted).contains(&"no longer: count-zero".to_owned()));
}

#[test]
fn with_another_firmware_only_what_came_of_it_counts() {
    let with = |mut cell: Baseline, version: &str| {
        cell.tools = [("seabios".to_owned(), version.to_owned())].into();
        cell
    };
    let was = with(booted(34), "1.16.2");
    let mut is = with(booted(34), "1.17.0");
    is.boot.words = vec!["Other words".to_owned()];
    is.boot.facts.insert("drive".to_owned(), "9F".to_owned());
    let differences = with_baseline(&is, &was, Strictness::Booting);
    assert!(differences.is_empty(), "{differences:?}");
    let noted = sentences(&differences.noted);
    assert!(noted.contains(&"seabios: 1.17.0, was 1.16.2".to_owned()));
    assert!(noted.contains(&"drive: 9F, was E0".to_owned()));
    is.boot.outcome = "hung".to_owned();
    let differences = with_baseline(&is, &was, Strictness::Booting);
    assert_eq!(sentences(&differences.boot), ["outcome: hung, was booted"]);
}

#[test]
fn unknown_reads_are_not_compared() {
    let (mut is, was) = (booted(34), booted(34));
    is.reads = None;
    assert!(exactly(&is, &was).is_empty());
}

#[test]
fn checks_of_one_name_are_all_compared() {
    let (mut is, mut was) = (booted(34), booted(34));
    let missing = |name: &str| format!("  missing: check {name} was not reported");
    is.boot.checks.extend(["a", "b"].map(missing));
    was.boot.checks.extend(["a", "c"].map(missing));
    assert_eq!(
        sentences(&exactly(&is, &was).boot),
        [
            "missing: check a was not reported / check b was not reported, was check a was not reported / check c was not reported"
        ]
    );
}

#[test]
fn where_a_tool_puts_the_image_is_no_difference_in_booting() {
    let differences = between_tools(&booted(34), &booted(60));
    assert_eq!(sentences(&differences.boot), Vec::<String>::new());
    assert_eq!(
        sentences(&differences.structure),
        ["load RBA of slot 1: 34, was 60"]
    );
    let mut other = booted(60);
    other
        .boot
        .facts
        .insert("cdrom-blocks".to_owned(), "12".to_owned());
    let boot = between_tools(&booted(34), &other).boot;
    assert_eq!(
        sentences(&boot),
        [
            "cdrom-blocks: to the end of the disc, was 12",
            "last-block: the disc's last, was 239"
        ]
    );
    let mut other = booted(60);
    other
        .boot
        .facts
        .insert("cdrom-start".to_owned(), "61".to_owned());
    assert_eq!(
        sentences(&between_tools(&booted(34), &other).boot)[1],
        "cdrom-start: where the image starts, was 61"
    );
    let mut other = booted(60);
    other
        .boot
        .facts
        .insert("packet".to_owned(), "1300000199".to_owned());
    assert_eq!(
        between_tools(&booted(34), &other).boot.len(),
        1,
        "a short packet is told, and nothing else happens"
    );
}

#[test]
fn it_is_the_image_that_ran_whose_place_does_not_matter() {
    let second = |load_rba: u8| {
        let mut cell = booted(load_rba);
        let entries = &mut cell.disc.as_mut().unwrap().entries;
        entries.push(entries[0].clone());
        entries[0].boot.as_mut().unwrap().load_rba = images::units::Lba::new(25);
        entries[1].slot = 3;
        cell.boot.entry.as_mut().unwrap().slot = 3;
        cell
    };
    let differences = between_tools(&second(34), &second(60));
    assert_eq!(sentences(&differences.boot), Vec::<String>::new());
}

#[test]
fn without_evidence_outcome_and_findings_are_compared() {
    let id = "a/-/none/-/x/seabios/ide";
    let hung = record(id, Some(("hung", "entered")));
    let mut reset = record(id, Some(("reset", "entered")));
    reset.findings = vec!["count-zero".to_owned()];
    let differences = without_evidence(&hung, &reset);
    assert_eq!(sentences(&differences.boot), ["outcome: hung, was reset"]);
    assert_eq!(sentences(&differences.structure), ["no longer: count-zero"]);
    // If either was declared, both are as declared.
    let either = json!({ "outcome": "reset", "or": "hung", "because": "a test" });
    let either = |cell: &CellResult| CellResult {
        expected: serde_json::from_value(either.clone()).unwrap(),
        ..cell.clone()
    };
    let differences = without_evidence(&either(&hung), &either(&reset));
    assert_eq!(sentences(&differences.boot), Vec::<String>::new());
    let mut coded = hung.clone();
    coded.outcome.as_mut().unwrap().code = Some("0009".to_owned());
    assert_eq!(
        sentences(&without_evidence(&coded, &hung).boot),
        ["outcome: hung 0009, was hung"]
    );
}

#[test]
fn a_comparison_passes_where_all_that_was_seen_boots_the_same() {
    let code = |same, structure_only, differ, without_evidence| {
        let totals = ComparisonTotals {
            same,
            structure_only,
            differ,
            without_evidence,
            ..ComparisonTotals::default()
        };
        totals.exit_code()
    };
    assert_eq!(
        [code(1, 0, 0, 0), code(0, 1, 0, 0), code(1, 1, 0, 0)],
        [0; 3]
    );
    assert_eq!([code(1, 1, 1, 0), code(0, 0, 1, 1)], [1; 2]);
    assert_eq!(
        [code(0, 0, 0, 0), code(1, 0, 0, 1), code(1, 1, 0, 2)],
        [3; 3]
    );
}

fn record(id: &str, outcome: Option<(&str, &str)>) -> CellResult {
    let master = id.split('/').nth(4).unwrap();
    serde_json::from_value(json!({
        "id": id, "scenario": "a", "medium": "-", "boot": "none", "size": "-", "master": master,
        "firmware": "seabios", "attachment": "ide",
        "outcome": outcome.map(|(kind, stage)| json!({ "kind": kind, "stage": stage })),
        "expected": null, "verdict": Verdict::Observed, "differs": [], "findings": [], "duration_ms": 0, "start": null,
        "evidence": format!("cells/{id}")
    }))
    .unwrap()
}

fn results(cells: Vec<CellResult>) -> Results {
    Results::new("tcg".into(), Tools::default(), cells)
}

#[test]
fn tools_are_compared_cell_by_cell_and_what_was_not_seen_is_on_one_side_only() {
    let out = tempfile::tempdir().unwrap();
    let id = |master: &str, attachment: &str| format!("a/-/none/-/{master}/seabios/{attachment}");
    let booted_at_end = Some(("booted", "ended"));
    let cells = vec![
        record(&id("x", "ide"), booted_at_end),
        record(&id("g", "ide"), booted_at_end),
        record(&id("p", "ide"), booted_at_end),
        record(&id("x", "ahci"), booted_at_end),
        record(&id("g", "ahci"), None),
        record(&id("g", "scsi"), booted_at_end),
        record(&id("x", "usb-cd"), booted_at_end),
        record(&id("g", "usb-cd"), Some(("hung", "entered"))),
    ];
    for (master, cell) in [("x", booted(34)), ("g", booted(40))] {
        let file = out
            .path()
            .join(format!("cells/{}/baseline.json", id(master, "ide")));
        crate::files::write_json(&file, &cell).unwrap();
    }
    let comparison = with_master(&results(cells).cells, out.path(), "x");
    assert_eq!(
        comparison.totals,
        ComparisonTotals {
            not_started: 0,
            same: 1,
            structure_only: 1,
            differ: 1,
            only_here: 1,
            only_there: 1,
            without_evidence: 2
        }
    );
    assert_eq!(comparison.only_here, [id("g", "scsi")]);
    assert_eq!(comparison.only_there, [id("x", "ahci")]);
    let differ = comparison
        .cells
        .iter()
        .find(|cell| !cell.differences.boot.is_empty())
        .unwrap();
    assert_eq!(
        (&differ.id, &differ.other),
        (&id("g", "usb-cd"), &id("x", "usb-cd"))
    );
    assert_eq!(
        sentences(&differ.differences.boot)[0],
        "outcome: hung, was booted"
    );
}

#[test]
fn a_run_is_compared_with_an_earlier_one_and_a_difference_in_booting_fails_it() {
    let out = tempfile::tempdir().unwrap();
    let (a, b) = ("a/-/none/-/x/seabios/ide", "a/-/none/-/x/seabios/ahci");
    let before = [
        record(a, Some(("booted", "ended"))),
        record(b, Some(("refused", "catalog-read"))),
    ];
    let there = Side::of(&before, out.path());
    let mut now = results(vec![
        record(a, Some(("booted", "ended"))),
        record(b, Some(("refused", "catalog-read"))),
    ]);
    now.comparison = Some(with_run(
        &now.cells,
        out.path(),
        &there,
        "before/results.json",
        Strictness::Booting,
    ));
    assert_eq!(now.exit_code(), 3, "there is no evidence to compare");
    assert_eq!(
        now.comparison
            .as_ref()
            .map(|comparison| comparison.totals.same),
        Some(2)
    );
    now.comparison = Some(with_run(
        &now.cells,
        out.path(),
        &Side::default(),
        "another run",
        Strictness::Booting,
    ));
    assert_eq!(now.exit_code(), 3, "what has no counterpart is no pass");
    now.cells[1] = record(b, Some(("booted", "ended")));
    now.comparison = Some(with_run(
        &now.cells,
        out.path(),
        &there,
        "before/results.json",
        Strictness::Booting,
    ));
    assert_eq!(now.exit_code(), 1);
}

#[test]
fn the_run_of_one_other_tool_is_compared_as_that_tool() {
    let out = tempfile::tempdir().unwrap();
    let id = |master: &str, attachment: &str| format!("a/-/none/-/{master}/seabios/{attachment}");
    let seen = |master, attachment| record(&id(master, attachment), Some(("booted", "ended")));
    let now = results(vec![seen("x", "ide"), seen("x", "ahci")]);
    let compare = |cells: &[CellResult]| {
        let there = Side::of(cells, out.path());
        let comparison = with_run(
            &now.cells,
            out.path(),
            &there,
            "theirs/results.json",
            Strictness::Booting,
        );
        (comparison.totals.same, comparison.totals.only_here)
    };
    assert_eq!(compare(&[seen("g", "ide")]), (1, 1));
    // With several tools, none is meant, and cells with the same id are compared.
    assert_eq!(compare(&[seen("g", "ide"), seen("p", "ide")]), (0, 2));
    assert_eq!(compare(&[seen("g", "ide"), seen("x", "ide")]), (1, 1));
}

#[test]
fn an_edit_takes_away_what_started_and_nothing_else_counts() {
    let (yes, no, unknown) = (Starts::Yes, Starts::No, Starts::Unknown);
    for (started, starts, lost) in [
        (yes, yes, false),
        (yes, no, true),
        (yes, unknown, true),
        (unknown, unknown, false),
        (unknown, yes, false),
        (unknown, no, true),
        (no, no, false),
        (no, unknown, false),
        (no, yes, false),
    ] {
        assert_eq!(is_lost(starts, started), lost, "{starts} after {started}");
    }
    let was = booted(26);
    let mut is = booted(26);
    is.boot.facts.insert("loaded".to_owned(), "1".to_owned());
    let told = |severity| Told {
        message: "wrong".to_owned(),
        remedy: String::new(),
        severity: Some(severity),
    };
    let disc = is.disc.as_mut().unwrap();
    for (id, severity) in [
        ("catalog-checksum", Severity::Error),
        ("partition-past-end", Severity::Warning),
    ] {
        disc.findings.push(id.to_owned());
        is.told.insert(id.to_owned(), told(severity));
    }
    let kept = by_edit(&is, &was, Some(yes), Some(yes));
    assert!(kept.boot.is_empty(), "{kept:?}");
    assert_eq!(sentences(&kept.structure), ["wrong (catalog-checksum)"]);
    let noted = sentences(&kept.noted);
    assert!(
        noted.contains(&"wrong (partition-past-end)".to_owned()),
        "{noted:?}"
    );
    let lost = by_edit(&is, &was, Some(no), Some(yes));
    let lost = sentences(&lost.boot);
    assert!(lost.contains(&"starts: no, was yes".to_owned()), "{lost:?}");
}
