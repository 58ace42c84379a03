//! Everything that determines the results of a run. Runs with the same basis can be reported as one: a run that stopped and continued, or the
//! slices of a whole.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Debug,
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
};

use harness::firmware;
use images::bytes::hex;
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

/// The bytes of an existing disc that are read, with its length: they have its descriptors, with its creation time.
const HEAD: u64 = 1 << 20;

/// Everything that determines the results of a run, as digests (SHA-256, in hexadecimal). It contains no path of a host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Basis {
    /// How many cells were chosen, all slices together.
    pub cells: usize,
    /// The digest of their ids, one a line, in their order.
    pub cells_sha256: String,
    /// The digest of their declarations, of the existing discs among them, and of what they are compared with.
    pub declared_sha256: String,
    /// The digest of the descriptions of mastering tools.
    pub masters_sha256: String,
    /// By name: the program, and the emulator, firmware and mastering tools that cells of the run need; and where machines start from.
    pub tools: BTreeMap<String, String>,
}

/// The data for a basis.
#[derive(Debug)]
pub struct Sources<'a> {
    /// The cells that were chosen, all slices together.
    pub whole: &'a [Cell],
    /// Those of them that run here.
    pub cells: &'a [Cell],
    /// The descriptions of mastering tools.
    pub described: &'a [MasterSource],
    /// The mastering tools.
    pub masters: &'a Masters,
    /// What the cells are booted with.
    pub toolbox: &'a Toolbox,
    /// What they are compared with.
    pub accepted: &'a Accepted,
    /// Whether the run itself changes that.
    pub accept: bool,
    /// Where the machines start from.
    pub starts: Starts,
    /// The sources of this program.
    pub program: &'a str,
}

/// How a basis may differ from the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Not at all.
    Nothing,
    /// Other cells are chosen, so it is not known whether the declarations differ.
    Cells,
    /// The declarations, the accepted results or the discs differ.
    Declared,
    /// A tool or its description differs.
    Tools,
}

impl Basis {
    /// The basis of a run. If a snapshot, a disc or a description cannot be read, that is part of it.
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

    /// The largest difference of this basis from `was`. Tools that only one of them needs are not a difference.
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

    /// The differences of this basis from `was`, a sentence each. Tools that only one of them needs are not a difference.
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
            // Other cells always have other declarations.
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
    hex(digest.finalize())
}

/// Parts, each after its length, so that none can be mistaken for part of another.
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

    /// The content of a small file, or the reason why there is none.
    fn file(&mut self, path: &Path) {
        match fs::read(path) {
            Ok(content) => self.bytes(&content),
            Err(error) => self.shown(&error.kind()),
        }
    }

    /// The length and the first blocks of a disc, or the reason why there is none.
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

/// The cells' declarations, and what they are compared with.
fn declared(sources: &Sources<'_>) -> String {
    let mut parts = Parts::default();
    // The cells of a disc are mostly next to each other.
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
        // Files that the run itself changes are not part of it.
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
    hex(parts.0.finalize())
}

/// The disc of a cell, if it is not mastered here.
fn existing(cell: &Cell, masters: &Masters) -> Option<PathBuf> {
    match cell.disc.before() {
        DiscSource::Iso { path, .. } => Some(path.clone()),
        // Its layout determines its content.
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
    hex(parts.0.finalize())
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
        // A built-in master is not a tool of the host.
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

/// The part of a digest that a person compares.
fn short(sha256: &str) -> &str {
    sha256.get(..12).unwrap_or(sha256)
}
