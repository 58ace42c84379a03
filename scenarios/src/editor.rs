//! Editors: tools that change a disc, as a file describes them.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use harness::{
    master::{DEADLINE, Editor, ModeCommand, Placeholder, Tool},
    toml_file::{self, Location},
};
use images::boot::{Boot, Mode};
use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

use crate::{
    file::Patterns,
    id::EDITED,
    master::file::{Hybrid, Limit, LimitDecl, Reader, VersionDecl},
    read_error::ReadError,
    words::{Name, Word},
};

/// An editor's file.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct EditorFile {
    /// Its name in ids, after the name of the disc's master: `xorriso+replay`.
    #[schemars(with = "Word<Name>")]
    name: Spanned<Word<Name>>,
    /// What it does, in a sentence.
    summary: String,
    /// The package that contains it, by Debian's name.
    #[serde(default)]
    package: Option<String>,
    /// Programs that may replace the command's first word: the first one that is installed. Absent: the first word itself.
    #[serde(default)]
    programs: Vec<String>,
    /// How it prints its version.
    #[serde(default)]
    #[schemars(with = "Option<VersionDecl>")]
    version: Option<Spanned<VersionDecl>>,
    /// A regular expression for the lines of its output that explain a refusal. Absent: the last lines.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    words: Option<Spanned<String>>,
    /// How long it may take, in seconds. Absent: 120.
    #[serde(default)]
    deadline: Option<u32>,
    /// The command, split into words as a shell does: `{in}` is the disc, which it must not change, `{out}` the edited disc, `{here}`
    /// the folder of this file. No shell runs it.
    #[schemars(with = "String")]
    command: Spanned<String>,
    /// Whether it edits a disc in place: then `{out}` is a copy of the disc before it runs, and `{in}` may be left out.
    #[serde(default)]
    in_place: bool,
    /// The modes of the discs that it edits, with `*` and `?` for any characters. Absent: all.
    #[serde(default)]
    #[schemars(with = "Option<Patterns>")]
    modes: Option<Spanned<Patterns>>,
    /// The value of `hybrid=` that those discs must have. Absent: any or none.
    #[serde(default)]
    hybrid: Option<Hybrid>,
    /// Its known limits.
    #[serde(default)]
    #[schemars(with = "Vec<LimitDecl>")]
    limit: Vec<Spanned<LimitDecl>>,
}

/// An editor that was read.
#[derive(Clone, Debug)]
pub(crate) struct Edit {
    pub(crate) at: Location,
    pub(crate) editor: Editor,
    pub(crate) limits: Vec<Limit>,
    /// Whether it belongs to the scenarios, so that their snapshots include its discs.
    pub(crate) has_snapshots: bool,
    hybrid: Option<&'static str>,
}

/// The JSON Schema of editors' files, as in the repository.
#[must_use]
pub fn json_schema() -> String {
    let schema = schemars::schema_for!(EditorFile);
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}

impl Edit {
    pub(crate) fn name(&self) -> &str {
        &self.editor.tool.name
    }

    /// Whether it can edit such a disc.
    pub(crate) fn can(&self, boot: &Boot) -> bool {
        let mode = boot.mode.to_string();
        let hybrid = boot.hybrid.map(|hybrid| hybrid.to_string());
        let commands = &self.editor.tool.commands;
        commands.iter().any(|command| command.modes.contains(&mode))
            && self
                .hybrid
                .is_none_or(|wanted| hybrid.as_deref() == Some(wanted))
    }

    pub(crate) fn read_file(path: &Path, has_snapshots: bool) -> Result<Self, ReadError> {
        let text = fs::read_to_string(path).map_err(|cause| ReadError::Master {
            path: path.to_owned(),
            cause,
        })?;
        Self::read_text(path, &text, has_snapshots)
    }

    pub(crate) fn read_text(
        path: &Path,
        text: &str,
        has_snapshots: bool,
    ) -> Result<Self, ReadError> {
        let file: EditorFile = toml_file::read(path, text)?;
        let reader = Reader { path, text };
        let name = file.name.get_ref().0.0.clone();
        if name.contains(EDITED) {
            let what = format!(
                "{name:?} cannot be an editor's name: {EDITED} joins a master and an editor"
            );
            return Err(reader.wrong(&file.name, what));
        }
        let command = reader.template(&file.command)?;
        let here = reader.here();
        let wrong = |what: String| Err(reader.wrong(&file.command, what));
        if command.program(&here, Path::new("")).is_empty() {
            return wrong(
                "a command begins with a program: a name, a path, or {here}/ and a name".to_owned(),
            );
        }
        if let Some(other) = command.other_than(&Editor::PLACEHOLDERS) {
            return wrong(format!(
                "{{{}}} is for a master's file; an editor has {{in}}, {{out}} and {{here}}",
                other.name()
            ));
        }
        if !command.has(Placeholder::Out) {
            return wrong("the command does not contain {out}, the edited disc".to_owned());
        }
        if !file.in_place && !command.has(Placeholder::In) {
            return wrong(
                "the command does not contain {in}, the disc to edit; with in-place = true, {out} is a copy of it"
                    .to_owned(),
            );
        }
        let modes = match &file.modes {
            Some(modes) => reader.modes(modes)?,
            None => Mode::names().map(ToOwned::to_owned).collect(),
        };
        Ok(Self {
            at: reader.at(&file.name),
            limits: file
                .limit
                .into_iter()
                .map(|limit| reader.limit(limit))
                .collect::<Result<_, _>>()?,
            has_snapshots,
            hybrid: file.hybrid.map(Hybrid::as_str),
            editor: Editor {
                tool: Tool {
                    name,
                    summary: file.summary,
                    package: file.package,
                    install: None,
                    installed: PathBuf::new(),
                    programs: file.programs,
                    version: file
                        .version
                        .map(|version| reader.version(version))
                        .transpose()?,
                    commands: vec![ModeCommand {
                        modes,
                        hybrid: None,
                        command,
                    }],
                    deviations: BTreeMap::new(),
                    words: file.words.map(|words| reader.pattern(&words)).transpose()?,
                    deadline: file
                        .deadline
                        .map_or(DEADLINE, |seconds| Duration::from_secs(seconds.into())),
                    here,
                },
                in_place: file.in_place,
            },
        })
    }
}
