//! A family of cases: a checked [`ScenarioDecl`].

mod check;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use harness::{
    dialogue::{Dialogue, DialogueError},
    toml_file::Location,
};
use toml::Spanned;

use crate::{
    cell::{Cell, DiscSource, Recipe, Rule},
    discs::{Axes, Declared, Discs, or_absent, read_iso, read_live},
    file::ScenarioDecl,
    files,
    id::{ABSENT, CellId, DiscId},
    live::Live,
    master::Masters,
    read_error::ScenarioError,
    reading::{Reader, Source},
    rule::{When, read_cold, read_exclude, read_expect},
    words::{AttachmentName, Boot, Firmware, FirmwareName, Master, Medium, Name, Set, Size, Word},
};

/// Why a cell with its own set of keys starts from power-on.
const OWN_KEYS: &str = "the program that makes checkpoints is signed with none of the keys";

/// A family of cases.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// The first part of its cells' ids.
    pub name: String,
    /// When it is run.
    pub set: Set,
    /// Its subject, in a sentence.
    pub summary: String,
    /// Where it is declared.
    pub declared: Location,
    discs: Discs,
    /// The discs' editors; nothing: the discs do not change.
    edit: Vec<Option<Name>>,
    /// With a set of keys, if one is named.
    firmware: Vec<FirmwareName>,
    attach: Vec<AttachmentName>,
    memory_mib: Option<u32>,
    deadline: Option<Duration>,
    texts: Vec<(Firmware, String)>,
    dialogue: Option<Dialogue>,
    excludes: Vec<When>,
    colds: Vec<(When, String)>,
    expects: Vec<(When, Rule)>,
    observe: bool,
    /// The folder with its snapshots.
    pub(crate) snapshots: PathBuf,
    masters: Arc<Masters>,
}

impl Scenario {
    /// Reads a declaration, without its cells.
    pub(crate) fn new(
        decl: Spanned<ScenarioDecl>,
        source: &Source<'_>,
    ) -> Result<Self, ScenarioError> {
        let declared = source.at(&decl);
        let decl = decl.into_inner();
        let reader = Reader {
            source,
            scenario: decl.name.0.0.clone(),
        };
        let wrong = |what: String| reader.wrong(declared.clone(), what);
        let expects: Vec<_> = decl
            .expect
            .into_iter()
            .map(|rule| read_expect(rule, &reader))
            .collect::<Result<_, _>>()?;
        let excludes = decl
            .exclude
            .into_iter()
            .map(|rule| read_exclude(rule, &reader))
            .collect();
        let colds = decl
            .cold
            .into_iter()
            .map(|rule| read_cold(rule, &reader))
            .collect::<Result<_, _>>()?;
        let axes = Declared {
            reader: &reader,
            at: &declared,
        };
        let set = decl.set.map_or(Set::Default, |set| set.0);
        let has_axes = decl.media.is_some()
            || decl.boot.is_some()
            || decl.size.is_some()
            || decl.master.is_some();
        let edit = match decl.edit {
            Some(edit) => {
                for word in &edit {
                    if let Some(name) = &word.get_ref().0 {
                        let known = source.masters.check_editor(&name.0);
                        known.map_err(|what| reader.wrong(reader.at(word), what))?;
                    }
                }
                let mut edit = axes.optional("edit", Some(edit))?;
                // Those that the user names are used wherever others are.
                if edit.iter().any(Option::is_some) {
                    for name in source.masters.own_editors() {
                        let name = Some(Name(name.to_owned()));
                        if !edit.contains(&name) {
                            edit.push(name);
                        }
                    }
                }
                edit
            }
            None if set == Set::Editors => {
                let all = source.masters.editors();
                let all = all.map(|name| Some(Name(name.to_owned())));
                std::iter::once(None).chain(all).collect()
            }
            None => vec![None],
        };
        let discs = match (decl.iso, decl.live) {
            (Some(_), _) if has_axes => {
                return Err(wrong(
                    "an iso exists already: media, boot, size and master do not go with it".into(),
                ));
            }
            (_, Some(_)) if has_axes => {
                return Err(wrong(
                    "a live disc has its own layout: media, boot, size and master do not go with it"
                        .into(),
                ));
            }
            (Some(_), Some(_)) => {
                return Err(wrong("iso and live do not go together: name one".into()));
            }
            (Some(iso), None) => read_iso(iso, source).map_err(&wrong)?,
            (None, Some(live)) => Discs::Live(read_live(&live, source, &axes)?),
            (None, None) => Discs::Mastered(Axes {
                media: axes.optional("media", decl.media)?,
                boot: axes.required("boot", decl.boot.unwrap_or_default())?,
                size: axes.optional("size", decl.size)?,
                master: match decl.master {
                    Some(master) => {
                        for word in &master {
                            let known = source.masters.check(word.get_ref().0.as_str());
                            known.map_err(|what| reader.wrong(reader.at(word), what))?;
                        }
                        axes.required("master", master)?
                    }
                    None => masters_of(set, source.masters),
                },
            }),
        };
        let firmware = axes.required("firmware", decl.firmware)?;
        check_keys(&firmware, &discs).map_err(&wrong)?;
        if decl.observe && !expects.is_empty() {
            return Err(wrong(
                "what is only observed has no [[scenario.expect]]: remove observe, or the rules"
                    .into(),
            ));
        }
        if decl.dialog.is_some() && matches!(discs, Discs::Mastered(_)) {
            return Err(wrong(
                "dialog works only with iso and live: all other discs boot a probe, which answers nothing"
                    .into(),
            ));
        }
        let dialogue = decl
            .dialog
            .map(|file| read_dialogue(&file, source, &reader));
        let scenario = Self {
            set,
            summary: decl.summary,
            discs,
            edit,
            attach: axes.required("attach", decl.attach)?,
            memory_mib: decl.memory,
            deadline: decl
                .deadline
                .map(|seconds| Duration::from_secs(seconds.into())),
            texts: read_texts(decl.expect_text, &firmware, &reader)?,
            dialogue: dialogue.transpose()?,
            firmware,
            excludes,
            colds,
            expects,
            observe: decl.observe,
            snapshots: source.snapshots.to_owned(),
            masters: Arc::clone(source.masters),
            name: decl.name.0.0,
            declared: declared.clone(),
        };
        scenario.check_texts().map_err(&wrong)?;
        Ok(scenario)
    }

    /// A disc without a probe must show the declared result in another way.
    fn check_texts(&self) -> Result<(), String> {
        let missing =
            |firmware: &&FirmwareName| !self.texts.iter().any(|(named, _)| *named == firmware.id);
        match (&self.discs, self.firmware.iter().find(missing)) {
            (Discs::Mastered(_), _) | (_, None) => Ok(()),
            // A distilled disc that does not boot shows nothing that could be declared.
            (Discs::Iso { path, .. }, _) if files::is_distilled(path) => Ok(()),
            (discs, Some(_)) if !self.observe && self.dialogue.is_none() => {
                let what = match discs {
                    Discs::Live(_) => "a live disc",
                    _ => "an iso",
                };
                let unseen = |cell: &Cell| cell.text.is_none() && cell.says_nothing_to_see();
                match self.cells().find(unseen) {
                    None => Ok(()),
                    Some(cell) => Err(format!(
                        "{what} carries no probe: expect-text must say what is seen on {} when it has booted, \
                         dialog what it answers, or the rule for {} what its guest comes to",
                        cell.firmware, cell.id
                    )),
                }
            }
            _ => Ok(()),
        }
    }

    /// The cells, in the order of the axes as written; the attachment changes fastest.
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
        let is = |word: &str| self.firmware.iter().find(|it| it.to_string() == word);
        let firmware = is(id.firmware()).or_else(|| is(id.firmware_family()))?;
        let attachment = self
            .attach
            .iter()
            .copied()
            .find(|name| name.to_string() == id.attachment())?;
        let disc = self.disc(&id.disc())?;
        let mut cell = self.cell_of(&disc, firmware, attachment)?;
        cell.id = id.clone();
        Some(cell)
    }

    fn cell_of(
        &self,
        (disc, source): &(DiscId, DiscSource),
        firmware: &FirmwareName,
        attachment: AttachmentName,
    ) -> Option<Cell> {
        // The parts are words that were checked when they were read.
        let id = CellId::new(disc, &firmware.to_string(), &attachment.to_string()).ok()?;
        if self.excludes.iter().any(|when| when.matches(&id)) {
            return None;
        }
        let cold = self.colds.iter().find(|(when, _)| when.matches(&id));
        let matching = self.expects.iter().filter(|(when, _)| when.matches(&id));
        Some(Cell {
            set: self.set,
            disc: source.clone(),
            firmware: firmware.id,
            attachment: attachment.attachment,
            medium_profile: attachment.medium_profile,
            memory_mib: self.memory_mib,
            deadline: self.deadline,
            text: self
                .texts
                .iter()
                .find(|(named, _)| *named == firmware.id)
                .map(|(_, text)| text.clone()),
            dialogue: self.dialogue.clone(),
            snapshot: self.snapshots.join(id.snapshot_path()),
            cold: cold
                .map(|(_, because)| because.clone())
                .or_else(|| id.keys().map(|_| OWN_KEYS.to_owned())),
            // A tool's limits apply in every scenario.
            rules: matching
                .map(|(_, rule)| rule)
                .chain(self.masters.limits(disc))
                .cloned()
                .collect(),
            id,
        })
    }

    /// Every disc of the scenario.
    fn discs(&self) -> Vec<(DiscId, DiscSource)> {
        match &self.discs {
            Discs::Iso { .. } => self.with_edits(self.iso()).collect(),
            Discs::Live(discs) => {
                let discs = discs
                    .iter()
                    .filter_map(|(word, live)| self.live(word, live));
                self.with_edits(discs).collect()
            }
            Discs::Mastered(axes) => {
                let mut discs = Vec::new();
                for medium in &axes.media {
                    for boot in &axes.boot {
                        for size in &axes.size {
                            discs.extend(self.masters_of(axes).filter_map(|master| {
                                self.mastered(medium.as_ref(), boot, size.as_ref(), &master)
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
            Discs::Iso { .. } => self.with_edits(self.iso()).find(|(own, _)| own == id),
            Discs::Live(discs) => {
                let (word, live) = discs.iter().find(|(word, _)| word == id.boot())?;
                let disc = self.live(word, live);
                self.with_edits(disc).find(|(own, _)| own == id)
            }
            Discs::Mastered(axes) => {
                let medium = axes
                    .media
                    .iter()
                    .find(|medium| or_absent(medium.as_ref()) == id.medium())?;
                let boot = axes
                    .boot
                    .iter()
                    .find(|boot| boot.to_string() == id.boot())?;
                let size = axes
                    .size
                    .iter()
                    .find(|size| or_absent(size.as_ref()) == id.size())?;
                let master = self
                    .masters_of(axes)
                    .find(|master| master.as_str() == id.master())?;
                self.mastered(medium.as_ref(), boot, size.as_ref(), &master)
            }
        }
    }

    /// The masters, each with every editor of its discs.
    fn masters_of(&self, axes: &Axes) -> impl Iterator<Item = Master> {
        axes.master.iter().flat_map(|master| {
            self.edit.iter().map(|edit| match edit {
                None => master.clone(),
                Some(edit) => master.edited_by(&edit.0),
            })
        })
    }

    /// Discs that are not mastered here, each with every editor.
    fn with_edits(
        &self,
        discs: impl IntoIterator<Item = (DiscId, DiscSource)>,
    ) -> impl Iterator<Item = (DiscId, DiscSource)> {
        discs.into_iter().flat_map(|(id, disc)| {
            self.edit.iter().filter_map(move |edit| match edit {
                None => Some((id.clone(), disc.clone())),
                Some(editor) => Some((
                    id.edited_by(&editor.0).ok()?,
                    DiscSource::Edited {
                        before: Box::new(disc.clone()),
                        editor: editor.0.clone(),
                    },
                )),
            })
        })
    }

    fn mastered(
        &self,
        medium: Option<&Medium>,
        boot: &Boot,
        size: Option<&Size>,
        master: &Master,
    ) -> Option<(DiscId, DiscSource)> {
        if !self.masters.can(master, boot) {
            return None;
        }
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

    fn live(&self, word: &str, live: &Live) -> Option<(DiscId, DiscSource)> {
        let id = DiscId::new([&self.name, ABSENT, word, ABSENT, ABSENT]).ok()?;
        Some((id, DiscSource::Live(live.clone())))
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

/// The masters of a scenario that does not name any.
fn masters_of(set: Set, masters: &Masters) -> Vec<Master> {
    let all = |wanted: &dyn Fn(&&str) -> bool| {
        let names = masters.names().filter(wanted);
        names.map(Master::new).collect()
    };
    match set {
        // A scenario that compares tools compares all of them.
        Set::Masters => all(&|name| Master::compares(name)),
        // An editor is tried with discs of two masters, and those of a tool that the user names.
        Set::Editors => {
            all(&|&name| ["reference", "xorriso"].contains(&name) || !masters.has_snapshots(name))
        }
        _ => vec![Master::default()],
    }
}

fn read_texts(
    texts: BTreeMap<Spanned<Word<Firmware>>, Spanned<String>>,
    booted: &[FirmwareName],
    reader: &Reader<'_>,
) -> Result<Vec<(Firmware, String)>, ScenarioError> {
    let read = |(firmware, text): (Spanned<Word<Firmware>>, Spanned<String>)| {
        let at = reader.at(&firmware);
        let firmware = firmware.into_inner().0;
        if !booted.iter().any(|name| name.id == firmware) {
            let what = format!("expect-text names {firmware}, which is not in firmware");
            return Err(reader.wrong(at, what));
        }
        if let Err(error) = regex::bytes::Regex::new(text.get_ref()) {
            // The lines before the last draw the pattern.
            let error = error.to_string();
            let why = error.lines().last().unwrap_or_default();
            let what = format!(
                "expect-text of {firmware} is not a valid regular expression: {}",
                why.trim_start_matches("error: ")
            );
            return Err(reader.wrong(reader.at(&text), what));
        }
        Ok((firmware, text.into_inner()))
    };
    texts.into_iter().map(read).collect()
}

fn read_dialogue(
    file: &Spanned<String>,
    source: &Source<'_>,
    reader: &Reader<'_>,
) -> Result<Dialogue, ScenarioError> {
    let folder = source.path.parent().unwrap_or(Path::new(""));
    Dialogue::read(&folder.join(file.get_ref())).map_err(|error| match error {
        DialogueError::Syntax(error) => reader.wrong(error.at, error.message),
        DialogueError::Io { .. } => reader.wrong(reader.at(file), error),
    })
}

/// The part after an @ must be a set of keys that every disc is made for: a scenario cannot choose a build of a firmware.
fn check_keys(firmware: &[FirmwareName], discs: &Discs) -> Result<(), String> {
    for name in firmware {
        let Some(keys) = &name.build else { continue };
        let known = match discs {
            Discs::Live(discs) => discs
                .iter()
                .all(|(_, live)| live.layout.machine.contains_key(keys)),
            _ => false,
        };
        if name.id != Firmware::OvmfSecureBoot || keys.contains('.') || !known {
            return Err(format!(
                "{name}: behind the @ stands a set of keys, a [machine] of each layout, and only ovmf-secure-boot has keys"
            ));
        }
    }
    Ok(())
}
