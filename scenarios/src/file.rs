//! The format of a scenario file. Its meaning is in [`crate::scenario`].

use std::collections::BTreeMap;

use harness::{
    guest::{GuestStage, GuestState},
    outcome::{OutcomeKind, Stage},
    verdict::ExpectedDamage,
};
use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

use crate::words::{
    AttachmentName, Boot, Fact, Firmware, FirmwareName, Master, Medium, Name, OrAbsent, Set, Size,
    Word,
};

/// Scenarios: families of discs, and the expected result on each firmware.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScenarioFile {
    /// The scenarios.
    #[schemars(with = "Vec<ScenarioDecl>")]
    pub scenario: Vec<Spanned<ScenarioDecl>>,
}

/// A family of cases: the product of its axes, without excluded cells.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ScenarioDecl {
    /// The first part of its cells' ids.
    pub name: Word<Name>,
    /// When it is run. Absent: `default`.
    #[serde(default)]
    pub set: Option<Word<Set>>,
    /// Its subject, in a sentence.
    pub summary: String,
    /// The media that the discs are made for; `-` for none. Absent: none.
    #[serde(default)]
    #[schemars(with = "Option<Vec<OrAbsent<Medium>>>")]
    pub media: Option<Vec<Spanned<OrAbsent<Medium>>>>,
    /// The boot modes, each with its deviations.
    #[serde(default)]
    #[schemars(with = "Option<Vec<Word<Boot>>>")]
    pub boot: Option<Vec<Spanned<Word<Boot>>>>,
    /// The boot images' sizes; `-` for the mode's own. Absent: the mode's own.
    #[serde(default)]
    #[schemars(with = "Option<Vec<OrAbsent<Size>>>")]
    pub size: Option<Vec<Spanned<OrAbsent<Size>>>>,
    /// The mastering tools. Absent: `reference`; in the set `masters` all; in the set `editors` `reference`, `xorriso`, and your own.
    #[serde(default)]
    #[schemars(with = "Option<Vec<Word<Master>>>")]
    pub master: Option<Vec<Spanned<Word<Master>>>>,
    /// The editors that the discs go through, each by itself; `-` for none. Absent: none; in the set `editors`: none, and every known one. Your own editors (`--editor FILE.toml`) are added to those named here.
    #[serde(default)]
    #[schemars(with = "Option<Vec<OrAbsent<Name>>>")]
    pub edit: Option<Vec<Spanned<OrAbsent<Name>>>>,
    /// The firmware that the discs are booted on.
    #[schemars(with = "Vec<Word<FirmwareName>>")]
    pub firmware: Vec<Spanned<Word<FirmwareName>>>,
    /// How the discs are attached; after a `+` a medium profile, as `usb-cd+slow=50`, `ahci+bad-block=catalog`, `ahci+late=3`, `scsi+ejected`.
    #[schemars(with = "Vec<Word<AttachmentName>>")]
    pub attach: Vec<Spanned<Word<AttachmentName>>>,
    /// An existing ISO, instead of mastered ones.
    #[serde(default)]
    pub iso: Option<IsoDecl>,
    /// Live discs, instead of mastered ones: names of layouts, and of damage to the disc, as `lorax,damage=no-grub-cfg`.
    /// A layout is a file in a folder `live`, next to the scenario file or to its folder.
    #[serde(default)]
    #[schemars(with = "Option<Vec<String>>")]
    pub live: Option<Vec<Spanned<String>>>,
    /// The machines' memory in MiB. Absent: enough for the firmware and a probe.
    #[serde(default)]
    pub memory: Option<u32>,
    /// How long a machine is watched if nothing decides, in seconds of its own time. Absent: many times the duration of a probe.
    #[serde(default)]
    pub deadline: Option<u16>,
    /// By firmware: a regular expression that the text must match before the disc counts as booted.
    /// Needed with `iso` and `live`, whose discs have no probe, unless there is a `dialog`, or the rules that expect `handed-over` give
    /// the state of the `guest`.
    #[serde(default)]
    #[schemars(with = "BTreeMap<Word<Firmware>, String>")]
    pub expect_text: BTreeMap<Spanned<Word<Firmware>>, Spanned<String>>,
    /// A file with a dialogue with the booted program: relative to the scenario file, and in its own folder, because every
    /// `*.toml` next to the scenario file is read as scenarios. Only with `iso` and `live`. The disc has booted when every step
    /// is done, so `expect-text` may be left out; an expected text must also come.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub dialog: Option<Spanned<String>>,
    /// Cells that are left out.
    #[serde(default)]
    #[schemars(with = "Vec<ExcludeDecl>")]
    pub exclude: Vec<Spanned<ExcludeDecl>>,
    /// Cells whose machines always start from power-on, because they behave differently from a checkpoint.
    #[serde(default)]
    #[schemars(with = "Vec<ColdDecl>")]
    pub cold: Vec<Spanned<ColdDecl>>,
    /// Whether nothing is declared: the result is only observed, and compared with a baseline if there is one. Then
    /// there is no `expect`, and `expect-text` may be left out. Absent: false.
    #[serde(default)]
    pub observe: bool,
    /// The expected results, in order: the last rule that matches a cell applies.
    #[serde(default)]
    #[schemars(with = "Vec<ExpectDecl>")]
    pub expect: Vec<Spanned<ExpectDecl>>,
}

/// An existing ISO.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IsoDecl {
    /// Where it is; relative to the scenario file. A distilled disc (`*.disc`, see `cargo xtask repro --distil`) is rebuilt from its text.
    pub path: String,
    /// The distribution's package that contains it, if any.
    #[serde(default)]
    pub package: Option<String>,
}

/// The cells that a rule applies to. Each key is a word or a list of words, with `*` and `?` for any characters; an absent key matches every cell.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Selector {
    /// The medium.
    #[serde(default)]
    #[schemars(with = "Option<Patterns>")]
    pub medium: Option<Spanned<Patterns>>,
    /// The boot mode with its deviations.
    #[serde(default)]
    #[schemars(with = "Option<Patterns>")]
    pub boot: Option<Spanned<Patterns>>,
    /// The size.
    #[serde(default)]
    #[schemars(with = "Option<Patterns>")]
    pub size: Option<Spanned<Patterns>>,
    /// The mastering tool; of an edited disc with the editor, as `xorriso+replay` or `*+replay`.
    #[serde(default)]
    #[schemars(with = "Option<Patterns>")]
    pub master: Option<Spanned<Patterns>>,
    /// The firmware.
    #[serde(default)]
    #[schemars(with = "Option<Patterns>")]
    pub firmware: Option<Spanned<Patterns>>,
    /// The attachment.
    #[serde(default)]
    #[schemars(with = "Option<Patterns>")]
    pub attach: Option<Spanned<Patterns>>,
}

/// A word or a list of words, with `*` and `?` for any characters.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "expected a word or a list of words")]
pub enum Patterns {
    /// One.
    One(String),
    /// Any of several.
    Any(Vec<String>),
}

impl Patterns {
    /// The patterns.
    #[must_use]
    pub fn as_slice(&self) -> &[String] {
        match self {
            Self::One(pattern) => std::slice::from_ref(pattern),
            Self::Any(patterns) => patterns,
        }
    }
}

/// Cells that are left out.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExcludeDecl {
    /// Which.
    pub when: Selector,
    /// Why.
    #[serde(default)]
    pub because: Option<String>,
}

/// Cells whose machines always start from power-on.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ColdDecl {
    /// Which.
    pub when: Selector,
    /// The difference from a checkpoint, and its reason.
    #[schemars(with = "String")]
    pub because: Spanned<String>,
}

/// The expected result of some cells. Absent keys may have any value.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ExpectDecl {
    /// Which cells. Absent: all of the scenario.
    #[serde(default)]
    pub when: Selector,
    /// Only from this version of the firmware on. A cell must have another rule for earlier versions.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub since: Option<Spanned<String>>,
    /// The expected outcome.
    pub outcome: Word<OutcomeKind>,
    /// Another possible outcome, if it depends on timing. Other observations are then not in the snapshot.
    #[serde(default)]
    pub or: Option<Word<OutcomeKind>>,
    /// The firmware's code (`0009`) or status (`Not Found`).
    #[serde(default)]
    pub code: Option<String>,
    /// How far it must come.
    #[serde(default)]
    pub stage: Option<Word<Stage>>,
    /// The state that the disc's program must reach, if it is not our probe.
    #[serde(default)]
    pub guest: Option<Word<GuestState>>,
    /// How far that program must come.
    #[serde(default, rename = "guest-stage")]
    pub guest_stage: Option<Word<GuestStage>>,
    /// The 0-based catalog slot of the entry that must run.
    #[serde(default)]
    pub slot: Option<u16>,
    /// Whether the probe must find its image damaged: `some`, or `none`. Absent: `none`.
    #[serde(default)]
    pub damage: Option<Word<ExpectedDamage>>,
    /// The values that the firmware must report to the probe, as `drive = "80"`.
    #[serde(default)]
    pub facts: BTreeMap<Word<Fact>, String>,
    /// A regular expression that a message must match: the firmware's, or a refusing master's.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub words: Option<Spanned<String>>,
    /// Why: a section of the specification, a file of the firmware, or what would disprove it. An
    /// expectation copied from what was observed tests nothing.
    #[schemars(with = "String")]
    pub because: Spanned<String>,
}

/// The JSON Schema of scenario files, as in the repository.
#[must_use]
pub fn json_schema() -> String {
    let schema = schemars::schema_for!(ScenarioFile);
    // A schema is plain JSON: it has no map with keys that are not strings.
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}
