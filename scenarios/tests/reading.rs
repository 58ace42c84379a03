//! Scenario files that are wrong, and what is said of them.

#![expect(
    clippy::unwrap_used,
    reason = "the helpers of a test fail as the test does"
)]

extern crate boot_matrix_scenarios as scenarios;

use std::{fs, path::Path};

use harness::outcome::OutcomeKind;
use scenarios::matrix::{Folder, Matrix};

const SOUND: &str = r#"[[scenario]]
name = "s"
summary = "a scenario"
media = ["-", "cd-74"]
boot = ["none,count=4", "floppy-1440k"]
firmware = ["seabios", "ovmf"]
attach = ["ide", "ahci"]

[[scenario.exclude]]
when = { firmware = "ovmf", attach = "ide" }

[[scenario.expect]]
outcome = "booted"
because = "a test"

[[scenario.expect]]
when = { firmware = "ovmf", boot = "none*" }
outcome = "refused"
code = "Not Found"
because = "a test"

[[scenario.expect]]
when = { firmware = "ovmf" , medium = "cd-74" }
since = "2025.02"
outcome = "hung"
because = "a test"
"#;

fn read(text: &str) -> Result<Matrix, String> {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("s.toml"), text).unwrap();
    let own = folder.path().display().to_string();
    Matrix::read(&[Folder::own(folder.path())], &Default::default())
        .map_err(|error| error.to_string().replace(&own, "."))
}

/// Puts one text in the place of another, and reads.
fn check(replace: &str, by: &str, expected: &str) {
    assert_eq!(
        SOUND.matches(replace).count(),
        1,
        "{replace:?} must be there once"
    );
    assert_eq!(read(&SOUND.replace(replace, by)).unwrap_err(), expected);
}

#[test]
fn cells_are_the_product_without_what_is_excluded() {
    let matrix = read(SOUND).unwrap();
    let ids: Vec<String> = matrix.cells().map(|cell| cell.id.to_string()).collect();
    assert_eq!(
        ids,
        [
            "s/-/none,count=4/-/reference/seabios/ide",
            "s/-/none,count=4/-/reference/seabios/ahci",
            "s/-/none,count=4/-/reference/ovmf/ahci",
            "s/-/floppy-1440k/-/reference/seabios/ide",
            "s/-/floppy-1440k/-/reference/seabios/ahci",
            "s/-/floppy-1440k/-/reference/ovmf/ahci",
            "s/cd-74/none,count=4/-/reference/seabios/ide",
            "s/cd-74/none,count=4/-/reference/seabios/ahci",
            "s/cd-74/none,count=4/-/reference/ovmf/ahci",
            "s/cd-74/floppy-1440k/-/reference/seabios/ide",
            "s/cd-74/floppy-1440k/-/reference/seabios/ahci",
            "s/cd-74/floppy-1440k/-/reference/ovmf/ahci",
        ]
    );
}

#[test]
fn one_cell_is_found_without_the_others_and_is_the_same() {
    let matrix = read(SOUND).unwrap();
    for cell in matrix.cells() {
        let found = matrix.cell(&cell.id).unwrap();
        assert_eq!((found.disc, found.snapshot), (cell.disc, cell.snapshot));
        assert_eq!(found.id, cell.id);
    }
    for missing in [
        "s/-/none,count=4/-/reference/ovmf/ide",
        "s/-/none/-/reference/seabios/ide",
        "s/cd-80/none,count=4/-/reference/seabios/ide",
        "t/-/none,count=4/-/reference/seabios/ide",
        "s/-/none,count=4/-/reference/seabios/scsi",
    ] {
        assert!(
            matrix.cell(&missing.parse().unwrap()).is_none(),
            "{missing}"
        );
    }
}

#[test]
fn the_last_rule_that_holds_is_the_expectation() {
    let matrix = read(SOUND).unwrap();
    let outcome = |id: &str, version: Option<&str>| {
        let cell = matrix.cell(&id.parse().unwrap()).unwrap();
        cell.expectation(version).unwrap().outcome.to_string()
    };
    assert_eq!(
        outcome("s/-/none,count=4/-/reference/seabios/ide", None),
        "booted"
    );
    assert_eq!(
        outcome("s/-/none,count=4/-/reference/ovmf/ahci", None),
        "refused"
    );
    assert_eq!(
        outcome("s/-/floppy-1440k/-/reference/ovmf/ahci", None),
        "booted"
    );
    let newer = "s/cd-74/none,count=4/-/reference/ovmf/ahci";
    assert_eq!(outcome(newer, Some("2025.02-8")), "hung");
    assert_eq!(outcome(newer, Some("edk2-stable202505")), "hung");
    assert_eq!(outcome(newer, Some("2022.11-6+deb12u2")), "refused");
    assert_eq!(outcome(newer, None), "refused");
}

#[test]
fn an_unknown_version_may_be_any_and_says_so() {
    let matrix = read(SOUND).unwrap();
    let judge = |id: &str, version: &str, seen: OutcomeKind| {
        let cell = matrix.cell(&id.parse().unwrap()).unwrap();
        let judge = cell
            .judged_by(Some(version), |expected| expected.outcome == seen)
            .unwrap();
        let expected = judge.expectation.into_owned();
        (expected.outcome, judge.since, expected.because)
    };
    let tried = |which: &str| {
        format!("a test (the firmware's version is unknown, so 2 rules were tried: {which})")
    };
    let two = "s/cd-74/none,count=4/-/reference/ovmf/ahci";
    let fits = tried("this is the newest that fits");
    assert_eq!(
        judge(two, "unknown", OutcomeKind::Hung),
        (OutcomeKind::Hung, true, fits.clone())
    );
    assert_eq!(
        judge(two, "unknown", OutcomeKind::Refused),
        (OutcomeKind::Refused, false, fits)
    );
    assert_eq!(
        judge(two, "unknown", OutcomeKind::Booted),
        (
            OutcomeKind::Hung,
            true,
            tried("none fits, and this is the newest")
        )
    );

    // A known version has one rule, whatever was seen; and so has a cell whose rules are the same for all.
    assert_eq!(
        judge(two, "2022.11", OutcomeKind::Hung),
        (OutcomeKind::Refused, false, "a test".to_owned())
    );
    let one = "s/-/none,count=4/-/reference/ovmf/ahci";
    assert_eq!(
        judge(one, "unknown", OutcomeKind::Booted),
        (OutcomeKind::Refused, false, "a test".to_owned())
    );
}

#[test]
fn what_is_wrong_is_said_with_file_line_and_column() {
    check(
        "summary =",
        "sumary =",
        "./s.toml:3:1: scenario[0].sumary: no key is called \"sumary\"; did you mean summary?",
    );
    check(
        "\"ahci\"]",
        "\"achi\"]",
        "./s.toml:7:18: scenario[0].attach[1]: no attachment is called \"achi\"; did you mean ahci?",
    );
    check(
        "\"seabios\", \"ovmf\"]",
        "\"seebios\", \"ovmf\"]",
        "./s.toml:6:13: scenario[0].firmware[0]: no firmware is called \"seebios\"; did you mean seabios?",
    );
    check(
        "\"a scenario\"",
        "\"a scenario",
        "./s.toml:3:22: invalid basic string, expected `\"`",
    );
    check(
        "outcome = \"hung\"\nbecause = \"a test\"",
        "outcome = \"hung\"",
        "./s.toml:22:1: scenario[0].expect[2]: missing field `because`",
    );
    check(
        "outcome = \"hung\"\nbecause = \"a test\"",
        "outcome = \"hung\"\nbecause = \" \"",
        "./s.toml:26:11: in scenario s, because is empty: say which section, which source file, or what would disprove it",
    );
}

#[test]
fn what_is_unknown_is_answered_with_the_nearest() {
    let in_the_last_rule = |line: &str, expected: &str| {
        check(
            "outcome = \"hung\"\nbecause",
            &format!("outcome = \"hung\"\n{line}\nbecause"),
            expected,
        );
    };
    in_the_last_rule(
        "becuase = \"x\"",
        "./s.toml:26:1: scenario[0].expect[2].becuase: no key is called \"becuase\"; did you mean because?",
    );
    in_the_last_rule(
        "xyzzy = 1",
        "./s.toml:26:1: scenario[0].expect[2].xyzzy: no key is called \"xyzzy\": use one of when, since, outcome, or, \
         code, stage, guest, guest-stage, slot, damage, facts, words, because",
    );
    in_the_last_rule(
        "damage = \"sme\"",
        "./s.toml:26:10: scenario[0].expect[2].damage: no damage is called \"sme\"; did you mean some?",
    );
    in_the_last_rule(
        "facts = { driv = \"80\" }",
        "./s.toml:26:11: scenario[0].expect[2].facts.driv: no fact is called \"driv\"; did you mean drive or drives?",
    );
    check(
        "boot = \"none*\"",
        "boots = \"none*\"",
        "./s.toml:17:29: scenario[0].expect[1].when.boots: no key is called \"boots\"; did you mean boot?",
    );
    check(
        "boot = \"none*\"",
        "boot = 5",
        "./s.toml:17:36: scenario[0].expect[1].when.boot: expected a word or a list of words",
    );
    check(
        "code = \"Not Found\"",
        "code = \"Not Found\"\nstage = 5",
        "./s.toml:20:9: scenario[0].expect[1].stage: invalid type: integer `5`, expected text that names the stage",
    );
}

#[test]
fn a_file_without_a_scenario_is_told_so() {
    const NONE: &str = "it contains no [[scenario]]";
    for text in ["", "# later\n"] {
        assert_eq!(read(text).unwrap_err(), format!("./s.toml:1:1: {NONE}"));
    }
    assert_eq!(
        read("[scenario]\nname = \"s\"\n").unwrap_err(),
        "./s.toml:1:1: scenario: there may be several: write [[scenario]], in two brackets"
    );
    check(
        "[[scenario.exclude]]",
        "[scenario.exclude]",
        "./s.toml:9:1: scenario[0].exclude: there may be several: write [[scenario.exclude]], in two brackets",
    );
}

#[test]
fn one_file_may_be_named_instead_of_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("other.toml"), "not even TOML").unwrap();
    let file = folder.path().join("s.toml");
    fs::write(&file, SOUND).unwrap();
    let matrix = Matrix::read(&[Folder::own(&file)], &Default::default()).unwrap();
    let cell = matrix.cells().next().unwrap();
    assert!(
        cell.snapshot
            .starts_with(folder.path().join("snapshots/s/-")),
        "{}",
        cell.snapshot.display()
    );
}

#[test]
fn a_scenario_without_meaning_is_refused() {
    check(
        "boot = \"none*\"",
        "boot = \"nine*\"",
        "./s.toml:17:36: in scenario s, no boot is called \"nine*\": use one of floppy-1440k, none,count=4",
    );
    check(
        "firmware = \"ovmf\", attach",
        "firmware = \"ovmf\", size = \"quarter\", attach",
        "./s.toml:10:36: in scenario s, no size is called \"quarter\": use one of -",
    );
    check(
        "[[scenario.expect]]\noutcome = \"booted\"",
        "[[scenario.expect]]\nwhen = { attach = \"ahci\" }\noutcome = \"booted\"",
        "./s.toml:1:1: nothing is expected of s/-/none,count=4/-/reference/seabios/ide: add a [[scenario.expect]] that matches it",
    );
    check(
        "\"floppy-1440k\"]",
        "\"none,count=4\"]",
        "./s.toml:5:25: in scenario s, boot has none,count=4 twice",
    );
    check(
        "[\"-\", \"cd-74\"]",
        "[\n  \"333000b\",\n  \"cd-74\",\n]",
        "./s.toml:6:3: in scenario s, media has cd-74 twice",
    );
    check(
        "attach = \"ide\" }",
        "attach = \"*\" }\n\n[[scenario.exclude]]\nwhen = { firmware = \"seabios\" }",
        "./s.toml:1:1: s has no cells: everything is excluded",
    );
    check(
        "boot = \"none*\" }",
        "boot = \"none*\", attach = \"ide\" }",
        "./s.toml:16:1: this rule of s matches no cell",
    );
    check(
        "since = \"2025.02\"",
        "since = \"new\"",
        "./s.toml:24:9: in scenario s, since = \"new\" is not a version: write it with numbers, such as \"2025.02\"",
    );
    check(
        "attach = [\"ide\", \"ahci\"]",
        "attach = []",
        "./s.toml:1:1: in scenario s, attach is missing or empty: name at least one",
    );
    check(
        "name = \"s\"",
        "name = \"a/b\"",
        "./s.toml:2:8: scenario[0].name: \"a/b\" cannot be part of an id: use letters, digits and - + . _ , = @, not beginning with a dot, at most 200",
    );
    check(
        "boot = [\"none,count=4\", \"floppy-1440k\"]",
        "boot = [\"none,count=4\", \"floppy-1440k\"]\niso = { path = \"x.iso\" }",
        "./s.toml:1:1: in scenario s, an iso exists already: media, boot, size and master do not go with it",
    );
    let twice = format!("{SOUND}{SOUND}");
    let error = read(&twice).unwrap_err();
    assert!(
        error.ends_with(": a scenario is called s already, at ./s.toml:1:1"),
        "{error}"
    );
}

#[test]
fn an_iso_says_what_is_seen() {
    const ISO: &str = r#"[[scenario]]
name = "real"
summary = "a real medium"
iso = { path = "some.iso" }
expect-text = { seabios = "boot:" }
firmware = ["seabios"]
attach = ["ide"]

[[scenario.expect]]
outcome = "booted"
because = "a test"
"#;
    let cells: Vec<_> = read(ISO).unwrap().cells().collect();
    assert_eq!(cells[0].id.to_string(), "real/-/some/-/-/seabios/ide");
    assert_eq!(cells[0].text.as_deref(), Some("boot:"));
    let without = ISO.replace("expect-text = { seabios = \"boot:\" }\n", "");
    assert_eq!(
        read(&without).unwrap_err(),
        "./s.toml:1:1: in scenario real, an iso carries no probe: expect-text must say what is seen on seabios when it has booted, dialog what it answers, or the rule for real/-/some/-/-/seabios/ide what its guest comes to"
    );
    let guest = without.replace(
        "outcome = \"booted\"",
        "outcome = \"handed-over\"\nguest = \"system\"\nguest-stage = \"system\"",
    );
    let cells: Vec<_> = read(&guest).unwrap().cells().collect();
    assert_eq!(cells[0].text, None);
    let refused = without.replace("booted", "refused");
    assert!(read(&refused).is_ok());
    assert!(read(&without.replace("booted", "handed-over")).is_err());
    assert_eq!(
        read(&ISO.replace("boot:", "(")).unwrap_err(),
        "./s.toml:5:27: in scenario real, expect-text of seabios is not a valid regular expression: unclosed group"
    );
    assert_eq!(
        read(&ISO.replace("{ seabios", "{ ovmf = \"x\", seabios")).unwrap_err(),
        "./s.toml:5:17: in scenario real, expect-text names ovmf, which is not in firmware"
    );
}

#[test]
fn folders_that_hold_nothing_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let error = Matrix::read(&[Folder::own(folder.path())], &Default::default()).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("contains no scenario file (*.toml)"),
        "{error}"
    );
    let error = Matrix::read(
        &[Folder::own(Path::new("/no/such/folder"))],
        &Default::default(),
    )
    .unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("cannot read /no/such/folder: "),
        "{error}"
    );
}

#[test]
fn a_dialogue_is_read_with_its_scenario() {
    const ISO: &str = r#"[[scenario]]
name = "real"
summary = "a real medium"
iso = { path = "some.iso" }
dialog = "talk/menu.toml"
firmware = ["seabios"]
attach = ["ide"]

[[scenario.expect]]
outcome = "booted"
because = "a test"
"#;
    let folder = tempfile::tempdir().unwrap();
    let own = folder.path().display().to_string();
    let read = |scenario: &str, dialogue: &str| {
        fs::write(folder.path().join("s.toml"), scenario).unwrap();
        fs::create_dir_all(folder.path().join("talk")).unwrap();
        fs::write(folder.path().join("talk/menu.toml"), dialogue).unwrap();
        Matrix::read(&[Folder::own(folder.path())], &Default::default())
            .map_err(|error| error.to_string().replace(&own, "."))
    };
    let matrix = read(ISO, "[[step]]\nexpect = 'boot:'").unwrap();
    let cell = matrix.cells().next().unwrap();
    assert_eq!(cell.text, None, "a dialogue is enough");
    assert_eq!(cell.dialogue.unwrap().steps().len(), 1);
    assert_eq!(
        read(ISO, "[[step]]\nexpect = '('").unwrap_err(),
        "./talk/menu.toml:2:10: in scenario real, expect is not a valid regular expression: unclosed group"
    );
    assert!(
        read(&ISO.replace("menu", "none"), "")
            .unwrap_err()
            .starts_with(
                "./s.toml:5:10: in scenario real, cannot read the dialogue ./talk/none.toml: "
            )
    );
    let mastered = ISO.replace("iso = { path = \"some.iso\" }", "boot = [\"none\"]");
    assert_eq!(
        read(&mastered, "[[step]]\nexpect = 'boot:'").unwrap_err(),
        "./s.toml:1:1: in scenario real, dialog works only with iso and live: all other discs boot a probe, which answers nothing"
    );
}

#[test]
fn a_live_disc_is_named_by_its_layout_and_its_damage() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("live")).unwrap();
    let layout = r#"
        summary = "a test"
        label = "TEST"
        tools = { xorriso = "xorriso" }
        master = ["xorriso -as mkisofs -o disc.iso tree"]
        damage.cut = { summary = "cut", edit = [{ cut-percent = 50 }] }
    "#;
    fs::write(folder.path().join("live/small.toml"), layout).unwrap();
    let read = |live: &str| {
        let text = format!(
            r#"[[scenario]]
name = "s"
summary = "s"
live = {live}
memory = 1024
deadline = 200
firmware = ["seabios"]
attach = ["ide"]
expect-text = {{ seabios = "login:" }}
[[scenario.expect]]
outcome = "booted"
because = "a test"
"#
        );
        fs::write(folder.path().join("s.toml"), text).unwrap();
        let own = folder.path().display().to_string();
        Matrix::read(&[Folder::own(folder.path())], &Default::default())
            .map_err(|error| error.to_string().replace(&own, "."))
    };
    let matrix = read(r#"["small", "small,damage=cut"]"#).unwrap();
    let cells: Vec<_> = matrix.cells().collect();
    let ids: Vec<&str> = cells.iter().map(|cell| cell.id.as_str()).collect();
    assert_eq!(
        ids,
        [
            "s/-/small/-/-/seabios/ide",
            "s/-/small,damage=cut/-/-/seabios/ide"
        ]
    );
    assert_eq!(cells[0].memory_mib, Some(1024));
    assert_eq!(cells[0].deadline.unwrap().as_secs(), 200);
    assert_eq!(matrix.cell(&cells[1].id).unwrap().disc, cells[1].disc);

    let error = |live: &str| read(live).unwrap_err();
    assert!(
        error(r#"["small,damage=cutt"]"#).contains("cut"),
        "{}",
        error(r#"["small,damage=cutt"]"#)
    );
    assert!(error(r#"["large"]"#).contains("large.toml"));
    assert_eq!(
        error(r#"["small", "small"]"#),
        "./s.toml:4:18: in scenario s, live has small twice"
    );
    let with_axes = r#"["small"]
boot = ["none"]"#;
    assert!(error(with_axes).contains("a live disc has its own layout"));
}
