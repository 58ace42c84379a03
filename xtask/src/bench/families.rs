//! The other firmware: a cell against the bare start of the emulator with the same machine.

use harness::{
    arch::Architecture, attachment::Attachment, firmware::FirmwareId, platform::Platform,
};

use super::{
    bed::Bed,
    machines::{Boot, start_and_quit, time_all},
    report::{Aim, Key, Kind, Report, Row, Side},
    timing::{Action, ratio, show},
};
use cli::remark;

/// Each firmware, how the disc hangs there, QEMU's machine, and the aim.
const FAMILIES: [(FirmwareId, Attachment, &str, Option<Aim>); 3] = [
    (
        FirmwareId::Rombios,
        Attachment::Ide,
        "isapc",
        Some(Aim::AtMost(3.0)),
    ),
    (FirmwareId::UBootX8664, Attachment::VirtioBlk, "pc", None),
    (FirmwareId::UBootArm64, Attachment::VirtioBlk, "virt", None),
];

/// What is not installed here is left out, with a note.
pub(super) fn measure(bed: &Bed, report: &mut Report) -> anyhow::Result<()> {
    remark!("bench: other firmware against a bare start of QEMU");
    for (id, attachment, machine, aim) in FAMILIES {
        let platform = match platform(bed, id, attachment) {
            Ok(platform) => platform,
            Err(why) => {
                remark!("note: {id} is not measured: {why}");
                continue;
            }
        };
        let qemu = platform.emulator.path.clone();
        let cell = Boot::new(bed, id.name(), Side::Other(id), platform)?;
        let bare = || start_and_quit(bed, &qemu, machine);
        let bare_key = Key {
            side: Side::Other(id),
            group: attachment.to_string(),
            kind: Kind::Bare,
        };
        let what = format!("QEMU with the machine {machine}, bare start and quit");
        let mut list: Vec<(String, Key, Action<'_>)> = vec![(what, bare_key, &bare)];
        let starts = cell.starts("one");
        list.extend(cell.entries(&starts));
        let first = report.times.len();
        time_all(bed, bed.runs, list, report)?;
        // The bare start, and then the start that cells have: from a checkpoint if there is one.
        if let [bare, cell, ..] = &report.times[first..] {
            let (bare, time) = (bare.spread.median, cell.spread.median);
            let what = format!(
                "{} ({}), against QEMU's bare start and quit ({})",
                cell.what,
                show(time),
                show(bare)
            );
            let row = Row::new(what, ratio(time, bare), "×");
            report.rows.push(match aim {
                Some(aim) => row.aim(aim),
                None => row,
            });
        }
    }
    Ok(())
}

fn platform(bed: &Bed, id: FirmwareId, attachment: Attachment) -> Result<Platform, String> {
    let mut platform = bed
        .platform(id, attachment)
        .map_err(|stop| stop.to_string())?;
    if id.architecture() != Architecture::X86 {
        let emulator = platform.emulator.locate_for(id.architecture());
        platform.emulator = emulator.map_err(|error| error.to_string())?;
    }
    Ok(platform)
}
