//! The readers of what is shown.

use harness::{
    firmware::FirmwareKind,
    screen::{Font, ScreenText, png_from_ppm, text_from_terminal, text_from_vga_memory},
    text::{Cleaner, clean},
};

use super::{Target, pieces};

pub(super) const TEXT: Target = Target {
    name: "text",
    what: "serial bytes as text: it does not depend on how they are cut, and holds no control character",
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
        let shown = |it: char| matches!(it, '\n' | '\t' | '\u{80}'..) || !it.is_control();
        assert!(text.chars().all(shown), "{text:?}");
    },
    longest: 512,
    words: &[b"\x1b[", b"\x1b[2;1H", b"\x1bc", b"\x1b[?7l", b"\x08"],
};

pub(super) const TERMINAL: Target = Target {
    name: "terminal",
    what: "the screen of a serial console: no larger than it is, and no escape on it",
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
    what: "QEMU's screendumps: what is a picture becomes a PNG, and has text or none",
    read: |input| {
        let is_picture = png_from_ppm(input).is_ok();
        if let Some(font) = Font::of_host()
            && font.read(input) != ScreenText::Graphic
        {
            assert!(is_picture);
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
    what: "the memory of VGA's text mode, of which the input's bytes are repeated",
    read: |input| {
        let repeated: Vec<u8> = input.iter().copied().cycle().take(4_000).collect();
        for memory in [input, &repeated] {
            if let Some(text) = text_from_vga_memory(memory) {
                assert!(text.lines().count() <= 25 && !text.is_empty());
                assert!(text.lines().all(|line| line.chars().count() <= 80));
            }
        }
    },
    longest: 256,
    words: &[b" \x07", b"A\x07", b"\xDB\x07"],
};
