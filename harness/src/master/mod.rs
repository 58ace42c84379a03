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
    /// The package that contains it, by Debian's name.
    pub package: Option<String>,
    /// The command that brings it, where no package of Debian's does.
    pub install: Option<Template>,
    /// The folder that this command fills.
    pub installed: PathBuf,
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

/// How a tool prints its version.
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
            install: None,
            installed: PathBuf::new(),
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

    /// The command that brings it into its own folder, quoted for a shell; nothing where a package does.
    #[must_use]
    pub fn install_command(&self) -> Option<String> {
        let words = self
            .install
            .as_ref()?
            .expand(&self.folders(), &|_| Vec::new());
        Some(shell_words::join(words))
    }

    fn folders(&self) -> template::Values {
        let shown = |path: &Path| path.to_string_lossy().into_owned();
        [
            (Placeholder::Here, shown(&self.here)),
            (Placeholder::Installed, shown(&self.installed)),
        ]
        .into()
    }

    /// Looks for it on this host, and asks its version.
    ///
    /// # Errors
    /// It is not there: with the package or the command that brings it.
    pub fn find(&self) -> Result<FoundTool, String> {
        let first = self.commands.first().map_or_else(String::new, |command| {
            command.command.program(&self.here, &self.installed)
        });
        let names: Vec<&str> = if self.programs.is_empty() {
            vec![&first]
        } else {
            self.programs.iter().map(String::as_str).collect()
        };
        let found = names.iter().find_map(|name| on_path(name));
        let Some(program) = found else {
            let is_there = |name: &&&str| name.contains('/') && Path::new(name).is_file();
            if let Some(name) = names.iter().find(is_there) {
                return Err(format!("{name} is not executable: chmod +x {name}"));
            }
            let source = self.source();
            return Err(format!("{} is not installed{source}", names.join(" or ")));
        };
        match &self.version {
            None => Ok(FoundTool {
                program,
                version: None,
            }),
            Some(query) => {
                let version = self.ask_version(&program, query)?;
                self.check_version(&version)?;
                Ok(FoundTool {
                    program,
                    version: Some(version),
                })
            }
        }
    }

    fn ask_version(&self, program: &Path, query: &VersionQuery) -> Result<String, String> {
        let here = self.here.to_string_lossy();
        let installed = self.installed.to_string_lossy();
        let arguments: Vec<String> = query
            .arguments
            .iter()
            .map(|argument| {
                argument
                    .replace("{here}", &here)
                    .replace("{installed}", &installed)
            })
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
            let source = self.source();
            let first = said.trim().lines().last().unwrap_or("nothing");
            format!("{} does not say its version: {first}{source}", shown())
        })
    }

    /// What is installed by a command that names one version must be of that version.
    fn check_version(&self, version: &str) -> Result<(), String> {
        match self.install_command() {
            Some(command) if !command.contains(version) => {
                let name = &self.name;
                Err(format!(
                    "{name} {version} is there; another comes with: {command}"
                ))
            }
            _ => Ok(()),
        }
    }

    /// What brings it, to be said after what is wrong.
    fn source(&self) -> String {
        match (&self.package, self.install_command()) {
            (_, Some(command)) => format!("; it comes with: {command}"),
            (Some(package), None) => format!("; it comes with the package {package}"),
            (None, None) => String::new(),
        }
    }
}

/// The folder into which a tool is installed that no package brings: below the target folder that this program lies in, as in
/// `target/debug/xtask`.
#[must_use]
pub fn installed_in(name: &str) -> PathBuf {
    let program = env::current_exe().unwrap_or_default();
    let target = program.ancestors().nth(2).unwrap_or(Path::new(""));
    target.join("masters").join(name)
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
