//! The name of the running program. Messages contain commands as typed in the repository, `cargo xtask VERB`; the installed program is
//! `boot-matrix VERB`.

use std::sync::atomic::{AtomicBool, Ordering};

static INSTALLED: AtomicBool = AtomicBool::new(false);

/// Declares that this is the installed program, before it prints anything.
pub fn is_the_installed_one() {
    INSTALLED.store(true, Ordering::Relaxed);
}

/// A text with its commands as they are typed for this program.
#[must_use]
pub fn typed(text: &str) -> String {
    match INSTALLED.load(Ordering::Relaxed) {
        false => text.to_owned(),
        true => of_the_installed(text),
    }
}

fn of_the_installed(text: &str) -> String {
    text.replace("cargo xtask boot-matrix", "boot-matrix run")
        .replace("cargo xtask", "boot-matrix")
        // The files with its completions.
        .replace("cargo-xtask", "boot-matrix")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_that_of_the_program() {
        let text = "cargo xtask boot-matrix 'a/*', or cargo xtask doctor";
        assert_eq!(typed(text), text);
        let installed = "boot-matrix run 'a/*', or boot-matrix doctor";
        assert_eq!(of_the_installed(text), installed);
    }
}
