//! Readers that are not ours say where everything stands on a disc as the map does: xorriso on files, isoinfo on
//! directories, mtools on what is in a boot image's file system.

#![expect(
    clippy::unwrap_used,
    reason = "the helpers of a test fail as the test does"
)]

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Command,
};

use images::{
    boot::Boot,
    fat::FatStructure,
    inspect::{DiscFile, Options, Window, inspect},
    map::{DiscMap, Structure, TreeKind},
    medium::Medium,
    reference::master,
    units::{BLOCK_BYTES, ByteCount},
};

fn map(disc: &Path) -> DiscMap {
    let file = DiscFile::open(disc).unwrap();
    let mut window = Window::new(&file);
    let inspection = inspect(&mut window, &Options::default()).unwrap();
    let map = DiscMap::read(&mut window, &inspection);
    assert!(map.is_complete());
    map
}

fn output(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program)
        .args(arguments)
        .output()
        .unwrap_or_else(|error| {
            panic!("cannot run {program}: {error}; `cargo xtask test` installs it")
        });
    let messages = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{program} {arguments:?}: {}\n{messages}",
        output.status
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A tree with what tools write in different ways: deep folders, long names, an empty file, two names of one file.
fn tree(folder: &Path) -> PathBuf {
    let tree = folder.join("tree");
    let deep = tree.join("a/b/c/d/e/f");
    std::fs::create_dir_all(&deep).unwrap();
    std::fs::write(deep.join("a name that is quite long.text"), [1; 5_000]).unwrap();
    std::fs::write(tree.join("empty"), "").unwrap();
    std::fs::write(tree.join("boot.img"), vec![2; 1_474_560]).unwrap();
    std::fs::write(tree.join("one"), [3; 2_048]).unwrap();
    std::fs::hard_link(tree.join("one"), tree.join("another name of one")).unwrap();
    for number in 0..100 {
        std::fs::write(tree.join(format!("a/number {number}")), number.to_string()).unwrap();
    }
    tree
}

/// Discs of three masters, and those that Debian's packages have, if they are installed.
fn discs(folder: &Path) -> Vec<PathBuf> {
    let tree = tree(folder);
    let tree = tree.to_str().unwrap();
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let (by_xorriso, by_genisoimage) = (path("xorriso.iso"), path("genisoimage.iso"));
    output(
        "xorriso",
        &[
            "-as",
            "mkisofs",
            "-R",
            "-J",
            "-b",
            "boot.img",
            "-c",
            "boot.cat",
            "-o",
            &by_xorriso,
            tree,
        ],
    );
    output(
        "genisoimage",
        &[
            "-quiet",
            "-R",
            "-J",
            "-joliet-long",
            "-b",
            "boot.img",
            "-c",
            "boot.cat",
            "-o",
            &by_genisoimage,
            tree,
        ],
    );
    let mut discs: Vec<PathBuf> = vec![by_xorriso.into(), by_genisoimage.into()];
    let reference = [
        ("-", "bios+efi,hybrid=gpt"),
        ("-", "efi,fat=32"),
        ("bd-25", "hard-disk,place=end"),
    ];
    for (index, (medium, boot)) in reference.into_iter().enumerate() {
        let medium: Option<Medium> = (medium != "-").then(|| medium.parse().unwrap());
        let boot: Boot = boot.parse().unwrap();
        let disc = master("independent-map/-/-/-/reference", medium, &boot, None).unwrap();
        let at = folder.join(index.to_string());
        std::fs::create_dir(&at).unwrap();
        disc.write_to(&at).unwrap();
        discs.push(at.join("disc.iso"));
    }
    let packaged = [
        "/usr/lib/memtest86+/memtest86+x64.iso",
        "/usr/lib/grub-rescue/grub-rescue-cdrom.iso",
    ];
    discs.extend(
        packaged
            .map(PathBuf::from)
            .into_iter()
            .filter(|disc| disc.exists()),
    );
    discs
}

#[test]
fn xorriso_finds_every_file_where_the_map_has_it() {
    let folder = tempfile::tempdir().unwrap();
    for disc in discs(folder.path()) {
        let map = map(&disc);
        let said = output(
            "xorriso",
            &[
                "-indev",
                disc.to_str().unwrap(),
                "-find",
                "/",
                "-type",
                "f",
                "-exec",
                "report_lba",
            ],
        );
        let mut files = 0;
        for line in said
            .lines()
            .filter_map(|line| line.strip_prefix("File data lba:"))
        {
            let columns: Vec<&str> = line.splitn(5, ',').map(str::trim).collect();
            let [extent, start, blocks, _, path] = columns[..] else {
                panic!("{line}")
            };
            let path = path.trim_matches('\'');
            let (start, blocks): (u64, u64) = (start.parse().unwrap(), blocks.parse().unwrap());
            if blocks == 0 {
                continue;
            }
            files += 1;
            let owned = map.whose(start * BLOCK_BYTES, ByteCount::new(blocks * BLOCK_BYTES));
            let named = owned.iter().all(|owned| match owned.what.as_ref().unwrap() {
                Structure::File { path: known } => known == path || path.contains("one") && known.contains("one"),
                Structure::BootImage { path: known, .. } => known.as_deref() == Some(path),
                Structure::Fat { holder, .. } => matches!(&**holder, Structure::BootImage { path: Some(known), .. } if known == path),
                Structure::Catalog => path.to_lowercase().contains("boot.cat"),
                _ => false,
            });
            assert!(
                named,
                "{}: {path}, extent {extent}: {owned:?}",
                disc.display()
            );
            let around = map.extents().iter().find(|known| {
                known.offset == start * BLOCK_BYTES && known.bytes.get() == blocks * BLOCK_BYTES
            });
            assert!(around.is_some(), "{}: {line}", disc.display());
        }
        assert!(files > 1, "{}: {said}", disc.display());
    }
}

#[test]
fn isoinfo_finds_every_directory_where_the_map_has_it() {
    let folder = tempfile::tempdir().unwrap();
    for disc in discs(folder.path()) {
        for (tree, options) in [(TreeKind::Primary, "-lR"), (TreeKind::Supplementary, "-lJ")] {
            let known: BTreeMap<u64, String> = map(&disc)
                .extents()
                .iter()
                .filter_map(|extent| match &extent.what {
                    Structure::Directory { path, tree: of } if *of == tree => {
                        Some((extent.offset / BLOCK_BYTES, path.clone()))
                    }
                    _ => None,
                })
                .collect();
            if known.is_empty() && tree == TreeKind::Supplementary {
                continue;
            }
            let said = output("isoinfo", &[options, "-i", disc.to_str().unwrap()]);
            assert_eq!(known, directories(&said), "{}", disc.display());
        }
    }
}

/// The directories in `isoinfo -l`: where each is, by the record of itself.
fn directories(said: &str) -> BTreeMap<u64, String> {
    let mut found = BTreeMap::new();
    let mut path = String::new();
    for line in said.lines() {
        if let Some(listing) = line.strip_prefix("Directory listing of ") {
            let listing = listing.trim_end_matches('/').trim_end();
            path = if listing.is_empty() {
                "/".to_owned()
            } else {
                listing.to_owned()
            };
        } else if let Some((columns, name)) = line.rsplit_once("]  ")
            && name.trim() == "."
        {
            let start = columns
                .rsplit('[')
                .next()
                .unwrap()
                .split_whitespace()
                .next()
                .unwrap();
            found.insert(
                start.parse().unwrap(),
                path.trim_end_matches('/').to_owned(),
            );
            if path == "/" {
                found.insert(start.parse().unwrap(), path.clone());
            }
        }
    }
    found
}

#[test]
fn mtools_finds_every_file_of_a_boot_image_where_the_map_has_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut files = 0;
    for disc in discs(folder.path()) {
        let map = map(&disc);
        let mut parts: BTreeMap<String, Vec<(u64, u64)>> = BTreeMap::new();
        let mut start = None;
        for extent in map.extents() {
            let Structure::Fat { part, .. } = &extent.what else {
                continue;
            };
            match part {
                FatStructure::BootSector => start = Some(extent.offset),
                FatStructure::File { path } => {
                    let runs = parts.entry(path.clone()).or_default();
                    runs.push((extent.offset, extent.bytes.get()));
                }
                _ => {}
            }
        }
        let Some(start) = start else { continue };
        for (path, runs) in parts {
            let image = format!("{}@@{start}", disc.display());
            let name = format!("::{}", path.replace('\\', "/"));
            let first: Vec<String> = output("minfo", &["-i", &image, "::"])
                .lines()
                .map(str::to_owned)
                .collect();
            let number = |label: &str| -> u64 {
                let line = first.iter().find(|line| line.starts_with(label)).unwrap();
                let value = line.split([':', '=']).nth(1).unwrap().trim();
                value.split_whitespace().next().unwrap().parse().unwrap()
            };
            let cluster = number("cluster size") * 512;
            let said = output("mshowfat", &["-i", &image, &name]);
            // `::/EFI/BOOT/BOOTX64.EFI <4-287>`
            let chain = said.rsplit_once('<').unwrap().1.split('>').next().unwrap();
            let (from, to) = chain.split_once('-').unwrap_or((chain, chain));
            let (from, to): (u64, u64) = (from.parse().unwrap(), to.parse().unwrap());
            let length: u64 = runs.iter().map(|run| run.1).sum();
            assert_eq!(length, (to - from + 1) * cluster, "{image}{path}: {said}");
            // Where clusters begin: the same bytes stand there.
            let copied = folder.path().join("copied");
            let _ = std::fs::remove_file(&copied);
            output("mcopy", &["-i", &image, &name, copied.to_str().unwrap()]);
            let copied = std::fs::read(&copied).unwrap();
            let file = DiscFile::open(&disc).unwrap();
            let mut window = Window::new(&file);
            let mut seen = Vec::new();
            for (offset, length) in runs {
                let mut bytes = vec![0; usize::try_from(length).unwrap()];
                window.read(offset, &mut bytes);
                seen.extend(bytes);
            }
            seen.truncate(copied.len());
            assert_eq!(seen, copied, "{image}{path}");
            files += 1;
        }
    }
    assert!(files >= 2);
}
