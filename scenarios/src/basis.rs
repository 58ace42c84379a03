//! What the results of a run follow from. Runs of the same basis may be told as one: a run that stopped and went on, the slices of a
//! whole.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Debug,
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
};

use harness::firmware;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{
    accepted,
    baseline::Baseline,
    cell::{Cell, DiscSource},
    disc::tool_names,
    exchange,
    id::ABSENT,
    master::{MasterSource, Masters},
    terms::{Accepted, Starts},
    toolbox::Toolbox,
};

/// Of a disc that exists so many bytes are looked at, and its length: its descriptors stand there, with the time of its making.
const HEAD: u64 = 1 << 20;

/// What the results of a run follow from, by digests (SHA-256, in hexadecimal). No path of a host is part of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Basis {
    /// How many cells were chosen, all slices together.
    pub cells: usize,
    /// The digest of their ids, one a line, in their order.
    pub cells_sha256: String,
    /// The digest of what is declared about them, of the discs among them that exist, and of what they are compared with.
    pub declared_sha256: String,
    /// The digest of the descriptions of mastering tools.
    pub masters_sha256: String,
    /// By name: the program, the emulator, firmware and mastering tools, as far as cells of the run need them; and from where machines start.
    pub tools: BTreeMap<String, String>,
}

/// What a basis is taken from.
#[derive(Debug)]
pub struct Sources<'a> {
    /// The cells that were chosen, all slices together.
    pub whole: &'a [Cell],
    /// Those of them that are run here.
    pub cells: &'a [Cell],
    /// Where mastering tools are described.
    pub described: &'a [MasterSource],
    /// Who they are.
    pub masters: &'a Masters,
    /// What the cells are booted with.
    pub toolbox: &'a Toolbox,
    /// What they are compared with.
    pub accepted: &'a Accepted,
    /// Whether that changes by the run itself.
    pub accept: bool,
    /// From where the machines start.
    pub starts: Starts,
    /// What this program is made of.
    pub program: &'a str,
}

/// In what a basis may be another than the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// In nothing.
    Nothing,
    /// Other cells are chosen, and so it cannot be seen whether something else is declared.
    Cells,
    /// Something else is declared, or accepted, or on the discs.
    Declared,
    /// A tool is another, or its description.
    Tools,
}

impl Basis {
    /// The basis of a run. Where a snapshot, a disc or a description cannot be read, that is part of it.
    #[must_use]
    pub fn of(sources: &Sources<'_>) -> Self {
        Self {
            cells: sources.whole.len(),
            cells_sha256: ids_sha256(sources.whole.iter().map(|cell| cell.id.as_str())),
            declared_sha256: declared(sources),
            masters_sha256: described(sources.described),
            tools: tools(sources),
        }
    }

    /// The most of what this basis is another in than `was`. Tools that only one of them needs are no difference.
    #[must_use]
    pub fn change(&self, was: &Self) -> Change {
        let other =
            |(name, is): (&String, &String)| was.tools.get(name).is_some_and(|was| was != is);
        if self.masters_sha256 != was.masters_sha256 || self.tools.iter().any(other) {
            Change::Tools
        } else if self.cells_sha256 != was.cells_sha256 {
            Change::Cells
        } else if self.declared_sha256 != was.declared_sha256 {
            Change::Declared
        } else {
            Change::Nothing
        }
    }

    /// In what this basis is another than `was`, a sentence each. Tools that only one of them needs are no difference.
    #[must_use]
    pub fn differences(&self, was: &Self) -> Vec<String> {
        let mut sentences = Vec::new();
        if self.cells_sha256 != was.cells_sha256 {
            let sentence = if self.cells == was.cells {
                format!("{} cells, and not the same ones", self.cells)
            } else {
                format!("{} cells, and not {}", self.cells, was.cells)
            };
            sentences.push(sentence);
        } else if self.declared_sha256 != was.declared_sha256 {
            // Of other cells something else is declared anyhow.
            sentences.push(
                "the scenarios, their discs or what was accepted for these cells has changed"
                    .to_owned(),
            );
        }
        if self.masters_sha256 != was.masters_sha256 {
            sentences.push("the descriptions of mastering tools have changed".to_owned());
        }
        for (name, is) in &self.tools {
            if let Some(was) = was.tools.get(name).filter(|was| *was != is) {
                sentences.push(format!("{name}: {is}, was {was}"));
            }
        }
        sentences
    }
}

/// The digest of a list of ids, one a line.
pub fn ids_sha256<'a>(ids: impl IntoIterator<Item = &'a str>) -> String {
    let mut digest = Sha256::new();
    for id in ids {
        digest.update(id);
        digest.update("\n");
    }
    hexadecimal(digest)
}

fn hexadecimal(digest: Sha256) -> String {
    let bytes = digest.finalize();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Parts, each with its length before it, so that none can be taken for part of another.
#[derive(Default)]
struct Parts(Sha256);

impl Parts {
    fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.0.update((bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
    }

    fn shown(&mut self, value: &impl Debug) {
        self.text(&format!("{value:?}"));
    }

    /// The content of a small file, or why there is none.
    fn file(&mut self, path: &Path) {
        match fs::read(path) {
            Ok(content) => self.bytes(&content),
            Err(error) => self.shown(&error.kind()),
        }
    }

    /// The length and the first blocks of a disc, or why there is none.
    fn disc(&mut self, path: &Path) {
        let head = || -> io::Result<(u64, Vec<u8>)> {
            let file = fs::File::open(path)?;
            let length = file.metadata()?.len();
            let mut head = Vec::new();
            file.take(HEAD).read_to_end(&mut head)?;
            Ok((length, head))
        };
        match head() {
            Ok((length, head)) => {
                self.shown(&length);
                self.bytes(&head);
            }
            Err(error) => self.shown(&error.kind()),
        }
    }
}

/// What is declared about the cells, and what they are compared with.
fn declared(sources: &Sources<'_>) -> String {
    let mut parts = Parts::default();
    // The cells of a disc stand together mostly.
    let mut last_disc = None;
    for cell in sources.whole {
        parts.shown(&(&cell.set, &cell.text, &cell.dialogue, &cell.cold));
        parts.shown(&(&cell.memory_mib, &cell.deadline));
        for rule in &cell.rules {
            parts.shown(&(&rule.since, &rule.expectation));
        }
        let disc = existing(cell, sources.masters);
        if disc != last_disc {
            if let Some(disc) = &disc {
                parts.disc(disc);
            }
            last_disc = disc;
        }
        // What the run itself changes says nothing of it.
        match sources.accepted {
            _ if sources.accept => {}
            Accepted::Snapshots => parts.file(&cell.snapshot),
            Accepted::Baseline(folder) => {
                parts.file(&accepted::file(folder, cell.id.disc().scenario()));
                parts.file(&Baseline::old_file(folder, &cell.id));
            }
            Accepted::Nothing => {}
        }
    }
    hexadecimal(parts.0)
}

/// The disc of a cell, where it is not mastered here.
fn existing(cell: &Cell, masters: &Masters) -> Option<PathBuf> {
    match cell.disc.before() {
        DiscSource::Iso { path, .. } => Some(path.clone()),
        // What it is made of follows from its layout.
        DiscSource::Live(live) => Some(live.file.clone()),
        DiscSource::Mastered(recipe) => masters
            .exchange(recipe.master.as_str())
            .map(|folder| exchange::iso(folder, &recipe.id)),
        // It is made of one of those.
        DiscSource::Edited { .. } => None,
    }
}

fn described(sources: &[MasterSource]) -> String {
    let mut parts = Parts::default();
    for source in sources {
        match source {
            MasterSource::File(path)
            | MasterSource::Named(path)
            | MasterSource::Editor(path)
            | MasterSource::NamedEditor(path) => {
                parts.shown(&path.file_name());
                parts.file(path);
            }
            MasterSource::Command { name, command } => parts.shown(&(name, command)),
            MasterSource::Exchange { name, .. } => parts.text(name),
        }
    }
    hexadecimal(parts.0)
}

fn tools(sources: &Sources<'_>) -> BTreeMap<String, String> {
    let toolbox = sources.toolbox;
    let qemu = &toolbox.qemu;
    let starts = match sources.starts {
        Starts::Warm => "from checkpoints",
        Starts::Cold => "from power-on",
        Starts::Both => "both ways",
    };
    let compared = match sources.accepted {
        Accepted::Snapshots => "the snapshots",
        Accepted::Baseline(_) => "a baseline",
        Accepted::Nothing => "nothing",
    };
    let mut tools = BTreeMap::from([
        ("boot-matrix".to_owned(), sources.program.to_owned()),
        (
            "QEMU".to_owned(),
            format!(
                "{} (sha256 {}, ROMs {})",
                qemu.version,
                short(&qemu.sha256),
                short(&qemu.roms_sha256)
            ),
        ),
        ("machines start".to_owned(), starts.to_owned()),
        ("compared with".to_owned(), compared.to_owned()),
    ]);
    for (architecture, qemu) in &toolbox.others {
        let what = format!("{} (sha256 {})", qemu.version, short(&qemu.sha256));
        tools.insert(format!("QEMU for {architecture}"), what);
    }
    let used: BTreeSet<_> = sources.cells.iter().map(Cell::firmware_name).collect();
    for name in used {
        let found = match firmware::select(&toolbox.firmware, name.clone()) {
            Ok(found) => format!("{} (sha256 {})", found.version, short(&found.sha256)),
            Err(_) => "not there".to_owned(),
        };
        tools.insert(format!("firmware {name}"), found);
    }
    let masters: BTreeSet<String> = sources
        .cells
        .iter()
        .flat_map(|cell| tool_names(cell.id.disc().master()))
        .filter(|name| name != ABSENT)
        .collect();
    for name in masters {
        // What is part of the program is no tool of the host.
        if let Some(found) = toolbox.masters.get(&name) {
            let found = match found {
                Ok(tool) => tool.version.clone().unwrap_or("of no version".to_owned()),
                Err(_) => "not there".to_owned(),
            };
            tools.insert(format!("master {name}"), found);
        }
    }
    tools
}

/// So much of a digest as a person compares.
fn short(sha256: &str) -> &str {
    sha256.get(..12).unwrap_or(sha256)
}
