//! What can be typed.

mod boot_matrix;
mod firmware;

use std::{collections::BTreeSet, path::PathBuf};

use clap::{Args, ValueEnum};
use clap_complete::Shell;
use harness::{accelerator::Accelerator, attachment::Attachment, medium_profile::MediumProfile};
use images::defect::Defect;
use images::medium::Medium;
use scenarios::{
    toolbox::AcceleratorWish,
    words::{self, FirmwareName, Name, Set},
};

pub use self::{
    boot_matrix::BootMatrix,
    firmware::{Firmware, FirmwareVerb},
};
use crate::examples;

#[derive(Debug, Args)]
pub struct Cell {
    /// The run file.
    pub run: PathBuf,
    /// The cell's id.
    pub id: String,
}

/// What was typed behind the program's name, the verb first, as it can be shown.
pub fn typed() -> Vec<String> {
    let words = std::env::args_os().skip(1);
    words
        .map(|word| word.to_string_lossy().into_owned())
        .collect()
}

/// What is used, and whether what is missing is installed.
#[derive(Clone, Debug, Args)]
pub struct Tooling {
    /// The QEMU to use.
    ///
    /// If this is a script, it must start QEMU with exec: any other process that it starts survives when the runner is killed.
    #[arg(long, value_name = "PATH")]
    pub qemu: Option<PathBuf>,
    /// How QEMU runs the guest's instructions.
    #[arg(long, value_name = "ACCELERATOR", default_value = "measure")]
    pub accelerator: AcceleratorChoice,
    /// Install missing tools without a prompt.
    #[arg(long, alias = "yes")]
    pub install: bool,
}

impl From<AcceleratorChoice> for AcceleratorWish {
    fn from(choice: AcceleratorChoice) -> Self {
        match choice {
            AcceleratorChoice::Tcg => Self::Given(Accelerator::Tcg),
            AcceleratorChoice::Kvm => Self::Given(Accelerator::Kvm),
            AcceleratorChoice::Measure => Self::Fastest,
        }
    }
}

/// What `repro --firmware` takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FirmwareWord {
    /// Every firmware that is known.
    All,
    /// This one.
    Named(FirmwareName),
}

impl FirmwareWord {
    fn read(word: &str) -> Result<Self, String> {
        match word {
            "all" => Ok(Self::All),
            _ => words::read::<FirmwareName>(word).map(Self::Named),
        }
    }

    /// What some of them name, in order, each once.
    #[must_use]
    pub fn names(words: &[Self]) -> Vec<FirmwareName> {
        let mut names = Vec::new();
        for word in words {
            match word {
                Self::All => names.extend(words::Firmware::ALL.iter().map(|&id| id.into())),
                Self::Named(name) => names.push(name.clone()),
            }
        }
        let mut seen = BTreeSet::new();
        names.retain(|name| seen.insert(name.clone()));
        names
    }
}

#[derive(Debug, Args)]
#[command(after_help = examples::REPRO.help())]
pub struct Repro {
    /// The disc: a file, or a drive such as /dev/sr0. It is only read.
    #[arg(value_name = "ISO")]
    pub iso: PathBuf,
    /// Boot on this firmware: seabios, ovmf, ovmf-ia32, ovmf-secure-boot, rombios, aavmf, u-boot-arm64, u-boot-x86-64, seabios-microvm or all. Add @VERSION
    /// for a certain build (see cargo xtask firmware list) [default: seabios and ovmf; also ovmf-secure-boot if the disc has a signed loader].
    #[arg(long, value_name = "FIRMWARE[@VERSION]", value_delimiter = ',', value_parser = FirmwareWord::read)]
    pub firmware: Vec<FirmwareWord>,
    /// Boot on all builds of SeaBIOS and OVMF, or of the firmware in --firmware: the host's, and those that were fetched or added (cargo xtask firmware).
    #[arg(long)]
    pub firmware_grid: bool,
    /// Use this attachment [default: ide, ahci, scsi, usb-cd, usb-disk and virtio-blk].
    #[arg(long, value_name = "ATTACHMENT", value_delimiter = ',', value_parser = words::read::<Attachment>)]
    pub attach: Vec<Attachment>,
    /// Use a medium that is slow (slow=KIB, per second), has blocks that cannot be read (bad-block=catalog, bad-block=image, bad-block=LBA+COUNT), is
    /// inserted after power-on (late=SECONDS), or is ejected when the firmware has handed over (ejected).
    #[arg(long, value_name = "PROFILE", conflicts_with_all = ["promote", "distil", "fix"])]
    pub medium_profile: Option<MediumProfile>,
    /// A regular expression that matches on the serial line or on the screen when the disc has booted. Without it, a disc counts as started if a login, an
    /// installer, or a boot menu whose files are on the disc is seen.
    #[arg(long, value_name = "REGEX")]
    pub expect: Option<String>,
    /// A file with a dialogue that operates the boot menu and the system after it (scenarios/README.md describes the format). The disc has booted when all
    /// steps are done.
    #[arg(long, value_name = "FILE")]
    pub dialog: Option<PathBuf>,
    /// Compare with this disc, which boots, and report the first structure that differs.
    #[arg(long, value_name = "ISO")]
    pub good: Option<PathBuf>,
    /// Write a copy of the disc in which the causes of the failure are fixed, if the disc itself contains everything that the fixes need. To prove that the
    /// copy starts, it is booted in the same ways. The disc is not changed.
    #[arg(long, value_name = "OUT.iso", conflicts_with = "firmware_grid")]
    pub fix: Option<PathBuf>,
    /// Boot code for the first sector of a disc that has none, such as isolinux' isohdpfx.bin. repro tries it, and --fix writes it if it helps.
    #[arg(long, value_name = "FILE")]
    pub boot_code: Option<PathBuf>,
    /// Minimize the disc: write a disc of the same length with only the sectors that were read, and prove that it fails in the same way. FILE.disc is the
    /// same disc as a few kilobytes of text.
    #[arg(long, value_name = "FILE.iso")]
    pub distil: Option<PathBuf>,
    /// Make the minimized disc a scenario of this name with its snapshots, in the folder of --scenarios.
    #[arg(long, value_name = "NAME", value_parser = words::read::<Name>, conflicts_with_all = ["dialog", "firmware_grid"])]
    pub promote: Option<Name>,
    /// The folder of scenarios to which --promote adds [default: the one that comes with boot-matrix].
    #[arg(long, value_name = "DIR", requires = "promote")]
    pub scenarios: Option<PathBuf>,
    /// Pack the whole results folder into one file, DIR.tar.zst.
    #[arg(long)]
    pub bundle: bool,
    /// Open QEMU's window on the first boot that failed.
    #[arg(long)]
    pub show: bool,
    /// A file with the messages of a loader or system and their meaning, in addition to the known ones (docs/guests.md).
    #[arg(long, value_name = "FILE.toml")]
    pub words: Vec<PathBuf>,
    /// Watch each boot for at most this many seconds of wall time [default: until the result is known, at most 180 seconds of the machine's own time].
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub timeout: Option<u64>,
    /// The guest's memory in MiB [default: 1024, and up to 4096 if the guest reports a lack of memory]. With this option, machines start from power-on.
    #[arg(long, value_name = "MIB", value_parser = clap::value_parser!(u32).range(8..=65_536))]
    pub memory: Option<u32>,
    /// The guest's processor, as in QEMU's -cpu [default: max]. With this option, machines start from power-on.
    #[arg(long, value_name = "MODEL")]
    pub cpu: Option<String>,
    /// The guest's network: none, or isolated (a card without a connection) for a program that does not continue without a card. With isolated, machines start
    /// from power-on.
    #[arg(long, value_name = "NETWORK", default_value = "none")]
    pub network: Network,
    /// Start every machine from power-on, not from a checkpoint.
    #[arg(long)]
    pub cold: bool,
    /// The folder for the report and the evidence [default: target/repro/NAME, where NAME is that of the ISO].
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    #[command(flatten)]
    pub tooling: Tooling,
    /// The output format.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: Format,
}

#[derive(Debug, Args)]
#[command(after_help = examples::CHECKPOINTS.help())]
pub struct Checkpoints {
    /// What to do.
    #[arg(value_name = "WHAT")]
    pub verb: CheckpointVerb,
    /// The output format.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum CheckpointVerb {
    /// List the checkpoints.
    List,
    /// Remove all checkpoints. The next run makes those that it needs.
    Clear,
}

#[derive(Debug, Args)]
#[command(after_help = examples::DOCTOR.help())]
pub struct Doctor {
    #[command(flatten)]
    pub tooling: Tooling,
    /// The output format.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: Format,
}

#[derive(Debug, Args)]
#[command(after_help = examples::COMPLETIONS.help())]
pub struct Completions {
    /// The shell.
    #[arg(value_name = "SHELL")]
    pub shell: Shell,
}

#[derive(Debug, Args)]
#[command(after_help = examples::IMAGE.help())]
pub struct Image {
    /// The id of a cell or a disc, which need not be in a scenario; or a disc as text, which repro --distil wrote.
    #[arg(value_name = "CELL-ID|DISC-ID|FILE.disc")]
    pub id: String,
    /// Add one intentional defect, as defect=ID in the id does.
    #[arg(long, value_name = "ID", value_parser = read_defect)]
    pub defect: Option<Defect>,
    /// The file to write, in an existing folder. The description of the disc's contents is written to FILE.json.
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// The output format.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: Format,
}

#[derive(Debug, Args)]
#[command(after_help = examples::CONFORMANCE.help())]
pub struct Conformance {
    /// The tool: a file that describes it, as in --master of boot-matrix (docs/mastering.md), or the name of a tool that comes with boot-matrix.
    #[arg(value_name = "TOOL.toml|NAME")]
    pub tool: String,
    /// Judge the discs only by their bytes, and boot none.
    #[arg(long)]
    pub bytes_only: bool,
    /// The list of discs [default: the one that comes with boot-matrix].
    #[arg(long, value_name = "FILE")]
    pub kit: Option<PathBuf>,
    /// Write the score as a picture (SVG).
    #[arg(long, value_name = "FILE.svg")]
    pub badge: Option<PathBuf>,
    /// The folder for the report, the discs and the evidence [default: target/conformance/NAME, where NAME is that of the tool].
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    #[command(flatten)]
    pub tooling: Tooling,
    /// The output format.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: Format,
}

#[derive(Debug, Args)]
#[command(after_help = examples::MERGE.help())]
pub struct Merge {
    /// The folders of the runs, each of one slice (boot-matrix --partition). If a slice died and was run again, name both folders: every cell counts once.
    #[arg(value_name = "DIR", required = true)]
    pub folders: Vec<PathBuf>,
    /// The folder for the joined results, page, test report and evidence.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// The output format.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: Format,
}

#[derive(Debug, Args)]
#[command(after_help = examples::REPORT.help())]
pub struct Report {
    /// The folder of a run [default: target/boot-matrix].
    #[arg(value_name = "DIR")]
    pub folder: Option<PathBuf>,
    /// Open the page in the browser.
    #[arg(long)]
    pub open: bool,
    /// The output format.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: Format,
}

#[derive(Debug, Args)]
#[command(after_help = examples::LISTEN.help())]
pub struct Listen {
    /// The serial port that is connected to the machine's COM1, such as /dev/ttyUSB0.
    #[arg(long, value_name = "PORT")]
    pub port: PathBuf,
    /// The cell whose disc the machine boots (cargo xtask image CELL-ID --out FILE). The result is compared with the scenario's declaration.
    #[arg(long, value_name = "CELL-ID", conflicts_with = "manifest")]
    pub cell: Option<String>,
    /// Compare the probe's report with this description of the disc's contents, which image wrote with the disc.
    #[arg(long, value_name = "FILE.iso.json")]
    pub manifest: Option<PathBuf>,
    /// The speed of the port in baud. A probe sends at 115200.
    #[arg(long, value_name = "BAUD", default_value_t = images::probe::protocol::BAUD)]
    pub speed: u32,
    /// How many seconds to wait until the machine is switched on, has booted, and has finished its report.
    #[arg(long, value_name = "SECONDS", default_value_t = 300, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub timeout: u64,
    /// The folder for the evidence [default: target/listen].
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// The output format.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: Format,
}

#[derive(Debug, Args)]
#[command(after_help = examples::INSPECT.help())]
pub struct Inspect {
    /// The disc: a file, or a drive such as /dev/sr0.
    #[arg(value_name = "ISO")]
    pub iso: PathBuf,
    /// The intended medium, such as cd-80, or its capacity in blocks, such as 344250b. Data past its end, or past a quarter of it, is reported.
    #[arg(long, value_name = "MEDIUM")]
    pub medium: Option<Medium>,
    /// The boot image from which the disc was mastered: it is compared with the image on the disc.
    #[arg(long, value_name = "FILE")]
    pub boot_image: Option<PathBuf>,
    /// Compare with this disc, which was made from the first one, and report how the change affects booting. The exit code is 1 if something that was right is
    /// wrong on this disc, and otherwise 0, even if both discs have defects.
    #[arg(long, value_name = "AFTER", conflicts_with = "boot_image")]
    pub compare: Option<PathBuf>,
    /// Read the whole disc: check the checksum that isomd5sum implanted, and look for unexpected zeros.
    #[arg(long)]
    pub verify: bool,
    /// Keys that a machine trusts (its db): a certificate (PEM or DER), an EFI signature list, or a program (for its hash). Repeat the option for more.
    /// inspect then reports which programs that machine starts with Secure Boot on, and which it refuses. Use --dbx for what the machine has revoked.
    #[arg(long, value_name = "FILE")]
    pub db: Vec<PathBuf>,
    /// Compare the EFI programs with this revocation list (dbx): EFI signature lists, or a signed update such as dbxupdate_x64.bin [default: the newest list
    /// in an installed package].
    #[arg(long, value_name = "FILE")]
    pub dbx: Option<PathBuf>,
    /// Compare the EFI programs with this SBAT level: a file, a shim, or text such as "sbat,1,2025051000 shim,4 grub,5" [default: the newest level in an
    /// installed shim package].
    #[arg(long, value_name = "FILE|TEXT")]
    pub sbat_level: Option<String>,
    /// The output format.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: InspectFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum InspectFormat {
    /// For people.
    Text,
    /// One JSON document, inspect/1, on standard output.
    Json,
    /// One SARIF 2.1.0 document on standard output, for tools that show findings.
    Sarif,
}

impl InspectFormat {
    /// How to tell that there are no findings to show: SARIF has no words for that.
    pub(crate) const fn of_errors(self) -> Format {
        match self {
            Self::Json => Format::Json,
            Self::Text | Self::Sarif => Format::Text,
        }
    }
}

fn read_defect(text: &str) -> Result<Defect, String> {
    text.parse()
        .map_err(|_| words::unknown_word("defect", text, Defect::names()))
}

/// Sets of scenarios; empty for all.
#[derive(Clone, Debug)]
pub struct Sets(pub Vec<Set>);

impl Sets {
    fn parse(text: &str) -> Result<Self, String> {
        if text == "all" {
            return Ok(Self(Vec::new()));
        }
        let known = || Set::ALL.iter().map(|set| set.as_str()).chain(["all"]);
        let set = Set::ALL.iter().find(|set| set.as_str() == text);
        set.map(|&set| Self(vec![set]))
            .ok_or_else(|| words::unknown_word("set", text, known()))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Rerun {
    /// Cells that were a mismatch, or could not be run.
    Failed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum AcceleratorChoice {
    /// Emulation.
    Tcg,
    /// The host's virtualisation.
    Kvm,
    /// The faster one on this host.
    Measure,
}

/// What network a guest has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Network {
    /// No network card.
    None,
    /// A network card without a connection.
    Isolated,
}

impl From<Network> for harness::machine::spec::Network {
    fn from(network: Network) -> Self {
        match network {
            Network::None => Self::None,
            Network::Isolated => Self::Isolated,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// One JSON document on standard output; everything else on standard error.
    Json,
}

/// How a run of cells answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RunFormat {
    /// For people.
    Text,
    /// One JSON document on standard output; everything else on standard error.
    Json,
    /// Annotations for GitHub Actions, and a summary in the file named by $GITHUB_STEP_SUMMARY.
    Github,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_firmware_is_each_once() {
        let words =
            ["all", "seabios", "seabios@1.17.0"].map(|word| FirmwareWord::read(word).unwrap());
        let names: Vec<String> = FirmwareWord::names(&words)
            .iter()
            .map(ToString::to_string)
            .collect();
        let count = words::Firmware::ALL.len();
        assert_eq!(names.len(), count + 1);
        assert_eq!((&*names[0], &*names[count]), ("seabios", "seabios@1.17.0"));
        let unknown = FirmwareWord::read("rombois").unwrap_err();
        assert!(unknown.contains("did you mean rombios?"), "{unknown}");
    }
}
