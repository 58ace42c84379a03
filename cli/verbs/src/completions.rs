//! Scripts with which shells complete `cargo xtask`.
//!
//! A shell knows completions by the program, and here that is cargo, which has its own. So `cargo xtask` is completed as a program
//! `cargo-xtask`, which need not exist, and where a shell asks for cargo's it is led there.

use std::{io::Write, process::ExitCode};

use anyhow::Context;
use clap::Command;
use clap_complete::{Shell, generate};

use crate::options::Completions;

/// The program as which `cargo xtask` is completed, where cargo's completion calls it by that name.
const NAME: &str = "cargo-xtask";
/// The same where any name does: clap_complete's script for bash takes none with a hyphen.
const BASH_NAME: &str = "xtask";

/// cargo's own completion completes everything else. bash-completion loads that when it is first asked for, and then it would take the
/// place of this one: so it is loaded here.
const BASH: &str = r#"
_cargo_xtask_of_cargo() {
    if [[ $COMP_CWORD -gt 1 && ${COMP_WORDS[1]} == xtask ]]; then
        COMP_WORDS=("${COMP_WORDS[@]:1}")
        COMP_CWORD=$((COMP_CWORD - 1))
        _xtask xtask "$2" "$3"
    elif [[ -n ${_cargo_xtask_others:-} ]]; then
        "$_cargo_xtask_others" "$@"
    elif [[ $COMP_CWORD -eq 1 ]]; then
        COMPREPLY=($(compgen -W xtask -- "$2"))
    fi
}

_cargo_xtask_hook() {
    if ! complete -p cargo &>/dev/null; then
        if declare -F _comp_load >/dev/null; then
            _comp_load cargo
        elif declare -F _completion_loader >/dev/null; then
            _completion_loader cargo
        fi
    fi
    if [[ $(complete -p cargo 2>/dev/null) =~ -F\ ([^ ]+) && ${BASH_REMATCH[1]} != _cargo_xtask_of_cargo ]]; then
        _cargo_xtask_others=${BASH_REMATCH[1]}
    fi
    complete -F _cargo_xtask_of_cargo -o bashdefault -o default cargo
}
_cargo_xtask_hook
"#;

/// fish adds to what it knows of cargo.
const FISH: &str = r#"
complete -c cargo -n '__fish_seen_subcommand_from xtask' -f -a '(complete -C (string replace -r "^\s*\S+\s+xtask" cargo-xtask -- (commandline -cp)))'
complete -c cargo -n 'not __fish_seen_subcommand_from xtask' -a xtask
"#;

/// Runs the verb.
pub(crate) fn run(options: &Completions, all: &Command) -> anyhow::Result<ExitCode> {
    let mut out = crate::terminal::answer();
    out.write_all(&script(options.shell, all))
        .context("cannot write the script")?;
    Ok(ExitCode::SUCCESS)
}

fn script(shell: Shell, all: &Command) -> Vec<u8> {
    let mut script = Vec::new();
    if !all.get_name().contains(' ') {
        let name = all.get_name().to_owned();
        generate(shell, &mut all.clone(), name, &mut script);
        return script;
    }
    let mut complete = |mut command: Command, name: &'static str| {
        generate(shell, &mut command, name, &mut script);
    };
    match shell {
        Shell::Bash => complete(all.clone().name(BASH_NAME), BASH_NAME),
        // cargo's own function in zsh calls _cargo-VERB for a verb that it does not know.
        Shell::Fish | Shell::Zsh => complete(all.clone().name(NAME), NAME),
        // These have no completion of cargo's own that could be lost.
        _ => {
            let xtask = all.clone().name("xtask");
            complete(Command::new("cargo").subcommand(xtask), "cargo");
        }
    }
    match shell {
        Shell::Bash => script.extend(BASH.as_bytes()),
        Shell::Fish => script.extend(FISH.as_bytes()),
        _ => {}
    }
    script
}
