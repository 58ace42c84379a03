//! `repro`: what a person who holds a disc that does not boot is told, and what is left alone.

#![expect(
    clippy::unwrap_used,
    reason = "the helpers of a test fail as the test does"
)]

#[expect(dead_code, reason = "shared with tests that read JSON that way")]
#[path = "../common/mod.rs"]
mod common;
mod firmware;
#[path = "../common/rescue.rs"]
mod rescue;

use std::{
    fs::{self, File},
    os::unix::{
        fs::{FileExt, MetadataExt, PermissionsExt},
        net::UnixListener,
    },
    path::{Path, PathBuf},
    process::Command,
};

use common::{Said, xtask};
use rescue::{GRUB, rescue_disc};
use serde_json::Value;
use tempfile::TempDir;

/// A folder with discs.
struct Bench(TempDir);

impl Bench {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, bytes).unwrap();
        path
    }

    /// GRUB's rescue CD, its boot image's key bytes gone (Debian package `grub-rescue-pc`).
    fn without_key(&self) -> PathBuf {
        let mut bytes = rescue_disc(*b"-1");
        let pointer = bytes[17 * 2048 + 0x47..][..4].try_into().unwrap();
        let catalog = u32::from_le_bytes(pointer) as usize * 2048;
        bytes[catalog + 0x1E..][..2].fill(0);
        self.write("customer.iso", &bytes)
    }

    /// Runs the verb on a disc, all that it leaves in a folder here.
    fn repro(&self, disc: &Path, arguments: &[&str]) -> Said {
        let out = self.path("out");
        let mut words = vec![
            "repro",
            disc.to_str().unwrap(),
            "--accelerator",
            "tcg",
            "--out",
            out.to_str().unwrap(),
        ];
        words.extend(arguments);
        xtask(&words)
    }

    fn json(&self, disc: &Path, arguments: &[&str]) -> (i32, Value) {
        let said = self.repro(disc, &[arguments, &["--format", "json"]].concat());
        (
            said.code,
            serde_json::from_str(&said.stdout).expect(&said.stderr),
        )
    }
}

#[test]
fn a_refused_disc_is_explained_cut_down_and_left_as_it_was() {
    let bench = Bench::new();
    let disc = bench.without_key();
    let before = (
        fs::read(&disc).unwrap(),
        fs::metadata(&disc).unwrap().mtime_nsec(),
    );
    let good = bench.write("good.iso", &rescue_disc(*b"-1"));
    let good = good.to_str().unwrap();
    let narrow = ["--attach", "ide,virtio-blk", "--bundle", "--good", good];
    let said = bench.repro(&disc, &narrow);
    // It is for a BIOS alone, and starts there as a disk.
    assert_eq!(said.code, 0, "{}", said.stderr);
    for told in [
        "SeaBIOS refuses it as a CD (ide)",
        "code 000a",
        "the validation entry has no key bytes",
        "catalog-key",
        "to fix it: Write 55 at byte 1Eh",
        "SeaBIOS hands over to it as a disk (virtio-blk)",
        "The first difference from",
        "the validation entry's key bytes",
    ] {
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(
            words(&said.stdout).contains(told),
            "{told}: {}",
            said.stdout
        );
    }
    assert_eq!(fs::read(&disc).unwrap(), before.0);
    assert_eq!(fs::metadata(&disc).unwrap().mtime_nsec(), before.1);

    // First whether it starts. What GRUB comes to on the disk depends on how busy the host is, and is not held against anything here.
    for told in [
        "SeaBIOS does not start the disc (ide): refused (000a).\n",
        "\nOVMF does not start the disc (ide, virtio-blk): refused (Not Found).\n",
    ] {
        assert!(said.stdout.contains(told), "{told}: {}", said.stdout);
    }
    assert!(!said.stdout.contains("starts it"), "{}", said.stdout);

    // The same length, and a few kilobytes in it. No program of anybody's: only what leads there.
    let small = bench.path("small.iso");
    let out = bench.path("distilled");
    let distil = [
        "repro",
        disc.to_str().unwrap(),
        "--attach",
        "ide",
        "--distil",
        small.to_str().unwrap(),
        "--out",
        out.to_str().unwrap(),
    ];
    let said = xtask(&distil);
    assert_eq!(said.code, 1, "{}", said.stderr);
    let text = fs::read_to_string(bench.path("small.disc")).unwrap();
    assert_eq!(fs::metadata(&small).unwrap().len(), before.0.len() as u64);
    assert!(text.len() < 64 << 10, "{} bytes of text", text.len());
    assert!(!said.stderr.contains("eltorito.img"), "{}", said.stderr);
    for told in [
        "contents of programs and files in it: none",
        "names of files in it: directory /\n",
        "label and dates",
    ] {
        assert!(said.stderr.contains(told), "{told}: {}", said.stderr);
    }
    // Whoever gets the text alone has the disc again.
    let rebuilt = bench.path("rebuilt.iso");
    let text_file = bench.path("small.disc");
    let image = [
        "image",
        text_file.to_str().unwrap(),
        "--out",
        rebuilt.to_str().unwrap(),
    ];
    let made = xtask(&image);
    assert_eq!(made.code, 0, "{}", made.stderr);
    assert!(fs::read(&rebuilt).unwrap() == fs::read(&small).unwrap());

    for file in [
        "report.md",
        "report.json",
        "inspection.json",
        "results.json",
    ] {
        assert!(bench.path("out").join(file).exists(), "{file}");
    }
    let cell = bench.path("out/cells/repro/-/customer/-/-/seabios/ide");
    for file in [
        "replay.sh",
        "serial.raw",
        "screen.txt",
        "screenshot.png",
        "reads.txt",
    ] {
        assert!(cell.join(file).exists(), "{file}");
    }
    let reads = fs::read_to_string(cell.join("reads.txt")).unwrap();
    assert!(reads.contains("48 98304 2048 catalog"), "{reads}");
    assert!(bench.path("out.tar.zst").exists());
}

#[test]
fn a_failure_that_is_promoted_is_a_scenario_that_passes() {
    let bench = Bench::new();
    let disc = bench.without_key();
    let folder = bench.path("scenarios");
    fs::create_dir(&folder).unwrap();
    let folder = folder.to_str().unwrap();
    let promote = [
        "--promote",
        "no-key",
        "--scenarios",
        folder,
        "--attach",
        "ide",
        "--firmware",
        "seabios",
    ];
    let said = bench.repro(&disc, &promote);
    assert_eq!(said.code, 1, "{}", said.stderr);
    // It needs nothing but the text.
    fs::remove_file(&disc).unwrap();
    let out = bench.path("again");
    let again = [
        "boot-matrix",
        "--scenarios",
        folder,
        "--out",
        out.to_str().unwrap(),
    ];
    let said_again = xtask(&again);
    assert_eq!(
        said_again.code, 0,
        "{}{}",
        said_again.stdout, said_again.stderr
    );
    assert!(
        said_again.stdout.contains("1 cell: 1 as expected"),
        "{}",
        said_again.stdout
    );
    let snapshot = bench.path("scenarios/snapshots/no-key/-/no-key/-/-/seabios/ide.snap");
    let snapshot = fs::read_to_string(snapshot).unwrap();
    assert!(
        snapshot.contains("code: 000a") && snapshot.contains("catalog-key"),
        "{snapshot}"
    );

    let taken = bench.write("other.iso", &fs::read(GRUB).unwrap());
    let said = bench.repro(&taken, &promote);
    assert_eq!(said.code, 2, "{}", said.stderr);
    assert!(
        said.stderr.contains("no-key.toml already exists"),
        "{}",
        said.stderr
    );
}

#[test]
fn what_is_expected_decides_for_a_program_that_is_no_probe() {
    let bench = Bench::new();
    let narrow = ["--attach", "ide", "--firmware", "seabios", "--expect"];
    let (code, report) = bench.json(
        Path::new(GRUB),
        &[&narrow[..], &["GNU GRUB +version"]].concat(),
    );
    assert_eq!(code, 0);
    assert_eq!(report["schema"], "boot-matrix/1");
    assert_eq!(report["totals"]["observed"], 1);
    let cell = &report["cells"][0];
    assert_eq!(cell["outcome"]["kind"], "booted");
    assert_eq!(
        (&cell["expected"], &cell["verdict"]),
        (&Value::Null, &Value::from("observed"))
    );
    let (code, report) = bench.json(
        Path::new(GRUB),
        &[
            &narrow[..],
            &[
                "never to be seen",
                "--timeout",
                "4",
                "--memory",
                "96",
                "--cpu",
                "max",
            ],
        ]
        .concat(),
    );
    assert_eq!(
        code, 1,
        "handing over is not enough where something is expected"
    );
    assert_eq!(report["cells"][0]["outcome"]["kind"], "handed-over");
    let detail = report["cells"][0]["outcome"]["detail"].as_str().unwrap();
    assert!(
        detail.contains("the expected text \"never to be seen\" did not come")
            && detail.contains("the screen shows: "),
        "{detail}"
    );
    assert_eq!(
        report["cells"][0]["start"], "cold",
        "another machine has no checkpoint"
    );
}

#[test]
fn what_could_not_be_run_says_nothing_of_the_disc() {
    let bench = Bench::new();
    let disc = bench.without_key();
    // QEMU answers what it is asked, and boots nothing.
    let script = "#!/bin/sh\ncase \"$*\" in *-blockdev*) echo 'no more memory' >&2; exit 1;; esac\nexec qemu-system-x86_64 \"$@\"\n";
    let qemu = bench.write("qemu", script.as_bytes());
    fs::set_permissions(&qemu, fs::Permissions::from_mode(0o755)).unwrap();
    let narrow = ["--firmware", "seabios", "--attach", "ide", "--cold"];
    let said = bench.repro(
        &disc,
        &[&narrow[..], &["--qemu", qemu.to_str().unwrap()]].concat(),
    );
    assert_eq!(said.code, 3, "{}", said.stderr);
    for told in [
        "SeaBIOS could not be tried (ide): error, the run failed and not the disc.\n",
        "\nseabios   error\n",
        "seabios/ide: error, the run failed and not the disc: QEMU ended by itself",
    ] {
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(
            words(&said.stdout).contains(&words(told)),
            "{told}: {}",
            said.stdout
        );
    }
    assert!(!said.stdout.contains("infra"), "{}", said.stdout);
    assert!(!said.stderr.contains("infra"), "{}", said.stderr);
}

#[test]
fn a_user_s_words_are_believed_and_a_bad_file_of_them_is_refused() {
    let bench = Bench::new();
    let words = bench.write(
        "words.toml",
        b"program = \"rescue\"\n[[words]]\nstate = \"gave-up\"\nstage = \"loader\"\npattern = '^Press any key to continue'\n\
          means = \"It is only the rescue disc.\"\nseen = \"grub-rescue-pc\"\n",
    );
    let disc = bench.write("rescue.iso", &rescue_disc(*b"0 "));
    let narrow = ["--attach", "ide", "--firmware", "seabios", "--words"];
    let said = bench.repro(&disc, &[&narrow[..], &[words.to_str().unwrap()]].concat());
    assert_eq!(said.code, 1, "{}", said.stderr);
    assert!(
        said.stdout.contains(
            "and rescue gave up:\n    Press any key to continue...\nIt is only the rescue disc. "
        ) && said
            .stdout
            .starts_with("SeaBIOS does not start the disc (ide): rescue gave up.\n"),
        "{}",
        said.stdout
    );
    assert!(!said.stdout.contains("the screen shows"), "{}", said.stdout);
    let markdown = fs::read_to_string(bench.path("out/report.md")).unwrap();
    for told in [
        "\n- SeaBIOS does not start the disc (ide): rescue gave up.\n",
        "and rescue gave up:\n\n```text\nPress any key to continue",
        "| result | gave-up |\n| starts | no |\n| stage | entered, loader |\n| program | rescue |\n",
    ] {
        assert!(markdown.contains(told), "{told}: {markdown}");
    }
    let page = fs::read_to_string(bench.path("out/report.html")).unwrap();
    for told in [
        "<b>gave-up</b> at loader: rescue<pre class=\"said\" aria-label=\"its words\">Press any key",
        "<dt>starts</dt><dd><b>no</b></dd>",
        "<li class=\"reached last\" aria-current=\"step\">loader</li>",
    ] {
        assert!(page.contains(told), "{told}");
    }
    let bad = bench.write("bad.toml", b"program = \"x\"\n[[words]]\nstat = 1\n");
    let said = bench.repro(&disc, &[&narrow[..], &[bad.to_str().unwrap()]].concat());
    assert_eq!(said.code, 2, "{}", said.stderr);
    assert!(said.stderr.contains("bad.toml:3:1"), "{}", said.stderr);
}

#[test]
fn a_boot_menu_is_gone_through() {
    let bench = Bench::new();
    let dialog = bench.write(
        "dialog.toml",
        b"[[step]]\nexpect = 'GNU GRUB'\n[[step]]\nsend = 'c'\n[[step]]\nexpect = 'grub>'\n[[step]]\nsend = \"ls\\r\"\n\
          [[step]]\nexpect = '\\(cd\\)'\n",
    );
    let narrow = [
        "--attach",
        "ide",
        "--firmware",
        "seabios",
        "--dialog",
        dialog.to_str().unwrap(),
    ];
    let (code, report) = bench.json(Path::new(GRUB), &narrow);
    assert_eq!(code, 0, "{report}");
    assert_eq!(report["cells"][0]["outcome"]["kind"], "booted");
}

#[test]
fn what_is_no_disc_is_named() {
    let bench = Bench::new();
    let grub = fs::read(GRUB).unwrap();
    let socket = bench.path("socket");
    let _listening = UnixListener::bind(&socket).unwrap();
    let fifo = bench.path("fifo");
    assert!(
        Command::new("mkfifo")
            .arg(&fifo)
            .status()
            .unwrap()
            .success()
    );
    let plain = bench.write("disc", &grub);
    assert!(Command::new("gzip").arg(&plain).status().unwrap().success());
    let gzip = bench.path("disc.gz");
    for (path, told, remedy) in [
        (
            bench.path("nothing.iso"),
            "cannot read",
            "cargo xtask repro",
        ),
        (
            bench.write("empty.iso", b""),
            "is empty",
            "cargo xtask repro",
        ),
        (bench.path("."), "is a directory", "cargo xtask repro"),
        (fifo, "is a pipe", "cargo xtask repro"),
        (socket, "is a socket", "cargo xtask repro"),
        (gzip, "gzip", "gzip -d"),
    ] {
        let said = bench.repro(&path, &[]);
        assert_eq!(said.code, 2, "{}: {}", path.display(), said.stderr);
        assert!(
            said.stderr.contains(told) && said.stderr.contains(remedy),
            "{}",
            said.stderr
        );
    }
}

#[test]
fn an_iso_in_a_partition_is_booted_as_it_is_and_named() {
    let bench = Bench::new();
    let grub = fs::read(GRUB).unwrap();
    let first = 2048;
    let sectors = u32::try_from(grub.len() / 512).unwrap();
    let mut disk = vec![0; first * 512];
    disk.extend(grub);
    disk[446 + 4] = 0x0C;
    disk[446 + 8..][..4].copy_from_slice(&2048u32.to_le_bytes());
    disk[446 + 12..][..4].copy_from_slice(&sectors.to_le_bytes());
    disk[510..512].copy_from_slice(&[0x55, 0xAA]);
    let disk = bench.write("stick.img", &disk);
    let only = ["--firmware", "seabios", "--attach", "ahci,usb-disk"];
    let (code, report) = bench.json(&disk, &only);
    assert_eq!(code, 1);
    let cells = report["cells"].as_array().unwrap();
    let kinds = cells.iter().map(|cell| &cell["outcome"]["kind"]);
    assert_eq!(kinds.collect::<Vec<_>>(), ["refused", "hung"]);
    let findings = cells[0]["findings"].as_array().unwrap();
    assert!(
        findings.contains(&"iso-in-partition".into()),
        "{findings:?}"
    );
    let said = xtask(&["inspect", disk.to_str().unwrap()]);
    assert_eq!(said.code, 1);
    assert!(
        said.stdout.contains("begins at sector 2048"),
        "{}",
        said.stdout
    );
}

#[test]
fn sixty_gigabytes_of_holes_with_a_hole_for_a_catalog_are_told_in_no_time() {
    let bench = Bench::new();
    let path = bench.path("huge.iso");
    let file = File::create(&path).unwrap();
    file.set_len(60 << 30).unwrap();
    let grub = fs::read(GRUB).unwrap();
    // Descriptors, and nothing where the catalog is.
    file.write_all_at(&grub[32 << 10..40 << 10], 32 << 10)
        .unwrap();
    let small = bench.path("small.iso");
    let said = bench.repro(
        &path,
        &[
            "--firmware",
            "seabios",
            "--attach",
            "ide",
            "--distil",
            small.to_str().unwrap(),
        ],
    );
    assert_eq!(said.code, 1, "{}", said.stderr);
    assert!(said.stdout.contains("catalog-header-id"), "{}", said.stdout);
    assert_eq!(fs::metadata(&small).unwrap().len(), 60 << 30);
    assert!(
        fs::metadata(&small).unwrap().blocks() * 512 < 1 << 20,
        "it is sparse"
    );
    assert!(fs::metadata(bench.path("small.disc")).unwrap().len() < 20 << 10);
}

#[test]
fn a_reproducer_is_not_written_over_the_disc() {
    let bench = Bench::new();
    let disc = bench.without_key();
    let before = fs::read(&disc).unwrap();
    let narrow = [
        "--firmware",
        "seabios",
        "--attach",
        "ide",
        "--distil",
        disc.to_str().unwrap(),
    ];
    let said = bench.repro(&disc, &narrow);
    assert_eq!(said.code, 2, "{}", said.stderr);
    assert!(
        said.stderr.contains("is the disc itself"),
        "{}",
        said.stderr
    );
    assert!(fs::read(&disc).unwrap() == before);
}

#[test]
fn a_disc_that_changes_while_it_is_read_is_told() {
    let bench = Bench::new();
    let disc = bench.without_key();
    // What stands for whoever still writes it.
    let qemu = bench.write(
        "qemu",
        format!(
            "#!/bin/sh\ntouch '{}'\nexec qemu-system-x86_64 \"$@\"\n",
            disc.display()
        )
        .as_bytes(),
    );
    fs::set_permissions(&qemu, fs::Permissions::from_mode(0o755)).unwrap();
    let narrow = [
        "--firmware",
        "seabios",
        "--attach",
        "ide",
        "--cold",
        "--qemu",
        qemu.to_str().unwrap(),
    ];
    let said = bench.repro(&disc, &narrow);
    assert_eq!(said.code, 2, "{}", said.stderr);
    assert!(
        said.stderr.contains("changed while it was read"),
        "{}",
        said.stderr
    );
}
