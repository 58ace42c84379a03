//! The only place that consumes a machine's output.

mod conversation;
mod look;
mod medium;
mod pattern;
mod trouble;

use std::{
    io,
    path::PathBuf,
    time::{Duration, Instant},
};

use images::probe::protocol::{self, Transcript, WireDamage};

pub(crate) use self::trouble::Trouble;
use self::trouble::{stopped, unless_gone};
use crate::{
    case::{Case, Success},
    dialogue::Talk,
    firmware::{
        family::{Channel, Family},
        said::Said,
        words::Words,
    },
    guest::{Guest, GuestWatch, Printed, Screens},
    layout::BootLayout,
    machine::{Event, Machine, spec::TRACE_LOG},
    outcome::{Outcome, OutcomeKind},
    recording::Recording,
    rules::{self, Confirmed, Facts, Followed, Over},
    screen::{self, Fingerprint},
    text::{Cleaner, Lines, contains},
    trace::TraceLog,
};

/// After this many times its deadline in real time, a machine that got too little processor time is given up.
const STARVED: u32 = 15;
/// The same for a machine with a third-party disc, because a user waits for it.
const STRANGERS_WALL: u32 = 3;
/// How long after a deadline earlier output is still read.
const LAST_EVENTS: Duration = Duration::from_millis(250);
/// The first time between two checks of a machine's memory after its probe's last serial line: it halts within microseconds.
const CONFIRM_INTERVAL: Duration = Duration::from_millis(5);
/// Within this much text, firmware has printed its last message before it hands over.
const FIRMWARES_WORDS: usize = 1 << 20;

/// One machine being watched.
pub(crate) struct Watch<'a> {
    case: &'a Case,
    /// The dialogue, while it runs.
    talk: Option<Talk<'a>>,
    family: &'static dyn Family,
    /// Whether the machine has a debug port.
    has_debug_port: bool,
    layout: BootLayout,
    trace_path: PathBuf,
    started: Instant,
    pub(crate) serial: Recording,
    pub(crate) debug: Recording,
    pub(crate) trace: TraceLog,
    pub(crate) probe: Transcript,
    facts: Facts,
    cleaner: Cleaner,
    debug_cleaner: Cleaner,
    serial_lines: Lines,
    debug_lines: Lines,
    words: Words,
    reads_at_entry: usize,
    /// The place in the serial text where the boot image's own output begins.
    output_start: Option<usize>,
    searched: usize,
    /// The text on the screen other than the firmware's own lines.
    screen: String,
    /// The time on the machine's clock, and the time of the last sign of life.
    now: Duration,
    last_life: Duration,
    interval: Duration,
    next_look: Instant,
    dead_at: Option<u64>,
    /// The number of consecutive checks with interrupts off since the last sign of life.
    deaf_looks: u32,
    /// The picture on the screen when the boot image was entered.
    picture: Option<Vec<u8>>,
    /// The same if a guest is followed.
    guest_picture: Option<Fingerprint>,
    /// The followed guest, on a third-party disc.
    guest: Option<GuestWatch>,
    /// What it printed before and after its last read of the disc.
    screens: Screens,
    /// The time on the machine's clock at which the medium will be inserted.
    moves_at: Option<Duration>,
    /// Whether the medium will be ejected.
    goes: bool,
}

impl<'a> Watch<'a> {
    pub(crate) fn new(
        case: &'a Case,
        layout: BootLayout,
        folder: &std::path::Path,
        started: Instant,
    ) -> Self {
        let now = Instant::now();
        let kind = case.platform.firmware.id.kind();
        let mut facts = Facts {
            awaits_pattern: matches!(case.success, Success::Text(_)),
            ..Facts::default()
        };
        facts.reads_slowly = case.platform.reads_slowly();
        facts.probe.expected = case.manifest.as_ref().map(|manifest| manifest.disc);
        let family = case.platform.firmware.id.family();
        let guest = case
            .is_stranger()
            .then(|| GuestWatch::of(case, screen::terminal_size(kind)));
        facts.followed = guest.is_some().then(Followed::default);
        let interval = family.first_look();
        let board = case.platform.firmware.board(case.platform.attachment);
        Self {
            case,
            talk: None,
            family,
            has_debug_port: board.is_ok_and(|board| board.has_debug_port),
            layout,
            trace_path: folder.join(TRACE_LOG),
            started,
            serial: Recording::default(),
            debug: Recording::default(),
            trace: TraceLog::new(case.platform.emulator.id, case.platform.attachment),
            probe: Transcript::new(),
            facts,
            cleaner: Cleaner::default(),
            debug_cleaner: Cleaner::default(),
            serial_lines: Lines::default(),
            debug_lines: Lines::default(),
            words: Words::new(family),
            reads_at_entry: 0,
            output_start: None,
            searched: 0,
            screen: String::new(),
            now: Duration::ZERO,
            last_life: Duration::ZERO,
            interval,
            next_look: now + interval,
            dead_at: None,
            deaf_looks: 0,
            picture: None,
            guest_picture: None,
            guest,
            screens: Screens::default(),
            moves_at: case.medium_comes_at(),
            goes: case.medium_goes(),
        }
    }

    /// The machine's output before its checkpoint was taken: the same on every start.
    pub(crate) fn heard_before(&mut self, serial: Vec<u8>, debug: Vec<u8>) -> Result<(), Trouble> {
        self.consume(Event::Debug(debug))?;
        self.consume(Event::Serial(serial))
    }

    /// Watches until something decides, at the latest until the deadline.
    pub(crate) fn watch(&mut self, machine: &mut Machine) -> Result<Outcome, Trouble> {
        let limit = self.case.whole_deadline();
        let wall = match (&self.guest, self.case.deadline) {
            (Some(_), Some(given)) => given,
            (Some(_), None) => self.case.platform.pace.stretch(limit) * STRANGERS_WALL,
            (None, _) => limit.saturating_mul(STARVED),
        };
        let ends = self.started + wall;
        self.now = machine.now();
        self.last_life = self.now;
        self.begin_dialogue().map_err(Trouble::Host)?;
        loop {
            self.now = machine.now();
            let waited = self.started.elapsed();
            if waited >= wall {
                // Among others, a machine has half a processor; one that had less than half of that has shown nothing.
                let busy = self.now * 4 < self.case.platform.pace.shorten(waited);
                if self.guest.is_none() || (busy && !self.facts.entered) {
                    return Err(Trouble::Starved {
                        had: self.now,
                        waited,
                    });
                }
                self.facts.over = Some(match busy {
                    true => Over::Busy {
                        had: self.now,
                        waited,
                    },
                    false => Over::Deadline(wall),
                });
                self.look(machine)?;
            } else if self.now >= limit {
                self.facts.over = Some(Over::Deadline(limit));
                self.look(machine)?;
            } else if Instant::now() >= self.next_look {
                self.look(machine)?;
            } else if let Some(event) = self
                .next_event(machine, limit, ends)
                .map_err(Trouble::Host)?
            {
                self.now = machine.now();
                self.consume(event)?;
            }
            // Output that came meanwhile may break the silence. A guest that never pauses would never let this end.
            let enough = ends.max(Instant::now() + LAST_EVENTS);
            while machine.has_more()
                && Instant::now() < enough
                && let Some(event) = machine.next_event(Instant::now()).map_err(Trouble::Host)?
            {
                self.consume(event)?;
            }
            self.move_medium(machine)?;
            self.converse(machine)?;
            self.now = machine.now();
            if self.may_decide() {
                // A guest's last message may be only on the screen.
                if self.guest.is_some() && self.may_have_begun() {
                    self.follow_trace().map_err(Trouble::Host)?;
                    unless_gone(self.see_guest(machine))?;
                }
                if let Some(outcome) = self.decide(machine)? {
                    return Ok(outcome);
                }
            }
        }
    }

    /// The next event before the next check, or before the dialogue has something to do.
    fn next_event(
        &self,
        machine: &mut Machine,
        limit: Duration,
        ends: Instant,
    ) -> io::Result<Option<Event>> {
        let talk = self.talk.as_ref();
        let wake = talk.and_then(Talk::wake).unwrap_or(limit);
        let moves = self.moves_at.unwrap_or(limit);
        let until = machine
            .wall(limit.min(wake).min(moves))
            .min(self.next_look)
            .min(ends);
        machine.next_event_unless(talk.map(Talk::bell), until)
    }

    /// The firmware's messages about booting, canonical.
    pub(crate) fn words(&self) -> Vec<String> {
        self.words.canonical().to_vec()
    }

    /// The serial output as text.
    pub(crate) fn serial_text(&self) -> &str {
        self.cleaner.text()
    }

    /// The time since QEMU's start.
    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    fn consume(&mut self, event: Event) -> Result<(), Trouble> {
        match event {
            Event::Serial(bytes) => {
                self.alive();
                if self.guest.is_some() && self.facts.entered {
                    self.follow_trace().map_err(Trouble::Host)?;
                }
                let bytes = self.serial.push(self.started.elapsed(), &bytes);
                if let Some(talk) = &mut self.talk {
                    talk.hear(bytes);
                }
                self.cleaner.push(bytes);
                if let Some(guest) = &mut self.guest
                    && guest.hear(bytes, self.now)
                {
                    // The screen may have the complete text, but not for long.
                    self.next_look = Instant::now();
                }
                for event in self.probe.push(bytes) {
                    self.probe_said(event)?;
                }
                if self.family.channel() == Channel::Serial {
                    let lines: Vec<&str> = self.serial_lines.take(self.cleaner.text()).collect();
                    let said: Vec<Said> = lines
                        .iter()
                        .filter_map(|line| self.words.hear(line))
                        .collect();
                    self.firmware_said(said)?;
                    if let Some(prompt) = self.family.prompt()
                        && self.cleaner.text().ends_with(prompt)
                    {
                        let waits = Said::Nothing("it waits for commands".to_owned());
                        self.firmware_said(vec![waits])?;
                    }
                }
            }
            Event::Debug(bytes) => {
                self.alive();
                let bytes = self.debug.push(self.started.elapsed(), &bytes);
                self.debug_cleaner.push(bytes);
                if self.family.channel() == Channel::Debug {
                    let lines: Vec<&str> =
                        self.debug_lines.take(self.debug_cleaner.text()).collect();
                    let said: Vec<Said> = lines
                        .iter()
                        .filter_map(|line| self.words.hear(line))
                        .collect();
                    self.firmware_said(said)?;
                    if self.guest.is_some() && self.facts.entered {
                        self.facts.caught = self.family.caught(self.debug_cleaner.text());
                    }
                }
            }
            Event::Stopped(stop) => self.facts.stopped = Some(stopped(stop)?),
            Event::Exited(status) => return Err(Trouble::Exited(status)),
        }
        for (channel, recording) in [("serial line", &self.serial), ("debug port", &self.debug)] {
            if recording.is_full() {
                self.facts.over = Some(Over::Flood(channel));
            }
        }
        if let Some(line) = self.probe.end_line() {
            if self.has_debug_port {
                self.facts.probe.confirmed = if contains(self.debug.bytes(), line.as_bytes()) {
                    Confirmed::Yes
                } else {
                    Confirmed::No
                };
            } else if self.facts.probe.confirmed == Confirmed::No {
                // Check the machine's memory now and again soon: the probe may not have halted yet.
                self.interval = CONFIRM_INTERVAL;
                self.next_look = Instant::now();
            }
        }
        Ok(())
    }

    fn firmware_said(&mut self, said: Vec<Said>) -> Result<(), Trouble> {
        for said in said {
            let entered = said == Said::Entered;
            self.facts.firmware_said(said);
            if entered {
                self.trace.follow(&self.trace_path).map_err(Trouble::Host)?;
                self.reads_at_entry = self.trace.reads().len();
                if let Some(guest) = &mut self.guest {
                    guest.entered(self.now);
                }
                self.look_soon();
            }
        }
        Ok(())
    }

    fn probe_said(&mut self, event: protocol::Event) -> Result<(), Trouble> {
        self.facts.probe.hear(event);
        match self.probe.damage() {
            Some(damage) => Err(Trouble::Wire(damage.clone())),
            None => Ok(()),
        }
    }

    /// The outcome of a probe without a complete line. An emulated serial line loses nothing: its code started in the middle, or was partly loaded.
    pub(crate) fn damaged(&self, damage: &WireDamage) -> Outcome {
        Outcome {
            kind: OutcomeKind::HandedOver,
            code: None,
            stage: self.facts.stage(),
            gave_back: false,
            detail: format!("what ran is not the whole probe of this disc: {damage}"),
        }
    }

    /// A sign of life: the silence and the doubling start again.
    fn alive(&mut self) {
        self.facts.any_output = true;
        self.awake();
    }

    fn awake(&mut self) {
        self.last_life = self.now;
        if let Some(guest) = &mut self.guest {
            guest.lives();
        }
        self.dead_at = None;
        self.deaf_looks = 0;
        self.facts.dead = false;
        self.facts.deaf = false;
        self.facts.lost = None;
        // The screen is checked for a text at fixed intervals, because output may never pause.
        if !self.looks_at_its_own_pace() {
            self.interval = self.family.first_look();
            self.next_look = Instant::now() + self.interval;
        }
    }

    fn looks_at_its_own_pace(&self) -> bool {
        self.facts.waits() || (self.guest.is_some() && self.facts.entered)
    }

    /// The screen at the entry of the boot image is the reference for later changes.
    fn look_soon(&mut self) {
        if !self.family.mirrors_its_screen() {
            self.next_look = Instant::now();
        }
    }

    /// Takes the new reads. Says whether there are any.
    fn follow_trace(&mut self) -> io::Result<bool> {
        let read = self.trace.follow(&self.trace_path)?;
        if read {
            self.screens.disc_was_read(self.cleaner.text().len());
        }
        Ok(read)
    }

    /// What the guest printed last.
    fn printed(&self) -> Printed {
        let text = self.cleaner.text();
        let start = text.len() - self.output().len();
        let guest = self.guest.as_ref();
        self.screens.printed(text, start, |line| {
            guest.is_some_and(|guest| guest.is_of_a_loader(line)) || self.family.chooses(line)
        })
    }

    /// The current facts about the guest.
    fn follow_guest(&mut self) {
        let own = self.reads_before_entry();
        let Some(guest) = &mut self.guest else {
            return;
        };
        if let Some(own) = own {
            guest.read(self.trace.reads(), own, self.now);
        }
        self.facts.followed = Some(Followed {
            standing: guest.standing(self.now, self.last_life),
            stage: guest.stage(),
            counts: guest.counts(self.now),
            waits: guest.waits(),
            kernel: guest.has_kernel(),
            printed: Printed::default(),
        });
    }

    /// The guest's state, if there is a guest.
    pub(crate) fn guest(&self, outcome: &Outcome) -> Option<Guest> {
        let followed = self.facts.followed.as_ref()?;
        self.facts.guest(outcome, followed)
    }

    /// Whether something decides, according to the facts so far.
    fn may_decide(&mut self) -> bool {
        self.facts.quiet = self.now.saturating_sub(self.last_life);
        self.find_output();
        self.find_pattern();
        let unfinished = self.output().rsplit('\n').next();
        let amid_line = unfinished.is_some_and(|line| line.contains(protocol::LINE_START));
        self.facts.probe.amid_line = amid_line;
        self.follow_guest();
        if let Some(enough) = self.case.enough
            && self.facts.progress().is_some_and(|now| now >= enough)
        {
            self.facts.over = Some(Over::Enough);
        }
        self.facts.decide().is_some()
    }

    /// Something decides. Gathers the facts that are only gathered now and then, which may change the decision.
    fn decide(&mut self, machine: &mut Machine) -> Result<Option<Outcome>, Trouble> {
        self.follow_trace().map_err(Trouble::Host)?;
        self.gather();
        if self.guest.is_some() {
            unless_gone(self.see_whether_it_halted(machine))?;
        }
        self.find_pattern();
        self.follow_guest();
        let printed = self.printed();
        if let Some(followed) = &mut self.facts.followed {
            followed.printed = printed;
        }
        Ok(self
            .facts
            .decide()
            .map(|outcome| self.with_dialogue(outcome))
            .map(|outcome| self.with_pattern(outcome)))
    }

    fn gather(&mut self) {
        let reads = self.trace.reads();
        self.facts.reads = rules::stage_of_reads(reads, &self.layout);
        if !self.facts.entered {
            return;
        }
        let on_screen =
            self.family.mirrors_its_screen() && rules::is_output(&self.screen, self.family);
        self.facts.output_after_entry = on_screen || rules::is_output(self.output(), self.family);
        let before_entry = self.reads_before_entry();
        self.facts.reads_after_entry =
            before_entry.is_some_and(|before| self.trace.reads().len() > before);
    }

    /// The number of reads by the firmware; nothing if it did not hand over.
    pub(crate) fn reads_before_entry(&self) -> Option<usize> {
        let as_disk = self.case.platform.attachment.is_disk();
        let reads = self.trace.reads();
        self.facts.entered.then(|| {
            self.family
                .own_reads(reads, &self.layout, as_disk, self.reads_at_entry)
        })
    }

    /// Finds where the boot image's own output begins. The firmware's last message before it may come slightly later on
    /// the serial line than on the debug port; until then no output is the boot image's.
    fn find_output(&mut self) {
        let near = self.cleaner.text().len() < FIRMWARES_WORDS;
        if self.facts.entered && self.output_start.is_none() && near {
            self.output_start = self.family.start_of_output(self.cleaner.text());
            if let (Some(guest), Some(start)) = (&mut self.guest, self.output_start) {
                let firmware = self.cleaner.text().get(..start).unwrap_or_default();
                guest.firmware_wrote(firmware, self.now);
            }
        }
    }

    /// The boot image's own output on the serial line.
    fn output(&self) -> &str {
        let text = self.cleaner.text();
        let start = match self.output_start {
            None if self.facts.entered => text.len(),
            start => start.unwrap_or(0),
        };
        text.get(start..).unwrap_or_default()
    }

    /// Whether the boot image may have caused the observed output. SeaBIOS without a debug port never reports the entry;
    /// with one, it prints there first.
    fn may_have_begun(&self) -> bool {
        let without_port = self.debug.bytes().is_empty() && !self.serial.bytes().is_empty();
        self.facts.entered || (self.family.may_enter_silently() && without_port)
    }
}
