//! The lines in which a probe reports, and how they are found in a stream of other output.
//!
//! ```text
//! BM1 <seq> <key>=<value> … *<crc>\r\n
//! ```
//!
//! - `seq` is decimal and counts from 0 without a gap; line 0 is `begin=`, the last is `end=ok`.
//! - `crc` is [`crc16`] in four upper-case hexadecimal digits, over the bytes from the `B` of `BM1` to
//!   the last one before the space in front of `*`.
//! - Keys are of `a-z`, `0-9` and `-`. Values hold no space and no control character; what would, has
//!   `_` in its place.
//! - Numbers are decimal, except `drive`, `cs`, `ip`, `packet`, `crc`, `disc`, `extensions` and errors.
//! - A line may begin anywhere in a line of other output and ends that line. Before line 0 the probe
//!   sends `\r\n`.
//!
//! Whatever is lost or changed on the way shows as a gap, as a wrong CRC, or as a report that does not
//! end: never as a report of something else.

use thiserror::Error;

use super::{
    DiscHash,
    fields::{self, Content},
    report::{ProbeKind, ProbeReport},
    sector::crc16,
};

/// How fast they are sent, in baud: 8 data bits, no parity, one stop bit.
pub const BAUD: u32 = 115_200;
/// What a line begins with.
pub const LINE_START: &str = "BM1 ";
/// What the BIOS probe's first stage says when it cannot load the second; two hexadecimal digits follow.
pub const STAGE1_FAILURE: &str = "BM1! stage1 ";
/// No line is longer, in bytes.
pub const LINE_BYTES_MAX: usize = 1024;

/// What came to pass while bytes were pushed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// The `begin` line came.
    Begin {
        /// BIOS or UEFI.
        kind: ProbeKind,
        /// The disc that the probe was made for.
        disc: DiscHash,
        /// The slot that it was made for.
        slot: u16,
    },
    /// The `end` line came: nothing more follows.
    End,
    /// The BIOS probe's first stage could not load the second; the code is `AH` of INT 13h or one of
    /// the probe's own (`super::bios`).
    Stage1Failed(u8),
    /// A line is damaged or missing: what follows is not looked at.
    Damage,
}

/// A line was lost or changed between the guest and here. Says nothing about the disc.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum WireDamage {
    /// The frame is broken: no CRC at the end, no number at the start.
    #[error("a probe line that is no whole line: {line:?}: look at the serial connection")]
    Frame {
        /// What came.
        line: String,
    },
    /// The CRC is wrong.
    #[error("a probe line with CRC {computed:04X}, not {sent:04X} as it says: {line:?}")]
    Crc {
        /// What came.
        line: String,
        /// The CRC that the line ends with.
        sent: u16,
        /// Its real one.
        computed: u16,
    },
    /// A line is missing before this one, or one came twice.
    #[error(
        "probe line {found} where line {expected} was next: lines were lost, or the probe ran twice"
    )]
    Gap {
        /// The number that was next.
        expected: u32,
        /// The number that came.
        found: u32,
    },
    /// The line is whole, but says nothing that a probe says there.
    #[error("a probe line that this version does not know: {line:?}")]
    Unknown {
        /// What came.
        line: String,
    },
}

/// Reads a probe's report from serial bytes as they come.
#[derive(Debug, Default)]
pub struct Transcript {
    /// Bytes of the line that has no end yet.
    pending: Vec<u8>,
    next: u32,
    report: Option<ProbeReport>,
    end_line: Option<String>,
    damage: Option<WireDamage>,
}

impl Transcript {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next bytes, in pieces of any size, and tells what they completed.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<Event> {
        let mut events = Vec::new();
        let mut rest = bytes;
        while let Some(at) = rest.iter().position(|&byte| byte == b'\n') {
            self.pending.extend(&rest[..at]);
            rest = &rest[at + 1..];
            let line = std::mem::take(&mut self.pending);
            // However the bytes were cut, the same tail is looked at.
            let tail = line.len().saturating_sub(LINE_BYTES_MAX);
            events.extend(self.line(&line[tail..]));
        }
        self.pending.extend(rest);
        // A screen drawn by ANSI sequences can go on without a line end; only its tail can be ours.
        if self.pending.len() > 4 * LINE_BYTES_MAX {
            self.pending.drain(..self.pending.len() - LINE_BYTES_MAX);
        }
        events
    }

    /// The `end` line, without its line end, once it came: the same bytes must come from port 402h.
    #[must_use]
    pub fn end_line(&self) -> Option<&str> {
        self.end_line.as_deref()
    }

    /// What was damaged or missing first; nothing as long as every line came whole.
    #[must_use]
    pub fn damage(&self) -> Option<&WireDamage> {
        self.damage.as_ref()
    }

    /// The report as far as it came (`ended` says whether that is all); `None` when no probe began.
    ///
    /// # Errors
    /// [`WireDamage`] when any line was damaged or missing.
    pub fn finish(self) -> Result<Option<ProbeReport>, WireDamage> {
        match self.damage {
            Some(damage) => Err(damage),
            None => Ok(self.report),
        }
    }

    fn line(&mut self, line: &[u8]) -> Option<Event> {
        if self.damage.is_some() {
            return None;
        }
        if let Some(code) = stage1_failure(line) {
            return Some(Event::Stage1Failed(code));
        }
        let line = &line[line_start(line)?..];
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let text = String::from_utf8_lossy(line);
        // Before a probe began, text that only looks like the start of a line is someone else's.
        if self.report.is_none() && !text.contains(" *") {
            return None;
        }
        match self.accept(&text) {
            Ok(event) => event,
            Err(damage) => {
                self.damage = Some(damage);
                Some(Event::Damage)
            }
        }
    }

    fn accept(&mut self, line: &str) -> Result<Option<Event>, WireDamage> {
        let (found, text) = unframe(line)?;
        if found != self.next {
            return Err(WireDamage::Gap {
                expected: self.next,
                found,
            });
        }
        let unknown = || WireDamage::Unknown {
            line: line.to_owned(),
        };
        self.next += 1;
        let content = fields::parse(text).ok_or_else(unknown)?;
        let Some(report) = &mut self.report else {
            let Content::Begin { kind, disc, slot } = content else {
                return Err(unknown());
            };
            self.report = Some(ProbeReport::new(kind, disc, slot));
            return Ok(Some(Event::Begin { kind, disc, slot }));
        };
        if report.ended {
            return Err(unknown());
        }
        match content {
            Content::Begin { .. } => return Err(unknown()),
            Content::Facts(facts) => report.facts.extend(facts),
            Content::Check(check) => report.checks.push(check),
            Content::Area(area) => report.area = Some(area),
            Content::Sweep(sweep) => report.sweep = Some(sweep),
            Content::File(file) => report.file = Some(file),
            Content::End => {
                report.ended = true;
                self.end_line = Some(line.to_owned());
                return Ok(Some(Event::End));
            }
        }
        Ok(None)
    }
}

/// The line that a probe would send, with its line end: `fields` framed by number and CRC.
#[must_use]
pub fn frame(sequence: u32, fields: &str) -> String {
    let body = format!("{LINE_START}{sequence} {fields}");
    let crc = crc16(body.as_bytes());
    format!("{body} *{crc:04X}\r\n")
}

/// Number and fields of a line whose CRC is right.
fn unframe(line: &str) -> Result<(u32, &str), WireDamage> {
    let parts = || {
        let (body, crc) = line.rsplit_once(" *")?;
        let plain = |byte: u8| matches!(byte, b'0'..=b'9' | b'A'..=b'F');
        if crc.len() != 4 || !crc.bytes().all(plain) {
            return None;
        }
        let crc = u16::from_str_radix(crc, 16).ok()?;
        let (sequence, fields) = body.strip_prefix(LINE_START)?.split_once(' ')?;
        Some((body, crc, fields::decimal(sequence)?, fields))
    };
    let (body, sent, sequence, fields) = parts().ok_or_else(|| WireDamage::Frame {
        line: line.to_owned(),
    })?;
    let computed = crc16(body.as_bytes());
    if computed == sent {
        Ok((sequence, fields))
    } else {
        Err(WireDamage::Crc {
            line: line.to_owned(),
            sent,
            computed,
        })
    }
}

/// Where in `line` a probe's line begins: [`LINE_START`] and a digit.
fn line_start(line: &[u8]) -> Option<usize> {
    let start = LINE_START.as_bytes();
    line.windows(start.len() + 1)
        .position(|window| window.starts_with(start) && window[start.len()].is_ascii_digit())
}

fn stage1_failure(line: &[u8]) -> Option<u8> {
    let start = STAGE1_FAILURE.as_bytes();
    let at = line
        .windows(start.len())
        .position(|window| window == start)?;
    let digits = line.get(at + start.len()..at + start.len() + 2)?;
    fields::hex(std::str::from_utf8(digits).ok()?, 2).and_then(|code| u8::try_from(code).ok())
}
