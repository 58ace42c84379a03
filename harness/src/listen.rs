//! Follows a probe on a real machine over a serial line.
//!
//! Unlike an emulator, a real machine shows no reads, registers, screen or debug port. So nothing else confirms a probe's
//! end line, and a silent machine may be switched off: nothing is then known about the disc.

use std::{
    os::fd::BorrowedFd,
    path::PathBuf,
    time::{Duration, Instant},
};

use images::{
    manifest::Manifest,
    probe::protocol::{self, BAUD, LINE_START, Transcript},
};

use crate::{
    evidence::{EvidenceFolder, OBSERVATION, SERIAL_RAW, SERIAL_TEXT, SERIAL_TIMES},
    firmware::{families::VOCABULARIES, words::Words},
    guest::Starts,
    observation::{Observation, Start},
    outcome::Outcome,
    recording::Recording,
    rules::{Confirmed, Facts, Over},
    run::Infra,
    serial::{Received, SerialSource, receive},
    text::{Cleaner, Lines},
};

/// At the right speed, at least this percentage of a serial line's output is text.
const TEXT: usize = 75;

/// The expected probe.
#[derive(Clone, Debug)]
pub struct Listening {
    /// The content that the disc was mastered with, if known.
    pub manifest: Option<Manifest>,
    /// How long to wait for the machine to be switched on, to boot and to finish.
    pub timeout: Duration,
    /// The folder for the evidence. It is created if missing; an earlier run's evidence in it is removed.
    pub evidence: PathBuf,
}

/// Follows a machine's output until something decides, and writes the evidence.
///
/// `tell` is called at the probe's beginning and end. `interrupt` ends it as soon as it becomes readable.
///
/// # Errors
/// [`Infra`] if nothing is known about the disc: no output or no text came, a line was damaged, the line was disconnected,
/// or it was interrupted. The folder then has the output, and no observation.
pub fn listen(
    line: &dyn SerialSource,
    listening: &Listening,
    interrupt: Option<BorrowedFd<'_>>,
    tell: &mut dyn FnMut(protocol::Event),
) -> Result<Observation, Infra> {
    let folder = EvidenceFolder::create(&listening.evidence)?;
    let mut heard = Heard::new(listening);
    let decided = heard.follow(line, listening.timeout, interrupt, tell);
    folder.write(SERIAL_RAW, heard.serial.bytes())?;
    folder.write(SERIAL_TIMES, heard.serial.times().as_bytes())?;
    folder.write(SERIAL_TEXT, heard.cleaner.text().as_bytes())?;
    let observation = decided
        .map_err(Infra::new)
        .and_then(|outcome| heard.observation(outcome));
    match &observation {
        Ok(observation) => {
            let json = serde_json::to_vec_pretty(observation)
                .map_err(|error| Infra::new(error.to_string()))?;
            folder.write(OBSERVATION, &json)?;
        }
        Err(infra) => folder.write("infra.txt", format!("{infra}\n").as_bytes())?,
    }
    observation
}

/// The output so far.
struct Heard {
    started: Instant,
    serial: Recording,
    cleaner: Cleaner,
    lines: Lines,
    probe: Transcript,
    /// The firmware is not known until it has printed something.
    words: Vec<Words>,
    facts: Facts,
}

impl Heard {
    fn new(listening: &Listening) -> Self {
        let mut facts = Facts::default();
        facts.probe.expected = listening.manifest.as_ref().map(|manifest| manifest.disc);
        facts.probe.confirmed = Confirmed::Impossible;
        Self {
            started: Instant::now(),
            serial: Recording::default(),
            cleaner: Cleaner::default(),
            lines: Lines::default(),
            probe: Transcript::new(),
            words: VOCABULARIES.iter().copied().map(Words::new).collect(),
            facts,
        }
    }

    /// Reads the output until something decides; else returns why nothing is known.
    fn follow(
        &mut self,
        line: &dyn SerialSource,
        timeout: Duration,
        interrupt: Option<BorrowedFd<'_>>,
        tell: &mut dyn FnMut(protocol::Event),
    ) -> Result<Outcome, String> {
        let deadline = self.started + timeout;
        loop {
            let received = receive(line, interrupt, deadline);
            match received.map_err(|error| format!("the serial line failed: {error}"))? {
                Received::Bytes(bytes) => {
                    for event in self.hear(&bytes) {
                        self.facts.probe.hear(event);
                        tell(event);
                    }
                    self.check_wire()?;
                }
                Received::Closed => {
                    return Err(self.so_far("the serial line went away, as when a plug is pulled"));
                }
                Received::Interrupted => return Err(self.so_far("it was interrupted")),
                Received::TimedOut => {
                    self.check_text(timeout)?;
                    self.facts.over = Some(Over::Deadline(timeout));
                }
            }
            if let Some(outcome) = self.facts.decide() {
                return Ok(outcome);
            }
        }
    }

    fn hear(&mut self, bytes: &[u8]) -> Vec<protocol::Event> {
        self.facts.any_output = true;
        self.serial.push(self.started.elapsed(), bytes);
        self.cleaner.push(bytes);
        for line in self.lines.take(self.cleaner.text()) {
            // Two may know the same text: only one reports it.
            let said = self.words.iter_mut().find_map(|words| words.hear(line));
            if let Some(said) = said {
                self.facts.firmware_said(said);
            }
        }
        self.probe.push(bytes)
    }

    /// Whether every line of the probe is complete.
    fn check_wire(&mut self) -> Result<(), String> {
        match self.probe.damage() {
            Some(damage) => Err(self.so_far(&format!("damage on the wire: {damage}"))),
            None => Ok(()),
        }
    }

    /// Whether the output can be judged. Only valid at the end: before the probe sets its own speed, the firmware may have
    /// used another.
    fn check_text(&self, timeout: Duration) -> Result<(), String> {
        let (bytes, seconds) = (self.serial.bytes(), timeout.as_secs_f32());
        if bytes.is_empty() {
            return Err(format!(
                "nothing came within {seconds} s: the machine is off, the cable does not reach its COM1, or the disc was \
                 not booted and the firmware speaks elsewhere"
            ));
        }
        let begun = self.facts.probe.begun.is_some();
        let text = bytes.iter().filter(|&&byte| is_text(byte)).count();
        if !begun && text * 100 < bytes.len() * TEXT {
            return Err(format!(
                "{} bytes came within {seconds} s, with no line of a probe in them, and they look like no text: the speed \
                 is wrong, for a probe sends at {BAUD} baud, or the line is disturbed",
                bytes.len()
            ));
        }
        let unfinished = self.cleaner.text().lines().last().unwrap_or_default();
        if begun && !bytes.ends_with(b"\n") && unfinished.contains(LINE_START) {
            return Err(self.so_far(&format!(
                "damage on the wire: the last line of the probe has no end: {unfinished:?}"
            )));
        }
        Ok(())
    }

    /// Why it ended, and how far it had come.
    fn so_far(&self, why: &str) -> String {
        if self.serial.bytes().is_empty() {
            return format!("{why}, and nothing had come");
        }
        format!("{why}; by then it had come to {}", self.facts.stage())
    }

    fn observation(self, outcome: Outcome) -> Result<Observation, Infra> {
        let words = self.words.iter().flat_map(|words| words.canonical());
        Ok(Observation {
            guest: None,
            starts: Starts::of(&outcome, None, false),
            outcome,
            words: words.cloned().collect(),
            probe: self
                .probe
                .finish()
                .map_err(|damage| Infra::new(format!("damage on the wire: {damage}")))?,
            reads: Vec::new(),
            reads_before_entry: None,
            reads_known: false,
            start: Start::Cold,
            duration_ms: u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX),
            serial: String::from_utf8_lossy(self.serial.bytes()).into_owned(),
            screen: None,
        })
    }
}

/// The bytes of readable output: ASCII, and the control bytes of terminals.
const fn is_text(byte: u8) -> bool {
    matches!(byte, 0x20..=0x7E | b'\r' | b'\n' | b'\t' | 8 | 0x1B)
}
