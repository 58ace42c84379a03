//! A family of cases: what a [`ScenarioDecl`] means.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use harness::attachment::Attachment;
use toml::Spanned;

use crate::{
    cell::{Cell, DiscSource, Expectation, Recipe, Rule},
    file::{ExcludeDecl, ExpectDecl, IsoDecl, Patterns, ScenarioDecl, Selector},
    filter::glob,
    id::{ABSENT, CellId, DiscId, check_part},
    location::Location,
    version::Version,
    words::{Boot, Firmware, Master, Medium, OrAbsent, Set, Size, Word, unknown_word},
};

/// A family of cases.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// The first part of its cells' ids.
    pub name: String,
    /// When it is run.
    pub set: Set,
    /// What it shows, in a sentence.
    pub summary: String,
    /// Where it is declared.
    pub declared: Location,
    discs: Discs,
    firmware: Vec<Firmware>,
    attach: Vec<Attachment>,
    texts: Vec<(Firmware, String)>,
    excludes: Vec<(Location, Selector)>,
    expects: Vec<(Location, Selector, Rule)>,
    /// The folder under which its snapshots lie.
    pub(crate) snapshots: PathBuf,
}

#[derive(Clone, Debug)]
enum Discs {
    Mastered {
        media: Vec<Option<Medium>>,
        boot: Vec<Boot>,
        size: Vec<Option<Size>>,
        master: Vec<Master>,
    },
    Iso {
        path: PathBuf,
        package: Option<String>,
        name: String,
    },
}

/// A scenario that has no meaning.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{at}: {message}")]
pub struct ScenarioError {
    /// Where.
    pub at: Location,
    /// What is wrong, and the remedy.
    pub message: String,
}

/// The file that a scenario stands in.
pub(crate) struct Source<'a> {
    pub(crate) path: &'a Path,
    pub(crate) text: &'a str,
    pub(crate) snapshots: &'a Path,
}

impl Source<'_> {
    fn at<T>(&self, place: &Spanned<T>) -> Location {
        Location::of(self.path, self.text, Some(place.span()))
    }
}

impl Scenario {
    /// What a declaration means, without looking at its cells.
    pub(crate) fn new(
        decl: Spanned<ScenarioDecl>,
        source: &Source<'_>,
    ) -> Result<Self, ScenarioError> {
        let declared = source.at(&decl);
        let wrong = |message: String| ScenarioError {
            at: declared.clone(),
            message,
        };
        let decl = decl.into_inner();
        let expects = decl
            .expect
            .into_iter()
            .map(|rule| read_expect(rule, source))
            .collect::<Result<_, _>>()?;
        let excludes = decl
            .exclude
            .into_iter()
            .map(|rule| read_exclude(rule, source))
            .collect();
        let discs = match decl.iso {
            Some(iso) => {
                if decl.media.is_some()
                    || decl.boot.is_some()
                    || decl.size.is_some()
                    || decl.master.is_some()
                {
                    return Err(wrong(
                        "an iso exists already: media, boot, size and master do not go with it"
                            .into(),
                    ));
                }
                read_iso(iso, source).map_err(&wrong)?
            }
            None => Discs::Mastered {
                media: optional_axis("media", decl.media).map_err(&wrong)?,
                boot: axis("boot", decl.boot.unwrap_or_default()).map_err(&wrong)?,
                size: optional_axis("size", decl.size).map_err(&wrong)?,
                master: axis(
                    "master",
                    decl.master.unwrap_or_else(|| vec![Word(Master::default())]),
                )
                .map_err(&wrong)?,
            },
        };
        let scenario = Self {
            name: decl.name.0.0,
            set: decl.set.map_or(Set::Default, |set| set.0),
            summary: decl.summary,
            discs,
            firmware: axis("firmware", decl.firmware).map_err(&wrong)?,
            attach: axis("attach", decl.attach).map_err(&wrong)?,
            texts: decl
                .expect_text
                .into_iter()
                .map(|(firmware, text)| (firmware.0, text))
                .collect(),
            excludes,
            expects,
            snapshots: source.snapshots.to_owned(),
            declared: declared.clone(),
        };
        scenario.check_texts().map_err(&wrong)?;
        Ok(scenario)
    }

    fn check_texts(&self) -> Result<(), String> {
        for (firmware, text) in &self.texts {
            if !self.firmware.contains(firmware) {
                return Err(format!(
                    "expect-text names {firmware}, which is not in firmware"
                ));
            }
            regex::Regex::new(text)
                .map_err(|error| format!("expect-text of {firmware}: {error}"))?;
        }
        let missing =
            |firmware: &&Firmware| !self.texts.iter().any(|(named, _)| named == *firmware);
        match (&self.discs, self.firmware.iter().find(missing)) {
            (Discs::Iso { .. }, Some(firmware)) => Err(format!(
                "an iso carries no probe: expect-text must say what is seen on {firmware} when it has booted"
            )),
            _ => Ok(()),
        }
    }

    /// The cells, in the order of the axes as written, the attachment changing fastest.
    pub fn cells(&self) -> impl Iterator<Item = Cell> {
        self.discs().into_iter().flat_map(move |disc| {
            self.firmware.iter().flat_map(move |firmware| {
                let disc = disc.clone();
                self.attach
                    .iter()
                    .filter_map(move |&attachment| self.cell_of(&disc, firmware, attachment))
            })
        })
    }

    /// The cell with this id, if the scenario has it. Does not expand the others.
    #[must_use]
    pub fn cell(&self, id: &CellId) -> Option<Cell> {
        if id.scenario() != self.name {
            return None;
        }
        let family = id.firmware().split('@').next()?;
        let firmware = self
            .firmware
            .iter()
            .find(|firmware| firmware.to_string() == family)?;
        let attachment = self
            .attach
            .iter()
            .copied()
            .find(|a| a.as_str() == id.attachment())?;
        let disc = self.disc(&id.disc())?;
        let mut cell = self.cell_of(&disc, firmware, attachment)?;
        cell.id = id.clone();
        Some(cell)
    }

    /// Every cell must have an expectation, and every rule a cell.
    ///
    /// # Errors
    /// A rule that matches nothing, or a cell that no rule without `since` matches.
    pub fn check(&self) -> Result<(), ScenarioError> {
        let wrong = |message| ScenarioError {
            at: self.declared.clone(),
            message,
        };
        if self.cells().next().is_none() {
            return Err(wrong(format!(
                "{} has no cells: everything is excluded",
                self.name
            )));
        }
        let mut all = self.clone();
        all.excludes.clear();
        for (at, selector) in &self.excludes {
            all.check_selector(at, selector)?;
        }
        for (at, selector, _) in &self.expects {
            self.check_selector(at, selector)?;
        }
        match self.cells().find(|cell| cell.expectation(None).is_none()) {
            None => Ok(()),
            Some(cell) => Err(wrong(format!(
                "nothing is expected of {}: add a [[scenario.expect]] that matches it",
                cell.id
            ))),
        }
    }

    fn check_selector(&self, at: &Location, selector: &Selector) -> Result<(), ScenarioError> {
        let wrong = |message| ScenarioError {
            at: at.clone(),
            message,
        };
        for (axis, patterns) in selector.axes() {
            let known = self.axis(axis);
            for pattern in patterns.as_slice() {
                if !known.iter().any(|word| glob(pattern, word)) {
                    let words = known.iter().map(String::as_str);
                    return Err(wrong(format!(
                        "in scenario {}, {}",
                        self.name,
                        unknown_word(axis, pattern, words)
                    )));
                }
            }
        }
        if self.cells().any(|cell| selector.matches(&cell.id)) {
            Ok(())
        } else {
            Err(wrong(format!("this rule of {} matches no cell", self.name)))
        }
    }

    /// The words of an axis, as they stand in ids.
    fn axis(&self, name: &str) -> Vec<String> {
        let discs = || self.discs().into_iter().map(|(id, _)| id);
        let mut words: Vec<_> = match name {
            "medium" => discs().map(|id| id.medium().to_owned()).collect(),
            "boot" => discs().map(|id| id.boot().to_owned()).collect(),
            "size" => discs().map(|id| id.size().to_owned()).collect(),
            "master" => discs().map(|id| id.master().to_owned()).collect(),
            "firmware" => self.firmware.iter().map(ToString::to_string).collect(),
            _ => self.attach.iter().map(ToString::to_string).collect(),
        };
        words.sort();
        words.dedup();
        words
    }

    fn cell_of(
        &self,
        (disc, source): &(DiscId, DiscSource),
        firmware: &Firmware,
        attachment: Attachment,
    ) -> Option<Cell> {
        // The parts are words that were checked when they were read.
        let id = CellId::new(disc, &firmware.to_string(), attachment.as_str()).ok()?;
        if self
            .excludes
            .iter()
            .any(|(_, selector)| selector.matches(&id))
        {
            return None;
        }
        let matching = self
            .expects
            .iter()
            .filter(|(_, selector, _)| selector.matches(&id));
        Some(Cell {
            set: self.set,
            disc: source.clone(),
            firmware: *firmware,
            attachment,
            text: self
                .texts
                .iter()
                .find(|(named, _)| named == firmware)
                .map(|(_, text)| text.clone()),
            snapshot: self.snapshots.join(id.snapshot_path()),
            rules: matching.map(|(_, _, rule)| rule.clone()).collect(),
            id,
        })
    }

    /// Every disc of the scenario.
    fn discs(&self) -> Vec<(DiscId, DiscSource)> {
        match &self.discs {
            Discs::Iso { .. } => self.iso().into_iter().collect(),
            Discs::Mastered {
                media,
                boot,
                size,
                master,
            } => {
                let mut discs = Vec::new();
                for medium in media {
                    for boot in boot {
                        for size in size {
                            discs.extend(master.iter().filter_map(|master| {
                                self.mastered(medium.as_ref(), boot, size.as_ref(), master)
                            }));
                        }
                    }
                }
                discs
            }
        }
    }

    /// The disc with this id, if the scenario has it.
    fn disc(&self, id: &DiscId) -> Option<(DiscId, DiscSource)> {
        match &self.discs {
            Discs::Iso { .. } => self.iso().filter(|(own, _)| own == id),
            Discs::Mastered {
                media,
                boot,
                size,
                master,
            } => {
                let medium = media
                    .iter()
                    .find(|medium| or_absent(medium.as_ref()) == id.medium())?;
                let boot = boot.iter().find(|boot| boot.to_string() == id.boot())?;
                let size = size
                    .iter()
                    .find(|size| or_absent(size.as_ref()) == id.size())?;
                let master = master
                    .iter()
                    .find(|master| master.as_str() == id.master())?;
                self.mastered(medium.as_ref(), boot, size.as_ref(), master)
            }
        }
    }

    fn mastered(
        &self,
        medium: Option<&Medium>,
        boot: &Boot,
        size: Option<&Size>,
        master: &Master,
    ) -> Option<(DiscId, DiscSource)> {
        // The parts are words that were checked when they were read.
        let id = DiscId::new([
            &self.name,
            &or_absent(medium),
            &boot.to_string(),
            &or_absent(size),
            master.as_str(),
        ])
        .ok()?;
        let recipe = Recipe {
            id: id.clone(),
            medium: medium.cloned(),
            boot: boot.clone(),
            size: size.cloned(),
            master: master.clone(),
        };
        Some((id, DiscSource::Mastered(recipe)))
    }

    fn iso(&self) -> Option<(DiscId, DiscSource)> {
        let Discs::Iso {
            path,
            package,
            name,
        } = &self.discs
        else {
            return None;
        };
        let id = DiscId::new([&self.name, ABSENT, name, ABSENT, ABSENT]).ok()?;
        Some((
            id,
            DiscSource::Iso {
                path: path.clone(),
                package: package.clone(),
            },
        ))
    }
}

impl Selector {
    /// Whether a cell is meant.
    #[must_use]
    pub fn matches(&self, id: &CellId) -> bool {
        let disc = id.disc();
        self.axes().all(|(axis, patterns)| {
            let word = match axis {
                "medium" => disc.medium(),
                "boot" => disc.boot(),
                "size" => disc.size(),
                "master" => disc.master(),
                "firmware" => id.firmware(),
                _ => id.attachment(),
            };
            patterns
                .as_slice()
                .iter()
                .any(|pattern| glob(pattern, word))
        })
    }

    fn axes(&self) -> impl Iterator<Item = (&'static str, &Patterns)> {
        [
            ("medium", &self.medium),
            ("boot", &self.boot),
            ("size", &self.size),
            ("master", &self.master),
            ("firmware", &self.firmware),
            ("attachment", &self.attach),
        ]
        .into_iter()
        .filter_map(|(axis, patterns)| Some((axis, patterns.as_ref()?)))
    }
}

fn or_absent<T: ToString>(value: Option<&T>) -> String {
    value.map_or_else(|| ABSENT.to_owned(), ToString::to_string)
}

fn axis<T: ToString>(name: &str, words: Vec<Word<T>>) -> Result<Vec<T>, String> {
    if words.is_empty() {
        return Err(format!("{name} is missing or empty: name at least one"));
    }
    let values: Vec<T> = words.into_iter().map(|word| word.0).collect();
    check_distinct(name, values.iter().map(ToString::to_string))?;
    Ok(values)
}

fn optional_axis<T: ToString>(
    name: &str,
    words: Option<Vec<OrAbsent<T>>>,
) -> Result<Vec<Option<T>>, String> {
    let Some(words) = words else {
        return Ok(vec![None]);
    };
    if words.is_empty() {
        return Err(format!("{name} is empty: name at least one, or \"-\""));
    }
    let values: Vec<Option<T>> = words.into_iter().map(|word| word.0).collect();
    check_distinct(name, values.iter().map(|value| or_absent(value.as_ref())))?;
    Ok(values)
}

/// Two spellings of one word would make two cells with one id.
fn check_distinct(name: &str, words: impl Iterator<Item = String>) -> Result<(), String> {
    let mut seen = BTreeSet::new();
    for word in words {
        check_part(&word).map_err(|error| format!("{name}: {error}"))?;
        if let Some(twice) = seen.replace(word) {
            return Err(format!("{name} has {twice} twice"));
        }
    }
    Ok(())
}

fn read_iso(iso: IsoDecl, source: &Source<'_>) -> Result<Discs, String> {
    let path = source
        .path
        .parent()
        .unwrap_or(Path::new(""))
        .join(&iso.path);
    let stem = path
        .file_stem()
        .and_then(|stem| stem.to_str())
        .unwrap_or_default();
    check_part(stem).map_err(|error| format!("the name of the iso {}: {error}", path.display()))?;
    Ok(Discs::Iso {
        name: stem.to_owned(),
        path,
        package: iso.package,
    })
}

fn read_exclude(rule: Spanned<ExcludeDecl>, source: &Source<'_>) -> (Location, Selector) {
    (source.at(&rule), rule.into_inner().when)
}

fn read_expect(
    rule: Spanned<ExpectDecl>,
    source: &Source<'_>,
) -> Result<(Location, Selector, Rule), ScenarioError> {
    let at = source.at(&rule);
    let rule = rule.into_inner();
    check_because(&at, &rule.because)?;
    let since = match &rule.since {
        None => None,
        Some(text) => Some(Version::find(text).ok_or_else(|| ScenarioError {
            at: at.clone(),
            message: format!(
                "since = {text:?} is no version: write it with numbers, such as \"2025.02\""
            ),
        })?),
    };
    let expectation = Expectation {
        outcome: rule.outcome.0,
        or: rule.or.map(|word| word.0),
        code: rule.code,
        stage: rule.stage.map(|stage| stage.0),
        slot: rule.slot,
        damage: rule.damage,
        facts: rule.facts,
        because: rule.because,
    };
    Ok((at, rule.when, Rule { since, expectation }))
}

fn check_because(at: &Location, because: &str) -> Result<(), ScenarioError> {
    if because.trim().is_empty() {
        return Err(ScenarioError {
            at: at.clone(),
            message:
                "because is empty: say which section, which source file, or what would disprove it"
                    .into(),
        });
    }
    Ok(())
}
