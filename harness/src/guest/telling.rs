//! What a guest came to, in words for people.

use super::{Guest, GuestState, Need};
use crate::firmware::FirmwareId;

impl Guest {
    /// Whether its words are the firmware's, which has control again.
    #[must_use]
    pub fn is_firmware_speaking(&self) -> bool {
        let program = self.program.as_deref();
        program.is_some_and(|program| program.parse::<FirmwareId>().is_ok())
    }

    /// What it came to, in a few words: `isolinux gave up`.
    #[must_use]
    pub fn came_to(&self) -> String {
        let program = self.program.as_deref();
        let program = program.filter(|_| !self.is_firmware_speaking());
        // Only a kernel that printed something is quoted where nothing is known to have failed.
        if self.state == GuestState::Silent && !self.last.is_empty() {
            return "a kernel printed text and halted the processor".to_owned();
        }
        // A login is the same on any system.
        let program = match (program, self.state) {
            (Some("getty"), GuestState::System) => "a system",
            (program, _) => program.unwrap_or("the boot image"),
        };
        let did = match (self.state, self.needs) {
            (GuestState::GaveBack, _) => "returned to the firmware",
            (GuestState::Panic, _) => "panicked",
            (GuestState::Retries, _) => "fails repeatedly",
            (GuestState::Prompt, _) => "stopped at a command line",
            (GuestState::GaveUp, _) => "gave up",
            (GuestState::Needs, None) => "needs something that this machine does not have",
            (GuestState::Needs, Some(Need::Memory)) => "needs more memory",
            (GuestState::Needs, Some(Need::Network)) => "needs a network",
            (GuestState::Needs, Some(Need::Processor)) => "needs another processor",
            (GuestState::Needs, Some(Need::Disk)) => "needs a disk",
            (GuestState::Needs, Some(Need::Tpm)) => "needs a TPM",
            (GuestState::Needs, Some(Need::Key)) => "waits for a key",
            (GuestState::Menu, _) => "waits at its menu",
            (GuestState::System, _) => "runs",
            (GuestState::Runs, _) if !self.said.is_empty() => "printed nothing more",
            (GuestState::Runs, _) => "is still busy",
            (GuestState::Silent, _) => "shows nothing more",
        };
        format!("{program} {did}")
    }

    /// Its decisive words on one line: where they were several, a slash stands between them.
    #[must_use]
    pub fn said_in_a_line(&self) -> String {
        self.said.replace('\n', " / ")
    }

    /// The last lines that it printed, on one line.
    #[must_use]
    pub fn last_in_a_line(&self) -> String {
        self.last.replace('\n', " / ")
    }

    /// What it came to, with its words: `isolinux gave up: Failed to load ldlinux.c32`.
    #[must_use]
    pub fn in_a_sentence(&self) -> String {
        let came_to = self.came_to();
        match self.said.as_str() {
            "" => came_to,
            _ => format!("{came_to}: {}", self.said_in_a_line()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guest::GuestStage;

    #[test]
    fn a_guest_s_words_stand_on_one_line_whole() {
        let guest = Guest {
            program: Some("isolinux".to_owned()),
            said: "Failed to load ldlinux.c32\nBoot failed: press a key to retry...".to_owned(),
            ..Guest::unheard(GuestState::GaveUp, GuestStage::Loader)
        };
        assert_eq!(
            guest.in_a_sentence(),
            "isolinux gave up: Failed to load ldlinux.c32 / Boot failed: press a key to retry..."
        );
        let needs = Guest {
            needs: Some(Need::Tpm),
            ..Guest::unheard(GuestState::Needs, GuestStage::System)
        };
        assert_eq!(needs.in_a_sentence(), "the boot image needs a TPM");
        let returned = Guest {
            program: Some("ovmf".to_owned()),
            ..Guest::unheard(GuestState::GaveBack, GuestStage::Loader)
        };
        assert_eq!(
            returned.came_to(),
            "the boot image returned to the firmware"
        );
    }
}
