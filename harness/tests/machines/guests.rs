//! Guests that are not ours, on real machines: what they come to by their words, and when that is decided. Some lie.

use std::{path::Path, sync::Arc, time::Duration};

use harness::{
    case::Success,
    dialogue::Dialogue,
    guest::{GuestStage, GuestState, Need, SaidBy, Starts, Vocabulary},
    outcome::OutcomeKind,
};
use iced_x86::code_asm::registers::*;

use crate::programs::{LINUX, Program, Seen, known_words};

const PANIC: &str = "[    1.500000] Kernel panic - not syncing: Attempted to kill init!\n";
const LOGIN: &str = "machine login: ";
const CLEAR: &str = "\x1b[2J\x1b[H";
/// A cell that the screen of text mode shows only after it has scrolled.
const BEYOND: u32 = 4000;

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn text(pattern: &str) -> Success {
    Success::Text(regex::bytes::Regex::new(pattern).expect("pattern"))
}

/// Prints these on the serial line, and page by page on the screen, then waits.
fn prints_all<'a>(words: impl Iterator<Item = &'a str>) -> Seen {
    let mut program = Program::new();
    let lines = words.filter(|words| words.is_ascii());
    let lines: Vec<String> = lines
        .map(|words| format!("{}\n", words.trim_matches('\n')))
        .collect();
    for line in &lines {
        program.says(line);
    }
    // The last page has as many as it holds.
    for page in lines.rchunks(15).rev() {
        program.clears();
        for (row, words) in page
            .iter()
            .flat_map(|words| words.lines())
            .take(25)
            .enumerate()
        {
            let row = u32::try_from(row).expect("a row");
            program.places(row * 80, words.get(..80).unwrap_or(words));
        }
    }
    program.idles().seen_within(seconds(5))
}

#[test]
fn a_guest_that_prints_every_known_word_has_not_started() {
    let words = known_words();
    assert!(words.len() > 100, "{}", words.len());
    // What lies best comes last.
    let (logins, others): (Vec<_>, Vec<_>) = words.iter().partition(|(name, _)| name == "getty");
    // All of them do not fit into one segment.
    for half in others.chunks(others.len().div_ceil(2)) {
        let all = half.iter().chain(&logins);
        let seen = prints_all(all.map(|(_, example)| example.as_str()));
        assert_ne!(seen.guest().state, GuestState::System, "{:?}", seen.guest());
        assert_ne!(seen.observed.starts, Starts::Yes, "{:?}", seen.guest());
    }
}

#[test]
fn words_that_contradict_each_other_on_one_screen_decide_nothing() {
    let words = known_words();
    let of = |program: &'static str| {
        let words = words.iter().filter(move |(name, _)| name == program);
        words.map(|(_, example)| example.as_str())
    };
    // The logins come last, each of them on the last line for a while.
    let seen = prints_all(
        [LINUX, PANIC]
            .into_iter()
            .chain(of("dracut").take(6))
            .chain(of("getty")),
    );
    let guest = seen.guest();
    assert!(
        matches!(guest.state, GuestState::Runs | GuestState::Silent),
        "{guest:?}"
    );
    assert_eq!(seen.observed.starts, Starts::Unknown, "{guest:?}");
    let detail = &seen.observed.outcome.detail;
    assert!(detail.contains("no decision"), "{detail}");
}

#[test]
fn a_login_of_a_machine_that_halts_for_good_is_none() {
    // After some seconds it is looked at once a second: the login stands for a while before the halt can be seen.
    let mut program = Program::new();
    program.says(LINUX).waits(seconds(4)).says(LOGIN).halts();
    let seen = program.seen_within(seconds(10));
    // A kernel printed its own words: whether it finished or gave up is not known.
    seen.came_to(OutcomeKind::HandedOver, GuestState::Silent, Starts::Unknown);
    let detail = &seen.observed.outcome.detail;
    assert!(
        detail.contains("halted with interrupts disabled"),
        "{detail}"
    );
    assert!(
        seen.guest().last.ends_with(LOGIN.trim()),
        "{:?}",
        seen.guest()
    );
}

#[test]
fn a_program_that_prints_and_halts_without_a_kernel_hangs() {
    let seen = Program::new()
        .says("Hello\nGoodbye\n")
        .halts()
        .seen_within(seconds(10));
    seen.came_to(OutcomeKind::Hung, GuestState::Silent, Starts::No);
    assert_eq!(seen.guest().last, "Hello\nGoodbye");
    let detail = &seen.observed.outcome.detail;
    assert!(detail.contains("halted with interrupts off"), "{detail}");
}

#[test]
fn a_failure_before_a_machine_halts_for_good_is_reported() {
    let seen = Program::new()
        .says(LINUX)
        .says(PANIC)
        .halts()
        .seen_within(seconds(6));
    seen.came_to(OutcomeKind::HandedOver, GuestState::Panic, Starts::No)
        .said("Attempted to kill init!");
}

#[test]
fn a_login_after_which_the_machine_resets_itself_is_none() {
    let seen = Program::new()
        .says(LINUX)
        .says(LOGIN)
        .waits(Duration::from_millis(150))
        .resets()
        .seen_within(seconds(6));
    assert_eq!(seen.observed.outcome.kind, OutcomeKind::Reset);
    assert_eq!(seen.observed.starts, Starts::No);
}

#[test]
fn a_login_counts_after_a_kernel_and_not_without_one() {
    let seen = Program::new().says(LOGIN).idles().seen_within(seconds(4));
    seen.came_to(OutcomeKind::HandedOver, GuestState::Runs, Starts::Unknown);
    let seen = Program::new()
        .says(LINUX)
        .says(LOGIN)
        .idles()
        .seen_within(seconds(10));
    seen.came_to(OutcomeKind::HandedOver, GuestState::System, Starts::Yes)
        .said("machine login:");
    assert_eq!(seen.guest().stage, GuestStage::System);
    assert!(seen.took < seconds(6), "{:?}", seen.took);
}

const MENU: &str = "\
                        GNU GRUB  version 2.06

 +----------------------------------------------------------------------------+
 |*A system                                                                   |
 +----------------------------------------------------------------------------+

      Use the ^ and v keys to select which entry is highlighted.
      Press enter to boot the selected OS, `e' to edit the commands
      before booting or `c' for a command-line.
";

#[test]
fn a_countdown_is_followed_and_what_comes_after_it_is_seen() {
    let mut program = Program::new();
    program.says(CLEAR).says(MENU);
    for left in (1..=3).rev() {
        program
            .says(&format!(
                "\r   The highlighted entry will be executed automatically in {left}s."
            ))
            .waits(seconds(1));
    }
    // A kernel is loaded, from a slow drive: longer than a menu is waited for that does not count.
    let seen = program
        .waits(seconds(4))
        .says(CLEAR)
        .says(LINUX)
        .says(PANIC)
        .idles()
        .seen_within(seconds(20));
    seen.came_to(OutcomeKind::HandedOver, GuestState::Panic, Starts::No)
        .said("Attempted to kill init!");
    assert_eq!(seen.guest().by, Some(SaidBy::Serial));
}

#[test]
fn a_menu_without_a_countdown_decides_after_three_seconds() {
    let seen = Program::new()
        .says(CLEAR)
        .says(MENU)
        .idles()
        .seen_within(seconds(20));
    // What it offers nobody has read here.
    seen.came_to(OutcomeKind::HandedOver, GuestState::Menu, Starts::Unknown);
    assert_eq!(seen.guest().program.as_deref(), Some("grub"));
    assert!(
        seen.took >= seconds(3) && seen.took < seconds(9),
        "{:?}",
        seen.took
    );
}

#[test]
fn a_guest_that_works_with_interrupts_off_is_followed() {
    let seen = Program::new()
        .works(5)
        .says(LINUX)
        .says(PANIC)
        .idles()
        .seen_within(seconds(20));
    seen.came_to(OutcomeKind::HandedOver, GuestState::Panic, Starts::No);
    assert_eq!(seen.guest().stage, GuestStage::Kernel);
    assert!(seen.took > seconds(4), "{:?}", seen.took);
}

#[test]
fn words_are_read_where_the_screen_begins_now() {
    // What was shown before would contradict it, and is not shown any more.
    let seen = Program::new()
        .places(0, "No bootable medium found.")
        .places(80, "grub rescue>")
        .waits(Duration::from_millis(300))
        .places(BEYOND, LINUX.trim())
        .places(BEYOND + 80, PANIC.trim())
        .scrolls_to(BEYOND)
        .idles()
        .seen_within(seconds(10));
    seen.came_to(OutcomeKind::HandedOver, GuestState::Panic, Starts::No)
        .said("Attempted to kill init!");
    assert_eq!(seen.guest().by, Some(SaidBy::Screen));
}

#[test]
fn words_that_the_screen_does_not_show_decide_nothing() {
    // The screen moves first: nobody can have seen what is written then.
    let seen = Program::new()
        .says("loading\n")
        .scrolls_to(BEYOND)
        .places(0, LINUX.trim())
        .places(80, PANIC.trim())
        .idles()
        .seen_within(seconds(4));
    assert_eq!(seen.observed.starts, Starts::Unknown, "{:?}", seen.guest());
    assert_eq!(seen.guest().said, "");
}

#[test]
fn a_graphics_mode_is_a_sign_of_life_and_has_no_text_memory() {
    let mut program = Program::new();
    program.with(|code| {
        code.mov(ax, 0x13)?;
        code.int(0x10)?;
        // The graphics controller still draws pixels, out of what stands at B8000h now.
        code.mov(dx, 0x3CE)?;
        code.mov(ax, 0x0D06)?;
        code.out(dx, ax)
    });
    let seen = program
        .places(0, LINUX.trim())
        .places(80, PANIC.trim())
        .idles()
        .seen_within(seconds(4));
    seen.came_to(OutcomeKind::HandedOver, GuestState::Runs, Starts::Unknown);
    assert_eq!(seen.guest().said, "");
}

#[test]
fn words_in_utf_8_are_reported_as_they_are() {
    let said = "[    2.000000] Kernel panic - not syncing: Größe „zwölf“ ≠ 日本 – ende";
    let seen = Program::new()
        .says(LINUX)
        .says(&format!("{said}\n"))
        .idles()
        .seen_within(seconds(10));
    seen.came_to(OutcomeKind::HandedOver, GuestState::Panic, Starts::No);
    assert_eq!(seen.guest().said, said);
    // Known words that are not ASCII themselves.
    let said = "error: symbol ‘grub_register_command_lockdown’ not found.";
    let seen = Program::new()
        .says(&format!("{said}\n"))
        .idles()
        .seen_within(seconds(10));
    seen.came_to(OutcomeKind::HandedOver, GuestState::GaveUp, Starts::No);
    assert_eq!(seen.guest().said, said);
    let mut program = Program::new();
    let seen = program.says("bereit für größere\n").idles().seen(|case| {
        case.success = text("(?m)für größere$");
        case.deadline = Some(seconds(10));
    });
    assert_eq!(seen.observed.outcome.kind, OutcomeKind::Booted);
}

#[test]
fn a_guest_that_is_short_of_memory_is_started_again_with_more() {
    let mut program = Program::new();
    let mut enough = program.code.create_label();
    // Blocks of 64 KiB above 16 MiB.
    program
        .with(|code| {
            code.mov(ax, 0xE801)?;
            code.int(0x15)?;
            code.cmp(bx, 0x3E00)?;
            code.jae(enough)
        })
        .says("error: out of memory.\n")
        .idles()
        .with(|code| code.set_label(&mut enough))
        .says(LINUX)
        .says(PANIC);
    let seen = program.idles().seen_within(seconds(30));
    seen.came_to(OutcomeKind::HandedOver, GuestState::Panic, Starts::No);
    let detail = &seen.observed.outcome.detail;
    assert!(
        detail.contains("started again with 1024 MiB, for it is short of memory with 64"),
        "{detail}"
    );
    // The evidence is of the boot that counts.
    let serial = seen.bench.evidence_text("serial.txt");
    assert!(!serial.contains("out of memory"), "{serial}");
    let replay = seen.bench.evidence_text("replay.sh");
    assert!(replay.contains("1024"), "{replay}");
}

#[test]
fn a_guest_that_never_has_enough_memory_is_not_started_for_ever() {
    let seen = Program::new()
        .says("error: out of memory.\n")
        .idles()
        .seen_within(seconds(30));
    seen.came_to(OutcomeKind::HandedOver, GuestState::Needs, Starts::Unknown);
    assert_eq!(seen.guest().needs, Some(Need::Memory));
    assert!(
        seen.observed.outcome.detail.contains("MiB"),
        "{:?}",
        seen.observed.outcome
    );
}

#[test]
fn the_expected_text_is_not_the_firmware_s() {
    let mut program = Program::new();
    let seen = program.idles().seen(|case| {
        case.success = text("SeaBIOS|Booting from|DVD/CD");
        case.deadline = Some(seconds(3));
    });
    assert_ne!(seen.observed.outcome.kind, OutcomeKind::Booted);
    assert_eq!(seen.observed.starts, Starts::No);
}

#[test]
fn the_expected_text_is_not_that_of_an_echoed_command_line() {
    let given = "[    0.000000] Command line: BOOT_IMAGE=/live/vmlinuz boot=live components quiet splash findme=1";
    assert!(given.len() > 80 && given.find("findme") > Some(80));
    let mut program = Program::new();
    let seen = program
        .says(LINUX)
        .says(&format!("{given}\n"))
        .places(800, given)
        .idles()
        .seen(|case| {
            case.success = text("findme");
            case.deadline = Some(seconds(4));
        });
    assert_ne!(
        seen.observed.outcome.kind,
        OutcomeKind::Booted,
        "{:?}",
        seen.observed.outcome
    );
    assert_eq!(seen.observed.starts, Starts::No);
    // Where it says it itself, it has.
    let mut program = Program::new();
    let seen = program
        .says(LINUX)
        .says(&format!("{given}\nfindme is ready\n"))
        .idles()
        .seen(|case| {
            case.success = text("findme");
            case.deadline = Some(seconds(20));
        });
    assert_eq!(seen.observed.outcome.kind, OutcomeKind::Booted);
    assert_eq!(seen.observed.starts, Starts::Yes);
    assert!(seen.took < seconds(6), "{:?}", seen.took);
}

#[test]
fn the_expected_text_on_the_screen_decides_while_the_guest_goes_on() {
    let mut program = Program::new();
    program.waits(seconds(1)).places(800, "the system is ready");
    // The last line of the screen changes for ever.
    let mut again = program.code.create_label();
    program
        .with(|code| code.set_label(&mut again))
        .with(|code| {
            code.inc(bl)?;
            code.mov(al, bl)?;
            code.mov(di, 24 * 160)?;
            code.stosb()?;
            code.jmp(again)
        });
    let seen = program.seen(|case| {
        case.success = text("(?m)^the system is ready$");
        case.deadline = Some(seconds(20));
    });
    assert_eq!(
        seen.observed.outcome.kind,
        OutcomeKind::Booted,
        "{:?}",
        seen.observed.outcome
    );
    assert!(seen.observed.outcome.detail.contains("on the screen"));
    assert!(seen.took < seconds(7), "{:?}", seen.took);
}

/// Shows a prompt, echoes what is typed up to a carriage return, and answers.
fn echoes(answer: &str) -> Program {
    let mut program = Program::new();
    program.says("\ncmd> ");
    let (mut next, mut done) = (program.code.create_label(), program.code.create_label());
    program
        .with(|code| {
            code.set_label(&mut next)?;
            code.mov(dx, 0x3FD)?;
            code.in_(al, dx)?;
            code.test(al, 1)?;
            code.jz(next)?;
            code.mov(dx, 0x3F8)?;
            code.in_(al, dx)?;
            code.cmp(al, i32::from(b'\r'))?;
            code.je(done)?;
            code.out(dx, al)?;
            code.jmp(next)?;
            code.set_label(&mut done)
        })
        .says(answer)
        .idles();
    program
}

#[test]
fn the_expected_text_is_not_what_the_dialogue_typed() {
    let dialogue =
        "[[step]]\nexpect = 'cmd> '\n[[step]]\nsend = \"findme\\r\"\n[[step]]\nexpect = 'done'";
    let talk = |answer: &str, deadline| {
        let dialogue = Dialogue::parse(Path::new("d.toml"), dialogue).expect("dialogue");
        echoes(answer).seen(|case| {
            case.dialogue = Some(dialogue);
            case.success = text("findme");
            case.deadline = Some(seconds(deadline));
        })
    };
    let seen = talk("\ndone\n", 4);
    let detail = &seen.observed.outcome.detail;
    assert_ne!(seen.observed.outcome.kind, OutcomeKind::Booted, "{detail}");
    assert!(
        detail.contains("the dialogue had come to its end"),
        "{detail}"
    );
    assert_eq!(seen.observed.starts, Starts::No);
    let seen = talk("\nfindme: found\ndone\n", 20);
    assert_eq!(
        seen.observed.outcome.kind,
        OutcomeKind::Booted,
        "{:?}",
        seen.observed.outcome
    );
}

#[test]
fn a_boot_image_that_the_bios_starts_again_and_again_retries() {
    let seen = Program::new()
        .with(|code| {
            code.sti()?;
            code.int(0x19)
        })
        .seen_within(seconds(20));
    seen.came_to(OutcomeKind::HandedOver, GuestState::Retries, Starts::No);
    assert!(seen.took < seconds(10), "{:?}", seen.took);
}

#[test]
fn a_boot_image_that_returns_gave_control_back() {
    let seen = Program::new()
        .says("nothing to do here\n")
        .with(|code| {
            code.sti()?;
            code.int(0x18)
        })
        .seen_within(seconds(10));
    seen.came_to(OutcomeKind::HandedOver, GuestState::GaveBack, Starts::No);
    assert!(seen.observed.outcome.gave_back);
}

#[test]
fn words_of_a_user_s_file_decide() {
    let words = "program = \"mine\"\n[[words]]\nstate = \"gave-up\"\nstage = \"loader\"\n\
                 seen = \"mine 1.0\"\npattern = '^my loader is sad'";
    let words = Vocabulary::builtin().with_file(Path::new("mine.toml"), words);
    let words = Arc::new(words.expect("words"));
    let boots = |words| {
        let mut program = Program::abrupt();
        program
            .says("my loader is sad today\n")
            .idles()
            .seen(|case| {
                case.words = words;
                case.deadline = Some(seconds(4));
            })
    };
    let seen = boots(Some(words));
    seen.came_to(OutcomeKind::HandedOver, GuestState::GaveUp, Starts::No);
    assert_eq!(seen.guest().program.as_deref(), Some("mine"));
    assert_eq!(seen.guest().said, "my loader is sad today");
    let seen = boots(None);
    seen.came_to(OutcomeKind::HandedOver, GuestState::Runs, Starts::Unknown);
}

/// Prints its first words, and then runs into this: what was meant to be there was not loaded.
fn dies_of(code: impl FnOnce(&mut Program)) -> Seen {
    let mut program = Program::new();
    program.says("first stage\n").waits(seconds(1));
    code(&mut program);
    let seen = program.seen_within(seconds(30));
    // By what it did, which the callers ask for, and not because it was quiet.
    seen.came_to(OutcomeKind::Hung, GuestState::Silent, Starts::No);
    seen
}

#[test]
fn a_guest_that_cannot_get_past_an_exception_hangs() {
    let seen = dies_of(|program| {
        // BOUND, which most of any text contains: its interrupt is the BIOS's for printing the screen, too.
        program.with(|code| {
            code.sti()?;
            code.mov(ax, u32::from(u16::MAX))?;
            code.db(&[0x62, 0x06, 0x00, 0x00])
        });
    });
    let detail = &seen.observed.outcome.detail;
    let told = detail.contains("interrupt 05h at 0000:7") && detail.ends_with("again and again");
    assert!(told, "{detail}");
    let seen = dies_of(|program| {
        program.with(|code| {
            code.sti()?;
            code.ud2()
        });
    });
    let detail = &seen.observed.outcome.detail;
    assert!(detail.contains("that nothing handles"), "{detail}");
}

#[test]
fn a_guest_that_runs_through_zeros_after_its_first_words_hangs() {
    let seen = dies_of(|program| {
        program.with(|code| {
            code.sti()?;
            // A zero adds AL to what is at [BX + SI].
            code.xor(ax, ax)?;
            // A segment of zeros, whose end is followed by its beginning.
            code.db(&[0xEA, 0x00, 0x00, 0x00, 0x60])
        });
    });
    let detail = &seen.observed.outcome.detail;
    assert!(detail.contains("it executes zeros"), "{detail}");
}
