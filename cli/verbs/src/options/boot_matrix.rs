//! The options of boot-matrix.

use std::path::PathBuf;

use clap::Args;
use harness::attachment::Attachment;
use scenarios::{
    compare::Strictness,
    selection::Partition,
    terms::Starts,
    words::{self, FirmwareName, Name},
};

use super::{Rerun, RunFormat, Sets, Tooling};
use crate::examples;

#[derive(Debug, Args)]
#[command(after_help = examples::BOOT_MATRIX.help())]
pub struct BootMatrix {
    /// Select cells: a part of the id, or a pattern with * and ? for the whole id. A cell runs if any filter matches. A filter can match a part of a
    /// word: hard-disk also matches hard-disk,cylinders=1. To match only the word, write /hard-disk/, or */hard-disk/* as a pattern.
    #[arg(value_name = "FILTER")]
    pub filters: Vec<String>,
    /// Print the ids of the selected cells, one per line, and run nothing.
    #[arg(long)]
    pub list: bool,
    /// The set of scenarios to run: default, masters, defects, grid, live, editors, firmware, secure-boot or all [default: default; with --rerun: all].
    #[arg(long, value_name = "SET", value_parser = Sets::parse)]
    pub set: Option<Sets>,
    /// Run the scenarios in this folder or file instead of those that come with boot-matrix. Their snapshots are in the folder `snapshots` in that folder, or
    /// next to the file.
    #[arg(long, value_name = "DIR|FILE")]
    pub scenarios: Vec<PathBuf>,
    /// Run the scenarios of the gate: a few cells that test the most important functions of a mastering tool. Use it with --master and --baseline.
    #[arg(long, conflicts_with_all = ["scenarios", "set", "iso"])]
    pub gate: bool,
    /// Run cells only on this firmware. Add @VERSION to use that build instead of the host's (see cargo xtask firmware list). With --iso, any firmware can be
    /// used.
    #[arg(long, value_name = "FIRMWARE[@VERSION]", value_delimiter = ',', value_parser = words::read::<FirmwareName>)]
    pub firmware: Vec<FirmwareName>,
    /// Run on all builds of each firmware: the host's, and those that were fetched or added (cargo xtask firmware). All builds are compared with the same
    /// snapshots, and the cells on which they differ are listed. With --accept, the differences become the table in docs/firmware.md.
    #[arg(long, conflicts_with_all = ["baseline", "against", "export"])]
    pub firmware_grid: bool,
    /// Run cells only with this attachment.
    #[arg(long, value_name = "ATTACHMENT", value_delimiter = ',', value_parser = words::read::<Attachment>)]
    pub attach: Vec<Attachment>,
    /// Run only discs of these mastering tools: names, or files that describe a tool. Without --set, the scenarios that compare tools are run.
    #[arg(long, value_name = "TOOL|FILE.toml", value_delimiter = ',')]
    pub master: Vec<String>,
    /// Run only discs that this command masters, in the scenarios that compare tools. The command is split into words as in a shell, and runs in {tree}
    /// without a shell. {iso} is the file to write. {boot_image} and {efi_image} are paths in {tree}; {boot_file} and {efi_file} are the same files outside
    /// {tree}. {load_sectors}, {load_segment}, {volume_id}, {capacity_blocks} and {mode} are values of the disc. A command without {mode} masters discs
    /// without emulation.
    #[arg(long, value_name = "COMMAND")]
    pub master_cmd: Option<String>,
    /// Run only discs that these editors have changed: names, or files that describe an editor. Without --set, the scenarios for editors are run. For your
    /// own editor, these are only those that every editor must pass: a disc that starts before the edit must start after it.
    #[arg(long, value_name = "EDITOR|FILE.toml", value_delimiter = ',')]
    pub editor: Vec<String>,
    /// Fail if this mastering tool is not installed, instead of skipping its cells.
    #[arg(long, value_name = "TOOL", value_delimiter = ',')]
    pub require: Vec<String>,
    /// Boot nothing. Write into this folder what a tool on another system needs to master the discs: boot images, trees and plan.json, which describes each
    /// disc and names the file to write.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["import", "list", "rerun"])]
    pub export: Option<PathBuf>,
    /// With --export: the tool's name in the ids.
    #[arg(long, value_name = "NAME", default_value = "exchange", value_parser = words::read::<Name>, requires = "export")]
    pub export_as: Name,
    /// Boot the discs that another system mastered into this folder, which --export wrote.
    #[arg(long, value_name = "DIR", conflicts_with = "scenarios")]
    pub import: Option<PathBuf>,
    /// Boot this ISO unchanged instead of the discs of scenarios, on SeaBIOS and OVMF (or --firmware) with the six usual attachments (or --attach). Its cells
    /// are only observed, unless you add --expect, --dialog or --baseline. With --editor, the ISO boots before and after the edit: if it started before, it
    /// must start after, without new errors.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["scenarios", "set", "master", "master_cmd", "require", "rerun"])]
    pub iso: Option<PathBuf>,
    /// A regular expression that must match on the serial line or on the screen when the ISO of --iso has booted. If it does not, the cell is a mismatch.
    #[arg(long, value_name = "REGEX", requires = "iso")]
    pub expect: Option<String>,
    /// A file with a dialogue that operates the system on the ISO of --iso, over the serial line or with keyboard and screen (scenarios/README.md describes the
    /// format). If a step does not complete, the cell is a mismatch.
    #[arg(long, value_name = "FILE.toml", requires = "iso")]
    pub dialog: Option<PathBuf>,
    /// Compare with the results accepted into this folder instead of with the snapshots. The folder has one file for each scenario and can be anywhere. A
    /// cell that behaves as its file records is as expected, even if the scenario declares something else. Only differences that affect booting fail; others
    /// are noted. With --accept, the files are written.
    #[arg(long, value_name = "DIR")]
    pub baseline: Option<PathBuf>,
    /// Compare with the same cells of another mastering tool, which is also run, or of an earlier run, given by its results.json. Next to results.json, the
    /// folder `cells` of that run must still exist; without it, only outcomes and findings are compared, and the exit code is 3. Snapshots are not used. The
    /// exit code is 1 if a cell boots differently. With an earlier run, it is also 1 if a disc differs in something that affects booting. Between two tools,
    /// other differences of the discs are reported and do not fail the run.
    #[arg(long, value_name = "TOOL|RESULTS.json")]
    pub against: Option<PathBuf>,
    /// Accept the results: write the snapshots of the cells that behave as the scenario declares. With --baseline, write the baseline, whatever the results
    /// are.
    #[arg(long)]
    pub accept: bool,
    /// Accept the results in addition to those accepted earlier, for a cell whose machine resets in one run and hangs in the next.
    #[arg(long, requires = "baseline", conflicts_with = "accept")]
    pub accept_also: bool,
    /// With --accept: remove entries from the baseline that no longer belong to a cell.
    #[arg(long, requires_all = ["baseline", "accept"])]
    pub prune: bool,
    /// With --baseline or an earlier run: every difference fails, down to the last block, such as addresses, the length of the disc and the blocks that are
    /// read.
    #[arg(long)]
    pub strict: bool,
    /// Boot nothing, and master each disc of the tools twice. The second time, the clock, time zone, locale, umask, folder, order and dates of the files are
    /// different, and only one processor is used. Each byte that differs is reported with its field and the change that causes it. Both discs stay in --out
    /// [default: target/twice]. The exit code is 1 if a disc differs.
    #[arg(long, conflicts_with_all = ["accept", "accept_also", "list", "export", "import", "against", "iso", "firmware_grid", "rerun", "resume", "strict", "cold", "prove_warm"])]
    pub twice: bool,
    /// After the run, show each difference from a snapshot, and accept or reject it (cargo insta review). Only results that are as the scenario declares are
    /// shown.
    #[arg(long, conflicts_with_all = ["accept", "list", "export", "baseline", "against", "iso", "firmware_grid"])]
    pub review: bool,
    /// Run the cells again that were not as expected in the last run, from the scenarios of that run.
    #[arg(long, value_name = "WHICH")]
    pub rerun: Option<Rerun>,
    /// Continue the run in --out, which was stopped, killed or interrupted by a power failure: keep its results, and run the remaining cells. Omit the filters,
    /// or repeat them exactly. QEMU, firmware, tools and scenarios must be the same.
    #[arg(long, conflicts_with_all = ["rerun", "list", "export"])]
    pub resume: bool,
    /// Run only one slice of the cells, such as slice:1/4, to divide a run among machines. cargo xtask merge joins the slices.
    #[arg(long, value_name = "slice:K/N", conflicts_with_all = ["rerun", "against"])]
    pub partition: Option<Partition>,
    /// Start every machine from power-on, not from a checkpoint.
    #[arg(long)]
    pub cold: bool,
    /// Run every cell from a checkpoint and from power-on, and fail if the observations differ.
    #[arg(long, conflicts_with = "cold")]
    pub prove_warm: bool,
    /// Run this many machines at once [default: one per processor, as memory allows].
    #[arg(long, value_name = "N", value_parser = jobs)]
    pub jobs: Option<usize>,
    /// The folder for results and evidence [default: target/boot-matrix].
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    #[command(flatten)]
    pub tooling: Tooling,
    /// Print only failures and the totals.
    #[arg(long, short, overrides_with = "verbose")]
    pub quiet: bool,
    /// Print complete reasons, and also the cells that are as expected.
    #[arg(long, short, overrides_with = "quiet")]
    pub verbose: bool,
    /// The output format.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: RunFormat,
}

fn jobs(typed: &str) -> Result<usize, String> {
    match typed.parse() {
        Ok(jobs @ 1..=1024) => Ok(jobs),
        _ => Err("it is a number from 1 to 1024".to_owned()),
    }
}

impl BootMatrix {
    /// The default matrix, whole.
    pub fn whole(tooling: Tooling) -> Self {
        Self {
            filters: Vec::new(),
            list: false,
            set: None,
            scenarios: Vec::new(),
            gate: false,
            firmware: Vec::new(),
            firmware_grid: false,
            attach: Vec::new(),
            master: Vec::new(),
            master_cmd: None,
            editor: Vec::new(),
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
            accept_also: false,
            prune: false,
            strict: false,
            twice: false,
            review: false,
            rerun: None,
            resume: false,
            partition: None,
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
    pub const fn is_narrowed(&self) -> bool {
        !self.filters.is_empty()
            || !self.firmware.is_empty()
            || !self.attach.is_empty()
            || self.partition.is_some()
            || self.rerun.is_some()
    }

    /// Whether the observed results are accepted.
    pub const fn accepts(&self) -> bool {
        self.accept || self.accept_also
    }

    /// What counts in a comparison with what was seen before.
    pub const fn strictness(&self) -> Strictness {
        if self.strict {
            Strictness::Everything
        } else {
            Strictness::Booting
        }
    }

    /// Whether anything is said of which cells are meant.
    pub const fn chooses(&self) -> bool {
        self.is_narrowed()
            || self.set.is_some()
            || self.iso.is_some()
            || self.import.is_some()
            || self.master_cmd.is_some()
            || self.firmware_grid
            || self.gate
            || !self.scenarios.is_empty()
            || !self.master.is_empty()
            || !self.editor.is_empty()
    }

    /// Where the machines start from.
    pub const fn starts(&self) -> Starts {
        match (self.cold, self.prove_warm) {
            (true, _) => Starts::Cold,
            (false, true) => Starts::Both,
            (false, false) => Starts::Warm,
        }
    }
}
