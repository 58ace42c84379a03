//! Media with a fault: QEMU's filters over the disc's node, and its monitor commands.

use images::units::{BLOCK_BYTES, VIRTUAL_SECTOR_BYTES};
use serde_json::{Value, json};

use crate::{
    attachment::{Attachment, Removal},
    emulator::seam::Command,
    medium_profile::{Medium, MediumProfile},
};

/// QEMU's name of the group of requests whose rate is limited.
const PACE: &str = "pace";

/// QEMU's name of the disc's drive.
const DRIVE: &str = "drive";

/// QEMU's object that limits the rate; `None` if the medium is not slow.
pub(super) fn pace(medium: &Medium) -> Option<Value> {
    let Some(MediumProfile::Slow(rate)) = medium.profile else {
        return None;
    };
    Some(json!({
        "qom-type": "throttle-group",
        "id": PACE,
        "limits": { "bps-read": u64::from(rate) << 10, "iops-read": (u64::from(rate) / 2).max(1) },
    }))
}

/// QEMU's filter over another node, if the medium needs one. It must be read-only if the node below is: otherwise a drive opens it for writing, and QEMU does not
/// start.
pub(super) fn filter(medium: &Medium, name: &str, below: &str, read_only: bool) -> Option<Value> {
    match medium.profile? {
        MediumProfile::Slow(_) => Some(json!({
            "node-name": name, "driver": "throttle", "read-only": read_only, "throttle-group": PACE, "file": below,
        })),
        MediumProfile::BadBlock(_) => {
            // A rule is about a request that touches its sector of 512 bytes, which may be any of the block's.
            let sectors = medium.bad_blocks.iter().flat_map(|block| {
                let first = block.byte_offset() / VIRTUAL_SECTOR_BYTES;
                first..first + BLOCK_BYTES / VIRTUAL_SECTOR_BYTES
            });
            let rule =
                |sector| json!({ "event": "none", "iotype": "read", "sector": sector, "errno": 5 });
            Some(json!({
                "node-name": name, "driver": "blkdebug", "read-only": read_only, "image": below,
                "inject-error": sectors.map(rule).collect::<Vec<_>>(),
            }))
        }
        MediumProfile::Late(_) | MediumProfile::Ejected => None,
    }
}

/// The commands that put the medium in, or take it out.
pub(super) fn moves(attachment: Attachment, comes: bool) -> Vec<Command> {
    let drive = json!({ "id": DRIVE });
    match (attachment.wiring().removal, comes) {
        (None, _) => Vec::new(),
        (Some(Removal::Tray), true) => vec![
            Command::new("blockdev-open-tray", drive.clone()),
            Command::new(
                "blockdev-insert-medium",
                json!({ "id": DRIVE, "node-name": "disc" }),
            ),
            Command::new("blockdev-close-tray", drive),
        ],
        (Some(Removal::Tray), false) => vec![
            Command::new("blockdev-open-tray", json!({ "id": DRIVE, "force": true })),
            Command::new("blockdev-remove-medium", drive),
        ],
        (Some(Removal::Plug), true) => vec![Command::new(
            "device_add",
            json!({ "driver": "usb-storage", "id": DRIVE, "bus": "usb.0", "drive": "disc" }),
        )],
        (Some(Removal::Plug), false) => vec![Command::new("device_del", drive)],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::BootLayout;

    #[test]
    fn a_bad_block_is_four_sectors_of_512_bytes() {
        let profile = "bad-block=17+2".parse().unwrap();
        let medium = Medium::of(Some(profile), &BootLayout::default());
        let node = filter(&medium, "disc", "whole", true).unwrap();
        let sectors: Vec<u64> = node["inject-error"]
            .as_array()
            .unwrap()
            .iter()
            .map(|rule| rule["sector"].as_u64().unwrap())
            .collect();
        assert_eq!(sectors, (68..76).collect::<Vec<_>>());
    }
}
