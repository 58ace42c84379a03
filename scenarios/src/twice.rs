//! Masters discs twice: a reproducible tool makes the same bytes wherever and whenever it runs.
//!
//! The second time, everything that must not affect a disc is changed ([`Circumstance`]). If the discs differ, the disc is mastered again,
//! once with nothing changed and once with each circumstance alone. That shows which of them a field depends on.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use harness::{
    copy,
    master::{Changed, Circumstance, Elsewhere, FoundTool},
};
use images::{
    field::{self, Comparison, Differing},
    inspect::{DiscFile, Options, Source, Window, inspect},
    units::ByteCount,
};
use rustix::fs::statvfs;
use serde::Serialize;

use crate::{
    cell::Recipe,
    disc::{self, Exported, Workshop},
    files::FileError,
    id::DiscId,
    master::Masters,
};

/// The room for mastering a disc, in addition to four times its length: the tree, its images, the disc, and the tool's other
/// files.
const ROOM: u64 = 64 << 20;
/// The disc, while it is mastered.
const ISO: &str = "disc.iso";
/// The disc from the first time.
const FIRST: &str = "first.iso";
/// The disc from under other circumstances.
const SECOND: &str = "second.iso";

/// The name of the format, `twice/1`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub enum Schema {
    /// The first one.
    #[default]
    #[serde(rename = "twice/1")]
    Twice1,
}

/// The results of mastering discs twice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The format.
    pub schema: Schema,
    /// The discs, in the order of their ids.
    pub discs: Vec<Disc>,
    /// The circumstances that could not be changed on this host, and why.
    pub untried: Vec<String>,
}

impl Report {
    /// Whether every disc that could be mastered is the same both times.
    #[must_use]
    pub fn is_reproducible(&self) -> bool {
        self.discs.iter().all(|disc| match disc.came_to {
            CameTo::Same { .. } | CameTo::Refused { .. } => true,
            CameTo::Differs { .. } | CameTo::RefusedOnce { .. } => false,
        })
    }
}

/// A disc that was mastered twice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Disc {
    /// Its id.
    pub id: DiscId,
    /// The result.
    #[serde(flatten)]
    pub came_to: CameTo,
}

/// The result of mastering a disc twice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "result", rename_all = "kebab-case")]
pub enum CameTo {
    /// The same bytes.
    Same {
        /// Its length.
        #[serde(rename = "size_bytes")]
        length: ByteCount,
    },
    /// The tool refused both times.
    Refused {
        /// Its message.
        words: Vec<String>,
    },
    /// The tool refused only once.
    RefusedOnce {
        /// Its message.
        words: Vec<String>,
        /// Whether that was under other circumstances.
        second: bool,
    },
    /// Other bytes.
    Differs {
        /// Their lengths.
        #[serde(rename = "sizes_bytes")]
        lengths: (ByteCount, ByteCount),
        /// Where they differ.
        fields: Vec<Changing>,
        /// Whether the list is complete.
        complete: bool,
        /// The paths of both.
        #[serde(rename = "files")]
        isos: (PathBuf, PathBuf),
    },
}

/// A field that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Changing {
    /// The field, and its values.
    #[serde(flatten)]
    pub differing: Differing,
    /// What it depends on; nothing if that is not known.
    pub follows: Option<Follows>,
}

/// What a field depends on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Follows {
    /// It differs each time, with nothing changed.
    Nothing,
    /// Each of these changes it by itself.
    Circumstances(Vec<Circumstance>),
}

/// Masters discs twice.
#[derive(Clone, Copy, Debug)]
pub struct Twice<'a> {
    /// Every master that is known.
    pub masters: &'a Masters,
    /// The tools that are on this host.
    pub found: &'a BTreeMap<String, Result<FoundTool, String>>,
    /// The circumstances that can be changed on this host.
    pub elsewhere: &'a Elsewhere,
    /// Discs that differ stay below this folder.
    pub folder: &'a Path,
}

impl Twice<'_> {
    /// Masters every disc twice, until `tell` stops it, and returns what each differing field depends on.
    ///
    /// # Errors
    /// The disk is full, or the folder cannot be written.
    pub fn master(
        &self,
        recipes: &[Recipe],
        mut tell: impl FnMut(&Recipe, &CameTo) -> ControlFlow<()>,
    ) -> Result<Report, FileError> {
        let mut discs = Vec::new();
        for recipe in recipes {
            let came_to = self.compare(recipe)?;
            let next = tell(recipe, &came_to);
            discs.push(Disc {
                id: recipe.id.clone(),
                came_to,
            });
            if next.is_break() {
                break;
            }
        }
        self.explain(recipes, &mut discs)?;
        Ok(Report {
            schema: Schema::default(),
            discs,
            untried: self.elsewhere.untried(),
        })
    }

    fn compare(&self, recipe: &Recipe) -> Result<CameTo, FileError> {
        let folder = self.folder.join(recipe.id.path());
        let first = self.alone(recipe, &[])?;
        let all: Vec<Circumstance> = Circumstance::ALL
            .into_iter()
            .filter(|&it| self.elsewhere.can_change(it))
            .collect();
        let first = match first {
            Made::Disc(iso) => rename(&iso, &folder.join(FIRST))?,
            Made::Refused(words) => {
                return Ok(match self.alone(recipe, &all)? {
                    Made::Refused(_) => {
                        remove(&folder)?;
                        CameTo::Refused { words }
                    }
                    Made::Disc(_) => CameTo::RefusedOnce {
                        words,
                        second: false,
                    },
                });
            }
        };
        let second = match self.alone(recipe, &all)? {
            Made::Disc(iso) => iso,
            Made::Refused(words) => {
                return Ok(CameTo::RefusedOnce {
                    words,
                    second: true,
                });
            }
        };
        let Comparison {
            lengths,
            fields,
            complete,
        } = compare(&first, &second)?;
        if lengths.0 == lengths.1 && fields.is_empty() {
            remove(&folder)?;
            return Ok(CameTo::Same { length: lengths.0 });
        }
        let kept = rename(&second, &folder.join(SECOND))?;
        let fields = fields.into_iter().map(|differing| Changing {
            differing,
            follows: None,
        });
        Ok(CameTo::Differs {
            lengths,
            fields: fields.collect(),
            complete,
            isos: (first, kept),
        })
    }

    /// Masters a disc, with some circumstances changed.
    fn alone(&self, recipe: &Recipe, changed: &[Circumstance]) -> Result<Made, FileError> {
        let here = self.folder.join(recipe.id.path());
        let there = self.elsewhere.folder().filter(|folder| {
            changed.contains(&Circumstance::FileOrder) && has_room(folder, &here.join(FIRST))
        });
        // A folder in another place is removed when the disc is finished.
        let passes = there.map(tempfile::tempdir_in).transpose();
        let passes = passes.map_err(FileError::new("make a folder in", there.unwrap_or(&here)))?;
        let folder = match &passes {
            Some(passes) => passes.path().to_owned(),
            None if changed.contains(&Circumstance::Place) => here.join("moved"),
            None => here.clone(),
        };
        fs::create_dir_all(&folder).map_err(FileError::new("create", &folder))?;
        let workshop = Workshop {
            masters: self.masters,
            found: self.found,
            changed: Changed::new(changed, self.elsewhere),
        };
        let iso = folder.join(ISO);
        Ok(match disc::export(recipe, &iso, workshop)? {
            Exported::Refused(words) => Made::Refused(words),
            Exported::Made { .. } if passes.is_some() => {
                let kept = here.join(ISO);
                keep(&iso, &kept).map_err(FileError::new("write", &kept))?;
                Made::Disc(kept)
            }
            Exported::Made { .. } => Made::Disc(iso),
        })
    }

    /// Finds what fields depend on: among discs with the same differing fields, it uses the shortest.
    fn explain(&self, recipes: &[Recipe], discs: &mut [Disc]) -> Result<(), FileError> {
        let mut kinds: BTreeMap<(String, BTreeSet<String>), Vec<usize>> = BTreeMap::new();
        for (index, disc) in discs.iter().enumerate() {
            if let CameTo::Differs { fields, .. } = &disc.came_to {
                let fields = fields.iter().map(|field| field.differing.field.clone());
                let kind = (disc.id.master().to_owned(), fields.collect());
                kinds.entry(kind).or_default().push(index);
            }
        }
        for indices in kinds.into_values() {
            let length = |&&index: &&usize| match &discs[index].came_to {
                CameTo::Differs { lengths, .. } => lengths.0,
                _ => ByteCount::ZERO,
            };
            let Some(&shortest) = indices.iter().min_by_key(length) else {
                continue;
            };
            let follows = match (recipes.get(shortest), &discs[shortest].came_to) {
                (Some(recipe), CameTo::Differs { isos, .. }) => self.followed(recipe, &isos.0)?,
                _ => continue,
            };
            for index in indices {
                if let CameTo::Differs { fields, .. } = &mut discs[index].came_to {
                    for field in fields {
                        field.follows = follows.get(&field.differing.field).cloned();
                    }
                }
            }
        }
        Ok(())
    }

    /// What each field of a disc depends on, if it depends on anything.
    fn followed(
        &self,
        recipe: &Recipe,
        first: &Path,
    ) -> Result<BTreeMap<String, Follows>, FileError> {
        let mut follows = BTreeMap::new();
        for field in self.changed_by(recipe, first, &[])? {
            follows.insert(field, Follows::Nothing);
        }
        let mut alone: BTreeMap<String, Vec<Circumstance>> = BTreeMap::new();
        for circumstance in Circumstance::ALL {
            if !self.elsewhere.can_change(circumstance) {
                continue;
            }
            for field in self.changed_by(recipe, first, &[circumstance])? {
                alone.entry(field).or_default().push(circumstance);
            }
        }
        for (field, mut circumstances) in alone {
            // Another file order is only possible in another place.
            if circumstances.contains(&Circumstance::Place) {
                circumstances.retain(|&it| it != Circumstance::FileOrder);
            }
            follows
                .entry(field)
                .or_insert(Follows::Circumstances(circumstances));
        }
        Ok(follows)
    }

    /// The fields that some circumstances change.
    fn changed_by(
        &self,
        recipe: &Recipe,
        first: &Path,
        changed: &[Circumstance],
    ) -> Result<BTreeSet<String>, FileError> {
        let Made::Disc(iso) = self.alone(recipe, changed)? else {
            return Ok(BTreeSet::new());
        };
        let comparison = compare(first, &iso)?;
        fs::remove_file(&iso).map_err(FileError::new("remove", &iso))?;
        let fields = comparison.fields.into_iter();
        Ok(fields.map(|differing| differing.field).collect())
    }
}

/// The result of a tool.
enum Made {
    Disc(PathBuf),
    Refused(Vec<String>),
}

/// Whether there is room to master a disc about as long as another.
fn has_room(folder: &Path, like: &Path) -> bool {
    let length = fs::metadata(like).map_or(0, |meta| meta.len());
    let room = statvfs(folder).map_or(0, |room| room.f_bavail.saturating_mul(room.f_frsize));
    room > length.saturating_mul(4).saturating_add(ROOM)
}

fn keep(iso: &Path, kept: &Path) -> io::Result<()> {
    let from = fs::File::open(iso)?;
    copy::copy(&from, from.metadata()?.len(), &fs::File::create(kept)?)
}

fn remove(folder: &Path) -> Result<(), FileError> {
    fs::remove_dir_all(folder).map_err(FileError::new("remove", folder))
}

fn rename(from: &Path, to: &Path) -> Result<PathBuf, FileError> {
    fs::rename(from, to).map_err(FileError::new("write", to))?;
    Ok(to.to_owned())
}

fn compare(first: &Path, second: &Path) -> Result<Comparison, FileError> {
    let open = |iso: &Path| {
        DiscFile::open(iso).map_err(|error| FileError::new("read", iso)(io::Error::other(error)))
    };
    let (here, there) = (open(first)?, open(second)?);
    let inspection = inspect(&mut Window::new(&here), &Options::default())
        .map_err(|error| FileError::new("read", first)(io::Error::other(error)))?;
    field::compare(&here as &dyn Source, &there, &inspection)
        .map_err(FileError::new("read", second))
}

#[cfg(test)]
#[path = "twice_tests.rs"]
mod tests;
