//! `windows-files`: the boot code of Windows without the file that it starts.

use super::room::Room;
use crate::{
    eltorito::MediaType,
    finding::{Finding, FindingId, Place, Severity},
    inspect::{BiosProgram, Reading},
};

const ID: FindingId = FindingId::WindowsFiles;

pub(super) const ROOM: Room = Room {
    severity: Severity::Error,
    trips: &["seabios"],
    explanation: "The boot image is Windows' etfsboot.com, and the root folder of the disc has no bootmgr, which it starts.",
    consequence: "It prints CDBOOT: Couldn't find BOOTMGR, and stops.",
    remedy: "Download the disc again, or ask its maker. If you made it, copy bootmgr and the folders boot, efi and sources from the Windows disc to the root of your disc.",
    check,
    ..Room::BASE
};

fn check(reading: &mut Reading<'_, '_>) -> Vec<Finding> {
    if has_bootmgr(reading) {
        return Vec::new();
    }
    let images: Vec<_> = reading.bios_images().collect();
    let mut findings = Vec::new();
    for (entry, boot) in images {
        let is_started = boot.media.emulation() == MediaType::NO_EMULATION
            && reading.bios_program(boot) == BiosProgram::Etfsboot;
        if is_started {
            let message = format!(
                "slot {}: the boot image is etfsboot.com, and the disc has no /bootmgr for it to start",
                entry.slot
            );
            findings.push(Finding::new(ID, Place::block(boot.load_rba), message));
        }
    }
    findings
}

/// Whether the tree or UDF has it, in capital letters or not; also where that is unknown. Windows' own discs have it in UDF alone.
fn has_bootmgr(reading: &mut Reading<'_, '_>) -> bool {
    const NAMES: [&str; 2] = ["bootmgr", "BOOTMGR"];
    let in_udf = reading.udf().is_some_and(|udf| {
        let mut files = udf.root.iter();
        !udf.is_read || files.any(|name| name.eq_ignore_ascii_case(NAMES[0]))
    });
    let mut paths = NAMES.iter().map(|name| format!("/{name}"));
    in_udf || paths.any(|path| reading.isolinux_has_file(&path) != Some(false))
}
