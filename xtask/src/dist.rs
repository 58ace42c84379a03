//! Static programs for any Linux, packed under the names by which cargo-binstall looks for them.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
};

use anyhow::Context;
use clap::Args;
use flate2::{Compression, write::GzEncoder};
use images::bytes::hex;
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::repository::{target, workspace};
use cli::{
    options::Format,
    place::{absolute, cargo, shown},
    remark,
    signals::Signals,
    stop::Stop,
};

/// Linux with musl, of which the whole C library fits into the program.
const TARGETS: [&str; 2] = ["x86_64-unknown-linux-musl", "aarch64-unknown-linux-musl"];

/// As the package and its program are called.
const PROGRAM: &str = "boot-matrix";

/// What is packed beside the program.
const LICENCES: [&str; 2] = ["LICENSE-APACHE", "LICENSE-MIT"];

#[derive(Debug, Args)]
#[command(after_help = crate::examples::DIST.help())]
pub(crate) struct Dist {
    /// Build only for this target. Repeat the option for more.
    #[arg(long = "target", value_name = "TARGET", value_parser = TARGETS)]
    targets: Vec<String>,
    /// The folder for the archives. [default: target/dist]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// The output format.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: Format,
}

/// Runs the verb.
pub(crate) fn run(options: &Dist) -> anyhow::Result<ExitCode> {
    let signals = Signals::catch()?;
    let targets: Vec<&str> = match options.targets.as_slice() {
        [] => TARGETS.to_vec(),
        chosen => chosen.iter().map(String::as_str).collect(),
    };
    needs_zigbuild()?;
    let library = targets
        .iter()
        .map(|target| StandardLibrary::of(target))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let out = match &options.out {
        Some(out) => absolute(out),
        None => target().join("dist"),
    };
    fs::create_dir_all(&out).with_context(|| format!("cannot create {}", out.display()))?;
    let mut archives = Vec::new();
    for (target, library) in targets.into_iter().zip(library) {
        let program = build(target, library, signals)?;
        archives.push(Archive::write(target, &program, &out)?);
    }
    let mut answer = cli::terminal::answer();
    match options.format {
        Format::Json => {
            let archives: Vec<_> = archives.iter().map(Archive::json).collect();
            writeln!(
                answer,
                "{}",
                json!({ "schema": "dist/1", "archives": archives })
            )?;
        }
        Format::Text => archives
            .iter()
            .try_for_each(|archive| writeln!(answer, "{archive}"))?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Zig brings a C compiler and musl for every target, and cargo-zigbuild makes cargo use them.
fn needs_zigbuild() -> anyhow::Result<()> {
    if answers(cargo().args(["zigbuild", "--help"])) {
        return Ok(());
    }
    let remedy = "pip install ziglang, and cargo install --locked cargo-zigbuild";
    Err(Stop::host("cargo has no command zigbuild", remedy).into())
}

fn answers(command: &mut Command) -> bool {
    let asked = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
    asked.is_ok_and(|status| status.success())
}

/// Where Rust's standard library for a target comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum StandardLibrary {
    /// It is installed.
    Installed,
    /// It is compiled from its sources, as Debian's package rust-src brings them.
    Source,
}

impl StandardLibrary {
    fn of(target: &str) -> anyhow::Result<Self> {
        let installed = rustc(&["--print", "target-libdir", "--target", target])?;
        if Path::new(&installed).is_dir() {
            return Ok(Self::Installed);
        }
        let root = rustc(&["--print", "sysroot"])?;
        if Path::new(&root)
            .join("lib/rustlib/src/rust/library/Cargo.lock")
            .exists()
        {
            return Ok(Self::Source);
        }
        let what = format!("rustc has no standard library for {target}");
        let remedy = format!(
            "rustup target add {target}; with the Rust of a distribution, install its package rust-src, and the library is compiled"
        );
        Err(Stop::host(what, remedy).into())
    }
}

/// What the compiler answers, in one line.
fn rustc(arguments: &[&str]) -> anyhow::Result<String> {
    let asked = Command::new("rustc")
        .current_dir(workspace())
        .args(arguments)
        .output()
        .context("cannot start rustc")?;
    anyhow::ensure!(
        asked.status.success(),
        "rustc {}: {}",
        arguments.join(" "),
        String::from_utf8_lossy(&asked.stderr).trim()
    );
    Ok(String::from_utf8_lossy(&asked.stdout).trim().to_owned())
}

/// Builds the program, and says where it is.
fn build(target: &str, library: StandardLibrary, signals: &Signals) -> anyhow::Result<PathBuf> {
    let mut zigbuild = cargo();
    let folder = crate::repository::target();
    zigbuild
        .current_dir(workspace())
        .args(["zigbuild", "--locked", "--release", "--package", PROGRAM])
        .args(["--target", target])
        .arg("--target-dir")
        .arg(&folder)
        .stdin(Stdio::null());
    if library == StandardLibrary::Source {
        remark!("{target}: compiles the standard library too");
        zigbuild
            .arg("-Zbuild-std")
            // Only an unstable option compiles it.
            .env("RUSTC_BOOTSTRAP", "1")
            // The objects with which a program starts come from Zig, for they belong to an installed library.
            .env("RUSTFLAGS", "-Clink-self-contained=no");
    }
    let status = signals.run(&mut zigbuild).context("cannot start cargo")?;
    anyhow::ensure!(status.success(), "cargo zigbuild for {target}: {status}");
    Ok(folder.join(target).join("release").join(PROGRAM))
}

/// A packed program.
struct Archive {
    target: String,
    file: PathBuf,
    length: u64,
    sha256: String,
}

impl Archive {
    /// Packs the program and the licences: the same program gives the same bytes.
    fn write(target: &str, program: &Path, out: &Path) -> anyhow::Result<Self> {
        let file = out.join(format!("{PROGRAM}-{target}.tar.gz"));
        let mut packed = GzEncoder::new(Vec::new(), Compression::best());
        let mut archive = tar::Builder::new(&mut packed);
        archive.mode(tar::HeaderMode::Deterministic);
        archive
            .append_path_with_name(program, PROGRAM)
            .with_context(|| format!("cannot pack {}", program.display()))?;
        for licence in LICENCES {
            archive.append_path_with_name(workspace().join(licence), licence)?;
        }
        archive.finish()?;
        drop(archive);
        let bytes = packed.finish()?;
        fs::write(&file, &bytes).with_context(|| format!("cannot write {}", file.display()))?;
        Ok(Self {
            target: target.to_owned(),
            length: bytes.len() as u64,
            file,
            sha256: hex(Sha256::digest(&bytes)),
        })
    }

    fn json(&self) -> serde_json::Value {
        json!({ "target": self.target, "file": self.file, "bytes": self.length, "sha256": self.sha256 })
    }
}

/// As `sha256sum` writes it, which can therefore check it.
impl std::fmt::Display for Archive {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}  {}", self.sha256, shown(&self.file).display())
    }
}
