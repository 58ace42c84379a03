//! `action.yml`, its steps run as a runner runs them: each with bash, with the environment that the step and the runner give it.

#![expect(
    clippy::unwrap_used,
    reason = "the helpers of a test fail as the test does"
)]

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_yaml_ng::Value;
use tempfile::TempDir;

/// A mastering tool: a script around xorriso, which the test breaks.
const TOOL: &str = r#"name = "mytool"
summary = "a script around xorriso"

[[command]]
modes = "none"
command = "sh {here}/mytool -as mkisofs -quiet -o {iso} -V {volume_id} -b {boot_image} -no-emul-boot {count} {tree}"

[deviations]
count = "-boot-load-size {load_sectors}"
"#;

/// What a runner has: a workspace, a folder for the job, and files that steps write.
struct Runner {
    folder: TempDir,
}

struct Job {
    code: i32,
    said: String,
    summary: String,
}

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

fn action() -> Value {
    let text = fs::read_to_string(repository().join("action.yml")).unwrap();
    serde_yaml_ng::from_str(&text).unwrap()
}

impl Runner {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let runner = Self { folder };
        for name in ["home", "temp", "work", "bin"] {
            fs::create_dir(runner.path(name)).unwrap();
        }
        // As `cargo install` leaves it.
        let cargo = format!(
            "#!/bin/sh\nset -eu\n[ \"$1 $2\" = 'install --locked' ]\nwhile [ \"$1\" != --root ]; do shift; done\n\
             mkdir -p \"$2/bin\"\nln -s '{}' \"$2/bin/boot-matrix\"\n",
            env!("CARGO_BIN_EXE_boot-matrix")
        );
        for (name, script) in [("cargo", &*cargo), ("rustup", "#!/bin/sh\n")] {
            let program = runner.path("bin").join(name);
            fs::write(&program, script).unwrap();
            fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        }
        runner
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn work(&self, name: &str, text: &str) {
        fs::write(self.path("work").join(name), text).unwrap();
    }

    /// Runs the steps that are scripts, up to the one that fails.
    fn job(&self, given: &[(&str, &str)]) -> Job {
        let action = action();
        let mut inputs: BTreeMap<String, String> = action["inputs"]
            .as_mapping()
            .unwrap()
            .iter()
            .map(|(name, input)| {
                let default = input["default"].as_str().unwrap();
                (name.as_str().unwrap().to_owned(), default.to_owned())
            })
            .collect();
        for (name, value) in given {
            assert!(inputs.contains_key(*name), "{name}");
            inputs.insert((*name).to_owned(), (*value).to_owned());
        }
        let summary = self.path("summary");
        fs::write(&summary, "").unwrap();
        let (mut said, mut code) = (String::new(), 0);
        for step in action["runs"]["steps"].as_sequence().unwrap() {
            let Some(script) = step["run"].as_str() else {
                continue;
            };
            let mut bash = Command::new("bash");
            bash.args(["--noprofile", "--norc", "-eo", "pipefail", "-c", script])
                .current_dir(self.path("work"))
                .env_clear()
                .env(
                    "PATH",
                    format!(
                        "{}:/usr/sbin:/usr/bin:/sbin:/bin",
                        self.path("bin").display()
                    ),
                )
                .env("HOME", self.path("home"))
                .env("CI", "true")
                .env("GITHUB_ACTIONS", "true")
                .env("GITHUB_WORKSPACE", self.path("work"))
                .env("GITHUB_ACTION_PATH", repository())
                .env("GITHUB_OUTPUT", self.path("output"))
                .env("GITHUB_STEP_SUMMARY", &summary)
                .env("RUNNER_TEMP", self.path("temp"))
                .stdin(Stdio::null());
            for (name, value) in step["env"].as_mapping().into_iter().flatten() {
                let value = value.as_str().unwrap();
                let input = value
                    .strip_prefix("${{ inputs.")
                    .and_then(|it| it.strip_suffix(" }}"));
                bash.env(name.as_str().unwrap(), &inputs[input.unwrap()]);
            }
            let output = bash.output().unwrap();
            said += &String::from_utf8_lossy(&output.stdout);
            said += &String::from_utf8_lossy(&output.stderr);
            code = output.status.code().unwrap();
            if code != 0 {
                break;
            }
        }
        Job {
            code,
            said,
            summary: fs::read_to_string(summary).unwrap(),
        }
    }

    /// The program, as the user has it at home.
    fn boot_matrix(&self, arguments: &[&str]) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_boot-matrix"));
        command
            .args(arguments)
            .current_dir(self.path("work"))
            .env("HOME", self.path("home"))
            .env_remove("XDG_CACHE_HOME")
            .stdin(Stdio::null());
        let output = command.output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }
}

/// What somebody else writes, such as the name of a branch, is data: it comes by the environment.
#[test]
fn no_script_has_an_expression_in_it() {
    for step in action()["runs"]["steps"].as_sequence().unwrap() {
        let script = step["run"].as_str().unwrap_or_default();
        assert!(!script.contains("${{"), "{script}");
        assert!(
            step["uses"].is_string() != step["run"].is_string(),
            "{step:?}"
        );
    }
}

#[test]
fn a_gate_is_green_and_then_red_with_its_cause_on_the_page_of_the_job() {
    let runner = Runner::new();
    runner.work("tool.toml", TOOL);
    runner.work("mytool", "exec xorriso \"$@\"\n");
    runner.boot_matrix(&[
        "run",
        "--gate",
        "--master",
        "tool.toml",
        "--baseline",
        "baseline",
        "--accept",
    ]);
    let given = [
        ("tool", "tool.toml"),
        ("baseline", "baseline"),
        ("arguments", "--attach 'ahci'"),
    ];
    let green = runner.job(&given);
    assert_eq!(green.code, 0, "{}", green.said);
    assert!(green.summary.contains("green: 1 cell"), "{}", green.summary);
    assert!(
        runner
            .path("work/boot-matrix-results/results.json")
            .exists()
    );
    runner.work("tool.toml", &TOOL.replace("{load_sectors}", "1"));
    let red = runner.job(&given);
    assert_eq!(red.code, 1, "{}", red.said);
    assert!(red.said.contains("::error"), "{}", red.said);
    let cause = "sector count of slot 1: 1, was 8";
    assert!(red.summary.contains(cause), "{}", red.summary);
}

#[test]
fn a_disc_that_does_not_boot_fails_the_step_and_is_explained_on_its_page() {
    let runner = Runner::new();
    let disc = [
        "image",
        "defects-catalog/-/none,defect=catalog-key/-/reference",
        "--out",
        "disc.iso",
    ];
    runner.boot_matrix(&disc);
    let job = runner.job(&[
        ("iso", "disc.iso"),
        ("arguments", "--firmware seabios --attach ahci"),
    ]);
    assert_eq!(job.code, 1, "{}", job.said);
    assert!(job.summary.contains("catalog-key"), "{}", job.summary);
}

#[test]
fn a_step_that_is_told_nothing_says_what_it_wants() {
    let job = Runner::new().job(&[]);
    assert_eq!(job.code, 2);
    assert!(
        job.said.contains(
            "::error title=boot-matrix::Set the inputs tool and baseline, or the input iso."
        ),
        "{}",
        job.said
    );
}
