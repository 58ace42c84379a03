//! Dialogues with what a disc boots.

use std::{path::Path, time::Duration};

use harness::{
    attachment::Attachment,
    case::{Case, Success},
    dialogue::Dialogue,
    observation::Observation,
    outcome::OutcomeKind,
    run::run,
};

use crate::{
    common::{Bench, CATALOG, Do, disc, seabios},
    real_media::grub,
};

/// Boots a disc with SeaBIOS from an IDE drive, and talks to it.
fn talk(bench: &Bench, dialogue: &str, change: impl Fn(&mut Case)) -> Observation {
    let mut case = bench.case(seabios(), Attachment::Ide);
    case.dialogue = Some(Dialogue::parse(Path::new("d.toml"), dialogue).expect("dialogue"));
    change(&mut case);
    run(&case).expect("observed")
}

fn text(pattern: &str) -> Success {
    Success::Text(regex::bytes::Regex::new(pattern).expect("pattern"))
}

#[track_caller]
fn came_to(observed: &Observation, kind: OutcomeKind, detail: &str) {
    let outcome = &observed.outcome;
    assert_eq!(outcome.kind, kind, "{outcome:?}");
    assert!(outcome.detail.contains(detail), "{outcome:?}");
}

#[test]
fn grub_answers_on_the_serial_line() {
    let bench = Bench::new(&[]);
    let dialogue = r#"
        [[step]]
        expect = "GNU GRUB"
        [[step]]
        send = "c"
        [[step]]
        expect = "grub> *"
        [[step]]
        send = "ls\r"
        [[step]]
        expect = '\(cd\d*\)'
    "#;
    let observed = talk(&bench, dialogue, |case| case.disc = grub());
    came_to(
        &observed,
        OutcomeKind::Booted,
        "the dialogue of 5 steps came to its end",
    );
    // All that came is kept, also what no step waited for.
    let serial = bench.evidence_text("serial.txt");
    assert!(serial.starts_with("SeaBIOS"), "{serial}");
    assert!(serial.contains("(cd"), "{serial}");
}

#[test]
fn grub_is_typed_to_and_shows_its_answer() {
    let bench = Bench::new(&[]);
    let dialogue = r#"
        [[step]]
        screen = "GNU GRUB +version"
        [[step]]
        key = "c"
        [[step]]
        screen = "(?m)^grub>"
        [[step]]
        type = "echo \"{_Two}\" $(?)\n"
        [[step]]
        screen = '(?m)^grub> echo "\{_Two\}" \$\(\?\)$'
        [[step]]
        keys = ["l", "s", "ret"]
        [[step]]
        screen = '(?m)^\(cd\)'
    "#;
    let observed = talk(&bench, dialogue, |case| case.disc = grub());
    came_to(
        &observed,
        OutcomeKind::Booted,
        "the dialogue of 7 steps came to its end",
    );
    assert!(bench.evidence_text("screen.txt").contains("(cd)"));
}

#[test]
fn a_step_that_does_not_come_is_named_with_what_came() {
    let bench = Bench::new(&disc(&[Do::Say("hello\r\n"), Do::Spin]));
    // Longer than a quiet boot loader is watched without a dialogue.
    let dialogue = "[[step]]\nexpect = 'hello'\n[[step]]\nexpect = 'goodbye'\nwithin = 4\n[[step]]\nsend = 'x'";
    let observed = talk(&bench, dialogue, |_| {});
    came_to(
        &observed,
        OutcomeKind::HandedOver,
        "step 2 of 3 of the dialogue, expect = \"goodbye\", did not come within 4 s; the serial line shows: ",
    );
    came_to(&observed, OutcomeKind::HandedOver, "hello");
    assert!(bench.has("screen.txt"));
}

#[test]
fn a_dialogue_with_a_machine_that_does_nothing_is_a_hang() {
    let bench = Bench::new(&disc(&[Do::Spin]));
    let observed = talk(&bench, "[[step]]\nscreen = 'hello'\nwithin = 2", |_| {});
    came_to(
        &observed,
        OutcomeKind::Hung,
        "step 1 of 1 of the dialogue, screen = \"hello\", did not come within 2 s",
    );
}

#[test]
fn a_reset_ends_a_dialogue() {
    let bench = Bench::new(&disc(&[Do::Say("hello\r\n"), Do::Reset]));
    let observed = talk(&bench, "[[step]]\nexpect = 'goodbye'", |_| {});
    came_to(
        &observed,
        OutcomeKind::Reset,
        "the machine reset itself; the dialogue was at step 1 of 1, expect = \"goodbye\"",
    );
}

#[test]
fn what_the_firmware_says_boots_no_disc() {
    let mut damaged = disc(&[Do::Spin]);
    damaged[CATALOG] = 7;
    let bench = Bench::new(&damaged);
    let observed = talk(&bench, "[[step]]\nsend = 'x'", |_| {});
    came_to(
        &observed,
        OutcomeKind::Refused,
        "the dialogue was at its end",
    );
}

#[test]
fn a_text_that_is_expected_comes_before_or_after() {
    let bench = Bench::new(&disc(&[Do::Say("one\r\ntwo\r\n"), Do::Spin]));
    let dialogue = "[[step]]\nexpect = 'two'";
    let observed = talk(&bench, dialogue, |case| case.success = text("one"));
    came_to(
        &observed,
        OutcomeKind::Booted,
        "the dialogue of 1 step came to its end, and the expected text came on the serial line",
    );
    // A step that waits may take as long as it says, also beyond the deadline.
    let patient = "[[step]]\nexpect = 'two'\nwithin = 2";
    let observed = talk(&bench, patient, |case| {
        case.success = text("three");
        case.deadline = Some(Duration::from_secs(1));
    });
    came_to(
        &observed,
        OutcomeKind::HandedOver,
        "the dialogue had come to its end",
    );
}
