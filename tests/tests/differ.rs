//! Discs that real tools master twice, on other days and with other contents, differ in nothing that firmware reads;
//! damage to one is named.

#![expect(
    clippy::unwrap_used,
    reason = "the helpers of a test fail as the test does"
)]

use std::{
    fs,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    process::Command,
};

use images::{
    differ::{Side, first_difference},
    inspect::{DiscFile, Inspection, Options, Window, inspect},
    map::DiscMap,
};

fn compare(good: &Path, other: &Path) -> String {
    let files = (
        DiscFile::open(good).unwrap(),
        DiscFile::open(other).unwrap(),
    );
    let (mut good, mut other) = (Window::new(&files.0), Window::new(&files.1));
    let read = |disc: &mut Window<'_>| {
        let inspection = inspect(disc, &Options::default()).unwrap();
        let map = DiscMap::read(disc, &inspection);
        (inspection, map)
    };
    let (there, here): ((Inspection, DiscMap), (Inspection, DiscMap)) =
        (read(&mut good), read(&mut other));
    let good = Side {
        disc: &mut good,
        inspection: &there.0,
        map: &there.1,
    };
    let other = Side {
        disc: &mut other,
        inspection: &here.0,
        map: &here.1,
    };
    first_difference(good, other).map_or_else(|| "nothing".to_owned(), |found| found.to_string())
}

/// A disc of a BIOS image with a boot-info table and of files, so many that its tree and its images stand elsewhere
/// on each disc.
fn mastered(folder: &Path, tool: &str, files: u16) -> PathBuf {
    let tree = folder.join(format!("{files}-{tool}"));
    fs::create_dir(&tree).unwrap();
    for number in 0..files {
        fs::write(tree.join(format!("f{number}")), vec![1; 9_000]).unwrap();
    }
    let code: Vec<u8> = (0..9_000_u32)
        .map(|number| number.to_le_bytes()[0] ^ 0x5A)
        .collect();
    fs::write(tree.join("loader.bin"), code).unwrap();
    let iso = folder.join(format!("{files}-{tool}.iso"));
    let mut command = Command::new(tool);
    if tool == "xorriso" {
        command.args(["-as", "mkisofs"]);
    }
    let output = command
        .args([
            "-R",
            "-J",
            "-V",
            &format!("DISC{files}"),
            "-b",
            "loader.bin",
            "-c",
            "boot.cat",
        ])
        .args([
            "-no-emul-boot",
            "-boot-load-size",
            "4",
            "-boot-info-table",
            "-o",
        ])
        .args([&iso, &tree])
        .output()
        .unwrap_or_else(|error| {
            panic!("cannot run {tool}: {error}; `cargo xtask test` installs it")
        });
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    iso
}

#[test]
fn layout_names_and_dates_are_no_difference() {
    let folder = tempfile::tempdir().unwrap();
    for tool in ["xorriso", "genisoimage"] {
        let (one, other) = (
            mastered(folder.path(), tool, 2),
            mastered(folder.path(), tool, 200),
        );
        assert_eq!(compare(&one, &other), "nothing", "{tool}");
        let file = fs::OpenOptions::new()
            .write(true)
            .read(true)
            .open(&other)
            .unwrap();
        let bytes = fs::read(&other).unwrap();
        let lba = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
        let catalog = u64::from(lba(17 * 2048 + 0x47)) * 2048;
        let image = u64::from(lba(usize::try_from(catalog).unwrap() + 40)) * 2048;
        // A table that names another address than the image's own is one of another disc.
        file.write_all_at(&[7], image + 12).unwrap();
        let said = compare(&one, &other);
        let at = image + 12;
        let expected = format!(
            "byte 12 of virtual sector 0 of the boot image of slot 1 (byte {at}, slot 1): "
        );
        assert!(said.starts_with(&expected), "{tool}: {said}");
        file.write_all_at(&[0xFF, 0xFF], catalog + 38).unwrap();
        assert_eq!(
            compare(&one, &other),
            format!(
                "the initial entry's sector count (byte {}, slot 1): 0x0004 there, 0xFFFF here",
                catalog + 38
            )
        );
    }
}

#[test]
fn a_packaged_disc_differs_where_it_was_damaged() {
    let original = Path::new("/usr/lib/memtest86+/memtest86+x64.iso");
    let Ok(bytes) = fs::read(original) else {
        eprintln!("left out, there is no {}", original.display());
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy.iso");
    fs::write(&copy, &bytes).unwrap();
    assert_eq!(compare(original, &copy), "nothing");
    let catalog = u32::from_le_bytes(bytes[34_887..34_891].try_into().unwrap()) as usize * 2048;
    let mut damaged = bytes.clone();
    damaged[catalog + 0x1C] ^= 1;
    fs::write(&copy, &damaged).unwrap();
    let said = compare(original, &copy);
    let at = catalog + 0x1C;
    assert!(
        said.starts_with(&format!(
            "the validation entry's checksum (byte {at}, slot 0): 0x"
        )),
        "{said}"
    );
}
