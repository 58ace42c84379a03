//! What is asked for: one disc, one machine, one idea of success.

use std::{path::PathBuf, sync::Arc, time::Duration};

use images::{manifest::Manifest, map::DiscMap};

use crate::{
    accelerator::Accelerator, checkpoint::Checkpoints, firmware::FirmwareKind, platform::Platform,
};

/// One disc on one machine.
#[derive(Clone, Debug)]
pub struct Case {
    /// The cell's id, for messages.
    pub id: String,
    /// The ISO.
    pub disc: PathBuf,
    /// What it was mastered to hold; `None` for a disc that is not ours.
    pub manifest: Option<Manifest>,
    /// What stands where on it, for the table of what was read; `None`: what its manifest says.
    pub map: Option<Arc<DiscMap>>,
    /// The machine that the disc hangs on.
    pub platform: Platform,
    /// From where to start; `None`: from power-on. A platform that has no checkpoint starts from power-on in any case.
    pub checkpoints: Option<Checkpoints>,
    /// What shows that the disc booted.
    pub success: Success,
    /// How long to wait at most; `None`: [`Case::default_deadline`].
    pub deadline: Option<Duration>,
    /// The folder for the evidence. Made when it is not there; evidence of an earlier run in it is removed.
    pub evidence: PathBuf,
}

/// What shows that a disc booted.
#[derive(Clone, Debug)]
pub enum Success {
    /// The probe's first and last lines, on both channels.
    Probe,
    /// This pattern in the cleaned serial output or on the text screen.
    Text(regex::bytes::Regex),
}

impl Case {
    /// How long a machine is watched when nothing decides: many times what a boot takes.
    #[must_use]
    pub fn default_deadline(&self) -> Duration {
        let under_tcg = match self.platform.firmware.id.kind() {
            FirmwareKind::Bios => Duration::from_secs(10),
            FirmwareKind::Uefi => Duration::from_secs(40),
        };
        // A program of others loads more than a probe, and may draw its text late.
        let of_program = match self.success {
            Success::Probe => under_tcg,
            Success::Text(_) => under_tcg * 3,
        };
        match self.platform.accelerator {
            Accelerator::Tcg => of_program,
            Accelerator::Kvm => of_program / 2,
        }
    }
}
