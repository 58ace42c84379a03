//! Other hosts: a release of Debian, fresh, in which somebody who has never had boot-matrix does what README.md says.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Instant,
};

use anyhow::{Context, ensure};
use clap::Args;
use regex::Regex;
use rustix::process::geteuid;

use super::{
    kept::{self, Figures, Table},
    part,
};
use crate::repository::{target, workspace};
use cli::{remark, setup::package::on_path, signals::Signals, stop::Stop};

/// Which hosts, and how much of it.
#[derive(Debug, Args)]
#[command(after_help = crate::examples::TRUST_HOSTS.help())]
pub(crate) struct Hosts {
    /// The Debian release, by its name. Repeat the option for more. The kept figures of other releases stay.
    #[arg(long, value_name = "NAME", default_values = ["bookworm", "trixie"])]
    release: Vec<String>,
    /// Also run all tests there: half an hour for each release.
    #[arg(long)]
    tests: bool,
}

/// What README.md asks of a fresh machine, and what git needs to fetch crates.
const BASE: &str = "git,gcc,libc6-dev,ca-certificates";
/// An ordinary user of the new host.
const USER: &str = "somebody";
/// The default matrix, as its last line but some says it.
const CELLS: &str = r"(\d+) cells: (\d+) as expected[^\n]*, in ([\d.]+ s)";

const HEAD: [&str; 8] = [
    "release",
    "QEMU",
    "firmware",
    "install, s",
    "program, MB",
    "default matrix, installed, as a user",
    "default matrix, `cargo xtask`, as root",
    "tests",
];

/// A root folder of a release.
struct Host {
    root: PathBuf,
}

/// What a command in it came to.
struct Said {
    code: Option<i32>,
    text: String,
    seconds: u64,
}

pub(super) fn measure(options: &Hosts, signals: &'static Signals) -> anyhow::Result<Figures> {
    if !geteuid().is_root() {
        return Err(Stop::host("another root folder needs root", "the same as root").into());
    }
    for program in ["debootstrap", "unshare"] {
        if !on_path(program) {
            let what = format!("there is no program {program}");
            return Err(Stop::host(what, format!("apt-get install {program}")).into());
        }
    }
    let mut figures = Figures {
        chosen_by: Some("--release"),
        ..Figures::default()
    };
    let began = Instant::now();
    let mut rows = kept::rows(workspace(), part::HOSTS, &HEAD);
    for release in &options.release {
        let host = Host::fresh(release, signals)?;
        let row = tried(&host, release, options, signals, &mut figures)?;
        rows.retain(|row| row.first() != Some(release));
        rows.push(row);
    }
    rows.sort();
    figures.add("releases", rows.len());
    figures.seconds = began.elapsed().as_secs();
    figures.programs = "debootstrap, a root folder of its own, this machine's Rust".to_owned();
    figures.tables.push(Table {
        head: HEAD.map(str::to_owned).to_vec(),
        rows,
    });
    Ok(figures)
}

/// Does what README.md says, and counts.
fn tried(
    host: &Host,
    release: &str,
    options: &Hosts,
    signals: &Signals,
    figures: &mut Figures,
) -> anyhow::Result<Vec<String>> {
    let mut must = |what: &str, said: &Said, holds: bool| {
        if !holds {
            let end: Vec<&str> = said.text.lines().rev().take(8).collect();
            let end: Vec<&str> = end.into_iter().rev().collect();
            let why = format!("{release}: {what}: {:?}: {}", said.code, end.join(" / "));
            figures.failures.push(why);
        }
    };
    let cells = Regex::new(CELLS)?;
    let counted = |said: &Said| -> Option<(String, bool)> {
        let found = cells.captures(&said.text)?;
        let figure = format!("{} of {} in {}", &found[2], &found[1], &found[3]);
        Some((figure, found[1] == found[2]))
    };

    // The repository, as root: what is missing is installed.
    let first = host.root_says("cargo xtask boot-matrix", signals)?;
    let of_root = counted(&first);
    must(
        "cargo xtask boot-matrix",
        &first,
        of_root.as_ref().is_some_and(|(_, all)| *all),
    );
    let tests = match options.tests {
        false => "not run".to_owned(),
        true => {
            let said = host.root_says("cargo xtask test", signals)?;
            must("cargo xtask test", &said, said.code == Some(0));
            let passed = Regex::new(r"(\d+) tests run: (\d+) passed")?;
            let passed = passed.captures(&said.text);
            passed.map_or("?".into(), |found| {
                format!("{} of {} in {} s", &found[2], &found[1], said.seconds)
            })
        }
    };

    // The program, as a user, in an empty folder with no source in sight.
    let install = host.user_says(
        "cargo install --quiet --locked --path /source/cli --root ~/.local --target-dir ~/build",
        signals,
    )?;
    must("cargo install", &install, install.code == Some(0));
    let program = host
        .root
        .join(format!("home/{USER}/.local/bin/boot-matrix"));
    let size = fs::metadata(program).map_or(0, |file| file.len());
    let here = |command: &str| {
        format!("mkdir -p ~/empty && cd ~/empty && ~/.local/bin/boot-matrix {command}")
    };
    let run = host.user_says(&here("run"), signals)?;
    let of_user = counted(&run);
    must("run", &run, of_user.as_ref().is_some_and(|(_, all)| *all));
    let image = host.user_says(
        &here("image defects-catalog/-/none,defect=catalog-key/-/reference --out disc.iso"),
        signals,
    )?;
    must("image", &image, image.code == Some(0));
    let inspect = host.user_says(&here("inspect disc.iso"), signals)?;
    let is_told = inspect.text.contains("catalog-key");
    must("inspect", &inspect, inspect.code == Some(1) && is_told);
    let repro = host.user_says(&here("repro disc.iso --attach ahci"), signals)?;
    let is_told = repro.text.contains("catalog-key");
    must("repro", &repro, repro.code == Some(1) && is_told);
    let doctor = host.user_says(&here("doctor"), signals)?;
    let version = |pattern: &str| -> anyhow::Result<String> {
        let found = Regex::new(pattern)?;
        let found = found.captures(&doctor.text);
        Ok(found.map_or("?".into(), |found| found[1].to_owned()))
    };
    let figure = |counted: Option<(String, bool)>| counted.map_or("?".into(), |(figure, _)| figure);
    Ok(vec![
        release.to_owned(),
        version(r"QEMU for x86[: ]+([\d.]+)")?,
        format!(
            "{}; {}",
            version(r"firmware seabios[: ]+(\S+)")?,
            version(r"firmware ovmf[: ]+(\S+)")?
        ),
        install.seconds.to_string(),
        (size / 1_000_000).to_string(),
        figure(of_user),
        figure(of_root),
        tests,
    ])
}

impl Host {
    /// Makes it anew, with a user, a clone of the repository as it is committed, and nothing else.
    fn fresh(release: &str, signals: &Signals) -> anyhow::Result<Self> {
        let is_name = !release.is_empty() && release.bytes().all(|byte| byte.is_ascii_lowercase());
        if !is_name {
            let what = format!("{release:?} is no name of a release");
            return Err(Stop::usage(what, "--release trixie").into());
        }
        let root = target().join("hosts").join(release);
        let host = Self { root };
        if host.root.exists() {
            fs::remove_dir_all(&host.root).context("cannot remove the last one")?;
        }
        fs::create_dir_all(&host.root)?;
        remark!("{release}: debootstrap");
        let mut bootstrap = Command::new("debootstrap");
        bootstrap
            .args(["--variant=minbase", &format!("--include={BASE}"), release])
            .arg(&host.root)
            .args(mirror())
            .stdout(Stdio::null());
        let status = signals
            .run(&mut bootstrap)
            .context("cannot start debootstrap")?;
        ensure!(status.success(), "debootstrap ended with {status}");
        // As this machine trusts whoever answers it.
        let certificates = "etc/ssl/certs/ca-certificates.crt";
        if let Ok(bundle) = fs::read(Path::new("/").join(certificates)) {
            fs::write(host.root.join(certificates), bundle)?;
        }
        fs::create_dir_all(host.root.join("opt/rust"))?;
        let bundle = host.root.join("source.bundle");
        let mut git = Command::new("git");
        git.arg("-C")
            .arg(workspace())
            .args(["bundle", "create", "--quiet"])
            .arg(&bundle)
            .arg("HEAD");
        let status = signals.run(&mut git).context("cannot start git")?;
        ensure!(status.success(), "git bundle ended with {status}");
        let prepare = format!(
            "useradd --create-home {USER} && git clone --quiet /source.bundle /source && rm /source.bundle"
        );
        let said = host.says("root", "/", &prepare, signals)?;
        ensure!(said.code == Some(0), "{}", said.text);
        Ok(host)
    }

    fn root_says(&self, command: &str, signals: &Signals) -> anyhow::Result<Said> {
        self.says("root", "/source", command, signals)
    }

    fn user_says(&self, command: &str, signals: &Signals) -> anyhow::Result<Said> {
        self.says(USER, &format!("/home/{USER}"), command, signals)
    }

    /// Runs a command in it. What it needs of this machine is mounted where nobody else sees it, and is gone with it.
    fn says(
        &self,
        user: &str,
        folder: &str,
        command: &str,
        signals: &Signals,
    ) -> anyhow::Result<Said> {
        const ENTER: &str = r#"root=$1 rust=$2 user=$3 folder=$4 command=$5
mount --bind --options ro "$rust" "$root/opt/rust"
mount --types proc proc "$root/proc"
mount --rbind /dev "$root/dev"
case $user in root) home=/root ;; *) home=/home/$user ;; esac
exec chroot --userspec="$user" "$root" /usr/bin/env -i HOME="$home" USER="$user" LANG=C.UTF-8 CI=true \
    PATH=/opt/rust/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin sh -c "cd '$folder' && $command""#;
        remark!("  {user}: {command}");
        let began = Instant::now();
        let log = self.root.join("said.txt");
        let file = fs::File::create(&log)?;
        let mut inside = Command::new("unshare");
        inside
            .args([
                "--mount",
                "--propagation",
                "private",
                "--pid",
                "--fork",
                "--kill-child",
            ])
            .args(["sh", "-euc", ENTER, "sh"])
            .arg(&self.root)
            .arg(sysroot()?)
            .args([user, folder, command])
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file);
        let status = signals.run(&mut inside).context("cannot start unshare")?;
        if signals.caught() {
            return Err(Stop::host("interrupted", "the same again").into());
        }
        Ok(Said {
            code: status.code(),
            text: String::from_utf8_lossy(&fs::read(&log)?).into_owned(),
            seconds: began.elapsed().as_secs(),
        })
    }
}

/// Where the Rust lies that built this.
fn sysroot() -> anyhow::Result<String> {
    let output = Command::new("rustc")
        .args(["--print", "sysroot"])
        .output()?;
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

/// Where this machine has its packages from; debootstrap's own where it does not say.
fn mirror() -> Option<String> {
    let uris = Regex::new(r"(?m)^(?:URIs:|deb(?: \[[^\]]*\])?) +(\S+/debian)/?(?:\s|$)").ok()?;
    let files = [
        "/etc/apt/sources.list.d/debian.sources",
        "/etc/apt/sources.list",
    ];
    files.into_iter().find_map(|file| {
        let text = fs::read_to_string(file).ok()?;
        Some(uris.captures(&text)?[1].to_owned())
    })
}
