//! What stands in a mastering tool's file.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use harness::{
    master::{
        DEADLINE, Deviation, ModeCommand, Placeholder, Template, TemplateError, Tool, VersionQuery,
        installed_in,
    },
    outcome::OutcomeKind,
    toml_file::{self, Location, SyntaxError},
    verdict::Expectation,
};
use images::boot::Mode;
use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

use crate::{
    cell::Rule,
    file::Patterns,
    filter::glob,
    id::DiscId,
    read_error::ReadError,
    words::{Name, Word, nearest},
};

/// A mastering tool's file.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct MasterFile {
    /// Its name in ids.
    #[schemars(with = "Word<Name>")]
    name: Spanned<Word<Name>>,
    /// What it is, in a sentence.
    summary: String,
    /// The package that contains it, by Debian's name.
    #[serde(default)]
    package: Option<String>,
    /// The command that installs it, if no Debian package contains it: with one version, and into `{installed}`, its own folder.
    /// It runs only if a disc of this tool is requested.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    install: Option<Spanned<String>>,
    /// Programs that may replace the commands' first word: the first one that is installed. Absent: the first word itself.
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
    /// The commands. A disc without a command is not a cell of this tool.
    #[schemars(with = "Vec<CommandDecl>")]
    command: Vec<Spanned<CommandDecl>>,
    /// By deviation: the options for it, which replace its placeholder in braces in the command. A disc with another
    /// deviation is not a cell of this tool, unless the deviation is inside the boot image.
    #[serde(default)]
    #[schemars(with = "BTreeMap<Deviation, String>")]
    deviations: BTreeMap<Deviation, Spanned<String>>,
    /// Its known limits.
    #[serde(default)]
    #[schemars(with = "Vec<LimitDecl>")]
    limit: Vec<Spanned<LimitDecl>>,
}

/// How a tool prints its version.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct VersionDecl {
    /// Its arguments; `{here}` is the folder of this file, `{installed}` that of the tool.
    arguments: Vec<String>,
    /// A regular expression whose first group is the version.
    pattern: String,
}

/// The command for some modes.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CommandDecl {
    /// The modes, with `*` and `?` for any characters.
    #[schemars(with = "Patterns")]
    modes: Spanned<Patterns>,
    /// The value of `hybrid=` that it makes. Absent: discs that are not disks.
    #[serde(default)]
    hybrid: Option<Hybrid>,
    /// The command, split into words as a shell does, with placeholders in braces. No shell runs it.
    #[schemars(with = "String")]
    command: Spanned<String>,
}

/// The values of `hybrid=`.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Hybrid {
    /// A master boot record.
    Mbr,
    /// A GUID partition table.
    Gpt,
}

impl Hybrid {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Mbr => "mbr",
            Self::Gpt => "gpt",
        }
    }
}

/// The discs. An absent key matches every disc.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DiscSelector {
    /// The medium.
    #[serde(default)]
    medium: Option<Patterns>,
    /// The boot mode with its deviations.
    #[serde(default)]
    boot: Option<Patterns>,
    /// The size.
    #[serde(default)]
    size: Option<Patterns>,
}

/// A known limit of a tool: such a disc must be `not-mastered`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LimitDecl {
    /// Which discs.
    when: DiscSelector,
    /// A regular expression for its message.
    #[schemars(with = "String")]
    message: Spanned<String>,
    /// Why.
    because: String,
}

/// The JSON Schema of master files, as it is kept in the repository.
#[must_use]
pub fn json_schema() -> String {
    let schema = schemars::schema_for!(MasterFile);
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}

impl DiscSelector {
    pub(super) fn matches(&self, disc: &DiscId) -> bool {
        let parts = [
            (&self.medium, disc.medium()),
            (&self.boot, disc.boot()),
            (&self.size, disc.size()),
        ];
        parts.iter().all(|(patterns, word)| {
            patterns.as_ref().is_none_or(|patterns| {
                let mut patterns = patterns.as_slice().iter();
                patterns.any(|pattern| glob(pattern, word))
            })
        })
    }
}

pub(crate) struct Reader<'a> {
    pub(crate) path: &'a Path,
    pub(crate) text: &'a str,
}

impl Reader<'_> {
    pub(crate) fn at<T>(&self, place: &Spanned<T>) -> Location {
        Location::of(self.path, self.text, Some(place.span()))
    }

    pub(crate) fn wrong<T>(&self, place: &Spanned<T>, message: impl ToString) -> ReadError {
        let (at, message) = (self.at(place), message.to_string());
        SyntaxError { at, message }.into()
    }

    /// A command line; what is wrong with it is told with the line on which it stands.
    pub(crate) fn template(&self, text: &Spanned<String>) -> Result<Template, ReadError> {
        text.get_ref().parse().map_err(|error: TemplateError| {
            let span = text.span();
            let inside = self.text.get(span.clone()).unwrap_or_default();
            let offset = match &error {
                TemplateError::Unknown { name } => inside.find(&format!("{{{name}}}")),
                _ => None,
            };
            let from = span.start + offset.unwrap_or_default();
            let at = Location::of(self.path, self.text, Some(from..span.end));
            let message = error.to_string();
            SyntaxError { at, message }.into()
        })
    }

    pub(crate) fn pattern(&self, text: &Spanned<String>) -> Result<String, ReadError> {
        match regex::Regex::new(text.get_ref()) {
            Ok(_) => Ok(text.get_ref().clone()),
            Err(error) => Err(self.wrong(text, format!("no regular expression: {error}"))),
        }
    }

    /// The folder of the file.
    pub(crate) fn here(&self) -> PathBuf {
        let path = std::path::absolute(self.path).ok();
        path.and_then(|path| path.parent().map(ToOwned::to_owned))
            .unwrap_or_default()
    }

    pub(crate) fn version(&self, version: Spanned<VersionDecl>) -> Result<VersionQuery, ReadError> {
        if let Err(error) = regex::Regex::new(&version.get_ref().pattern) {
            return Err(self.wrong(&version, format!("no regular expression: {error}")));
        }
        let version = version.into_inner();
        Ok(VersionQuery {
            arguments: version.arguments,
            pattern: version.pattern,
        })
    }

    pub(crate) fn modes(&self, patterns: &Spanned<Patterns>) -> Result<Vec<String>, ReadError> {
        let mut modes = Vec::new();
        for pattern in patterns.get_ref().as_slice() {
            let meant: Vec<&str> = Mode::names().filter(|name| glob(pattern, name)).collect();
            if meant.is_empty() {
                let near = nearest(pattern, Mode::names());
                let hint = if near.is_empty() {
                    format!("use {}", Mode::names().collect::<Vec<_>>().join(", "))
                } else {
                    format!("did you mean {}?", near.join(" or "))
                };
                return Err(self.wrong(patterns, format!("no mode is {pattern:?}; {hint}")));
            }
            modes.extend(meant.into_iter().map(ToOwned::to_owned));
        }
        Ok(modes)
    }

    pub(crate) fn limit(&self, decl: Spanned<LimitDecl>) -> Result<Limit, ReadError> {
        let at = self.at(&decl);
        let decl = decl.into_inner();
        let words = self.pattern(&decl.message)?;
        Ok(Limit {
            when: decl.when,
            rule: Rule {
                at,
                since: None,
                expectation: Expectation {
                    outcome: OutcomeKind::NotMastered,
                    or: None,
                    code: None,
                    stage: None,
                    guest: None,
                    guest_stage: None,
                    slot: None,
                    damage: Default::default(),
                    facts: BTreeMap::new(),
                    words: Some(words),
                    because: decl.because,
                },
            },
        })
    }
}

pub(super) fn read_file(path: &Path) -> Result<Described, ReadError> {
    let text = fs::read_to_string(path).map_err(|cause| ReadError::Master {
        path: path.to_owned(),
        cause,
    })?;
    read_text(path, &text)
}

pub(super) fn read_text(path: &Path, text: &str) -> Result<Described, ReadError> {
    let file: MasterFile = toml_file::read(path, text)?;
    let reader = Reader { path, text };
    let commands = file
        .command
        .iter()
        .map(|decl| {
            let decl = decl.get_ref();
            Ok(ModeCommand {
                modes: reader.modes(&decl.modes)?,
                hybrid: decl.hybrid.map(|hybrid| hybrid.as_str().to_owned()),
                command: reader.template(&decl.command)?,
            })
        })
        .collect::<Result<Vec<_>, ReadError>>()?;
    let here = reader.here();
    let first = commands.first().zip(file.command.first());
    let Some((first, decl)) = first else {
        return Err(reader.wrong(&file.name, "a master needs a [[command]]"));
    };
    let name = file.name.get_ref().0.0.clone();
    let installed = installed_in(&name);
    if first.command.program(&here, &installed).is_empty() {
        let command = &decl.get_ref().command;
        let what = "a command begins with a program: a name, a path, or {here}/ or {installed}/ and a name";
        return Err(reader.wrong(command, what));
    }
    if let Some(without) = file
        .command
        .iter()
        .zip(&commands)
        .find(|(_, command)| !command.command.has(Placeholder::Iso))
    {
        let command = &without.0.get_ref().command;
        return Err(reader.wrong(
            command,
            "the command does not contain {iso}, the file to write",
        ));
    }
    let edits = [Placeholder::In, Placeholder::Out];
    let of_editor = file
        .command
        .iter()
        .zip(&commands)
        .find_map(|(decl, command)| {
            let has = edits.into_iter().find(|&edit| command.command.has(edit))?;
            Some((&decl.get_ref().command, has.name()))
        });
    if let Some((command, name)) = of_editor {
        let what =
            format!("{{{name}}} is for an editor's file; a master writes {{iso}} from {{tree}}");
        return Err(reader.wrong(command, what));
    }
    let install = file
        .install
        .as_ref()
        .map(|command| {
            let template = reader.template(command)?;
            let folders = [Placeholder::Here, Placeholder::Installed];
            if file.package.is_some() {
                return Err(reader.wrong(command, "use either package or install, not both"));
            }
            if file.version.is_none() {
                return Err(reader.wrong(command, "a tool with install must have version"));
            }
            match template.other_than(&folders) {
                Some(other) => Err(reader.wrong(
                    command,
                    format!("{{{}}} is known only when a disc is mastered", other.name()),
                )),
                None if !template.has(Placeholder::Installed) => Err(reader.wrong(
                    command,
                    "the command does not contain {installed}, the folder to fill",
                )),
                None => Ok(template),
            }
        })
        .transpose()?;
    let deviations = file
        .deviations
        .iter()
        .map(|(&deviation, words)| Ok((deviation, reader.template(words)?)))
        .collect::<Result<_, ReadError>>()?;
    let version = file
        .version
        .map(|version| reader.version(version))
        .transpose()?;
    Ok(Described {
        at: reader.at(&file.name),
        limits: file
            .limit
            .into_iter()
            .map(|limit| reader.limit(limit))
            .collect::<Result<_, _>>()?,
        has_snapshots: true,
        maker: Maker::Tool(Box::new(Tool {
            name,
            summary: file.summary,
            package: file.package,
            install,
            installed,
            programs: file.programs,
            version,
            commands,
            deviations,
            words: file.words.map(|words| reader.pattern(&words)).transpose()?,
            deadline: file
                .deadline
                .map_or(DEADLINE, |seconds| Duration::from_secs(seconds.into())),
            here,
        })),
    })
}

#[derive(Clone, Debug)]
pub(super) struct Described {
    pub(super) at: Location,
    pub(super) maker: Maker,
    pub(super) limits: Vec<Limit>,
    /// Whether it belongs to the scenarios, so that their snapshots include its discs.
    pub(super) has_snapshots: bool,
}

/// Who masters.
#[derive(Clone, Debug)]
pub(super) enum Maker {
    Tool(Box<Tool>),
    Exchange { name: String, folder: PathBuf },
}

impl Described {
    pub(super) fn name(&self) -> &str {
        match &self.maker {
            Maker::Tool(tool) => &tool.name,
            Maker::Exchange { name, .. } => name,
        }
    }
}

/// A known limit of a tool, and its message.
#[derive(Clone, Debug)]
pub(crate) struct Limit {
    pub(super) when: DiscSelector,
    pub(super) rule: Rule,
}
