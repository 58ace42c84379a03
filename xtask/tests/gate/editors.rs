//! An editor, tried on an ISO that somebody names: what started must still start.

use std::fs;

use tempfile::TempDir;

use super::common::{Said, xtask};

/// The options of every run: one way to start, of each firmware.
const BOTH: [&str; 2] = ["--attach", "ahci"];
const BIOS: [&str; 1] = ["*/seabios/ide"];

struct Disc {
    folder: TempDir,
}

impl Disc {
    fn new(boot: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let iso = folder.path().join("my disc.iso").display().to_string();
        let image = xtask(&["image", &format!("x/-/{boot}/-/reference"), "--out", &iso]);
        assert_eq!(image.code, 0, "{}", image.stderr);
        Self { folder }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    /// What comes of an editor that is a shell script: `$1` is the disc, `$2` the edited one.
    fn edited(&self, script: &str, options: &[&str]) -> Said {
        let quoted = script.replace('\\', "\\\\").replace('"', "\\\"");
        let command = format!("sh -c '{quoted}' sh {{in}} {{out}}");
        let text = format!(
            "name = \"my-editor\"\nsummary = \"an editor\"\ndeadline = 2\ncommand = \"{command}\"\n"
        );
        fs::write(self.path("my editor.toml"), text).unwrap();
        let (iso, editor, out) = (
            self.path("my disc.iso"),
            self.path("my editor.toml"),
            self.path("out"),
        );
        let arguments = [
            "boot-matrix",
            "--accelerator",
            "tcg",
            "--iso",
            &iso,
            "--editor",
            &editor,
            "--out",
            &out,
        ];
        let before = fs::read(&iso).unwrap();
        let said = xtask(&[&arguments[..], options].concat());
        assert!(
            fs::read(&iso).unwrap() == before,
            "{script}: the disc is another"
        );
        said
    }

    fn is_told(&self, script: &str, options: &[&str], code: i32, told: &[&str]) {
        let said = self.edited(script, options);
        assert_eq!(said.code, code, "{script}: {}{}", said.stdout, said.stderr);
        for what in told {
            assert!(
                said.stdout.contains(what),
                "{script}: {what}: {}",
                said.stdout
            );
        }
    }
}

/// Writes at a byte of the edited disc.
fn poke(bytes: &str, at: u64) -> String {
    format!(
        "cp \"$1\" \"$2\"; printf {bytes} | dd of=\"$2\" bs=1 seek={at} conv=notrunc 2>/dev/null"
    )
}

#[test]
fn what_started_must_still_start() {
    let disc = Disc::new("bios+efi");
    disc.is_told(
        "cp \"$1\" \"$2\"",
        &BOTH,
        0,
        &["against the disc before the edit: 2 the same\n"],
    );
    // The boot record's identifier (ECMA-119 §8.2.2).
    let gone = poke("XXXXX", 17 * 2048 + 1);
    disc.is_told(
        &gone,
        &BOTH,
        1,
        &[
            "✗ boot records: none, was 1, ",
            "(no-boot-record)\n  no longer boots on OVMF by ahci and SeaBIOS by ahci: 2 of 2 cells\n  to fix it: ",
            "against the disc before the edit: 2 boot differently\n",
        ],
    );
    let page = fs::read_to_string(disc.path("out/report.html")).unwrap();
    assert!(page.contains("no longer boots on OVMF by ahci and SeaBIOS by ahci: 2 of 2 cells"));
    // A firmware that does not look at what is wrong still starts the disc.
    let catalog = fs::read(disc.path("my disc.iso")).unwrap();
    let catalog = u32::from_le_bytes(catalog[17 * 2048 + 71..][..4].try_into().unwrap());
    let checksum = poke("X", u64::from(catalog) * 2048 + 28);
    disc.is_told(
        &checksum,
        &BIOS,
        1,
        &["(catalog-checksum)\n  boots as before on SeaBIOS by ide: 1 of 1 cell\n"],
    );
    // What has moved and is found is noted.
    disc.is_told(
        "cp \"$1\" \"$2\"; truncate -s +1M \"$2\"",
        &BIOS,
        0,
        &[
            "\nnoted: ",
            "length of the disc in blocks",
            "(volume-size)",
            "1 the same\n",
        ],
    );
}

#[test]
fn a_bad_editor_and_a_disc_that_does_not_start_are_a_sentence() {
    let disc = Disc::new("none");
    for (script, told) in [
        (
            "true",
            "✗ my-editor makes no disc: my-editor ended without an error and wrote no disc\n",
        ),
        (
            "echo no >\"$2\"",
            "✗ my-editor makes no disc: my-editor wrote no ISO: no volume descriptor stands at LBA 16\n",
        ),
        (
            "while :; do :; done",
            "✗ my-editor makes no disc: my-editor had not ended after 2 s and was stopped",
        ),
        (
            "echo cannot; exit 3",
            "✗ my-editor makes no disc: my-editor ended with exit status 3: cannot\n",
        ),
        // It may not write there; and where nothing prevents that, it is seen.
        (
            "cp \"$1\" \"$2\" && echo >>\"$1\"",
            "✗ my-editor makes no disc: my-editor ",
        ),
    ] {
        disc.is_told(
            script,
            &BIOS,
            1,
            &[told, "\n  no longer boots on SeaBIOS by ide: 1 of 1 cell\n"],
        );
    }
    let dead = Disc::new("none,defect=catalog-key");
    dead.is_told(
        "cp \"$1\" \"$2\"",
        &BIOS,
        3,
        &["nothing to compare: the disc does not start before the edit"],
    );
    let both = disc.edited("true", &["--set", "editors"]);
    assert_eq!(both.code, 2, "{}", both.stderr);
}
