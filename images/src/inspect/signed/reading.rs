//! What is reported of a disc's EFI programs.

use serde::{Deserialize, Serialize};

use crate::{
    signature::{Answer, Authority, ProgramKind, SbatEntry},
    units::ByteCount,
};

/// Where a program stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProgramPlace {
    /// In the FAT image of an entry for UEFI, or of a partition.
    Image,
    /// In ISO 9660.
    Tree,
    /// In UDF.
    Udf,
}

/// Which machines start a program with Secure Boot on, by the certificates that they have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TrustedBy {
    /// Those that have Microsoft's certificates of 2011 alone, those that have the ones of 2023 alone, and those that have both.
    Both,
    /// Those that have the certificates of 2011.
    #[serde(rename = "2011")]
    Only2011,
    /// Those that have the certificates of 2023.
    #[serde(rename = "2023")]
    Only2023,
    /// None of these: others may have a certificate of its signer's.
    Neither,
    /// The program was not read whole.
    Unknown,
}

impl TrustedBy {
    /// From what each set of certificates does.
    pub(in crate::inspect) const fn of(by_2011: bool, by_2023: bool) -> Self {
        match (by_2011, by_2023) {
            (true, true) => Self::Both,
            (true, false) => Self::Only2011,
            (false, true) => Self::Only2023,
            (false, false) => Self::Neither,
        }
    }
}

/// A signature of a program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignatureReading {
    /// The common name of its signer.
    pub signer: Option<String>,
    /// Who issued the signer's certificate.
    pub issuer: Option<String>,
    /// The common names of the certificates from the signer's on, each signed by the next one.
    pub chain: Vec<String>,
    /// The authority of Microsoft's that it leads to, known by its key.
    pub authority: Option<Authority>,
    /// Why it proves nothing.
    pub problem: Option<String>,
}

/// A section of a program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SectionReading {
    /// Its name.
    pub name: String,
    /// How many bytes it has in the file.
    pub bytes: u64,
}

/// What a shim carries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShimReading {
    /// The common names of the vendor's certificates, by which it trusts what it starts.
    pub vendor: Vec<String>,
    /// Bytes of these.
    pub vendor_bytes: u32,
    /// How many programs and certificates it refuses by itself.
    pub refuses: usize,
    /// Bytes of that list.
    pub refuses_bytes: u32,
    /// The program that it starts.
    pub starts: Option<String>,
    /// The date of the SBAT level that it sets by itself.
    pub sets_sbat_level: Option<String>,
    /// That of the newest level that it has.
    pub newest_sbat_level: Option<String>,
}

/// An EFI program of the disc.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProgramReading {
    /// In which file system it stands.
    pub place: ProgramPlace,
    /// The slot of the entry whose image it is in.
    pub slot: Option<u16>,
    /// Its path there.
    pub path: String,
    /// Where its first byte stands on the disc.
    pub offset: u64,
    /// Its length.
    pub bytes: ByteCount,
    /// The machine that it is for.
    pub machine: String,
    /// What it is.
    pub kind: ProgramKind,
    /// The SHA-256 that firmware computes of it (Authenticode), where it was computed.
    pub sha256: Option<String>,
    /// Its signatures; of thousands, the first ones.
    pub signatures: Vec<SignatureReading>,
    /// How many it has.
    pub signature_count: usize,
    /// Why firmware trusts none of them.
    pub problem: Option<String>,
    /// Its components and their generations.
    pub sbat: Vec<SbatEntry>,
    /// Its sections.
    pub sections: Vec<SectionReading>,
    /// What it carries, where it is shim.
    pub shim: Option<ShimReading>,
    /// Which machines start it.
    pub trusted_by: TrustedBy,
    /// The shim that has to start it, because a certificate of that shim's vendor makes it trusted.
    pub through: Option<String>,
    /// Why a revocation list refuses it.
    pub revoked: Option<String>,
    /// What the machine does with it whose keys were given, where firmware starts it, or a shim beside it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_machine: Option<OnMachine>,
}

/// What a machine does with a program, by its keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OnMachine {
    /// Whether it starts it; nothing where the program was not read whole.
    pub starts: Option<bool>,
    /// Why.
    pub because: String,
}

impl From<Answer> for OnMachine {
    fn from(answer: Answer) -> Self {
        let (starts, because) = match answer {
            Answer::Starts(because) => (Some(true), because),
            Answer::Refuses(because) => (Some(false), because),
            Answer::Unknown(because) => (None, because),
        };
        Self { starts, because }
    }
}

/// What programs were compared with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecureBootReading {
    /// The programs: those in images first.
    pub programs: Vec<ProgramReading>,
    /// Where the revocation list (dbx) comes from.
    pub revocation_list: Option<String>,
    /// Where the SBAT level comes from.
    pub sbat_level: Option<String>,
}
