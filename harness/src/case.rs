//! What is asked for: one disc, one machine, one idea of success.

use std::{path::PathBuf, sync::Arc, time::Duration};

use images::{
    boot_configuration::BootConfigurations, change::Edits, manifest::Manifest, map::DiscMap,
};

use crate::{
    accelerator::Accelerator, checkpoint::Checkpoints, dialogue::Dialogue, guest::Vocabulary,
    medium_profile::MediumProfile, platform::Platform, progress::Progress,
};

/// One disc on one machine.
#[derive(Clone, Debug)]
pub struct Case {
    /// The cell's id, for messages.
    pub id: String,
    /// The ISO.
    pub disc: PathBuf,
    /// What the machine reads instead of some of its bytes, to see what that changes: the disc itself stays as it is.
    pub edits: Edits,
    /// What it was mastered to hold; `None` for a disc that is not ours.
    pub manifest: Option<Manifest>,
    /// What stands where on it, for the table of what was read; `None`: what its manifest says.
    pub map: Option<Arc<DiscMap>>,
    /// The configurations of boot loaders on it: what their menus offer, and how long they wait. Empty where nobody read them.
    pub configurations: Arc<BootConfigurations>,
    /// The machine that the disc hangs on.
    pub platform: Platform,
    /// From where to start; `None`: from power-on. A platform that has no checkpoint starts from power-on in any case.
    pub checkpoints: Option<Checkpoints>,
    /// What shows that the disc booted.
    pub success: Success,
    /// What is said to what boots, and what it must answer. Then the disc has booted when every step is done, and with
    /// [`Success::Text`] when besides the pattern came, at any time after the firmware handed over.
    pub dialogue: Option<Dialogue>,
    /// The words that a program which is not ours is known by; `None`: those that are built in.
    pub words: Option<Arc<Vocabulary>>,
    /// How long the machine is watched when nothing decides, in its own time and without the dialogue; `None`: as long as is usual.
    pub patience: Option<Duration>,
    /// How long to wait at most, on the clock on the wall and with the dialogue; `None`: [`Case::default_deadline`].
    pub deadline: Option<Duration>,
    /// What is far enough: then it is watched no longer.
    pub enough: Option<Progress>,
    /// The folder for the evidence. Made when it is not there; evidence of an earlier run in it is removed.
    pub evidence: PathBuf,
}

/// What shows that a disc booted.
#[derive(Clone, Debug)]
pub enum Success {
    /// The probe's first and last lines, on both channels; or nothing more than a dialogue, where there is one.
    Probe,
    /// This pattern in the cleaned serial output or on the text screen.
    Text(regex::bytes::Regex),
}

/// So long a guest is followed that is not ours, and of which nothing tells what it came to.
const STRANGERS_PATIENCE: Duration = Duration::from_secs(180);

impl Case {
    /// A disc with a probe on it, on a machine that starts from power-on. For another disc change `success`.
    #[must_use]
    pub fn new(disc: impl Into<PathBuf>, platform: Platform, evidence: impl Into<PathBuf>) -> Self {
        let disc = disc.into();
        Self {
            id: disc.display().to_string(),
            disc,
            edits: Edits::default(),
            manifest: None,
            map: None,
            configurations: Arc::default(),
            platform,
            checkpoints: None,
            success: Success::Probe,
            dialogue: None,
            words: None,
            patience: None,
            deadline: None,
            enough: None,
            evidence: evidence.into(),
        }
    }

    /// How long a machine is watched when nothing decides: many times what a boot takes.
    #[must_use]
    pub fn default_deadline(&self) -> Duration {
        if let Some(patience) = self.patience {
            return patience;
        }
        let under_tcg = self.platform.firmware.id.family().patience();
        // A program of others loads more than a probe, and may draw its text late.
        let of_program = if self.is_stranger() {
            STRANGERS_PATIENCE
        } else {
            match self.success {
                Success::Probe => under_tcg,
                Success::Text(_) => under_tcg * 3,
            }
        };
        let of_medium = match self.platform.medium_profile {
            Some(profile) => profile.stretch(of_program),
            None => of_program,
        };
        self.at_its_pace(of_medium)
    }

    /// How long the machine is watched when nothing decides, with the dialogue that is held meanwhile.
    #[must_use]
    pub fn whole_deadline(&self) -> Duration {
        let dialogue = self.dialogue.as_ref();
        let dialogue = dialogue.map(|dialogue| dialogue.longest(self.step_patience()));
        let by_itself = self.default_deadline() + dialogue.unwrap_or_default();
        self.deadline.unwrap_or(by_itself)
    }

    /// Whether the disc is not ours: no probe on it says what happened, and its guest is followed.
    #[must_use]
    pub const fn is_stranger(&self) -> bool {
        self.manifest.is_none()
    }

    /// Whether something was asked for that a guest must bring: a text, or a dialogue.
    #[must_use]
    pub const fn asks(&self) -> bool {
        matches!(self.success, Success::Text(_)) || self.dialogue.is_some()
    }

    /// How long a step of the dialogue is waited for that does not say it.
    #[must_use]
    pub fn step_patience(&self) -> Duration {
        self.at_its_pace(Duration::from_secs(30))
    }

    /// More processor time than QEMU can need until the deadline: its few threads do not all run all the time.
    #[must_use]
    pub fn processor_time(&self) -> Duration {
        let longest = self.platform.pace.stretch(self.whole_deadline());
        longest.saturating_mul(3) + Duration::from_secs(60)
    }

    /// When the medium comes, by the machine's clock; `None` where it is there from the start.
    pub(crate) fn medium_comes_at(&self) -> Option<Duration> {
        match self.platform.medium_profile {
            Some(MediumProfile::Late(seconds)) => Some(Duration::from_secs(seconds.into())),
            _ => None,
        }
    }

    /// Whether the medium goes.
    pub(crate) fn medium_goes(&self) -> bool {
        self.platform.medium_profile == Some(MediumProfile::Ejected)
    }

    fn at_its_pace(&self, under_tcg: Duration) -> Duration {
        match self.platform.accelerator {
            Accelerator::Tcg => under_tcg,
            Accelerator::Kvm => under_tcg / 2,
        }
    }
}
