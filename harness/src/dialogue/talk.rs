//! A dialogue that is being held.

use std::{
    collections::VecDeque,
    fmt, io,
    os::fd::{AsFd, BorrowedFd},
    time::Duration,
};

use super::{Action, Chord, Dialogue, Step, ear::Ear};
use crate::{
    machine::{CommandError, Machine},
    screen,
};

/// How long a key is held down: a BIOS takes it in its interrupt, at once.
const HOLD: Duration = Duration::from_millis(20);
/// Between two looks at the screen.
const LOOK: Duration = Duration::from_millis(200);

/// How far a dialogue has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// A step is waited for.
    Underway,
    /// Every step is done.
    Ended,
    /// A step did not come in its time.
    Failed,
}

/// A dialogue that is being held with a machine. Who reads the machine's events hands on what comes on the serial line.
pub(crate) struct Talk<'a> {
    dialogue: &'a Dialogue,
    /// How long a step is waited for that does not say it.
    patience: Duration,
    ear: Ear,
    /// The step that is under way.
    at: usize,
    /// When it began, by the machine's clock.
    since: Duration,
    /// Keys that are still to be pressed.
    keys: VecDeque<&'a Chord>,
    /// When to look at the screen or to press a key, by the machine's clock.
    next: Duration,
}

impl<'a> Talk<'a> {
    /// Begins at a time of the machine's clock.
    pub(crate) fn begin(
        dialogue: &'a Dialogue,
        patience: Duration,
        now: Duration,
    ) -> io::Result<Self> {
        let mut talk = Self {
            dialogue,
            patience,
            ear: Ear::new()?,
            at: 0,
            since: now,
            keys: VecDeque::new(),
            next: now,
        };
        talk.begin_step(now);
        Ok(talk)
    }

    /// Takes what came on the serial line.
    pub(crate) fn hear(&mut self, bytes: &[u8]) {
        self.ear.hear(bytes);
    }

    /// What becomes readable when there may be progress.
    pub(crate) fn bell(&self) -> BorrowedFd<'_> {
        self.ear.as_fd()
    }

    /// When by the machine's clock there is something to do, if nothing is heard before.
    pub(crate) fn wake(&self) -> Option<Duration> {
        let step = self.step()?;
        match step.action {
            Action::Send(_) => Some(self.since),
            Action::Keys(_) => Some(self.next),
            Action::Expect(_) => Some(self.deadline(step)),
            Action::Screen(_) => Some(self.deadline(step).min(self.next)),
        }
    }

    /// Does what can be done now.
    pub(crate) fn go_on(&mut self, machine: &mut Machine) -> Result<Progress, CommandError> {
        while let Some(step) = self.step() {
            let done = match &step.action {
                Action::Expect(_) => self.ear.heard()?,
                Action::Send(text) => {
                    machine.type_on_serial(text.as_bytes())?;
                    true
                }
                Action::Keys(_) => self.press(machine)?,
                Action::Screen(pattern) => {
                    machine.now() >= self.next && {
                        self.next = machine.now() + LOOK;
                        pattern.is_match(&screen::read(machine)?.text)
                    }
                }
            };
            if !done {
                let late = step.waits() && machine.now() >= self.deadline(step);
                return Ok(if late {
                    Progress::Failed
                } else {
                    Progress::Underway
                });
            }
            self.at += 1;
            self.begin_step(machine.now());
        }
        Ok(Progress::Ended)
    }

    /// The sentence of a step that did not come.
    pub(crate) fn failure(&self) -> String {
        let steps = self.dialogue.steps().len();
        let Some(step) = self.step() else {
            return self.to_string();
        };
        format!(
            "step {} of {steps} of the dialogue, {step}, did not come within {} s",
            self.at + 1,
            self.patience_of(step).as_secs_f32()
        )
    }

    fn step(&self) -> Option<&'a Step> {
        self.dialogue.steps().get(self.at)
    }

    fn begin_step(&mut self, now: Duration) {
        self.since = now;
        self.next = now;
        match self.step().map(|step| &step.action) {
            Some(Action::Expect(pattern)) => self.ear.listen_for(pattern.as_str()),
            Some(Action::Keys(chords)) => self.keys = chords.iter().collect(),
            Some(Action::Send(_) | Action::Screen(_)) | None => {}
        }
    }

    /// Presses the next key once the one before is up; says whether all are.
    fn press(&mut self, machine: &mut Machine) -> Result<bool, CommandError> {
        if machine.now() < self.next {
            return Ok(false);
        }
        let Some(chord) = self.keys.pop_front() else {
            return Ok(true);
        };
        machine.press(chord.names(), HOLD)?;
        // Each key of it goes down and comes up again, and takes its time for both.
        let keys = u32::try_from(chord.keys()).unwrap_or(u32::MAX);
        self.next = machine.now() + HOLD.saturating_mul(keys.saturating_mul(2));
        Ok(false)
    }

    fn patience_of(&self, step: &Step) -> Duration {
        step.within.unwrap_or(self.patience)
    }

    fn deadline(&self, step: &Step) -> Duration {
        self.since + self.patience_of(step)
    }
}

/// Where it is: `the dialogue was at step 2 of 5, expect = "grub> "`.
impl fmt::Display for Talk<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let steps = self.dialogue.steps().len();
        match self.step() {
            Some(step) => write!(
                f,
                "the dialogue was at step {} of {steps}, {step}",
                self.at + 1
            ),
            None => f.write_str("the dialogue was at its end"),
        }
    }
}
