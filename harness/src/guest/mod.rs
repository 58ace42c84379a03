//! The guest: what runs once a firmware has handed over, and what it came to.
//!
//! A guest is followed by what it says: `words` are known, as data; `sight` reads them off one screen, and `follow` off
//! everything that is seen of a machine over time. What firmware, events and reads show outweighs words.

mod follow;
mod printed;
mod rounds;
mod sight;
mod telling;
pub(crate) mod watching;
mod words;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use self::words::{Vocabulary, VocabularyError, json_schema};
pub(crate) use self::{
    follow::Standing,
    printed::{Printed, Screens},
    sight::Waits,
    watching::GuestWatch,
};
use crate::outcome::{Outcome, OutcomeKind, kebab_display};

/// The state of a guest, in order of precedence: if several are seen together, the first one counts.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum GuestState {
    /// It returned to the firmware, whose own menu, shell or next device follows.
    GaveBack,
    /// A kernel stopped with an error that it cannot handle.
    Panic,
    /// It fails repeatedly in the same way.
    Retries,
    /// It shows a command line that was not requested.
    Prompt,
    /// It reported that it cannot continue.
    GaveUp,
    /// It needs something that this machine does not have.
    Needs,
    /// A boot menu waits for a person.
    Menu,
    /// A system runs: a login, a shell after init, an installer, a memory test.
    System,
    /// It continues, and nothing more is known.
    Runs,
    /// No more output came.
    Silent,
}

kebab_display!(GuestState {
    GaveBack => "gave-back",
    Panic => "panic",
    Retries => "retries",
    Prompt => "prompt",
    GaveUp => "gave-up",
    Needs => "needs",
    Menu => "menu",
    System => "system",
    Runs => "runs",
    Silent => "silent",
});

/// How far a guest came. The first program is a loader.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum GuestStage {
    /// The program that the firmware started.
    #[default]
    Loader,
    /// A kernel.
    Kernel,
    /// The system in memory that looks for its medium.
    Initramfs,
    /// The system itself.
    System,
}

kebab_display!(GuestStage {
    Loader => "loader",
    Kernel => "kernel",
    Initramfs => "initramfs",
    System => "system",
});

/// Where a guest said something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SaidBy {
    /// On COM1.
    Serial,
    /// On the screen.
    Screen,
}

kebab_display!(SaidBy {
    Serial => "serial",
    Screen => "screen",
});

/// What a machine lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Need {
    /// Memory: the guest is started again with more.
    Memory,
    /// A network.
    Network,
    /// A newer or another processor.
    Processor,
    /// A disk.
    Disk,
    /// A trusted platform module.
    Tpm,
    /// A key, pressed in time: without one the program gives control back.
    Key,
}

kebab_display!(Need {
    Memory => "memory",
    Network => "network",
    Processor => "processor",
    Disk => "disk",
    Tpm => "tpm",
    Key => "key",
});

/// What a guest came to, and by what that is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guest {
    /// What it came to.
    pub state: GuestState,
    /// How far it came.
    pub stage: GuestStage,
    /// The program that said so; `null` where none is known.
    pub program: Option<String>,
    /// Its decisive words, whole: those of the failure, not of the prompt that follows. Several lines are separated by line feeds.
    pub said: String,
    /// Where it said them; `null` where nothing was said.
    pub by: Option<SaidBy>,
    /// What the words mean, where they do not say it themselves.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub means: String,
    /// What it lacks, where it said that it lacks something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub needs: Option<Need>,
    /// The findings that can explain the words, by their ids.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<String>,
    /// Whether what a menu offers is on the disc; `null` for other states, and where no configuration was found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offers: Option<bool>,
    /// The last lines that it printed, where the machine halted, hung or was reset and no known words say why. Several lines are separated by line feeds.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub last: String,
}

impl Guest {
    /// A guest of which no words tell anything.
    #[must_use]
    pub const fn unheard(state: GuestState, stage: GuestStage) -> Self {
        Self {
            state,
            stage,
            program: None,
            said: String::new(),
            by: None,
            means: String::new(),
            needs: None,
            findings: Vec::new(),
            offers: None,
            last: String::new(),
        }
    }
}

/// Whether a disc was seen to start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Starts {
    /// It was seen to start.
    Yes,
    /// It was seen not to.
    No,
    /// Neither was seen.
    #[default]
    Unknown,
}

kebab_display!(Starts {
    Yes => "yes",
    No => "no",
    Unknown => "unknown",
});

impl Starts {
    /// Whether a disc that came to this was seen to start. `asked`: a text or a dialogue was asked for, and what does not bring it has not started.
    #[must_use]
    pub fn of(outcome: &Outcome, guest: Option<&Guest>, asked: bool) -> Self {
        let state = guest.map(|guest| guest.state);
        match (outcome.kind, state) {
            (OutcomeKind::Booted, _) => Self::Yes,
            (OutcomeKind::Refused | OutcomeKind::Hung | OutcomeKind::Reset, _) => Self::No,
            (OutcomeKind::NotMastered, _) => Self::No,
            (OutcomeKind::HandedOver, _) if outcome.gave_back => Self::No,
            (OutcomeKind::HandedOver, None) => Self::Unknown,
            (OutcomeKind::HandedOver, Some(state)) => match state {
                GuestState::GaveBack
                | GuestState::Panic
                | GuestState::Retries
                | GuestState::Prompt
                | GuestState::GaveUp => Self::No,
                GuestState::Needs => Self::Unknown,
                _ if asked => Self::No,
                GuestState::System => Self::Yes,
                GuestState::Menu if guest.is_some_and(|guest| guest.offers == Some(true)) => {
                    Self::Yes
                }
                GuestState::Menu | GuestState::Runs | GuestState::Silent => Self::Unknown,
            },
        }
    }
}

#[cfg(test)]
mod guest_tests;
#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::Stage;

    fn handed_over() -> Outcome {
        Outcome {
            kind: OutcomeKind::HandedOver,
            code: None,
            stage: Stage::Entered,
            gave_back: false,
            detail: String::new(),
        }
    }

    #[test]
    fn only_a_system_or_a_menu_of_what_is_there_is_a_start() {
        let of = |state, offers, asked| {
            let guest = Guest {
                offers,
                ..Guest::unheard(state, GuestStage::Loader)
            };
            Starts::of(&handed_over(), Some(&guest), asked)
        };
        for state in GuestState::ALL {
            let expected = match state {
                GuestState::System => Starts::Yes,
                GuestState::Menu | GuestState::Needs | GuestState::Runs | GuestState::Silent => {
                    Starts::Unknown
                }
                _ => Starts::No,
            };
            assert_eq!(of(*state, None, false), expected, "{state}");
            assert_ne!(of(*state, None, true), Starts::Yes, "{state}");
        }
        assert_eq!(of(GuestState::Menu, Some(true), false), Starts::Yes);
        assert_eq!(of(GuestState::Menu, Some(false), false), Starts::Unknown);
        assert_eq!(of(GuestState::Menu, Some(true), true), Starts::No);
    }

    #[test]
    fn a_guest_that_lies_has_not_outweighed_what_happened() {
        let login = Guest::unheard(GuestState::System, GuestStage::System);
        for kind in [OutcomeKind::Refused, OutcomeKind::Hung, OutcomeKind::Reset] {
            let outcome = Outcome {
                kind,
                ..handed_over()
            };
            assert_eq!(Starts::of(&outcome, Some(&login), false), Starts::No);
        }
        let outcome = Outcome {
            gave_back: true,
            ..handed_over()
        };
        assert_eq!(Starts::of(&outcome, Some(&login), false), Starts::No);
    }
}
