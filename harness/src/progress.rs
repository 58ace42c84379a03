//! How far a boot came: the measure that compares two boots of the same disc.

use serde::{Deserialize, Serialize};

use crate::{
    guest::{Guest, GuestStage, GuestState, Starts},
    observation::Observation,
    outcome::{Outcome, OutcomeKind, Stage},
};

/// How far a boot came. More is further: first the firmware's stages, then those of the program that it started, then that program's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Progress {
    /// How far the firmware came.
    pub stage: Stage,
    /// How far the started program came.
    pub guest: GuestStage,
    /// Its state there.
    pub came: Came,
}

/// The state of a boot at its last stage, from the least to the most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Came {
    /// It was refused, hangs, or resets the machine.
    Stopped,
    /// The program reports that it cannot continue, or gives control back.
    GaveUp,
    /// The program continues or is silent; nothing more is known.
    GoesOn,
    /// A menu waits for a person.
    Menu,
    /// It was seen to start.
    Starts,
}

impl Progress {
    /// How far an observed boot came.
    #[must_use]
    pub fn of(observation: &Observation) -> Self {
        let outcome = &observation.outcome;
        if observation.starts == Starts::Yes && outcome.kind == OutcomeKind::Booted {
            return Self {
                stage: Stage::Ended,
                guest: GuestStage::System,
                came: Came::Starts,
            };
        }
        Self::at(outcome, observation.guest.as_ref())
    }

    /// The same for an outcome and the state of the disc's program.
    fn at(outcome: &Outcome, guest: Option<&Guest>) -> Self {
        let came = match (outcome.kind, guest.map(|guest| guest.state)) {
            (OutcomeKind::Booted, _) => Came::Starts,
            (OutcomeKind::HandedOver, _) if outcome.gave_back => Came::GaveUp,
            (OutcomeKind::HandedOver, Some(state)) => Came::of(state),
            (OutcomeKind::HandedOver, None) => Came::GoesOn,
            _ => Came::Stopped,
        };
        Self {
            stage: outcome.stage,
            guest: guest.map_or(GuestStage::Loader, |guest| guest.stage),
            came,
        }
    }
}

impl Came {
    /// The rank of a program's state.
    pub(crate) const fn of(state: GuestState) -> Self {
        match state {
            GuestState::GaveBack
            | GuestState::Panic
            | GuestState::Retries
            | GuestState::Prompt
            | GuestState::GaveUp => Self::GaveUp,
            GuestState::Needs | GuestState::Runs | GuestState::Silent => Self::GoesOn,
            GuestState::Menu => Self::Menu,
            GuestState::System => Self::Starts,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn progress(
        stage: Stage,
        kind: OutcomeKind,
        guest: Option<(GuestStage, GuestState)>,
    ) -> Progress {
        let outcome = Outcome {
            kind,
            code: None,
            stage,
            gave_back: false,
            detail: String::new(),
        };
        let guest = guest.map(|(stage, state)| Guest::unheard(state, stage));
        Progress::at(&outcome, guest.as_ref())
    }

    #[test]
    fn the_order_is_that_of_stages_and_then_of_what_came_of_it() {
        let over = |stage, state| {
            progress(
                Stage::Entered,
                OutcomeKind::HandedOver,
                Some((stage, state)),
            )
        };
        let in_order = [
            progress(Stage::MediumFound, OutcomeKind::Refused, None),
            progress(Stage::CatalogRead, OutcomeKind::Refused, None),
            progress(
                Stage::Entered,
                OutcomeKind::Hung,
                Some((GuestStage::Loader, GuestState::Silent)),
            ),
            over(GuestStage::Loader, GuestState::GaveUp),
            over(GuestStage::Loader, GuestState::Runs),
            over(GuestStage::Loader, GuestState::Menu),
            over(GuestStage::Kernel, GuestState::Panic),
            over(GuestStage::Initramfs, GuestState::Prompt),
            over(GuestStage::System, GuestState::System),
            progress(Stage::Ended, OutcomeKind::Booted, None),
        ];
        for pair in in_order.windows(2) {
            assert!(pair[0] < pair[1], "{pair:?}");
        }
        assert_eq!(
            over(GuestStage::Loader, GuestState::Silent),
            over(GuestStage::Loader, GuestState::Needs)
        );
    }
}
