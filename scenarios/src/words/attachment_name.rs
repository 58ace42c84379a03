//! An attachment with a medium profile.

use std::{fmt, str::FromStr};

use harness::{attachment::Attachment, medium_profile::MediumProfile};

use super::Vocabulary;

/// How a disc hangs on the machine, and the medium profile: `usb-cd-ehci+slow=50`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AttachmentName {
    /// How the disc is attached to the machine.
    pub attachment: Attachment,
    /// The medium profile.
    pub medium_profile: Option<MediumProfile>,
}

impl fmt::Display for AttachmentName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.medium_profile {
            None => self.attachment.fmt(f),
            Some(profile) => f.pad(&format!("{}+{profile}", self.attachment)),
        }
    }
}

impl Vocabulary for AttachmentName {
    const NOUN: &'static str = Attachment::NOUN;
    const CLOSED: bool = false;

    fn words() -> Vec<String> {
        Attachment::words()
    }

    fn pattern() -> Option<String> {
        let attachments = Self::words().join("|");
        Some(format!(r"^({attachments})\+(slow|late|ejected|bad-block=)"))
    }

    fn parse(word: &str) -> Result<Self, String> {
        let (attachment, profile) = match word.split_once('+') {
            None => (word, None),
            Some((attachment, profile)) => (attachment, Some(profile)),
        };
        Ok(Self {
            attachment: Attachment::parse(attachment)?,
            medium_profile: profile
                .map(MediumProfile::from_str)
                .transpose()
                .map_err(|error| error.to_string())?,
        })
    }
}
