//! The corpus of the fuzzer (`fuzz/`), replayed: every input that ever reached something new, and every one that was a
//! finding. `cargo xtask trust fuzz` is where they come from.

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, ensure};
use base64::{Engine, prelude::BASE64_STANDARD};
use boot_matrix_tests::fuzzing::{TARGETS, Target};
use libtest_mimic::{Arguments, Failed, Trial};

fn main() -> ExitCode {
    let trials = TARGETS.iter().map(|target| {
        Trial::test(target.name, || {
            replay(target).map_err(|error| Failed::from(format!("{error:#}")))
        })
    });
    let strays = Trial::test("nothing-else-is-there", || {
        strays().map_err(|error| Failed::from(format!("{error:#}")))
    });
    let trials = trials.chain([strays]).collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz")
}

fn replay(target: &Target) -> anyhow::Result<()> {
    let file = fuzz().join("corpus").join(format!("{}.txt", target.name));
    let corpus = fs::read_to_string(&file).with_context(|| {
        format!(
            "{}: cargo xtask trust fuzz --target {} --grow makes one",
            file.display(),
            target.name
        )
    })?;
    ensure!(!corpus.is_empty(), "{} is empty", file.display());
    for (number, line) in (1..).zip(corpus.lines()) {
        let input = BASE64_STANDARD
            .decode(line)
            .with_context(|| format!("{}:{number}", file.display()))?;
        read(target, &input, &format!("{}:{number}", file.display()));
    }
    let found = fuzz().join("found").join(target.name);
    for entry in fs::read_dir(&found).into_iter().flatten() {
        let path = entry?.path();
        read(target, &fs::read(&path)?, &path.display().to_string());
    }
    Ok(())
}

/// Reads an input, and says which it was if that panics.
fn read(target: &Target, input: &[u8], name: &str) {
    let told = Told(name);
    (target.read)(input);
    std::mem::forget(told);
}

struct Told<'a>(&'a str);

impl Drop for Told<'_> {
    fn drop(&mut self) {
        eprintln!("the input is {}", self.0);
    }
}

/// A corpus whose target has another name now is one that nobody replays.
fn strays() -> anyhow::Result<()> {
    for folder in ["corpus", "found"] {
        for entry in fs::read_dir(fuzz().join(folder))? {
            let path = entry?.path();
            let name = path.file_stem().and_then(|name| name.to_str());
            ensure!(
                name.is_some_and(|name| Target::of_name(name).is_some()),
                "no target has {}",
                path.display()
            );
        }
    }
    Ok(())
}
