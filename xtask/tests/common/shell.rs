//! What a user types into a shell.

use std::{path::Path, process::Command};

use crate::common::said;

/// Runs a script in a folder, as a user would who types it there: its exit code, and all that it says. `cargo xtask` is the program
/// under test, and what it leaves without `--out` stays in the folder's `target`.
pub(crate) fn shell(script: &str, folder: &Path) -> (i32, String) {
    const CARGO: &str = r#"cargo() {
  shift
  case "$*" in
    *--out*) ;;
    boot-matrix*) set -- "$@" --out target/boot-matrix ;;
    report) set -- report target/boot-matrix ;;
    repro*) set -- "$@" --out target/repro ;;
  esac
  "$XTASK" "$@"
}"#;
    let mut command = Command::new("sh");
    command
        .args(["-ec", &format!("exec 2>&1\n{CARGO}\n{script}")])
        .current_dir(folder);
    let path = std::env::var("PATH").unwrap_or_default();
    let path = format!("{}:{path}", folder.display());
    let said = said(
        command,
        &[("XTASK", env!("CARGO_BIN_EXE_xtask")), ("PATH", &path)],
    );
    (said.code, said.stdout)
}
