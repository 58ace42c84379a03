//! The screen of a running machine.

use serde_json::json;

use super::{
    ScreenText,
    vga::{TextMode, WINDOW, crtc},
};
use crate::machine::{CommandError, Machine};

const GRAPHICS_INDEX: u16 = 0x3CE;
const GRAPHICS_MODE: u8 = 5;
const GRAPHICS_MISCELLANEOUS: u8 = 6;
/// Its lowest bit says where the CRT controller's registers are.
const MISCELLANEOUS_OUTPUT: u16 = 0x3CC;
const CRTC_INDEX_COLOUR: u16 = 0x3D4;
const CRTC_INDEX_MONOCHROME: u16 = 0x3B4;

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

/// What is on the screen now.
///
/// In text mode the characters are read where the CRT controller shows them, which moves when a console scrolls; in graphics
/// modes from the pixels. The machine is stopped for a moment, since the registers can only be read by setting their index.
///
/// # Errors
/// As [`Machine::command`].
pub fn read(machine: &mut Machine) -> Result<Screen, CommandError> {
    let stopped = Stopped::stop(machine)?;
    let seen = text_memory(machine);
    stopped.go_on(machine)?;
    if let Some((mode, window)) = seen? {
        let shown: Vec<u8> = mode.lines(&window).flatten().flatten().collect();
        return Ok(Screen {
            text: mode.text(&window),
            mode: Mode::Text {
                columns: mode.columns,
            },
            fingerprint: Fingerprint::of(0, &shown),
        });
    }
    let ppm = machine.screen()?;
    let fingerprint = Fingerprint::of(1, &ppm);
    let eyes = machine.eyes();
    let text = eyes.read(ppm);
    let columns = eyes.columns();
    Ok(match text {
        ScreenText::Text(text) => Screen {
            text,
            mode: Mode::DrawnText { columns },
            fingerprint,
        },
        ScreenText::Graphic => Screen {
            text: String::new(),
            mode: Mode::Graphic,
            fingerprint,
        },
    })
}

/// A machine that stands still as long as its registers are read.
struct Stopped {
    /// One that stood still before, as after it switched itself off, is left so.
    was_running: bool,
}

impl Stopped {
    fn stop(machine: &mut Machine) -> Result<Self, CommandError> {
        let was_running = status(machine)? == "running";
        if was_running {
            machine.command("stop", &json!({}))?;
        }
        Ok(Self { was_running })
    }

    fn go_on(self, machine: &mut Machine) -> Result<(), CommandError> {
        // It may have ended itself before it was stopped: then it is not `paused`, and is not to be woken.
        if self.was_running && status(machine)? == "paused" {
            machine.command("cont", &json!({}))?;
        }
        Ok(())
    }
}

fn status(machine: &mut Machine) -> Result<String, CommandError> {
    let status = machine.command("query-status", &json!({}))?;
    Ok(status["status"].as_str().unwrap_or_default().to_owned())
}

/// The text mode and its memory; nothing in graphics modes.
fn text_memory(machine: &mut Machine) -> Result<Option<(TextMode, Vec<u8>)>, CommandError> {
    let graphics = [
        input(MISCELLANEOUS_OUTPUT),
        input(GRAPHICS_INDEX),
        indexed(GRAPHICS_INDEX, GRAPHICS_MODE),
        indexed(GRAPHICS_INDEX, GRAPHICS_MISCELLANEOUS),
    ];
    let [output, graphics_index, mode, miscellaneous] = inputs(machine, graphics)?;
    let crtc = if output & 1 != 0 {
        CRTC_INDEX_COLOUR
    } else {
        CRTC_INDEX_MONOCHROME
    };
    let registers = crtc::USED.map(|register| indexed(crtc, register));
    // The guest may have set an index and not used it yet.
    let [crtc_index] = inputs(machine, [input(crtc)])?;
    let values = inputs(machine, registers);
    machine.monitor_all(&[
        format!("o /b {GRAPHICS_INDEX:#x} {graphics_index:#x}"),
        format!("o /b {crtc:#x} {crtc_index:#x}"),
    ])?;
    let values = values?;
    let value = |register: u8| {
        let known = crtc::USED.iter().zip(values);
        known
            .into_iter()
            .find_map(|(known, value)| (*known == register).then_some(value))
            .unwrap_or(0)
    };
    let Some(mode) = TextMode::from_registers(mode, miscellaneous, value) else {
        return Ok(None);
    };
    let window = machine.memory(mode.base, WINDOW as u64)?;
    Ok(Some((mode, window)))
}

/// The command that reads a port.
fn input(port: u16) -> String {
    format!("i /b {port:#x}")
}

/// The command that sets an index and reads the register behind it.
fn indexed(port: u16, index: u8) -> String {
    format!("i /b {port:#x}.{index:#x}")
}

/// What ports gave.
fn inputs<const COUNT: usize>(
    machine: &mut Machine,
    commands: [String; COUNT],
) -> Result<[u8; COUNT], CommandError> {
    let words = machine.monitor_all(&commands)?;
    let mut values = [0; COUNT];
    for ((value, command), words) in values.iter_mut().zip(&commands).zip(&words) {
        *value = byte_read(words).ok_or_else(|| CommandError::Refused {
            command: command.clone(),
            words: words.trim().to_owned(),
        })?;
    }
    Ok(values)
}

/// The value in `portb[0x03d5] = 0x4f`.
fn byte_read(words: &str) -> Option<u8> {
    let (port, value) = words.trim().split_once(" = 0x")?;
    port.starts_with("portb[").then_some(())?;
    u8::from_str_radix(value, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_port_gave_is_read_and_a_complaint_is_none() {
        assert_eq!(byte_read("portb[0x03d5] = 0x4f\r\n"), Some(0x4F));
        assert_eq!(byte_read("i: extraneous characters\r\n"), None);
        assert_eq!(byte_read("portb[0x03d5] = 0x14f"), None);
        assert_eq!(byte_read(""), None);
    }
}
