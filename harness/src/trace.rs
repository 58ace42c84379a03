//! The disc-read trace: which sectors the firmware read, in order, from QEMU's trace log.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use images::units::{BLOCK_BYTES, VIRTUAL_SECTOR_BYTES};

use crate::{
    attachment::{Attachment, Drive},
    machine::files::open_left,
    observation::DiscRead,
};

/// Emitted for every QMP command, and we always send at least one: its presence in the log proves that this
/// QEMU writes trace events to the log at all, so that *no reads* and *not known* cannot be confused.
pub(crate) const CANARY: &str = "handle_qmp_command";

/// More reads than any boot here makes; a firmware that reads in an endless loop is cut there.
const MOST_READS: usize = 200_000;

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
pub(crate) const fn event(attachment: Attachment) -> &'static str {
    told(attachment.wiring().drive).event
}

/// Follows a growing trace log.
#[derive(Debug)]
pub struct TraceLog {
    attachment: Attachment,
    file: Option<File>,
    partial: Vec<u8>,
    reads: Vec<DiscRead>,
    works: bool,
}

impl TraceLog {
    /// A log of which nothing was read yet.
    #[must_use]
    pub const fn new(attachment: Attachment) -> Self {
        Self {
            attachment,
            file: None,
            partial: Vec::new(),
            reads: Vec::new(),
            works: false,
        }
    }

    /// Takes what was added to the log since the last call; says whether there was a read in it.
    ///
    /// # Errors
    /// The log exists and cannot be read.
    pub fn follow(&mut self, path: &Path) -> io::Result<bool> {
        let file = match &mut self.file {
            Some(file) => file,
            None => match open_left(path) {
                Ok(file) => self.file.insert(file),
                // QEMU makes the file when it starts; a QEMU without a log makes none.
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
                Err(error) => return Err(error),
            },
        };
        let mut added = Vec::new();
        file.read_to_end(&mut added)?;
        Ok(self.push(&added))
    }

    /// Takes what was added to the log, in pieces of any size; says whether that completed a read.
    pub fn push(&mut self, added: &[u8]) -> bool {
        let before = self.reads.len();
        self.partial.extend_from_slice(added);
        let whole = self
            .partial
            .iter()
            .rposition(|&byte| byte == b'\n')
            .map_or(0, |end| end + 1);
        for line in self.partial[..whole].split(|&byte| byte == b'\n') {
            let line = String::from_utf8_lossy(line);
            self.works |= line.contains(CANARY);
            if self.reads.len() < MOST_READS {
                self.reads.extend(parse(&line, self.attachment));
            }
        }
        self.partial.drain(..whole);
        self.reads.len() > before
    }

    /// The reads so far.
    #[must_use]
    pub fn reads(&self) -> &[DiscRead] {
        &self.reads
    }

    /// Whether this QEMU writes trace events to the log.
    #[must_use]
    pub const fn works(&self) -> bool {
        self.works
    }
}

/// Reads one line of the log. Older QEMUs put `pid@time:` before the event, so it is looked for anywhere.
fn parse(line: &str, attachment: Attachment) -> Option<DiscRead> {
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
