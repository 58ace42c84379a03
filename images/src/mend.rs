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
    use crate::{defect::Defect, finding::Severity, reference::master};

    /// A disc of the reference master for each defect that can be injected.
    fn defective(defect: Defect) -> Option<crate::sparse::SparseBytes> {
        let modes = [
            "none",
            "efi",
            "bios+efi",
            "hard-disk",
            "floppy-1440k",
            "bios+efi,hybrid=mbr",
        ];
        modes.iter().find_map(|mode| {
            let boot = format!("{mode},defect={defect}").parse().ok()?;
            let disc = master("mend/-/-/-/reference", None, &boot, None).ok()?;
            Some(disc.bytes)
        })
    }

    #[test]
    fn what_is_fixed_is_gone_and_brings_nothing() {
        let mut fixable = 0;
        for defect in Defect::all() {
            let Some(disc) = defective(defect) else {
                continue;
            };
            let options = Options::default();
            let before = inspect(&mut Window::new(&disc), &options).unwrap();
            let is_it = |finding: &&Finding| finding.id == defect.id() && finding.is_fixable();
            if before.findings.iter().find(is_it).is_none() {
                continue;
            }
            fixable += 1;
            let mended = mend(&disc, &options, |_, finding| finding.id == defect.id()).unwrap();
            assert!(!mended.inspection.found(defect.id()), "{defect}");
            let worse = |finding: &&Finding| finding.severity > Severity::Info;
            let mut brought = mended.inspection.findings.iter().filter(worse);
            let known = |finding: &Finding| before.found(finding.id);
            assert!(
                brought.all(known),
                "{defect}: {:?}",
                mended.inspection.findings
            );
        }
        assert!(fixable > 0);
    }
}
