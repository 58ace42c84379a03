//! QEMU's trace events: which sectors the firmware read.

use images::units::{BLOCK_BYTES, VIRTUAL_SECTOR_BYTES};

use crate::{
    attachment::{Attachment, Drive},
    observation::DiscRead,
};

/// Emitted for every QMP command, and we always send at least one: its presence in the log proves that this
/// QEMU writes trace events to the log at all, so that *no reads* and *not known* cannot be confused.
pub(super) const CANARY: &str = "handle_qmp_command";

/// How the emulator tells of a read by a kind of drive.
struct Told {
    /// The trace event.
    event: &'static str,
    /// What stands before the address.
    address: &'static str,
    /// What stands before the length.
    length: &'static str,
    /// The bytes in one unit of both.
    unit: u64,
}

const fn told(drive: Drive) -> Told {
    match drive {
        Drive::Atapi => Told {
            event: "ide_atapi_cmd_read",
            address: "LBA=",
            length: "nb_sectors=",
            unit: BLOCK_BYTES,
        },
        Drive::ScsiCd => scsi(BLOCK_BYTES),
        Drive::ScsiDisk => scsi(VIRTUAL_SECTOR_BYTES),
        Drive::VirtioDisk => Told {
            event: "virtio_blk_handle_read",
            address: " sector ",
            length: "nsectors ",
            unit: VIRTUAL_SECTOR_BYTES,
        },
        Drive::SdCard => Told {
            event: "sdcard_read_block",
            address: "addr ",
            length: "size ",
            unit: 1,
        },
        // `nlb` is the length in blocks (on the wire it is one less), `count` the same in bytes.
        Drive::NvmeDisk => Told {
            event: "pci_nvme_read",
            address: "lba ",
            length: "nlb ",
            unit: VIRTUAL_SECTOR_BYTES,
        },
    }
}

const fn scsi(unit: u64) -> Told {
    Told {
        event: "scsi_disk_dma_command_READ",
        address: "(sector ",
        length: "count ",
        unit,
    }
}

/// The trace event that tells of a read by this attachment, with address and length.
pub(super) const fn event(attachment: Attachment) -> &'static str {
    told(attachment.wiring().drive).event
}

/// Reads one line of the log. Older QEMUs put `pid@time:` before the event, so it is looked for anywhere.
pub(super) fn parse(line: &str, attachment: Attachment) -> Option<DiscRead> {
    let told = told(attachment.wiring().drive);
    let (_, arguments) = line.split_once(told.event)?;
    let in_bytes = |mark| number_after(arguments, mark)?.checked_mul(told.unit);
    Some(DiscRead {
        offset: in_bytes(told.address)?,
        bytes: in_bytes(told.length)?,
    })
}

/// A decimal number, or a hexadecimal one behind `0x`.
fn number_after(text: &str, mark: &str) -> Option<u64> {
    let (_, rest) = text.split_once(mark)?;
    let (digits, radix) = match rest.strip_prefix("0x") {
        Some(digits) => (digits, 16),
        None => (rest, 10),
    };
    let end = digits
        .find(|c: char| !c.is_digit(radix))
        .unwrap_or(digits.len());
    u64::from_str_radix(&digits[..end], radix).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    // Lines of QEMU 7.2.
    #[test]
    fn each_attachment_speaks_its_own_unit() {
        let atapi = "ide_atapi_cmd_read IDEState: 0x559c98ba53e8; read pio: LBA=34 nb_sectors=3";
        let scsi = "scsi_disk_dma_command_READ Read (sector 910, count 3)";
        let virtio =
            "virtio_blk_handle_read vdev 0x5626f6804130 req 0x5626f5bddc00 sector 3317 nsectors 16";
        let card = "sdcard_read_block addr 0x1c400 size 0x200";
        let nvme = "pci_nvme_read cid 22 nsid 1 nlb 32 count 16384 lba 0x78";
        for (line, attachment, offset, bytes) in [
            (nvme, Attachment::Nvme, 0x78 * 512, 16384),
            (card, Attachment::SdCard, 0x1C400, 512),
            (atapi, Attachment::Ide, 34 * 2048, 3 * 2048),
            (atapi, Attachment::Ahci, 34 * 2048, 3 * 2048),
            (scsi, Attachment::UsbCd, 910 * 2048, 3 * 2048),
            (scsi, Attachment::UsbDisk, 910 * 512, 3 * 512),
            (virtio, Attachment::VirtioBlk, 3317 * 512, 16 * 512),
        ] {
            assert_eq!(parse(line, attachment), Some(DiscRead { offset, bytes }));
            let stamped = format!("1234@1700000000.123456:{line}");
            assert_eq!(
                parse(&stamped, attachment),
                Some(DiscRead { offset, bytes })
            );
        }
        assert_eq!(parse(scsi, Attachment::Ide), None);
        assert_eq!(
            parse("ide_atapi_cmd_read LBA=-1 nb_sectors=1", Attachment::Ide),
            None
        );
    }
}
