//! Masters one disc, by its name.

use std::{
    collections::BTreeMap,
    io::{self, Write},
    path::Path,
    process::ExitCode,
};

use anyhow::Context;
use harness::{
    live::Stock,
    master::{Changed, FoundTool, Tool},
};
use images::defect::Defect;
use scenarios::{
    cell::{DiscSource, Recipe},
    disc::{self, Exported, Workshop, editor_key},
    id::{ABSENT, CellId, DiscId},
    live::Live,
    master::{self, Masters},
    matrix::{Folder, Matrix},
    words::{self, AttachmentName, Boot, Firmware},
};
use serde_json::json;

use crate::{
    options::{Format, Image},
    place::{self, shipped},
    setup,
    stop::Stop,
};

/// Runs the verb.
pub fn run(options: &Image) -> anyhow::Result<ExitCode> {
    if scenarios::files::is_distilled(Path::new(&options.id)) {
        return rebuild(options);
    }
    let disc = disc_id(&options.id)?;
    if disc.scenario() == LIVE {
        return live(options, &disc);
    }
    if disc.master() == ABSENT {
        return Err(not_mastered(&disc, &options.out)?.into());
    }
    let disc = match options.defect {
        Some(defect) => with_defect(&disc, defect)?,
        None => disc,
    };
    let recipe = Recipe::read(&disc).map_err(|error| unknown(&options.id, error))?;
    let sources = master::files(&Folder::shipped_masters(shipped()?));
    let masters = sources
        .and_then(|sources| Masters::read(&sources))
        .map_err(|error| Stop::scenarios(&error))?;
    let found = find_master(&recipe, &masters)?;
    let workshop = Workshop {
        masters: &masters,
        found: &found,
        changed: Changed::default(),
    };
    check_place(&options.out)?;
    // A tool runs in a folder of its own, where a relative path means something else.
    let out = std::path::absolute(&options.out)
        .with_context(|| format!("{} has no place", options.out.display()))?;
    match disc::export(&recipe, &out, workshop)
        .map_err(|error| Stop::unwritable(&error, "another file with --out"))?
    {
        Exported::Refused(words) => Err(Stop::usage(
            format!("{} cannot be mastered: {}", recipe.id, words.join(": ")),
            "another medium, boot or size in the id",
        )
        .into()),
        Exported::Made { bytes } => {
            say(options, recipe.id.as_str(), bytes).context("cannot write")?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// The first part of the ids of live discs.
const LIVE: &str = "live";

/// Puts a live disc together, whether or not a scenario has its damage.
fn live(options: &Image, disc: &DiscId) -> anyhow::Result<ExitCode> {
    let folder = Folder::shipped_live(shipped()?);
    let live = Live::read(&folder, disc.boot())
        .map_err(|error| unknown(disc.as_str(), error.to_string()))?;
    let stock = Stock::in_folder(place::live()?);
    let names: Vec<&str> = live.layout.all_packages().collect();
    if let Err(error) = stock.fetch(names, |line| remark!("{line}")) {
        remark!("note: {error}");
    }
    if let Some(why) = live.layout.lacks(&stock) {
        let remedy = "a host with Debian's packages";
        return Err(Stop::host(why, remedy).into());
    }
    check_place(&options.out)?;
    let out = std::path::absolute(&options.out)
        .with_context(|| format!("{} has no place", options.out.display()))?;
    let exported = disc::export_live(&live, &out, &stock)
        .map_err(|error| Stop::unwritable(&error, "another file with --out"))?;
    match exported {
        Exported::Refused(words) => {
            let what = format!("{disc} cannot be made: {}", words.join(": "));
            Err(Stop::host(what, "cargo xtask doctor").into())
        }
        Exported::Made { bytes } => {
            say(options, disc.as_str(), bytes).context("cannot write")?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// Rebuilds a disc that `repro --distil` wrote as text.
fn rebuild(options: &Image) -> anyhow::Result<ExitCode> {
    if options.defect.is_some() {
        let what = format!(
            "{} is rebuilt as it was: no defect can be added",
            options.id
        );
        return Err(Stop::usage(what, "leave out --defect").into());
    }
    check_place(&options.out)?;
    let length = disc::rebuild(Path::new(&options.id), &options.out).map_err(|error| {
        let remedy =
            "a file that cargo xtask repro --distil wrote, and a place with some space for --out";
        Stop::usage(error, remedy)
    })?;
    say(options, &options.id, length.get()).context("cannot write")?;
    Ok(ExitCode::SUCCESS)
}

/// The tool that a disc needs, if it needs one.
pub fn find_master(
    recipe: &Recipe,
    masters: &Masters,
) -> Result<BTreeMap<String, Result<FoundTool, String>>, Stop> {
    let unknown = |what| unknown(recipe.id.as_str(), what);
    masters.check(recipe.master.as_str()).map_err(unknown)?;
    let mut found = BTreeMap::new();
    let mut find = |name: String, tool: &Tool| {
        let tool = setup::provide_tool(&name, tool, false)?;
        found.insert(name, Ok(tool));
        Ok::<(), Stop>(())
    };
    let base = recipe.master.base();
    if let Some(tool) = masters.tool(base.as_str()) {
        tool.command(&recipe.boot).map_err(unknown)?;
        find(base.to_string(), tool)?;
    }
    if let Some(editor) = masters.editor_of(recipe.master.as_str()) {
        let name = editor_key(&editor.tool.name);
        find(name, &editor.tool)?;
    }
    Ok(found)
}

/// The disc that the id of a disc or of a cell names. A cell's firmware and attachment have no part in it, but must be
/// some: what is misspelt there may well be so elsewhere.
fn disc_id(text: &str) -> Result<DiscId, Stop> {
    let cell = match (text.parse::<DiscId>(), text.parse::<CellId>()) {
        (Ok(disc), _) => return Ok(disc),
        (_, Ok(cell)) => cell,
        (Err(error), Err(_)) => {
            return Err(Stop::usage(
                error,
                "cargo xtask boot-matrix --list shows ids",
            ));
        }
    };
    words::read::<Firmware>(cell.firmware_family()).map_err(|error| unknown(text, error))?;
    words::read::<AttachmentName>(cell.attachment()).map_err(|error| unknown(text, error))?;
    Ok(cell.disc())
}

/// The disc that has the defect besides.
fn with_defect(disc: &DiscId, defect: Defect) -> Result<DiscId, Stop> {
    let mut boot: Boot = words::read(disc.boot()).map_err(|error| unknown(disc.as_str(), error))?;
    if let Some(other) = boot.defect.replace(defect)
        && other != defect
    {
        return Err(Stop::usage(
            format!(
                "{disc} already has the defect {other}, and a disc can have only one: {defect} cannot be added"
            ),
            format!("omit defect={other} in the id, or --defect"),
        ));
    }
    let parts = [
        disc.scenario(),
        disc.medium(),
        &boot.to_string(),
        disc.size(),
        disc.master(),
    ];
    DiscId::new(parts).map_err(|error| unknown(disc.as_str(), error.to_string()))
}

fn unknown(id: &str, error: String) -> Stop {
    Stop::usage(format!("{id}: {error}"), "cargo xtask boot-matrix --list")
}

/// What there is to say of a disc that is a file already.
fn not_mastered(id: &DiscId, out: &Path) -> Result<Stop, Stop> {
    let matrix = Matrix::shipped(shipped()?).map_err(|error| Stop::scenarios(&error))?;
    let source = matrix.cells().find(|cell| cell.id.disc() == *id);
    let Some(DiscSource::Iso { path, package }) = source.map(|cell| cell.disc) else {
        return Ok(Stop::usage(
            format!(
                "{id}: the master {ABSENT:?} means a disc that is an existing file, but no scenario that comes with boot-matrix has it"
            ),
            "reference as the master, or the file that your own scenario names",
        ));
    };
    let (package, remedy) = match package {
        Some(package) if !path.exists() => (
            format!(", which is in the package {package}"),
            format!("install the package {package}"),
        ),
        package => (
            package.map_or_else(String::new, |package| format!(" of the package {package}")),
            format!("cp --sparse=always {} {}", path.display(), out.display()),
        ),
    };
    let path = path.display();
    Ok(Stop::usage(
        format!("{id} is not mastered: it is the file {path}{package}"),
        remedy,
    ))
}

/// A folder that is not there is more often a slip than a wish.
fn check_place(out: &Path) -> Result<(), Stop> {
    if out.is_dir() {
        return Err(Stop::usage(
            format!("{} is a folder", out.display()),
            format!("--out {}", out.join("disc.iso").display()),
        ));
    }
    match out.parent() {
        Some(folder) if !folder.as_os_str().is_empty() && !folder.exists() => Err(Stop::usage(
            format!("the folder {} does not exist", folder.display()),
            format!("mkdir -p {}", folder.display()),
        )),
        _ => Ok(()),
    }
}

fn say(options: &Image, id: &str, bytes: u64) -> io::Result<()> {
    let mut out = crate::terminal::answer();
    let file = options.out.display().to_string();
    match options.format {
        Format::Json => writeln!(
            out,
            "{}",
            json!({ "schema": "image/1", "id": id, "file": file, "size_bytes": bytes })
        ),
        Format::Text => writeln!(out, "{file}: {bytes} bytes, {id}"),
    }
}
