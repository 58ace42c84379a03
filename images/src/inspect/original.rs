//! The boot image that a disc was mastered from, against what stands on the disc.

use super::{
    image::Images,
    oversized::{self, Fourfold},
    reading::{BootReading, CatalogReading, Comparison, ComparisonResult, entries},
    window::{Source, Window},
};
use crate::{
    eltorito::BootInfoTable,
    finding::{Finding, FindingId, Place},
    units::{ByteCount, Lba, VIRTUAL_SECTOR_BYTES, VirtualSector},
};

/// Bytes compared at once.
const CHUNK: usize = 64 * 1024;

/// Compares an original with each entry's image, and tells of the most similar.
pub(super) fn compare(
    disc: &mut Window<'_>,
    original: &dyn Source,
    catalog: &CatalogReading,
    images: &Images,
    findings: &mut Vec<Finding>,
) -> Option<Comparison> {
    let length = original.length();
    let mut best: Option<(u64, u16, &BootReading, ComparisonResult)> = None;
    for (entry, boot) in entries(Some(catalog)) {
        let mut window = Window::new(original);
        let (same, result) = compare_one(disc, &mut window, boot, images);
        if best.as_ref().is_none_or(|&(most, ..)| same > most) {
            best = Some((same, entry.slot, boot, result));
        }
    }
    let (_, slot, boot, result) = best?;
    let how = match result {
        ComparisonResult::FourfoldTail => Some(Fourfold::Tail),
        ComparisonResult::FourfoldSpread => Some(Fourfold::Spread),
        _ => None,
    };
    let place = Place::block(boot.load_rba);
    let known = findings
        .iter()
        .any(|finding| finding.id == FindingId::ImageOversized4x && finding.offset == place.offset);
    if let Some(how) = how.filter(|_| !known) {
        let message = oversized::message(slot, boot, length.virtual_sectors_rounded_up(), how);
        findings.push(Finding::new(FindingId::ImageOversized4x, place, message));
    }
    Some(Comparison {
        slot,
        original_bytes: length,
        result,
    })
}

/// How many bytes from the start on are the same, and what that amounts to.
fn compare_one(
    disc: &mut Window<'_>,
    original: &mut Window<'_>,
    boot: &BootReading,
    images: &Images,
) -> (u64, ComparisonResult) {
    let length = original.length();
    let start = boot.load_rba;
    let straight = common(disc, original, start);
    if straight.same == length {
        let result = if is_fourfold(disc, boot, length, images) {
            ComparisonResult::FourfoldTail
        } else if let Some(other) = boot
            .file_bytes
            .filter(|&file| file > length)
            .and_then(|file| first_not_zero(disc, start, length, file))
        {
            differs_at(other)
        } else if boot.file_bytes.is_some_and(|file| file > length) {
            ComparisonResult::EqualButPadded
        } else if straight.patched {
            ComparisonResult::EqualButBootInfoTable
        } else {
            ComparisonResult::Equal
        };
        return (u64::MAX, result);
    }
    let more_than_a_sector = length.get() > VIRTUAL_SECTOR_BYTES;
    if more_than_a_sector && is_spread(disc, original, start) {
        return (u64::MAX, ComparisonResult::FourfoldSpread);
    }
    let byte = straight.same.get();
    (byte, differs_at(byte))
}

const fn differs_at(byte: u64) -> ComparisonResult {
    ComparisonResult::Differs {
        sector: VirtualSector::new(byte / VIRTUAL_SECTOR_BYTES),
        byte,
    }
}

/// The first byte of a file, between two lengths, that is not zero.
fn first_not_zero(
    disc: &mut Window<'_>,
    start: Lba,
    from: ByteCount,
    to: ByteCount,
) -> Option<u64> {
    let mut bytes = vec![0; CHUNK];
    let mut at = from.get();
    while at < to.get() {
        let left = usize::try_from(to.get() - at).unwrap_or(CHUNK).min(CHUNK);
        let size = disc.read(start.byte_offset().saturating_add(at), &mut bytes[..left]);
        if let Some(index) = bytes[..size].iter().position(|&byte| byte != 0) {
            return Some(at + index as u64);
        }
        if size == 0 {
            break;
        }
        at += size as u64;
    }
    None
}

/// Whether the image is followed by what the defect leaves behind.
fn is_fourfold(
    disc: &mut Window<'_>,
    boot: &BootReading,
    length: ByteCount,
    images: &Images,
) -> bool {
    let written = oversized::written_for(length);
    let taken = boot.file_bytes.or_else(|| {
        images
            .room(boot.load_rba)
            .map(crate::units::BlockCount::bytes)
    });
    let sectors = length.virtual_sectors_rounded_up();
    taken == Some(written)
        && (boot.file_bytes.is_some()
            || oversized::filling(disc, boot.load_rba, sectors) == Some(Fourfold::Tail))
}

/// How far two images are the same.
struct Common {
    same: ByteCount,
    /// Whether they differ within the boot-info table, which does not count.
    patched: bool,
}

fn common(disc: &mut Window<'_>, original: &mut Window<'_>, start: Lba) -> Common {
    let mut at = 0;
    let mut patched = false;
    let (mut wanted, mut seen) = (vec![0; CHUNK], vec![0; CHUNK]);
    loop {
        let size = original.read(at, &mut wanted);
        if size == 0 {
            break;
        }
        let here = disc.read(start.byte_offset().saturating_add(at), &mut seen[..size]);
        for (index, (wanted, seen)) in wanted[..size].iter().zip(&seen[..here]).enumerate() {
            let position = at + index as u64;
            if wanted == seen {
                continue;
            }
            if !(BootInfoTable::START..BootInfoTable::END).contains(&position) {
                return Common {
                    same: ByteCount::new(position),
                    patched,
                };
            }
            patched = true;
        }
        at += here as u64;
        if here < size {
            break;
        }
    }
    Common {
        same: ByteCount::new(at),
        patched,
    }
}

/// Whether each virtual sector of the original begins a block of the disc.
fn is_spread(disc: &mut Window<'_>, original: &mut Window<'_>, start: Lba) -> bool {
    let sectors = original.length().virtual_sectors_rounded_up();
    (0..sectors.get()).all(|number| {
        let mut wanted = [0; VIRTUAL_SECTOR_BYTES as usize];
        original.read(VirtualSector::new(number).byte_offset(), &mut wanted);
        let lba = start.plus(crate::units::BlockCount::new(number));
        disc.array(lba.byte_offset()) == Some(wanted)
    })
}
