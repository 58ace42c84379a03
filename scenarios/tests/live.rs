//! Every live disc that this repository describes can be made, healthy and damaged, where its packages can be had. On a healthy one nothing is wrong.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on fails, and that is said by its panic"
)]

extern crate boot_matrix_scenarios as scenarios;

use std::{fs, path::Path, time::SystemTime};

use harness::live::{Layout, Stock};
use images::{
    finding::FindingId,
    inspect::{self, DiscFile, Options, Window},
};
use scenarios::{
    disc::{self, Disc},
    id::DiscId,
    live::Live,
    matrix::Folder,
};

fn layouts() -> Vec<(String, Layout)> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let folder = Folder::shipped_live(workspace);
    let mut layouts: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|it| it == "toml"))
        .map(|path| {
            let layout = Layout::read(&path).unwrap();
            let name = path.file_stem().unwrap().to_str().unwrap();
            (name.to_owned(), layout)
        })
        .collect();
    layouts.sort_by(|one, other| one.0.cmp(&other.0));
    layouts
}

#[test]
fn every_disc_can_be_made_and_read() {
    let program = std::env::current_exe().unwrap();
    let target = program.ancestors().nth(3).unwrap();
    let stock = Stock::in_folder(target.join("live"));
    let layouts = layouts();
    let names = layouts.iter().flat_map(|(_, layout)| layout.all_packages());
    // A host without Debian's packages makes none.
    drop(stock.fetch(names, |line| eprintln!("{line}")));
    let folder = tempfile::tempdir_in(target).unwrap();
    let began = SystemTime::now();
    let mut wrong = Vec::new();
    for (name, layout) in &layouts {
        if let Some(why) = layout.lacks(&stock) {
            eprintln!("{name}: skipped: {why}");
            continue;
        }
        for word in Live::words(name, layout) {
            let id = DiscId::new(["live", "-", &word, "-", "-"]).unwrap();
            let live = Live::read(&layout.here, &word).unwrap();
            match disc::live_once(&live, &id, folder.path(), began, &stock) {
                Ok(Disc::Made { iso, .. }) => {
                    let disc = DiscFile::open(&iso).unwrap();
                    let read = inspect::inspect(&mut Window::new(&disc), &Options::default());
                    let read = read.unwrap();
                    // Its boot image for a BIOS is the boot code of a disk, which gives control back.
                    let meant = (word == "press-any-key").then_some(FindingId::ImageNoLoader);
                    let to_fix = read.findings.iter().filter(|it| it.is_to_fix());
                    let to_fix = to_fix.filter(|it| Some(it.id) != meant);
                    if word == *name {
                        wrong.extend(to_fix.map(|it| format!("{word}: {}: {}", it.id, it.message)));
                    }
                    let has_catalog = read.catalog.is_some();
                    if has_catalog == word.ends_with("burnt-as-a-file") {
                        wrong.push(format!("{word}: catalog {has_catalog}"));
                    }
                    fs::remove_file(iso).unwrap();
                }
                Ok(Disc::Refused(words)) => wrong.push(format!("{word}: {words:?}")),
                Err(error) => wrong.push(format!("{word}: {error}")),
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_damage_that_is_not_known_is_answered_with_the_nearest() {
    let (_, layout) = layouts()
        .into_iter()
        .find(|(name, _)| name == "isolinux")
        .unwrap();
    let error = Live::read(&layout.here, "isolinux,damage=no-kernl").unwrap_err();
    assert!(error.to_string().contains("no-kernel"), "{error}");
    assert!(Live::read(&layout.here, "nothing").is_err());
}
