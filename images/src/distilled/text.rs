//! The `.disc` file: a distilled disc as text, for a pull request to show and for git to keep.
//!
//! ```toml
//! schema = "disc/1"
//! length = 6193152
//! sha256 = "…"
//!
//! [[range]]
//! lba = 34
//! blocks = 1
//! what = ["catalog"]
//! data = '''
//! 0000 0100000000000000000000000000000000000000000000000000000000aa5555aa
//! 0020 88020000000001002300
//! '''
//! ```
//!
//! A row is where it stands in its range and 32 bytes, both hexadecimal; a slot of a boot catalog is one row. Rows of
//! zeros and zeros at a row's end are left out.

use std::{fmt::Write as _, ops::Range};

use serde::Deserialize;
use toml::Spanned;

use super::{Distilled, KeptRange, STORED_MAX, trimmed};
use crate::{
    bytes::hex,
    sparse::SparseBytes,
    units::{BlockCount, Lba},
};

const SCHEMA: &str = "disc/1";
/// Bytes in a row.
const ROW: u64 = 32;

/// A `.disc` file that is none: what is wrong, and on which line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct DistilledError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong there.
    pub problem: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    schema: Spanned<String>,
    length: Spanned<u64>,
    sha256: Spanned<String>,
    #[serde(default)]
    range: Vec<FileRange>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileRange {
    lba: Spanned<u64>,
    blocks: Spanned<u64>,
    what: Vec<String>,
    #[serde(default)]
    data: Option<Spanned<String>>,
}

impl Distilled {
    /// The disc as text: the same disc is the same text every time.
    #[must_use]
    pub fn to_toml(&self) -> String {
        let mut text = format!(
            "schema = \"{SCHEMA}\"\nlength = {}\nsha256 = \"{}\"\n",
            self.bytes.len(),
            self.digest()
        );
        for range in &self.ranges {
            let what: toml::Value = range.what.clone().into();
            // Writing to a string cannot fail.
            let _ = write!(
                text,
                "\n[[range]]\nlba = {}\nblocks = {}\nwhat = {what}\n",
                range.lba.get(),
                range.blocks.get()
            );
            self.write_rows(&mut text, range);
        }
        text
    }

    fn write_rows(&self, text: &mut String, range: &KeptRange) {
        let start = range.lba.byte_offset();
        let part = self.bytes.slice(start, range.blocks.bytes().get());
        let mut rows = String::new();
        for (at, piece) in part.pieces() {
            for (row, number) in piece.chunks(ROW as usize).zip(0_u64..) {
                let row = trimmed(row);
                if row.is_empty() {
                    continue;
                }
                let _ = write!(rows, "{:04x} ", at + number * ROW);
                rows.push_str(&hex(row));
                rows.push('\n');
            }
        }
        if !rows.is_empty() {
            let _ = writeln!(text, "data = '''\n{rows}'''");
        }
    }

    /// The disc that a text is.
    ///
    /// # Errors
    /// It is no `.disc` file, a range or a row is not where it can be, or the bytes are not those that were distilled.
    pub fn parse(text: &str) -> Result<Self, DistilledError> {
        let file: File = toml::from_str(text).map_err(|error| DistilledError {
            line: line_of(text, error.span().map_or(0, |span| span.start)),
            problem: error.message().to_owned(),
        })?;
        let wrong = |span: Range<usize>, problem: String| DistilledError {
            line: line_of(text, span.start),
            problem,
        };
        if file.schema.get_ref() != SCHEMA {
            let problem = format!("the schema is {:?}, not {SCHEMA:?}", file.schema.get_ref());
            return Err(wrong(file.schema.span(), problem));
        }
        let mut distilled = Self {
            ranges: Vec::new(),
            bytes: SparseBytes::zeroed(*file.length.get_ref()),
        };
        for range in file.range {
            distilled
                .add(text, range)
                .map_err(|(span, problem)| wrong(span, problem))?;
        }
        let digest = distilled.digest();
        if *file.sha256.get_ref() != digest {
            let problem = format!(
                "sha256 is {:?}, and that of what is here is {digest}: something was changed or cut",
                file.sha256.get_ref()
            );
            return Err(wrong(file.sha256.span(), problem));
        }
        Ok(distilled)
    }

    fn add(&mut self, text: &str, range: FileRange) -> Result<(), (Range<usize>, String)> {
        let kept = KeptRange {
            lba: Lba::new(*range.lba.get_ref()),
            blocks: BlockCount::new(*range.blocks.get_ref()),
            what: range.what,
        };
        let disc = self.length().blocks_rounded_up();
        let first = kept.lba.get();
        if kept.blocks == BlockCount::ZERO {
            return Err((
                range.blocks.span(),
                "blocks: a range has one at least".into(),
            ));
        }
        if first
            .checked_add(kept.blocks.get())
            .is_none_or(|end| end > disc.get())
        {
            let problem = format!(
                "blocks: {} from LBA {first} on, and the disc has {disc}",
                kept.blocks
            );
            return Err((range.blocks.span(), problem));
        }
        if let Some(before) = self.ranges.last()
            && before.end() > kept.lba
        {
            let end = before.end().get();
            let problem =
                format!("lba: {first} stands before {end}, where the range before this one ends");
            return Err((range.lba.span(), problem));
        }
        if let Some(data) = range.data {
            self.add_rows(text, &kept, &data)?;
        }
        self.ranges.push(kept);
        Ok(())
    }

    /// Writes a range's rows onto the disc.
    fn add_rows(
        &mut self,
        text: &str,
        range: &KeptRange,
        data: &Spanned<String>,
    ) -> Result<(), (Range<usize>, String)> {
        let length = range.blocks.bytes().get();
        let start = range.lba.byte_offset();
        let length = length.min(self.bytes.len().saturating_sub(start));
        let mut next = 0;
        for row in data.get_ref().lines().filter(|row| !row.is_empty()) {
            let failed = |problem: &str| {
                // The rows stand in the text as they are; where one does not, the whole is named.
                let within = text.get(data.span()).and_then(|shown| shown.find(row));
                let at = data.span().start + within.unwrap_or(0);
                (
                    at..at,
                    format!("data: the row {:?} {problem}", shorten(row)),
                )
            };
            let (at, bytes) = decode(row)
                .ok_or_else(|| failed("is no offset and up to 32 bytes in hexadecimal digits"))?;
            if at < next || at % ROW != 0 {
                return Err(failed(
                    "is out of order: rows stand at ascending multiples of 32",
                ));
            }
            if at.saturating_add(bytes.len() as u64) > length {
                return Err(failed("ends behind the range"));
            }
            next = at + ROW;
            self.bytes.write_at(start + at, &bytes);
            if self.bytes.stored() > STORED_MAX {
                return Err(failed(
                    "is one too many: a distilled disc holds 64 MiB at most",
                ));
            }
        }
        Ok(())
    }
}

/// A row's offset and bytes.
fn decode(row: &str) -> Option<(u64, Vec<u8>)> {
    let (at, digits) = row.split_once(' ')?;
    let is_hex = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !is_hex(at) || !is_hex(digits) || digits.len() % 2 != 0 || digits.len() > 64 {
        return None;
    }
    let at = u64::from_str_radix(at, 16).ok()?;
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    let bytes: Option<Vec<u8>> = digits.as_bytes().chunks(2).map(byte).collect();
    Some((at, bytes?))
}

/// The beginning of a row that may be anything.
fn shorten(row: &str) -> String {
    row.chars().take(24).collect()
}

fn line_of(text: &str, offset: usize) -> usize {
    let before = text.as_bytes().get(..offset).unwrap_or(text.as_bytes());
    before.iter().filter(|&&byte| byte == b'\n').count() + 1
}
