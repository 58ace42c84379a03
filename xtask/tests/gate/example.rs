//! The gate, as a new user runs it, with a tool that is broken on purpose.

use std::{fs, process::Command};

use super::common::said;

/// A mastering tool: a script around xorriso, which each test breaks in its own way.
const TOOL: &str = r#"name = "mytool"
summary = "a script around xorriso"

[[command]]
modes = "none"
command = "sh {here}/mytool -as mkisofs -quiet -J -o {iso} -V {volume_id} -b {boot_image} -no-emul-boot {count} {tree}"

[[command]]
modes = "bios+efi"
command = "sh {here}/mytool -as mkisofs -quiet -J -o {iso} -V {volume_id} -b {boot_image} -no-emul-boot -boot-load-size 4 -eltorito-alt-boot -e {efi_image} -no-emul-boot {tree}"

[deviations]
count = "-boot-load-size {load_sectors}"
"#;

/// The rest of a script, once the disc is there.
const AFTER_XORRISO: &str = r#"xorriso "$@" || exit
while [ $# -gt 0 ]; do
    if [ "$1" = -o ]; then iso=$2; fi
    shift
done
"#;

/// A script that writes other sector counts, made of those that stand there, into the initial entry and into the section entry.
const COUNTS: &str = r#"catalog=$(od -An -tu4 -j $((17 * 2048 + 71)) -N4 "$iso" | tr -d ' ')
for slot in 1 3; do
    at=$((catalog * 2048 + slot * 32 + 6))
    count=$(od -An -tu2 -j $at -N2 "$iso" | tr -d ' ')
    count=$(({count}))
    printf "\\$(printf %03o $((count % 256)))\\$(printf %03o $((count / 256)))" |
        dd of="$iso" bs=1 seek=$at conv=notrunc 2>/dev/null
done
"#;

/// The boot record stands behind the supplementary volume descriptor.
const BOOT_RECORD_MOVED: &str = r#"dd if="$iso" of=record bs=2048 skip=17 count=1 2>/dev/null
dd if="$iso" of="$iso" bs=2048 skip=18 seek=17 count=1 conv=notrunc 2>/dev/null
dd if=record of="$iso" bs=2048 seek=18 count=1 conv=notrunc 2>/dev/null
"#;

#[test]
fn the_example_catches_a_broken_tool_and_names_what_broke() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("tool.toml"), TOOL).unwrap();
    let gate = |script: &str, arguments: &[&str]| {
        fs::write(folder.path().join("mytool"), script).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
        command
            .current_dir(&folder)
            .args(["boot-matrix", "--gate", "--master", "tool.toml"])
            .args(["--baseline", "baseline", "--out", "results"])
            .args(arguments);
        said(command, &[])
    };
    let sound = gate("exec xorriso \"$@\"\n", &["--accept"]);
    assert_eq!(sound.code, 0, "{}{}", sound.stdout, sound.stderr);
    let counts = |count: &str| format!("{AFTER_XORRISO}{}", COUNTS.replace("{count}", count));
    for (break_it, told) in [
        // Load size 1.
        (
            counts("1"),
            vec![
                "✗ sector count of slot 1: 1, was 8\n",
                "\n  differs on OVMF by ahci and SeaBIOS by ide, ahci: 4 of 4 cells; loaded: 4, was 8\n",
                "cargo xtask boot-matrix 'gate-bios/-/none,count=8/-/mytool/seabios/ide' --rerun failed --out results\n",
            ],
        ),
        // Counted in blocks.
        (
            counts("count / 4"),
            vec![
                "✗ sector count of slot 1: 1, was 4, sector count of slot 3: 720, was 2880; slot 3: ",
                "(count-unit)\n",
            ],
        ),
        (
            format!("{AFTER_XORRISO}{BOOT_RECORD_MOVED}"),
            vec![
                "(boot-record-misplaced)\n  no longer boots on SeaBIOS by ide, ahci: 3 of 4 cells",
                "mytool against ",
                ": red: 1 cause in 4 of 4 cells\n",
            ],
        ),
    ] {
        let broken = gate(&break_it, &[]);
        assert_eq!(
            broken.code, 1,
            "{break_it}: {}{}",
            broken.stdout, broken.stderr
        );
        for what in told {
            assert!(
                broken.stdout.contains(what),
                "{break_it}: {what}: {}",
                broken.stdout
            );
        }
    }
    let again = gate("exec xorriso \"$@\"\n", &[]);
    assert_eq!(again.code, 0, "{}", again.stdout);
}
