//! Looking at a machine: its registers and its screen, for which no event comes.

use std::{
    ops::Range,
    time::{Duration, Instant},
};

use images::probe::protocol;

use super::{Trouble, Watch, unless_gone};
use crate::{
    machine::{CommandError, Machine},
    registers::Registers,
    rules::{self, Confirmed},
    screen::{self, Mode},
    text::contains,
};

/// The longest time between two looks at a screen on which a text is to appear.
const SCREEN_INTERVAL: Duration = Duration::from_secs(1);
/// One look may fall into a moment in which interrupts are off; so many in a row do not.
const DEAF_LOOKS: u32 = 4;

impl Watch<'_> {
    /// Examines the machine: there is no event for a hang, nor for a screen.
    pub(super) fn look(&mut self, machine: &mut Machine) -> Result<(), Trouble> {
        let read = self.follow_trace().map_err(Trouble::Host)?;
        if read {
            self.awake();
        }
        self.find_output();
        unless_gone(self.examine(machine))?;
        self.gather();
        self.interval *= 2;
        if self.looks_at_its_own_pace() {
            self.interval = self.interval.min(SCREEN_INTERVAL);
        }
        self.next_look = Instant::now() + self.interval;
        Ok(())
    }

    fn examine(&mut self, machine: &mut Machine) -> Result<(), CommandError> {
        if self.may_have_begun() {
            self.examine_screen(machine)?;
        }
        let text = machine.registers()?;
        let arch = self.family.architecture().arch();
        if let Some(place) = arch.last_line(&text) {
            self.confirm_by_memory(machine, place)?;
        }
        let Some(registers) = arch.registers(&text) else {
            return Ok(());
        };
        self.note_halt(&registers);
        self.deaf_looks = if registers.interruptible {
            0
        } else {
            self.deaf_looks + 1
        };
        let may_be_deaf = !self.family.works_with_interrupts_off() || self.facts.entered;
        self.facts.deaf = may_be_deaf && self.deaf_looks >= DEAF_LOOKS;
        let code = machine.memory(registers.address, 16).unwrap_or_default();
        // Kept until the next sign of life: a look may fall into the timer's interrupt.
        if let Some(place) = rules::lost_at(registers.address, registers.real_mode, &code) {
            self.facts.lost = Some(place);
        }
        Ok(())
    }

    /// Looks for what the boot image wrote on the screen and nowhere else.
    fn examine_screen(&mut self, machine: &mut Machine) -> Result<(), CommandError> {
        if self.guest.is_some() {
            return self.see_guest(machine);
        }
        if self.facts.awaits_pattern || self.family.mirrors_its_screen() {
            let start = self.cleaner.text().len() - self.output().len();
            let firmware = self.cleaner.text().get(..start).unwrap_or_default();
            self.screen = rules::without_firmware(&screen::read(machine)?.text, firmware);
        }
        if !self.family.mirrors_its_screen() {
            // Pixels may be no text at all. UEFI firmware draws none after it started a program.
            let picture = machine.screen()?;
            let before = self.picture.get_or_insert_with(|| picture.clone());
            self.facts.screen_after_entry |= *before != picture;
        }
        Ok(())
    }

    /// The processor's state, where it is understood.
    fn registers(&self, machine: &mut Machine) -> Result<Option<Registers>, CommandError> {
        let architecture = self.family.architecture();
        Ok(architecture.arch().registers(&machine.registers()?))
    }

    /// Whether a probe's last line, which came on the serial line, is the last line in the machine's memory too.
    fn confirm_by_memory(
        &mut self,
        machine: &mut Machine,
        place: Range<u64>,
    ) -> Result<(), CommandError> {
        let length = place.end.saturating_sub(place.start);
        if let Some(line) = self.probe.end_line()
            && (1..=protocol::LINE_BYTES_MAX as u64).contains(&length)
        {
            let memory = machine.memory(place.start, length)?;
            self.facts.probe.confirmed = match contains(&memory, line.as_bytes()) {
                true => Confirmed::Yes,
                false => Confirmed::No,
            };
        }
        Ok(())
    }

    fn note_halt(&mut self, registers: &Registers) {
        self.facts.dead = registers.is_dead() && self.dead_at == Some(registers.address);
        self.dead_at = registers.is_dead().then_some(registers.address);
    }

    /// Words decide sooner than two looks come: whoever said them may have halted for good since the last one.
    pub(super) fn see_whether_it_halted(
        &mut self,
        machine: &mut Machine,
    ) -> Result<(), CommandError> {
        for _ in 0..2 {
            if let Some(registers) = self.registers(machine)? {
                self.note_halt(&registers);
            }
        }
        Ok(())
    }

    /// Looks at what a guest has on its screen.
    pub(super) fn see_guest(&mut self, machine: &mut Machine) -> Result<(), CommandError> {
        let seen = screen::read(machine)?;
        let before = *self.guest_picture.get_or_insert(seen.fingerprint);
        self.facts.screen_after_entry |= if self.family.mirrors_its_screen() {
            // It writes text itself, and draws nothing.
            !matches!(seen.mode, Mode::Text { .. })
        } else {
            before != seen.fingerprint
        };
        let start = self.cleaner.text().len() - self.output().len();
        let firmware = self.cleaner.text().get(..start).unwrap_or_default();
        self.screen = rules::without_firmware(&seen.text, firmware);
        self.screens.show(&self.screen);
        let now = self.now;
        if let Some(guest) = &mut self.guest {
            let (text, columns) = rules::at_the_margin(&self.screen, seen.mode.columns());
            let text = rules::rejoined(&text, columns);
            if guest.see(&text, seen.fingerprint, now) {
                self.last_life = now;
            }
        }
        Ok(())
    }
}
