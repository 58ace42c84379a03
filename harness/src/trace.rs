//! The disc-read trace: which sectors the firmware read, in order, from the emulator's log.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use crate::{
    attachment::Attachment,
    emulator::{EmulatorId, seam::Emulator},
    machine::files::open_left,
    observation::DiscRead,
};

/// More reads than any boot here makes; a firmware that reads in an endless loop is cut there.
const MOST_READS: usize = 200_000;

/// Follows a growing trace log.
#[derive(Debug)]
pub struct TraceLog {
    emulator: &'static dyn Emulator,
    attachment: Attachment,
    file: Option<File>,
    partial: Vec<u8>,
    reads: Vec<DiscRead>,
    works: bool,
}

impl TraceLog {
    /// A log of which nothing was read yet.
    #[must_use]
    pub const fn new(emulator: EmulatorId, attachment: Attachment) -> Self {
        Self {
            emulator: emulator.emulator(),
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
                // It makes the file when it starts; one without a log makes none.
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
            self.works |= self.emulator.proves_log(&line);
            if self.reads.len() < MOST_READS {
                self.reads
                    .extend(self.emulator.read(&line, self.attachment));
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

    /// Whether this emulator writes reads to the log.
    #[must_use]
    pub const fn works(&self) -> bool {
        self.works
    }
}
