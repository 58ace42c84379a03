//! What can be typed.

mod boot_matrix;
mod firmware;

use std::{collections::BTreeSet, convert::Infallible, path::PathBuf, process::ExitCode};

use clap::{Args, Command, Subcommand, ValueEnum};
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
use crate::{
    boot_matrix as boot_matrix_verb, checkpoints, completions, conformance, doctor, examples,
    firmware as firmware_verb, image, inspect, listen, merge,
    program::{Asked, Verbs},
    report, repro,
};

#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Each program has its own name for it.
    #[command(skip)]
    BootMatrix(Box<BootMatrix>),
    /// Judge a tool that masters discs: have it make every disc of the conformance kit, and count those that are right.
    Conformance(Conformance),
    /// Master one disc.
    Image(Image),
    /// Read a disc without booting it, and say what is on it and what is wrong with it.
    Inspect(Inspect),
    /// Find out why a disc does not boot: boot it on each firmware by each attachment, and explain what is seen.
    Repro(Box<Repro>),
    /// Join the results of several runs, the slices of one matrix, and prove that every cell was run and counts once.
    Merge(Merge),
    /// Make the page about a run anew, from its results and evidence: report.html.
    Report(Report),
    /// Follow the probe of a disc that a real machine boots, over a serial port, and judge what it says.
    Listen(Listen),
    /// List, fetch, add or remove builds of firmware besides the host's.
    Firmware(Firmware),
    /// List or remove the saved machines from which cells start.
    Checkpoints(Checkpoints),
    /// Say what is needed on this machine, and what is missing.
    Doctor(Doctor),
    /// Print a script with which a shell completes cargo xtask.
    Completions(Completions),
    /// Run one cell of a run. boot-matrix starts a process of this for each.
    #[command(hide = true)]
    Cell(Cell),
}

impl Verb {
    /// How the verb is asked to answer.
    pub const fn format(&self) -> Format {
        match self {
            Self::BootMatrix(options) => match options.format {
                RunFormat::Json => Format::Json,
                RunFormat::Text | RunFormat::Github => Format::Text,
            },
            Self::Repro(options) => options.format,
            Self::Conformance(options) => options.format,
            Self::Image(options) => options.format,
            Self::Inspect(options) => options.format.of_errors(),
            Self::Merge(options) => options.format,
            Self::Report(options) => options.format,
            Self::Listen(options) => options.format,
            Self::Firmware(options) => options.format,
            Self::Checkpoints(options) => options.format,
            Self::Doctor(options) => options.format,
            Self::Completions(_) | Self::Cell(_) => Format::Text,
        }
    }
    /// Runs it. `all` is what can be typed.
    pub(crate) fn run(self, all: &Command) -> anyhow::Result<ExitCode> {
        match self {
            Self::BootMatrix(options) => boot_matrix_verb::run(&options),
            Self::Conformance(options) => conformance::run(&options),
            Self::Image(options) => image::run(&options),
            Self::Inspect(options) => inspect::run(&options),
            Self::Repro(options) => repro::run(&options),
            Self::Merge(options) => merge::run(&options),
            Self::Report(options) => report::run(&options),
            Self::Listen(options) => listen::run(&options),
            Self::Doctor(options) => doctor::run(&options),
            Self::Cell(options) => boot_matrix_verb::cells::one(&options),
            Self::Completions(options) => completions::run(&options, all),
            Self::Checkpoints(options) => checkpoints::run(&options),
            Self::Firmware(options) => firmware_verb::run(&options),
        }
    }
}

/// What the installed program can be asked to do.
#[derive(Debug, Subcommand)]
pub enum Installed {
    /// Master the discs of the matrix, boot each, and compare what happened with what must happen.
    Run(Box<BootMatrix>),
    #[command(flatten)]
    Shared(Verb),
}

impl Verbs for Installed {
    type Own = Infallible;

    fn asked(self) -> Asked<Infallible> {
        Asked::Shared(match self {
            Self::Run(options) => Verb::BootMatrix(options),
            Self::Shared(verb) => verb,
        })
    }
}

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
    /// A script in its place must exec QEMU: what it starts beside itself lives on when the runner is killed.
    #[arg(long, value_name = "PATH")]
    pub qemu: Option<PathBuf>,
    /// What runs the guests' instructions.
    #[arg(long, value_name = "ACCELERATOR", default_value = "measure")]
    pub accelerator: AcceleratorChoice,
    /// Install what is missing without asking.
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
    /// Boot on this firmware instead of SeaBIOS and OVMF, and OVMF with Secure Boot for a disc with a signed loader: seabios, ovmf, ovmf-ia32, ovmf-secure-boot, rombios, aavmf, u-boot-arm64,
    /// u-boot-x86-64 or seabios-microvm, a build of one with @VERSION (cargo xtask firmware list), or all.
    #[arg(long, value_name = "FIRMWARE[@VERSION]", value_delimiter = ',', value_parser = FirmwareWord::read)]
    pub firmware: Vec<FirmwareWord>,
    /// On every build that there is of SeaBIOS and OVMF, or of the firmware that --firmware names: the host's, fetched and added ones (see
    /// cargo xtask firmware).
    #[arg(long)]
    pub firmware_grid: bool,
    /// By this attachment [default: ide, ahci, scsi, usb-cd, usb-disk and virtio-blk].
    #[arg(long, value_name = "ATTACHMENT", value_delimiter = ',', value_parser = words::read::<Attachment>)]
    pub attach: Vec<Attachment>,
    /// With a medium that is slow (slow=KIB, in a second), cannot be read in places (bad-block=catalog, bad-block=image, bad-block=LBA+COUNT), comes after
    /// power-on (late=SECONDS), or goes when the firmware has handed over (ejected).
    #[arg(long, value_name = "PROFILE", conflicts_with_all = ["promote", "distil", "fix"])]
    pub medium_profile: Option<MediumProfile>,
    /// A regular expression for what is seen on serial or on the screen when the disc has booted. Without it a disc
    /// starts when a login, an installer or a boot menu of what is on it is seen.
    #[arg(long, value_name = "REGEX")]
    pub expect: Option<String>,
    /// Go through a boot menu and on: steps of expect, send, keys, type and screen, as scenarios/README.md describes them. The disc has booted
    /// when they came to their end.
    #[arg(long, value_name = "FILE")]
    pub dialog: Option<PathBuf>,
    /// A disc that boots: the first structure that differs from it is told.
    #[arg(long, value_name = "ISO")]
    pub good: Option<PathBuf>,
    /// Write a copy of the disc in which what keeps it from starting is fixed, as far as the disc itself holds what is needed for that, and prove it: the copy is
    /// booted in the same ways. The disc stays as it is.
    #[arg(long, value_name = "OUT.iso", conflicts_with = "firmware_grid")]
    pub fix: Option<PathBuf>,
    /// Boot code for the first sector of a disc that has none, such as isolinux' isohdpfx.bin: it is tried there, and --fix writes it.
    #[arg(long, value_name = "FILE")]
    pub boot_code: Option<PathBuf>,
    /// Write a disc of the same length with only the sectors that were read, and prove that it fails in the same way.
    /// Beside it comes FILE.disc, the same as text of a few kilobytes.
    #[arg(long, value_name = "FILE.iso")]
    pub distil: Option<PathBuf>,
    /// Make the distilled disc a scenario of this name with its snapshots, in the folder of --scenarios.
    #[arg(long, value_name = "NAME", value_parser = words::read::<Name>, conflicts_with_all = ["dialog", "firmware_grid"])]
    pub promote: Option<Name>,
    /// The folder of scenarios that --promote adds to [default: the one that comes with boot-matrix].
    #[arg(long, value_name = "DIR", requires = "promote")]
    pub scenarios: Option<PathBuf>,
    /// Pack everything that is left behind into one file, DIR.tar.zst.
    #[arg(long)]
    pub bundle: bool,
    /// Open QEMU's own window on the first boot that failed.
    #[arg(long)]
    pub show: bool,
    /// A file of words that a loader or system says, and what they mean, beside those that are known (docs/guests.md).
    #[arg(long, value_name = "FILE.toml")]
    pub words: Vec<PathBuf>,
    /// Watch each boot for so many seconds at most, by the clock on the wall [default: until something decides, and 180 seconds of the machine's own
    /// time].
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub timeout: Option<u64>,
    /// The guest's memory in MiB [default: 1024, and up to 4096 for a guest that says that it needs more]. The machines then start from power-on.
    #[arg(long, value_name = "MIB", value_parser = clap::value_parser!(u32).range(8..=65_536))]
    pub memory: Option<u32>,
    /// The guest's processor, as QEMU's -cpu has it [default: max]. The machines then start from power-on.
    #[arg(long, value_name = "MODEL")]
    pub cpu: Option<String>,
    /// The guest's network: none, or a card with nothing at the other end of its cable, for a program that does not go on without one. The machines then start
    /// from power-on.
    #[arg(long, value_name = "NETWORK", default_value = "none")]
    pub network: Network,
    /// Start every machine from power-on, none from a checkpoint.
    #[arg(long)]
    pub cold: bool,
    /// The folder for the report and the evidence [default: target/repro/NAME, by the name of the ISO].
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    #[command(flatten)]
    pub tooling: Tooling,
    /// How to answer.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: Format,
}

#[derive(Debug, Args)]
#[command(after_help = examples::CHECKPOINTS.help())]
pub struct Checkpoints {
    /// What to do.
    #[arg(value_name = "WHAT")]
    pub verb: CheckpointVerb,
    /// How to answer.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum CheckpointVerb {
    /// Say what there is.
    List,
    /// Remove them all. The next run makes what it needs.
    Clear,
}

#[derive(Debug, Args)]
#[command(after_help = examples::DOCTOR.help())]
pub struct Doctor {
    #[command(flatten)]
    pub tooling: Tooling,
    /// How to answer.
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
    /// The id of a cell or of a disc, which need not be in any scenario; or a disc as text, which repro --distil wrote and which is rebuilt.
    #[arg(value_name = "CELL-ID|DISC-ID|FILE.disc")]
    pub id: String,
    /// One thing wrong on purpose: the same as defect=ID in the id.
    #[arg(long, value_name = "ID", value_parser = read_defect)]
    pub defect: Option<Defect>,
    /// The file to write, in a folder that exists; what the disc holds is written beside it, as FILE.json.
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// How to answer.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: Format,
}

#[derive(Debug, Args)]
#[command(after_help = examples::CONFORMANCE.help())]
pub struct Conformance {
    /// The tool: a file that describes it, as --master of boot-matrix takes it (docs/mastering.md), or the name of one that comes with boot-matrix.
    #[arg(value_name = "TOOL.toml|NAME")]
    pub tool: String,
    /// Judge the discs by their bytes alone, and boot none.
    #[arg(long)]
    pub bytes_only: bool,
    /// The list of discs [default: the one that comes with boot-matrix].
    #[arg(long, value_name = "FILE")]
    pub kit: Option<PathBuf>,
    /// Write the score as a picture, an SVG.
    #[arg(long, value_name = "FILE.svg")]
    pub badge: Option<PathBuf>,
    /// The folder for the report, the discs and the evidence of their boots [default: target/conformance/NAME, by the name of the tool].
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    #[command(flatten)]
    pub tooling: Tooling,
    /// How to answer.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: Format,
}

#[derive(Debug, Args)]
#[command(after_help = examples::MERGE.help())]
pub struct Merge {
    /// The folders of the runs: each has a slice, run by boot-matrix with --partition. One that was run again may be there twice: what it
    /// came to counts, and what the one that died left.
    #[arg(value_name = "DIR", required = true)]
    pub folders: Vec<PathBuf>,
    /// The folder for the results, the page, the test report and the evidence of all.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// How to answer.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: Format,
}

#[derive(Debug, Args)]
#[command(after_help = examples::REPORT.help())]
pub struct Report {
    /// The folder of a run [default: target/boot-matrix].
    #[arg(value_name = "DIR")]
    pub folder: Option<PathBuf>,
    /// Show it in the browser.
    #[arg(long)]
    pub open: bool,
    /// How to answer.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: Format,
}

#[derive(Debug, Args)]
#[command(after_help = examples::LISTEN.help())]
pub struct Listen {
    /// The serial port that is connected to the machine's COM1, such as /dev/ttyUSB0.
    #[arg(long, value_name = "PORT")]
    pub port: PathBuf,
    /// The cell whose disc it is, as cargo xtask image CELL-ID --out FILE writes it: what happens is compared with what the
    /// scenario declares.
    #[arg(long, value_name = "CELL-ID", conflicts_with = "manifest")]
    pub cell: Option<String>,
    /// What the disc holds, as image writes it beside the disc: what the probe finds is compared with that.
    #[arg(long, value_name = "FILE.iso.json")]
    pub manifest: Option<PathBuf>,
    /// The speed of the port in baud. A probe sends at 115200.
    #[arg(long, value_name = "BAUD", default_value_t = images::probe::protocol::BAUD)]
    pub speed: u32,
    /// How many seconds to wait for the machine to be switched on, to boot and to come to an end.
    #[arg(long, value_name = "SECONDS", default_value_t = 300, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub timeout: u64,
    /// The folder for the evidence [default: target/listen].
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// How to answer.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: Format,
}

#[derive(Debug, Args)]
#[command(after_help = examples::INSPECT.help())]
pub struct Inspect {
    /// The disc: a file, or a drive such as /dev/sr0.
    #[arg(value_name = "ISO")]
    pub iso: PathBuf,
    /// The medium that the disc is for, such as cd-80, or its capacity in blocks, such as 344250b. What passes its end or
    /// a quarter of it is told.
    #[arg(long, value_name = "MEDIUM")]
    pub medium: Option<Medium>,
    /// The boot image that the disc was mastered from, to be compared with what is on it.
    #[arg(long, value_name = "FILE")]
    pub boot_image: Option<PathBuf>,
    /// Another disc, made from this one: say what that did to booting. The exit code is 1 where something that was right is wrong on the other,
    /// and 0 where nothing is, whatever is wrong with both.
    #[arg(long, value_name = "AFTER", conflicts_with = "boot_image")]
    pub compare: Option<PathBuf>,
    /// Read the whole disc: compare the checksum that isomd5sum implanted, and look for zeros where none should be.
    #[arg(long)]
    pub verify: bool,
    /// Keys that a machine trusts (its db): a certificate (PEM or DER), an EFI signature list, or a program for its hash. Repeat it for more. Then inspect says what that machine
    /// starts with Secure Boot on, and what it refuses; --dbx has what the machine has revoked.
    #[arg(long, value_name = "FILE")]
    pub db: Vec<PathBuf>,
    /// A revocation list (dbx) to compare the EFI programs with: EFI signature lists, or a signed update such as dbxupdate_x64.bin. Without it, the newest
    /// that a package brought.
    #[arg(long, value_name = "FILE")]
    pub dbx: Option<PathBuf>,
    /// An SBAT level to compare them with: a file, a shim, or text such as "sbat,1,2025051000 shim,4 grub,5". Without it, the newest of the shim that a package
    /// brought.
    #[arg(long, value_name = "FILE|TEXT")]
    pub sbat_level: Option<String>,
    /// How to answer.
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
    const fn of_errors(self) -> Format {
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
    /// What was a mismatch, or could not be run.
    Failed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum AcceleratorChoice {
    /// Emulation.
    Tcg,
    /// The host's virtualisation.
    Kvm,
    /// Whichever is faster here.
    Measure,
}

/// What network a guest has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Network {
    /// No network card.
    None,
    /// A network card with nothing at the other end of its cable.
    Isolated,
}

impl From<Network> for harness::platform::Network {
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
    /// One JSON document on standard output, everything else on standard error.
    Json,
}

/// How a run of cells answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RunFormat {
    /// For people.
    Text,
    /// One JSON document on standard output, everything else on standard error.
    Json,
    /// Annotations for GitHub Actions, and a summary in the file that $GITHUB_STEP_SUMMARY names.
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
