//! The shims that this distribution has released: by whom each is signed, and what machines with each set of keys do with it.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Instant,
};

use anyhow::Context;
use clap::Args;
use harness::{
    firmware::keys::{MicrosoftKeys, SHIM, shim_below},
    live::{Built, Layout, Stock, build},
    packages::Packages,
};
use images::inspect::{ProgramReading, inspect_program};
use serde_json::Value;

use super::{
    kept::{Figures, Table},
    runner::Runner,
};
use cli::{place, remark, signals::Signals, stop::Stop};

/// Reads and boots them.
#[derive(Debug, Args)]
#[command(after_help = crate::examples::TRUST_SHIMS.help())]
pub(crate) struct Shims {}

/// The package with the program that each shim starts.
const GRUB: &str = "grub-efi-amd64-signed";

/// A shim and GRUB, and no configuration: GRUB's command line shows that shim started it.
const LAYOUT: &str = r#"
summary = "a shim that was released"
packages = ["shim-signed", "grub-efi-amd64-signed"]
tools = { xorriso = "xorriso" }
label = "SHIM"
master = ["xorriso -as mkisofs -quiet -R -V @label@ -e efi.img -no-emul-boot -o disc.iso tree"]
[copy]
"first.efi" = "{shim-signed}/usr/lib/shim/shimx64.efi.signed"
"second.efi" = "{grub-efi-amd64-signed}/usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed"
[[fat]]
file = "tree/efi.img"
kib = 8192
files = { "EFI/BOOT/BOOTX64.EFI" = "first.efi", "EFI/BOOT/GRUBX64.EFI" = "second.efi" }
"#;

pub(super) fn measure(_: &Shims, signals: &'static Signals) -> anyhow::Result<Figures> {
    let began = Instant::now();
    let packages = Packages::in_folder(place::firmware()?.join("apt"));
    let unreachable = |error| Stop::host(error, "a host whose package manager reaches its archive");
    packages.update().map_err(unreachable)?;
    let stock = Stock::in_folder(place::live()?);
    let grub = stock
        .package(GRUB)
        .map_err(|why| Stop::host(why, "cargo xtask boot-matrix --set live, which fetches it"))?;
    let sets: Vec<&str> = MicrosoftKeys::ALL.iter().map(|(name, _)| *name).collect();
    let head = ["shim-signed", "in", "signed by", "SBAT"];
    let head = head.iter().map(|word| (*word).to_owned());
    let mut table = Table {
        head: head
            .chain(sets.iter().map(|set| format!("on {set}")))
            .collect(),
        rows: Vec::new(),
    };
    for shim in packages.available(&[SHIM]).map_err(unreachable)? {
        if signals.caught() {
            return Err(Stop::host("interrupted", "the same again").into());
        }
        let runner = Runner::new()?;
        let below = runner.path("stock");
        let unpacked = below.join(SHIM);
        fs::create_dir_all(&unpacked)?;
        packages
            .unpack(&shim.package, &shim.version, &unpacked)
            .map_err(unreachable)?;
        symlink(fs::canonicalize(&grub)?, below.join(GRUB))?;
        let file = shim_below(&unpacked).context("the package has no shim for x86-64")?;
        let read = inspect_program(&fs::read(&file)?).context("its shim is no EFI program")?;
        let iso = disc(&below, &runner.path("disc"))?;
        let did = boot(&runner, &iso, &sets)?;
        remark!("{} {}: {}", shim.package, shim.version, did.join(", "));
        let mut row = vec![shim.version.clone(), shim.suite.clone()];
        row.extend([signers(&read), generations(&read)]);
        row.extend(did);
        table.rows.push(row);
    }
    let mut figures = Figures::default();
    figures.add("shims", table.rows.len());
    figures.seconds = began.elapsed().as_secs();
    figures.tables.push(table);
    Ok(figures)
}

/// Masters the disc.
fn disc(stock: &Path, folder: &Path) -> anyhow::Result<PathBuf> {
    let layout = Layout::parse(Path::new("shims.toml"), LAYOUT)?;
    fs::create_dir_all(folder)?;
    match build(&layout, None, &Stock::in_folder(stock), None, folder)? {
        Built::Made(iso) => Ok(iso),
        Built::Refused(words) => Err(Stop::host(words.join(": "), "xorriso").into()),
    }
}

/// What comes of it on a machine with each set of keys, in a few words.
fn boot(runner: &Runner, iso: &Path, sets: &[&str]) -> anyhow::Result<Vec<String>> {
    let firmware: Vec<String> = sets
        .iter()
        .map(|set| format!("ovmf-secure-boot@{set}"))
        .collect();
    let mut command = Command::new(runner.program());
    command.args([
        "repro",
        "--format",
        "json",
        "--attach",
        "ahci",
        "--firmware",
    ]);
    command
        .arg(firmware.join(","))
        .arg("--out")
        .arg(runner.path("out"))
        .arg(iso);
    let answer = command
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()?;
    let read: Value = serde_json::from_slice(&answer.stdout)
        .context("repro answered something else than JSON")?;
    let cells = read["cells"].as_array().context("repro has no cells")?;
    let did = |name: &String| {
        let is_it = |cell: &&Value| {
            let id = cell["id"].as_str().unwrap_or_default();
            id.split('/').nth(5) == Some(name)
        };
        let cell = cells.iter().find(is_it).context("repro left a cell out")?;
        Ok(in_words(cell))
    };
    firmware.iter().map(did).collect()
}

fn in_words(cell: &Value) -> String {
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let guest = &cell["guest"];
    match (guest["program"].as_str(), guest["state"].as_str()) {
        (Some("grub"), _) => "starts GRUB".to_owned(),
        (Some(program), Some(_)) => format!("{program}: {}", word(&guest["said"])),
        _ => match cell["outcome"]["code"].as_str() {
            Some(code) => code.to_owned(),
            None => word(&cell["outcome"]["kind"]),
        },
    }
}

fn signers(read: &ProgramReading) -> String {
    let signatures = read.signatures.iter();
    let names = signatures.filter_map(|it| Some(it.authority?.name().to_owned()));
    names.collect::<Vec<_>>().join(", ")
}

fn generations(read: &ProgramReading) -> String {
    let own = read.sbat.iter().filter(|it| it.component != "sbat");
    let own: Vec<String> = own
        .map(|it| format!("{} {}", it.component, it.generation))
        .collect();
    match own.is_empty() {
        true => "none".to_owned(),
        false => own.join(", "),
    }
}
