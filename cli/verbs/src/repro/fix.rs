//! A copy of the disc that starts: the smallest set of changes, what each is for, and the proof.

use std::{
    collections::BTreeSet,
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

use anyhow::Context;
use harness::{
    copy,
    diagnosis::{Diagnosis, Experiment, comes_to},
    guest::Starts,
};
use images::{
    change::{Change, Edits},
    finding::{Finding, FindingId},
    inspect::Options,
    map::DiscMap,
    mend::{mend, subject},
    units::ByteCount,
};
use scenarios::files::{self, FileError};
use serde::Serialize;

use super::{
    boots::{self, Booted, Setting},
    disc::Disc,
    distil::same_file,
};
use crate::{columns::aligned, options::Repro, signals::Signals, stop::Stop, terminal::Terminal};

/// The same as JSON, beside the report.
pub(super) const JSON: &str = "fix.json";
/// The folder of the proof's evidence.
const FIXED: &str = "fixed";
/// A copy of more than so many bytes is announced.
const LONG: u64 = 1 << 30;

/// What became of the wish for a disc that starts.
#[derive(Debug, Serialize)]
pub(crate) struct Fix {
    /// The fixed disc; `null` where no change was shown to help, or where the changes spoil what started before.
    pub(crate) disc: Option<PathBuf>,
    /// Every change, with the finding that it is for.
    pub(crate) changes: Vec<Written>,
    /// What each boot came to before and after.
    pub(crate) proof: Vec<BeforeAfter>,
    /// Findings of the fixed disc that are errors.
    pub(crate) left: Vec<FindingId>,
    #[serde(skip)]
    after: Vec<Booted>,
}

/// Bytes that were changed, and for what.
#[derive(Debug, Serialize)]
pub(crate) struct Written {
    /// The finding that is gone by it.
    pub(crate) id: FindingId,
    /// What stands there.
    pub(crate) what: String,
    #[serde(flatten)]
    pub(crate) change: Change,
}

/// A boot of the disc, and of the fixed one.
#[derive(Debug, Serialize)]
pub(crate) struct BeforeAfter {
    /// The cell's id.
    pub(crate) id: String,
    /// Whether the disc was seen to start; `null` where it could not be tried.
    pub(crate) before: Option<Starts>,
    /// Whether the fixed one was.
    pub(crate) after: Option<Starts>,
    /// What became of that.
    pub(crate) came_to: String,
}

impl Fix {
    /// How the fixed disc boots, where there is one.
    pub(super) fn booted(&self) -> Option<&[Booted]> {
        self.disc.is_some().then_some(&self.after)
    }
}

impl BeforeAfter {
    /// It started, and does not with the changes.
    fn is_spoilt(&self) -> bool {
        self.before == Some(Starts::Yes) && self.after.is_some_and(|after| after != Starts::Yes)
    }
}

/// Refuses a name that is taken, before minutes of work.
pub(super) fn check(options: &Repro) -> Result<(), Stop> {
    let Some(out) = &options.fix else {
        return Ok(());
    };
    let elsewhere = "--fix and the name of a file that does not exist yet";
    if same_file(out, &options.iso) {
        let what = format!(
            "--fix {} is the disc itself, which is only read",
            out.display()
        );
        return Err(Stop::usage(what, elsewhere));
    }
    if out.symlink_metadata().is_ok() {
        let what = format!("--fix {} already exists", out.display());
        return Err(Stop::usage(what, elsewhere));
    }
    match folder_of(out).metadata() {
        Ok(folder) if folder.is_dir() => Ok(()),
        _ => {
            let what = format!("--fix {}: the folder does not exist", out.display());
            Err(Stop::usage(what, "a name in a folder that exists"))
        }
    }
}

/// Writes the fixed disc, boots it, and keeps it where it starts wherever the disc did.
///
/// # Errors
/// The copy cannot be written, or the disc changed.
pub(super) fn write(
    out: &Path,
    setting: &Setting,
    disc: &Disc,
    booted: &[Booted],
    experiments: &[Experiment],
    signals: &Signals,
) -> anyhow::Result<Fix> {
    let proved = experiments.iter().flat_map(|experiment| &experiment.proved);
    let wanted: BTreeSet<(FindingId, u64)> = proved.map(subject).collect();
    let options = Options {
        boot_code: setting.boot_code(),
        ..Options::default()
    };
    let mended = mend(&*disc.file, &options, |_, finding| {
        wanted.contains(&subject(finding))
    })?;
    let mut fix = Fix {
        disc: None,
        changes: changes(&mended.fixed, &disc.read.map),
        proof: Vec::new(),
        left: Vec::new(),
        after: Vec::new(),
    };
    if mended.edits.is_empty() {
        return Ok(fix);
    }
    if let Some(owner) = spoils(&mended.fixed, &disc.read.map) {
        let what = format!("the fix would write over {owner}");
        return Err(Stop::found(what, "master the disc again: the report says how").into());
    }
    disc.is_unchanged()?;
    copy_with(out, &disc.path, disc.read.inspection.size, &mended.edits)?;
    let fixed = Disc::open(
        out,
        "check the host's disk: the written copy cannot be read",
    )?;
    let cells = setting.cells.clone();
    let below = setting.below(&setting.out.join(FIXED), cells);
    remark!("booting {} in the same ways", out.display());
    let after = boots::all(&below, &fixed, signals);
    let after = after.inspect_err(|_| drop(fs::remove_file(out)))?;
    fix.proof = booted
        .iter()
        .zip(&after)
        .map(|(one, other)| before_after(one, other))
        .collect();
    let errors = fixed.read.inspection.errors();
    fix.left = errors.map(|finding| finding.id).collect();
    if fix.proof.iter().any(BeforeAfter::is_spoilt) {
        fs::remove_file(out).with_context(|| format!("cannot remove {}", out.display()))?;
    } else {
        fix.disc = Some(out.to_owned());
    }
    fix.after = after;
    Ok(fix)
}

fn before_after(before: &Booted, after: &Booted) -> BeforeAfter {
    let starts = |one: &Booted| one.seen.as_ref().ok().map(|seen| seen.starts);
    BeforeAfter {
        id: before.cell.id.to_string(),
        before: starts(before),
        after: starts(after),
        came_to: match &after.seen {
            Ok(seen) => comes_to(seen),
            Err(_) => "it could not be tried".to_owned(),
        },
    }
}

fn changes(fixed: &[Finding], map: &DiscMap) -> Vec<Written> {
    let of = |finding: &Finding| {
        let id = finding.id;
        finding
            .changes
            .iter()
            .map(move |change| Written {
                id,
                what: owners(map, change.offset, change.length).join(", "),
                change: change.clone(),
            })
            .collect::<Vec<_>>()
    };
    fixed.iter().flat_map(of).collect()
}

fn owners(map: &DiscMap, offset: u64, length: ByteCount) -> Vec<String> {
    let owned = map.whose(offset, length).into_iter();
    owned
        .filter_map(|owned| Some(owned.what?.to_string()))
        .collect()
}

/// A file that a fix writes into though its finding does not name it.
fn spoils(fixed: &[Finding], map: &DiscMap) -> Option<String> {
    let one = ByteCount::new(1);
    fixed.iter().find_map(|finding| {
        let named = owners(map, finding.offset, one);
        finding.edits().pieces().find_map(|(offset, bytes)| {
            let owned = map.whose(offset, ByteCount::new(bytes.len() as u64));
            let mut contents = owned.into_iter().filter_map(|owned| owned.what);
            contents
                .find(|what| what.is_content() && !named.contains(&what.to_string()))
                .map(|what| what.to_string())
        })
    })
}

/// Copies the disc and changes the copy; no half of it is left under that name.
fn copy_with(out: &Path, disc: &Path, length: ByteCount, edits: &Edits) -> anyhow::Result<()> {
    let elsewhere = "another file with --fix";
    let unfinished = files::unfinished(out);
    let written =
        copied(&unfinished, disc, length, edits).and_then(|()| fs::rename(&unfinished, out));
    written.map_err(|error| {
        drop(fs::remove_file(&unfinished));
        let error = FileError::new("write", out)(error);
        Stop::unwritable(&error, elsewhere).into()
    })
}

fn copied(to: &Path, disc: &Path, length: ByteCount, edits: &Edits) -> io::Result<()> {
    let from = File::open(disc)?;
    let options = OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .clone();
    let copy = options.open(to)?;
    if !copy::share(&from, &copy) {
        let takes = copy::size(&from, length.get())?;
        let space = rustix::fs::statvfs(folder_of(to))?;
        let free = space.f_bavail.saturating_mul(space.f_frsize);
        if takes > free {
            return Err(io::Error::new(
                io::ErrorKind::StorageFull,
                format!(
                    "the copy takes {}, and {} are free there",
                    megabytes(takes),
                    megabytes(free)
                ),
            ));
        }
        if takes > LONG {
            remark!(
                "copying {}: this file system cannot share blocks",
                megabytes(takes)
            );
        }
        copy::copy(&from, length.get(), &copy)?;
    }
    for (offset, bytes) in edits.pieces() {
        copy.write_all_at(bytes, offset)?;
    }
    copy.sync_all()
}

fn megabytes(bytes: u64) -> String {
    format!("{} MB", bytes.div_ceil(1_000_000))
}

fn folder_of(file: &Path) -> PathBuf {
    match file.parent() {
        Some(folder) if folder != Path::new("") => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// What was changed, and what that came to, line by line.
pub(super) fn lines(fix: &Fix, booted: &[Booted], diagnosis: &[Diagnosis]) -> Vec<String> {
    let mut lines = Vec::new();
    match (&fix.disc, fix.changes.is_empty()) {
        (Some(disc), _) => lines.push(format!("written: {}", disc.display())),
        (None, true) => {
            lines.push("No file was written: no change of the disc's own bytes was shown to get the boot further.".to_owned());
            if diagnosis.iter().any(|it| it.starts == Starts::No) {
                lines.push("See \"to fix it\" above for what to do instead.".to_owned());
            }
            return lines;
        }
        (None, false) => lines.push(
            "No file was written: with the changes, the disc no longer starts where it did before."
                .to_owned(),
        ),
    }
    let mut table = vec![
        ["byte", "before", "after", "of", "for"]
            .map(str::to_owned)
            .to_vec(),
    ];
    for written in &fix.changes {
        let change = &written.change;
        table.push(vec![
            change.offset.to_string(),
            change.before.clone(),
            change.after.clone(),
            written.what.clone(),
            written.id.to_string(),
        ]);
    }
    lines.extend(aligned(&table, &[0]));
    lines.push(String::new());
    let mut table = vec![
        ["firmware", "attachment", "started before", "starts now", ""]
            .map(str::to_owned)
            .to_vec(),
    ];
    let starts =
        |starts: Option<Starts>| starts.map_or("not tried".to_owned(), |it| it.to_string());
    for (one, proof) in booted.iter().zip(&fix.proof) {
        table.push(vec![
            one.cell.id.firmware().to_owned(),
            one.cell.attachment.to_string(),
            starts(proof.before),
            starts(proof.after),
            proof.came_to.clone(),
        ]);
    }
    lines.extend(aligned(&table, &[]));
    if !fix.left.is_empty() {
        let mut ids: Vec<&str> = fix.left.iter().map(|id| id.as_str()).collect();
        ids.dedup();
        lines.push(format!("Still on the disc: {}.", ids.join(", ")));
    }
    lines
}

/// Writes these lines.
pub(super) fn print(to: &mut Terminal<impl Write>, lines: &[String]) -> io::Result<()> {
    writeln!(to)?;
    lines.iter().try_for_each(|line| writeln!(to, "{line}"))
}
