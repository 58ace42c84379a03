//! How a live disc is laid out, as a file describes it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{Path, PathBuf},
};

use images::finding::FindingId;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    edit::Edit,
    payload::{BUSYBOX, PAYLOAD},
    stock::Stock,
};

use crate::{
    firmware::keys::MicrosoftKeys,
    master::on_path,
    spelling::unknown_word,
    toml_file::{self, Location, SyntaxError},
};

/// The layout of a live disc. Everything happens in one folder, in this order: `text`, `make`, `copy`, `fat`, `master`. The folder
/// `tree` gets the disc's content, and the disc is `disc.iso`; a command that changes the disc writes `new.iso`, which replaces
/// it.
///
/// In braces, `{here}` is the folder of the layout's file, `{payload}` is the folder with the kernel (`vmlinuz`), the initial file system (`initrd.gz`) and the files of the
/// system (`store`), and the name of a package is the folder in which it was unpacked.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Layout {
    /// The origin of the layout, in a sentence.
    pub summary: String,
    /// The package of the kernel. Absent: the disc has its own kernel, and there is no `{payload}`.
    #[serde(default)]
    pub kernel: Option<String>,
    /// Other packages that parts of the disc come from.
    #[serde(default)]
    pub packages: Vec<String>,
    /// The programs that the commands run, and the packages that contain them. A path is a file that must exist.
    pub tools: BTreeMap<String, String>,
    /// The volume's label: `@label@` in texts and commands.
    pub label: String,
    /// The kernel's command line: `@arguments@` in texts and commands.
    #[serde(default)]
    pub arguments: String,
    /// Files and folders to copy; several files are joined.
    #[serde(default)]
    pub copy: BTreeMap<String, Parts>,
    /// Files with these texts.
    #[serde(default)]
    pub text: BTreeMap<String, String>,
    /// Files that commands make, in order.
    #[serde(default)]
    pub make: Vec<Make>,
    /// FAT file systems.
    #[serde(default)]
    pub fat: Vec<FatImage>,
    /// The commands that master the disc, in order, split into words as a shell does. No shell runs them.
    pub master: Vec<String>,
    /// Machines with Secure Boot, by the name of their set of keys. Commands of the layout can create temporary keys: the folder with the private keys is removed once
    /// the disc is made, and only these lists are kept, next to the disc.
    #[serde(default)]
    pub machine: BTreeMap<String, MachineLists>,
    /// The kinds of damage, by name.
    #[serde(default)]
    pub damage: BTreeMap<String, Damage>,
    /// The folder that its file stands in.
    #[serde(skip)]
    pub here: PathBuf,
}

/// The name that stands for the folder of the layout's file.
pub(super) const HERE: &str = "here";

/// The source of a copied file.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "expected a path, a list of paths, or a table")]
pub enum Parts {
    /// A file or a folder.
    One(String),
    /// Files, joined.
    Joined(Vec<String>),
    /// Files, joined and filled up with zeros.
    Filled {
        /// The files.
        parts: Vec<String>,
        /// The length to fill up to, in bytes.
        bytes: u64,
    },
}

impl Parts {
    /// The files, and what their sum is filled up to.
    #[must_use]
    pub fn files(&self) -> (&[String], u64) {
        match self {
            Self::One(file) => (std::slice::from_ref(file), 0),
            Self::Joined(parts) => (parts, 0),
            Self::Filled { parts, bytes } => (parts, *bytes),
        }
    }
}

/// A file that a command makes.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Make {
    /// The file that must exist afterward.
    pub file: String,
    /// The command.
    pub command: String,
}

/// A FAT file system.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FatImage {
    /// The image.
    pub file: String,
    /// Its length in KiB.
    pub kib: u32,
    /// Its content: paths in it, and the files for them.
    pub files: BTreeMap<String, String>,
}

/// The lists of keys of a machine with Secure Boot. A file is a certificate (PEM or DER), an EFI signature list, or a program, which adds its hash.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct MachineLists {
    /// Microsoft's certificates, from the signatures of a shim: `2011`, `2023` or `both`.
    #[serde(default)]
    pub microsoft: Option<String>,
    /// That shim.
    #[serde(default)]
    pub shim: Option<String>,
    /// Other keys and programs that it trusts.
    #[serde(default)]
    pub db: Vec<String>,
    /// Keys and programs that it refuses.
    #[serde(default)]
    pub dbx: Vec<String>,
    /// Whether it has no owner, and starts everything.
    #[serde(default)]
    pub setup_mode: bool,
}

/// One kind of damage.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Damage {
    /// The fault, in a sentence.
    pub summary: String,
    /// The findings that may be reported as the cause if the disc does not start.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub causes: Vec<FindingId>,
    /// Files and folders that are removed before the disc is mastered.
    #[serde(default)]
    pub remove: Vec<String>,
    /// Files and folders that are renamed before.
    #[serde(default)]
    pub rename: BTreeMap<String, String>,
    /// Files that are replaced with copies of others before file systems are made from them.
    #[serde(default)]
    pub instead: BTreeMap<String, String>,
    /// Files with other texts, or additional files.
    #[serde(default)]
    pub text: BTreeMap<String, String>,
    /// Words to omit from the commands that master the disc.
    #[serde(default)]
    pub without: Vec<String>,
    /// Commands that are run on the finished `disc.iso`.
    #[serde(default)]
    pub after: Vec<String>,
    /// Changes of the disc's bytes, in order, after those.
    #[serde(default)]
    pub edit: Vec<Edit>,
}

/// A layout that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum LayoutError {
    /// Its file cannot be read.
    #[error("cannot read {}: {cause}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why. Not the error's source, or it would be printed twice.
        cause: io::Error,
    },
    /// It means nothing.
    #[error(transparent)]
    Syntax(#[from] SyntaxError),
}

/// The JSON Schema of layout files, as it is kept in the repository.
#[must_use]
pub fn json_schema() -> String {
    let schema = schemars::schema_for!(Layout);
    // A schema is plain JSON: it has no map with keys that are not strings.
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}

impl Layout {
    /// Reads a layout's file.
    ///
    /// # Errors
    /// With file, line and column: what cannot be read, or has no meaning.
    pub fn read(path: &Path) -> Result<Self, LayoutError> {
        let text = fs::read_to_string(path).map_err(|cause| LayoutError::Io {
            path: path.to_owned(),
            cause,
        })?;
        Ok(Self::parse(path, &text)?)
    }

    /// Reads a layout. The path is for messages, and for what stands beside the file.
    ///
    /// # Errors
    /// With line and column: an invalid entry.
    pub fn parse(path: &Path, text: &str) -> Result<Self, SyntaxError> {
        let mut layout: Self = toml_file::read(path, text)?;
        layout.here = path.parent().unwrap_or(Path::new("")).to_owned();
        layout.check().map_err(|message| SyntaxError {
            at: Location::of(path, "", None),
            message,
        })?;
        Ok(layout)
    }

    /// Every package that parts of the disc come from.
    pub fn all_packages(&self) -> impl Iterator<Item = &str> {
        let payload = self.kernel.iter().map(String::as_str);
        let payload = payload.flat_map(|kernel| [kernel, BUSYBOX]);
        self.packages.iter().map(String::as_str).chain(payload)
    }

    /// The programs that are not on this host, each with the package that brings it.
    pub fn missing_tools(&self) -> impl Iterator<Item = (&str, &str)> {
        let missing = |tool: &str| match tool.contains('/') {
            true => !Path::new(tool).exists(),
            false => on_path(tool).is_none(),
        };
        self.tools
            .iter()
            .map(|(tool, package)| (tool.as_str(), package.as_str()))
            .filter(move |(tool, _)| missing(tool))
    }

    /// Why the disc cannot be made on this host, and how it could; `None` when it can.
    #[must_use]
    pub fn lacks(&self, stock: &Stock) -> Option<String> {
        if let Some((tool, package)) = self.missing_tools().next() {
            return Some(format!("there is no {tool}: install the package {package}"));
        }
        self.all_packages()
            .find_map(|name| stock.package(name).err())
    }

    /// The commands that master the disc, with some damage.
    pub(super) fn commands(&self, damage: Option<&Damage>) -> Vec<String> {
        let after = damage.map_or(&[][..], |damage| &damage.after);
        self.master.iter().chain(after).cloned().collect()
    }

    fn check(&self) -> Result<(), String> {
        let known: BTreeSet<&str> = self
            .packages
            .iter()
            .map(String::as_str)
            .chain(self.kernel.as_ref().map(|_| PAYLOAD))
            .chain([HERE])
            .collect();
        let templates = self
            .copy
            .values()
            .flat_map(|parts| parts.files().0)
            .chain(self.make.iter().map(|make| &make.command))
            .chain(&self.master)
            .chain(self.machine.values().flat_map(|machine| {
                let lists = machine.db.iter().chain(&machine.dbx);
                lists.chain(&machine.shim)
            }))
            .chain(self.damage.values().flat_map(|damage| &damage.after));
        for template in templates {
            for name in placeholders(template) {
                if !known.contains(name) {
                    return Err(unknown_word("name in braces", name, known.iter().copied()));
                }
            }
        }
        let damaged = self.damage.values().flat_map(|damage| &damage.after);
        let made = self.make.iter().map(|make| &make.command);
        for command in made.chain(&self.master).chain(damaged) {
            let words = shell_words::split(command).map_err(|_| {
                format!("{command:?} cannot be split into words: a quote has no end")
            })?;
            let program = words.first().map_or("", String::as_str);
            if !self.tools.contains_key(program) {
                return Err(format!(
                    "tools does not name {program:?}, which a command runs"
                ));
            }
        }
        for (name, machine) in &self.machine {
            let known = machine.microsoft.as_deref().map(MicrosoftKeys::named);
            if known == Some(None) || machine.microsoft.is_some() != machine.shim.is_some() {
                return Err(format!(
                    "machine {name}: microsoft is 2011, 2023 or both, and shim the file with these signatures"
                ));
            }
        }
        let inside = |path: &str| {
            let path = Path::new(path);
            path.components()
                .all(|part| matches!(part, std::path::Component::Normal(_)))
        };
        let written = self
            .copy
            .keys()
            .chain(self.text.keys())
            .chain(self.make.iter().map(|make| &make.file))
            .chain(self.fat.iter().map(|fat| &fat.file))
            .chain(self.damage.values().flat_map(|damage| {
                let renamed = damage.rename.iter().flat_map(|(from, to)| [from, to]);
                damage
                    .remove
                    .iter()
                    .chain(damage.text.keys())
                    .chain(damage.instead.keys())
                    .chain(renamed)
            }));
        match written.into_iter().find(|path| !inside(path)) {
            Some(path) => Err(format!(
                "{path:?} must be a path below the folder that the disc is made in"
            )),
            None => Ok(()),
        }
    }
}

/// The names that stand in braces in a text.
fn placeholders(text: &str) -> impl Iterator<Item = &str> {
    text.split('{')
        .skip(1)
        .filter_map(|rest| rest.split_once('}').map(|(name, _)| name))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOUND: &str = r#"
        summary = "a test"
        kernel = "linux-image-amd64"
        packages = ["isolinux"]
        label = "TEST"
        tools = { xorriso = "xorriso" }
        master = ["xorriso -as mkisofs -o disc.iso tree"]
        [copy]
        "tree/isolinux.bin" = "{isolinux}/usr/lib/ISOLINUX/isolinux.bin"
        "tree/linux" = "{payload}/vmlinuz"
        [damage.cut]
        summary = "cut"
        edit = [{ cut-percent = 95 }, "boot-info-checksum"]
    "#;

    fn error(replace: &str, by: &str) -> String {
        assert!(SOUND.contains(replace), "{replace}");
        let text = SOUND.replace(replace, by);
        Layout::parse(Path::new("x.toml"), &text)
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn a_layout_is_read_and_names_its_packages() {
        let layout = Layout::parse(Path::new("live/x.toml"), SOUND).unwrap();
        let packages: Vec<&str> = layout.all_packages().collect();
        assert_eq!(
            packages,
            ["isolinux", "linux-image-amd64", "busybox-static"]
        );
        assert_eq!(layout.here, Path::new("live"));
        let edits = [Edit::CutPercent(95), Edit::BootInfoChecksum];
        assert_eq!(layout.damage["cut"].edit, edits);
    }

    #[test]
    fn what_means_nothing_is_refused_with_what_would() {
        let unknown = error("{isolinux}", "{isolinx}");
        assert!(
            unknown.contains("isolinx") && unknown.contains("isolinux"),
            "{unknown}"
        );
        let tool = error("xorriso -as", "genisoimage -as");
        assert!(
            tool.contains("tools does not name \"genisoimage\""),
            "{tool}"
        );
        let outside = error("tree/linux", "../linux");
        assert!(outside.contains("must be a path below"), "{outside}");
        assert!(error("label", "lable").contains("x.toml:"));
    }
}
