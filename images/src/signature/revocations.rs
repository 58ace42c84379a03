//! What a machine refuses: its list of revoked programs and certificates, and its SBAT level.

use super::{certificate::Certificate, sbat::SbatLevel, signature_list::SignatureList};

/// A revocation list (`dbx`).
#[derive(Clone, Debug)]
pub struct RevocationList {
    /// What it names.
    pub list: SignatureList,
    /// Where it comes from, with its date.
    pub source: String,
    /// Whether the user named it; else a package brought it.
    pub is_given: bool,
}

/// An SBAT level, and where it comes from.
#[derive(Clone, Debug)]
pub struct SbatLevelSource {
    /// The level.
    pub level: SbatLevel,
    /// Where it comes from.
    pub source: String,
    /// Whether the user named it; else a package brought it.
    pub is_given: bool,
}

/// What a disc is compared with.
#[derive(Clone, Debug, Default)]
pub struct Revocations {
    /// The revocation list, where there is one.
    pub list: Option<RevocationList>,
    /// The SBAT level, where there is one.
    pub level: Option<SbatLevelSource>,
}

impl SignatureList {
    /// Why it refuses a program: its hash, or a certificate on the way to its authority.
    #[must_use]
    pub fn refuses(
        &self,
        digest: Option<&[u8; 32]>,
        chains: &[Vec<&Certificate>],
    ) -> Option<String> {
        if digest.is_some_and(|digest| self.has_program(digest)) {
            return Some("its hash".to_owned());
        }
        let mut certificates = chains.iter().flatten();
        let found = certificates.find(|it| self.has_certificate(it))?;
        Some(format!(
            "its certificate \"{}\"",
            found.subject.common_name()
        ))
    }
}
