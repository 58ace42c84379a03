//! `mbr-absent`: a disc for a BIOS that is no stick.

use super::{
    Room,
    recipe::{grub_mkrescue, stick},
};
use crate::{
    boot::Boot,
    defect::{Injection, Lack, need},
    finding::{Finding, FindingId, Place, Severity},
    inspect::{Reading, SectorCode},
    size::Size,
    tool::Tool,
};

const ID: FindingId = FindingId::MbrAbsent;

pub(super) const ROOM: Room = Room {
    id: "mbr-absent",
    severity: Severity::Info,
    milder: None,
    trips: &[],
    explanation: "The catalog has an entry for a BIOS, and the first sector is empty: the disc is made for a CD drive.",
    consequence: "As a stick a BIOS does not start it.",
    remedy: "Nothing need be done; for a stick, master it as a hybrid.",
    recipes: &[
        stick(Tool::Xorriso, "-isohybrid-mbr --grub2-mbr"),
        stick(Tool::Genisoimage, "isohybrid"),
        grub_mkrescue(),
    ],
    replaces: &[],
    describes: true,
    check,
    defect: Some(Injection {
        express,
        ..Injection::WORDS
    }),
};

fn check(reading: &mut Reading<'_, '_>) -> Vec<Finding> {
    let bios = reading.bios_entries().any(|(_, boot)| boot.bootable);
    if !bios || reading.sector_code != SectorCode::Empty {
        return Vec::new();
    }
    let message = "the first sector is empty: no stick for a BIOS".to_owned();
    vec![Finding::new(ID, Place { offset: 0 }, message).as_info()]
}

fn express(boot: &mut Boot, _: &mut Option<Size>) -> Result<(), Lack> {
    need(
        boot.mode.bios().is_some() && boot.hybrid.is_none(),
        "an entry for a BIOS, and no hybrid=",
    )
}
