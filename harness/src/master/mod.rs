//! External mastering tools: described as data, found on this host, and run in a folder of their own.

mod circumstance;
mod edit;
mod finished;
mod run;
mod template;

use std::{
    collections::BTreeMap,
    env,
    path::{Path, PathBuf},
    time::Duration,
};

use images::boot::{Boot, Mode};
use regex::Regex;
use serde::{Deserialize, Serialize};

pub(crate) use self::run::run_in;
pub use self::{
    circumstance::{Changed, Circumstance, Elsewhere},
    edit::{EditJob, Editor, edit},
    finished::{dig_holes, manifest},
    run::{Job, Mastered, master},
    template::{Deviation, Placeholder, Template, TemplateError},
};
use crate::ask;

/// How long a tool may take when its description says nothing.
pub const DEADLINE: Duration = Duration::from_secs(120);
/// How long a tool may take to say its version.
const VERSION_DEADLINE: Duration = Duration::from_secs(20);

/// A mastering tool, as its file describes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tool {
    /// Its name in ids.
    pub name: String,
    /// What it is, in a sentence.
    pub summary: String,
    /// The package that brings it, by Debian's name.
    pub package: Option<String>,
    /// A program by other names than the commands' first words: the first of them that is there stands for the commands' first word.
    pub programs: Vec<String>,
    /// Arguments that make it say its version, and the pattern whose first group is it.
    pub version: Option<VersionQuery>,
    /// Which command masters which modes.
    pub commands: Vec<ModeCommand>,
    /// What a deviation adds to the command.
    pub deviations: BTreeMap<Deviation, Template>,
    /// Which lines of its output say why it refused; all, when there is no pattern.
    pub words: Option<String>,
    /// How long it may take.
    pub deadline: Duration,
    /// The folder that its file stands in.
    pub here: PathBuf,
}

/// How a tool says its version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionQuery {
    /// Its arguments.
    pub arguments: Vec<String>,
    /// A pattern whose first group is the version.
    pub pattern: String,
}

/// The command that masters some modes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModeCommand {
    /// The modes, by the words of ids.
    pub modes: Vec<String>,
    /// The value of `hybrid=` that it makes; discs that are no disks, when there is none.
    pub hybrid: Option<String>,
    /// The command.
    pub command: Template,
}

/// A tool that is on this host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundTool {
    /// Its program.
    pub program: PathBuf,
    /// Its version; nothing when it did not say.
    pub version: Option<String>,
}

impl Tool {
    /// A tool of which only a command is known. Without `{mode}` it masters discs without emulation only: what of them
    /// its placeholders name.
    #[must_use]
    pub fn of_command(name: &str, command: Template) -> Self {
        let has = |placeholder| command.has(placeholder);
        let bios = has(Placeholder::BootImage) || has(Placeholder::BootFile);
        let efi = has(Placeholder::EfiImage) || has(Placeholder::EfiFile);
        let modes: Vec<String> = match (has(Placeholder::Mode), bios, efi) {
            (true, bios, efi) => Mode::names()
                .filter(|name| {
                    name.parse::<Boot>().is_ok_and(|boot| {
                        (bios || boot.mode.bios().is_none()) && (efi || !boot.mode.efi())
                    })
                })
                .map(ToOwned::to_owned)
                .collect(),
            (false, true, true) => vec!["bios+efi".to_owned()],
            (false, true, false) => vec!["none".to_owned()],
            (false, false, true) => vec!["efi".to_owned()],
            (false, false, false) => Vec::new(),
        };
        // What the command passes on itself needs no words of its own.
        let passed_on = [
            (Placeholder::LoadSectors, Deviation::Count),
            (Placeholder::LoadSegment, Deviation::Segment),
            (Placeholder::Platform, Deviation::Platform),
        ];
        let nothing: Option<Template> = "-".parse().ok();
        let deviations = passed_on
            .into_iter()
            .filter(|&(placeholder, _)| has(placeholder))
            .filter_map(|(_, deviation)| Some((deviation, nothing.clone()?)))
            .collect();
        Self {
            name: name.to_owned(),
            summary: format!("the command {command}"),
            package: None,
            programs: Vec::new(),
            version: None,
            commands: vec![ModeCommand {
                modes,
                hybrid: None,
                command,
            }],
            deviations,
            words: None,
            deadline: DEADLINE,
            here: PathBuf::new(),
        }
    }

    /// The command for a disc.
    ///
    /// # Errors
    /// It cannot master such a disc: with what it has no words for.
    pub fn command(&self, boot: &Boot) -> Result<&Template, String> {
        let mode = boot.mode.to_string();
        let hybrid = boot.hybrid.map(|hybrid| hybrid.to_string());
        let masters =
            |command: &&ModeCommand| command.modes.contains(&mode) && command.hybrid == hybrid;
        let command = self.commands.iter().find(masters).ok_or_else(|| {
            let hybrid = hybrid.as_ref().map(|hybrid| format!(",hybrid={hybrid}"));
            let hybrid = hybrid.unwrap_or_default();
            format!("{} has no command for {mode}{hybrid}", self.name)
        })?;
        let others = [
            (boot.entries.is_some(), "entries="),
            (boot.slot.is_some(), "slot="),
            (boot.extensions.is_some(), "extensions="),
            (boot.place.is_some(), "place="),
            // What is wrong within a boot image is no business of whoever puts it on a disc.
            (
                boot.defect.is_some_and(|defect| !defect.is_in_image()),
                "defect=",
            ),
        ];
        let own = [
            (boot.count.is_some(), Deviation::Count),
            (boot.segment.is_some(), Deviation::Segment),
            (boot.platform.is_some(), Deviation::Platform),
            (boot.boot_info.is_some(), Deviation::BootInfo),
        ];
        let wordless = own
            .into_iter()
            .find(|&(asked, deviation)| asked && !self.deviations.contains_key(&deviation))
            .map(|(_, deviation)| format!("{}=", deviation.key()))
            .or_else(|| {
                let other = others.into_iter().find(|&(asked, _)| asked);
                other.map(|(_, key)| key.to_owned())
            });
        match wordless {
            None => Ok(&command.command),
            Some(key) => Err(format!("{} has no words for {key}", self.name)),
        }
    }

    /// Looks for it on this host, and asks its version.
    ///
    /// # Errors
    /// It is not there: with the package that brings it.
    pub fn find(&self) -> Result<FoundTool, String> {
        let first = self
            .commands
            .first()
            .map_or_else(String::new, |command| command.command.program(&self.here));
        let names: Vec<&str> = if self.programs.is_empty() {
            vec![&first]
        } else {
            self.programs.iter().map(String::as_str).collect()
        };
        let found = names.iter().find_map(|name| on_path(name));
        let Some(program) = found else {
            let package = self.package.as_ref().map_or_else(String::new, |package| {
                format!("; it comes with the package {package}")
            });
            return Err(format!(
                "there is no program {}{package}",
                names.join(" or ")
            ));
        };
        match &self.version {
            None => Ok(FoundTool {
                program,
                version: None,
            }),
            Some(query) => {
                let version = self.ask_version(&program, query)?;
                Ok(FoundTool {
                    program,
                    version: Some(version),
                })
            }
        }
    }

    fn ask_version(&self, program: &Path, query: &VersionQuery) -> Result<String, String> {
        let here = self.here.to_string_lossy();
        let arguments: Vec<String> = query
            .arguments
            .iter()
            .map(|argument| argument.replace("{here}", &here))
            .collect();
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let shown = || format!("{} {}", program.display(), arguments.join(" "));
        let answer = ask::ask(program, &arguments, Path::new("/"), b"", VERSION_DEADLINE)
            .map_err(|error| format!("{} {error}", shown()))?;
        let said = [answer.stdout, answer.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        let pattern = Regex::new(&query.pattern).map_err(|error| error.to_string())?;
        let version = pattern
            .captures(&said)
            .and_then(|captures| captures.get(1))
            .map(|version| version.as_str().to_owned());
        version.ok_or_else(|| {
            let package = self
                .package
                .as_ref()
                .map_or_else(String::new, |package| format!("; the package is {package}"));
            let first = said.trim().lines().last().unwrap_or("nothing");
            format!("{} does not say its version: {first}{package}", shown())
        })
    }
}

/// The program of that name or path.
pub(crate) fn on_path(name: &str) -> Option<PathBuf> {
    use std::os::unix::fs::PermissionsExt;
    let executable = |path: &Path| {
        path.metadata()
            .is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
    };
    if name.contains('/') {
        let path = std::path::absolute(name).ok()?;
        return executable(&path).then_some(path);
    }
    let folders = env::var_os("PATH")?;
    env::split_paths(&folders)
        .map(|folder| folder.join(name))
        .find(|path| !name.is_empty() && executable(path))
}
