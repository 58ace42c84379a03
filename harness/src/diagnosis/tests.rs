use super::{happened::came_to, *};
use crate::outcome::{OutcomeKind, Stage};

fn diagnosis(outcome: Outcome, guest: Guest, starts: Starts) -> Diagnosis {
    Diagnosis {
        firmware: "seabios".to_owned(),
        attachments: vec![Attachment::Ide],
        happened: format!("SeaBIOS hands over{}", came_to(&outcome, Some(&guest))),
        outcome,
        guest: Some(guest),
        starts,
        reached: "It read the catalog.".to_owned(),
        causes: Vec::new(),
        on_sound_medium: String::new(),
        harmless: Vec::new(),
        untried: Vec::new(),
    }
}

fn handed_over(detail: &str) -> Outcome {
    Outcome {
        kind: OutcomeKind::HandedOver,
        code: None,
        stage: Stage::Entered,
        gave_back: false,
        detail: detail.to_owned(),
    }
}

#[test]
fn the_words_of_a_program_are_quoted_once_and_whole() {
    let guest = Guest {
        program: Some("isolinux".to_owned()),
        said: "Failed to load ldlinux.c32\nBoot failed...".to_owned(),
        means: "isolinux 5 needs it.".to_owned(),
        ..Guest::unheard(GuestState::GaveUp, GuestStage::Loader)
    };
    let detail = format!(
        "{}; the expected text \"login\" did not come",
        guest.in_a_sentence()
    );
    let diagnosis = diagnosis(handed_over(&detail), guest, Starts::No);
    assert_eq!(
        diagnosis.happened(),
        Happened {
            did: "SeaBIOS hands over, and isolinux gave up:",
            said: vec!["Failed to load ldlinux.c32", "Boot failed..."],
            then: "isolinux 5 needs it. The expected text \"login\" did not come.",
        }
    );
    // It explains itself.
    assert_eq!(diagnosis.why(), "It read the catalog.");
    assert_eq!(diagnosis.unknown(), None);
    assert_eq!(
        diagnosis.to_string(),
        "SeaBIOS hands over, and isolinux gave up: \"Failed to load ldlinux.c32 / Boot failed...\" isolinux 5 needs it. \
         The expected text \"login\" did not come. It read the catalog."
    );
}

#[test]
fn what_is_not_known_is_said_with_the_way_to_know() {
    let silent = Guest::unheard(GuestState::Silent, GuestStage::Kernel);
    let told = diagnosis(handed_over("nothing more came"), silent, Starts::Unknown);
    assert_eq!(
        told.to_string(),
        "SeaBIOS hands over: nothing more came. It reached the kernel. It read the catalog. \
         It is not known whether it starts: name the expected text with --expect, or watch the screen with --show."
    );
    assert_eq!(told.happened().said, Vec::<&str>::new());
    let menu = Guest::unheard(GuestState::Menu, GuestStage::Loader);
    let told = diagnosis(handed_over(""), menu, Starts::Unknown).to_string();
    assert!(
        told.contains(", and the boot image waits at its menu. It read"),
        "{told}"
    );
    assert!(told.contains("choose an entry with --dialog"), "{told}");
}

#[test]
fn a_message_is_no_cause_and_is_what_is_known() {
    let beyond = "The cause is not known beyond this message.";
    let no_defect = "No known defect of the disc explains this.";
    let guest = |state, stage, said: &str, means: &str| Guest {
        said: said.to_owned(),
        means: means.to_owned(),
        ..Guest::unheard(state, stage)
    };
    let why = |guest| diagnosis(handed_over(""), guest, Starts::No).why();
    let loader = guest(GuestState::GaveUp, GuestStage::Loader, "Error 15", "");
    assert_eq!(why(loader), format!("It read the catalog. {beyond}"));
    // What a system's message means is known, and has several causes.
    let system = guest(
        GuestState::Prompt,
        GuestStage::Initramfs,
        "No medium",
        "It looked.",
    );
    assert_eq!(why(system), format!("It read the catalog. {beyond}"));
    let explained = guest(
        GuestState::GaveUp,
        GuestStage::Loader,
        "Error 15",
        "It is missing.",
    );
    assert_eq!(why(explained), "It read the catalog.");
    let unheard = guest(GuestState::GaveBack, GuestStage::Loader, "", "");
    assert_eq!(why(unheard), format!("It read the catalog. {no_defect}"));
}

#[test]
fn a_fix_that_was_tried_in_vain_is_told_as_such() {
    let guest = Guest::unheard(GuestState::Silent, GuestStage::Loader);
    let mut told = diagnosis(handed_over(""), guest, Starts::Unknown);
    told.harmless = vec![FindingId::MbrNoActive];
    let one = "mbr-no-active was fixed for a trial, which made no difference.";
    assert!(told.why().ends_with(one), "{}", told.why());
    told.harmless.push(FindingId::VolumeSize);
    let two = "mbr-no-active, volume-size were fixed for a trial, which made no difference.";
    assert!(told.why().ends_with(two), "{}", told.why());
}

#[test]
fn what_a_machine_that_stopped_printed_last_is_quoted() {
    let guest = |state| Guest {
        last: "one\ntwo".to_owned(),
        ..Guest::unheard(state, GuestStage::Kernel)
    };
    let told = |kind, state, starts| {
        let outcome = Outcome {
            kind,
            ..handed_over("it stopped")
        };
        diagnosis(outcome, guest(state), starts)
    };
    let hung = told(OutcomeKind::Hung, GuestState::Silent, Starts::No);
    assert_eq!(
        hung.happened(),
        Happened {
            did: "SeaBIOS hands over: it stopped. The last lines that it printed:",
            said: vec!["one", "two"],
            then: "",
        }
    );
    let reset = told(OutcomeKind::Reset, GuestState::Runs, Starts::No).to_string();
    assert!(
        reset.starts_with("SeaBIOS hands over: it stopped. The last lines that it printed: \"one / two\" It reached the kernel."),
        "{reset}"
    );
    let halted = told(OutcomeKind::HandedOver, GuestState::Silent, Starts::Unknown);
    assert_eq!(halted.happened().said, ["one", "two"]);
    assert!(halted.to_string().contains("with --expect"), "{halted}");
    assert_eq!(
        guest(GuestState::Silent).came_to(),
        "a kernel printed text and halted the processor"
    );
}

#[test]
fn what_a_program_said_before_it_returned_or_was_reset_comes_after_that() {
    let guest = |state| Guest {
        program: Some("linux".to_owned()),
        said: "Kernel panic".to_owned(),
        ..Guest::unheard(state, GuestStage::Kernel)
    };
    let reset = Outcome {
        kind: OutcomeKind::Reset,
        ..handed_over("the machine reset itself")
    };
    let told = diagnosis(reset, guest(GuestState::Panic), Starts::No).to_string();
    assert!(
        told.starts_with(
            "SeaBIOS hands over: the machine reset itself. Before that, linux said: \"Kernel panic\" It reached the kernel."
        ),
        "{told}"
    );
    let returned = Outcome {
        gave_back: true,
        ..handed_over("the boot image gave control back")
    };
    let told = diagnosis(returned, guest(GuestState::GaveBack), Starts::No).to_string();
    assert!(
        told.starts_with("SeaBIOS hands over: the boot image gave control back. Before that, linux said: \"Kernel panic\""),
        "{told}"
    );
    assert!(
        told.ends_with("The cause is not known beyond this message."),
        "{told}"
    );
}
