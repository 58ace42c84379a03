//! What executes a guest's instructions, and how fast this host is with it.

use std::{fmt, str::FromStr, time::Duration};

use serde::{Deserialize, Serialize};

use crate::outcome::kebab_display;

/// What executes the guest's instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Accelerator {
    /// QEMU's translator, on any host.
    Tcg,
    /// The host's processor.
    Kvm,
}

kebab_display!(Accelerator {
    Tcg => "tcg",
    Kvm => "kvm",
});

/// A word that names no accelerator.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no accelerator is called {0:?}: tcg or kvm")]
pub struct UnknownAccelerator(pub String);

impl FromStr for Accelerator {
    type Err = UnknownAccelerator;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .iter()
            .copied()
            .find(|accelerator| accelerator.as_str() == text)
            .ok_or_else(|| UnknownAccelerator(text.to_owned()))
    }
}

/// How much longer this host takes over the same guest than the one for which deadlines were chosen.
///
/// Only ever slower: a fast host has no shorter deadlines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Pace {
    percent: u32,
}

impl Pace {
    /// Deadlines as they are.
    pub const NORMAL: Self = Self { percent: 100 };
    /// How long a SeaBIOS start takes there, with QEMU's own.
    pub const NORMAL_START: Duration = Duration::from_millis(200);
    /// A host that is slower yet is not for this.
    const SLOWEST: Self = Self { percent: 5000 };

    /// The pace of a host on which a SeaBIOS start takes so long.
    #[must_use]
    pub fn of_start(start: Duration) -> Self {
        let percent = start.as_millis() * 100 / Self::NORMAL_START.as_millis();
        let percent = u32::try_from(percent).unwrap_or(u32::MAX);
        Self { percent }.clamp(Self::NORMAL, Self::SLOWEST)
    }

    /// What such a host gets done in this time, as the time that a normal one takes.
    #[must_use]
    pub fn shorten(self, time: Duration) -> Duration {
        time * 100 / self.percent
    }

    /// The time in which such a host gets done what a normal one does in this time.
    #[must_use]
    pub fn stretch(self, time: Duration) -> Duration {
        time.saturating_mul(self.percent) / 100
    }
}
