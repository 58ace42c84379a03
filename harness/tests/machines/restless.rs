//! Guests that never rest: a deadline is one on the wall, and what they leave is bounded.

use std::{fs, path::Path, time::Duration};

use harness::{
    case::Success,
    guest::{GuestState, Starts},
    outcome::OutcomeKind,
};
use iced_x86::{
    IcedError,
    code_asm::{CodeAssembler, registers::*},
};

use crate::programs::{Program, Seen};

const DEADLINE: Duration = Duration::from_secs(4);
/// A screenshot, the serial line as bytes and as text, and what else is little.
const MOST_EVIDENCE: u64 = 24 << 20;
const MOST_MEMORY_KIB: u64 = 512 << 10;

/// Boots it, once with nothing to wait for and once with a text that does not come, and looks at what it costs.
fn restless(code: impl Fn(&mut CodeAssembler) -> Result<(), IcedError>) {
    for success in [None, Some("never")] {
        let mut program = Program::new();
        let seen = program.with(&code).seen(|case| {
            case.deadline = Some(DEADLINE);
            if let Some(text) = success {
                case.success = Success::Text(text.parse().expect("pattern"));
            }
        });
        let starts = match success {
            None => Starts::Unknown,
            Some(_) => Starts::No,
        };
        seen.came_to(OutcomeKind::HandedOver, GuestState::Runs, starts);
        is_bounded(&seen);
    }
}

#[track_caller]
fn is_bounded(seen: &Seen) {
    let detail = &seen.observed.outcome.detail;
    let limit = DEADLINE + DEADLINE / 10 + Duration::from_secs(2);
    assert!(seen.took <= limit, "{:?}: {detail}", seen.took);
    let evidence = bytes_in(&seen.bench.path("evidence"));
    assert!(evidence < MOST_EVIDENCE, "{evidence}: {detail}");
    let status = fs::read_to_string("/proc/self/status").expect("status");
    let most = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = most.and_then(|line| line.trim().split(' ').next()?.parse().ok());
    let kib: u64 = kib.expect("VmHWM");
    assert!(kib < MOST_MEMORY_KIB, "{kib} KiB: {detail}");
}

fn bytes_in(folder: &Path) -> u64 {
    let files = fs::read_dir(folder).expect("folder");
    files
        .map(|file| file.expect("file").metadata().expect("metadata").len())
        .sum()
}

#[test]
fn a_guest_that_redraws_for_ever_is_judged_at_its_deadline() {
    restless(|code| {
        let mut again = code.create_label();
        code.mov(ax, 0xB800)?;
        code.mov(es, ax)?;
        code.mov(ax, 0x0741)?;
        code.set_label(&mut again)?;
        code.xor(di, di)?;
        code.mov(cx, 2000)?;
        code.rep().stosw()?;
        code.inc(al)?;
        code.jmp(again)
    });
}

#[test]
fn a_line_of_ten_million_characters_is_judged_in_time() {
    restless(|code| {
        let mut again = code.create_label();
        code.mov(ecx, 10_000_000)?;
        code.mov(dx, 0x3F8)?;
        code.mov(al, u32::from(b'A'))?;
        code.set_label(&mut again)?;
        code.out(dx, al)?;
        code.dec(ecx)?;
        code.jnz(again)?;
        code.cli()?;
        let mut idle = code.create_label();
        code.set_label(&mut idle)?;
        code.jmp(idle)
    });
}

#[test]
fn a_guest_that_switches_video_modes_for_ever_is_judged_at_its_deadline() {
    restless(|code| {
        let mut again = code.create_label();
        code.set_label(&mut again)?;
        for mode in [0x13, 0x12, 3, 1] {
            code.mov(ax, mode)?;
            code.int(0x10)?;
        }
        code.jmp(again)
    });
}

/// Shows more than anybody can read, on the screen and by its mirror: colours, movements and half a sequence.
#[test]
fn a_guest_that_moves_its_cursor_for_ever_is_judged_in_time() {
    let mut program = Program::new();
    let mut again = program.code.create_label();
    program
        .with(|code| code.set_label(&mut again))
        .says("\x1b[2J\x1b[999;999Hx\x1b[1;1H\x1b[31mJ\x1b[5;20r\x1bM\x1b[?1049h\x1b[")
        .with(|code| code.jmp(again));
    let seen = program.seen_within(DEADLINE);
    assert_eq!(seen.observed.starts, Starts::Unknown, "{:?}", seen.guest());
    is_bounded(&seen);
}
