//! The discs of a run: mastered once, shared by all cells that boot them.

mod live;

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    time::SystemTime,
};

use harness::master::{Changed, EditJob, FoundTool, Job, Mastered, Placeholder, Tool};
use images::{
    distilled::Distilled,
    medium::Medium,
    reference::{self, Contents, InTree, MasteredDisc, NotMastered},
    units::ByteCount,
};

pub use self::live::{export_live, live_once};
use crate::{
    cell::Recipe,
    exchange,
    files::{self, FileError},
    id::{DiscId, EDITED, base_and_edit},
    master::Masters,
};

/// The file in a disc's folder with the reason why there is no disc.
const REFUSAL: &str = "not-mastered.txt";
/// The disc's file in its folder.
const ISO: &str = "disc.iso";
/// The file in a disc's folder that lists the disc's content.
const MANIFEST: &str = "manifest.json";
/// The folder in an edited disc's folder with the disc before the edit.
const BEFORE: &str = "before";
/// The folder in a disc's folder where a mastering tool works.
const WORK: &str = "work";

/// The keys of a disc's tools among those that were looked for: its master, and its editor if it has one.
pub fn tool_names(master: &str) -> Vec<String> {
    let (base, edit) = base_and_edit(master);
    let base = std::iter::once(base.to_owned());
    base.chain(edit.map(editor_key)).collect()
}

/// A disc's folder, after mastering.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Disc {
    /// There is a disc.
    Made {
        /// The disc.
        iso: PathBuf,
        /// Its content.
        manifest: PathBuf,
    },
    /// The master refused, with this message.
    Refused(Vec<String>),
}

/// Masters discs.
#[derive(Clone, Copy, Debug)]
pub struct Workshop<'a> {
    /// Every master that is known.
    pub masters: &'a Masters,
    /// The tools that are on this host.
    pub found: &'a BTreeMap<String, Result<FoundTool, String>>,
    /// The circumstances to change when a tool runs.
    pub changed: Changed<'a>,
}

impl Workshop<'_> {
    /// Why a disc cannot be mastered on this host; `None` if it can.
    #[must_use]
    pub fn lacks(&self, recipe: &Recipe) -> Option<String> {
        if let Some(edit) = recipe.master.edit()
            && let Some(why) = self.lacks_editor(edit)
        {
            return Some(why);
        }
        let base = recipe.master.base();
        let name = base.as_str();
        if let Some(folder) = self.masters.exchange(name) {
            let iso = exchange::iso(folder, &recipe.id);
            let came_back = iso.exists() || exchange::refusal(&iso).exists();
            return (!came_back).then(|| format!("{} did not come back", iso.display()));
        }
        self.masters.tool(name)?;
        self.lacks_tool(name)
    }

    /// Why a disc cannot be edited on this host; `None` if it can.
    #[must_use]
    pub fn lacks_editor(&self, editor: &str) -> Option<String> {
        self.lacks_tool(&editor_key(editor))
    }

    fn lacks_tool(&self, name: &str) -> Option<String> {
        match self.found.get(name) {
            Some(Ok(_)) => None,
            Some(Err(why)) => Some(format!("{name}: {why}")),
            None => Some(format!("{name} was not looked for")),
        }
    }
}

/// The key of an editor among the tools that were looked for: no master has such a name.
#[must_use]
pub fn editor_key(editor: &str) -> String {
    format!("{EDITED}{editor}")
}

/// Masters a disc, completely or not at all, and replaces an existing one in its folder.
///
/// # Errors
/// The disk is full, or the folder cannot be written.
pub fn master(recipe: &Recipe, discs: &Path, workshop: Workshop<'_>) -> Result<Disc, FileError> {
    let folder = discs.join(recipe.id.path());
    let unfinished = files::unfinished(&folder);
    let made = master_into(recipe, &unfinished, &folder, workshop).and_then(|_| {
        let replaced = if folder.exists() {
            fs::remove_dir_all(&folder)
        } else {
            Ok(())
        };
        replaced
            .and_then(|()| fs::rename(&unfinished, &folder))
            .map_err(FileError::new("write the disc", &folder))
    });
    if let Err(error) = made {
        // Best effort: it never counts as a disc.
        drop(fs::remove_dir_all(&unfinished));
        return Err(error);
    }
    open_in(&folder)
}

/// Masters a disc into its own folder. Errors name its final path.
fn master_into(
    recipe: &Recipe,
    folder: &Path,
    becomes: &Path,
    workshop: Workshop<'_>,
) -> Result<Disc, FileError> {
    let failed = || FileError::new("write the disc", becomes);
    fs::create_dir_all(folder).map_err(failed())?;
    write_disc(recipe, folder, workshop).map_err(failed())?;
    open_in(folder)
}

fn write_disc(recipe: &Recipe, folder: &Path, workshop: Workshop<'_>) -> io::Result<()> {
    if let Some(edit) = recipe.master.edit() {
        return write_edited(recipe, edit, folder, workshop);
    }
    let name = recipe.master.as_str();
    if let Some(tool) = workshop.masters.tool(name) {
        return match workshop.found.get(name) {
            Some(Ok(found)) => write_by_tool(recipe, folder, (tool, found), workshop.changed),
            _ => Err(io::Error::other(format!("{name} is not on this host"))),
        };
    }
    if let Some(exchange) = workshop.masters.exchange(name) {
        return take_from_exchange(recipe, folder, exchange);
    }
    match master_in_memory(recipe) {
        Ok(disc) => disc.write_to(folder),
        Err(refusal) => refuse(folder, &[refusal.to_string()]),
    }
}

/// Masters a disc of one of our own masters: the reference, or IMAPI's.
pub(crate) fn master_in_memory(recipe: &Recipe) -> Result<MasteredDisc, NotMastered> {
    let (id, boot) = (recipe.id.as_str(), &recipe.boot);
    match recipe.master.imapi() {
        Some(imapi) => imapi.master(id, recipe.medium, boot, recipe.size),
        None => reference::master(id, recipe.medium, boot, recipe.size),
    }
}

fn refuse(folder: &Path, words: &[String]) -> io::Result<()> {
    fs::write(folder.join(REFUSAL), format!("{}\n", words.join("\n")))
}

fn write_by_tool(
    recipe: &Recipe,
    folder: &Path,
    (tool, found): (&Tool, &FoundTool),
    changed: Changed<'_>,
) -> io::Result<()> {
    let (id, boot) = (recipe.id.as_str(), &recipe.boot);
    let contents = Contents::new(id, recipe.medium, boot, recipe.size);
    let counted = contents.and_then(|contents| Ok((contents.load_sectors()?, contents)));
    let (load_sectors, mut contents) = match counted {
        Ok(counted) => counted,
        Err(refusal) => return refuse(folder, &[refusal.to_string()]),
    };
    let command = tool.command(boot).map_err(io::Error::other)?;
    let in_tree = InTree {
        boot: command.has(Placeholder::BootImage),
        efi: command.has(Placeholder::EfiImage),
    };
    // The tool can write only to a separate folder, not to the files that are trusted afterward.
    let work = folder.join(WORK);
    fs::create_dir(&work)?;
    contents.write_to(&work, in_tree)?;
    changed.apply_to(&work)?;
    let mastered = harness::master::master(
        tool,
        found,
        &Job {
            boot,
            folder: &work,
            load_sectors,
            capacity: recipe
                .medium
                .map(|medium: Medium| medium.capacity().bytes()),
            length: contents.length(),
            changed,
        },
    )?;
    take(recipe, folder, mastered, &mut contents)
}

/// Masters the disc before the edit, which stays in its own folder, then runs the editor.
fn write_edited(
    recipe: &Recipe,
    edit: &str,
    folder: &Path,
    workshop: Workshop<'_>,
) -> io::Result<()> {
    let base = Recipe {
        master: recipe.master.base(),
        ..recipe.clone()
    };
    let before = folder.join(BEFORE);
    fs::create_dir_all(&before)?;
    write_disc(&base, &before, workshop)?;
    let iso = match open_in(&before).map_err(io::Error::other)? {
        Disc::Made { iso, .. } => iso,
        Disc::Refused(words) => return refuse(folder, &words),
    };
    let capacity = recipe
        .medium
        .map(|medium: Medium| medium.capacity().bytes());
    let edited = run_editor(edit, &iso, capacity, folder, workshop)?;
    let id = recipe.id.as_str();
    let contents = Contents::new(id, recipe.medium, &recipe.boot, recipe.size);
    let mut contents = contents.map_err(io::Error::other)?;
    take(recipe, folder, edited, &mut contents)
}

/// Runs an editor on a disc, in a folder in that of the edited one.
fn run_editor(
    edit: &str,
    before: &Path,
    capacity: Option<ByteCount>,
    folder: &Path,
    workshop: Workshop<'_>,
) -> io::Result<Mastered> {
    let editor = workshop.masters.editor(edit);
    let found = workshop.found.get(&editor_key(edit));
    let (Some(editor), Some(Ok(found))) = (editor, found) else {
        return Err(io::Error::other(format!("{edit} is not on this host")));
    };
    let work = folder.join(WORK);
    fs::create_dir_all(&work)?;
    let job = EditJob {
        before,
        folder: &work,
        capacity,
        changed: workshop.changed,
    };
    harness::master::edit(editor, found, &job)
}

/// Edits a disc that is not mastered here, unless that was done since a given time. Only one of several processes does it.
///
/// # Errors
/// The disk is full, or the folder cannot be written.
pub fn edit_once(
    before: &Path,
    edit: &str,
    id: &DiscId,
    discs: &Path,
    since: SystemTime,
    workshop: Workshop<'_>,
) -> Result<Disc, FileError> {
    let folder = discs.join(id.path());
    once(&folder, since, |made| {
        if made {
            return open_in(&folder);
        }
        // As for live discs: a tool may interpret a character of an id.
        let unfinished = files::unfinished(&discs.join("edited"));
        let edited = run_editor(edit, before, None, &unfinished, workshop)
            .and_then(|edited| take_disc(&unfinished, edited))
            .and_then(|_| replace(&unfinished, &folder));
        if let Err(error) = edited {
            // Best effort: it never counts as a disc.
            drop(fs::remove_dir_all(&unfinished));
            return Err(FileError::new("write the disc", &folder)(error));
        }
        open_in(&folder)
    })
}

/// Writes a tool's result to its folder: a disc and its content, or the reason why there is none; and the tool's output.
fn take(
    recipe: &Recipe,
    folder: &Path,
    mastered: Mastered,
    contents: &mut Contents,
) -> io::Result<()> {
    let Some(iso) = take_disc(folder, mastered)? else {
        return Ok(());
    };
    let id = recipe.id.as_str();
    let manifest = harness::master::manifest(&iso, id, recipe.medium, contents)?;
    fs::write(folder.join(MANIFEST), serde_json::to_vec_pretty(&manifest)?)
}

/// Moves a tool's disc to its folder, and returns its path, or the reason why there is none; and the tool's output.
fn take_disc(folder: &Path, mastered: Mastered) -> io::Result<Option<PathBuf>> {
    fs::write(
        folder.join("command.txt"),
        format!("{}\n", mastered.command),
    )?;
    fs::write(folder.join("said.txt"), &mastered.said)?;
    let taken = match mastered.disc {
        Err(words) => {
            refuse(folder, &words)?;
            None
        }
        Ok(made) => {
            let iso = folder.join(ISO);
            fs::rename(made, &iso)?;
            harness::master::dig_holes(&iso)?;
            Some(iso)
        }
    };
    // Files that the tool made unremovable stay, which is harmless.
    drop(fs::remove_dir_all(folder.join(WORK)));
    Ok(taken)
}

/// Uses a disc that was mastered elsewhere, in its place.
fn take_from_exchange(recipe: &Recipe, folder: &Path, exchange: &Path) -> io::Result<()> {
    let (id, boot) = (recipe.id.as_str(), &recipe.boot);
    let iso = std::path::absolute(exchange::iso(exchange, &recipe.id))?;
    if !iso.exists() {
        let words = fs::read(exchange::refusal(&iso))?;
        let words = String::from_utf8_lossy(&words);
        let mut lines: Vec<String> = words.lines().map(|line| line.trim().to_owned()).collect();
        if words.trim().is_empty() {
            lines = vec!["no disc came back, and no words why".to_owned()];
        }
        return refuse(folder, &lines);
    }
    let came_back = iso.metadata()?;
    if !came_back.is_file() || came_back.len() == 0 {
        let words = format!(
            "what came back as {} is no file with bytes in it",
            iso.display()
        );
        return refuse(folder, &[words]);
    }
    let length = ByteCount::new(came_back.len());
    if let Some(medium) = recipe.medium
        && length > medium.capacity().bytes()
    {
        let words = format!(
            "the disc that came back has {} ({length}), and {medium} holds {} ({})",
            length.blocks_rounded_up(),
            medium.capacity(),
            medium.capacity().bytes()
        );
        return refuse(folder, &[words]);
    }
    let mut contents = match Contents::new(id, recipe.medium, boot, recipe.size) {
        Ok(contents) => contents,
        Err(refusal) => return refuse(folder, &[refusal.to_string()]),
    };
    std::os::unix::fs::symlink(&iso, folder.join(ISO))?;
    let manifest = harness::master::manifest(&iso, id, recipe.medium, &mut contents)?;
    fs::write(folder.join(MANIFEST), serde_json::to_vec_pretty(&manifest)?)
}

fn open_in(folder: &Path) -> Result<Disc, FileError> {
    let refusal = folder.join(REFUSAL);
    match fs::read_to_string(&refusal) {
        Ok(words) => {
            return Ok(Disc::Refused(
                words.lines().map(ToOwned::to_owned).collect(),
            ));
        }
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(FileError::new("read", refusal)(error));
        }
        Err(_) => {}
    }
    let iso = folder.join(ISO);
    fs::metadata(&iso).map_err(FileError::new("read", &iso))?;
    Ok(Disc::Made {
        iso,
        manifest: folder.join(MANIFEST),
    })
}

/// The result of mastering a disc into a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Exported {
    /// It exists, with this length.
    Made {
        /// Its length.
        bytes: u64,
    },
    /// The master refused, with this message.
    Refused(Vec<String>),
}

/// Masters a disc into a file, and writes its content into `<file>.json`.
///
/// # Errors
/// The disk is full, or the folder cannot be written.
pub fn export(recipe: &Recipe, file: &Path, workshop: Workshop<'_>) -> Result<Exported, FileError> {
    let folder = files::unfinished(file);
    let made = master_into(recipe, &folder, file, workshop).and_then(|disc| match disc {
        Disc::Refused(words) => Ok(Exported::Refused(words)),
        Disc::Made { iso, manifest } => {
            let bytes = fs::metadata(&iso)
                .map_err(FileError::new("read", &iso))?
                .len();
            fs::rename(&iso, file).map_err(FileError::new("write", file))?;
            let beside = beside(file);
            fs::rename(&manifest, &beside).map_err(FileError::new("write", beside))?;
            Ok(Exported::Made { bytes })
        }
    });
    // Nothing in it is needed.
    drop(fs::remove_dir_all(&folder));
    made
}

fn beside(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".json");
    name.into()
}

/// Rebuilds a distilled disc in a folder, unless that was done since a given time. Only one of several processes does it.
///
/// # Errors
/// The file is not a distilled disc, the disk is full, or the folder cannot be written.
pub fn rebuild_once(
    file: &Path,
    id: &DiscId,
    discs: &Path,
    since: SystemTime,
) -> Result<PathBuf, FileError> {
    let folder = discs.join(id.path());
    once(&folder, since, |made| {
        let iso = folder.join(ISO);
        if !made || !iso.exists() {
            fs::create_dir_all(&folder).map_err(FileError::new("create", &folder))?;
            rebuild(file, &iso)?;
        }
        Ok(iso)
    })
}

/// Rebuilds a distilled disc at `iso`, completely or not at all, and replaces an existing file. Returns its length.
///
/// # Errors
/// The file is not a distilled disc, the disk is full, or the folder cannot be written.
pub fn rebuild(file: &Path, iso: &Path) -> Result<ByteCount, FileError> {
    let text = fs::read_to_string(file).map_err(FileError::new("read", file))?;
    let distilled = Distilled::parse(&text)
        .map_err(io::Error::other)
        .map_err(FileError::new("read", file))?;
    let unfinished = files::unfinished(iso);
    distilled
        .write_iso(&unfinished)
        .and_then(|()| fs::rename(&unfinished, iso))
        .map_err(FileError::new("write", iso))?;
    Ok(distilled.length())
}

/// Masters a disc unless that was done since a given time, such as the build of the code that masters it. Only one
/// of several processes does it.
///
/// # Errors
/// As [`master`].
pub fn master_once(
    recipe: &Recipe,
    discs: &Path,
    since: SystemTime,
    workshop: Workshop<'_>,
) -> Result<Disc, FileError> {
    let folder = discs.join(recipe.id.path());
    once(&folder, since, |made| {
        if made {
            open_in(&folder)
        } else {
            master(recipe, discs, workshop)
        }
    })
}

/// Moves a folder to the place of another one, which may exist.
fn replace(made: &Path, folder: &Path) -> io::Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    fs::rename(made, folder)
}

/// Runs an action on a folder, with other processes locked out, and passes it whether the folder was made since a given time.
fn once<T>(
    folder: &Path,
    since: SystemTime,
    work: impl FnOnce(bool) -> Result<T, FileError>,
) -> Result<T, FileError> {
    let name = folder.file_name().unwrap_or_default();
    let lock_file = folder.with_file_name(format!(".{}.lock", name.to_string_lossy()));
    let above = folder.parent().unwrap_or(folder);
    fs::create_dir_all(above).map_err(FileError::new("create", above))?;
    let lock = fs::File::create(&lock_file)
        .and_then(|lock| lock.lock().map(|()| lock))
        .map_err(FileError::new("lock", &lock_file))?;
    let made = fs::metadata(folder).and_then(|folder| folder.modified());
    let done = work(made.is_ok_and(|made| made >= since));
    drop(lock);
    done
}
