//! A serial line as the terminal at its other end shows it.

use std::num::NonZero;

use vt100::Parser;

use crate::firmware::FirmwareKind;

type Size = (NonZero<u16>, NonZero<u16>);

const fn size(rows: u16, columns: u16) -> Size {
    match (NonZero::new(rows), NonZero::new(columns)) {
        (Some(rows), Some(columns)) => (rows, columns),
        _ => panic!("a terminal has rows and columns"),
    }
}

/// Rows and columns of SeaBIOS's serial mirror, a VGA text screen (`src/sercon.c`).
const BIOS: Size = size(25, 80);
/// Rows and columns of the console that EDK2 chooses on QEMU's screen of 800 × 600 pixels.
const UEFI: Size = size(31, 100);

/// Rows and columns of the console that such firmware has.
pub(crate) const fn size_of_console(kind: FirmwareKind) -> Size {
    match kind {
        FirmwareKind::Bios => BIOS,
        FirmwareKind::Uefi => UEFI,
    }
}

/// What is on a terminal after these bytes, without the spaces and empty lines at the ends.
///
/// Colours and what has scrolled away are lost: the bytes themselves are kept elsewhere.
#[must_use]
pub fn text_from_terminal(bytes: &[u8], kind: FirmwareKind) -> String {
    let (rows, columns) = size_of_console(kind);
    let mut terminal = Parser::new(rows, columns, 0);
    terminal.process(bytes);
    let lines: Vec<String> = terminal
        .screen()
        .rows(0, columns.get())
        .map(|row| row.trim_end().to_owned())
        .collect();
    lines.join("\n").trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_cursor_and_the_erasures_of_ansi_are_followed() {
        // ECMA-48: CUP, ED, SGR.
        let bytes = b"gone\x1b[2J\x1b[1;1Hfirst\x1b[3;5H\x1b[1;31mthird\x1b[0m\rx";
        assert_eq!(
            text_from_terminal(bytes, FirmwareKind::Bios),
            "first\n\nx   third"
        );
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_screen(bytes in proptest::collection::vec(any::<u8>(), 0..4096)) {
            let text = text_from_terminal(&bytes, FirmwareKind::Uefi);
            prop_assert!(text.lines().count() <= usize::from(UEFI.0.get()));
            prop_assert!(!text.contains('\x1b'));
        }
    }
}
