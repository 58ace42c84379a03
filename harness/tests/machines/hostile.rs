//! Discs that mean harm. Whatever they do, a machine comes to an end in time, says what happened, and leaves the host as it was.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use harness::{attachment::Attachment, observation::Observation, outcome::OutcomeKind, run::run};
use iced_x86::{
    IcedError,
    code_asm::{CodeAssembler, dword_ptr, fword_ptr, registers::*},
};

use crate::{
    common::{Bench, disc_with, seabios},
    figures,
};

/// Where a BIOS loads a boot image.
const LOADED_AT: u64 = 0x7C00;
/// Where the data of a boot image stands that begins with [`data`].
const DATA: u32 = 0x7C02;
const COM1: u32 = 0x3F8;
const DEBUG_PORT: u32 = 0x402;
/// Nothing that a guest does may leave more than this.
const MOST_EVIDENCE: u64 = 256 << 20;
/// So much memory is enough to watch it, in KiB.
const MOST_MEMORY_KIB: u64 = 512 << 10;
/// The longest that any of them may take, on a busy host too.
const LONGEST: Duration = Duration::from_secs(300);
/// Long enough for what does not end by itself.
const SHORT: Duration = Duration::from_secs(4);

/// Boots code, and looks at what it leaves.
fn boots(
    name: &str,
    attachment: Attachment,
    code: impl FnOnce(&mut CodeAssembler) -> Result<(), IcedError>,
) -> Observation {
    boots_within(SHORT, name, attachment, code)
}

/// As [`boots`], with a deadline.
fn boots_within(
    deadline: Duration,
    name: &str,
    attachment: Attachment,
    code: impl FnOnce(&mut CodeAssembler) -> Result<(), IcedError>,
) -> Observation {
    let mut assembler = CodeAssembler::new(16).expect("assembler");
    code(&mut assembler).expect("code");
    let image = assembler.assemble(LOADED_AT).expect("assembles");
    let mut disc = disc_with(&image);
    // As a disk, by its master boot record.
    let system_area = disc.get_mut(..image.len().min(440)).expect("system area");
    system_area.copy_from_slice(&image[..image.len().min(440)]);
    disc[510..512].copy_from_slice(&[0x55, 0xAA]);
    let bench = Bench::new(&disc);
    let began = Instant::now();
    let mut case = bench.case(seabios(), attachment);
    // Only for what is not ended before by what it does.
    case.deadline = Some(deadline);
    let seen = run(&case).expect("an outcome, not a failure of the host");
    let took = began.elapsed();

    assert!(took < LONGEST, "{name}: {took:?}");
    assert!(
        fs::read(bench.path("disc.iso")).expect("disc") == disc,
        "{name} has changed the disc"
    );
    let evidence = bytes_below(&bench.path("evidence"));
    assert!(evidence < MOST_EVIDENCE, "{name} left {evidence} bytes");
    assert!(!bench.path("evidence/machine").exists(), "{name}");
    let memory = peak_memory_kib();
    assert!(memory < MOST_MEMORY_KIB, "{name}: {memory} KiB");
    assert_eq!(processes_in(&bench.path("")), 0, "{name} lives on");
    tell(name, attachment, &seen, took, evidence, memory);
    seen
}

/// Begins a boot image with data, at [`DATA`], and a jump over it.
fn data(code: &mut CodeAssembler, data: &[u8]) -> Result<(), IcedError> {
    code.db(&[0xEB, u8::try_from(data.len()).expect("short")])?;
    code.db(data)
}

fn bytes_below(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder)
        .expect("folder")
        .map(|entry| entry.expect("entry"));
    entries
        .map(|entry| {
            let metadata = entry.metadata().expect("metadata");
            if metadata.is_dir() {
                bytes_below(&entry.path())
            } else {
                metadata.len()
            }
        })
        .sum()
}

/// The most memory that this process has had.
fn peak_memory_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("status");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().split(' ').next()?.parse().ok());
    kib.expect("VmHWM")
}

/// How many processes run in a folder or below it.
fn processes_in(folder: &Path) -> usize {
    let folder = folder.canonicalize().expect("folder");
    let processes = fs::read_dir("/proc").expect("/proc").flatten();
    processes
        .filter_map(|process| fs::read_link(process.path().join("cwd")).ok())
        .filter(|cwd| cwd.starts_with(&folder))
        .count()
}

fn tell(
    guest: &str,
    attachment: Attachment,
    seen: &Observation,
    took: Duration,
    evidence: u64,
    memory_kib: u64,
) {
    figures::tell(&[
        ("guest", guest.to_owned()),
        ("attachment", attachment.to_string()),
        ("outcome", seen.outcome.to_string()),
        ("seconds", format!("{:.1}", took.as_secs_f32())),
        ("evidence", format!("{} KiB", evidence.div_ceil(1024))),
        ("our memory", format!("{} MiB", memory_kib.div_ceil(1024))),
    ]);
}

/// Writes each value to each port of I/O space in turn, and reads it. Some switch the machine off, or reset it.
#[test]
fn every_port_is_hammered() {
    let seen = boots(
        "writes to and reads from every I/O port",
        Attachment::Ide,
        |code| {
            let (mut value, mut port) = (code.create_label(), code.create_label());
            code.cli()?;
            code.xor(bx, bx)?;
            code.set_label(&mut value)?;
            code.xor(dx, dx)?;
            code.set_label(&mut port)?;
            code.in_(al, dx)?;
            code.mov(al, bl)?;
            code.out(dx, al)?;
            code.inc(dx)?;
            code.jnz(port)?;
            code.inc(bl)?;
            code.jmp(value)
        },
    );
    assert_eq!(seen.outcome.kind, OutcomeKind::Reset, "{:?}", seen.outcome);
}

/// A channel takes a while to fill: in short, the deadline comes first.
fn patience() -> Duration {
    if figures::wanted() { LONGEST } else { SHORT }
}

fn assert_flooded(seen: &Observation, channel: &str) {
    let detail = &seen.outcome.detail;
    if patience() == LONGEST {
        assert!(detail.contains(channel), "{detail}");
    } else {
        // Beside other work QEMU waits for us to read more than it runs.
        let ended = detail.contains("no decision") || detail.contains("too busy");
        assert!(ended, "{detail}");
    }
}

/// Fills a port with memory for ever: 64 KiB at a time, and many a GiB if nobody ends it.
fn floods(code: &mut CodeAssembler, port: u32) -> Result<(), IcedError> {
    let mut again = code.create_label();
    code.cli()?;
    code.cld()?;
    code.xor(si, si)?;
    code.mov(ds, si)?;
    code.mov(dx, port)?;
    code.set_label(&mut again)?;
    code.mov(cx, 0xFFFF_u32)?;
    code.rep().outsb()?;
    code.jmp(again)
}

#[test]
fn the_serial_line_is_filled() {
    let seen = boots_within(
        patience(),
        "fills the serial line",
        Attachment::Ide,
        |code| floods(code, COM1),
    );
    assert_eq!(
        seen.outcome.kind,
        OutcomeKind::HandedOver,
        "{:?}",
        seen.outcome
    );
    assert_flooded(&seen, "serial line");
}

#[test]
fn the_debug_port_is_filled() {
    let seen = boots_within(
        patience(),
        "fills the debug port",
        Attachment::Ide,
        |code| floods(code, DEBUG_PORT),
    );
    assert_eq!(seen.outcome.kind, OutcomeKind::Hung, "{:?}", seen.outcome);
    assert_flooded(&seen, "debug port");
}

/// Writes sectors over the drive that it was booted from, by both services of the BIOS, and says with which code the last one came back.
fn overwrites(code: &mut CodeAssembler) -> Result<(), IcedError> {
    let mut again = code.create_label();
    // A packet of 16 bytes: one sector from 0:7C00h to sector 0.
    data(
        code,
        &[16, 0, 1, 0, 0x00, 0x7C, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    )?;
    code.xor(ax, ax)?;
    code.mov(ds, ax)?;
    code.mov(es, ax)?;
    code.mov(bx, 0x7C00_u32)?;
    code.mov(di, 100)?;
    code.set_label(&mut again)?;
    code.mov(ax, 0x0301_u32)?;
    code.mov(cx, 1)?;
    code.mov(dh, 0)?;
    code.int(0x13)?;
    code.mov(si, DATA)?;
    code.mov(ax, 0x4300_u32)?;
    code.int(0x13)?;
    code.dec(di)?;
    code.jnz(again)?;
    code.mov(al, ah)?;
    code.mov(dx, COM1)?;
    code.out(dx, al)?;
    code.mov(al, u32::from(b'W'))?;
    code.out(dx, al)?;
    code.cli()?;
    code.hlt()
}

#[test]
fn the_disc_is_written_to() {
    for attachment in [
        Attachment::Ide,
        Attachment::Ahci,
        Attachment::Scsi,
        Attachment::UsbDisk,
        Attachment::VirtioBlk,
        Attachment::Nvme,
    ] {
        let seen = boots("writes to the disc", attachment, overwrites);
        assert_eq!(seen.outcome.kind, OutcomeKind::Hung, "{:?}", seen.outcome);
    }
}

#[test]
fn a_fault_within_a_fault_within_a_fault() {
    let seen = boots("faults three times over", Attachment::Ide, |code| {
        // A table of interrupts without an entry.
        data(code, &[0; 6])?;
        code.xor(ax, ax)?;
        code.mov(ds, ax)?;
        code.lidt(fword_ptr(DATA))?;
        code.int3()
    });
    assert_eq!(seen.outcome.kind, OutcomeKind::Reset, "{:?}", seen.outcome);
}

#[test]
fn it_halts_with_interrupts_on_and_off() {
    let seen = boots("halts, interrupts off", Attachment::Ide, |code| {
        code.cli()?;
        code.hlt()
    });
    assert_eq!(seen.outcome.kind, OutcomeKind::Hung, "{:?}", seen.outcome);
    let seen = boots("halts forever, interrupts on", Attachment::Ide, |code| {
        let mut again = code.create_label();
        code.sti()?;
        code.set_label(&mut again)?;
        code.hlt()?;
        code.jmp(again)
    });
    assert_eq!(seen.outcome.kind, OutcomeKind::Hung, "{:?}", seen.outcome);
}

#[test]
fn it_spins() {
    let seen = boots("spins, interrupts on", Attachment::Ide, |code| {
        let mut again = code.create_label();
        code.sti()?;
        code.set_label(&mut again)?;
        code.jmp(again)
    });
    assert_eq!(seen.outcome.kind, OutcomeKind::Hung, "{:?}", seen.outcome);
}

#[test]
fn it_resets_for_ever() {
    let seen = boots(
        "resets through the keyboard controller",
        Attachment::Ide,
        |code| {
            let mut again = code.create_label();
            code.set_label(&mut again)?;
            code.mov(al, 0xFE_u32)?;
            code.out(0x64, al)?;
            code.jmp(again)
        },
    );
    assert_eq!(seen.outcome.kind, OutcomeKind::Reset, "{:?}", seen.outcome);
}

/// Reads its disc for ever, sector by sector: the log of reads grows with it.
#[test]
fn it_reads_for_ever() {
    let seen = boots("reads the disc forever", Attachment::Ide, |code| {
        let mut again = code.create_label();
        // A packet of 16 bytes: block 16 to 2000h:0.
        data(code, &[16, 0, 1, 0, 0, 0, 0, 0x20, 16, 0, 0, 0, 0, 0, 0, 0])?;
        code.xor(ax, ax)?;
        code.mov(ds, ax)?;
        code.set_label(&mut again)?;
        code.mov(si, DATA)?;
        code.mov(ax, 0x4200_u32)?;
        code.int(0x13)?;
        code.jmp(again)
    });
    assert_eq!(
        seen.outcome.kind,
        OutcomeKind::HandedOver,
        "{:?}",
        seen.outcome
    );
}

/// Has QEMU's fw_cfg device write to all of the address space by direct memory access, 1 MiB after the other and then all that a length
/// can name (docs/specs/fw_cfg.rst of QEMU: control, length and address, big-endian, the address of which goes to port 518h).
#[test]
fn it_asks_for_memory_everywhere() {
    let seen = boots(
        "direct memory access to every address",
        Attachment::Ide,
        |code| {
            let mut next = code.create_label();
            code.cli()?;
            code.xor(ax, ax)?;
            code.mov(ds, ax)?;
            // Select item 0 and read it.
            code.mov(dword_ptr(DATA), 0x0A00_0000_u32)?;
            code.mov(dx, 0x518_u32)?;
            // From the top down, or the first would be the last: our own code is below.
            code.mov(ebx, 0xFFF0_0000_u32)?;
            code.set_label(&mut next)?;
            code.mov(eax, ebx)?;
            code.bswap(eax)?;
            code.mov(dword_ptr(DATA + 12), eax)?;
            code.mov(eax, 0x7C02_u32)?;
            code.bswap(eax)?;
            code.out(dx, eax)?;
            code.sub(ebx, 0x0010_0000)?;
            code.jnz(next)?;
            // And now as much as a length can name, for ever.
            code.mov(dword_ptr(DATA + 4), 0xFFFF_FFFF_u32)?;
            code.mov(ebx, 0x0010_0000_u32)?;
            code.jmp(next)
        },
    );
    assert_ne!(seen.outcome.kind, OutcomeKind::Booted, "{:?}", seen.outcome);
}
