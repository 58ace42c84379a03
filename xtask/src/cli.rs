//! What can be typed.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use harness::{accelerator::Accelerator, attachment::Attachment};
use images::defect::Defect;
use images::medium::Medium;
use scenarios::{
    selection::Partition,
    terms::Starts,
    toolbox::AcceleratorWish,
    words::{self, FirmwareName, Name, Set},
};

use crate::{examples, terminal};

/// Boots El Torito discs of every kind on real firmware, and says whether what happened is what should have happened.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", max_term_width = 100, after_help = examples::ALL.help(), styles = terminal::HELP)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Master the discs of the matrix, boot each, and compare what happened with what must happen.
    BootMatrix(Box<BootMatrix>),
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
    /// Run everything: the default matrix, and every other test of the workspace.
    Test(Test),
    /// Check format, lints, documentation, the schema, the generated tables and the snapshots.
    Check(Check),
    /// Run one cell of a run. boot-matrix starts a process of this for each.
    #[command(hide = true)]
    Cell(Cell),
    /// Measure how long things take, as ratios in one run.
    Bench(crate::bench::Bench),
    /// Try what boot-matrix can be trusted with, in figures.
    Trust(crate::trust::Trust),
}

impl Verb {
    /// How the verb is asked to answer.
    pub(crate) const fn format(&self) -> Format {
        match self {
            Self::BootMatrix(options) => match options.format {
                RunFormat::Json => Format::Json,
                RunFormat::Text | RunFormat::Github => Format::Text,
            },
            Self::Repro(options) => options.format,
            Self::Image(options) => options.format,
            Self::Inspect(options) => options.format.of_errors(),
            Self::Merge(options) => options.format,
            Self::Report(options) => options.format,
            Self::Listen(options) => options.format,
            Self::Firmware(options) => options.format,
            Self::Checkpoints(options) => options.format,
            Self::Doctor(options) => options.format,
            Self::Completions(_) | Self::Cell(_) => Format::Text,
            Self::Test(options) => options.format,
            Self::Check(options) => options.format,
            Self::Bench(options) => options.format,
            Self::Trust(options) => options.format,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct Cell {
    /// The run file.
    pub(crate) run: PathBuf,
    /// The cell's id.
    pub(crate) id: String,
}

#[derive(Debug, Args)]
#[command(after_help = examples::BOOT_MATRIX.help())]
pub(crate) struct BootMatrix {
    /// Part of a cell's id, or with * and ? a pattern for the whole id. Several are alternatives. hard-disk is part of
    /// hard-disk,cylinders=1 too: write /hard-disk/ for the whole word, or */hard-disk/* as a pattern.
    #[arg(value_name = "FILTER")]
    pub(crate) filters: Vec<String>,
    /// Print the ids of the cells, one a line, and run nothing.
    #[arg(long)]
    pub(crate) list: bool,
    /// The sets of scenarios to run: default, masters, defects, grid, live or all [default: default; with --rerun all].
    #[arg(long, value_name = "SET", value_parser = Sets::parse)]
    pub(crate) set: Option<Sets>,
    /// Run the scenarios of this folder, or of this file, instead of those that come with boot-matrix. Their snapshots
    /// are kept in `snapshots` in that folder, or beside the file.
    #[arg(long, value_name = "DIR|FILE")]
    pub(crate) scenarios: Vec<PathBuf>,
    /// Only on this firmware; with @VERSION, on that build of it in place of the host's (cargo xtask firmware list). An ISO of --iso boots on
    /// any firmware named here.
    #[arg(long, value_name = "FIRMWARE[@VERSION]", value_delimiter = ',', value_parser = words::read::<FirmwareName>)]
    pub(crate) firmware: Vec<FirmwareName>,
    /// On every build of each firmware that there is: the host's, and those that cargo xtask firmware has fetched or added. All
    /// of them are held against the same snapshots, and the cells on which they differ are told. With --accept, what differs
    /// becomes the table in docs/firmware.md.
    #[arg(long, conflicts_with_all = ["baseline", "against", "export"])]
    pub(crate) firmware_grid: bool,
    /// Only with this attachment.
    #[arg(long, value_name = "ATTACHMENT", value_delimiter = ',', value_parser = words::read::<Attachment>)]
    pub(crate) attach: Vec<Attachment>,
    /// Only discs of these mastering tools: by name, or by the file that describes one. Without --set, the scenarios that
    /// compare tools.
    #[arg(long, value_name = "TOOL|FILE.toml", value_delimiter = ',')]
    pub(crate) master: Vec<String>,
    /// Only discs that this command masters, in the scenarios that compare tools. It is split into words as a shell does,
    /// and run in {tree} without a shell. {iso} is the file to write, {boot_image} and {efi_image} are paths in {tree},
    /// {boot_file} and {efi_file} are the same files outside of it; {load_sectors}, {load_segment}, {volume_id},
    /// {capacity_blocks} and {mode} are the words of the disc. Without {mode} it masters discs without emulation.
    #[arg(long, value_name = "COMMAND")]
    pub(crate) master_cmd: Option<String>,
    /// Fail, and do not skip its cells, when this mastering tool is not there.
    #[arg(long, value_name = "TOOL", value_delimiter = ',')]
    pub(crate) require: Vec<String>,
    /// Write into this folder what a tool that runs elsewhere needs to master the discs, and boot nothing: boot images,
    /// trees and plan.json, which says of each disc what it must be and where it must come back.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["import", "list", "rerun"])]
    pub(crate) export: Option<PathBuf>,
    /// With --export: the name of that tool in the ids.
    #[arg(long, value_name = "NAME", default_value = "exchange", value_parser = words::read::<Name>, requires = "export")]
    pub(crate) export_as: Name,
    /// Boot the discs that came back into this folder, which --export wrote.
    #[arg(long, value_name = "DIR", conflicts_with = "scenarios")]
    pub(crate) import: Option<PathBuf>,
    /// Boot this ISO as it is, on SeaBIOS and OVMF (or those of --firmware) by every attachment, instead of any scenario's discs. Its cells are
    /// only observed, unless there is --expect, --dialog or --baseline.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["scenarios", "set", "master", "master_cmd", "require", "rerun"])]
    pub(crate) iso: Option<PathBuf>,
    /// A regular expression for what is seen on serial or on the screen when the ISO of --iso has booted; where it is not
    /// seen, that is a mismatch.
    #[arg(long, value_name = "REGEX", requires = "iso")]
    pub(crate) expect: Option<String>,
    /// A file with a dialogue to hold with what the ISO of --iso boots, over the serial line or by keyboard and screen
    /// (scenarios/README.md has the format); where it does not come to its end, that is a mismatch.
    #[arg(long, value_name = "FILE.toml", requires = "iso")]
    pub(crate) dialog: Option<PathBuf>,
    /// Compare with what was accepted into this folder before, in place of the snapshots: one file for each cell, kept
    /// wherever you like. A cell that does what its file says is as expected, even where the scenario declares something
    /// else. With --accept the files are written.
    #[arg(long, value_name = "DIR")]
    pub(crate) baseline: Option<PathBuf>,
    /// Compare with the same cells of another mastering tool, which is run too, or with those of an earlier run, by its
    /// results.json, beside which its folder `cells` must still be: without it only outcomes and findings are compared,
    /// and the exit code is 3. Without
    /// --baseline the snapshots play no part then. The exit code is 1 where a cell boots differently;
    /// what differs only in the structure of the disc is told, and no failure.
    #[arg(long, value_name = "TOOL|RESULTS.json")]
    pub(crate) against: Option<PathBuf>,
    /// Take what is seen as the new snapshots, where it is what the scenario declares; with --baseline, as the new baseline,
    /// whatever it is.
    #[arg(long)]
    pub(crate) accept: bool,
    /// Look at what differs from its snapshot after the run, one by one, and accept or reject it (cargo insta review). Only
    /// what is as the scenario declares is shown.
    #[arg(long, conflicts_with_all = ["accept", "list", "export", "baseline", "against", "iso", "firmware_grid"])]
    pub(crate) review: bool,
    /// Run again what was not as expected the last time, of the scenarios that were run then.
    #[arg(long, value_name = "WHICH")]
    pub(crate) rerun: Option<Rerun>,
    /// Go on with the run in --out that was stopped, killed or cut off from power: keep the results that it left, and run the rest. What
    /// chooses cells may be left out, and must be the same otherwise; QEMU, firmware, tools and scenarios must be the same too.
    #[arg(long, conflicts_with_all = ["rerun", "list", "export"])]
    pub(crate) resume: bool,
    /// Run only one slice of the cells, as in slice:1/4, on one of several machines. cargo xtask merge joins them.
    #[arg(long, value_name = "slice:K/N", conflicts_with_all = ["rerun", "against"])]
    pub(crate) partition: Option<Partition>,
    /// Write an archive that runs cells without the source and without a compiler: this program, and the scenarios with their
    /// snapshots. Unpack it there; target/archive/xtask is this program.
    #[arg(long, value_name = "FILE.tar.zst", exclusive = true)]
    pub(crate) archive: Option<PathBuf>,
    /// Start every machine from power-on, none from a checkpoint.
    #[arg(long)]
    pub(crate) cold: bool,
    /// Run every cell from a checkpoint and from power-on, and fail where what is seen is not the same.
    #[arg(long, conflicts_with = "cold")]
    pub(crate) prove_warm: bool,
    /// Run this many machines at once [default: one per processor, as memory allows].
    #[arg(long, value_name = "N", value_parser = jobs)]
    pub(crate) jobs: Option<usize>,
    /// The folder for results and evidence [default: target/boot-matrix].
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) tooling: Tooling,
    /// Tell only what failed, and the totals.
    #[arg(long, short, overrides_with = "verbose")]
    pub(crate) quiet: bool,
    /// Tell whole reasons, and what is as expected too.
    #[arg(long, short, overrides_with = "quiet")]
    pub(crate) verbose: bool,
    /// How to answer.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: RunFormat,
}

fn jobs(typed: &str) -> Result<usize, String> {
    match typed.parse() {
        Ok(jobs @ 1..=1024) => Ok(jobs),
        _ => Err("it is a number from 1 to 1024".to_owned()),
    }
}

/// What was typed behind the program's name, the verb first, as it can be shown.
pub(crate) fn typed() -> Vec<String> {
    let words = std::env::args_os().skip(1);
    words
        .map(|word| word.to_string_lossy().into_owned())
        .collect()
}

impl BootMatrix {
    /// The default matrix, whole.
    pub(crate) fn whole(tooling: Tooling) -> Self {
        Self {
            filters: Vec::new(),
            list: false,
            set: None,
            scenarios: Vec::new(),
            firmware: Vec::new(),
            firmware_grid: false,
            attach: Vec::new(),
            master: Vec::new(),
            master_cmd: None,
            require: Vec::new(),
            export: None,
            export_as: Name(String::new()),
            import: None,
            iso: None,
            expect: None,
            dialog: None,
            baseline: None,
            against: None,
            accept: false,
            review: false,
            rerun: None,
            resume: false,
            partition: None,
            archive: None,
            cold: false,
            prove_warm: false,
            jobs: None,
            out: None,
            tooling,
            quiet: false,
            verbose: false,
            format: RunFormat::Text,
        }
    }

    /// Whether fewer cells are chosen than the scenarios and masters have.
    pub(crate) const fn is_narrowed(&self) -> bool {
        !self.filters.is_empty()
            || !self.firmware.is_empty()
            || !self.attach.is_empty()
            || self.partition.is_some()
            || self.rerun.is_some()
    }

    /// Whether anything is said of which cells are meant.
    pub(crate) const fn chooses(&self) -> bool {
        self.is_narrowed()
            || self.set.is_some()
            || self.iso.is_some()
            || self.import.is_some()
            || self.master_cmd.is_some()
            || self.firmware_grid
            || !self.scenarios.is_empty()
            || !self.master.is_empty()
    }

    /// From where the machines start.
    pub(crate) const fn starts(&self) -> Starts {
        match (self.cold, self.prove_warm) {
            (true, _) => Starts::Cold,
            (false, true) => Starts::Both,
            (false, false) => Starts::Warm,
        }
    }
}

/// What is used, and whether what is missing is installed.
#[derive(Clone, Debug, Args)]
pub(crate) struct Tooling {
    /// The QEMU to use.
    ///
    /// A script in its place must exec QEMU: what it starts beside itself lives on when the runner is killed.
    #[arg(long, value_name = "PATH")]
    pub(crate) qemu: Option<PathBuf>,
    /// What runs the guests' instructions.
    #[arg(long, value_name = "ACCELERATOR", default_value = "measure")]
    pub(crate) accelerator: AcceleratorChoice,
    /// Install what is missing without asking.
    #[arg(long)]
    pub(crate) yes: bool,
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

#[derive(Debug, Args)]
#[command(after_help = examples::REPRO.help())]
pub(crate) struct Repro {
    /// The disc: a file, or a drive such as /dev/sr0. It is only read.
    #[arg(value_name = "ISO")]
    pub(crate) iso: PathBuf,
    /// Boot on this firmware instead of SeaBIOS and OVMF: seabios, ovmf, ovmf-ia32 or ovmf-secure-boot, or a build of one with @VERSION
    /// (cargo xtask firmware list).
    #[arg(long, value_name = "FIRMWARE[@VERSION]", value_delimiter = ',', value_parser = words::read::<FirmwareName>)]
    pub(crate) firmware: Vec<FirmwareName>,
    /// On every build that there is of SeaBIOS and OVMF, or of the firmware that --firmware names: the host's, fetched and added ones (see
    /// cargo xtask firmware).
    #[arg(long)]
    pub(crate) firmware_grid: bool,
    /// Only with this attachment.
    #[arg(long, value_name = "ATTACHMENT", value_delimiter = ',', value_parser = words::read::<Attachment>)]
    pub(crate) attach: Vec<Attachment>,
    /// A regular expression for what is seen on serial or on the screen when the disc has booted. Without it a disc
    /// starts when a login, an installer or a boot menu of what is on it is seen.
    #[arg(long, value_name = "REGEX")]
    pub(crate) expect: Option<String>,
    /// Go through a boot menu and on: steps of expect, send, keys, type and screen, as scenarios/README.md describes them. The disc has booted
    /// when they came to their end.
    #[arg(long, value_name = "FILE")]
    pub(crate) dialog: Option<PathBuf>,
    /// A disc that boots: the first structure that differs from it is told.
    #[arg(long, value_name = "ISO")]
    pub(crate) good: Option<PathBuf>,
    /// Write a disc of the same length with only the sectors that were read, and prove that it fails in the same way.
    /// Beside it comes FILE.disc, the same as text of a few kilobytes.
    #[arg(long, value_name = "FILE.iso")]
    pub(crate) distil: Option<PathBuf>,
    /// Make the distilled disc a scenario of this name with its snapshots, in the folder of --scenarios.
    #[arg(long, value_name = "NAME", value_parser = words::read::<Name>, conflicts_with_all = ["dialog", "firmware_grid"])]
    pub(crate) promote: Option<Name>,
    /// The folder of scenarios that --promote adds to [default: the one that comes with boot-matrix].
    #[arg(long, value_name = "DIR", requires = "promote")]
    pub(crate) scenarios: Option<PathBuf>,
    /// Pack everything that is left behind into one file, DIR.tar.zst.
    #[arg(long)]
    pub(crate) bundle: bool,
    /// Open QEMU's own window on the first boot that failed.
    #[arg(long)]
    pub(crate) show: bool,
    /// A file of words that a loader or system says, and what they mean, beside those that are known (docs/guests.md).
    #[arg(long, value_name = "FILE.toml")]
    pub(crate) words: Vec<PathBuf>,
    /// Watch each boot for so many seconds at most, by the clock on the wall [default: until something decides, and 180 seconds of the machine's own
    /// time].
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub(crate) timeout: Option<u64>,
    /// The guest's memory in MiB [default: 1024, and up to 4096 for a guest that says that it needs more]. The machines then start from power-on.
    #[arg(long, value_name = "MIB", value_parser = clap::value_parser!(u32).range(8..=65_536))]
    pub(crate) memory: Option<u32>,
    /// The guest's processor, as QEMU's -cpu has it [default: max]. The machines then start from power-on.
    #[arg(long, value_name = "MODEL")]
    pub(crate) cpu: Option<String>,
    /// Start every machine from power-on, none from a checkpoint.
    #[arg(long)]
    pub(crate) cold: bool,
    /// The folder for the report and the evidence [default: target/repro/NAME, by the name of the ISO].
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) tooling: Tooling,
    /// How to answer.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
#[command(after_help = examples::FIRMWARE.help())]
pub(crate) struct Firmware {
    #[command(subcommand)]
    pub(crate) verb: FirmwareVerb,
    /// How to answer.
    #[arg(long, value_name = "FORMAT", default_value = "text", global = true)]
    pub(crate) format: Format,
}

#[derive(Debug, Subcommand)]
pub(crate) enum FirmwareVerb {
    /// Say which builds there are, and which QEMU.
    #[command(after_help = examples::FIRMWARE_LIST.help())]
    List,
    /// Fetch those of other releases of this distribution, as packages, by this host's package manager. Nothing is installed.
    #[command(after_help = examples::FIRMWARE_FETCH.help())]
    Fetch {
        /// A newer QEMU too, unpacked beside the host's, for --qemu.
        #[arg(long)]
        qemu: bool,
    },
    /// Keep a copy of a firmware that is in a file: a ROM of SeaBIOS, or OVMF.
    #[command(after_help = examples::FIRMWARE_ADD.help())]
    Add {
        /// The ROM, OVMF's code, or both code and variables in one.
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// The variable store that goes with it, as with enrolled keys for Secure Boot.
        #[arg(long, value_name = "FILE")]
        variables: Option<PathBuf>,
        /// What it is called: an id and a version. SeaBIOS says it itself, OVMF does not.
        #[arg(long = "as", value_name = "ID@VERSION", value_parser = words::read::<FirmwareName>)]
        name: Option<FirmwareName>,
    },
    /// Remove one that was fetched or added.
    #[command(after_help = examples::FIRMWARE_REMOVE.help())]
    Remove {
        /// Its name, as the list has it.
        #[arg(value_name = "ID@VERSION", value_parser = words::read::<FirmwareName>)]
        name: FirmwareName,
    },
}

#[derive(Debug, Args)]
#[command(after_help = examples::CHECKPOINTS.help())]
pub(crate) struct Checkpoints {
    /// What to do.
    #[arg(value_name = "WHAT")]
    pub(crate) verb: CheckpointVerb,
    /// How to answer.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum CheckpointVerb {
    /// Say what there is.
    List,
    /// Remove them all. The next run makes what it needs.
    Clear,
}

#[derive(Debug, Args)]
#[command(after_help = examples::DOCTOR.help())]
pub(crate) struct Doctor {
    #[command(flatten)]
    pub(crate) tooling: Tooling,
    /// How to answer.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
#[command(after_help = examples::COMPLETIONS.help())]
pub(crate) struct Completions {
    /// The shell.
    #[arg(value_name = "SHELL")]
    pub(crate) shell: Shell,
}

#[derive(Debug, Args)]
#[command(after_help = examples::TEST.help())]
pub(crate) struct Test {
    #[command(flatten)]
    pub(crate) tooling: Tooling,
    /// How to answer.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
#[command(after_help = examples::CHECK.help())]
pub(crate) struct Check {
    /// Regenerate the JSON Schemas instead of comparing them.
    #[arg(long)]
    pub(crate) update_schema: bool,
    /// Regenerate the tables in docs and scenarios/README.md, from the scenarios, the accepted snapshots, docs/firmware.json and the known words, instead of
    /// comparing them.
    #[arg(long)]
    pub(crate) update_docs: bool,
    /// How to answer.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
#[command(after_help = examples::IMAGE.help())]
pub(crate) struct Image {
    /// The id of a cell or of a disc, which need not be in any scenario; or a disc as text, which repro --distil wrote and which is rebuilt.
    #[arg(value_name = "CELL-ID|DISC-ID|FILE.disc")]
    pub(crate) id: String,
    /// One thing wrong on purpose: the same as defect=ID in the id.
    #[arg(long, value_name = "ID", value_parser = read_defect)]
    pub(crate) defect: Option<Defect>,
    /// The file to write, in a folder that exists; what the disc holds is written beside it, as FILE.json.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// How to answer.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
#[command(after_help = examples::MERGE.help())]
pub(crate) struct Merge {
    /// The folders of the runs: each has a slice, run by boot-matrix with --partition. One that was run again may be there twice: what it
    /// came to counts, and what the one that died left.
    #[arg(value_name = "DIR", required = true)]
    pub(crate) folders: Vec<PathBuf>,
    /// The folder for the results, the page, the test report and the evidence of all.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// How to answer.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
#[command(after_help = examples::REPORT.help())]
pub(crate) struct Report {
    /// The folder of a run [default: target/boot-matrix].
    #[arg(value_name = "DIR")]
    pub(crate) folder: Option<PathBuf>,
    /// Show it in the browser.
    #[arg(long)]
    pub(crate) open: bool,
    /// How to answer.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
#[command(after_help = examples::LISTEN.help())]
pub(crate) struct Listen {
    /// The serial port that is connected to the machine's COM1, such as /dev/ttyUSB0.
    #[arg(long, value_name = "PORT")]
    pub(crate) port: PathBuf,
    /// The cell whose disc it is, as cargo xtask image CELL-ID --out FILE writes it: what happens is compared with what the
    /// scenario declares.
    #[arg(long, value_name = "CELL-ID", conflicts_with = "manifest")]
    pub(crate) cell: Option<String>,
    /// What the disc holds, as image writes it beside the disc: what the probe finds is compared with that.
    #[arg(long, value_name = "FILE.iso.json")]
    pub(crate) manifest: Option<PathBuf>,
    /// The speed of the port in baud. A probe sends at 115200.
    #[arg(long, value_name = "BAUD", default_value_t = images::probe::protocol::BAUD)]
    pub(crate) speed: u32,
    /// How many seconds to wait for the machine to be switched on, to boot and to come to an end.
    #[arg(long, value_name = "SECONDS", default_value_t = 300, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub(crate) timeout: u64,
    /// The folder for the evidence [default: target/listen].
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// How to answer.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
#[command(after_help = examples::INSPECT.help())]
pub(crate) struct Inspect {
    /// The disc: a file, or a drive such as /dev/sr0.
    #[arg(value_name = "ISO")]
    pub(crate) iso: PathBuf,
    /// The medium that the disc is for, such as cd-80, or its capacity in blocks, such as 344250b. What passes its end or
    /// a quarter of it is told.
    #[arg(long, value_name = "MEDIUM")]
    pub(crate) medium: Option<Medium>,
    /// The boot image that the disc was mastered from, to be compared with what is on it.
    #[arg(long, value_name = "FILE")]
    pub(crate) boot_image: Option<PathBuf>,
    /// Read the whole disc: compare the checksum that isomd5sum implanted, and look for zeros where none should be.
    #[arg(long)]
    pub(crate) verify: bool,
    /// How to answer.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: InspectFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum InspectFormat {
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
pub(crate) struct Sets(pub(crate) Vec<Set>);

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
pub(crate) enum Rerun {
    /// What was a mismatch, or could not be run.
    Failed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum AcceleratorChoice {
    /// Emulation.
    Tcg,
    /// The host's virtualisation.
    Kvm,
    /// Whichever is faster here.
    Measure,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// One JSON document on standard output, everything else on standard error.
    Json,
}

/// How a run of cells answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum RunFormat {
    /// For people.
    Text,
    /// One JSON document on standard output, everything else on standard error.
    Json,
    /// Annotations for GitHub Actions, and a summary in the file that $GITHUB_STEP_SUMMARY names.
    Github,
}
