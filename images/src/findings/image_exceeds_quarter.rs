//! `image-exceeds-quarter`: an image longer than a quarter of the medium.

use super::room::Room;
use crate::{
    boot::Boot,
    defect::{Facts, Injection, Lack, need},
    finding::{Finding, FindingId, Place, Severity},
    inspect::{BootReading, EntryReading, Reading},
    size::{Offset, Size},
    units::VirtualSectorCount,
};

const ID: FindingId = FindingId::ImageExceedsQuarter;

pub(super) const ROOM: Room = Room {
    severity: Severity::Info,
    trips: &["tools"],
    explanation: "The boot image is longer than a quarter of the medium.",
    consequence: "The defective IMAPI of Windows XP (KB912666) cannot master the disc, because it writes four times as much.",
    remedy: "With other tools, no fix is needed.",
    check,
    defect: Some(Injection {
        express,
        stands,
        ..Injection::WORDS
    }),
    ..Room::BASE
};

/// Whether a defective IMAPI cannot master it.
fn check(reading: &mut Reading<'_, '_>) -> Vec<Finding> {
    let Some(medium) = reading.options.medium else {
        return Vec::new();
    };
    // A quarter of the medium's bytes.
    let quarter = medium.bytes().get() / 4;
    let finding = |(_, boot): (&EntryReading, &BootReading)| {
        let own = boot.own_length.map(VirtualSectorCount::bytes);
        let length = boot.file_bytes.max(own)?;
        (length.get() > quarter).then(|| {
            let message =
                format!("the image has {length}, and a quarter of the medium is {quarter} bytes");
            Finding::new(ID, Place::block(boot.load_rba), message)
        })
    };
    reading.images_of_entries().filter_map(finding).collect()
}

fn express(_: &mut Boot, size: &mut Option<Size>) -> Result<(), Lack> {
    size.get_or_insert(Size::Quarter(Offset::Blocks(1)));
    Ok(())
}

fn stands(facts: &Facts<'_>) -> Result<(), Lack> {
    let medium = facts.medium.ok_or("a medium")?;
    let quarter = VirtualSectorCount::new(medium.capacity().get());
    need(
        facts.length > quarter,
        "an image above a quarter of its medium",
    )
}
