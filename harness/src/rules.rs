//! Derives the outcome from the observed facts. Pure: no machine, no clock.

mod facts;
mod strangers;

use std::time::Duration;

pub(crate) use self::facts::{Confirmed, Dialogue, Facts, Followed, Over, Stopped};
use self::facts::{LAST_WORD, LOST, SETTLED};
use crate::{
    firmware::{family::Family, said::Said},
    layout::BootLayout,
    observation::DiscRead,
    outcome::{Outcome, OutcomeKind, Stage, TOO_BUSY},
};

/// After this much silence with interrupts off, boot code that should print through the firmware will not.
const DEAF: Duration = Duration::from_millis(1500);
/// The same if a single read may take seconds: a BIOS waits for it with interrupts off.
const DEAF_WHILE_READING: Duration = Duration::from_secs(15);

/// The address where an IBM-compatible BIOS returns from an unhandled interrupt (SeaBIOS `src/romlayout.S`, `entry_iret_official`): an invalid instruction
/// leads there and back forever, and nothing else stays there for longer than an instruction.
const NOT_SERVED: u64 = 0xF_FF53;

impl Facts {
    /// Adds a message of the firmware.
    pub(crate) fn firmware_said(&mut self, said: Said) {
        match said {
            Said::Trying => {}
            Said::Entered => self.entered = true,
            Said::Failed { code, text } => {
                if self.entered {
                    self.returned.get_or_insert((code.clone(), text.clone()));
                }
                // The first option to fail is the disc's own; later failures are not the disc's.
                self.failed.get_or_insert((code, text));
            }
            Said::Nothing(text) => {
                self.nothing_left.get_or_insert(text);
            }
            Said::Crashed(text) => {
                self.crashed.get_or_insert(text);
            }
        }
    }

    /// How far it came.
    pub(crate) fn stage(&self) -> Stage {
        if self.probe.is_at_its_end() {
            Stage::Ended
        } else if self.probe.begun.is_some() {
            Stage::ProbeBegan
        } else if self.entered {
            Stage::Entered
        } else if self.any_output {
            self.reads.max(Stage::Post)
        } else {
            self.reads
        }
    }

    /// The outcome, once something shows it.
    pub(crate) fn decide(&self) -> Option<Outcome> {
        if let Some(followed) = &self.followed {
            return self.decide_of_stranger(followed);
        }
        self.booted()
            .or_else(|| self.strange_probe())
            .or_else(|| self.machine_stopped())
            .or_else(|| self.gave_up())
            .or_else(|| self.fell_silent())
            .or_else(|| self.hung())
            .or_else(|| self.deadline())
    }

    fn outcome(&self, kind: OutcomeKind, detail: impl Into<String>) -> Option<Outcome> {
        Some(Outcome {
            kind,
            code: None,
            stage: self.stage(),
            gave_back: false,
            detail: detail.into(),
        })
    }

    /// Whether an awaited text may come after any pause.
    pub(crate) fn waits(&self) -> bool {
        self.awaits_pattern || self.dialogue == Some(Dialogue::Underway)
    }

    fn booted(&self) -> Option<Outcome> {
        let dialogue = match &self.dialogue {
            Some(Dialogue::Underway | Dialogue::Failed(_)) => return None,
            Some(Dialogue::Ended(1)) => Some("the dialogue of 1 step came to its end".to_owned()),
            Some(Dialogue::Ended(steps)) => {
                Some(format!("the dialogue of {steps} steps came to its end"))
            }
            None => None,
        };
        let pattern = self
            .pattern
            .map(|place| format!("the expected text came on the {place}"));
        let said = match (dialogue, pattern) {
            // A probe's text is already in its first line, so wait for the whole report: how much of it came must not be chance.
            (Some(_), _) | (_, Some(_)) if self.probe.is_at_work() => return None,
            (Some(dialogue), Some(pattern)) => format!("{dialogue}, and {pattern}"),
            (None, Some(pattern)) => pattern,
            (_, None) if self.awaits_pattern => return None,
            (Some(dialogue), None) => dialogue,
            (None, None) if !self.probe.is_ours() || !self.probe.is_at_its_end() => return None,
            (None, None) if self.probe.confirmed == Confirmed::Impossible => {
                "the probe's end line came; there is no debug port to confirm it on".to_owned()
            }
            (None, None) => String::new(),
        };
        self.outcome(OutcomeKind::Booted, said)
    }

    fn strange_probe(&self) -> Option<Outcome> {
        if let (Some(begun), Some(expected)) = (self.probe.begun, self.probe.expected)
            && begun != expected
        {
            return self.outcome(
                OutcomeKind::HandedOver,
                format!("the probe of disc {begun} ran, and this disc is {expected}"),
            );
        }
        let code = self.probe.stage1_failed?;
        self.outcome(
            OutcomeKind::HandedOver,
            format!("the probe's first stage could not load the second: BM1! stage1 {code:02X}"),
        )
    }

    fn machine_stopped(&self) -> Option<Outcome> {
        match self.stopped? {
            Stopped::Reset => self.outcome(OutcomeKind::Reset, "the machine reset itself"),
            Stopped::Off => self.outcome(OutcomeKind::Reset, "the machine switched itself off"),
            Stopped::Panicked => self.outcome(OutcomeKind::Hung, "the guest panicked"),
        }
    }

    fn gave_up(&self) -> Option<Outcome> {
        if let Some(words) = &self.crashed {
            return self.outcome(OutcomeKind::Hung, format!("the firmware crashed: {words}"));
        }
        if let Some((code, words)) = &self.returned
            && self.followed.is_some()
            && (self.nothing_left.is_some() || self.quiet >= LAST_WORD || self.over.is_some())
        {
            let detail = format!("the boot image gave control back with an error: {words}");
            return Some(Outcome {
                code: code.clone(),
                gave_back: true,
                ..self.outcome(OutcomeKind::HandedOver, detail)?
            });
        }
        if let Some((code, words)) = &self.failed
            && !(self.entered && self.followed.is_some())
            && (self.nothing_left.is_some()
                || self.quiet >= LAST_WORD
                || self.over.is_some()
                || self.fell_silent().is_some())
        {
            return Some(Outcome {
                kind: OutcomeKind::Refused,
                code: code.clone(),
                stage: self.stage(),
                gave_back: false,
                detail: words.clone(),
            });
        }
        let words = self.nothing_left.as_ref()?;
        if self.entered {
            let detail =
                format!("the boot image gave control back, and the firmware said: {words}");
            let outcome = self.outcome(OutcomeKind::HandedOver, detail)?;
            Some(Outcome {
                gave_back: true,
                ..outcome
            })
        } else {
            self.outcome(OutcomeKind::Refused, words.clone())
        }
    }

    /// A dialogue that did not finish.
    fn fell_silent(&self) -> Option<Outcome> {
        match &self.dialogue {
            Some(Dialogue::Failed(how)) => self.no_more(how),
            _ => None,
        }
    }

    fn hung(&self) -> Option<Outcome> {
        if self.dead {
            return self.no_more("halted with interrupts off");
        }
        let alive = self.came_after();
        if let Some(place) = &self.lost
            && self.entered
            && !alive
            && self.quiet >= LOST
        {
            return self.outcome(
                OutcomeKind::Hung,
                format!("what the firmware loaded was started, and the processor is lost: {place}"),
            );
        }
        // A third-party program may work like this for minutes; a probe does everything through the firmware.
        let deaf = if self.reads_slowly {
            DEAF_WHILE_READING
        } else {
            DEAF
        };
        if self.deaf && self.any_output && !self.waits() && self.quiet >= deaf {
            return self.no_more(&format!(
                "busy with interrupts off, and nothing came for {} s",
                deaf.as_secs_f32()
            ));
        }
        if self.entered
            && alive
            && self.probe.begun.is_none()
            && !self.waits()
            && self.quiet >= SETTLED
        {
            return self.outcome(
                OutcomeKind::HandedOver,
                "the boot image showed signs of life, then nothing more",
            );
        }
        None
    }

    fn deadline(&self) -> Option<Outcome> {
        let how = match self.over? {
            Over::Deadline(limit) => format!("no decision within {} s", limit.as_secs_f32()),
            Over::Busy { had, waited } => {
                let how = format!(
                    "{TOO_BUSY}: in {:.0} s the machine had {:.0} s of a processor",
                    waited.as_secs_f32(),
                    had.as_secs_f32()
                );
                return self.outcome(OutcomeKind::HandedOver, how);
            }
            Over::Enough => {
                return self.outcome(OutcomeKind::HandedOver, "it was watched no further");
            }
            Over::Flood(channel) => format!("it filled the {channel} and did not stop"),
        };
        self.no_more(&how)
    }

    /// Nothing more comes: hung, or handed over if the boot image had shown signs of life.
    fn no_more(&self, how: &str) -> Option<Outcome> {
        let probe = &self.probe;
        if probe.begun.is_none() {
            return if self.came_after() {
                self.outcome(
                    OutcomeKind::HandedOver,
                    format!("the boot image showed signs of life; then: {how}"),
                )
            } else {
                self.outcome(OutcomeKind::Hung, how)
            };
        }
        if probe.ended {
            return self.outcome(
                OutcomeKind::HandedOver,
                format!("the probe's end line is not confirmed on the debug port or in memory; then: {how}"),
            );
        }
        self.outcome(OutcomeKind::Hung, format!("the probe did not end: {how}"))
    }

    const fn came_after(&self) -> bool {
        self.entered
            && (self.output_after_entry || self.screen_after_entry || self.reads_after_entry)
    }
}

/// How far a boot came according to its reads.
pub(crate) fn stage_of_reads(reads: &[DiscRead], layout: &BootLayout) -> Stage {
    if reads.is_empty() {
        return Stage::Unknown;
    }
    let loaded = |read: &DiscRead| layout.images.iter().any(|image| image.touched_by(*read));
    let catalog = |read: &DiscRead| {
        layout.catalog.is_some_and(|lba| {
            let at = lba.byte_offset();
            read.offset <= at && at < read.offset.saturating_add(read.bytes)
        })
    };
    if reads.iter().any(loaded) {
        Stage::ImageLoaded
    } else if reads.iter().any(catalog) {
        Stage::CatalogRead
    } else {
        Stage::MediumFound
    }
}

/// Where the processor executes data, if it does: in real mode, in the interrupt vectors and the BIOS's data, where no
/// program is ever loaded, in plain zeros, or where it returns from an unhandled exception.
pub(crate) fn lost_at(address: u64, real_mode: bool, code: &[u8]) -> Option<String> {
    if !real_mode {
        None
    } else if address < 0x500 {
        Some(format!(
            "it executes the interrupt vectors and BIOS data, at {address:05X}h"
        ))
    } else if !code.is_empty() && code.iter().all(|&byte| byte == 0) {
        Some(format!("it executes zeros, at {address:05X}h"))
    } else if address == NOT_SERVED {
        Some("it raises an exception that nothing handles, again and again".to_owned())
    } else {
        None
    }
}

/// A screen's text without the firmware's lines, which it also wrote on the serial line.
pub(crate) fn without_firmware(screen: &str, firmware: &str) -> String {
    let known: Vec<String> = firmware.lines().map(plain).collect();
    let kept: Vec<&str> = screen
        .lines()
        .filter(|line| !known.contains(&plain(line)))
        .collect();
    kept.join("\n")
}

/// A terminal's lines, with a guest's text after the firmware's last line moved to its own line: SeaBIOS's serial mirror delays that line's end, so the
/// guest's first serial output may come before it.
pub(crate) fn off_the_firmware_s_line(shown: &str, firmware: &str) -> String {
    let unfinished = match firmware.rsplit('\n').next().map(plain) {
        Some(line) if !line.is_empty() => line,
        _ => return shown.to_owned(),
    };
    let behind = |line: &str| {
        let rest = line.trim_start().strip_prefix(&unfinished)?;
        Some(rest.trim_start_matches('.').to_owned())
    };
    let lines = shown
        .lines()
        .map(|line| behind(line).unwrap_or_else(|| line.to_owned()));
    lines.collect::<Vec<_>>().join("\n")
}

/// A line from the firmware in a comparable form: SeaBIOS's serial mirror may still delay the last dot.
fn plain(line: &str) -> String {
    line.trim().trim_end_matches('.').to_owned()
}

/// A screen's lines; lines that its edge broke are joined again.
pub(crate) fn rejoined(screen: &str, columns: Option<u16>) -> String {
    let Some(columns) = columns.map(usize::from) else {
        return screen.to_owned();
    };
    let mut text = String::with_capacity(screen.len());
    for line in screen.lines() {
        text.push_str(line);
        if line.chars().count() < columns {
            text.push('\n');
        }
    }
    text
}

/// The widths of the consoles that EDK2 draws in the middle of a wider picture (GraphicsConsoleDxe).
const CENTRED: [usize; 3] = [80, 100, 128];

/// A screen's lines without the margin of its console, and the console's width: firmware draws it in the middle of the picture.
pub(crate) fn at_the_margin(screen: &str, columns: Option<u16>) -> (String, Option<u16>) {
    let lines = || screen.lines().filter(|line| !line.trim().is_empty());
    let indents = lines().map(|line| line.chars().take_while(|&it| it == ' ').count());
    let all = columns.map_or(0, usize::from);
    let margin = indents.min().unwrap_or(0);
    let width = CENTRED
        .into_iter()
        .find(|&width| width < all && (all - width) / 2 == margin);
    let Some(width) = width else {
        return (screen.to_owned(), columns);
    };
    let lines = screen
        .lines()
        .map(|line| line.get(margin..).unwrap_or_default());
    let text = lines.collect::<Vec<_>>().join("\n");
    (text, u16::try_from(width).ok())
}

/// A text without the lines that only repeat the guest's input: a kernel's command line, and typed text. `is_full` tests whether the edge may have broken a
/// row of this length.
pub(crate) fn without_echoes(
    text: &str,
    typed: &[&str],
    is_full: impl Fn(usize) -> bool,
) -> String {
    // Linux, init/main.c and kernel/params.c; a screen breaks the line, which continues while its rows are full.
    let echoes = |line: &str| {
        let given = line.contains("ommand line: ") || line.contains("BOOT_IMAGE=");
        given || typed.iter().any(|text| line.trim_end().ends_with(text))
    };
    let mut kept = String::with_capacity(text.len());
    let mut goes_on = None;
    for line in text.split_inclusive('\n') {
        let length = line.trim_end().chars().count();
        let full = goes_on.is_some_and(|columns| length == columns);
        if goes_on.is_some() || echoes(line) {
            goes_on = match goes_on {
                None if is_full(length) => Some(length),
                Some(columns) if full => Some(columns),
                _ => None,
            };
            kept.push('\n');
        } else {
            kept.push_str(line);
        }
    }
    kept
}

/// Whether a line is as long as a row of some console on a screen: 80 columns or more, in multiples of 4 because of 8-pixel fonts.
pub(crate) const fn is_full_row(length: usize) -> bool {
    length >= 80 && length.is_multiple_of(4) && length <= 320
}

/// Whether the output has anything other than the rest of the firmware's text.
pub(crate) fn is_output(text: &str, family: &dyn Family) -> bool {
    text.lines()
        .filter(|line| !family.chooses(line))
        .any(|line| line.chars().any(|c| c != '.' && !c.is_whitespace()))
}

#[cfg(test)]
#[path = "rules_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "rules/strangers_tests.rs"]
mod strangers_tests;
