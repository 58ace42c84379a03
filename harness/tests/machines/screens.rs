//! What real machines show, in text modes and in graphics modes.

use std::time::{Duration, Instant};

use harness::{
    emulator::Stop,
    machine::{Event, Machine},
    screen::{self, Mode, Screen},
};
use iced_x86::{
    IcedError,
    code_asm::{CodeAssembler, byte_ptr, registers::*, word_ptr},
};
use serde_json::json;

use crate::common::{Bench, disc_with};

/// Where a BIOS loads a boot image.
const LOADED_AT: u64 = 0x7C00;
const PATIENCE: Duration = Duration::from_secs(30);

/// A machine that boots this code.
fn boots(code: impl FnOnce(&mut CodeAssembler) -> Result<(), IcedError>) -> (Bench, Machine) {
    let mut assembler = CodeAssembler::new(16).expect("assembler");
    code(&mut assembler).expect("code");
    let image = assembler.assemble(LOADED_AT).expect("assembles");
    let bench = Bench::new(&disc_with(&image));
    let machine = bench.machine(&bench.path("disc.iso"));
    (bench, machine)
}

/// What QEMU's monitor reads from a port of the machine.
fn at_port(machine: &mut Machine, port: &str) -> String {
    let arguments = json!({ "command-line": format!("i /b {port}") });
    let told = machine.command("human-monitor-command", &arguments);
    told.expect("a port").as_str().expect("text").to_owned()
}

/// Looks until the screen is as it is to be.
fn look_until(machine: &mut Machine, wanted: impl Fn(&Screen) -> bool) -> Screen {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let seen = screen::read(machine).expect("a screen");
        if wanted(&seen) {
            return seen;
        }
        assert!(Instant::now() < deadline, "{seen:#?}");
        // What else it says is of no interest, and what it says of being stopped comes at once.
        let pause = Instant::now() + Duration::from_millis(50);
        while let Some(_event) = machine.next_event(pause).expect("events") {}
    }
}

/// Writes a register of the CRT controller.
fn crtc(code: &mut CodeAssembler, index: u32, value: u32) -> Result<(), IcedError> {
    code.mov(dx, 0x3D4)?;
    code.mov(ax, value << 8 | index)?;
    code.out(dx, ax)
}

fn halts(code: &mut CodeAssembler) -> Result<(), IcedError> {
    let mut forever = code.create_label();
    code.cli()?;
    code.set_label(&mut forever)?;
    code.hlt()?;
    code.jmp(forever)
}

/// Writes a character into each of the 16,384 cells of text memory: `A` in those of the first line, `B` in the next.
fn fills_text_memory(code: &mut CodeAssembler) -> Result<(), IcedError> {
    let (mut line, mut same) = (code.create_label(), code.create_label());
    code.cld()?;
    code.mov(ax, 0xB800)?;
    code.mov(es, ax)?;
    code.xor(di, di)?;
    code.mov(ax, 0x0741)?;
    code.set_label(&mut line)?;
    code.mov(cx, 80)?;
    code.rep().stosw()?;
    code.inc(al)?;
    code.cmp(al, i32::from(b'Z') + 1)?;
    code.jne(same)?;
    code.mov(al, u32::from(b'A'))?;
    code.set_label(&mut same)?;
    code.cmp(di, 0x7F00)?;
    code.jb(line)
}

#[test]
fn a_screen_that_has_scrolled_is_read_where_it_begins_now() {
    let (_bench, mut machine) = boots(|code| {
        fills_text_memory(code)?;
        // Five lines further, as Linux's console scrolls.
        crtc(code, 0x0C, 400 >> 8)?;
        crtc(code, 0x0D, 400 & 0xFF)?;
        // An index that a program has chosen and not used yet.
        code.mov(al, 0x0E_u32)?;
        code.out(dx, al)?;
        halts(code)
    });
    let seen = look_until(&mut machine, |seen| seen.text.starts_with("FFF"));
    let letters: String = seen
        .text
        .lines()
        .filter_map(|line| line.chars().next())
        .collect();
    assert_eq!(letters, "FGHIJKLMNOPQRSTUVWXYZABCD");
    assert_eq!(seen.mode, Mode::Text { columns: 80 });
    // The machine goes on, and finds its index as it left it.
    let status = machine.command("query-status", &json!({})).expect("status");
    assert_eq!(status["status"], "running");
    let index = at_port(&mut machine, "0x3d4");
    assert!(index.contains("= 0x0e"), "{index}");
    let again = screen::read(&mut machine).expect("a screen");
    assert_eq!(again, seen);
}

#[test]
fn what_text_memory_holds_is_not_the_screen_of_a_graphics_mode() {
    let (_bench, mut machine) = boots(|code| {
        fills_text_memory(code)?;
        code.mov(ax, 0x13)?;
        code.int(0x10)?;
        code.mov(ax, 0xA000)?;
        code.mov(es, ax)?;
        // Stripes of every colour.
        let mut next = code.create_label();
        code.xor(di, di)?;
        code.set_label(&mut next)?;
        code.mov(ax, di)?;
        code.mov(byte_ptr(di).es(), al)?;
        code.inc(di)?;
        code.jnz(next)?;
        halts(code)
    });
    let is_graphic = |seen: &Screen| seen.mode == Mode::Graphic;
    look_until(&mut machine, is_graphic);
    // The last of the stripes may not be there when the first are seen.
    while !machine.registers().expect("registers").contains("HLT=1") {
        look_until(&mut machine, is_graphic);
    }
    let seen = look_until(&mut machine, is_graphic);
    assert_eq!(seen.text, "");
    // What stands in text memory then is the end of the picture.
    let again = screen::read(&mut machine).expect("a screen");
    assert_eq!(again.fingerprint, seen.fingerprint);
}

#[test]
fn text_that_the_bios_draws_in_a_graphics_mode_is_read() {
    let (_bench, mut machine) = boots(|code| {
        // 640 × 480 pixels in 16 colours, in which the BIOS draws its 8 × 16 font.
        code.mov(ax, 0x12)?;
        code.int(0x10)?;
        for letter in b"live system" {
            code.mov(ax, 0x0E00 | u32::from(*letter))?;
            code.mov(bx, 7)?;
            code.int(0x10)?;
        }
        halts(code)
    });
    let seen = look_until(&mut machine, |seen| seen.text == "live system");
    assert_eq!(seen.mode, Mode::DrawnText { columns: 80 });
}

#[test]
fn the_monochrome_adapter_s_memory_is_text_too() {
    let (_bench, mut machine) = boots(|code| {
        code.mov(ax, 7)?;
        code.int(0x10)?;
        code.mov(ax, 0xB000)?;
        code.mov(es, ax)?;
        for (cell, letter) in b"BIOS".iter().enumerate() {
            let cell = u32::try_from(cell * 2).expect("a small number");
            code.mov(word_ptr(cell).es(), 0x0700 | u32::from(*letter))?;
        }
        halts(code)
    });
    let seen = look_until(&mut machine, |seen| seen.text == "BIOS");
    assert_eq!(seen.mode, Mode::Text { columns: 80 });
}

#[test]
fn a_guest_that_redraws_for_ever_is_read_at_each_look_and_goes_on() {
    let (_bench, mut machine) = boots(|code| {
        let (mut again, mut next) = (code.create_label(), code.create_label());
        code.cli()?;
        code.mov(ax, 0xB800)?;
        code.mov(es, ax)?;
        code.mov(al, u32::from(b'a'))?;
        code.set_label(&mut again)?;
        // It chooses its register anew for each character: looking must not change which one it writes.
        code.mov(dx, 0x3D4)?;
        code.mov(bl, al)?;
        code.mov(al, 0x0F_u32)?;
        code.out(dx, al)?;
        code.mov(al, bl)?;
        code.inc(dx)?;
        code.out(dx, al)?;
        code.mov(byte_ptr(0).es(), al)?;
        code.inc(al)?;
        code.cmp(al, i32::from(b'z') + 1)?;
        code.jne(next)?;
        code.mov(al, u32::from(b'a'))?;
        code.set_label(&mut next)?;
        code.jmp(again)
    });
    let is_letter = |seen: &Screen| {
        seen.text
            .starts_with(|first: char| first.is_ascii_lowercase())
    };
    let first = look_until(&mut machine, is_letter);
    let began = Instant::now();
    for _ in 0..50 {
        assert!(is_letter(&screen::read(&mut machine).expect("a screen")));
    }
    println!("a look: {:?}", began.elapsed() / 50);
    look_until(&mut machine, |seen| seen.fingerprint != first.fingerprint);
    // Mode 3 as it was: no register was written that the guest did not mean.
    for (index, value) in [
        (0x01, "0x4f"),
        (0x0C, "0x00"),
        (0x0D, "0x00"),
        (0x13, "0x28"),
    ] {
        let told = at_port(&mut machine, &format!("0x3d4.{index:#x}"));
        assert!(told.contains(value), "{index:#x}: {told}");
    }
}

#[test]
fn a_machine_that_switched_itself_off_is_read_and_stays_off() {
    let (_bench, mut machine) = boots(|code| {
        code.mov(ax, 0x0E58)?;
        code.int(0x10)?;
        // The ACPI block of the i440FX.
        code.mov(dx, 0xB004)?;
        code.mov(ax, 0x2000)?;
        code.out(dx, ax)?;
        code.mov(dx, 0x604)?;
        code.out(dx, ax)?;
        halts(code)
    });
    let deadline = Instant::now() + PATIENCE;
    loop {
        match machine.next_event(deadline).expect("events") {
            Some(Event::Stopped(Stop::Off)) => break,
            Some(_) => {}
            None => panic!("it does not switch itself off"),
        }
    }
    let seen = screen::read(&mut machine).expect("a screen");
    assert!(seen.text.ends_with('X'), "{seen:?}");
    let status = machine.command("query-status", &json!({})).expect("status");
    assert_eq!(status["status"], "shutdown");
}
