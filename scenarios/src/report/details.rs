//! The evidence of a cell that somebody has to look at.

use std::{
    fs::File,
    io::{self, Read as _, Seek, SeekFrom},
    path::Path,
};

use harness::{
    evidence::{OBSERVATION, SCREEN_TEXT, SCREENSHOT, SERIAL_RAW, SERIAL_SCREEN, SERIAL_TIMES},
    observation::{DiscRead, Observation},
    text::Cleaner,
};
use images::{
    finding::Finding,
    inspect::Inspection,
    overview::Overview,
    units::{BLOCK_BYTES, BlockCount, Lba},
};
use serde::Serialize;

use crate::{
    files,
    record::{DISC, INSPECTION},
};

/// So much of the end of what came over the serial line is looked at, in bytes.
const SERIAL_BYTES: u64 = 256 << 10;
/// So many of its lines are shown.
const SERIAL_LINES: usize = 200;
/// So many characters of a line.
const LONGEST: usize = 300;
/// So long may a text be, in bytes.
const TEXT_BYTES: u64 = 16 << 10;
/// So long may a picture be, in bytes.
const PICTURE_BYTES: u64 = 512 << 10;
/// So many reads are shown. What a firmware reads is dozens; a boot loader reads hundreds.
const READS: usize = 120;

/// The evidence of a cell.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Details {
    /// The firmware's own lines about booting.
    pub words: Vec<String>,
    /// What stood on the screen, as text.
    pub screen: Option<String>,
    /// What stood on the screen, as PNG.
    #[serde(skip)]
    pub screenshot: Option<Vec<u8>>,
    /// What came over the serial line.
    pub serial: Option<Serial>,
    /// The serial line as a terminal shows it.
    pub serial_screen: Option<String>,
    /// What is wrong with the disc.
    pub findings: Vec<Finding>,
    /// Where things stand on the disc.
    pub disc: Option<Overview>,
    /// What was read from it, in order, reads that follow each other as one.
    pub reads: Vec<Read>,
    /// How many reads are not shown.
    pub more_reads: usize,
}

/// What came over the serial line: its end.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Serial {
    /// Its lines.
    pub lines: Vec<Line>,
    /// Whether more came before them.
    pub is_end: bool,
}

/// A line of what came over the serial line.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Line {
    /// When it began, in milliseconds since the machine started; nothing when that is not known.
    pub ms: Option<f64>,
    /// The line, without control bytes, and cut where it is too long.
    pub text: String,
    /// How many characters of it are not shown.
    pub cut: usize,
}

/// A read from the disc.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Read {
    /// Its number, from 1.
    pub number: usize,
    /// The first block.
    pub lba: Lba,
    /// How many blocks, the last of them perhaps in part.
    pub blocks: BlockCount,
    /// What stands there.
    pub what: String,
    /// Whether the firmware had handed over before.
    pub after_entry: bool,
}

impl Details {
    /// Reads them from the folder of a cell; nothing when the budget does not suffice. What is missing is told, of a cell that ran.
    pub(super) fn read(
        folder: &Path,
        ran: bool,
        budget: &mut usize,
        missing: &mut Vec<String>,
    ) -> Option<Self> {
        if *budget == 0 {
            return None;
        }
        let mut lacking = |name: &str, why: &dyn std::fmt::Display| {
            missing.push(format!("{name} is missing or damaged: {why}."));
        };
        let observation: Option<Observation> = match files::read_json(&folder.join(OBSERVATION)) {
            Ok(observation) => Some(observation),
            Err(error) => {
                if ran {
                    lacking(OBSERVATION, &error);
                }
                None
            }
        };
        let inspection: Option<Inspection> =
            optional(folder, INSPECTION, &mut lacking, files::read_json);
        let disc: Option<Overview> = optional(folder, DISC, &mut lacking, files::read_json);
        let text = |name| -> Option<String> {
            let bytes = head(&folder.join(name), TEXT_BYTES).ok()?;
            Some(String::from_utf8_lossy(&bytes).into_owned())
                .filter(|text| !text.trim().is_empty())
        };
        let picture = |path: &Path| picture(path);
        let screenshot = optional(folder, SCREENSHOT, &mut lacking, picture);
        let serial = optional(folder, SERIAL_RAW, &mut lacking, |_: &Path| serial(folder));
        let reads = observation.as_ref().map(|seen| reads(seen, disc.as_ref()));
        let (reads, more_reads) = reads.unwrap_or_default();
        let details = Self {
            words: observation.map(|seen| seen.words).unwrap_or_default(),
            screen: text(SCREEN_TEXT),
            serial_screen: text(SERIAL_SCREEN),
            screenshot,
            serial: serial.filter(|serial| !serial.lines.is_empty()),
            findings: inspection.map(|read| read.findings).unwrap_or_default(),
            disc,
            reads,
            more_reads,
        };
        match budget.checked_sub(details.weight()) {
            Some(rest) => {
                *budget = rest;
                Some(details)
            }
            None => {
                *budget = 0;
                None
            }
        }
    }

    /// About so many bytes it takes on the page.
    fn weight(&self) -> usize {
        let length = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        let lines = self.serial.iter().flat_map(|serial| &serial.lines);
        let picture = self.screenshot.as_ref().map_or(0, Vec::len);
        let excerpts = self.disc.iter().flat_map(|disc| &disc.excerpts);
        let regions = self.disc.as_ref().map_or(0, |disc| disc.regions.len());
        length(&self.screen)
            + length(&self.serial_screen)
            + lines.map(|line| line.text.len() + 70).sum::<usize>()
            + picture / 3 * 4
            // A byte is a cell of a table.
            + excerpts.map(|excerpt| excerpt.bytes.len() * 75).sum::<usize>()
            // Drawn, and in a table.
            + (regions + self.reads.len()) * 450
            + self.words.iter().map(String::len).sum::<usize>()
            + 4096
    }
}

/// What a file holds; nothing when it is not there, and a word when it cannot be read.
fn optional<T, E: std::fmt::Display>(
    folder: &Path,
    name: &str,
    lacking: &mut impl FnMut(&str, &dyn std::fmt::Display),
    read: impl FnOnce(&Path) -> Result<T, E>,
) -> Option<T> {
    let path = folder.join(name);
    if !path.exists() {
        return None;
    }
    read(&path).map_err(|error| lacking(name, &error)).ok()
}

fn head(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn picture(path: &Path) -> io::Result<Vec<u8>> {
    const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";
    let bytes = head(path, PICTURE_BYTES + 1)?;
    if !bytes.starts_with(SIGNATURE) {
        return Err(io::Error::other("it is no PNG"));
    }
    if bytes.len() > PICTURE_BYTES as usize {
        return Err(io::Error::other("it is too large for the page"));
    }
    Ok(bytes)
}

/// The end of what came over the serial line, with the time of each line.
fn serial(folder: &Path) -> io::Result<Serial> {
    let mut file = File::open(folder.join(SERIAL_RAW))?;
    let length = file.metadata()?.len();
    let skipped = length.saturating_sub(SERIAL_BYTES);
    file.seek(SeekFrom::Start(skipped))?;
    let mut bytes = Vec::new();
    file.take(SERIAL_BYTES).read_to_end(&mut bytes)?;
    // Without the times there are still the lines.
    let times = head(&folder.join(SERIAL_TIMES), 64 * SERIAL_BYTES).unwrap_or_default();
    let pieces = pieces(&String::from_utf8_lossy(&times), skipped);
    Ok(lines(&bytes, &pieces, skipped > 0))
}

/// When a piece came, and where it begins in the bytes that are looked at.
type Piece = (f64, usize);

fn pieces(times: &str, skipped: u64) -> Vec<Piece> {
    let piece = |line: &str| {
        let mut words = line.split_ascii_whitespace();
        let ms: f64 = words.next()?.parse().ok()?;
        let offset: u64 = words.next()?.parse().ok()?;
        let begin = usize::try_from(offset.checked_sub(skipped)?).ok()?;
        ms.is_finite().then_some((ms, begin))
    };
    times.lines().filter_map(piece).collect()
}

fn lines(bytes: &[u8], pieces: &[Piece], mut is_end: bool) -> Serial {
    let mut cleaner = Cleaner::default();
    // Where in the text a piece begins, and when it came.
    let mut began: Vec<(usize, f64)> = Vec::new();
    let mut done = 0;
    for &(ms, begin) in pieces {
        if let Some(before) = bytes.get(done..begin) {
            cleaner.push(before);
            done = begin;
        }
        began.push((cleaner.text().len(), ms));
    }
    cleaner.push(bytes.get(done..).unwrap_or_default());
    let text = cleaner.text();
    let mut at = 0;
    let mut lines: Vec<Line> = Vec::new();
    for line in text.split_inclusive('\n') {
        let piece = began.partition_point(|&(begin, _)| begin <= at);
        at += line.len();
        let line = line.trim_end();
        if line.is_empty() {
            continue;
        }
        let characters = line.chars().count();
        lines.push(Line {
            ms: piece.checked_sub(1).map(|piece| began[piece].1),
            text: line.chars().take(LONGEST).collect(),
            cut: characters.saturating_sub(LONGEST),
        });
    }
    if lines.len() > SERIAL_LINES {
        is_end = true;
        lines.drain(..lines.len() - SERIAL_LINES);
    }
    Serial { lines, is_end }
}

/// What was read, and how much of that is left out.
fn reads(seen: &Observation, disc: Option<&Overview>) -> (Vec<Read>, usize) {
    let mut joined: Vec<(DiscRead, bool)> = Vec::new();
    for (index, read) in seen.reads.iter().enumerate() {
        let after_entry = seen
            .reads_before_entry
            .is_some_and(|before| index >= before);
        match joined.last_mut() {
            Some((last, after)) if *after == after_entry && follows(last, read) => {
                last.bytes = last.bytes.saturating_add(read.bytes);
            }
            _ => joined.push((*read, after_entry)),
        }
    }
    let more = joined.len().saturating_sub(READS);
    let shown = joined.into_iter().take(READS).enumerate();
    let read = |(index, (read, after_entry)): (usize, (DiscRead, bool))| {
        let end = read.offset.saturating_add(read.bytes.max(1));
        let last = Lba::of_offset(end - 1);
        Read {
            number: index + 1,
            lba: read.lba(),
            blocks: BlockCount::new(last.get() - read.lba().get() + 1),
            what: what_is_at(read.offset, disc),
            after_entry,
        }
    };
    (shown.map(read).collect(), more)
}

fn follows(last: &DiscRead, read: &DiscRead) -> bool {
    last.offset.checked_add(last.bytes) == Some(read.offset)
}

/// The innermost region, with the block in it.
fn what_is_at(offset: u64, disc: Option<&Overview>) -> String {
    let regions = disc.map_or(&[][..], |disc| &disc.regions);
    let holds = regions
        .iter()
        .filter(|region| (region.offset..region.end()).contains(&offset));
    let Some(region) = holds.min_by_key(|region| region.bytes.get()) else {
        return "nothing that is known".to_owned();
    };
    let block = (offset - region.offset) / BLOCK_BYTES;
    if region.bytes.get() <= BLOCK_BYTES {
        region.what.clone()
    } else {
        format!("{}, block {block}", region.what)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_the_time_at_which_it_began() {
        let bytes = b"Sea\x1b[2JBIOS\r\nBooting\n\nx";
        let pieces = pieces(
            "# ms since start, offset, bytes\n1.5 0 3\n2.5 3 9\n4 14 9\n",
            0,
        );
        let serial = lines(bytes, &pieces, false);
        let seen: Vec<_> = serial
            .lines
            .iter()
            .map(|l| (l.ms, l.text.as_str()))
            .collect();
        assert_eq!(
            seen,
            [
                (Some(1.5), "SeaBIOS"),
                (Some(2.5), "Booting"),
                (Some(4.0), "x")
            ]
        );
        assert!(!serial.is_end);
    }

    #[test]
    fn ten_megabytes_on_one_line_are_a_line() {
        let folder = tempfile::tempdir().unwrap();
        let line = vec![b'<'; 10 << 20];
        std::fs::write(folder.path().join(SERIAL_RAW), line).unwrap();
        let serial = serial(folder.path()).unwrap();
        assert!(serial.is_end);
        assert_eq!(serial.lines.len(), 1);
        assert_eq!(serial.lines[0].text.len(), LONGEST);
        assert_eq!(serial.lines[0].cut, SERIAL_BYTES as usize - LONGEST);
    }

    #[test]
    fn times_that_are_damaged_lose_no_text() {
        let pieces = pieces(
            "x y\n1 99999999999999999999 1\nNaN 0 1\ninf 0 2\n5 50 1\n",
            0,
        );
        let serial = lines(b"one\ntwo\n", &pieces, false);
        let texts: Vec<_> = serial.lines.iter().map(|line| line.text.as_str()).collect();
        assert_eq!(texts, ["one", "two"]);
    }
}
