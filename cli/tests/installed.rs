//! The program as somebody has it who installed it: without the repository, cargo or a home that is like ours.

#![expect(
    clippy::unwrap_used,
    reason = "the helpers of a test fail as the test does"
)]

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use tempfile::TempDir;

/// The cells of one scenario.
const CELLS: &str = "/load-segments/";

struct Host {
    folder: TempDir,
}

struct Said {
    code: i32,
    stdout: String,
    stderr: String,
}

impl Host {
    /// With spaces and other letters in every path.
    fn new() -> Self {
        let folder = tempfile::Builder::new()
            .prefix("an empty föld 空 ")
            .tempdir()
            .unwrap();
        for name in ["home", "work"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The only folder that the program keeps what it carries in.
    fn carried(&self) -> PathBuf {
        let folder = self.path("home/.cache/boot-matrix/shipped");
        let mut entries = fs::read_dir(folder).unwrap();
        let first = entries.next().unwrap().unwrap().path();
        assert!(entries.next().is_none(), "one folder for one program");
        first
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_boot-matrix"));
        command
            .current_dir(self.path("work"))
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .env("HOME", self.path("home"))
            .stdin(Stdio::null());
        command
    }

    fn says(&self, arguments: &[&str]) -> Said {
        let mut command = self.command();
        command.args(arguments);
        said(command)
    }
}

fn said(mut command: Command) -> Said {
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Said {
        code: output.status.code().unwrap(),
        stdout: text(output.stdout),
        stderr: text(output.stderr),
    }
}

#[test]
fn cells_run_from_an_empty_folder_and_the_second_time_from_checkpoints() {
    let host = Host::new();
    let cold = host.says(&["run", CELLS]);
    assert_eq!(cold.code, 0, "{}{}", cold.stdout, cold.stderr);
    let warm = host.says(&["run", CELLS]);
    assert_eq!(warm.code, 0, "{}{}", warm.stdout, warm.stderr);
    assert!(
        warm.stdout
            .contains("14 machines from a checkpoint, 0 from power-on"),
        "{}",
        warm.stdout
    );
    let run =
        fs::read_to_string(host.path("home/.cache/boot-matrix/boot-matrix/run.json")).unwrap();
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let scenarios = repository.join("scenarios").display().to_string();
    assert!(!run.contains(&scenarios), "{run}");
    assert_eq!(fs::read_dir(host.path("work")).unwrap().count(), 0);
}

#[test]
fn a_hint_is_a_command_of_this_program() {
    let host = Host::new();
    let said = host.says(&["run", "no-such/*"]);
    assert_eq!(said.code, 2);
    assert!(
        said.stderr.contains("boot-matrix run --list"),
        "{}",
        said.stderr
    );
    let help = host.says(&["--help"]).stdout;
    let verbs = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let verbs = verbs.take_while(|line| !line.is_empty());
    let verbs: Vec<&str> = verbs
        .filter(|line| !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert!(verbs.len() > 10, "{help}");
    for verb in verbs {
        let text = host.says(&[verb, "--help"]).stdout;
        assert!(
            text.contains("Usage: boot-matrix") || verb == "help",
            "{text}"
        );
        assert!(
            !text.contains("xtask") && !text.contains("target/"),
            "{text}"
        );
    }
}

#[test]
fn what_was_damaged_in_the_cache_is_as_it_was_at_the_next_start() {
    let host = Host::new();
    let before = host.says(&["run", "--list"]);
    assert_eq!(before.code, 0, "{}", before.stderr);
    let scenario = host.carried().join("scenarios/data/load-segments.toml");
    let right = fs::read(&scenario).unwrap();
    fs::write(&scenario, "nonsense").unwrap();
    assert_eq!(host.says(&["run", "--list"]).stdout, before.stdout);
    assert_eq!(fs::read(&scenario).unwrap(), right);
    fs::remove_file(&scenario).unwrap();
    assert_eq!(host.says(&["run", "--list"]).stdout, before.stdout);
    assert_eq!(fs::read(&scenario).unwrap(), right);
}

#[test]
fn several_start_at_once_on_an_empty_cache() {
    let host = Host::new();
    let start = || {
        let mut command = host.command();
        command
            .args(["run", "--list"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command.spawn().unwrap()
    };
    let children: Vec<_> = (0..4).map(|_| start()).collect();
    for child in children {
        let output = child.wait_with_output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{stderr}");
    }
    // Nothing is left beside it.
    host.carried();
}

#[test]
fn a_place_that_is_not_there_is_told_as_what_it_is() {
    let host = Host::new();
    let mut homeless = host.command();
    homeless.args(["run", "--list"]).env_remove("HOME");
    let homeless = said(homeless);
    assert_eq!(homeless.code, 3);
    assert!(
        homeless.stderr.contains("neither XDG_CACHE_HOME nor HOME"),
        "{}",
        homeless.stderr
    );

    let mut nowhere = host.command();
    nowhere
        .args(["run", CELLS])
        .env("TMPDIR", "/no/such/folder");
    let nowhere = said(nowhere);
    assert_eq!(nowhere.code, 3);
    assert!(
        nowhere
            .stderr
            .contains("the path for temporary files, /no/such/folder"),
        "{}",
        nowhere.stderr
    );

    let file = host.path("file");
    fs::write(&file, "").unwrap();
    let mut no_folder = host.command();
    no_folder
        .args(["run", "--list"])
        .env("XDG_CACHE_HOME", &file);
    let no_folder = said(no_folder);
    assert_eq!(no_folder.code, 3);
    assert!(
        no_folder.stderr.contains("XDG_CACHE_HOME=/another/folder"),
        "{}",
        no_folder.stderr
    );
}

/// A disc needs no cache to be read.
#[test]
fn a_disc_is_read_without_a_home() {
    let host = Host::new();
    let disc = host.path("work/a disc.iso");
    let image = host.says(&[
        "image",
        "load-segments/-/none/-/reference",
        "--out",
        disc.to_str().unwrap(),
    ]);
    assert_eq!(image.code, 0, "{}", image.stderr);
    let mut inspect = host.command();
    inspect.arg("inspect").arg(&disc).env_remove("HOME");
    let inspect = said(inspect);
    assert!(matches!(inspect.code, 0 | 1), "{}", inspect.stderr);
    assert!(
        inspect.stdout.contains("/BOOT/BIOS_SLOT_1.IMG"),
        "{}",
        inspect.stdout
    );
}

#[test]
fn nothing_is_installed_that_nobody_asked_for() {
    let host = Host::new();
    let bin = host.path("bin");
    fs::create_dir(&bin).unwrap();
    // A package manager that would leave a trace, and no emulator.
    for name in ["apt-get", "sudo"] {
        let program = bin.join(name);
        let trace = host.path("trace");
        fs::write(
            &program,
            format!("#!/bin/sh\necho > '{}'\n", trace.display()),
        )
        .unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let mut command = host.command();
    command
        .args(["run", CELLS])
        .env("PATH", &bin)
        .env("CI", "true");
    let said = said(command);
    assert_eq!(said.code, 3, "{}{}", said.stdout, said.stderr);
    assert!(said.stderr.contains("--install"), "{}", said.stderr);
    assert!(!host.path("trace").exists());
}
