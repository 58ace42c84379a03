//! What happened to a disc on a machine, and how far it came.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How far a boot came. Never guessed: [`Stage::Unknown`] when nothing shows it.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
#[derive(schemars::JsonSchema)]
pub enum Stage {
    /// Nothing shows how far it came.
    #[default]
    Unknown,
    /// The firmware started.
    Post,
    /// The firmware read the medium.
    MediumFound,
    /// The firmware read the boot catalog.
    CatalogRead,
    /// The firmware read the boot image.
    ImageLoaded,
    /// The firmware jumped into the boot image.
    Entered,
    /// The probe's `begin` line came.
    ProbeBegan,
    /// The probe's `end` line came on both channels.
    Ended,
}

/// The class of what happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[derive(schemars::JsonSchema)]
pub enum OutcomeKind {
    /// The probe began and ended on both channels, or the expected pattern came.
    Booted,
    /// The firmware jumped into the boot image, and something followed; nothing more is known.
    HandedOver,
    /// The firmware looked for a disc to boot, and declined.
    Refused,
    /// Nothing more happens.
    Hung,
    /// The machine reset itself.
    Reset,
    /// No disc: the master refused, or the disc exceeds the medium.
    NotMastered,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// The class.
    pub kind: OutcomeKind,
    /// The firmware's code (`0009`) or status (`Not Found`), when it gave one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// How far it came.
    pub stage: Stage,
    /// Whether the boot image gave control back to the firmware, which found nothing else to boot.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub gave_back: bool,
    /// One sentence for people: the deciding fact, or the master's message.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
}

/// The start of the sentence if the host had no time for a boot.
pub(crate) const TOO_BUSY: &str = "this host was too busy";

impl Outcome {
    /// Whether nothing was decided because the host had no time for the machine: missing events then prove nothing about the disc.
    #[must_use]
    pub fn is_for_want_of_time(&self) -> bool {
        self.detail.starts_with(TOO_BUSY)
    }
}

/// `refused 0009 at catalog-read`, `booted`: without the sentence.
impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.kind)?;
        if let Some(code) = &self.code {
            write!(f, " {code}")?;
        }
        // Without a disc there is no stage, and a booted disc came as far as it should.
        match (self.kind, self.stage) {
            (OutcomeKind::NotMastered | OutcomeKind::Booted, _) | (_, Stage::Unknown) => Ok(()),
            (_, stage) => write!(f, " at {stage}"),
        }
    }
}

macro_rules! kebab_display {
    ($name:ident { $($variant:ident => $text:literal),* $(,)? }) => {
        impl $name {
            /// Every value.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The word used in ids, JSON and scenarios.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),* }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }
    };
}
pub(crate) use kebab_display;

kebab_display!(Stage {
    Unknown => "unknown",
    Post => "post",
    MediumFound => "medium-found",
    CatalogRead => "catalog-read",
    ImageLoaded => "image-loaded",
    Entered => "entered",
    ProbeBegan => "probe-began",
    Ended => "ended",
});

kebab_display!(OutcomeKind {
    Booted => "booted",
    HandedOver => "handed-over",
    Refused => "refused",
    Hung => "hung",
    Reset => "reset",
    NotMastered => "not-mastered",
});
