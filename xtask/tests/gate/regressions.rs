//! A correct master, wrapped in what goes wrong in mastering tools: the gate is red, and its first line names the field. And in what does no harm: it is
//! green, with at most a line of notes.

use std::fs;

use super::common::{Said, xtask};
use tempfile::TempDir;

const TOOL: &str = r#"name = "mytool"
summary = "xorriso, and what a script does before and after it"
version = { arguments = ["{here}/mytool.py", "--version"], pattern = 'mytool (\S+)' }

[[command]]
modes = "none"
command = "python3 {here}/mytool.py {iso} {tree} -b {boot_image} -no-emul-boot {count}"

[[command]]
modes = "bios+efi"
command = "python3 {here}/mytool.py {iso} {tree} -b {boot_image} -no-emul-boot -boot-load-size 4 -eltorito-alt-boot -e {efi_image} -no-emul-boot"

[deviations]
count = "-boot-load-size {load_sectors}"
"#;

/// `BEFORE` may change the arguments, and `AFTER` the disc's bytes.
const SCRIPT: &str = r#"import os, struct, subprocess, sys
if "--version" in sys.argv:
    print("mytool 3.1")
    sys.exit()
here = os.path.dirname(os.path.abspath(__file__))
iso, tree, boot = sys.argv[1], sys.argv[2], sys.argv[3:]
options = ["-J", "-V", "GATE"]
before, after = open(os.path.join(here, "change")).read().split("---\n")
exec(before)
done = subprocess.run(["xorriso", "-as", "mkisofs", "-quiet", "-o", iso, *options, *boot, tree])
if done.returncode:
    sys.exit(done.returncode)
disc = bytearray(open(iso, "rb").read())
def get(form, at):
    return struct.unpack_from(form, disc, at)[0]
def put(form, at, value):
    struct.pack_into(form, disc, at, value)
def swap(at, length):
    disc[at:at + length] = disc[at:at + length][::-1]
RECORD = 17 * 2048
catalog = get("<I", RECORD + 71) * 2048
first, last = catalog + 32, catalog + 32
has_efi = disc[catalog + 64] in (0x90, 0x91)
if has_efi:
    last = catalog + 96
image = get("<I", first + 8) * 2048
def checksum():
    put("<H", catalog + 28, 0)
    put("<H", catalog + 28, -sum(struct.unpack_from("<16H", disc, catalog)) & 0xFFFF)
exec(after)
open(iso, "wb").write(disc)
"#;

const SCENARIOS: &str = r#"[[scenario]]
name = "bios"
set = "masters"
summary = "eight virtual sectors"
boot = ["none,count=8"]
firmware = ["seabios"]
attach = ["ide"]

[[scenario.expect]]
outcome = "booted"
because = "a test"

[[scenario]]
name = "both"
set = "masters"
summary = "an entry for a BIOS and one for UEFI"
boot = ["bios+efi"]
firmware = ["ovmf"]
attach = ["ahci"]

[[scenario.expect]]
outcome = "booted"
because = "a test"
"#;

pub(crate) struct Gate {
    pub(crate) folder: TempDir,
}

impl Gate {
    /// With what the correct tool does accepted.
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in [
            ("tool.toml", TOOL),
            ("mytool.py", SCRIPT),
            ("gate.toml", SCENARIOS),
        ] {
            fs::write(folder.path().join(name), text).unwrap();
        }
        let gate = Self { folder };
        let accepted = gate.run("", "", &["--accept"]);
        assert_eq!(accepted.code, 0, "{}{}", accepted.stdout, accepted.stderr);
        gate
    }

    pub(crate) fn run(&self, before: &str, after: &str, more: &[&str]) -> Said {
        let path = |name: &str| self.folder.path().join(name).display().to_string();
        fs::write(path("change"), format!("{before}\n---\n{after}\n")).unwrap();
        let (tool, scenarios) = (path("tool.toml"), path("gate.toml"));
        let (baseline, out) = (path("baseline"), path("out"));
        let arguments = [
            "boot-matrix",
            "--accelerator",
            "tcg",
            "--scenarios",
            &scenarios,
            "--master",
            &tool,
            "--baseline",
            &baseline,
            "--out",
            &out,
        ];
        xtask(&[&arguments[..], more].concat())
    }

    /// Each change of a disc's bytes, and what the first line of its cause has.
    fn is_red(&self, regressions: &[(&str, &str)]) {
        for (after, what) in regressions {
            self.is_red_with("", after, what);
        }
    }

    fn is_red_with(&self, before: &str, after: &str, what: &str) {
        let said = self.run(before, after, &[]);
        assert_eq!(
            said.code, 1,
            "{before}{after}: {}{}",
            said.stdout, said.stderr
        );
        let first = said.stdout.lines().find(|line| line.starts_with('✗'));
        let first = first.unwrap_or_else(|| panic!("{after}: {}", said.stdout));
        assert!(first.contains(what), "{before}{after}: {what}: {first}");
        let causes = said.stdout.matches('✗').count();
        let lines = said.stdout.lines().count();
        assert!(lines <= 10 + 5 * causes, "{before}{after}: {}", said.stdout);
        assert!(!said.stdout.contains("could not be run"), "{}", said.stdout);
    }
}

#[test]
fn a_catalog_that_is_wrong() {
    Gate::new().is_red(&[
        // The unit of the count, or the count itself.
        (
            "put('<H', first + 6, get('<H', first + 6) // 4)",
            "sector count of slot 1: 2, was 8",
        ),
        (
            "put('<H', first + 6, get('<H', first + 6) * 4)",
            "sector count of slot 1: 32, was 8",
        ),
        (
            "put('<H', first + 6, 0)",
            "sector count of slot 1: 0, was 8",
        ),
        (
            "put('<H', last + 6, get('<H', last + 6) // 4)",
            "sector count of slot",
        ),
        ("swap(first + 6, 2)", "sector count of slot 1: 2048, was 8"),
        (
            "has_efi and put('<H', last + 6, 1)",
            "sector count of slot 3: 1, was 2880",
        ),
        // The other fields.
        ("put('B', first, 0)", "boot indicator of slot 1: 00, was 88"),
        (
            "has_efi and put('B', last, 0)",
            "boot indicator of slot 3: 00, was 88",
        ),
        (
            "put('B', first + 1, 2)",
            "media type of slot 1: floppy-1440k, was none",
        ),
        (
            "put('<H', first + 2, 0x1000)",
            "load segment of slot 1: 1000, was 07C0",
        ),
        (
            "put('B', catalog + 1, 1); checksum()",
            "platform of slot 0: powerpc, was x86",
        ),
        (
            "has_efi and put('B', catalog + 65, 0)",
            "platform of slot 2: x86, was efi",
        ),
        (
            "has_efi and put('B', catalog + 64, 0x90)",
            "catalog-section-chain",
        ),
        (
            "has_efi and put('<H', catalog + 66, 0)",
            "catalog-section-chain",
        ),
        ("disc[catalog + 28] ^= 1", "catalog-checksum"),
        ("put('B', catalog + 30, 0)", "catalog-key"),
        ("put('B', catalog, 0); checksum()", "catalog-header-id"),
    ]);
}

#[test]
fn an_address_that_is_wrong() {
    Gate::new().is_red(&[
        ("put('<I', first + 8, get('<I', first + 8) + 1)", "1 blocks inside"),
        ("put('<I', first + 8, get('<I', first + 8) - 1)", "slot 1: the image starts at LBA"),
        ("has_efi and put('<I', last + 8, get('<I', last + 8) + 1)", "✗ load RBA of slot 3: "),
        ("swap(first + 8, 4)", "slot 1: the image starts at LBA"),
        ("put('<I', first + 8, get('<I', first + 8) * 4)", "load RBA of slot 1"),
        ("put('<I', first + 8, 0)", "load RBA of slot 1: 0"),
        ("swap(RECORD + 71, 4)", "catalog"),
        ("put('<I', RECORD + 71, get('<I', RECORD + 71) + 1)", "✗ LBA of the boot catalog: "),
        ("put('B', RECORD + 6, 2)", "the boot record has version 2"),
        ("put('B', RECORD + 1, 0x58)", "boot records: none, was 1"),
        ("disc[RECORD + 7:RECORD + 39] = b'EL TORITO SPEC'.ljust(32)", "boot records: none, was 1"),
        ("disc[RECORD:RECORD + 2048], disc[RECORD + 2048:RECORD + 4096] = disc[RECORD + 2048:RECORD + 4096], disc[RECORD:RECORD + 2048]", "boot-record-misplaced"),
    ]);
}

#[test]
fn an_image_or_a_disc_that_is_wrong() {
    let gate = Gate::new();
    gate.is_red(&[
        (
            "disc[image + 512:image + 2048] = bytes(1536)",
            "boot image of slot 1: not what the tool was given, from its byte 512 on",
        ),
        (
            "disc[image:image + 4096] = disc[image:image + 4096].replace(b'\\n', b'\\r\\n')[:4096]",
            "boot image of slot 1: not what the tool was given",
        ),
        ("del disc[len(disc) // 2:]", "volume-size"),
        ("put('<I', 16 * 2048 + 80, 20)", "volume-size"),
    ]);
    gate.is_red_with("raise SystemExit('mytool: internal error: negative extent')", "", "mytool makes no disc: mytool ended with exit status 1: mytool: internal error: negative extent");
    gate.is_red_with(
        "sys.exit(0)",
        "",
        "mytool makes no disc: mytool ended without an error and wrote no disc",
    );
    gate.is_red_with(
        "boot = [it for it in boot if it != '-no-emul-boot']",
        "",
        "mytool makes no disc",
    );
}

#[test]
fn what_does_no_harm() {
    let gate = Gate::new();
    for before in [
        "open(os.path.join(tree, 'more.txt'), 'w').write('more')",
        "open(os.path.join(tree, 'aaa'), 'wb').write(bytes(300000))",
        "os.makedirs(os.path.join(tree, 'a', 'b')); open(os.path.join(tree, 'a', 'b', 'c'), 'w').write('more')",
        "options = ['-V', 'GATE']",
        "options += ['-R']",
        "options += ['-D']",
        "options += ['-no-pad']",
        "options += ['-V', 'OTHER', '-A', 'another application', '-publisher', 'another']",
        "options += ['-iso-level', '3']",
        "options += ['-c', 'other.cat']",
        "options += ['--sort-weight', '7', '/boot']",
        "options += ['--modification-date=2001010100000000']",
        "options += ['-full-iso9660-filenames']",
        "AFTER = 1",
    ] {
        let after = if before == "AFTER = 1" {
            "disc += bytes(2048 * 500)"
        } else {
            ""
        };
        let said = gate.run(before, after, &[]);
        assert_eq!(said.code, 0, "{before}: {}{}", said.stdout, said.stderr);
        assert!(said.stdout.contains("green: 2 cells"), "{}", said.stdout);
        let notes = said
            .stdout
            .lines()
            .filter(|line| line.starts_with("noted: "))
            .count();
        assert!(notes <= 1, "{before}: {}", said.stdout);
    }
    // A longer disc is red for whoever asks for that.
    let strict = gate.run("", "disc += bytes(2048 * 500)", &["--strict"]);
    assert_eq!(strict.code, 1, "{}", strict.stdout);
    assert!(
        strict.stdout.contains("length of the disc in blocks: "),
        "{}",
        strict.stdout
    );
}
