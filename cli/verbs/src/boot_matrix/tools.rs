//! The tools that cells are booted with.

use std::collections::BTreeSet;

use harness::firmware::Firmware;
use scenarios::{
    cell::Cell,
    disc::tool_names,
    id::ABSENT,
    results::{FirmwareTool, MasterTool, QemuTool, Tools},
    toolbox::Toolbox,
};

/// What these cells are booted with.
pub(crate) fn used(toolbox: &Toolbox, cells: &[Cell]) -> Tools {
    let used = |firmware: &&Firmware| {
        let name = firmware.name();
        cells.iter().any(|cell| cell.firmware_name() == name)
    };
    let firmware = toolbox
        .firmware
        .iter()
        .filter(used)
        .map(|firmware| FirmwareTool {
            id: firmware.to_string(),
            family: firmware.id.project().to_owned(),
            version: firmware.version.clone(),
            sha256: firmware.sha256.clone(),
        });
    let masters: BTreeSet<String> = cells
        .iter()
        .flat_map(|cell| tool_names(cell.id.disc().master()))
        .collect();
    Tools {
        qemu: Some(QemuTool {
            version: toolbox.qemu.version.to_string(),
            path: toolbox.qemu.path.clone(),
        }),
        firmware: firmware.collect(),
        masters: masters
            .into_iter()
            .filter(|id| id != ABSENT)
            .filter_map(|id| {
                let version = match toolbox.masters.get(&id) {
                    // What is part of boot-matrix has its version.
                    None => env!("CARGO_PKG_VERSION").to_owned(),
                    Some(found) => found.as_ref().ok()?.version.clone().unwrap_or_default(),
                };
                Some(MasterTool { id, version })
            })
            .collect(),
    }
}
