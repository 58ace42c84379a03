//! A tool's command line with placeholders in it.

use std::{collections::BTreeMap, fmt, path::Path};

use serde::{Deserialize, Serialize};

/// What a placeholder stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Placeholder {
    /// The ISO to write.
    Iso,
    /// The folder with the disc's files. The command runs in it.
    Tree,
    /// The BIOS boot image, which is in the tree: its path there.
    BootImage,
    /// The EFI system partition, which is in the tree: its path there.
    EfiImage,
    /// The BIOS boot image as a file outside the tree.
    BootFile,
    /// The EFI system partition as a file outside the tree.
    EfiFile,
    /// The boot catalog's path in the tree.
    Catalog,
    /// The sector count that the id asks for, in virtual sectors of 512 bytes.
    LoadSectors,
    /// The load segment that the id asks for, four hexadecimal digits.
    LoadSegment,
    /// The platform that the id asks for, two hexadecimal digits.
    Platform,
    /// The volume's name.
    VolumeId,
    /// What the medium holds, in blocks of 2048 bytes; 0 without a medium.
    CapacityBlocks,
    /// The boot mode, as in the id: `none`, `floppy-1440k`, `bios+efi`.
    Mode,
    /// A file outside the tree with the system area of a disc that is a disk too: 32 KiB of code, without a partition table.
    SystemArea,
    /// The folder that the tool's own file stands in, for scripts beside it.
    Here,
    /// The folder that the command for the tool's installation fills.
    Installed,
    /// Of an editor: the disc to edit, which it must leave as it is.
    In,
    /// Of an editor: the edited disc.
    Out,
    /// The words of a deviation, when the id has it; otherwise nothing.
    Deviation(Deviation),
}

/// A deviation that a mastering tool must be told of. The others are within the boot image.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Deviation {
    /// `count=`
    Count,
    /// `segment=`
    Segment,
    /// `platform=`
    Platform,
    /// `boot-info=`: the image is to get a boot-info table.
    BootInfo,
}

impl Deviation {
    /// Every one.
    pub const ALL: [Self; 4] = [Self::Count, Self::Segment, Self::Platform, Self::BootInfo];

    /// Its key in ids.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::Segment => "segment",
            Self::Platform => "platform",
            Self::BootInfo => "boot-info",
        }
    }
}

impl Placeholder {
    /// Every placeholder.
    pub const ALL: [Self; 22] = [
        Self::Iso,
        Self::Tree,
        Self::BootImage,
        Self::EfiImage,
        Self::BootFile,
        Self::EfiFile,
        Self::Catalog,
        Self::LoadSectors,
        Self::LoadSegment,
        Self::Platform,
        Self::VolumeId,
        Self::CapacityBlocks,
        Self::Mode,
        Self::SystemArea,
        Self::Here,
        Self::Installed,
        Self::In,
        Self::Out,
        Self::Deviation(Deviation::Count),
        Self::Deviation(Deviation::Segment),
        Self::Deviation(Deviation::Platform),
        Self::Deviation(Deviation::BootInfo),
    ];

    /// Its name, without braces.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Iso => "iso",
            Self::Tree => "tree",
            Self::BootImage => "boot_image",
            Self::EfiImage => "efi_image",
            Self::BootFile => "boot_file",
            Self::EfiFile => "efi_file",
            Self::Catalog => "catalog",
            Self::LoadSectors => "load_sectors",
            Self::LoadSegment => "load_segment",
            Self::Platform => "platform_id",
            Self::VolumeId => "volume_id",
            Self::CapacityBlocks => "capacity_blocks",
            Self::Mode => "mode",
            Self::SystemArea => "system_area",
            Self::Here => "here",
            Self::Installed => "installed",
            Self::In => "in",
            Self::Out => "out",
            Self::Deviation(Deviation::BootInfo) => "boot_info",
            Self::Deviation(deviation) => deviation.key(),
        }
    }

    fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.name() == name)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Placeholder(Placeholder),
}

/// A command line, split into words as a POSIX shell does, with placeholders in braces; `{{` and `}}` are braces.
/// No shell runs it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Template {
    text: String,
    words: Vec<Vec<Piece>>,
}

/// A command line that means nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// Quotes that do not end, or a backslash at the end.
    #[error("{0:?} cannot be split into words: a quote or a backslash has no end")]
    Quotes(String),
    /// No words at all.
    #[error("the command is empty")]
    Empty,
    /// A brace without its partner.
    #[error("a brace in {word:?} has no partner; write {{{{ or }}}} for a brace itself")]
    Brace {
        /// The word it stands in.
        word: String,
    },
    /// A placeholder that means nothing.
    #[error("{{{name}}} is not a placeholder: use {known}", known = known_placeholders())]
    Unknown {
        /// Its name, as written.
        name: String,
    },
}

fn known_placeholders() -> String {
    let names = Placeholder::ALL.map(|placeholder| format!("{{{}}}", placeholder.name()));
    names.join(" ")
}

/// What placeholders stand for.
pub(super) type Values = BTreeMap<Placeholder, String>;

impl Template {
    /// Whether a placeholder is in it.
    #[must_use]
    pub fn has(&self, placeholder: Placeholder) -> bool {
        let wanted = Piece::Placeholder(placeholder);
        self.words.iter().flatten().any(|piece| *piece == wanted)
    }

    /// A placeholder in it that is none of these.
    #[must_use]
    pub fn other_than(&self, known: &[Placeholder]) -> Option<Placeholder> {
        let pieces = self.words.iter().flatten();
        pieces
            .filter_map(|piece| match piece {
                Piece::Placeholder(placeholder) => Some(*placeholder),
                Piece::Text(_) => None,
            })
            .find(|placeholder| !known.contains(placeholder))
    }

    /// The program, which may stand beside the tool's own file, in `here`, or where it was installed; nothing when another
    /// placeholder is in its name.
    #[must_use]
    pub fn program(&self, here: &Path, installed: &Path) -> String {
        let piece = |piece: &Piece| match piece {
            Piece::Text(text) => Some(text.clone()),
            Piece::Placeholder(Placeholder::Here) => Some(here.to_string_lossy().into_owned()),
            Piece::Placeholder(Placeholder::Installed) => {
                Some(installed.to_string_lossy().into_owned())
            }
            Piece::Placeholder(_) => None,
        };
        let word = self.words.first().map(Vec::as_slice).unwrap_or_default();
        let pieces: Option<Vec<String>> = word.iter().map(piece).collect();
        pieces.unwrap_or_default().concat()
    }

    /// The words, with every placeholder replaced. A deviation's words come from `deviation`.
    pub(super) fn expand(
        &self,
        values: &Values,
        deviation: &impl Fn(Deviation) -> Vec<String>,
    ) -> Vec<String> {
        let mut words = Vec::new();
        for word in &self.words {
            if let [Piece::Placeholder(Placeholder::Deviation(which))] = word[..] {
                words.extend(deviation(which));
                continue;
            }
            let piece = |piece: &Piece| match piece {
                Piece::Text(text) => text.clone(),
                // Within a word it adds to that word.
                Piece::Placeholder(Placeholder::Deviation(which)) => deviation(*which).concat(),
                Piece::Placeholder(name) => values.get(name).cloned().unwrap_or_default(),
            };
            words.push(word.iter().map(piece).collect());
        }
        words
    }
}

impl std::str::FromStr for Template {
    type Err = TemplateError;

    fn from_str(text: &str) -> Result<Self, TemplateError> {
        let words =
            shell_words::split(text).map_err(|_| TemplateError::Quotes(text.trim().to_owned()))?;
        let words = words
            .iter()
            .map(|word| pieces(word))
            .collect::<Result<Vec<_>, _>>()?;
        if words.is_empty() {
            return Err(TemplateError::Empty);
        }
        Ok(Self {
            text: text.trim().to_owned(),
            words,
        })
    }
}

fn pieces(word: &str) -> Result<Vec<Piece>, TemplateError> {
    let brace = || TemplateError::Brace {
        word: word.to_owned(),
    };
    let mut pieces = Vec::new();
    let mut text = String::new();
    let mut rest = word;
    while let Some(at) = rest.find(['{', '}']) {
        let (before, from) = rest.split_at(at);
        text.push_str(before);
        if let Some(after) = from.strip_prefix("{{").or_else(|| from.strip_prefix("}}")) {
            text.push_str(&from[..1]);
            rest = after;
            continue;
        }
        let inside = from.strip_prefix('{').ok_or_else(brace)?;
        let (name, after) = inside.split_once('}').ok_or_else(brace)?;
        let placeholder = Placeholder::find(name).ok_or_else(|| TemplateError::Unknown {
            name: name.to_owned(),
        })?;
        if !text.is_empty() {
            pieces.push(Piece::Text(std::mem::take(&mut text)));
        }
        pieces.push(Piece::Placeholder(placeholder));
        rest = after;
    }
    text.push_str(rest);
    if !text.is_empty() || pieces.is_empty() {
        pieces.push(Piece::Text(text));
    }
    Ok(pieces)
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl From<Template> for String {
    fn from(template: Template) -> Self {
        template.text
    }
}

impl TryFrom<String> for Template {
    type Error = TemplateError;

    fn try_from(text: String) -> Result<Self, TemplateError> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expand(template: &str, values: &[(Placeholder, &str)]) -> Vec<String> {
        let values = values
            .iter()
            .map(|&(name, value)| (name, value.to_owned()))
            .collect();
        let template: Template = template.parse().unwrap();
        template.expand(&values, &|deviation| match deviation {
            Deviation::Count => vec!["-boot-load-size".to_owned(), "4".to_owned()],
            _ => Vec::new(),
        })
    }

    #[test]
    fn words_are_a_shells_and_placeholders_never_split_them() {
        let values = [
            (Placeholder::Iso, "/a b/$(x).iso"),
            (Placeholder::Tree, "."),
        ];
        assert_eq!(
            expand(
                "tool -o {iso} 'two words' --from={tree} {count} x{count} {segment} a{{b}}",
                &values
            ),
            [
                "tool",
                "-o",
                "/a b/$(x).iso",
                "two words",
                "--from=.",
                "-boot-load-size",
                "4",
                "x-boot-load-size4",
                "a{b}"
            ]
        );
    }

    #[test]
    fn what_means_nothing_is_refused_with_what_would() {
        let error = |text: &str| text.parse::<Template>().unwrap_err().to_string();
        let unknown = error("tool {isoo}");
        assert!(
            unknown.starts_with("{isoo} is not a placeholder: use {iso} {tree} {boot_image}"),
            "{unknown}"
        );
        assert!(error("tool 'a").contains("a quote or a backslash has no end"));
        assert!(error("tool {iso").contains("has no partner; write {{ or }}"));
        assert!(error("tool iso}").contains("has no partner"));
        assert_eq!(error("  "), "the command is empty");
    }
}
