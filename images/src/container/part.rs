//! One of the parts of a file that was split, by its name: `disc.iso.002`, `disc.iso.ab`, `disc.part2`, `xab`.

use std::path::{Path, PathBuf};

use super::{format::Format, recognise::is_iso};
use crate::{
    inspect::{Source, Window},
    iso9660::SYSTEM_AREA_BLOCKS,
    units::{BlockCount, Lba},
};

/// Where the primary volume descriptor has the volume's size (ECMA-119 §8.4.8).
const SPACE_SIZE: u64 = 80;

/// What the names of all parts begin with, and the end that counts them.
pub(super) struct Part {
    pub(super) start: PathBuf,
    pub(super) counter: String,
}

impl Part {
    /// What a name says.
    pub(super) fn of(file: &Path) -> Option<Self> {
        let name = file.file_name()?.to_str()?;
        // `split` calls its parts xaa, xab and so on where it is told nothing.
        let (start, counter) = match name.rsplit_once('.') {
            Some((stem, ending)) => {
                let counter = ending.strip_prefix("part").unwrap_or(ending);
                let word = ending.strip_suffix(counter).unwrap_or_default();
                (format!("{stem}.{word}"), counter)
            }
            None => ("x".to_owned(), name.strip_prefix('x')?),
        };
        let is_number = counter.bytes().all(|byte| byte.is_ascii_digit());
        let is_word = counter.starts_with('a') && counter.bytes().all(|it| it.is_ascii_lowercase());
        let is_counter = match counter.len() {
            1 => is_number && start.ends_with(".part"),
            2 | 3 => is_number || is_word,
            _ => false,
        };
        is_counter.then(|| Self {
            start: file.with_file_name(start),
            counter: counter.to_owned(),
        })
    }

    /// Whether a file is a part of another one: the first, of which more is there, or a later one.
    pub(super) fn is_one(&self, source: &dyn Source, format: Option<Format>) -> bool {
        let mut file = Window::new(source);
        let width = self.counter.len().saturating_sub(1);
        let (filler, firsts): (_, &[&str]) = if self.counter.starts_with('a') {
            ("a", &["a"])
        } else {
            ("0", &["0", "1"])
        };
        let firsts = firsts.iter().map(|first| filler.repeat(width) + first);
        let firsts: Vec<_> = firsts.map(|it| (self.beside(&it), it)).collect();
        // Some count from 0 on.
        let is_first = firsts.iter().any(|(_, counter)| *counter == self.counter);
        let has_earlier = firsts
            .iter()
            .any(|(path, counter)| *counter != self.counter && path.exists());
        if is_first && !has_earlier {
            let claimed = file.array(Lba::new(SYSTEM_AREA_BLOCKS.get()).byte_offset() + SPACE_SIZE);
            let claimed = claimed.map_or(0, u32::from_le_bytes);
            let is_cut =
                is_iso(&mut file) && BlockCount::new(claimed.into()).bytes() > file.length();
            return is_cut && self.next().is_some_and(|next| self.beside(&next).exists());
        }
        let is_unknown = matches!(format, None | Some(Format::Zeros));
        !is_iso(&mut file) && (has_earlier || (is_unknown && self.counter.len() == 3))
    }

    /// The counter of the second part, where this is the first.
    fn next(&self) -> Option<String> {
        let (rest, last) = self
            .counter
            .split_at_checked(self.counter.len().checked_sub(1)?)?;
        let last = last
            .chars()
            .next()
            .and_then(|last| char::from_u32(u32::from(last) + 1))?;
        Some(format!("{rest}{last}"))
    }

    fn beside(&self, counter: &str) -> PathBuf {
        let mut path = self.start.clone().into_os_string();
        path.push(counter);
        path.into()
    }
}
