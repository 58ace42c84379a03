//! The results of several runs as those of one: slices of the matrix that were run on several machines.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    io::Write,
    path::Path,
    process::ExitCode,
};

use anyhow::Context;
use scenarios::{
    files::FileError,
    id::CellId,
    merge::{self, Shard},
    merged::Merged,
    record,
    results::Results,
    run::Run,
    selection::Partition,
};

use crate::{
    boot_matrix::{self, folder, junit, sarif},
    options::{self, Format},
    parallel,
    place::{self, absolute, shown},
    report,
    signals::Signals,
    stop::Stop,
    terminal,
};

/// Runs the verb.
pub fn run(options: &options::Merge) -> anyhow::Result<ExitCode> {
    let signals = Signals::catch()?;
    let shards = read(options)?;
    let (mut results, taken) = merge::join(&shards).map_err(|error| {
        let remedy = "the folders of one run that was divided with boot-matrix --partition, with the same boot-matrix, tools and scenarios";
        Stop::usage(error, remedy)
    })?;
    let (out, _held) = folder::hold(&options.out)?;
    if Run::file(&out).exists() {
        let what = format!("{} is the folder of a run", options.out.display());
        return Err(Stop::usage(what, "--out and a folder of its own").into());
    }
    let evidence: Vec<(&str, &Shard)> = taken
        .iter()
        .map(|(id, &index)| (id.as_str(), &shards[index]))
        .collect();
    // An earlier merge's results first: whole, or not there.
    scenarios::files::remove(&Results::file(&out))?;
    match fs::remove_dir_all(out.join("cells")) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(error).context("cannot remove the evidence of an earlier merge");
        }
        _ => {}
    }
    parallel::each(&evidence, signals, |(id, shard)| {
        bring(id, &shard.folder, &out)
    })?;
    if signals.caught() {
        return Err(Stop::host("interrupted while evidence was brought together", "").into());
    }
    for cell in &mut results.cells {
        if let Ok(id) = cell.id.parse::<CellId>() {
            let folder = record::evidence_folder(&id);
            cell.evidence = folder.to_string_lossy().into_owned();
        }
    }
    results.write(&out)?;
    junit::write(&results, &out)?;
    sarif::write(&results, &BTreeMap::new(), &out)?;
    let page = report::make(&out)?;
    match options.format {
        Format::Json => {
            let mut stdout = terminal::answer();
            serde_json::to_writer_pretty(&mut stdout, &results)?;
            writeln!(stdout)
        }
        Format::Text => {
            if let Some(merged) = &results.merged {
                tell(merged)?;
            }
            boot_matrix::tell(&results, &out)
        }
    }
    .context("cannot write")?;
    remark!("report: {}", page.display());
    Ok(ExitCode::from(results.exit_code()))
}

/// The runs in the folders. One that died before it began is told, and no error: the slice that is missing for it is.
fn read(options: &options::Merge) -> anyhow::Result<Vec<Shard>> {
    let remedy = "the folder that cargo xtask boot-matrix --partition slice:K/N --out DIR left";
    let mut shards = Vec::new();
    let mut unread: Option<FileError> = None;
    let mut known = BTreeSet::new();
    for folder in &options.folders {
        if !known.insert(absolute(folder)) {
            remark!("{} is given twice, and counts once", folder.display());
            continue;
        }
        if !folder.is_dir() {
            let what = format!("{} is no folder", folder.display());
            return Err(Stop::usage(what, remedy).into());
        }
        if absolute(folder) == absolute(&options.out) {
            let what = format!("{} would be merged into itself", folder.display());
            return Err(Stop::usage(what, "--out and another folder").into());
        }
        match Shard::read(folder) {
            Ok(shard) => shards.push(shard),
            Err(error) => {
                remark!("{} contains no run: {error}", folder.display());
                unread = Some(error);
            }
        }
    }
    match unread {
        Some(error) if shards.is_empty() => Err(Stop::usage(error, remedy).into()),
        _ => Ok(shards),
    }
}

/// Brings the evidence of a cell: as links where that can be, for it does not change.
fn bring(id: &str, from: &Path, to: &Path) -> Result<(), FileError> {
    let Ok(id) = id.parse::<CellId>() else {
        return Ok(());
    };
    let folder = record::evidence_folder(&id);
    link(&from.join(&folder), &to.join(&folder))
}

fn link(from: &Path, to: &Path) -> Result<(), FileError> {
    let entries = match fs::read_dir(from) {
        // Where only results were brought here there is none, which the page tells.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(FileError::new("read", from))?,
    };
    fs::create_dir_all(to).map_err(FileError::new("create", to))?;
    for entry in entries {
        let entry = entry.map_err(FileError::new("read", from))?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            link(&source, &target)?;
        } else if fs::hard_link(&source, &target).is_err() {
            // Another file system, or one that has no links.
            place::copy(&source, &target).map_err(FileError::new("copy", &source))?;
        }
    }
    Ok(())
}

/// The command that runs a slice of which there is no run here, with the words of another one.
fn again(merged: &Merged, partition: Partition) -> String {
    let runs = merged.from.iter();
    let mut runs = runs.filter_map(|part| Run::read(&Run::file(&part.folder)).ok());
    let partition = partition.to_string();
    match runs.next() {
        Some(run) => {
            let words = ["cargo", "xtask", "boot-matrix"].into_iter();
            let words = words.chain(run.words.iter().map(String::as_str));
            shell_words::join(words.chain(["--partition", &partition, "--out", "DIR"]))
        }
        None => format!(
            "cargo xtask boot-matrix --partition {partition} --out DIR, with the filters of the other slices"
        ),
    }
}

/// Says what was merged, and what keeps it from being the whole.
fn tell(merged: &Merged) -> io::Result<()> {
    let mut to = terminal::stdout();
    for part in &merged.from {
        let folder = shown(&part.folder);
        let short = if part.cut_short { ", cut short" } else { "" };
        writeln!(
            to,
            "{}: {}{short}, {} of its {} cells",
            folder.display(),
            part.partition,
            part.taken,
            part.cells
        )?;
    }
    for lacking in &merged.lacking {
        let remedy = match &lacking.folder {
            Some(folder) => format!(
                "cargo xtask boot-matrix --resume --out {}",
                folder.display()
            ),
            None => again(merged, lacking.partition),
        };
        to.paint(terminal::CAUTION, lacking.partition)?;
        writeln!(to, " lacks {} cells\n  try: {remedy}", lacking.cells)?;
    }
    for contradiction in &merged.contradictions {
        to.paint(terminal::BAD, &contradiction.id)?;
        writeln!(to, ": two runs contradict each other")?;
        for (folder, seen) in &contradiction.seen {
            writeln!(to, "  {}: {seen}", shown(folder).display())?;
        }
    }
    if merged.proven {
        writeln!(to, "every cell was run, and counts once")?;
    }
    Ok(())
}
