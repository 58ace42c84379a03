//! Mastering tools: the built-in ones, and those that a file or a command describes.

pub(crate) mod file;

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use harness::{
    master::{Editor, Placeholder, Template, TemplateError, Tool},
    toml_file::{Location, SyntaxError},
};
use images::boot::Boot;
use serde::{Deserialize, Serialize};

use self::file::{Described, Maker, read_file, read_text};
pub use self::file::{MasterFile, json_schema};
use crate::{
    cell::Rule,
    editor::Edit,
    exchange,
    id::{DiscId, EDITED, base_and_edit},
    read_error::ReadError,
    words::{Master, unknown_word},
};

/// The description of a mastering tool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum MasterSource {
    /// In a file that belongs to the scenarios.
    File(PathBuf),
    /// In a file that the user named.
    Named(PathBuf),
    /// An editor, in a file that belongs to the scenarios.
    Editor(PathBuf),
    /// An editor, in a file that the user named.
    NamedEditor(PathBuf),
    /// On the command line.
    Command {
        /// Its name in ids.
        name: String,
        /// The command.
        command: String,
    },
    /// On another machine: its discs come back into an exchange folder.
    Exchange {
        /// Its name in ids.
        name: String,
        /// The exchange folder.
        folder: PathBuf,
    },
}

/// Every mastering tool that is known, and every editor of discs.
#[derive(Clone, Debug, Default)]
pub struct Masters {
    tools: Vec<Described>,
    editors: Vec<Edit>,
}

/// The tool files in a folder, by name, and the editors' files in the folder `editors` next to it; none if there is no such folder.
///
/// # Errors
/// A folder exists but cannot be read.
pub fn files(folder: &Path) -> Result<Vec<MasterSource>, ReadError> {
    let tools = toml_files(folder)?.into_iter().map(MasterSource::File);
    let editors = toml_files(&folder.with_file_name("editors"))?;
    Ok(tools
        .chain(editors.into_iter().map(MasterSource::Editor))
        .collect())
}

fn toml_files(folder: &Path) -> Result<Vec<PathBuf>, ReadError> {
    let unreadable = |cause| ReadError::Io {
        path: folder.to_owned(),
        cause,
    };
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(unreadable)?,
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(unreadable)?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "toml")
        {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

impl Masters {
    /// Reads the descriptions.
    ///
    /// # Errors
    /// With file, line and column: an entry that cannot be read, is invalid, or is there twice.
    pub fn read(sources: &[MasterSource]) -> Result<Self, ReadError> {
        let mut masters = Self::default();
        for source in sources {
            let described = match source {
                MasterSource::File(path) | MasterSource::Named(path) => read_file(path)?,
                MasterSource::Editor(path) | MasterSource::NamedEditor(path) => {
                    let shipped = matches!(source, MasterSource::Editor(_));
                    masters.add_editor(Edit::read_file(path, shipped)?)?;
                    continue;
                }
                MasterSource::Command { name, command } => {
                    let at = Location::of("--master-cmd", "", None);
                    let wrong = |message: String| SyntaxError {
                        at: at.clone(),
                        message,
                    };
                    let command = command
                        .parse()
                        .map_err(|error: TemplateError| wrong(error.to_string()))?;
                    if !Template::has(&command, Placeholder::Iso) {
                        let what = "the command does not contain {iso}, the file to write";
                        return Err(wrong(what.to_owned()).into());
                    }
                    let tool = Tool::of_command(name, command);
                    if tool.commands.iter().all(|command| command.modes.is_empty()) {
                        return Err(wrong(
                            "the command is given no boot image: it needs {boot_image} or {boot_file} for a BIOS, {efi_image} or {efi_file} for UEFI"
                                .to_owned(),
                        )
                        .into());
                    }
                    Described {
                        maker: Maker::Tool(Box::new(tool)),
                        at,
                        limits: Vec::new(),
                        has_snapshots: false,
                    }
                }
                MasterSource::Exchange { name, folder } => Described {
                    at: Location::of(exchange::plan_file(folder), "", None),
                    maker: Maker::Exchange {
                        name: name.clone(),
                        folder: folder.clone(),
                    },
                    limits: Vec::new(),
                    has_snapshots: false,
                },
            };
            let name = described.name();
            if name.contains(EDITED) {
                let at = described.at.clone();
                let message = format!(
                    "{name} cannot be a master's name: {EDITED} joins a master and an editor"
                );
                return Err(SyntaxError { at, message }.into());
            }
            let elsewhere = masters.described(name).map(|other| other.at.to_string());
            let elsewhere = elsewhere.or_else(|| {
                let built_in = Master::BUILT_IN.iter().find(|&&known| known == name);
                built_in.map(|_| "comes with boot-matrix".to_owned())
            });
            if let Some(elsewhere) = elsewhere {
                let at = described.at.clone();
                let message = format!("a master is called {name} already: {elsewhere}");
                return Err(SyntaxError { at, message }.into());
            }
            masters.tools.push(Described {
                has_snapshots: matches!(source, MasterSource::File(_)),
                ..described
            });
        }
        Ok(masters)
    }

    /// Reads the description of one tool, a file's text. The path is for messages, and for files in the same folder.
    ///
    /// # Errors
    /// With line and column: an invalid entry.
    pub fn parse(path: &Path, text: &str) -> Result<Self, ReadError> {
        let tools = vec![read_text(path, text)?];
        Ok(Self {
            tools,
            editors: Vec::new(),
        })
    }

    /// Reads the description of one editor, a file's text. The path is for messages, and for files in the same folder.
    ///
    /// # Errors
    /// With line and column: an invalid entry.
    pub fn parse_editor(path: &Path, text: &str) -> Result<Self, ReadError> {
        Ok(Self {
            tools: Vec::new(),
            editors: vec![Edit::read_text(path, text, true)?],
        })
    }

    fn add_editor(&mut self, editor: Edit) -> Result<(), ReadError> {
        if let Some(other) = self.edit(editor.name()) {
            let message = format!(
                "an editor is called {} already: {}",
                editor.name(),
                other.at
            );
            let at = editor.at;
            return Err(SyntaxError { at, message }.into());
        }
        self.editors.push(editor);
        Ok(())
    }

    /// The master of the disc with this name, before it is edited.
    fn described(&self, name: &str) -> Option<&Described> {
        let (base, _) = base_and_edit(name);
        self.tools.iter().find(|other| other.name() == base)
    }

    fn edit(&self, name: &str) -> Option<&Edit> {
        self.editors.iter().find(|editor| editor.name() == name)
    }

    /// The editor with that name.
    #[must_use]
    pub fn editor(&self, name: &str) -> Option<&Editor> {
        self.edit(name).map(|edit| &edit.editor)
    }

    /// The editor of the discs of a master, as of `xorriso+replay`.
    #[must_use]
    pub fn editor_of(&self, master: &str) -> Option<&Editor> {
        self.editor(base_and_edit(master).1?)
    }

    /// The names of the editors.
    pub fn editors(&self) -> impl Iterator<Item = &str> {
        self.editors.iter().map(Edit::name)
    }

    /// The names of those in files that the user named.
    pub fn own_editors(&self) -> impl Iterator<Item = &str> {
        let own = self.editors.iter().filter(|edit| !edit.has_snapshots);
        own.map(Edit::name)
    }

    /// The error for a name that no editor has.
    ///
    /// # Errors
    /// No editor has that name: with the nearest names.
    pub fn check_editor(&self, name: &str) -> Result<(), String> {
        if self.edit(name).is_some() {
            return Ok(());
        }
        let known: Vec<&str> = self.editors().collect();
        Err(unknown_word("editor", name, known))
    }

    /// The name of every master, built-in ones first.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let tools = self.tools.iter().map(Described::name);
        Master::BUILT_IN.iter().copied().chain(tools)
    }

    /// The names of the tools that are not built in.
    pub fn tools(&self) -> impl Iterator<Item = &str> {
        self.tools.iter().map(Described::name)
    }

    /// The tool with that name; none for a built-in master.
    #[must_use]
    pub fn tool(&self, name: &str) -> Option<&Tool> {
        match &self.described(name)?.maker {
            Maker::Tool(tool) => Some(tool),
            Maker::Exchange { .. } => None,
        }
    }

    /// The exchange folder of the master with that name; none for one whose discs are mastered here.
    #[must_use]
    pub fn exchange(&self, name: &str) -> Option<&Path> {
        match &self.described(name)?.maker {
            Maker::Exchange { folder, .. } => Some(folder),
            Maker::Tool(_) => None,
        }
    }

    /// Whether the master with that name is built in.
    #[must_use]
    pub fn has_built_in(&self, name: &str) -> bool {
        base_and_edit(name).1.is_none() && self.described(name).is_none()
    }

    /// Whether the scenarios' snapshots include a master's discs: not for a tool that was named on the command line, or whose
    /// discs come from another machine.
    #[must_use]
    pub fn has_snapshots(&self, name: &str) -> bool {
        let edit = base_and_edit(name).1.and_then(|name| self.edit(name));
        edit.is_none_or(|edit| edit.has_snapshots)
            && self
                .described(name)
                .is_none_or(|described| described.has_snapshots)
    }

    /// The error for a name that no master has.
    ///
    /// # Errors
    /// No master has that name: with the nearest names.
    pub fn check(&self, name: &str) -> Result<(), String> {
        let (name, edit) = base_and_edit(name);
        edit.map_or(Ok(()), |edit| self.check_editor(edit))?;
        if self.names().any(|known| known == name) {
            return Ok(());
        }
        let known: Vec<&str> = self.names().collect();
        Err(unknown_word("master", name, known))
    }

    /// The masters for a word on the command line: the one with that name, or all of a family, as `imapi-xp` means each of its
    /// models.
    ///
    /// # Errors
    /// None has that name: with the nearest names.
    pub fn family(&self, word: &str) -> Result<Vec<Master>, String> {
        let of_family = |name: &&str| {
            **name == *word
                || Master::BUILT_IN.contains(name)
                    && name
                        .strip_prefix(word)
                        .is_some_and(|model| ["-tail", "-spread"].contains(&model))
        };
        let found: Vec<Master> = self.names().filter(of_family).map(Master::new).collect();
        if found.is_empty() {
            self.check(word)?;
        }
        Ok(found)
    }

    /// Whether a master can make such a disc.
    #[must_use]
    pub fn can(&self, master: &Master, boot: &Boot) -> bool {
        if let Some(edit) = master.edit() {
            let edit = self.edit(edit);
            // A disc from another machine has another name.
            if self.exchange(master.as_str()).is_some() {
                return false;
            }
            return edit.is_some_and(|edit| edit.can(boot)) && self.can(&master.base(), boot);
        }
        if self.exchange(master.as_str()).is_some() {
            return exchange::can(boot);
        }
        match self.tool(master.as_str()) {
            None => match master.imapi() {
                Some(imapi) => imapi.can(boot),
                None => Master::BUILT_IN.contains(&master.as_str()),
            },
            Some(tool) => tool.command(boot).is_ok(),
        }
    }

    /// The known result for a disc, because its master has limits.
    pub(crate) fn limits(&self, disc: &DiscId) -> impl Iterator<Item = &Rule> {
        let limits = self
            .described(disc.master())
            .map_or(&[][..], |described| &described.limits);
        let edit = base_and_edit(disc.master())
            .1
            .and_then(|name| self.edit(name));
        let of_edit = edit.map_or(&[][..], |edit| &edit.limits);
        limits
            .iter()
            .chain(of_edit)
            .filter(|limit| limit.when.matches(disc))
            .map(|limit| &limit.rule)
    }
}
