//! The conformance kit: the discs that a writer must be able to make, with the reason for each, and those that a reader is given.

mod bytes;
mod reader;
mod report;

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use harness::{
    attachment::Attachment,
    toml_file::{self, Location, SyntaxError},
};
use images::{boot::Boot, finding::FindingId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toml::Spanned;

pub use self::{
    bytes::{Fault, judge},
    reader::{GoldenDisc, golden_discs},
    report::{Judged, Report, Result, Score, report_schema},
};
use crate::{
    cell::Recipe,
    id::{ABSENT, DiscId},
    read_error::ReadError,
    words::{self, Firmware, Master, Medium, Name, Size, Word},
};

/// The version of the kit that this program can judge by.
pub const VERSION: u32 = 1;

/// The kit that comes with boot-matrix, by the folder of its workspace.
#[must_use]
pub fn shipped(workspace: &Path) -> PathBuf {
    workspace.join("conformance").join("kit.toml")
}

/// The discs that a writer must make, and those that a reader must read.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Kit {
    /// The version of the list. Scores of one version compare.
    #[schemars(extend("const" = VERSION))]
    pub version: u32,
    /// The discs for a writer, in the order of the report.
    #[schemars(with = "Vec<Item>")]
    pub disc: Vec<Spanned<Item>>,
    /// The discs for a reader.
    #[serde(default)]
    #[schemars(with = "Vec<ReaderItem>")]
    pub reader: Vec<Spanned<ReaderItem>>,
}

/// A disc for a writer.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Item {
    /// Its name, the first part of the disc's id.
    pub id: Word<Name>,
    /// Whether every writer must make it.
    pub level: Level,
    /// The boot mode with its deviations.
    pub boot: Word<Boot>,
    /// The medium that it must fit. Absent: any.
    #[serde(default)]
    pub medium: Option<Word<Medium>>,
    /// The boot image's size. Absent: the mode's own.
    #[serde(default)]
    pub size: Option<Word<Size>>,
    /// The firmware that must boot it.
    pub firmware: Vec<Word<Firmware>>,
    /// How the disc is attached for that. Absent: `ahci`.
    #[serde(default = "ahci")]
    pub attach: Vec<Word<Attachment>>,
    /// Why it is in the kit.
    pub reason: String,
    /// The source: a section of a specification, a file of a firmware, an article.
    pub source: String,
}

/// Whether every writer must make a disc.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// It must.
    Required,
    /// It may have no option for it.
    Optional,
}

/// A disc for a reader, mastered by the reference master and reduced to the sectors that matter.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReaderItem {
    /// The name of its files.
    pub id: Word<Name>,
    /// The boot mode with its deviations.
    pub boot: Word<Boot>,
    /// Its faults, by the ids of docs/findings.md.
    #[serde(default)]
    pub findings: Vec<String>,
    /// What a reader may get wrong.
    pub reason: String,
}

fn ahci() -> Vec<Word<Attachment>> {
    vec![Word(Attachment::Ahci)]
}

/// The JSON Schema of kits, as it is kept in the repository.
#[must_use]
pub fn kit_schema() -> String {
    let schema = schemars::schema_for!(Kit);
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}

impl Kit {
    /// Reads a kit.
    ///
    /// # Errors
    /// It cannot be read, is of another version, or has words without a meaning: with line and column.
    pub fn read(path: &Path) -> std::result::Result<Self, ReadError> {
        let text = fs::read_to_string(path).map_err(|cause| ReadError::Io {
            path: path.to_owned(),
            cause,
        })?;
        Self::parse(path, &text)
    }

    fn parse(path: &Path, text: &str) -> std::result::Result<Self, ReadError> {
        /// What stands in a kit of any version.
        #[derive(Deserialize)]
        struct AnyVersion {
            version: Spanned<u32>,
        }
        let wrong = |span, message: String| SyntaxError {
            at: Location::of(path, text, Some(span)),
            message,
        };
        let AnyVersion { version } = toml_file::read(path, text)?;
        if *version.get_ref() != VERSION {
            let what = format!(
                "this is version {} of the kit, and boot-matrix judges by version {VERSION}",
                version.get_ref()
            );
            return Err(wrong(version.span(), what).into());
        }
        let kit: Self = toml_file::read(path, text)?;
        let (mut discs, mut readers) = (BTreeSet::new(), BTreeSet::new());
        for item in &kit.disc {
            let (span, item) = (item.span(), item.get_ref());
            let id = &item.id.0.0;
            if !discs.insert(id) {
                return Err(wrong(span, format!("the kit has the disc {id} twice")).into());
            }
            if item.firmware.is_empty() || item.attach.is_empty() {
                let what = format!("{id}: name at least one firmware, and one attachment");
                return Err(wrong(span, what).into());
            }
            item.recipe(&Master::default())
                .map_err(|what| wrong(span, what))?;
        }
        for item in &kit.reader {
            let (span, item) = (item.span(), item.get_ref());
            let id = &item.id.0.0;
            if !readers.insert(id) {
                return Err(
                    wrong(span, format!("the kit has the reader's disc {id} twice")).into(),
                );
            }
            let known = || FindingId::ALL.iter().map(ToString::to_string);
            for finding in &item.findings {
                if !known().any(|known| known == *finding) {
                    let known: Vec<String> = known().collect();
                    let known = known.iter().map(String::as_str);
                    let what = words::unknown_word("finding", finding, known);
                    return Err(wrong(span, what).into());
                }
            }
        }
        Ok(kit)
    }

    /// What a writer is asked for.
    pub fn discs(&self) -> impl Iterator<Item = &Item> {
        self.disc.iter().map(Spanned::get_ref)
    }
}

impl Item {
    /// All that the disc of a master is made from.
    ///
    /// # Errors
    /// A word cannot stand in an id.
    pub fn recipe(&self, master: &Master) -> std::result::Result<Recipe, String> {
        let or_absent = |word: Option<String>| word.unwrap_or_else(|| ABSENT.to_owned());
        let medium = or_absent(self.medium.as_ref().map(|medium| medium.0.to_string()));
        let size = or_absent(self.size.as_ref().map(|size| size.0.to_string()));
        let boot = self.boot.0.to_string();
        let parts = [
            self.id.0.0.as_str(),
            medium.as_str(),
            boot.as_str(),
            size.as_str(),
            master.as_str(),
        ];
        let id = DiscId::new(parts).map_err(|error| error.to_string())?;
        Recipe::read(&id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOUND: &str = r#"version = 1

[[disc]]
id = "bios"
level = "required"
boot = "none"
firmware = ["seabios"]
reason = "a test"
source = "a test"

[[reader]]
id = "bios"
boot = "none"
findings = ["catalog-key"]
reason = "a test"
"#;

    fn said(from: &str, to: &str) -> String {
        assert!(SOUND.contains(from), "{from}");
        let text = SOUND.replacen(from, to, 1);
        Kit::parse(Path::new("kit.toml"), &text)
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn what_is_wrong_is_reported_with_its_place() {
        assert!(Kit::parse(Path::new("kit.toml"), SOUND).is_ok());
        assert_eq!(
            said("version = 1", "version = 2\nshape = \"round\""),
            "kit.toml:1:11: this is version 2 of the kit, and boot-matrix judges by version 1"
        );
        for (from, to, expected) in [
            ("reason", "raeson", "kit.toml:8:1: "),
            ("\"required\"", "\"requird\"", "kit.toml:5:9: "),
            ("\"none\"", "\"nnoe\"", "kit.toml:6:8: "),
            ("[\"seabios\"]", "[\"seabois\"]", "kit.toml:7:13: "),
            ("[\"seabios\"]", "[]", "kit.toml:3:1: bios: name at least"),
            (
                "[[reader]]",
                "[[disc]]\nid=\"bios\"\nlevel=\"optional\"\nboot=\"none\"\nfirmware=[\"seabios\"]\nreason=\"\"\nsource=\"\"\n[[reader]]",
                "kit.toml:11:1: the kit has the disc bios twice",
            ),
            (
                "catalog-key",
                "catalog-kye",
                "kit.toml:11:1: no finding is called",
            ),
        ] {
            assert!(said(from, to).starts_with(expected), "{}", said(from, to));
        }
    }
}
