//! The disc-read trace: which sectors the firmware read, in order, from QEMU's trace log.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use images::units::{BLOCK_BYTES, VIRTUAL_SECTOR_BYTES};

use crate::{attachment::Attachment, machine::files::open_left, observation::DiscRead};

/// Emitted for every QMP command, and we always send at least one: its presence in the log proves that this
/// QEMU writes trace events to the log at all, so that *no reads* and *not known* cannot be confused.
pub(crate) const CANARY: &str = "handle_qmp_command";

/// More reads than any boot here makes; a firmware that reads in an endless loop is cut there.
const MOST_READS: usize = 200_000;

/// The trace event that tells of a read by this attachment, with LBA and count.
pub(crate) const fn event(attachment: Attachment) -> &'static str {
    match attachment {
        Attachment::Ide | Attachment::Ahci => "ide_atapi_cmd_read",
        Attachment::Scsi | Attachment::UsbCd | Attachment::UsbDisk => "scsi_disk_dma_command_READ",
        Attachment::VirtioBlk => "virtio_blk_handle_read",
    }
}

/// The bytes in one unit of the event's figures.
const fn unit(attachment: Attachment) -> u64 {
    match attachment {
        Attachment::Ide | Attachment::Ahci | Attachment::Scsi | Attachment::UsbCd => BLOCK_BYTES,
        Attachment::UsbDisk | Attachment::VirtioBlk => VIRTUAL_SECTOR_BYTES,
    }
}

/// Follows a growing trace log.
#[derive(Debug)]
pub(crate) struct TraceLog {
    attachment: Attachment,
    file: Option<File>,
    partial: Vec<u8>,
    reads: Vec<DiscRead>,
    works: bool,
}

impl TraceLog {
    pub(crate) const fn new(attachment: Attachment) -> Self {
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
    pub(crate) fn follow(&mut self, path: &Path) -> io::Result<bool> {
        let file = match &mut self.file {
            Some(file) => file,
            None => match open_left(path) {
                Ok(file) => self.file.insert(file),
                // QEMU makes the file when it starts; a QEMU without a log makes none.
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
                Err(error) => return Err(error),
            },
        };
        let before = self.reads.len();
        file.read_to_end(&mut self.partial)?;
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
        Ok(self.reads.len() > before)
    }

    /// The reads so far.
    pub(crate) fn reads(&self) -> &[DiscRead] {
        &self.reads
    }

    /// Whether this QEMU writes trace events to the log.
    pub(crate) const fn works(&self) -> bool {
        self.works
    }
}

/// Reads one line of the log. Older QEMUs put `pid@time:` before the event, so it is looked for anywhere.
fn parse(line: &str, attachment: Attachment) -> Option<DiscRead> {
    let (_, arguments) = line.split_once(event(attachment))?;
    let (from, count) = match attachment {
        Attachment::Ide | Attachment::Ahci => ("LBA=", "nb_sectors="),
        Attachment::Scsi | Attachment::UsbCd | Attachment::UsbDisk => ("(sector ", "count "),
        Attachment::VirtioBlk => (" sector ", "nsectors "),
    };
    let unit = unit(attachment);
    Some(DiscRead {
        offset: number_after(arguments, from)?.checked_mul(unit)?,
        bytes: number_after(arguments, count)?.checked_mul(unit)?,
    })
}

fn number_after(text: &str, mark: &str) -> Option<u64> {
    let (_, rest) = text.split_once(mark)?;
    let end = rest
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(rest.len());
    rest[..end].parse().ok()
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
        for (line, attachment, offset, bytes) in [
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
