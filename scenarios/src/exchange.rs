//! The exchange folder: the input for a tool on another machine to master the discs of the matrix, and the place for its discs.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use harness::hash::sha256_of;
use images::{
    boot::{Boot, Emulation},
    reference::{
        BOOT_FILE, Contents, EFI_FILE, InTree, NotMastered, SYSTEM_AREA_FILE, TREE, VOLUME_ID,
    },
};
use serde::{Deserialize, Serialize};

use crate::{
    cell::{Cell, DiscSource, Recipe},
    files::{self, FileError},
    id::{CellId, DiscId},
};

/// The name and version of the plan.
pub const SCHEMA: &str = "exchange/1";
/// The plan's file.
const PLAN: &str = "plan.json";
/// The folder with the sources of the discs.
const SOURCES: &str = "sources";
/// The folder for the finished discs.
const DISCS: &str = "discs";

/// The discs to master elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// [`SCHEMA`].
    pub schema: String,
    /// The name in ids of the tool that masters them.
    pub master: String,
    /// The discs.
    pub discs: Vec<PlannedDisc>,
}

/// One disc to be mastered, and the cells that boot it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedDisc {
    /// Its id.
    pub id: DiscId,
    /// The path for the finished disc, relative to the plan. A text with the same name and `.txt` explains why there is none.
    pub iso: PathBuf,
    /// The folder with its files, relative to the plan.
    pub tree: PathBuf,
    /// The volume's name.
    pub volume_id: String,
    /// The medium's capacity, in blocks of 2048 bytes; nothing without a medium.
    pub capacity_blocks: Option<u64>,
    /// The boot entries, in order: the first is the initial entry.
    pub entries: Vec<PlannedEntry>,
    /// The content of the disc's first 32 KiB, if it must also boot as a disk, and its partition table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hybrid: Option<PlannedHybrid>,
    /// The cells that boot it.
    pub cells: Vec<CellId>,
}

/// One boot entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedEntry {
    /// `x86` or `efi`.
    pub platform: String,
    /// `none`, `floppy-1440k`, `hard-disk`.
    pub emulation: String,
    /// The boot image, relative to the plan.
    pub image: PathBuf,
    /// Its length in bytes.
    pub bytes: u64,
    /// Its SHA-256.
    pub sha256: String,
    /// The sector count in virtual sectors of 512 bytes; nothing if the tool chooses.
    pub load_sectors: Option<u16>,
    /// The load segment; 0 for the ordinary one.
    pub load_segment: u16,
    /// Whether the tool must write a boot-info table into the image.
    pub boot_info_table: bool,
}

/// What makes a disc also a disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedHybrid {
    /// `mbr` or `gpt`.
    pub table: String,
    /// The boot code, relative to the plan; nothing for a disc without a BIOS image.
    pub system_area: Option<PathBuf>,
}

/// An exchange folder that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ExchangeError {
    /// A file of it.
    #[error(transparent)]
    File(#[from] FileError),
    /// An impossible disc.
    #[error("{id}: {refusal}")]
    Contents {
        /// The disc.
        id: DiscId,
        /// Why.
        refusal: NotMastered,
    },
    /// Another version, or another document.
    #[error("{}: its schema is {found:?} where {SCHEMA:?} is wanted", file.display())]
    Schema {
        /// The plan.
        file: PathBuf,
        /// Its content.
        found: String,
    },
}

/// The plan's file in an exchange folder.
#[must_use]
pub fn plan_file(folder: &Path) -> PathBuf {
    folder.join(PLAN)
}

/// The place for a finished disc, in an exchange folder.
#[must_use]
pub fn iso(folder: &Path, id: &DiscId) -> PathBuf {
    let mut name = folder.join(DISCS).join(id.path()).into_os_string();
    name.push(".iso");
    name.into()
}

/// The file with the message of a tool that refused a disc.
#[must_use]
pub fn refusal(iso: &Path) -> PathBuf {
    iso.with_extension("txt")
}

/// Whether a disc can be described in a plan: all but those that only the reference master can make.
#[must_use]
pub fn can(boot: &Boot) -> bool {
    boot.entries.is_none()
        && boot.slot.is_none()
        && boot.extensions.is_none()
        && boot.place.is_none()
        && boot.platform.is_none()
        && boot.defect.is_none_or(|defect| defect.is_in_image())
}

/// Writes the sources of these cells' discs, the folders for the discs, and the plan. Discs without an exchange (an existing
/// ISO) are left out.
///
/// # Errors
/// The folder cannot be written, or a disc is impossible.
pub fn export(folder: &Path, master: &str, cells: &[Cell]) -> Result<Plan, ExchangeError> {
    let mut by_disc: BTreeMap<DiscId, (&Recipe, Vec<CellId>)> = BTreeMap::new();
    for cell in cells {
        if let DiscSource::Mastered(recipe) = &cell.disc {
            let (_, cells) = by_disc
                .entry(recipe.id.clone())
                .or_insert((recipe, Vec::new()));
            cells.push(cell.id.clone());
        }
    }
    let mut discs = Vec::new();
    for (id, (recipe, cells)) in by_disc {
        discs.push(write_sources(folder, id, recipe, cells)?);
    }
    let plan = Plan {
        schema: SCHEMA.to_owned(),
        master: master.to_owned(),
        discs,
    };
    files::write_json(&plan_file(folder), &plan)?;
    Ok(plan)
}

fn write_sources(
    folder: &Path,
    id: DiscId,
    recipe: &Recipe,
    cells: Vec<CellId>,
) -> Result<PlannedDisc, ExchangeError> {
    let refused = |refusal| ExchangeError::Contents {
        id: id.clone(),
        refusal,
    };
    let boot = &recipe.boot;
    let contents = Contents::new(id.as_str(), recipe.medium, boot, recipe.size).map_err(refused)?;
    let sources = Path::new(SOURCES).join(id.path());
    let into = folder.join(&sources);
    let in_tree = InTree {
        boot: false,
        efi: false,
    };
    fs::create_dir_all(&into).map_err(FileError::new("create", &into))?;
    contents
        .write_to(&into, in_tree)
        .map_err(FileError::new("write", &into))?;
    let comes_back = iso(folder, &id);
    let above = comes_back.parent().unwrap_or(folder);
    fs::create_dir_all(above).map_err(FileError::new("create", above))?;
    let under_test = contents.load_sectors().map_err(refused)?;
    let last = contents.images().len().saturating_sub(1);
    let mut entries = Vec::new();
    for (index, image) in contents.images().iter().enumerate() {
        let efi = image.is_efi();
        let file = sources.join(if efi { EFI_FILE } else { BOOT_FILE });
        let emulation = boot.mode.bios().filter(|_| !efi).unwrap_or(Emulation::None);
        let alone_or_not_tested = index == last;
        entries.push(PlannedEntry {
            platform: if efi { "efi" } else { "x86" }.to_owned(),
            emulation: images::boot::Mode::Bios(emulation).to_string(),
            bytes: image.bytes.len(),
            sha256: sha256(&folder.join(&file))?,
            image: file,
            load_sectors: match (alone_or_not_tested, efi, emulation) {
                (true, ..) => under_test,
                // With an EFI entry, the BIOS entry is an ordinary one.
                (false, _, Emulation::None) => Some(4),
                (false, ..) => None,
            },
            load_segment: boot.segment.filter(|_| !efi).unwrap_or(0),
            boot_info_table: boot.boot_info.is_some() && !efi,
        });
    }
    Ok(PlannedDisc {
        iso: comes_back
            .strip_prefix(folder)
            .unwrap_or(&comes_back)
            .to_owned(),
        tree: sources.join(TREE),
        volume_id: VOLUME_ID.to_owned(),
        capacity_blocks: recipe.medium.map(|medium| medium.capacity().get()),
        entries,
        hybrid: boot.hybrid.map(|hybrid| PlannedHybrid {
            table: hybrid.to_string(),
            system_area: boot.mode.bios().map(|_| sources.join(SYSTEM_AREA_FILE)),
        }),
        cells,
        id,
    })
}

fn sha256(file: &Path) -> Result<String, FileError> {
    sha256_of(file).map_err(FileError::new("read", file))
}

/// Reads the plan of an exchange folder.
///
/// # Errors
/// There is none, or it has another version.
pub fn read(folder: &Path) -> Result<Plan, ExchangeError> {
    let file = plan_file(folder);
    let document: serde_json::Value = files::read_json(&file)?;
    let found = document.get("schema").and_then(|schema| schema.as_str());
    if found != Some(SCHEMA) {
        return Err(ExchangeError::Schema {
            found: found.unwrap_or_default().to_owned(),
            file,
        });
    }
    Ok(files::read_json(&file)?)
}
