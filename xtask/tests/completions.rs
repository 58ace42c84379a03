//! The completions as a shell uses them.

#![expect(
    clippy::unwrap_used,
    reason = "the helpers of a test fail as the test does"
)]

mod common;

use std::process::Command;

use common::{said, xtask};

/// What bash offers for a line, whose last word is not finished, after reading the script; with a completion of cargo's own that
/// offers `build`, which must not be lost.
fn offered(line: &str) -> Vec<String> {
    let script = xtask(&["completions", "bash"]);
    assert_eq!(script.code, 0, "{}", script.stderr);
    let mut bash = Command::new("bash");
    // Twice, as a shell does in which ~/.bashrc is read again.
    bash.args(["--norc", "-c"])
        .arg(
            r#"
_own() { COMPREPLY=(build); }
complete -F _own cargo
eval "$1"; eval "$1"
COMP_LINE=$2; COMP_POINT=${#2}
IFS=' ' read -ra COMP_WORDS <<< "$2"
[[ $2 == *' ' ]] && COMP_WORDS+=('')
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
[[ $(complete -p cargo) =~ -F\ ([^ ]+) ]]
"${BASH_REMATCH[1]}" cargo "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
printf '%s\n' "${COMPREPLY[@]}"
"#,
        )
        .args(["bash", &script.stdout, line]);
    let said = said(bash, &[]);
    assert_eq!((said.code, said.stderr.as_str()), (0, ""), "{line}");
    said.stdout.lines().map(ToOwned::to_owned).collect()
}

#[test]
fn bash_completes_verbs_options_and_values() {
    assert_eq!(offered("cargo xtask boot"), ["boot-matrix"]);
    assert_eq!(
        offered("cargo xtask boot-matrix --firm"),
        ["--firmware", "--firmware-grid"]
    );
    assert_eq!(
        offered("cargo xtask boot-matrix --format g"),
        ["github"],
        "the value of an option"
    );
    assert!(offered("cargo xtask ").contains(&"doctor".to_owned()));
}

#[test]
fn what_is_not_ours_is_left_to_cargo() {
    assert_eq!(offered("cargo bu"), ["build"]);
    assert_eq!(offered("cargo build --"), ["build"]);
}

#[test]
fn each_shell_has_a_script() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = xtask(&["completions", shell]);
        assert_eq!(script.code, 0, "{}", script.stderr);
        assert!(script.stdout.contains("boot-matrix"), "{shell}");
    }
    let unknown = xtask(&["completions", "tcsh", "--format=json"]);
    assert_eq!(
        (unknown.code, &unknown.json()["schema"]),
        (2, &"error/1".into())
    );
}
