//! An ISO that exists, as a scenario: so it is run, judged and kept like every other disc.

use std::{collections::BTreeSet, fs, io, os::unix::fs::symlink, path::Path};

use harness::{attachment::Attachment, dialogue::Dialogue, medium_profile::MediumProfile};
use images::{container::Container, inspect::DiscFile};
use scenarios::{
    files,
    id::ABSENT,
    matrix::Folder,
    words::{AttachmentName, Firmware, FirmwareName},
};
use toml::{Table, Value};

use crate::{place::absolute, stop::Stop};

/// The firmware that boots it when none is named: the two that most machines have.
const FIRMWARE: [Firmware; 2] = [Firmware::Seabios, Firmware::Ovmf];
/// What boots a disc with a signed loader too.
const SECURE_BOOT: Firmware = Firmware::OvmfSecureBoot;
/// The dialogue, in the folder.
const DIALOG: &str = "dialog.toml";
/// So long may the name be.
const LONGEST: usize = 120;

/// Opens what is to be an ISO; `remedy` is what else to name where it cannot be opened.
///
/// # Errors
/// It cannot be read, or is no disc but something that a disc can be made of.
pub fn open(path: &Path, remedy: &str) -> Result<DiscFile, Stop> {
    let file = DiscFile::open(path).map_err(|error| Stop::usage(error, remedy))?;
    match Container::recognise(&file, path) {
        Some(container) => {
            let what = format!("{} is not an ISO: {container}", path.display());
            Err(Stop::usage(what, container.remedy()))
        }
        None => Ok(file),
    }
}

/// An ISO that exists, to be booted as it is.
pub struct Existing<'a> {
    /// The file.
    pub iso: &'a Path,
    /// The scenario: the first part of the ids, and the name of the folder with its file.
    pub scenario: &'a str,
    /// The firmware that boots it, as `--firmware` names it; empty for `FIRMWARE`.
    pub firmware: &'a [FirmwareName],
    /// By what it hangs on the machine; empty for those that are usual.
    pub attach: &'a [Attachment],
    /// The medium profile: a fault of the medium itself.
    pub medium_profile: Option<MediumProfile>,
    /// What is seen when it has booted; nothing where it is only observed.
    pub expect: Option<&'a str>,
    /// The names of the editors that it goes through, each by itself; then it is booted before the edit too.
    pub editors: &'a [String],
    /// The file of a dialogue that must come to its end.
    pub dialog: Option<&'a Path>,
    /// Whether it is booted with Secure Boot too where no firmware is named: by one attachment, since a signature does not depend on that.
    pub secure_boot: bool,
}

/// The attachment by which a disc is booted with Secure Boot.
const SECURE_BOOT_BY: Attachment = Attachment::Ahci;

impl Existing<'_> {
    /// Writes the scenario into the folder of a run. The disc is reached by a link in it, so that its own path may be any.
    ///
    /// # Errors
    /// The ISO cannot be read, `--expect` is no regular expression, or the folder cannot be written.
    pub fn declare(&self, out: &Path) -> anyhow::Result<Folder> {
        let iso = absolute(self.iso);
        open(&iso, "an ISO file that can be read")?;
        if let Some(Err(error)) = self.expect.map(regex::bytes::Regex::new) {
            // The lines before the last draw the pattern.
            let error = error.to_string();
            let why = error.lines().last().unwrap_or_default();
            let what = format!(
                "--expect is not a valid regular expression: {}",
                why.trim_start_matches("error: ")
            );
            return Err(Stop::usage(what, "https://docs.rs/regex, which has the syntax").into());
        }
        let dialog = self.dialog.map(read_dialog).transpose()?;
        let folder = out.join(self.scenario);
        let link = folder.join(format!("{}.iso", name(&iso)));
        let unwritable = |error: io::Error| {
            let what = format!("cannot write into {}: {error}", folder.display());
            Stop::host(what, "another folder with --out")
        };
        fs::create_dir_all(&folder).map_err(unwritable)?;
        match fs::remove_file(&link) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(unwritable(error).into());
            }
            _ => symlink(&iso, &link).map_err(unwritable)?,
        }
        if let Some(dialog) = &dialog {
            files::write(&folder.join(DIALOG), dialog.as_bytes())?;
        }
        let file = folder.join(format!("{}.toml", self.scenario));
        files::write(&file, self.declaration(&name(&iso)).as_bytes())?;
        Ok(Folder::own(file))
    }

    /// Which firmware boots it, each once: which build of one is chosen later.
    fn firmware(&self) -> BTreeSet<Firmware> {
        match self.firmware {
            [] if self.secure_boot => FIRMWARE.into_iter().chain([SECURE_BOOT]).collect(),
            [] => FIRMWARE.into(),
            named => named.iter().map(|name| name.id).collect(),
        }
    }

    /// By what it hangs on the machine.
    fn attachments(&self) -> impl Iterator<Item = Attachment> {
        let chosen = match self.attach {
            [] => Attachment::USUAL,
            named => named,
        };
        chosen.iter().copied()
    }

    /// The scenario file.
    fn declaration(&self, name: &str) -> String {
        let words = |words: Vec<&str>| Value::from(words);
        let firmware: Vec<&str> = self.firmware().into_iter().map(Firmware::as_str).collect();
        let mut scenario = Table::new();
        scenario.insert("name".into(), self.scenario.into());
        scenario.insert("summary".into(), "an ISO that exists".into());
        let path = Table::from_iter([("path".to_owned(), Value::from(format!("{name}.iso")))]);
        scenario.insert("iso".into(), path.into());
        scenario.insert("firmware".into(), words(firmware.clone()));
        if !self.editors.is_empty() {
            let editors = self.editors.iter().map(String::as_str);
            let edit: Vec<&str> = std::iter::once(ABSENT).chain(editors).collect();
            scenario.insert("edit".into(), words(edit));
        }
        let attach: Vec<String> = self
            .attachments()
            .map(|attachment| {
                let name = AttachmentName {
                    attachment,
                    medium_profile: self.medium_profile,
                };
                name.to_string()
            })
            .collect();
        scenario.insert("attach".into(), Value::from(attach));
        if self.firmware.is_empty() && self.secure_boot {
            let others = self.attachments().filter(|it| *it != SECURE_BOOT_BY);
            let others = others.map(|it| format!("{it}*"));
            let when = Table::from_iter([
                ("firmware".to_owned(), Value::from(SECURE_BOOT.as_str())),
                ("attach".to_owned(), Value::from(others.collect::<Vec<_>>())),
            ]);
            let rule = Table::from_iter([
                ("when".to_owned(), Value::from(when)),
                (
                    "because".to_owned(),
                    Value::from("a signature does not depend on the attachment"),
                ),
            ]);
            scenario.insert("exclude".into(), vec![rule].into());
        }
        if let Some(pattern) = self.expect {
            let text = |firmware: &str| (firmware.to_owned(), Value::from(pattern));
            let texts = firmware.into_iter().map(text);
            scenario.insert("expect-text".into(), Table::from_iter(texts).into());
        }
        if self.dialog.is_some() {
            scenario.insert("dialog".into(), DIALOG.into());
        }
        let because = match (self.expect, self.dialog) {
            (Some(_), Some(_)) => Some("--expect and --dialog say so"),
            (Some(_), None) => Some("--expect says so"),
            (None, Some(_)) => Some("--dialog says so"),
            (None, None) => None,
        };
        match because {
            None => drop(scenario.insert("observe".into(), true.into())),
            Some(because) => {
                let rule = [("outcome", "booted"), ("because", because)];
                let rule = rule.map(|(key, value)| (key.to_owned(), Value::from(value)));
                scenario.insert("expect".into(), vec![Table::from_iter(rule)].into());
            }
        }
        Table::from_iter([("scenario".to_owned(), Value::from(vec![scenario]))]).to_string()
    }
}

/// The text of a dialogue. It is read once: it may come from a pipe.
fn read_dialog(path: &Path) -> Result<String, Stop> {
    let text = fs::read_to_string(path).map_err(|error| {
        let what = format!("cannot read the dialogue {}: {error}", path.display());
        Stop::usage(what, "--dialog and a file that can be read")
    })?;
    let remedy = "scenarios/README.md, which has the format of dialogues";
    Dialogue::parse(path, &text).map_err(|error| Stop::usage(error, remedy))?;
    Ok(text)
}

/// A file's name as it can stand in an id.
pub fn name(iso: &Path) -> String {
    let stem = iso.file_stem().unwrap_or_default().to_string_lossy();
    let allowed = |c: char| {
        if c.is_ascii_alphanumeric() || "-+._=@".contains(c) {
            c
        } else {
            '_'
        }
    };
    let name: String = stem
        .trim_start_matches('.')
        .chars()
        .map(allowed)
        .take(LONGEST)
        .collect();
    if name.is_empty() {
        "disc".to_owned()
    } else {
        name
    }
}

#[cfg(test)]
mod tests {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt};

    use super::*;

    #[test]
    fn any_file_has_a_name_that_can_stand_in_an_id() {
        let named = |file: &[u8]| name(Path::new(OsStr::from_bytes(file)));
        assert_eq!(
            named(b"/d/debian-12.5.0-amd64-netinst.iso"),
            "debian-12.5.0-amd64-netinst"
        );
        assert_eq!(
            named(b"my disc, the second (1).iso"),
            "my_disc__the_second__1_"
        );
        assert_eq!(named(b"caf\xe9.iso"), "caf_");
        assert_eq!(named(b"/.hidden"), "hidden");
        assert_eq!(named(b"/"), "disc");
    }

    #[test]
    fn a_pattern_may_hold_any_character() {
        let pattern = "\"\\d' [x]\n";
        let existing = Existing {
            iso: Path::new("disc.iso"),
            scenario: "iso",
            firmware: &[],
            attach: &[],
            medium_profile: None,
            expect: Some(pattern),
            editors: &[],
            dialog: None,
            secure_boot: false,
        };
        let text = existing.declaration("disc");
        let table: Table = text.parse().expect("TOML");
        assert_eq!(
            table["scenario"][0]["expect-text"]["ovmf"].as_str(),
            Some(pattern)
        );
    }
    #[test]
    fn the_firmware_that_is_named_boots_it_whatever_the_build() {
        let declared = |named: &[&str]| {
            let named: Vec<FirmwareName> = named.iter().map(|name| name.parse().unwrap()).collect();
            let existing = Existing {
                iso: Path::new("disc.iso"),
                scenario: "iso",
                firmware: &named,
                attach: &[],
                medium_profile: None,
                expect: Some("booted"),
                editors: &[],
                dialog: None,
                secure_boot: false,
            };
            let table: Table = existing.declaration("disc").parse().expect("TOML");
            let scenario = &table["scenario"][0];
            let texts = scenario["expect-text"].as_table().expect("a table");
            let texts: Vec<&str> = texts.keys().map(String::as_str).collect();
            (scenario["firmware"].to_string(), texts.join(" "))
        };
        let expect = |firmware: &str, texts: &str| (firmware.to_owned(), texts.to_owned());
        assert_eq!(
            declared(&[]),
            expect("[\"seabios\", \"ovmf\"]", "seabios ovmf")
        );
        assert_eq!(
            declared(&["ovmf-ia32"]),
            expect("[\"ovmf-ia32\"]", "ovmf-ia32")
        );
        assert_eq!(
            declared(&["ovmf-secure-boot@2025.02", "ovmf", "ovmf-secure-boot"]),
            expect("[\"ovmf\", \"ovmf-secure-boot\"]", "ovmf ovmf-secure-boot")
        );
    }
}
