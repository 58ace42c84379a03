//! What is reported of a disc's EFI programs.

use serde::{Deserialize, Serialize};

use super::DiscProgram;
use crate::{
    inspect::examined::Reading,
    signature::{
        Answer, Authority, Certificate, MachineKeys, Name, ProgramKind, SbatEntry, SignedData,
        SignedProgram, hex,
    },
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
    pub(super) const fn of(by_2011: bool, by_2023: bool) -> Self {
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

/// What is reported of them.
pub(in crate::inspect) fn report(reading: &mut Reading<'_, '_>) -> SecureBootReading {
    let programs = reading.programs();
    let revocations = reading.options.revocations;
    let list = revocations.and_then(|it| it.list.as_ref());
    let level = revocations.and_then(|it| it.level.as_ref());
    let machine = reading.options.machine;
    let report = |program: &DiscProgram| {
        let revoked = list.and_then(|it| program.signed.refused_by(&it.list, &[]));
        let through = program.through.and_then(|shim| programs.get(shim));
        let on_machine = machine.and_then(|keys| on_machine(keys, program, &programs));
        ProgramReading {
            on_machine,
            ..program.report(through, revoked)
        }
    };
    SecureBootReading {
        programs: programs.iter().map(report).collect(),
        revocation_list: list.map(|it| it.source.clone()),
        sbat_level: level.map(|it| it.source.clone()),
    }
}

/// What a machine does with a program that its firmware starts, that a shim beside it starts, or that GRUB asks this shim about. What nobody reaches is not started.
fn on_machine(
    keys: &MachineKeys,
    program: &DiscProgram,
    programs: &[DiscProgram],
) -> Option<OnMachine> {
    if program.is_loader {
        return Some(keys.judge(&program.signed).into());
    }
    let starts = |shim: &DiscProgram, it: &DiscProgram| {
        let name = shim
            .signed
            .shim
            .as_ref()
            .and_then(|it| it.starts.as_deref());
        (it.place, it.slot) == (shim.place, shim.slot)
            && name.is_some_and(|name| name.eq_ignore_ascii_case(it.name()))
    };
    let mut shims = programs
        .iter()
        .filter(|it| it.is_loader && it.signed.shim.is_some());
    let is_kernel = program.signed.kind == ProgramKind::LinuxKernel;
    let (shim, second) = shims.find_map(|shim| {
        let second = programs.iter().find(|it| starts(shim, it))?;
        let asks_shim = is_kernel && second.signed.kind == ProgramKind::Grub;
        (asks_shim || std::ptr::eq(second, program)).then_some((shim, second))
    })?;
    let before = [
        (shim, keys.judge(&shim.signed)),
        (
            second,
            keys.judge_by_shim(&shim.signed, &second.signed, true),
        ),
    ];
    let on_the_way = if is_kernel { &before[..] } else { &before[..1] };
    for (program, answer) in on_the_way {
        match answer {
            Answer::Starts(_) => {}
            Answer::Refuses(why) => {
                return Some(Answer::Refuses(format!("{} is refused: {why}", program.path)).into());
            }
            Answer::Unknown(_) => return Some(answer.clone().into()),
        }
    }
    Some(
        keys.judge_by_shim(&shim.signed, &program.signed, !is_kernel)
            .into(),
    )
}

impl DiscProgram {
    pub(super) fn report(&self, through: Option<&Self>, revoked: Option<String>) -> ProgramReading {
        let vendors: &[Certificate] = through
            .and_then(|it| it.signed.shim.as_ref())
            .map_or(&[], |shim| &shim.keys.certificates);
        let signed = &self.signed;
        let signatures = signed.signatures.iter().map(|read| match read {
            Ok(signature) => signature_of(signed, signature, vendors),
            Err(problem) => SignatureReading {
                signer: None,
                issuer: None,
                chain: Vec::new(),
                authority: None,
                problem: Some(problem.to_string()),
            },
        });
        let sections = signed.sections.iter().map(|section| SectionReading {
            name: section.name.clone(),
            bytes: section.length,
        });
        ProgramReading {
            place: self.place,
            slot: self.slot,
            path: self.path.clone(),
            offset: self.offset(),
            bytes: self.file.length,
            machine: self.machine.name(),
            kind: signed.kind,
            sha256: signed.digests.as_ref().map(|it| hex(&it.sha256)),
            signatures: signatures.collect(),
            signature_count: signed.signature_count,
            problem: signed.problem.clone(),
            sbat: signed
                .sbat
                .as_ref()
                .map_or_else(Vec::new, |it| it.0.clone()),
            sections: sections.collect(),
            shim: signed.shim.as_ref().map(|shim| ShimReading {
                vendor: shim
                    .keys
                    .certificates
                    .iter()
                    .map(|it| it.subject.common_name())
                    .collect(),
                vendor_bytes: shim.keys.trusted_bytes,
                refuses: shim.keys.refused.len(),
                refuses_bytes: shim.keys.refused_bytes,
                starts: shim.starts.clone(),
                sets_sbat_level: shim.sets.as_ref().and_then(|it| it.date.clone()),
                newest_sbat_level: shim.newest.as_ref().and_then(|it| it.date.clone()),
            }),
            trusted_by: self.trusted_by,
            through: through.map(|it| it.path.clone()),
            revoked,
            on_machine: None,
        }
    }
}

fn signature_of(
    program: &SignedProgram,
    signature: &SignedData,
    vendors: &[Certificate],
) -> SignatureReading {
    let proved = signature.prove(program.digests.as_ref());
    let chain = match &proved {
        Ok(signer) => signature.chain(signer, vendors),
        Err(_) => Vec::new(),
    };
    let name = |name: &Name| name.common_name();
    SignatureReading {
        signer: signature.signer().map(|it| name(&it.subject)),
        issuer: Some(name(signature.issuer())),
        authority: chain.iter().find_map(|it| Authority::of(it)),
        chain: chain.iter().map(|it| name(&it.subject)).collect(),
        problem: proved.err().map(|problem| problem.to_string()),
    }
}
