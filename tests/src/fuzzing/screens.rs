//! The readers of what is shown.

use harness::{
    firmware::FirmwareKind,
    guest::{Guest, GuestState, Vocabulary},
    readers::followed,
    screen::{Eyes, Font, ScreenText, TextMode, png_from_ppm, text_from_ppm, text_from_terminal},
    text::{Cleaner, clean},
};

use super::target::{Target, pieces};

pub(super) const TEXT: Target = Target {
    name: "text",
    what: "serial bytes as text: it does not depend on how they are split, and contains no control character",
    read: |input| {
        let Some((whole, pieces)) = pieces(input) else {
            return;
        };
        let mut cleaner = Cleaner::default();
        for piece in pieces {
            cleaner.push(piece);
        }
        let text = clean(whole);
        assert_eq!(cleaner.text(), text);
        let shown = |it: char| matches!(it, '\n' | '\t') || !it.is_control();
        assert!(text.chars().all(shown), "{text:?}");
    },
    longest: 512,
    words: &[
        b"\x1b[",
        b"\x1b[2;1H",
        b"\x1bc",
        b"\x1b[?7l",
        b"\x08",
        b"\x1b]0;",
        b"\x1b]P",
        b"\x07",
        b"\x1b\\",
        b"\x1b(0",
        b"\x1b(B",
        b"\x0e",
        b"\xe2\x95\x94",
        b"\xf0\x9f",
        b"\xc2\x9b",
    ],
};

pub(super) const TERMINAL: Target = Target {
    name: "terminal",
    what: "the screen of a serial console: not larger than the console, and without escape sequences",
    read: |input| {
        let (kind, rows) = if input.len().is_multiple_of(2) {
            (FirmwareKind::Bios, 25)
        } else {
            (FirmwareKind::Uefi, 31)
        };
        let text = text_from_terminal(input, kind);
        assert!(text.lines().count() <= rows && !text.contains('\x1b'));
    },
    longest: 256,
    words: &[
        b"\x1b[",
        b"\x1b[2;1H",
        b"\x1bc",
        b"\x1b[?7l",
        b"\x1b[2J",
        b"\x1b[1000;1000H",
        b"\x1b[31;40m",
        b"\x1b[?1049h",
        b"\x1b[5;20r",
        b"\x1bM",
    ],
};

pub(super) const PICTURE: Target = Target {
    name: "picture",
    what: "QEMU's screendumps: each valid picture becomes a PNG, with text or without",
    read: |input| {
        let is_picture = png_from_ppm(input).is_ok();
        if let Some(font) = Font::of_host()
            && font.read(input) != ScreenText::Graphic
        {
            assert!(is_picture);
        }
        // What stood there before changes nothing.
        let mut eyes = Eyes::default();
        let half = input.len() / 2;
        let mut other = input.to_vec();
        if let Some(byte) = other.get_mut(half) {
            *byte = !*byte;
        }
        for ppm in [input, &other, input] {
            assert_eq!(eyes.read(ppm.to_vec()), text_from_ppm(ppm));
        }
    },
    longest: 2_048,
    words: &[
        b"P6\n16 16\n255\n",
        b"P6 8 16 255 ",
        b"# comment\n",
        b"\x00\x00\x00",
        b"\xFF\xFF\xFF",
        b"4294967296",
    ],
};

pub(super) const VGA: Target = Target {
    name: "vga",
    what: "the memory of VGA's text mode, filled with the repeated input",
    read: |input| {
        // What the picture shows, and how wide that is.
        let picture = String::from_utf8_lossy(input.get(1..).unwrap_or_default());
        let columns = u16::from(input.first().copied().unwrap_or(80));
        let mode = TextMode::shown(input, &picture, columns).unwrap_or(TextMode {
            start: columns << 8,
            pitch: 80,
            columns: 80,
            rows: 25,
        });
        let repeated: Vec<u8> = input.iter().copied().cycle().take(32 << 10).collect();
        for memory in [input, &repeated] {
            let text = mode.text(memory);
            assert!(text.lines().count() <= usize::from(mode.rows));
            let columns = usize::from(mode.columns);
            assert!(text.lines().all(|line| line.chars().count() <= columns));
        }
    },
    longest: 256,
    words: &[b" \x07", b"A\x07", b"\xDB\x07"],
};

/// Characters of the largest console that is followed: 31 rows of 100, and those of a screen that shows one input.
const MOST_SAID: usize = 4 * 3_100;

pub(super) const GUEST: Target = Target {
    name: "guest",
    what: "what a guest sends and shows as what it came to: its words stood there, and no more of them than a screen holds",
    read: |input| {
        let Some((_, pieces)) = pieces(input) else {
            return;
        };
        let (kind, columns) = if input.len().is_multiple_of(2) {
            (FirmwareKind::Bios, 80)
        } else {
            (FirmwareKind::Uefi, 100)
        };
        let words = Vocabulary::builtin();
        if let Some(guest) = followed(words.clone(), kind, columns, pieces) {
            is_one_that_words_tell(&guest);
            let program = guest.program.as_deref().unwrap_or_default();
            assert!(words.programs().iter().any(|(name, _)| *name == program));
        }
    },
    longest: 512,
    words: &[
        b"\r\nLinux version 6.1\r\n",
        b"\r\nmachine login: ",
        b"\r\nerror: out of memory.",
        b"\r\ngrub> ",
        b"\r\ngrub rescue> ",
        b"\r\nboot: ",
        b"\r\n(initramfs) ",
        b"Kernel panic - not syncing: no",
        b"Use the ^ and v keys to select which entry is highlighted.",
        b"The highlighted entry will be executed automatically in 5s.",
        b"Failed to load ldlinux.c32",
        b"Could not find kernel image: linux",
        b"GRUB GRUB GRUB ",
        b"\x1b[2J\x1b[H",
        b"\x1b[25;1H",
        b"\xe2\x94\x82",
    ],
};

/// What must hold of every guest that is known by its words.
pub(super) fn is_one_that_words_tell(guest: &Guest) {
    assert_ne!(guest.state, GuestState::Silent, "{guest:?}");
    // A countdown that stands still is no menu, and nothing else.
    let stands_still = guest.state == GuestState::Runs;
    assert!(!stands_still || !guest.means.is_empty(), "{guest:?}");
    assert!(!guest.said.is_empty() && guest.by.is_some(), "{guest:?}");
    assert!(guest.said.len() <= MOST_SAID, "{guest:?}");
    // A prompt, too, may be there for the want of something.
    let lacks = guest.needs.is_some();
    assert!(lacks || guest.state != GuestState::Needs, "{guest:?}");
}
