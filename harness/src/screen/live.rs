//! The screen of a running machine.

use super::{
    ScreenText,
    ppm::Picture,
    vga::{TextMode, WINDOW},
};
use crate::machine::{CommandError, Machine};

/// What stands on a machine's screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Screen {
    /// Lines of text without trailing blanks; empty where there is none that can be read. A character that is drawn in
    /// pixels and like none that is known is U+FFFD.
    pub text: String,
    /// How it is shown.
    pub mode: Mode,
    /// What the same screen has again, and another one hardly ever. In text mode characters and attributes count, and the
    /// cursor does not; in graphics modes every pixel, and so a cursor that blinks too.
    pub fingerprint: Fingerprint,
}

/// How a screen shows what it shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// As characters in memory.
    Text {
        /// Characters in a line.
        columns: u16,
    },
    /// As pixels in which text is drawn, or that are of one colour.
    DrawnText {
        /// Characters in a line, where there are any.
        columns: u16,
    },
    /// As pixels that are no text.
    Graphic,
}

impl Mode {
    /// Characters in a line of text.
    #[must_use]
    pub const fn columns(self) -> Option<u16> {
        match self {
            Self::Text { columns } | Self::DrawnText { columns } => Some(columns),
            Self::Graphic => None,
        }
    }
}

/// Tells whether a screen has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fingerprint(u64);

impl Fingerprint {
    fn of(mode: u8, bytes: &[u8]) -> Self {
        Self(u64::from(mode) << 32 | u64::from(crc32fast::hash(bytes)))
    }
}

/// What QEMU itself draws as long as the guest has set no mode (`ui/console.c`, `qemu_console_surface`): nothing that the guest shows.
const NO_PICTURE: &str = "Guest has not initialized the display (yet).";

/// What is on the screen now.
///
/// In text mode the characters are read from text memory, from where the screen begins in it: that moves when a console scrolls, and
/// is found by the picture. The CRT controller would say it, but its registers can only be read by setting their index, which a
/// running guest may be about to use; and a machine cannot be stopped for that: with a CD on the AHCI controller, QEMU 7.2 waits for
/// ever for a request of the guest's that only the running guest ends (`vm_stop`, `bdrv_drain_all`).
///
/// # Errors
/// As [`Machine::command`].
pub fn read(machine: &mut Machine) -> Result<Screen, CommandError> {
    let ppm = machine.screen()?;
    let pixels = Fingerprint::of(1, &ppm);
    let may_be_text = Picture::from_ppm(&ppm).is_ok_and(is_text_sized);
    let eyes = machine.eyes();
    let text = eyes.read(ppm);
    let columns = eyes.columns();
    let text = match text {
        ScreenText::Text(text) if text.trim() != NO_PICTURE => text,
        _ => {
            return Ok(Screen {
                text: String::new(),
                mode: Mode::Graphic,
                fingerprint: pixels,
            });
        }
    };
    if may_be_text && !text.is_empty() {
        for &base in machine.text_memory() {
            let window = machine.memory(base, WINDOW as u64)?;
            if let Some(mode) = TextMode::shown(&window, &text, columns) {
                let shown: Vec<u8> = mode.lines(&window).flatten().flatten().collect();
                return Ok(Screen {
                    text: mode.text(&window),
                    mode: Mode::Text { columns },
                    fingerprint: Fingerprint::of(0, &shown),
                });
            }
        }
    }
    Ok(Screen {
        text,
        mode: Mode::DrawnText { columns },
        fingerprint: pixels,
    })
}

/// Whether a picture is as large as one of a text mode: 80 or 40 columns of 8 or 9 pixels, lines of 16, 14 or 8.
fn is_text_sized(picture: Picture<'_>) -> bool {
    [720, 640, 360, 320].contains(&picture.width) && [400, 350].contains(&picture.height)
}
