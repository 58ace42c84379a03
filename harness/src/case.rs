//! A request: one disc, one machine, one criterion of success.

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
    /// The bytes that the machine reads instead of some of the disc's, to see the effect. The disc itself does not change.
    pub edits: Edits,
    /// The content that it was mastered with; `None` for a third-party disc.
    pub manifest: Option<Manifest>,
    /// The map of its content, for the table of reads; `None`: from its manifest.
    pub map: Option<Arc<DiscMap>>,
    /// The configurations of boot loaders on it: the entries of their menus, and how long they wait. Empty if they were not read.
    pub configurations: Arc<BootConfigurations>,
    /// The machine that the disc is attached to.
    pub platform: Platform,
    /// The checkpoint to start from; `None`: from power-on. A platform without checkpoints always starts from power-on.
    pub checkpoints: Option<Checkpoints>,
    /// The sign that the disc booted.
    pub success: Success,
    /// The input for the booted program, and the answers that it must give. The disc has booted when every step is done; with
    /// [`Success::Text`], the pattern must also come, at any time after the firmware handed over.
    pub dialogue: Option<Dialogue>,
    /// The texts that identify a third-party program; `None`: the built-in ones.
    pub words: Option<Arc<Vocabulary>>,
    /// How long the machine is watched if nothing decides, in its own time and without the dialogue; `None`: the default.
    pub patience: Option<Duration>,
    /// The longest wait in real time, with the dialogue; `None`: [`Case::default_deadline`].
    pub deadline: Option<Duration>,
    /// The progress that is enough: the machine is then no longer watched.
    pub enough: Option<Progress>,
    /// The folder for the evidence. It is created if missing; an earlier run's evidence in it is removed.
    pub evidence: PathBuf,
}

/// What shows that a disc booted.
#[derive(Clone, Debug)]
pub enum Success {
    /// The probe's first and last lines, on both channels; or only the dialogue, if there is one.
    Probe,
    /// This pattern in the cleaned serial output or on the text screen.
    Text(regex::bytes::Regex),
}

/// How long a third-party guest is followed if nothing shows its state.
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

    /// How long a machine is watched if nothing decides: many times the duration of a boot.
    #[must_use]
    pub fn default_deadline(&self) -> Duration {
        if let Some(patience) = self.patience {
            return patience;
        }
        let under_tcg = self.platform.firmware.id.family().patience();
        // A third-party program loads more than a probe, and may draw its text late.
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

    /// How long the machine is watched if nothing decides, including the dialogue.
    #[must_use]
    pub fn whole_deadline(&self) -> Duration {
        let dialogue = self.dialogue.as_ref();
        let dialogue = dialogue.map(|dialogue| dialogue.longest(self.step_patience()));
        let by_itself = self.default_deadline() + dialogue.unwrap_or_default();
        self.deadline.unwrap_or(by_itself)
    }

    /// Whether it is a third-party disc: no probe on it reports what happened, so its guest is followed.
    #[must_use]
    pub const fn is_stranger(&self) -> bool {
        self.manifest.is_none()
    }

    /// Whether a guest must show something: a text, or a dialogue.
    #[must_use]
    pub const fn asks(&self) -> bool {
        matches!(self.success, Success::Text(_)) || self.dialogue.is_some()
    }

    /// How long to wait for a step of the dialogue without its own limit.
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
