//! A stranger's program being watched: its terminal, its screen, the kernels that it reads.

use std::{
    collections::HashSet, fs::File, num::NonZero, os::unix::fs::FileExt, sync::Arc, time::Duration,
};

use images::{
    boot_configuration::{BootConfigurations, Configuration, Entry, Loader, Start},
    fat::FatStructure,
    map::{DiscMap, Extent, Structure},
};
use vt100::Parser;

use super::{
    Guest, GuestStage, GuestState, SaidBy, Standing, Vocabulary, Waits, follow::Follower,
    rounds::Rounds,
};
use crate::{
    case::Case,
    firmware::FirmwareKind,
    observation::DiscRead,
    rules,
    screen::{self, Fingerprint},
};

/// So many bytes are played out on the terminal before its words are looked at: fewer lines than it has.
const PIECE: usize = 1024;
/// Clears a terminal.
const CLEAR: &[u8] = b"\x1b[2J";
/// So many pieces of what came at once are looked at, the last ones: a guest that floods its line is not worth more.
const PIECES: usize = 8;
/// A shorter file is no kernel.
const SHORTEST_KERNEL: u64 = 1 << 20;
/// So many files are looked into for a kernel.
const MOST_FILES: usize = 256;
/// "HdrS", where a Linux kernel has it (Documentation/arch/x86/boot.rst).
const KERNEL_MARK: (u64, &[u8; 4]) = (0x202, b"HdrS");

/// What is seen of a guest.
pub(crate) struct GuestWatch {
    follower: Follower,
    terminal: Parser,
    kernels: Vec<Kernel>,
    /// A kernel was read: one of Linux, or any other that the disc's own bytes or configurations show.
    kernel_was_read: bool,
    reads_seen: usize,
    rounds: Rounds,
    /// The pictures since the last other sign of life: one that comes again, as a blinking cursor's, is none.
    pictures: HashSet<Fingerprint>,
    /// How often the firmware handed over.
    entries: usize,
    /// What the firmware itself wrote on the serial line.
    firmware: String,
    configurations: Arc<BootConfigurations>,
}

impl GuestWatch {
    pub(crate) fn of(case: &Case, rows_and_columns: (NonZero<u16>, NonZero<u16>)) -> Self {
        let words = case.words.clone().unwrap_or_else(Vocabulary::builtin);
        let kernels = case.map.as_deref().and_then(|map| {
            let disc = File::open(&case.disc).ok()?;
            Some(kernels(map, &disc, &case.configurations))
        });
        Self {
            kernels: kernels.unwrap_or_default(),
            configurations: Arc::clone(&case.configurations),
            ..Self::with_words(words, rows_and_columns)
        }
    }

    fn with_words(words: Arc<Vocabulary>, (rows, columns): (NonZero<u16>, NonZero<u16>)) -> Self {
        Self {
            follower: Follower::new(words),
            terminal: Parser::new(rows, columns, 0),
            kernels: Vec::new(),
            kernel_was_read: false,
            reads_seen: 0,
            rounds: Rounds::default(),
            pictures: HashSet::new(),
            entries: 0,
            firmware: String::new(),
            configurations: Arc::default(),
        }
    }

    /// The firmware hands over.
    pub(crate) fn entered(&mut self, now: Duration) {
        self.entries += 1;
        self.look_at_terminal(now);
    }

    /// What the firmware itself wrote, which is not the guest's.
    pub(crate) fn firmware_wrote(&mut self, text: &str, now: Duration) {
        text.clone_into(&mut self.firmware);
        // The guest may have said its first words before that was known, and its last.
        self.look_at_terminal(now);
    }

    fn look_at_terminal(&mut self, now: Duration) -> bool {
        let shown = rules::off_the_firmware_s_line(&shown(&self.terminal), &self.firmware);
        let text = rules::without_firmware(&shown, &self.firmware);
        self.follower.see(SaidBy::Serial, &text, now)
    }

    /// Takes what came on the serial line. Says whether there are other words in it now that tell a state.
    pub(crate) fn hear(&mut self, bytes: &[u8], now: Duration) -> bool {
        let pieces = pieces(bytes);
        let mut new = false;
        for (number, piece) in pieces.iter().enumerate() {
            self.terminal.process(piece);
            if self.entries > 0 && number + PIECES >= pieces.len() {
                new |= self.look_at_terminal(now);
            }
        }
        new
    }

    /// Takes what stands on the screen: its text, and a fingerprint of the picture. Says whether that is a sign of life.
    pub(crate) fn see(&mut self, text: &str, picture: Fingerprint, now: Duration) -> bool {
        self.follower.see(SaidBy::Screen, text, now);
        self.pictures.insert(picture)
    }

    /// Takes the reads so far, of which `own` were the firmware's. Says whether there are new ones.
    pub(crate) fn read(&mut self, reads: &[DiscRead], own: usize, now: Duration) -> bool {
        let new = reads.get(self.reads_seen.max(own)..).unwrap_or_default();
        self.rounds.read(new, now);
        for kernel in &mut self.kernels {
            let read = new.iter().map(|read| kernel.overlap(read)).sum::<u64>();
            if read == 0 {
                continue;
            }
            kernel.read += read;
            // Some of it may be read ahead with what stands before it.
            if kernel.read * 2 >= kernel.behind - kernel.start {
                self.kernel_was_read = true;
                // A short one may be read with its neighbors, and without a loader that wants it.
                if kernel.is_linux {
                    self.follower.kernel_was_read(now);
                }
            }
        }
        let any = reads.len() > self.reads_seen;
        self.reads_seen = reads.len();
        any
    }

    /// Something else than the picture shows that it lives.
    pub(crate) fn lives(&mut self) {
        self.pictures.clear();
    }

    /// How far it came.
    pub(crate) fn stage(&self) -> GuestStage {
        self.follower.stage()
    }

    /// Whether a kernel was read, or printed its own words.
    pub(crate) fn has_kernel(&self) -> bool {
        self.kernel_was_read || self.stage() >= GuestStage::Kernel
    }

    /// Whether a line is what some loader is known to print.
    pub(crate) fn is_of_a_loader(&self, line: &str) -> bool {
        self.follower.is_of_a_loader(line)
    }

    /// What it may be waiting for without a word.
    pub(crate) fn waits(&self) -> Option<Waits> {
        self.follower.waits().cloned()
    }

    /// Whether it counts down.
    pub(crate) fn counts(&self, now: Duration) -> bool {
        self.follower.counts(now)
    }

    /// What its words come to.
    pub(crate) fn standing(&self, now: Duration, alive: Duration) -> Option<Standing> {
        let mut standing = self.by_words(now, alive)?;
        if standing.guest.state == GuestState::Menu
            && let Some(loader) = loader_of(&standing.guest)
        {
            standing.guest.offers = self.configurations.offers_something_on_the_disc(loader);
            // A menu that shows no countdown may have one all the same: isolinux waits at its prompt without a word.
            let hidden = self
                .configurations
                .of(loader)
                .filter_map(Configuration::start);
            let longest = hidden.filter_map(|start| match start {
                Start::Milliseconds(time) => Some(Duration::from_millis(time)),
                Start::AtOnce | Start::WhenAsked => None,
            });
            let still = now.saturating_sub(alive.max(standing.since));
            let wait = longest.max().map_or(Duration::ZERO, |time| time + BESIDES);
            standing.decides &= still >= wait.min(LONGEST_WAIT);
        }
        Some(standing)
    }

    fn by_words(&self, now: Duration, alive: Duration) -> Option<Standing> {
        if self.entries >= RESTARTED {
            let said = "The firmware starts it repeatedly.";
            let guest = Guest {
                means: said.to_owned(),
                ..Guest::unheard(GuestState::Retries, self.stage())
            };
            return Some(Standing {
                guest,
                decides: true,
                stands: true,
                since: now,
            });
        }
        // A loader that repeats its reads does not wait at its menu. Kernels may repeat reads. Firmware that started another program, such as its setup,
        // polls the drive.
        if self.stage() == GuestStage::Loader
            && self.entries <= 1
            && let Some(since) = self.rounds.since(now)
        {
            let guest = Guest {
                means: "It reads the same parts of the disc repeatedly, and nothing else"
                    .to_owned(),
                ..Guest::unheard(GuestState::Retries, self.stage())
            };
            return Some(Standing {
                guest,
                decides: true,
                stands: true,
                since,
            });
        }
        self.follower.standing(now, alive)
    }
}

/// What a guest comes to by its words alone that sends these pieces, one a second, and shows each on its screen too, as one of `columns` columns shows it.
/// For readers of any bytes.
#[must_use]
pub fn followed<'p>(
    words: Arc<Vocabulary>,
    kind: FirmwareKind,
    columns: u16,
    pieces: impl Iterator<Item = &'p [u8]>,
) -> Option<Guest> {
    let mut guest = GuestWatch::with_words(words, screen::terminal_size(kind));
    let mut now = Duration::ZERO;
    guest.entered(now);
    for piece in pieces {
        now += Duration::from_secs(1);
        guest.hear(piece, now);
        let text = rules::rejoined(&String::from_utf8_lossy(piece), Some(columns));
        guest.follower.see(SaidBy::Screen, &text, now);
    }
    let later = now + Duration::from_secs(60);
    guest.standing(later, now).map(|standing| standing.guest)
}

/// The loader whose configuration a menu's entries stand in.
fn loader_of(guest: &Guest) -> Option<Loader> {
    match guest.program.as_deref()? {
        "isolinux" => Some(Loader::Isolinux),
        "grub" => Some(Loader::Grub),
        "systemd-boot" => Some(Loader::SystemdBoot),
        _ => None,
    }
}

/// So much longer than a menu's own time it is waited for: it loads something before it says so.
const BESIDES: Duration = Duration::from_secs(2);
/// A menu that waits for longer is one that waits for a person.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Handed over to so often, a boot image that brings nothing else is started again and again.
const RESTARTED: usize = 3;

/// What came at once, in the pieces after which the terminal is looked at: before it is cleared, as a menu does after a failure, and else
/// after so many bytes.
fn pieces(bytes: &[u8]) -> Vec<&[u8]> {
    let clears = bytes.windows(CLEAR.len()).enumerate();
    let clears = clears.filter(|(_, window)| *window == CLEAR);
    let mut ends: Vec<usize> = clears.map(|(place, _)| place).collect();
    ends.push(bytes.len());
    let mut start = 0;
    let mut pieces = Vec::new();
    for end in ends {
        pieces.extend(bytes.get(start..end).unwrap_or_default().chunks(PIECE));
        start = end;
    }
    pieces
}

/// The lines of a terminal, those that its edge broke joined again.
///
/// A line that once went on keeps that mark when a program draws a box over it, as shim does over the firmware's lines: a blank or a box's edge begins no rest of a line.
fn shown(terminal: &Parser) -> String {
    let screen = terminal.screen();
    let (_, columns) = screen.size();
    let mut text = String::new();
    let rows: Vec<String> = screen.rows(0, columns.get()).collect();
    for (number, row) in rows.iter().enumerate() {
        let goes_on = u16::try_from(number).is_ok_and(|number| screen.row_wrapped(number));
        let begins_rest = |first: char| {
            !matches!(
                first,
                ' ' | '|' | '\u{2500}'..='\u{257F}' | char::REPLACEMENT_CHARACTER
            )
        };
        let rest = rows.get(number + 1);
        if goes_on && rest.is_some_and(|rest| rest.starts_with(begins_rest)) {
            text.push_str(row);
        } else {
            text.push_str(row.trim_end());
            text.push('\n');
        }
    }
    text
}

/// A kernel on the disc.
#[derive(Debug, PartialEq, Eq)]
struct Kernel {
    /// Its first byte, and the one behind its last.
    start: u64,
    behind: u64,
    /// How much of it was read.
    read: u64,
    /// It has the mark of Linux, and is as long as one.
    is_linux: bool,
}

impl Kernel {
    /// How much of it a read brings.
    fn overlap(&self, read: &DiscRead) -> u64 {
        let end = read.offset.saturating_add(read.bytes);
        end.min(self.behind)
            .saturating_sub(read.offset.max(self.start))
    }
}

/// The kernels on a disc: those of Linux, those with a Multiboot header, and those that configurations name.
fn kernels(map: &DiscMap, disc: &File, configurations: &BootConfigurations) -> Vec<Kernel> {
    let named: HashSet<String> = configurations
        .all
        .iter()
        .flat_map(|configuration| &configuration.entries)
        .filter_map(kernel_of)
        .collect();
    let files = map.extents().iter().filter(|extent| {
        path_of(&extent.what).is_some() && extent.before.get() == 0 && extent.bytes.get() > 0
    });
    let is_linux = |extent: &Extent| {
        let (at, mark) = KERNEL_MARK;
        extent.whole.get() >= SHORTEST_KERNEL
            && beginning(disc, extent.offset.saturating_add(at), mark.len()) == mark
    };
    let of = |extent: &Extent, is_linux| Kernel {
        start: extent.offset,
        behind: extent.end(),
        read: 0,
        is_linux,
    };
    let mut looked_into = 0;
    files
        .filter_map(|extent| {
            let path = path_of(&extent.what)?;
            if named.contains(&path.to_ascii_lowercase()) {
                return Some(of(extent, is_linux(extent)));
            }
            looked_into += 1;
            if looked_into > MOST_FILES || !matches!(extent.what, Structure::File { .. }) {
                return None;
            }
            let linux = is_linux(extent);
            let length = usize::try_from(extent.bytes.get()).unwrap_or(usize::MAX);
            let head = beginning(disc, extent.offset, length.min(MULTIBOOT2_WITHIN));
            (linux || has_multiboot_header(&head)).then(|| of(extent, linux))
        })
        .collect()
}

/// The path of the kernel that an entry starts, in lower case: the first file that is no module of the loader.
fn kernel_of(entry: &Entry) -> Option<String> {
    let is_module = |path: &str| path.to_ascii_lowercase().ends_with(".c32");
    let mut files = entry.files.iter();
    let kernel = files
        .find(|file| NAMES_KERNEL.contains(&file.directive.as_str()) && !is_module(&file.path))?;
    // GRUB's path may begin with a device.
    let path = match kernel.path.split_once(')') {
        Some((device, path)) if device.starts_with('(') => path,
        _ => &kernel.path,
    };
    Some(path.replace('\\', "/").to_ascii_lowercase())
}

/// The directives that name a kernel: GRUB's, isolinux's and systemd-boot's. Behind mboot.c32, `append` does.
const NAMES_KERNEL: [&str; 11] = [
    "linux",
    "linux16",
    "linuxefi",
    "kernel",
    "multiboot",
    "multiboot2",
    "xnu_kernel",
    "label",
    "append",
    "efi",
    "uki",
];

/// The path of a file, with slashes.
fn path_of(structure: &Structure) -> Option<String> {
    match structure {
        Structure::File { path } => Some(path.clone()),
        Structure::Fat {
            part: FatStructure::File { path },
            ..
        } => Some(path.replace('\\', "/")),
        _ => None,
    }
}

/// The bytes at a place; nothing where they cannot be read.
fn beginning(disc: &File, offset: u64, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    match disc.read_exact_at(&mut bytes, offset) {
        Ok(()) => bytes,
        Err(_) => Vec::new(),
    }
}

/// A Multiboot header is within so many bytes (Multiboot 0.6.96 §3.1.1, Multiboot2 2.0 §3.1.1).
const MULTIBOOT_WITHIN: usize = 8 << 10;
const MULTIBOOT2_WITHIN: usize = 32 << 10;
const MULTIBOOT: u32 = 0x1BAD_B002;
const MULTIBOOT2: u32 = 0xE852_50D6;

/// Whether a file begins with what makes it a kernel for Multiboot or Multiboot2: the magic number, aligned, with the fields that bring its sum to zero.
fn has_multiboot_header(head: &[u8]) -> bool {
    let word = |at: usize| {
        let bytes = head.get(at..at + 4)?;
        Some(u32::from_le_bytes(bytes.try_into().ok()?))
    };
    let sums_to_zero = |at: usize, words: usize| {
        let mut sum = 0_u32;
        for number in 0..words {
            let Some(field) = word(at + 4 * number) else {
                return false;
            };
            sum = sum.wrapping_add(field);
        }
        sum == 0
    };
    (0..head.len()).step_by(4).any(|at| match word(at) {
        Some(MULTIBOOT) if at < MULTIBOOT_WITHIN => sums_to_zero(at, 3),
        Some(MULTIBOOT2) if at.is_multiple_of(8) => sums_to_zero(at, 4),
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use images::boot_configuration::NamedFile;

    use super::*;

    #[test]
    fn a_terminal_is_looked_at_before_it_is_cleared() {
        let said = b"failed: No such file\r\n\x1b[2Ja menu";
        assert_eq!(pieces(said), [&said[..22], b"\x1b[2Ja menu"]);
        assert_eq!(pieces(b"\x1b[2Jx"), [b"\x1b[2Jx"]);
        assert_eq!(pieces(&[b' '; PIECE + 1]).len(), 2);
        assert!(pieces(b"").is_empty());
    }

    #[test]
    fn a_kernel_for_multiboot_is_known_by_its_header() {
        let with = |at: usize, fields: &[u32]| {
            let mut head = vec![0_u8; at];
            head.extend(fields.iter().flat_map(|field| field.to_le_bytes()));
            head
        };
        let sum = |fields: &[u32]| {
            0_u32.wrapping_sub(fields.iter().fold(0, |sum, it| it.wrapping_add(sum)))
        };
        let one = [MULTIBOOT, 3, sum(&[MULTIBOOT, 3])];
        let two = [MULTIBOOT2, 0, 24, sum(&[MULTIBOOT2, 24])];
        assert!(has_multiboot_header(&with(0x1000, &one)));
        assert!(has_multiboot_header(&with(0x4000, &two)));
        // Too late, not aligned, or the number alone, as in a loader's code.
        assert!(!has_multiboot_header(&with(0x2000, &one)));
        assert!(!has_multiboot_header(&with(0x1002, &one)));
        assert!(!has_multiboot_header(&with(0x4004, &two)));
        assert!(!has_multiboot_header(&with(0x1000, &[MULTIBOOT, 3, 0])));
        assert!(!has_multiboot_header(&with(0x1000, &[MULTIBOOT])));
        assert!(!has_multiboot_header(b""));
    }

    #[test]
    fn the_kernel_of_an_entry_is_no_module_of_its_loader() {
        let entry = |files: &[(&str, &str)]| Entry {
            files: files
                .iter()
                .map(|(directive, path)| NamedFile {
                    file: "/isolinux/isolinux.cfg".to_owned(),
                    line: 1,
                    directive: (*directive).to_owned(),
                    path: (*path).to_owned(),
                    exists: Some(true),
                })
                .collect(),
            ..Entry::default()
        };
        let mboot = entry(&[
            ("kernel", "/isolinux/mboot.c32"),
            ("append", "/boot/Xen.gz"),
            ("append", "/boot/vmlinuz"),
        ]);
        assert_eq!(kernel_of(&mboot).as_deref(), Some("/boot/xen.gz"));
        let grub = entry(&[("multiboot2", "(cd0)/boot/os.bin"), ("module2", "/boot/m")]);
        assert_eq!(kernel_of(&grub).as_deref(), Some("/boot/os.bin"));
        assert_eq!(kernel_of(&entry(&[("initrd", "/boot/initrd")])), None);
        assert_eq!(kernel_of(&entry(&[("kernel", "/vesamenu.c32")])), None);
    }
}
