//! Every recipe is run with the real tool on the tree of a disc that has the finding: the disc that comes out has it no more, has no other error, and boots.
//!
//! The discs are made wrong in two ways: by the reference master, whose probes say that they have started, and by real tools of real loaders. No byte of
//! these is part of this project: they come from packages, installed or unpacked.

#![expect(
    clippy::unwrap_used,
    reason = "the helpers of a test fail as the test does"
)]

mod bench;
mod cases;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    thread,
};

use harness::{attachment::Attachment, firmware::FirmwareId};
use images::{
    defect::Defect,
    eltorito::Platform,
    finding::{FilledRecipe, FindingId as Id},
    inspect::Inspection,
    reference::master,
    tool::Tool,
};

use crate::{
    bench::{SHIM, boots, copy, digest, follow, lacks, leave_out, no_package, read, shell},
    cases::{Case, cases, tree},
};

/// What was tried.
#[derive(Default)]
struct Tried {
    /// The finding and the tool of each recipe that works.
    recipes: Mutex<BTreeSet<(Id, Tool)>>,
    /// What came of commands on files, and whether it was booted as a stick: the same for every finding.
    made: Mutex<BTreeMap<Key, Result<BTreeSet<Id>, String>>>,
    wrong: Mutex<Vec<String>>,
}

/// The digest of the files, the commands, and whether it is for a stick.
type Key = (String, Vec<String>, bool);

/// Findings that are of a stick: what comes out is booted as one too.
const STICK: [Id; 6] = [
    Id::HybridMbr,
    Id::MbrAbsent,
    Id::HybridPointer,
    Id::MbrWrongCode,
    Id::MbrNoCode,
    Id::MbrNoActive,
];

/// A disc that has a finding, in a folder with the tree that it was made of.
struct Bench<'a> {
    name: &'a str,
    folder: &'a Path,
    finding: Id,
    only: Option<Tool>,
    /// Whether the whole disc must be read to see it.
    verify: bool,
}

impl Tried {
    /// Tries every recipe that the disc's own finding brings.
    fn disc(&self, bench: &Bench<'_>) {
        let disc = bench.folder.join("disc.iso");
        let inspection = match read(&disc, bench.verify) {
            Ok(inspection) => inspection,
            Err(error) => return self.is_wrong(bench, None, &error),
        };
        let mut findings = inspection.findings.iter();
        let Some(finding) = findings.find(|it| it.id == bench.finding) else {
            let found = format!("has no {}: {:?}", bench.finding, inspection.findings);
            return self.is_wrong(bench, None, &found);
        };
        let is_wanted = |recipe: &&FilledRecipe| {
            recipe.tried && bench.only.is_none_or(|only| only == recipe.tool)
        };
        for recipe in finding.recipes.iter().filter(is_wanted) {
            if let Some(why) = lacks(recipe.tool) {
                leave_out(&format!("{} of {}: {why}", recipe.tool, bench.finding));
                continue;
            }
            match self.recipe(bench, recipe) {
                Ok(()) => {
                    let mut recipes = self.recipes.lock().unwrap_or_else(PoisonError::into_inner);
                    recipes.insert((bench.finding, recipe.tool));
                }
                Err(error) => self.is_wrong(bench, Some(recipe), &error),
            }
        }
    }

    /// Follows a recipe, unless its commands were followed on the same files before: the disc that comes out has no error, boots, and lacks the finding.
    fn recipe(&self, bench: &Bench<'_>, recipe: &FilledRecipe) -> Result<(), String> {
        let is_stick = STICK.contains(&bench.finding);
        let files = digest(bench.folder, uses_disc(recipe));
        let key = (files, recipe.commands.clone(), is_stick);
        let known = || self.made.lock().unwrap_or_else(PoisonError::into_inner);
        let before = known().get(&key).cloned();
        let made = before.unwrap_or_else(|| {
            let made = make(bench, recipe, is_stick);
            known().insert(key, made.clone());
            made
        });
        match made?.contains(&bench.finding) {
            true => Err("the finding is still there".to_owned()),
            false => Ok(()),
        }
    }

    fn is_wrong(&self, bench: &Bench<'_>, recipe: Option<&FilledRecipe>, what: &str) {
        let mut wrong = self.wrong.lock().unwrap_or_else(PoisonError::into_inner);
        let commands = recipe.map_or_else(String::new, |recipe| {
            format!(
                " by {}:\n  {}\n ",
                recipe.tool,
                recipe.commands.join("\n  ")
            )
        });
        wrong.push(format!(
            "{} of {}{commands} {what}",
            bench.finding, bench.name
        ));
    }

    fn end(self) -> BTreeSet<(Id, Tool)> {
        let wrong = self.wrong.into_inner().unwrap();
        assert!(
            wrong.is_empty(),
            "{} wrong:\n{}",
            wrong.len(),
            wrong.join("\n\n")
        );
        println!(
            "{} discs were booted",
            self.made.into_inner().unwrap().len()
        );
        self.recipes.into_inner().unwrap()
    }
}

/// Whether a recipe works with the disc that has the finding, and not with its tree alone.
fn uses_disc(recipe: &FilledRecipe) -> bool {
    recipe
        .commands
        .iter()
        .any(|command| command.contains("disc.iso"))
}

/// Follows a recipe in a copy of the folder. The disc that comes out has no error and boots; all that is found on it.
fn make(bench: &Bench<'_>, recipe: &FilledRecipe, is_stick: bool) -> Result<BTreeSet<Id>, String> {
    let work = tempfile::tempdir_in(bench.folder.parent().unwrap_or(bench.folder))
        .map_err(|error| error.to_string())?;
    copy(bench.folder, work.path(), uses_disc(recipe))?;
    follow(work.path(), recipe.tool, &recipe.commands)?;
    let new = work.path().join("new.iso");
    let new = match new.exists() {
        true => new,
        // What works on the disc itself.
        false => work.path().join("disc.iso"),
    };
    let inspection = read(&new, bench.verify)?;
    if inspection.has_errors() {
        return Err(format!(
            "errors: {:?}",
            inspection.errors().collect::<Vec<_>>()
        ));
    }
    boots_where_it_should(&new, &inspection, is_stick)?;
    Ok(inspection.findings.iter().map(|it| it.id).collect())
}

/// By each kind of firmware for which the disc has an entry; as a stick where that is what was wrong.
fn boots_where_it_should(
    iso: &Path,
    inspection: &Inspection,
    is_stick: bool,
) -> Result<(), String> {
    let attachment = match is_stick {
        true => Attachment::UsbDisk,
        false => Attachment::Ahci,
    };
    for (firmware, is_efi) in [(FirmwareId::Seabios, false), (FirmwareId::Ovmf, true)] {
        let mut entries = inspection.entries();
        let is_for = entries
            .any(|(entry, boot)| boot.bootable && (entry.platform == Platform::EFI) == is_efi);
        if is_for {
            boots(iso, firmware, attachment)?;
        }
    }
    Ok(())
}

/// Does something with each of some: one more at once than there are processors, because a machine waits now and then.
fn each<T: Send>(all: Vec<T>, what: impl Fn(T) + Sync) {
    let queue = Mutex::new(all.into_iter());
    let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
    let processors: usize = thread::available_parallelism().map_or(1, Into::into);
    thread::scope(|scope| {
        for _ in 0..=processors {
            scope.spawn(|| {
                while let Some(one) = next() {
                    what(one);
                }
            });
        }
    });
}

/// The words of discs of the reference master, on which defects are put.
const MODES: [&str; 5] = ["none", "efi", "bios+efi", "floppy-1440k", "hard-disk"];

/// A disc with a defect, and the tree that is on it.
fn defective(folder: &Path, defect: Defect, mode: &str) -> Option<PathBuf> {
    let words = format!("{mode},defect={defect}").parse().ok()?;
    let disc = master("recipes/-/-/-/reference", None, &words, None).ok()?;
    let folder = folder.join(format!("{defect}-{mode}"));
    fs::create_dir(&folder).unwrap();
    let iso = fs::File::create(folder.join("disc.iso")).unwrap();
    disc.bytes.write_to(&iso).unwrap();
    shell(&folder, UNPACK).unwrap();
    Some(folder)
}

/// As docs/findings.md says it. xorriso reads no disc whose catalog cannot be read.
const UNPACK: &str = "xorriso -osirrox on -indev disc.iso -extract / tree 2>/dev/null || { mkdir tree; bsdtar -x -f disc.iso -C tree; }
    chmod -R u+w tree";

/// A disc that recipes are tried on.
enum Job {
    Defect(Defect),
    Case(Case),
}

/// So many kinds of discs are tried of a defect; of a media type, all.
const KINDS: usize = 2;

/// Tries the recipes of discs of the reference master.
fn try_defect(tried: &Tried, folder: &Path, defect: Defect) {
    let kinds = match defect.id() {
        // The image of these discs only says that it is isolinux; the real one is among the other cases.
        Id::LoaderEmulation | Id::HybridPointer => return,
        Id::EntryMediaType => MODES.len(),
        _ => KINDS,
    };
    let discs = MODES.iter().filter_map(|mode| {
        let made = defective(folder, defect, mode)?;
        let inspection = read(&made.join("disc.iso"), false).ok()?;
        // Of some kinds the reader does not call it a fault.
        let mut found = inspection.findings.iter();
        found
            .any(|it| it.id == defect.id() && it.is_to_fix())
            .then_some((mode, made))
    });
    for (mode, made) in discs.take(kinds) {
        tried.disc(&Bench {
            name: mode,
            folder: &made,
            finding: defect.id(),
            only: None,
            verify: false,
        });
        fs::remove_dir_all(made).unwrap();
    }
}

/// Tries those of a disc that real tools made.
fn try_case(tried: &Tried, folder: &Path, base: &Path, case: &Case) {
    if case.finding == Id::EfiSecondStage
        && let Some(why) = no_package(SHIM)
    {
        return leave_out(&why);
    }
    let own = folder.join(case.name.replace([' ', ','], "-"));
    copy(base, &own, true).unwrap();
    let bench = Bench {
        name: case.name,
        folder: &own,
        finding: case.finding,
        only: case.only,
        verify: case.finding == Id::MediaChecksum,
    };
    match case.make(&own) {
        Ok(()) => tried.disc(&bench),
        Err(error) => tried.is_wrong(&bench, None, &error),
    }
    fs::remove_dir_all(own).unwrap();
}

#[test]
fn every_recipe_makes_a_disc_that_boots_and_lacks_the_finding() {
    if let Some(why) = bench::no_loaders() {
        return leave_out(&why);
    }
    let folder = tempfile::tempdir().unwrap();
    let base = folder.path().join("base");
    fs::create_dir(&base).unwrap();
    if let Err(why) = tree(&base) {
        return leave_out(&why);
    }
    let mut jobs: Vec<Job> = cases().into_iter().map(Job::Case).collect();
    let defects = Defect::all().filter(|defect| !defect.id().recipes().is_empty());
    jobs.extend(defects.map(Job::Defect));
    let tried = Tried::default();
    each(jobs, |job| match job {
        Job::Defect(defect) => try_defect(&tried, folder.path(), defect),
        Job::Case(case) => try_case(&tried, folder.path(), &base, &case),
    });
    let done = tried.end();
    let all = Id::ALL.iter().flat_map(|id| {
        let recipes = id.recipes().iter().filter(|recipe| recipe.tried);
        recipes.map(|recipe| (*id, recipe.tool))
    });
    let is_left_out = |&(id, tool): &(Id, Tool)| {
        let no_shim = id == Id::EfiSecondStage && no_package(SHIM).is_some();
        no_shim || lacks(tool).is_some()
    };
    let untried: Vec<(Id, Tool)> = all
        .filter(|recipe| !done.contains(recipe) && !is_left_out(recipe))
        .collect();
    assert!(
        untried.is_empty(),
        "called tried, and not tried: {untried:?}"
    );
}
