use super::ImageError;
use crate::{
    probe::{Check, DiscHash, ProbePlan, sector::SectorId},
    sparse::SparseBytes,
    units::{VirtualSector, VirtualSectorCount},
};

/// Images up to this length have every sector read and every free sector numbered: 2.88 MB.
const SWEEP_MAX: VirtualSectorCount = VirtualSectorCount::new(5_760);

/// Which image of which disc: what every numbered sector of it carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The disc.
    pub disc: DiscHash,
    /// The catalog slot of the image's entry.
    pub slot: u16,
}

impl Identity {
    /// What a probe reads in an image of that length whose first `structured` sectors hold code and file system.
    pub(super) fn plan(
        self,
        image: VirtualSectorCount,
        structured: VirtualSectorCount,
        edges: &[(&str, u64)],
    ) -> ProbePlan {
        ProbePlan {
            disc: self.disc,
            slot: self.slot,
            image,
            structured,
            checks: checks(image, structured, edges),
            sweep: image <= SWEEP_MAX,
        }
    }

    /// Makes an image whose structures depend on the plan's code, which depends on where the structures end.
    pub(super) fn settle(
        self,
        image: VirtualSectorCount,
        edges: &[(&str, u64)],
        mut build: impl FnMut(&ProbePlan) -> Result<(SparseBytes, VirtualSectorCount), ImageError>,
    ) -> Result<(SparseBytes, ProbePlan), ImageError> {
        let mut structured = VirtualSectorCount::new(1);
        for _ in 0..4 {
            let plan = self.plan(image, structured, edges);
            let (mut bytes, needed) = build(&plan)?;
            if needed > image {
                return Err(ImageError::TooShort {
                    length: image,
                    needed,
                });
            }
            if needed == structured {
                number_sectors(&mut bytes, &plan);
                return Ok((bytes, plan));
            }
            structured = needed;
        }
        Err(ImageError::Unsettled)
    }
}

/// The sectors to read one by one: both ends, every edge where a unit or width goes wrong, and a spread.
fn checks(
    image: VirtualSectorCount,
    structured: VirtualSectorCount,
    edges: &[(&str, u64)],
) -> Vec<Check> {
    let length = image.get();
    let quarter = length / 4;
    let mut wanted = vec![
        ("first".to_owned(), 0),
        ("numbered".to_owned(), structured.get()),
        ("quarter-1".to_owned(), quarter.wrapping_sub(1)),
        ("quarter".to_owned(), quarter),
        ("quarter+1".to_owned(), quarter + 1),
        // The last sector that a 16-bit count or number reaches, and the first that it does not.
        ("16-bit".to_owned(), 65_535),
        ("16-bit+1".to_owned(), 65_536),
        // Where a byte offset or a block number in 32 bits ends.
        ("4gib-1".to_owned(), (1 << 23) - 1),
        ("4gib".to_owned(), 1 << 23),
    ];
    wanted.extend(
        edges
            .iter()
            .map(|&(name, sector)| (name.to_owned(), sector)),
    );
    // An odd stride, so that a spread does not fall on round numbers.
    wanted.extend((1..=3).map(|n| (format!("spread-{n}"), (length / 4 * n + length / 7) | 1)));
    wanted.push(("last-1".to_owned(), length.wrapping_sub(2)));
    wanted.push(("last".to_owned(), length.wrapping_sub(1)));
    let mut checks: Vec<Check> = Vec::new();
    for (name, sector) in wanted {
        let sector = VirtualSector::new(sector);
        if sector.get() < length && !checks.iter().any(|check| check.sector == sector) {
            checks.push(Check { name, sector });
        }
    }
    checks
}

/// Sectors from the image's start that are always numbered, so that the probe can tell how many a BIOS loaded:
/// a count of 128 (64 KiB) and a little more.
const LOADED_MAX: u64 = 136;

/// Writes self-identifying sectors into the free part of an image: all of it when the probe sweeps; else the
/// sectors that it reads, and those that a confusion of units or widths would hit instead.
fn number_sectors(bytes: &mut SparseBytes, plan: &ProbePlan) {
    let mut number = |sector: u64| {
        if sector < plan.structured.get() || sector >= plan.image.get() {
            return;
        }
        if let Ok(number) = u32::try_from(sector) {
            let id = SectorId {
                disc: plan.disc,
                slot: plan.slot,
                number,
            };
            bytes.write_at(VirtualSector::new(sector).byte_offset(), &id.encode());
        }
    };
    if plan.sweep {
        (plan.structured.get()..plan.image.get()).for_each(number);
        return;
    }
    (0..LOADED_MAX).for_each(&mut number);
    for check in &plan.checks {
        let sector = check.sector.get();
        let instead = [
            sector,
            sector.saturating_sub(1),
            sector + 1,
            sector / 4,
            sector * 4,
            sector % 65_536,
        ];
        instead.into_iter().for_each(&mut number);
    }
}
