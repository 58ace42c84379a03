use super::{tests::entered, *};
use crate::guest::{Guest, GuestStage, GuestState, Printed, Standing, Starts, Waits};

fn followed(state: GuestState) -> Followed {
    Followed {
        standing: Some(Standing {
            guest: Guest {
                said: "words".to_owned(),
                ..Guest::unheard(state, GuestStage::System)
            },
            decides: true,
            stands: true,
            since: Duration::ZERO,
        }),
        stage: GuestStage::System,
        counts: false,
        waits: None,
        kernel: false,
        printed: Printed::default(),
    }
}

fn stranger(state: GuestState) -> Facts {
    Facts {
        output_after_entry: true,
        followed: Some(followed(state)),
        ..entered()
    }
}

fn guest_of(facts: &Facts) -> Option<(OutcomeKind, Option<GuestState>)> {
    let outcome = facts.decide()?;
    let guest = facts.guest(&outcome, facts.followed.as_ref()?);
    Some((outcome.kind, guest.map(|guest| guest.state)))
}

#[test]
fn what_a_guest_says_decides_where_nothing_speaks_against_it() {
    for &state in GuestState::ALL {
        if !matches!(state, GuestState::Runs | GuestState::Silent) {
            let expected = Some((OutcomeKind::HandedOver, Some(state)));
            assert_eq!(guest_of(&stranger(state)), expected);
        }
    }
}

#[test]
fn a_machine_that_is_halted_for_good_waits_for_nobody() {
    let waiting = [
        GuestState::System,
        GuestState::Menu,
        GuestState::Prompt,
        GuestState::Runs,
    ];
    for state in waiting {
        let mut facts = stranger(state);
        facts.dead = true;
        let hung = Some((OutcomeKind::Hung, Some(GuestState::Silent)));
        assert_eq!(guest_of(&facts), hung, "{state}");
    }
    // A kernel that panicked has said so, and then halts.
    let mut facts = stranger(GuestState::Panic);
    facts.dead = true;
    let expected = Some((OutcomeKind::HandedOver, Some(GuestState::Panic)));
    assert_eq!(guest_of(&facts), expected);
}

/// A kernel such as OSDev's Bare Bones prints its text, and ends with `cli` and `hlt`.
#[test]
fn whether_a_kernel_that_prints_and_halts_has_started_is_not_known() {
    let facts = |kernel, after_reads| Facts {
        dead: true,
        output_after_entry: true,
        followed: Some(Followed {
            kernel,
            printed: Printed {
                lines: vec!["one".to_owned(), "two".to_owned()],
                after_reads,
            },
            ..Followed::default()
        }),
        ..entered()
    };
    let seen = |facts: &Facts| {
        let outcome = facts.decide().expect("decided");
        let guest = facts.guest(&outcome, facts.followed.as_ref().expect("followed"));
        let guest = guest.expect("a guest");
        let starts = Starts::of(&outcome, Some(&guest), false);
        (outcome.kind, starts, guest)
    };
    let (kind, starts, guest) = seen(&facts(true, true));
    assert_eq!((kind, starts), (OutcomeKind::HandedOver, Starts::Unknown));
    assert_eq!(guest.state, GuestState::Silent);
    assert_eq!(guest.stage, GuestStage::Kernel);
    assert_eq!(guest.last, "one\ntwo");
    assert!(guest.means.contains("small kernel"), "{guest:?}");
    // A loader or a boot sector that halts hangs, and so does a kernel without a word.
    for (kernel, after_reads) in [(true, false), (false, true), (false, false)] {
        let (kind, starts, guest) = seen(&facts(kernel, after_reads));
        assert_eq!((kind, starts), (OutcomeKind::Hung, Starts::No));
        assert_eq!(guest.last, "one\ntwo");
    }
    // Known words say more.
    let mut panicked = facts(true, true);
    let words = followed(GuestState::Panic);
    panicked.followed.as_mut().expect("followed").standing = words.standing;
    let (_, starts, guest) = seen(&panicked);
    assert_eq!((starts, guest.state), (Starts::No, GuestState::Panic));
}

#[test]
fn words_do_not_outweigh_a_reset_or_a_return() {
    let mut facts = stranger(GuestState::System);
    facts.stopped = Some(Stopped::Reset);
    assert_eq!(
        guest_of(&facts),
        Some((OutcomeKind::Reset, Some(GuestState::Runs)))
    );
    let mut facts = stranger(GuestState::System);
    facts.nothing_left = Some("No bootable device.".to_owned());
    assert_eq!(
        guest_of(&facts),
        Some((OutcomeKind::HandedOver, Some(GuestState::GaveBack)))
    );
}

#[test]
fn where_a_text_is_awaited_a_login_is_not_it() {
    let mut facts = stranger(GuestState::System);
    facts.awaits_pattern = true;
    assert_eq!(facts.decide(), None);
    facts.followed = Some(followed(GuestState::GaveUp));
    assert!(facts.decide().is_some());
    facts.followed = Some(followed(GuestState::Menu));
    assert_eq!(facts.decide(), None);
    facts.quiet = Duration::from_secs(10);
    assert!(facts.decide().is_some());
}

#[test]
fn a_guest_that_is_quiet_has_longer_once_a_kernel_runs() {
    let quiet = |stage, seconds| {
        let facts = Facts {
            output_after_entry: true,
            quiet: Duration::from_secs(seconds),
            followed: Some(Followed {
                standing: None,
                stage,
                counts: false,
                waits: None,
                ..Followed::default()
            }),
            ..entered()
        };
        guest_of(&facts)
    };
    let silent = Some((OutcomeKind::HandedOver, Some(GuestState::Silent)));
    assert_eq!(quiet(GuestStage::Loader, 19), None);
    assert_eq!(quiet(GuestStage::Loader, 20), silent);
    assert_eq!(quiet(GuestStage::Kernel, 74), None);
    assert_eq!(quiet(GuestStage::Kernel, 75), silent);
}

#[test]
fn a_busy_host_says_nothing_about_a_guest() {
    let facts = Facts {
        over: Some(Over::Busy {
            had: Duration::from_secs(60),
            waited: Duration::from_secs(540),
        }),
        quiet: Duration::from_secs(20),
        followed: Some(Followed::default()),
        ..entered()
    };
    let runs = Some((OutcomeKind::HandedOver, Some(GuestState::Runs)));
    assert_eq!(guest_of(&facts), runs);
}

#[test]
fn a_console_in_the_middle_of_a_picture_begins_at_its_margin() {
    let blanks = " ".repeat(30);
    let screen = format!("{blanks}   GNU GRUB\n\n{blanks}grub>");
    let (text, columns) = at_the_margin(&screen, Some(160));
    assert_eq!(text, "   GNU GRUB\n\ngrub>");
    assert_eq!(columns, Some(100));
    // What is indented otherwise is so on purpose.
    for (screen, columns) in [
        (screen.as_str(), Some(100)),
        ("     a\n     b", Some(160)),
        ("", None),
    ] {
        assert_eq!(at_the_margin(screen, columns), (screen.to_owned(), columns));
    }
}

#[test]
fn a_guest_that_is_known_to_wait_has_longer() {
    let waits = Waits {
        program: "dracut".into(),
        stage: GuestStage::Initramfs,
        time: Duration::from_secs(400),
        means: "It waits.".to_owned(),
    };
    let mut facts = Facts {
        output_after_entry: true,
        quiet: Duration::from_secs(100),
        followed: Some(Followed {
            standing: None,
            stage: GuestStage::Initramfs,
            counts: false,
            waits: Some(waits),
            ..Followed::default()
        }),
        ..entered()
    };
    assert_eq!(facts.decide(), None);
    facts.over = Some(Over::Deadline(Duration::from_secs(180)));
    let outcome = facts.decide().expect("decided");
    let guest = facts.guest(&outcome, facts.followed.as_ref().expect("followed"));
    let guest = guest.expect("a guest");
    assert_eq!(guest.state, GuestState::Silent);
    assert_eq!(guest.program.as_deref(), Some("dracut"));
    assert_eq!(guest.means, "It waits.");
}
