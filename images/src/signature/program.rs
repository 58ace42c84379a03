//! An EFI program with everything that Secure Boot looks at.

use super::{
    authority::{Authority, Year},
    certificate::Certificate,
    hash::{Digests, HashedParts, names_table},
    sbat::{self, Sbat, SbatLevel},
    shim::{self, Shim, VendorKeys},
    signature_list::SignatureList,
    signed_data::{SignedData, Unproved},
};
use crate::{
    efi_program::{EfiProgram, HEADERS, Section},
    inspect::{Window, file::DiscBytes},
};

/// Sections of a long name that are looked up: the name stands in a table behind the symbols (PE/COFF, "COFF String Table").
const LONG_NAME: usize = 32;

/// What a program is, by its sections.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProgramKind {
    /// shim: it carries a vendor's certificate.
    Shim,
    /// GRUB's core image.
    Grub,
    /// A kernel, its initial file system and its command line in one.
    UnifiedKernelImage,
    /// A Linux kernel with an EFI stub.
    LinuxKernel,
    /// Anything else.
    Other,
}

/// What was read of a program.
#[derive(Clone, Debug)]
pub(crate) struct SignedProgram {
    pub(crate) kind: ProgramKind,
    /// Its sections, with their long names.
    pub(crate) sections: Vec<Section>,
    pub(crate) digests: Option<Digests>,
    /// Whether it has a certificate table, good or bad.
    pub(crate) is_signed: bool,
    /// How many signatures there are, though only the first ones are read.
    pub(crate) signature_count: usize,
    /// Why firmware trusts none of them, whatever they are.
    pub(crate) problem: Option<String>,
    /// Whether the table ends behind the file.
    pub(crate) is_table_cut: bool,
    pub(crate) signatures: Vec<Result<SignedData, Unproved>>,
    /// Whether it has a section for SBAT, and what stands in it.
    pub(crate) has_sbat: bool,
    pub(crate) sbat: Option<Sbat>,
    pub(crate) shim: Option<Shim>,
}

/// Bytes of programs that may yet be hashed.
#[derive(Debug)]
pub(crate) struct Budget(pub(crate) u64);

impl SignedProgram {
    /// Reads a program. One without a signature is hashed only where there is something to compare its hash with.
    pub(crate) fn read(
        disc: &mut Window<'_>,
        file: &DiscBytes,
        headers: &EfiProgram,
        compares: bool,
        budget: &mut Budget,
    ) -> Self {
        let head = file.bytes(disc, 0, HEADERS);
        let sections = with_long_names(disc, file, headers);
        let section = |name: &str| sections.iter().find(|it| it.name == name);
        let mut bytes = |name: &str, most: usize| {
            let section = section(name)?;
            let size = usize::try_from(section.length).unwrap_or(usize::MAX);
            Some(file.bytes(disc, section.offset, size.min(most)))
        };
        let sbat = bytes(".sbat", sbat::TEXT_BYTES);
        let vendor = bytes(".vendor_cert", shim::SECTION_BYTES);
        let levels = bytes(".sbatlevel", sbat::TEXT_BYTES * 2);
        let shim = vendor.map(|vendor| {
            let (sets, newest) = levels.and_then(|it| Shim::levels(&it)).unzip();
            Shim {
                keys: VendorKeys::decode(&vendor).unwrap_or_default(),
                starts: None,
                sets,
                newest,
            }
        });
        let kind = match () {
            () if shim.is_some() => ProgramKind::Shim,
            () if section("mods").is_some() => ProgramKind::Grub,
            () if section(".linux").is_some() => ProgramKind::UnifiedKernelImage,
            () if head.get(0x202..0x206) == Some(b"HdrS") => ProgramKind::LinuxKernel,
            () => ProgramKind::Other,
        };
        let mut program = Self {
            kind,
            digests: None,
            is_signed: names_table(&head),
            signature_count: 0,
            problem: None,
            is_table_cut: false,
            signatures: Vec::new(),
            has_sbat: sbat.is_some(),
            sbat: sbat.and_then(|section| Sbat::decode(&section)),
            shim,
            sections,
        };
        let Some(parts) = HashedParts::decode(&head, file.length.get()) else {
            let cut = "its headers name bytes that are not in its file";
            program.problem = program.is_signed.then(|| cut.to_owned());
            program.is_table_cut = program.is_signed;
            return program;
        };
        if let Some(table) = parts.certificate_table(disc, file) {
            program.signature_count = table.count;
            program.is_table_cut = table.is_cut;
            program.problem = table.problem.map(|problem| problem.to_string());
            let signatures = table.signatures.iter();
            program.signatures = signatures.map(|data| SignedData::decode(data)).collect();
        }
        if (compares || !program.signatures.is_empty())
            && let Some(left) = budget.0.checked_sub(parts.length())
        {
            budget.0 = left;
            let read = program.signatures.iter().flatten();
            let kinds: Vec<_> = read.map(SignedData::kind).collect();
            program.digests = parts.digests(disc, file, &kinds);
        }
        program
    }

    /// The certificates of each signature that is proved, from its signer's on, with these others to choose from.
    pub(crate) fn chains<'s>(&'s self, others: &'s [Certificate]) -> Vec<Vec<&'s Certificate>> {
        let signatures = self.signatures.iter().flatten();
        let proved = signatures.filter_map(|signature| {
            let signer = signature.prove(self.digests.as_ref()).ok()?;
            Some(signature.chain(signer, others))
        });
        proved.collect()
    }

    /// Who issued the certificates of the signers.
    pub(crate) fn signers(&self) -> Vec<String> {
        let signatures = self.signatures.iter().flatten();
        let mut names: Vec<String> = signatures.map(|it| it.issuer().common_name()).collect();
        names.dedup();
        names
    }

    /// Why signatures prove nothing.
    pub(crate) fn problems(&self) -> impl Iterator<Item = Unproved> {
        let signatures = self.signatures.iter();
        signatures.filter_map(|signature| match signature {
            Ok(signature) => signature.prove(self.digests.as_ref()).err(),
            Err(problem) => Some(*problem),
        })
    }

    /// The authorities that a proved signature leads to.
    pub(crate) fn authorities(&self) -> Vec<Authority> {
        if self.problem.is_some() {
            return Vec::new();
        }
        let chains = self.chains(&[]);
        let mut authorities: Vec<Authority> = chains
            .iter()
            .flatten()
            .filter_map(|it| Authority::of(it))
            .collect();
        authorities.sort_unstable();
        authorities.dedup();
        authorities
    }

    /// Whether a machine that has the certificates of this year alone starts it.
    pub(crate) fn is_trusted_by(&self, year: Year) -> bool {
        let authorities = self.authorities();
        authorities.iter().any(|authority| authority.year() == year)
    }

    /// Whether it would be known to be trusted if it had been read whole.
    pub(crate) fn is_unknown(&self) -> bool {
        let mut signatures = self.signatures.iter().flatten();
        let is_unread = |it: &SignedData| it.prove(None) == Err(Unproved::NotHashed);
        self.problem.is_none() && self.digests.is_none() && signatures.any(is_unread)
    }

    /// The certificate of a shim's vendor by which it is trusted.
    pub(crate) fn vendor<'s>(&'s self, shim: &'s Shim) -> Option<&'s Certificate> {
        if self.problem.is_some() {
            return None;
        }
        let vendors = &shim.keys.certificates;
        let chains = self.chains(vendors);
        let on_the_way = chains.into_iter().flatten();
        let mut found =
            on_the_way.filter_map(|it| vendors.iter().find(|vendor| it.has_key_of(vendor)));
        found.next()
    }

    /// Why a list refuses it; these others may be certificates on the way.
    pub(crate) fn refused_by(
        &self,
        list: &SignatureList,
        others: &[Certificate],
    ) -> Option<String> {
        let digest = self.digests.as_ref().map(|digests| &digests.sha256);
        list.refuses(digest, &self.chains(others))
    }

    /// The first component that is below a level, in words.
    pub(crate) fn below(&self, level: &SbatLevel) -> Option<String> {
        let (entry, least) = self.sbat.as_ref()?.below(level)?;
        Some(format!(
            "its {} has generation {}, and at least {least} is required",
            entry.component, entry.generation
        ))
    }
}

/// The sections, those whose name is a number of the string table with the name that stands there.
fn with_long_names(disc: &mut Window<'_>, file: &DiscBytes, headers: &EfiProgram) -> Vec<Section> {
    let mut name_of = |section: &Section| {
        let number: u64 = section.name.strip_prefix('/')?.parse().ok()?;
        let at = headers.strings?.checked_add(number)?;
        let bytes = file.bytes(disc, at, LONG_NAME);
        let end = bytes.iter().position(|&byte| byte == 0)?;
        Some(crate::bytes::printable(bytes.get(..end)?))
    };
    let sections = headers.sections.iter().map(|section| Section {
        name: name_of(section).unwrap_or_else(|| section.name.clone()),
        ..section.clone()
    });
    sections.collect()
}
