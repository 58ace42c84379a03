//! The dialogue with the disc's program, while its machine is watched.

use std::io;

use super::{
    Watch,
    trouble::{Trouble, unless_gone},
};
use crate::{
    dialogue::{Progress, Talk},
    machine::Machine,
    outcome::{Outcome, OutcomeKind},
    rules::Dialogue,
    screen,
};

/// The number of last lines that are shown if a step of a dialogue does not come.
const LAST_LINES: usize = 3;

impl Watch<'_> {
    pub(super) fn begin_dialogue(&mut self) -> io::Result<()> {
        if let Some(dialogue) = &self.case.dialogue {
            let mut talk = Talk::begin(dialogue, self.case.step_patience(), self.now)?;
            // Output from before a checkpoint comes on every start.
            talk.hear(self.serial.bytes());
            self.talk = Some(talk);
            self.facts.dialogue = Some(Dialogue::Underway);
        }
        Ok(())
    }

    /// Continues the dialogue as far as possible.
    pub(super) fn converse(&mut self, machine: &mut Machine) -> Result<(), Trouble> {
        let may_have_begun = self.may_have_begun();
        let Some(talk) = &mut self.talk else {
            return Ok(());
        };
        let Some(progress) = unless_gone(talk.go_on(machine))? else {
            return Ok(());
        };
        self.facts.dialogue = match (progress, &self.case.dialogue) {
            // If the firmware itself answered, no disc has booted yet.
            (Progress::Ended, Some(dialogue)) if may_have_begun => {
                self.talk = None;
                Some(Dialogue::Ended(dialogue.steps().len()))
            }
            (Progress::Failed, _) => {
                let failure = talk.failure();
                self.talk = None;
                let screen = unless_gone(screen::read(machine))?;
                let instead = self.what_came(&screen.map_or_else(String::new, |it| it.text));
                Some(Dialogue::Failed(format!("{failure}; {instead}")))
            }
            _ => return Ok(()),
        };
        Ok(())
    }

    /// The last lines of the serial line, and those of the screen if they differ.
    pub(super) fn what_came(&self, screen: &str) -> String {
        let last = |text: &str| {
            let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
            let lines: Vec<&str> = lines.collect();
            lines[lines.len().saturating_sub(LAST_LINES)..].join(" / ")
        };
        let (serial, screen) = (last(self.cleaner.text()), last(screen));
        let places = if serial == screen {
            vec![("serial line and the screen show", serial)]
        } else {
            vec![("serial line shows", serial), ("screen shows", screen)]
        };
        let shown: Vec<String> = places
            .into_iter()
            .filter(|(_, lines)| !lines.is_empty())
            .map(|(place, lines)| format!("the {place}: {lines}"))
            .collect();
        if shown.is_empty() {
            "no text came on the serial line or the screen".to_owned()
        } else {
            shown.join("; ")
        }
    }

    /// Adds the step of the dialogue at which this happened.
    pub(super) fn with_dialogue(&self, mut outcome: Outcome) -> Outcome {
        let place = match (&self.talk, &self.facts.dialogue) {
            (Some(talk), _) => talk.to_string(),
            // Then only another expected text keeps a machine running.
            (None, Some(Dialogue::Ended(_))) if outcome.kind != OutcomeKind::Booted => {
                "the dialogue had come to its end".to_owned()
            }
            _ => return outcome,
        };
        outcome.detail = format!("{}; {place}", outcome.detail);
        outcome
    }
}
