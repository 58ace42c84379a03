//! Boot programs that do what a real guest is seen to do: they print, wait, count, scroll, restart and fail.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use harness::{
    attachment::Attachment,
    case::Case,
    guest::{Guest, GuestState, Starts},
    observation::Observation,
    outcome::OutcomeKind,
    run::run,
};
use iced_x86::code_asm::{CodeAssembler, CodeLabel, registers::*, word_ptr};

use crate::common::{Bench, IMAGE, INITIAL, disc_with, seabios};

/// Where a BIOS loads a boot image.
const LOADED_AT: u64 = 0x7C00;
const COM1: u32 = 0x3F8;
const COM1_STATUS: u32 = 0x3FD;
/// The BIOS counts these, 18.2 a second.
const TICKS: u32 = 0x46C;
/// What fits between the load address and the end of its segment.
const LARGEST: usize = 66 * 512;

/// The Linux kernel's first line.
pub(crate) const LINUX: &str = "[    0.000000] Linux version 6.1.0-31-amd64 (someone@somewhere)\n";

/// A boot program, as it is written.
pub(crate) struct Program {
    pub(crate) code: CodeAssembler,
    serial: CodeLabel,
    cells: CodeLabel,
    pause: CodeLabel,
}

impl Program {
    /// Begins when SeaBIOS's serial mirror has sent what it holds back: a moment after interrupts are on.
    pub(crate) fn new() -> Self {
        let mut program = Self::abrupt();
        program.waits(Duration::from_millis(150));
        program
    }

    /// Begins at once, in the middle of the firmware's last line on the serial line.
    pub(crate) fn abrupt() -> Self {
        let mut code = CodeAssembler::new(16).expect("assembler");
        let mut program = Self {
            serial: code.create_label(),
            cells: code.create_label(),
            pause: code.create_label(),
            code,
        };
        program.routines().expect("code");
        program
    }

    /// Each prints the text that stands behind the call, up to a zero.
    fn routines(&mut self) -> Result<(), iced_x86::IcedError> {
        let code = &mut self.code;
        let mut main = code.create_label();
        code.cli()?;
        code.cld()?;
        code.xor(ax, ax)?;
        code.mov(ds, ax)?;
        code.mov(ss, ax)?;
        code.mov(sp, 0x7C00)?;
        code.jmp(main)?;

        let (mut next, mut busy, mut done) = labels(code);
        code.set_label(&mut self.serial)?;
        code.pop(si)?;
        code.set_label(&mut next)?;
        code.lodsb()?;
        code.test(al, al)?;
        code.jz(done)?;
        code.mov(ah, al)?;
        code.mov(dx, COM1_STATUS)?;
        code.set_label(&mut busy)?;
        code.in_(al, dx)?;
        code.test(al, 0x20)?;
        code.jz(busy)?;
        code.mov(al, ah)?;
        code.mov(dx, COM1)?;
        code.out(dx, al)?;
        code.jmp(next)?;
        code.set_label(&mut done)?;
        code.jmp(si)?;

        // To the cells from DI on.
        let (mut next, mut done, _) = labels(code);
        code.set_label(&mut self.cells)?;
        code.mov(ax, 0xB800)?;
        code.mov(es, ax)?;
        code.pop(si)?;
        code.mov(ah, 7)?;
        code.set_label(&mut next)?;
        code.lodsb()?;
        code.test(al, al)?;
        code.jz(done)?;
        code.stosw()?;
        code.jmp(next)?;
        code.set_label(&mut done)?;
        code.jmp(si)?;

        // For as many ticks as CX says, interrupts on.
        let (mut next, _, _) = labels(code);
        code.set_label(&mut self.pause)?;
        code.mov(bx, word_ptr(TICKS))?;
        code.set_label(&mut next)?;
        code.sti()?;
        code.hlt()?;
        code.cli()?;
        code.mov(ax, word_ptr(TICKS))?;
        code.sub(ax, bx)?;
        code.cmp(ax, cx)?;
        code.jb(next)?;
        code.ret()?;

        code.set_label(&mut main)?;
        code.zero_bytes()
    }

    fn print(&mut self, routine: CodeLabel, text: &[u8]) -> &mut Self {
        self.code.call(routine).expect("code");
        self.code.db(text).expect("text");
        self.code.db(&[0]).expect("text");
        self
    }

    /// On COM1, as it is.
    pub(crate) fn says(&mut self, text: &str) -> &mut Self {
        self.print(self.serial, text.replace('\n', "\r\n").as_bytes())
    }

    /// Into text memory, from this cell on.
    pub(crate) fn places(&mut self, cell: u32, text: &str) -> &mut Self {
        self.code.mov(di, cell * 2).expect("code");
        self.print(self.cells, text.as_bytes())
    }

    /// Blanks the first page of text memory.
    pub(crate) fn clears(&mut self) -> &mut Self {
        self.with(|code| {
            code.mov(ax, 0xB800)?;
            code.mov(es, ax)?;
            code.xor(di, di)?;
            code.mov(ax, 0x0720)?;
            code.mov(cx, 80 * 25)?;
            code.rep().stosw()
        })
    }

    pub(crate) fn waits(&mut self, time: Duration) -> &mut Self {
        let ticks = u32::try_from(time.as_millis() * 182 / 10_000).expect("short");
        self.code.mov(cx, ticks).expect("code");
        self.code.call(self.pause).expect("code");
        self
    }

    /// Runs with interrupts off until the clock has shown so many new seconds.
    pub(crate) fn works(&mut self, seconds: u32) -> &mut Self {
        self.with(|code| {
            let (mut second, mut same, _) = labels(code);
            code.mov(cx, seconds)?;
            code.xor(ax, ax)?;
            code.out(0x70, al)?;
            code.set_label(&mut second)?;
            code.in_(al, 0x71)?;
            code.mov(bl, al)?;
            code.set_label(&mut same)?;
            code.in_(al, 0x71)?;
            code.cmp(al, bl)?;
            code.je(same)?;
            code.dec(cx)?;
            code.jnz(second)
        })
    }

    pub(crate) fn with(
        &mut self,
        code: impl FnOnce(&mut CodeAssembler) -> Result<(), iced_x86::IcedError>,
    ) -> &mut Self {
        code(&mut self.code).expect("code");
        self
    }

    /// Writes a register of the CRT controller.
    pub(crate) fn sets_crtc(&mut self, index: u32, value: u32) -> &mut Self {
        self.with(|code| {
            code.mov(dx, 0x3D4)?;
            code.mov(ax, value << 8 | index)?;
            code.out(dx, ax)
        })
    }

    /// Shows text memory from this cell on.
    pub(crate) fn scrolls_to(&mut self, cell: u32) -> &mut Self {
        self.sets_crtc(0x0C, cell >> 8).sets_crtc(0x0D, cell & 0xFF)
    }

    /// Waits for ever, interrupts on: what a guest does that is well.
    pub(crate) fn idles(&mut self) -> &mut Self {
        self.with(|code| {
            let mut again = code.create_label();
            code.set_label(&mut again)?;
            code.sti()?;
            code.hlt()?;
            code.jmp(again)
        })
    }

    /// Stops for good.
    pub(crate) fn halts(&mut self) -> &mut Self {
        self.with(|code| {
            let mut again = code.create_label();
            code.cli()?;
            code.set_label(&mut again)?;
            code.hlt()?;
            code.jmp(again)
        })
    }

    pub(crate) fn resets(&mut self) -> &mut Self {
        self.with(|code| {
            code.mov(dx, 0xCF9)?;
            code.mov(al, 6)?;
            code.out(dx, al)
        })
        .halts()
    }

    /// A disc that boots it.
    pub(crate) fn disc(&mut self) -> Vec<u8> {
        let image = self.code.assemble(LOADED_AT).expect("assembles");
        assert!(image.len() <= LARGEST, "{} bytes", image.len());
        let mut disc = disc_with(&[]);
        let sectors = u16::try_from(image.len().div_ceil(512)).expect("few");
        disc[INITIAL + 6..][..2].copy_from_slice(&sectors.to_le_bytes());
        disc[IMAGE..][..image.len()].copy_from_slice(&image);
        disc
    }

    /// Boots it, with at most so much time.
    pub(crate) fn seen_within(&mut self, deadline: Duration) -> Seen {
        self.seen(|case| case.deadline = Some(deadline))
    }

    pub(crate) fn seen(&mut self, change: impl FnOnce(&mut Case)) -> Seen {
        Seen::of(&self.disc(), change)
    }
}

/// So many labels as any routine here needs.
fn labels(code: &mut CodeAssembler) -> (CodeLabel, CodeLabel, CodeLabel) {
    (
        code.create_label(),
        code.create_label(),
        code.create_label(),
    )
}

/// What was seen of a guest.
pub(crate) struct Seen {
    pub(crate) bench: Bench,
    pub(crate) observed: Observation,
    /// From the first to the last, as a user waits for it.
    pub(crate) took: Duration,
}

impl Seen {
    pub(crate) fn of(disc: &[u8], change: impl FnOnce(&mut Case)) -> Self {
        let bench = Bench::new(disc);
        let mut case = bench.case(seabios(), Attachment::Ide);
        change(&mut case);
        let began = Instant::now();
        let observed = run(&case).expect("an outcome, not a failure of the host");
        Self {
            bench,
            observed,
            took: began.elapsed(),
        }
    }

    /// What the guest came to. A boot that asks for something else has none.
    #[track_caller]
    pub(crate) fn guest(&self) -> &Guest {
        let guest = self.observed.guest.as_ref();
        guest.unwrap_or_else(|| panic!("no guest: {:?}", self.observed.outcome))
    }

    #[track_caller]
    pub(crate) fn came_to(&self, kind: OutcomeKind, state: GuestState, starts: Starts) -> &Self {
        let (outcome, guest) = (&self.observed.outcome, self.guest());
        assert_eq!(outcome.kind, kind, "{outcome:?}, {guest:?}");
        assert_eq!(guest.state, state, "{outcome:?}, {guest:?}");
        assert_eq!(self.observed.starts, starts, "{outcome:?}, {guest:?}");
        self
    }

    /// The guest's decisive words hold this.
    #[track_caller]
    pub(crate) fn said(&self, words: &str) -> &Self {
        assert!(self.guest().said.contains(words), "{:?}", self.guest());
        self
    }
}

/// The examples of all known words, file by file.
pub(crate) fn known_words() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/guest/words");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .expect("folder")
        .map(|entry| entry.expect("entry").path())
        .collect();
    files.sort();
    let examples = files.iter().flat_map(|path| {
        let text = std::fs::read_to_string(path).expect("words");
        let file: toml::Table = text.parse().expect("TOML");
        let name = file["program"].as_str().expect("program").to_owned();
        let words = file["words"].as_array().expect("words").clone();
        words.into_iter().filter_map(move |words| {
            let example = words.get("example")?.as_str()?.to_owned();
            Some((name.clone(), example))
        })
    });
    examples.collect()
}
