//! The readers of what is shown.

use harness::{
    firmware::FirmwareKind,
    screen::{Eyes, Font, ScreenText, TextMode, png_from_ppm, text_from_ppm, text_from_terminal},
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
    what: "the memory of VGA's text mode, of which the input's bytes are repeated",
    read: |input| {
        // The registers of the CRT controller, and the two that say what mode it is.
        let register = |index: u8| input.get(usize::from(index)).copied().unwrap_or(0);
        let mode = TextMode::from_registers(register(32), register(33), register);
        let mode = mode.unwrap_or(TextMode {
            base: 0xB8000,
            start: u16::from(register(0)) << 8,
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
