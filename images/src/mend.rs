//! A disc with findings mended: on paper, one after the other, as each changes what the others see.

use std::collections::BTreeSet;

use crate::{
    change::{Changed, Edits},
    finding::{Finding, FindingId},
    inspect::{InspectError, Inspection, Options, Source, Window, inspect},
};

/// So many findings of a disc are mended: what mends one may show the next.
const MOST: usize = 32;

/// What is left of a disc's findings, and what has to be written for that.
#[derive(Clone, Debug)]
pub struct Mended {
    /// What to write.
    pub edits: Edits,
    /// The findings that were mended, in that order, each with what it changes.
    pub fixed: Vec<Finding>,
    /// What is on the disc then, and wrong with it.
    pub inspection: Inspection,
}

/// Mends every finding that is wanted and has a fix, in the order of the catalogue of findings: what leads a firmware to a structure comes before the structure.
/// What is found only then is asked for too.
///
/// # Errors
/// As [`inspect()`].
pub fn mend(
    disc: &dyn Source,
    options: &Options<'_>,
    mut wanted: impl FnMut(&Inspection, &Finding) -> bool,
) -> Result<Mended, InspectError> {
    let mut edits = Edits::default();
    let mut fixed: Vec<Finding> = Vec::new();
    let mut tried: BTreeSet<(FindingId, u64)> = BTreeSet::new();
    loop {
        let changed = Changed::new(disc, &edits);
        let inspection = inspect(&mut Window::new(&changed), options)?;
        let next = inspection
            .findings
            .iter()
            .filter(|finding| finding.is_fixable() && !tried.contains(&subject(finding)))
            .min_by_key(|finding| subject(finding))
            .cloned();
        let Some(finding) = next.filter(|_| tried.len() < MOST) else {
            return Ok(Mended {
                edits,
                fixed,
                inspection,
            });
        };
        tried.insert(subject(&finding));
        if wanted(&inspection, &finding) {
            edits.add(finding.edits());
            fixed.push(finding);
        }
    }
}

/// Which finding it is: the same defect in another place is another one.
#[must_use]
pub const fn subject(finding: &Finding) -> (FindingId, u64) {
    (finding.id, finding.offset)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        defect::Defect, finding::Severity, medium::Medium, reference::master, size::Size,
        sparse::SparseBytes,
    };

    /// What a disc of the reference master holds enough to mend. Of the others something is missing, or nothing is wrong.
    const FIXABLE: &[FindingId] = &[
        FindingId::NoBootRecord,
        FindingId::BootRecordMisplaced,
        FindingId::BootRecordDuplicate,
        FindingId::BootRecordIdPadding,
        FindingId::CatalogOutOfRange,
        FindingId::CatalogHeaderId,
        FindingId::CatalogKey,
        FindingId::CatalogChecksum,
        FindingId::CatalogPlatform,
        FindingId::CatalogNoEfi,
        FindingId::CatalogSectionHeaderMissing,
        FindingId::CatalogSectionChain,
        FindingId::CatalogEfiTooDeep,
        FindingId::EntryNotBootable,
        FindingId::EntryMediaType,
        FindingId::EntryLoadSegment,
        FindingId::CountZero,
        FindingId::CountTooLarge,
        FindingId::CountWrapped,
        FindingId::CountUnit,
        FindingId::CountEfiShort,
        FindingId::ImageOutOfRange,
        FindingId::ImageOversized4x,
        FindingId::EfiAsFloppy,
        FindingId::HardDiskPartitionSlot,
        FindingId::HardDiskSystemType,
        FindingId::HardDiskCylinders,
        FindingId::HardDiskGeometry,
        FindingId::MbrSignature,
        FindingId::BootInfoTable,
        FindingId::EfiOpenEndOutsideVolume,
        FindingId::VolumeSize,
        FindingId::HybridMbr,
        FindingId::EfiFatLongerThanImage,
        FindingId::EfiWrongImage,
        FindingId::EfiLoaderName,
        FindingId::LoadSizeShort,
        FindingId::LoaderEmulation,
        FindingId::MbrNoActive,
        FindingId::HybridPointer,
        FindingId::ImageNotAtStart,
        FindingId::CountByteOrder,
    ];

    /// A disc of the reference master on which a defect is found, with its words and its medium.
    fn defective(defect: Defect) -> Option<(String, Option<Medium>, SparseBytes)> {
        let modes = [
            "none",
            "efi",
            "bios+efi",
            "hard-disk",
            "floppy-1440k",
            "bios+efi,hybrid=mbr",
            "bios+efi,hybrid=gpt",
        ];
        let small: (Option<Medium>, Option<Size>) =
            ("cd-8cm".parse().ok(), "quarter+1b".parse().ok());
        let media = [(None, None), small];
        let words = media
            .iter()
            .flat_map(|medium| modes.map(|mode| (*medium, mode)));
        let mut discs = words.filter_map(|((medium, size), mode)| {
            let boot = format!("{mode},defect={defect}");
            let words = boot.parse().ok()?;
            let disc = master("mend/-/-/-/reference", medium, &words, size).ok()?;
            Some((boot, medium, disc.bytes))
        });
        discs.find(|(_, medium, disc)| read(disc, *medium).found(defect.id()))
    }

    fn options(medium: Option<Medium>) -> Options<'static> {
        Options {
            medium: medium.map(Medium::capacity),
            verify: true,
            ..Options::default()
        }
    }

    fn read(disc: &SparseBytes, medium: Option<Medium>) -> Inspection {
        inspect(&mut Window::new(disc), &options(medium)).unwrap()
    }

    #[test]
    fn what_is_fixed_is_gone_and_brings_nothing_that_cannot_be() {
        let mut fixable = BTreeSet::new();
        for defect in Defect::all() {
            let Some((boot, medium, disc)) = defective(defect) else {
                panic!("no disc has {defect}");
            };
            let before = read(&disc, medium);
            let mut findings = before.findings.iter();
            if !findings.any(|finding| finding.id == defect.id() && finding.is_fixable()) {
                continue;
            }
            fixable.insert(defect.id());
            let is_it = |_: &Inspection, finding: &Finding| finding.id == defect.id();
            let mended = mend(&disc, &options(medium), is_it).unwrap();
            assert!(!mended.inspection.found(defect.id()), "{boot}");
            let findings = mended.inspection.findings.iter();
            let brought: Vec<_> = findings
                .filter(|finding| finding.severity > Severity::Info && !before.found(finding.id))
                // What stood behind it has a fix of its own.
                .filter(|finding| !finding.is_fixable())
                .collect();
            assert!(brought.is_empty(), "{boot}: {brought:?}");
        }
        assert_eq!(fixable, FIXABLE.iter().copied().collect());
    }
}
