use images::probe::{DiscHash, sector::Found};

use super::*;
use crate::observation::tests::{manifest, observation};

/// An expectation as a scenario writes it.
fn expectation(json: serde_json::Value) -> Expectation {
    let mut json = json;
    json["because"] = "a test".into();
    serde_json::from_value(json).unwrap()
}

/// A probe that booted and found everything intact, changed by `change`, against `json`.
fn check(json: serde_json::Value, expect: &[&str], change: fn(&mut Observation)) {
    let mut observation = observation();
    change(&mut observation);
    let found = contradictions(&observation, Some(&manifest()), &expectation(json));
    assert_eq!(found, expect);
}

fn refuse(observation: &mut Observation) {
    observation.outcome = Outcome {
        kind: OutcomeKind::Refused,
        code: Some("000b".to_owned()),
        stage: Stage::CatalogRead,
        gave_back: false,
        detail: "Boot failed: Could not read from CDROM (code 000b)".to_owned(),
    };
    observation.probe = None;
}

#[test]
fn what_is_not_determined_may_be_either() {
    let either = expectation(serde_json::json!({
        "outcome": "reset", "or": "hung", "because": "cdrom.c"
    }));
    let mut seen = observation();
    seen.outcome.kind = OutcomeKind::Hung;
    seen.probe = None;
    assert_eq!(contradictions(&seen, None, &either), Vec::<String>::new());
    assert_eq!(either.snapshot(&seen, None), "outcome: reset or hung\n");
    seen.outcome.kind = OutcomeKind::Refused;
    assert!(contradictions(&seen, None, &either)[0].starts_with("expected reset or hung, but it"));
}

#[test]
fn what_was_declared_is_no_contradiction() {
    let everything = serde_json::json!({
        "outcome": "booted", "stage": "ended", "slot": 1,
        "facts": { "cdrom-entry": "1", "block-size": "2048" },
    });
    check(everything, &[], |_| ());
    let refused =
        serde_json::json!({ "outcome": "refused", "code": "000b", "stage": "catalog-read" });
    check(refused, &[], refuse);
    check(serde_json::json!({ "outcome": "refused" }), &[], refuse);
}

#[test]
fn every_contradiction_has_both_sides() {
    check(
        serde_json::json!({ "outcome": "booted", "stage": "ended", "slot": 1, "facts": { "drive": "80" } }),
        &[
            "expected booted, but it was refused with code \"000b\" at catalog-read \
             (Boot failed: Could not read from CDROM (code 000b))",
            "expected it to come to ended, but it came to catalog-read",
            "expected the entry in slot 1 to run, but no probe began",
            "expected drive to be \"80\", but the probe did not say",
        ],
        refuse,
    );
    check(
        serde_json::json!({ "outcome": "refused", "code": "0009" }),
        &["expected the code \"0009\", but it was \"000b\""],
        refuse,
    );
    check(
        serde_json::json!({ "outcome": "booted", "code": "0009", "slot": 17, "facts": { "block-size": "512" } }),
        &[
            "expected the code \"0009\", but there was none",
            "expected the entry in slot 17 to run, but slot 1 did",
            "expected block-size to be \"512\", but it was \"2048\"",
        ],
        |_| (),
    );
}

#[test]
fn words_are_looked_for_in_each_line() {
    let said = |observation: &mut Observation| {
        observation.words = vec!["Loading".to_owned(), "boot: 12".to_owned()];
    };
    check(
        serde_json::json!({ "outcome": "booted", "words": "^boot: [0-9]+$" }),
        &[],
        said,
    );
    check(
        serde_json::json!({ "outcome": "booted", "words": "^12" }),
        &["expected words like \"^12\", but they were: Loading / boot: 12"],
        said,
    );
    let found = {
        let mut observation = observation();
        said(&mut observation);
        let unclosed = serde_json::json!({ "outcome": "booted", "words": "(" });
        contradictions(&observation, Some(&manifest()), &expectation(unclosed))
    };
    assert_eq!(found.len(), 1);
    assert!(found[0].starts_with("expected words that no regular expression describes: "));
}

#[test]
fn a_stage_is_told_only_where_there_is_one() {
    check(
        serde_json::json!({ "outcome": "booted", "stage": "ended" }),
        &[
            "expected booted, but it was not mastered (too long)",
            "expected it to come to ended, but nothing shows how far it came",
        ],
        |observation| {
            observation.outcome = Outcome {
                kind: OutcomeKind::NotMastered,
                code: None,
                stage: Stage::Unknown,
                gave_back: false,
                detail: "too long".to_owned(),
            };
            observation.probe = None;
        },
    );
    check(
        serde_json::json!({ "outcome": "refused" }),
        &["expected refused, but it hung"],
        |observation| {
            observation.outcome = Outcome {
                kind: OutcomeKind::Hung,
                code: None,
                stage: Stage::Unknown,
                gave_back: false,
                detail: String::new(),
            };
            observation.probe = None;
        },
    );
}

#[test]
fn damage_contradicts_unless_it_is_declared() {
    let intact = || serde_json::json!({ "outcome": "booted" });
    let damaged = || serde_json::json!({ "outcome": "booted", "damage": "some" });
    let harm = |observation: &mut Observation| {
        observation.probe.as_mut().unwrap().checks[2].found = Found::Sector(20_812);
    };
    check(
        intact(),
        &["last: expected virtual sector 83249, found 20812"],
        harm,
    );
    check(damaged(), &[], harm);
    check(
        damaged(),
        &["expected damage, but every sector came back intact"],
        |_| (),
    );
    let hung = |observation: &mut Observation| observation.outcome.kind = OutcomeKind::Hung;
    check(
        serde_json::json!({ "outcome": "hung", "damage": "some" }),
        &["expected damage, but the probe did not end"],
        hung,
    );
}

#[test]
fn a_boot_without_its_own_whole_report_is_never_as_expected() {
    let booted = || serde_json::json!({ "outcome": "booted" });
    check(
        booted(),
        &["expected a probe's report, but there was none"],
        |observation| {
            observation.probe = None;
        },
    );
    check(
        booted(),
        &["expected the probe to end, but it only began"],
        |observation| {
            observation.probe.as_mut().unwrap().ended = false;
        },
    );
    let stranger = |observation: &mut Observation| {
        observation.probe.as_mut().unwrap().disc = DiscHash::from_bits(1);
    };
    for damage in ["none", "some"] {
        let mut observation = observation();
        stranger(&mut observation);
        let json = serde_json::json!({ "outcome": "booted", "damage": damage });
        let found = contradictions(&observation, Some(&manifest()), &expectation(json));
        assert!(
            found[0].contains("but it was of disc 0000000000000001"),
            "{found:?}"
        );
    }
}

#[test]
fn a_disc_that_is_not_ours_boots_without_a_probe() {
    let mut observation = observation();
    observation.probe = None;
    let booted = expectation(serde_json::json!({ "outcome": "booted" }));
    assert_eq!(contradictions(&observation, None, &booted), [""; 0]);
    let mut real = manifest();
    real.images[0].plan = None;
    assert_eq!(contradictions(&observation, Some(&real), &booted), [""; 0]);
    let damaged = expectation(serde_json::json!({ "outcome": "booted", "damage": "some" }));
    assert_eq!(contradictions(&observation, None, &damaged).len(), 1);
    let real = Manifest {
        images: Vec::new(),
        ..real
    };
    assert_eq!(contradictions(&observation, Some(&real), &booted), [""; 0]);
}

#[test]
fn without_a_manifest_nobody_knows_what_is_damage() {
    let observation = observation();
    let booted = expectation(serde_json::json!({ "outcome": "booted" }));
    assert_eq!(contradictions(&observation, None, &booted), [""; 0]);
    let damaged = expectation(serde_json::json!({ "outcome": "booted", "damage": "some" }));
    assert_eq!(
        contradictions(&observation, None, &damaged),
        ["expected damage, but there is no manifest to find it by"]
    );
}

#[test]
fn an_expectation_with_an_unknown_key_or_no_reason_is_refused() {
    fn check(json: serde_json::Value, complaint: &str) {
        let error = serde_json::from_value::<Expectation>(json)
            .unwrap_err()
            .to_string();
        assert!(error.contains(complaint), "{error}");
    }
    check(
        serde_json::json!({ "outcome": "booted", "because": "x", "cod": "1" }),
        "unknown field `cod`",
    );
    check(
        serde_json::json!({ "outcome": "booted" }),
        "missing field `because`",
    );
    check(
        serde_json::json!({ "outcome": "boots", "because": "x" }),
        "unknown variant `boots`",
    );
}

#[test]
fn the_schema_knows_every_word() {
    let schema = schemars::schema_for!(Expectation).to_value().to_string();
    for word in OutcomeKind::ALL.iter().map(ToString::to_string) {
        assert!(schema.contains(&format!("\"{word}\"")), "{word}: {schema}");
    }
    for word in Stage::ALL.iter().map(ToString::to_string) {
        assert!(schema.contains(&format!("\"{word}\"")), "{word}: {schema}");
    }
    assert!(
        schema.contains("\"additionalProperties\":false"),
        "{schema}"
    );
}

#[test]
fn what_is_left_open_is_kept_as_either_and_nothing_else_is() {
    let open: Expectation = serde_json::from_value(
        serde_json::json!({ "outcome": "reset", "or": "hung", "because": "chance" }),
    )
    .unwrap();
    assert!(open.leaves_open(OutcomeKind::Reset) && open.leaves_open(OutcomeKind::Hung));
    assert!(!open.leaves_open(OutcomeKind::Booted));
    let closed = Expectation {
        or: None,
        ..open.clone()
    };
    assert!(!closed.leaves_open(OutcomeKind::Reset) && !closed.leaves_open(OutcomeKind::Hung));
    // An outcome that is not allowed is kept as observed.
    let mut observation = observation();
    let seen = observation.canonical(None);
    assert_eq!(open.canonical(&observation, None), seen);
    observation.outcome.kind = OutcomeKind::Hung;
    let kept = open.canonical(&observation, None);
    assert_eq!(kept, Canonical::undetermined("reset or hung".to_owned()));
}

#[test]
fn only_damage_that_is_expected_is_written_down() {
    let written = |damage| {
        let expectation = Expectation {
            outcome: OutcomeKind::Booted,
            or: None,
            code: None,
            stage: None,
            guest: None,
            guest_stage: None,
            slot: None,
            damage,
            facts: BTreeMap::new(),
            words: None,
            because: "it must".to_owned(),
        };
        serde_json::to_value(expectation).unwrap()
    };
    let none = serde_json::json!({ "outcome": "booted", "because": "it must" });
    assert_eq!(written(ExpectedDamage::None), none);
    assert_eq!(written(ExpectedDamage::Some)["damage"], "some");
}
