//! One disc on one firmware with one attachment, and the expected result.

use std::{borrow::Cow, path::PathBuf, time::Duration};

use harness::{
    attachment::Attachment, dialogue::Dialogue, medium_profile::MediumProfile,
    outcome::OutcomeKind, toml_file::Location,
};

use crate::{
    id::{ABSENT, CellId, DiscId},
    live::Live,
    version::Version,
    words::{self, Boot, Firmware, FirmwareName, Master, Medium, Set, Size},
};

pub use harness::verdict::Expectation;

/// One disc on one firmware with one attachment, and the expected result.
#[derive(Clone, Debug)]
pub struct Cell {
    /// Its name.
    pub id: CellId,
    /// The set that its scenario belongs to.
    pub set: Set,
    /// Where the disc comes from.
    pub disc: DiscSource,
    /// The firmware.
    pub firmware: Firmware,
    /// How the disc is attached to the machine.
    pub attachment: Attachment,
    /// The medium profile: a fault of the medium itself.
    pub medium_profile: Option<MediumProfile>,
    /// The machine's memory in MiB; if absent, enough for the firmware and a probe.
    pub memory_mib: Option<u32>,
    /// How long the machine is watched if nothing decides; if absent, many times the duration of a probe.
    pub deadline: Option<Duration>,
    /// The sign that the disc has booted; if absent, its own probe's report.
    pub text: Option<String>,
    /// The input for the booted program, and the answers that it must give.
    pub dialogue: Option<Dialogue>,
    /// The snapshot's file.
    pub snapshot: PathBuf,
    /// Why its machine always starts from power-on; nothing if it need not.
    pub cold: Option<String>,
    /// The rules that match, in the order of the file; at least one has no `since`.
    pub(crate) rules: Vec<Rule>,
}

/// Where a disc comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum DiscSource {
    /// It is mastered from these words.
    Mastered(Recipe),
    /// It exists.
    Iso {
        /// Where.
        path: PathBuf,
        /// The package of the distribution that brings it.
        package: Option<String>,
    },
    /// It is built from packages.
    Live(Live),
    /// An editor makes it from one that is not mastered here.
    Edited {
        /// The disc before the edit.
        before: Box<Self>,
        /// The editor.
        editor: String,
    },
}

impl DiscSource {
    /// The disc before an edit; itself if it is not edited, or is mastered here.
    #[must_use]
    pub fn before(&self) -> &Self {
        match self {
            Self::Edited { before, .. } => before.before(),
            _ => self,
        }
    }
}

/// Everything that a disc is mastered from.
#[derive(Clone, Debug, PartialEq)]
pub struct Recipe {
    /// The disc's name.
    pub id: DiscId,
    /// The medium it must fit.
    pub medium: Option<Medium>,
    /// The boot mode with its deviations.
    pub boot: Boot,
    /// The boot image's size; if absent, the mode's own.
    pub size: Option<Size>,
    /// The mastering tool.
    pub master: Master,
}

/// The expected result, perhaps only from some version of the firmware on.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    pub(crate) at: Location,
    pub(crate) since: Option<Version>,
    pub(crate) expectation: Expectation,
}

impl Recipe {
    /// The recipe in a disc's name, whether or not a scenario has it.
    ///
    /// # Errors
    /// A part of the name is unknown: with the nearest known words.
    pub fn read(id: &DiscId) -> Result<Self, String> {
        let optional = |part: &str| (part != ABSENT).then(|| part.to_owned());
        Ok(Self {
            medium: optional(id.medium())
                .map(|word| words::read(&word))
                .transpose()?,
            boot: words::read(id.boot())?,
            size: optional(id.size())
                .map(|word| words::read(&word))
                .transpose()?,
            master: words::read(id.master())?,
            id: id.clone(),
        })
    }
}

impl Cell {
    /// The expected result on this version of the firmware: the last of the rules that apply to it. Without a version, the
    /// rule without `since`; if a firmware's version is unknown, [`Self::judged_by`] decides.
    ///
    /// `None` for a cell of a scenario that only observes.
    #[must_use]
    pub fn expectation(&self, firmware_version: Option<&str>) -> Option<&Expectation> {
        self.rule(firmware_version).map(|rule| &rule.expectation)
    }

    /// The place of the rule for this version of the firmware.
    #[must_use]
    pub fn declared(&self, firmware_version: Option<&str>) -> Option<&Location> {
        self.rule(firmware_version).map(|rule| &rule.at)
    }

    /// The rule that judges a cell on this version of the firmware. An unknown version may be any: the newest rule that `fits` the
    /// observation is used, and says that others were tried; if none fits, the newest of all.
    ///
    /// `None` for a cell of a scenario that only observes.
    pub fn judged_by(
        &self,
        firmware_version: Option<&str>,
        fits: impl Fn(&Expectation) -> bool,
    ) -> Option<Judge<'_>> {
        let is_unknown = firmware_version.is_some_and(|text| Version::find(text).is_none());
        let any = if is_unknown {
            self.rules_of_any_version()
        } else {
            Vec::new()
        };
        let [newest, _, ..] = any[..] else {
            return self.rule(firmware_version).map(Judge::of);
        };
        let fitting = any.iter().find(|rule| fits(&rule.expectation));
        let mut judge = Judge::of(fitting.unwrap_or(&newest));
        let (number, which) = (
            any.len(),
            match fitting {
                Some(_) => "this is the newest that fits",
                None => "none fits, and this is the newest",
            },
        );
        judge.expectation.to_mut().because.push_str(&format!(
            " (the firmware's version is unknown, so {number} rules were tried: {which})"
        ));
        Some(judge)
    }

    /// The firmware, with the build that was chosen, or its keys.
    #[must_use]
    pub fn firmware_name(&self) -> FirmwareName {
        let build = self.id.firmware_build().or_else(|| self.id.keys());
        FirmwareName {
            id: self.firmware,
            build: build.map(ToOwned::to_owned),
        }
    }

    /// The set of keys for its disc, as its scenario declares.
    #[must_use]
    pub fn keys(&self) -> Option<&str> {
        let DiscSource::Live(live) = &self.disc else {
            return None;
        };
        let name = self.id.keys()?;
        live.layout.machine.contains_key(name).then_some(name)
    }

    /// Whether a rule declares a start but not what shows it.
    pub(crate) fn says_nothing_to_see(&self) -> bool {
        let starts = [OutcomeKind::Booted, OutcomeKind::HandedOver];
        self.rules.iter().any(|rule| {
            let expected = &rule.expectation;
            // A guest is followed only if no text or dialogue shows that the disc has booted.
            let by_guest = expected.outcome == OutcomeKind::HandedOver && expected.guest.is_some();
            let outcomes = [Some(expected.outcome), expected.or];
            !by_guest
                && outcomes
                    .into_iter()
                    .flatten()
                    .any(|kind| starts.contains(&kind))
        })
    }

    fn rule(&self, firmware_version: Option<&str>) -> Option<&Rule> {
        self.rule_of(firmware_version.and_then(Version::find).as_ref())
    }

    fn rule_of(&self, version: Option<&Version>) -> Option<&Rule> {
        let holds = |rule: &&Rule| match (&rule.since, version) {
            (None, _) => true,
            (Some(since), Some(version)) => version >= since,
            (Some(_), None) => false,
        };
        self.rules.iter().rfind(holds)
    }

    /// The rules that decide for some version, the newest first.
    fn rules_of_any_version(&self) -> Vec<&Rule> {
        let mut versions: Vec<Option<&Version>> =
            self.rules.iter().map(|rule| rule.since.as_ref()).collect();
        versions.sort_unstable();
        versions.dedup();
        let mut rules: Vec<&Rule> = Vec::new();
        for rule in versions
            .into_iter()
            .rev()
            .filter_map(|version| self.rule_of(version))
        {
            if !rules.iter().any(|known| std::ptr::eq(*known, rule)) {
                rules.push(rule);
            }
        }
        rules
    }
}

/// What judges a cell.
#[derive(Clone, Debug)]
pub struct Judge<'a> {
    /// What must happen.
    pub expectation: Cow<'a, Expectation>,
    /// Its place.
    pub at: &'a Location,
    /// Whether it applies only since some version of the firmware. There is one snapshot for all versions, from an earlier one.
    pub since: bool,
}

impl<'a> Judge<'a> {
    fn of(rule: &'a Rule) -> Self {
        Self {
            expectation: Cow::Borrowed(&rule.expectation),
            at: &rule.at,
            since: rule.since.is_some(),
        }
    }
}
