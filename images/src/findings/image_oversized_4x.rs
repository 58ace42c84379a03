//! `image-oversized-4x`: an image that takes four times its length: KB912666.

use super::Room;
use crate::{
    defect::Injection,
    finding::{Finding, FindingId, Place, Severity},
    inspect::{Reading, oversized},
    units::Lba,
};

const ID: FindingId = FindingId::ImageOversized4x;

pub(super) const ROOM: Room = Room {
    id: "image-oversized-4x",
    severity: Severity::Error,
    milder: None,
    trips: &["tools"],
    explanation: "A boot image takes exactly four times the length that it says it has: it was counted in 512-byte sectors and written in 2048-byte ones (KB912666).",
    consequence: "It boots where the extra bytes trail the image, wastes the disc, and cannot be mastered above a quarter of the medium.",
    remedy: "Master the disc again with a tool that keeps the two units apart; on Windows XP, with Imapi.exe from KB912666.",
    recipes: &[],
    replaces: &[],
    describes: false,
    check,
    defect: Some(Injection::WORDS),
};

/// Checks every image that says how long it is.
fn check(reading: &mut Reading<'_, '_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut seen: Vec<Lba> = Vec::new();
    let entries: Vec<_> = reading.entries().collect();
    for (entry, boot) in entries {
        let Some(own) = boot.own_length else { continue };
        if seen.contains(&boot.load_rba) || !oversized::takes_fourfold(boot, own) {
            continue;
        }
        seen.push(boot.load_rba);
        if let Some(how) = oversized::filling(reading.disc, boot.load_rba, own) {
            let message = oversized::message(entry.slot, boot, own, how);
            findings.push(Finding::new(ID, Place::block(boot.load_rba), message));
        }
    }
    findings
}
