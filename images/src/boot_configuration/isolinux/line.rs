//! Lines of an isolinux configuration, taken apart.

use crate::boot_configuration::{configuration::NamedFile, path::directory_of, reader::kept};

/// A line's argument and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Said {
    pub(super) file: String,
    pub(super) line: u32,
    pub(super) directive: String,
    pub(super) text: String,
}

impl Said {
    pub(super) fn word(&self) -> &str {
        self.text
            .split_ascii_whitespace()
            .next()
            .unwrap_or_default()
    }

    pub(super) fn rest(&self) -> &str {
        let rest = self.text.split_once([' ', '\t']);
        rest.map_or("", |(_, rest)| rest.trim_start())
    }
}

/// A label as far as it was read.
#[derive(Debug, Default)]
pub(super) struct Label {
    pub(super) name: String,
    pub(super) title: Option<String>,
    pub(super) file: String,
    pub(super) line: u32,
    pub(super) parent: Option<usize>,
    pub(super) kernel: Option<Said>,
    pub(super) append: Option<Said>,
    pub(super) initrd: Option<Said>,
    pub(super) is_default: bool,
    /// A separator, or one that cannot be chosen.
    pub(super) disabled: bool,
    /// It opens or leaves a menu.
    pub(super) leads_nowhere: bool,
}

pub(super) fn named(said: &Said, path: &str, exists: Option<bool>) -> NamedFile {
    NamedFile {
        file: said.file.clone(),
        line: said.line,
        directive: said.directive.clone(),
        path: kept(path),
        exists,
    }
}

/// A keyword in lower case, and what follows it.
pub(super) fn split(line: &str) -> (String, &str) {
    let end = line.find([' ', '\t']).unwrap_or(line.len());
    let (keyword, rest) = line.split_at(end);
    // No keyword is long.
    let keyword = keyword.get(..32).unwrap_or(keyword);
    (keyword.to_ascii_lowercase(), rest.trim_start())
}

/// C's `atoi`: the digits at the beginning.
pub(super) fn number(text: &str) -> i64 {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text),
    };
    let end = digits.find(|it: char| !it.is_ascii_digit());
    let digits = digits
        .get(..end.unwrap_or(digits.len()))
        .unwrap_or_default();
    // More digits than a number holds are a time without end in practice.
    let value = digits.parse::<i64>();
    sign * value.unwrap_or(if digits.is_empty() {
        0
    } else {
        i64::from(i32::MAX)
    })
}

pub(super) fn base_name(path: &str) -> String {
    let name = path.strip_prefix(directory_of(path)).unwrap_or(path);
    name.trim_start_matches('/').to_ascii_lowercase()
}

/// Whether a program shows a menu and waits for a person.
pub(super) fn is_menu(path: &str) -> bool {
    let name = base_name(path);
    matches!(
        name.as_str(),
        "menu.c32" | "vesamenu.c32" | "gfxmenu.c32" | "gfxboot.c32" | "gfxboot.com"
    )
}
