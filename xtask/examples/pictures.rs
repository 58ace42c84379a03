//! Draws the terminal in `docs/pictures/failures.svg` from a real run: `cargo run -p xtask --example pictures`.
//!
//! For `report.png`, run the test `xtask/tests/report` and copy its `target/tmp/report-desk.png`.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anstyle::AnsiColor;
use anstyle_svg::{Term, WIN10_CONSOLE};
use anyhow::{Context, ensure};
use tempfile::TempDir;

/// Cells that do what is declared of them.
const SCENARIO: &str = r#"[[scenario]]
name = "loads"
summary = "what a load count brings"
boot = ["none,count=1", "none,count=4", "none,count=8"]
firmware = ["seabios", "ovmf"]
attach = ["ide"]

[[scenario.expect]]
when = { firmware = "ovmf" }
outcome = "refused"
because = "there is no EFI entry on the disc"

[[scenario.expect]]
when = { firmware = "seabios", boot = "none,count=1" }
outcome = "booted"
because = "the probe loads the rest of itself"

[[scenario.expect]]
when = { firmware = "seabios", boot = ["none,count=4", "none,count=8"] }
outcome = "booted"
because = "El Torito §2.2: the count is in virtual sectors"
"#;

fn main() -> anyhow::Result<()> {
    let studio = Studio {
        folder: tempfile::tempdir()?,
    };
    fs::create_dir_all(pictures())?;
    let scenario = studio.path("loads.toml");
    fs::write(&scenario, SCENARIO)?;
    let run = ["boot-matrix", "--scenarios", "loads.toml", "--out", "out"];
    studio.xtask(&[&run[..], &["--accept"]].concat(), 0)?;

    // What is declared of one cell is wrong now, and what was accepted of another.
    let wrong = "boot = \"none,count=1\" }\noutcome = \"reset\"";
    let right = wrong.replace("reset", "booted");
    fs::write(&scenario, SCENARIO.replace(&right, wrong))?;
    let accepted = studio.path("snapshots/loads/-/none,count=4/-/reference/seabios/ide.snap");
    let text = fs::read_to_string(&accepted).context("cannot read the snapshot")?;
    fs::write(&accepted, text.replace("loaded: 4", "loaded: 8"))?;
    studio.take("failures", &run, 1)
}

/// Where the pictures are.
fn pictures() -> PathBuf {
    workspace().join("docs").join("pictures")
}

fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap_or(Path::new("."))
}

/// A folder of its own, in which commands are run as a person types them.
struct Studio {
    folder: TempDir,
}

impl Studio {
    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What a command prints on standard output, in colours.
    fn xtask(&self, arguments: &[&str], code: i32) -> anyhow::Result<String> {
        let manifest = workspace().join("Cargo.toml");
        let output = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
            .args(["run", "--quiet", "--package", "xtask", "--manifest-path"])
            .arg(manifest)
            .arg("--")
            .args(arguments)
            .current_dir(&self.folder)
            .env("CLICOLOR_FORCE", "1")
            .env_remove("NO_COLOR")
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .output()?;
        let said = String::from_utf8(output.stdout)?;
        let ended = output.status.code();
        ensure!(
            ended == Some(code),
            "{arguments:?} ended with {ended:?}:\n{said}"
        );
        Ok(said)
    }

    /// Takes a picture of a command and of what it prints.
    fn take(&self, name: &str, arguments: &[&str], code: i32) -> anyhow::Result<()> {
        let said = self.xtask(arguments, code)?;
        let folder = self.folder.path().display().to_string();
        // Nobody else has these folders.
        let said = said
            .replace(&format!("{folder}/"), "")
            .replace(&format!("{}/", workspace().display()), "");
        ensure!(!said.contains(&folder), "{name} names {folder}");
        let typed = shell_words::join(arguments);
        let screen = format!("\x1b[32m$\x1b[0m cargo xtask {typed}\n{}", said.trim_end());
        let camera = Term::new()
            .palette(WIN10_CONSOLE)
            .fg_color(AnsiColor::BrightWhite.into());
        let picture = camera.render_svg(&screen);
        let file = pictures().join(format!("{name}.svg"));
        fs::write(&file, picture).with_context(|| format!("cannot write {}", file.display()))
    }
}
