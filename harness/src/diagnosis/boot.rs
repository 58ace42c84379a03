//! One boot of the disc that is diagnosed.

use crate::{
    attachment::Attachment, firmware::FirmwareId, guest::Starts, medium_profile::MediumProfile,
    observation::Observation, outcome::OutcomeKind, progress::Progress,
};

/// One boot of the disc.
#[derive(Clone, Debug)]
pub struct Boot<'a> {
    /// The firmware, as its build is called: `seabios` or `seabios@1.17.0`.
    pub build: String,
    /// Which firmware that is.
    pub firmware: FirmwareId,
    /// How the disc was attached to the machine.
    pub attachment: Attachment,
    /// What was seen.
    pub observation: &'a Observation,
    /// Why the machine's keys do not let its loader run, where they do not.
    pub by_keys: Option<&'a str>,
    /// What was the matter with the medium, and what was seen of the same disc on a sound one.
    pub medium: Option<(MediumProfile, &'a Observation)>,
}

impl Boot<'_> {
    /// What was the matter with the medium, where the disc starts on a sound one, or a program on it comes further.
    #[must_use]
    pub fn by_medium(&self) -> Option<(MediumProfile, &Observation)> {
        self.medium.filter(|(_, sound)| {
            let runs = sound.starts != Starts::No || sound.outcome.kind == OutcomeKind::Booted;
            runs && Progress::of(sound) > Progress::of(self.observation)
        })
    }

    /// The firmware's name as people write it, with its build.
    #[must_use]
    pub fn name(&self) -> String {
        firmware_name(&self.build, self.firmware)
    }
}

/// The firmware's name as people write it, with its build.
#[must_use]
pub fn firmware_name(build: &str, firmware: FirmwareId) -> String {
    let name = firmware.name();
    match build.split_once('@') {
        Some((_, version)) => format!("{name} {version}"),
        None => name.to_owned(),
    }
}
