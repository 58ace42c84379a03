//! SeaBIOS: its words on port 0x402, its mirror of the screen on COM1, what it reads.

use std::time::Duration;

use super::{
    family::{Channel, Family},
    words::Said,
};
use crate::{layout::BootLayout, observation::DiscRead};

/// SeaBIOS, as a watcher knows it.
pub(crate) struct Seabios;

impl Family for Seabios {
    fn understand(&self, line: &str) -> Option<(Said, String)> {
        understand(line)
    }

    // It says everything there, and nobody else's output is between.
    fn channel(&self) -> Channel {
        Channel::Debug
    }

    // A boot takes tens of milliseconds.
    fn first_look(&self) -> Duration {
        Duration::from_millis(50)
    }

    fn patience(&self) -> Duration {
        Duration::from_secs(10)
    }

    fn memory_mib(&self) -> u32 {
        64
    }

    fn works_with_interrupts_off(&self) -> bool {
        false
    }

    fn mirrors_its_screen(&self) -> bool {
        true
    }

    // Builds without a debug port say nowhere that they jump.
    fn may_enter_silently(&self) -> bool {
        true
    }

    fn start_of_output(&self, text: &str) -> Option<usize> {
        // The mirror holds the last character back until the next one comes, so that one of the three dots may be
        // missing, or late.
        let marks = [
            "Booting from DVD/CD..",
            "Booting from Hard Disk..",
            "Booting from Floppy..",
        ];
        let ends = marks
            .iter()
            .filter_map(|mark| text.rfind(mark).map(|at| at + mark.len()));
        ends.max()
    }

    fn own_reads(
        &self,
        reads: &[DiscRead],
        layout: &BootLayout,
        as_disk: bool,
        _at_entry: usize,
    ) -> usize {
        reads_before_jump(reads, layout, as_disk)
    }
}

/// SeaBIOS, `src/boot.c`: `do_boot`, `boot_fail`, `call_boot_entry`.
fn understand(line: &str) -> Option<(Said, String)> {
    let said = if let Some(reason) = line.strip_prefix("Boot failed") {
        let code = reason
            .split_once("(code ")
            .and_then(|(_, code)| code.split_once(')'))
            .map(|(code, _)| code.to_owned());
        Said::Failed {
            code,
            text: line.to_owned(),
        }
    } else if line.starts_with("No bootable device.") {
        Said::Nothing(line.to_owned())
    } else if let Some(target) = line.strip_prefix("Booting from ") {
        if is_address(target) {
            Said::Entered
        } else {
            Said::Trying
        }
    } else {
        return None;
    };
    Some((said, line.to_owned()))
}

/// `7000:c000`
fn is_address(text: &str) -> bool {
    text.split_once(':').is_some_and(|(segment, offset)| {
        [segment, offset]
            .iter()
            .all(|part| part.len() == 4 && part.bytes().all(|b| b.is_ascii_hexdigit()))
    })
}

/// How many of the reads a BIOS made itself before it jumped. What comes after is the boot image's.
///
/// From a CD it reads the catalog, then the initial entry's image as far as the entry says, in order
/// (SeaBIOS `src/cdrom.c`, `cdrom_boot`); from a disk the first sector (`src/boot.c`, `boot_disk`).
pub(crate) fn reads_before_jump(reads: &[DiscRead], layout: &BootLayout, as_disk: bool) -> usize {
    let position = |offset: u64, from: usize| {
        let found = reads
            .get(from..)?
            .iter()
            .position(|read| read.offset == offset)?;
        Some(from + found)
    };
    if as_disk {
        return position(0, 0).map_or(reads.len(), |at| at + 1);
    }
    let (Some(catalog), Some(image)) = (layout.catalog, layout.initial()) else {
        return reads.len();
    };
    let Some(catalog_read) = position(catalog.byte_offset(), 0) else {
        return reads.len();
    };
    let mut left = image.loaded_by_bios().bytes().get();
    if left == 0 {
        return catalog_read + 1;
    }
    let Some(first) = position(image.load_rba.byte_offset(), catalog_read + 1) else {
        return reads.len();
    };
    for (at, read) in reads.iter().enumerate().skip(first) {
        left = left.saturating_sub(read.bytes);
        if left == 0 {
            return at + 1;
        }
    }
    reads.len()
}
