//! The conformance kit, as the author of a writer or of a reader meets it.

#![expect(
    clippy::unwrap_used,
    reason = "the helpers of a test fail as the test does"
)]

mod common;

use std::{fs, path::Path, process::Command};

use common::xtask;
use serde_json::Value;

const TOOL: &str = r#"name = "mytool"
summary = "genisoimage, and what goes wrong after it"
deadline = 2

[[command]]
modes = "none"
command = "python3 {here}/mytool.py {iso} -quiet -o {iso} -V {volume_id} -b {boot_image} -no-emul-boot {boot_info} {count} {segment} {tree}"

[deviations]
count = "-boot-load-size {load_sectors}"
segment = "-boot-load-seg 0x{load_segment}"
boot-info = "-boot-info-table"
"#;

const SCRIPT: &str = r#"import os, signal, struct, subprocess, sys
change = open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "change")).read()
if change == "hang":
    signal.pause()
if change == "nothing":
    sys.exit()
if change == "crash":
    sys.exit("mytool: out of cheese")
done = subprocess.run(["genisoimage", *sys.argv[2:]])
if done.returncode:
    sys.exit(done.returncode)
iso = sys.argv[1]
disc = bytearray(open(iso, "rb").read())
catalog = struct.unpack_from("<I", disc, 17 * 2048 + 71)[0] * 2048
entry = catalog + 32
image = struct.unpack_from("<I", disc, entry + 8)[0] * 2048
exec(change)
open(iso, "wb").write(disc)
"#;

/// Two discs of the kit: an entry with all its fields said, and a boot-info table.
const KIT: &str = r#"version = 1

[[disc]]
id = "entry"
level = "required"
boot = "none,count=4,segment=1000"
firmware = ["seabios"]
reason = "a test"
source = "El Torito §2.2"

[[disc]]
id = "table"
level = "optional"
boot = "none,boot-info=isolinux"
firmware = ["seabios"]
reason = "a test"
source = "mkisofs(8)"
"#;

#[test]
fn a_writer_that_breaks_a_field_fails_with_that_field() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    for (name, text) in [
        ("mytool.toml", TOOL),
        ("mytool.py", SCRIPT),
        ("kit.toml", KIT),
    ] {
        fs::write(path(name), text).unwrap();
    }
    let run = |change: &str, more: &[&str]| {
        fs::write(path("change"), change).unwrap();
        let (tool, kit, out) = (path("mytool.toml"), path("kit.toml"), path("out"));
        let arguments = [
            "conformance",
            &tool,
            "--kit",
            &kit,
            "--out",
            &out,
            "--bytes-only",
        ];
        xtask(&[&arguments[..], more].concat())
    };
    let badge = path("badge.svg");
    let right = run("", &["--badge", &badge]);
    assert_eq!(right.code, 0, "{}{}", right.stdout, right.stderr);
    assert!(
        right.stdout.contains("1 of 1 required, 1 of 1 optional"),
        "{}",
        right.stdout
    );
    assert!(fs::read_to_string(&badge).unwrap().starts_with("<svg"));
    let json = run("", &["--format", "json"]).json();
    assert_eq!(json["schema"], "conformance/1");
    for (change, what) in [
        ("disc[catalog + 28] ^= 1", "checksum"),
        ("disc[entry + 1] = 2", "media type of slot 1"),
        (
            "struct.pack_into('<H', disc, entry + 2, 0x2000)",
            "load segment of slot 1",
        ),
        (
            "struct.pack_into('<H', disc, entry + 6, 1)",
            "of slot 1 is 1, not 4",
        ),
        (
            "struct.pack_into('<I', disc, entry + 8, image // 2048 + 1)",
            "load RBA",
        ),
        ("disc[image + 1500] ^= 1", "slot 1"),
    ] {
        let wrong = run(change, &[]);
        assert_eq!(wrong.code, 1, "{change}: {}", wrong.stdout);
        let mut lines = wrong.stdout.lines();
        let failed = lines.find(|line| line.starts_with("fail"));
        assert!(failed.is_some(), "{change}: {}", wrong.stdout);
        let why = lines.next().unwrap();
        assert!(why.contains(what), "{change}: {why}");
    }
    for (change, what) in [
        ("hang", "2 s"),
        ("nothing", "wrote no disc"),
        ("crash", "out of cheese"),
    ] {
        let wrong = run(change, &[]);
        assert_eq!(wrong.code, 1, "{change}: {}{}", wrong.stdout, wrong.stderr);
        assert!(wrong.stdout.contains(what), "{change}: {}", wrong.stdout);
    }
    fs::write(path("kit.toml"), KIT.replace("version = 1", "version = 7")).unwrap();
    let other = run("", &[]);
    assert_eq!(other.code, 2, "{}", other.stdout);
    assert!(other.stderr.contains("version"), "{}", other.stderr);
}

/// What xorriso finds on the discs for readers is what their JSON says, where it takes the disc for a bootable one.
#[test]
fn another_reader_finds_what_the_golden_discs_say() {
    let folder = tempfile::tempdir().unwrap();
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut compared = 0;
    for entry in fs::read_dir(workspace.join("conformance/reader")).unwrap() {
        let disc = entry.unwrap().path();
        if disc.extension().is_none_or(|it| it != "disc") {
            continue;
        }
        let says: Value =
            serde_json::from_slice(&fs::read(disc.with_extension("json")).unwrap()).unwrap();
        let iso = folder.path().join("disc.iso").display().to_string();
        let made = xtask(&["image", disc.to_str().unwrap(), "--out", &iso]);
        assert_eq!(made.code, 0, "{}", made.stderr);
        let size = fs::metadata(&iso).unwrap().len();
        assert_eq!(says["size_bytes"], size, "{}", disc.display());
        let report = Command::new("xorriso")
            .args(["-indev", &iso, "-report_el_torito", "plain"])
            .output()
            .unwrap();
        let report = String::from_utf8_lossy(&report.stdout).into_owned();
        fs::remove_file(&iso).unwrap();
        let Some(catalog) = report
            .lines()
            .find(|it| it.starts_with("El Torito catalog"))
        else {
            continue;
        };
        let lba = catalog.split_whitespace().nth(4).unwrap();
        assert_eq!(says["catalog_lba"].to_string(), lba, "{}", disc.display());
        let images = report
            .lines()
            .filter(|it| it.starts_with("El Torito boot img"));
        // Its number, platform, bootable, emulation, segment, system type, load size, LBA.
        for (image, entry) in images.zip(says["entries"].as_array().unwrap()) {
            let words: Vec<&str> = image
                .split_once(':')
                .unwrap()
                .1
                .split_whitespace()
                .collect();
            let hexadecimal =
                |word: &str| u64::from_str_radix(word.trim_start_matches("0x"), 16).unwrap();
            let is = (
                words[2] == "y",
                hexadecimal(words[4]),
                hexadecimal(words[5]),
                words[6].to_owned(),
                words[7].to_owned(),
            );
            let says = (
                entry["bootable"].as_bool().unwrap(),
                entry["load_segment"].as_u64().unwrap(),
                entry["system_type"].as_u64().unwrap(),
                entry["sector_count_512"].to_string(),
                entry["load_rba_2048"].to_string(),
            );
            assert_eq!(is, says, "{}: {image}", disc.display());
            compared += 1;
        }
    }
    assert!(compared > 12, "{compared}");
}

/// What is kept of tools is what they do, where one is here in the version that was tried. All of them take a minute and a half.
#[test]
fn the_results_that_are_kept_are_what_the_tools_do() {
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("../conformance/results");
    let doctor = xtask(&["doctor", "--format", "json"]).json();
    // Nothing is fetched for a test.
    let is_here = |tool: &str, version: &str| {
        let listed = ["needs", "optional"]
            .into_iter()
            .flat_map(|key| doctor[key].as_array().unwrap());
        tool == "reference"
            || listed.into_iter().any(|need| {
                let found = need["found"].as_str().unwrap_or_default();
                need["name"] == tool && found.split(' ').next() == Some(version)
            })
    };
    for name in ["reference.json", "genisoimage.json", "bsdtar.json"] {
        let kept = fs::read(kept.join(name)).unwrap();
        let kept: Value = serde_json::from_slice(&kept).unwrap();
        let (tool, version) = (kept["tool"].as_str().unwrap(), kept["version"].as_str());
        let Some(version) = version.filter(|version| is_here(tool, version)) else {
            println!("{tool} is not here as it was: not tried");
            continue;
        };
        let out = tempfile::tempdir().unwrap();
        let out = out.path().to_str().unwrap();
        let words = [
            "conformance",
            tool,
            "--bytes-only",
            "--format",
            "json",
            "--out",
            out,
        ];
        let now = xtask(&words).json();
        let results = |report: &Value| -> Vec<(Value, Value, Vec<Value>)> {
            let discs = report["discs"].as_array().unwrap().iter();
            let fields = |disc: &Value| {
                let faults = disc["faults"].as_array().unwrap().iter();
                faults.map(|fault| fault["field"].clone()).collect()
            };
            discs
                .map(|disc| (disc["id"].clone(), disc["result"].clone(), fields(disc)))
                .collect()
        };
        assert_eq!(results(&now), results(&kept), "{tool} {version}");
    }
}
