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
    /// Part of a cell's id, or with * and ? a pattern for the whole id. Several are alternatives. hard-disk is part of
    /// hard-disk,cylinders=1 too: write /hard-disk/ for the whole word, or */hard-disk/* as a pattern.
    #[arg(value_name = "FILTER")]
    pub filters: Vec<String>,
    /// Print the ids of the cells, one a line, and run nothing.
    #[arg(long)]
    pub list: bool,
    /// The sets of scenarios to run: default, masters, defects, grid, live, editors, firmware or all [default: default; with --rerun all].
    #[arg(long, value_name = "SET", value_parser = Sets::parse)]
    pub set: Option<Sets>,
    /// Run the scenarios of this folder, or of this file, instead of those that come with boot-matrix. Their snapshots
    /// are kept in `snapshots` in that folder, or beside the file.
    #[arg(long, value_name = "DIR|FILE")]
    pub scenarios: Vec<PathBuf>,
    /// Run the scenarios of a gate: what a mastering tool must be able to do first of all, in a handful of cells. With --master and --baseline.
    #[arg(long, conflicts_with_all = ["scenarios", "set", "iso"])]
    pub gate: bool,
    /// Only on this firmware; with @VERSION, on that build of it in place of the host's (cargo xtask firmware list). An ISO of --iso boots on
    /// any firmware named here.
    #[arg(long, value_name = "FIRMWARE[@VERSION]", value_delimiter = ',', value_parser = words::read::<FirmwareName>)]
    pub firmware: Vec<FirmwareName>,
    /// On every build of each firmware that there is: the host's, and those that cargo xtask firmware has fetched or added. All
    /// of them are held against the same snapshots, and the cells on which they differ are told. With --accept, what differs
    /// becomes the table in docs/firmware.md.
    #[arg(long, conflicts_with_all = ["baseline", "against", "export"])]
    pub firmware_grid: bool,
    /// Only with this attachment.
    #[arg(long, value_name = "ATTACHMENT", value_delimiter = ',', value_parser = words::read::<Attachment>)]
    pub attach: Vec<Attachment>,
    /// Only discs of these mastering tools: by name, or by the file that describes one. Without --set, the scenarios that
    /// compare tools.
    #[arg(long, value_name = "TOOL|FILE.toml", value_delimiter = ',')]
    pub master: Vec<String>,
    /// Only discs that this command masters, in the scenarios that compare tools. It is split into words as a shell does,
    /// and run in {tree} without a shell. {iso} is the file to write, {boot_image} and {efi_image} are paths in {tree},
    /// {boot_file} and {efi_file} are the same files outside of it; {load_sectors}, {load_segment}, {volume_id},
    /// {capacity_blocks} and {mode} are the words of the disc. Without {mode} it masters discs without emulation.
    #[arg(long, value_name = "COMMAND")]
    pub master_cmd: Option<String>,
    /// Only discs that go through these editors: by name, or by the file that describes one. Without --set, the scenarios that try editors,
    /// and of them what every editor must leave as it is: what started before the edit starts after it.
    #[arg(long, value_name = "EDITOR|FILE.toml", value_delimiter = ',')]
    pub editor: Vec<String>,
    /// Fail, and do not skip its cells, when this mastering tool is not there.
    #[arg(long, value_name = "TOOL", value_delimiter = ',')]
    pub require: Vec<String>,
    /// Write into this folder what a tool that runs elsewhere needs to master the discs, and boot nothing: boot images,
    /// trees and plan.json, which says of each disc what it must be and where it must come back.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["import", "list", "rerun"])]
    pub export: Option<PathBuf>,
    /// With --export: the name of that tool in the ids.
    #[arg(long, value_name = "NAME", default_value = "exchange", value_parser = words::read::<Name>, requires = "export")]
    pub export_as: Name,
    /// Boot the discs that came back into this folder, which --export wrote.
    #[arg(long, value_name = "DIR", conflicts_with = "scenarios")]
    pub import: Option<PathBuf>,
    /// Boot this ISO as it is, on SeaBIOS and OVMF (or those of --firmware) by the six usual attachments (or those of --attach), instead of any scenario's discs. Its cells are
    /// only observed, unless there is --expect, --dialog or --baseline. With --editor it is booted before and after the edit: what started must
    /// still start, and no error may be new.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["scenarios", "set", "master", "master_cmd", "require", "rerun"])]
    pub iso: Option<PathBuf>,
    /// A regular expression for what is seen on serial or on the screen when the ISO of --iso has booted; where it is not
    /// seen, that is a mismatch.
    #[arg(long, value_name = "REGEX", requires = "iso")]
    pub expect: Option<String>,
    /// A file with a dialogue to hold with what the ISO of --iso boots, over the serial line or by keyboard and screen
    /// (scenarios/README.md has the format); where it does not come to its end, that is a mismatch.
    #[arg(long, value_name = "FILE.toml", requires = "iso")]
    pub dialog: Option<PathBuf>,
    /// Compare with what was accepted into this folder before, in place of the snapshots: one file for each scenario, kept
    /// wherever you like. A cell that does what its file says is as expected, even where the scenario declares something
    /// else. What booting depends on counts; what else differs is noted. With --accept the files are written.
    #[arg(long, value_name = "DIR")]
    pub baseline: Option<PathBuf>,
    /// Compare with the same cells of another mastering tool, which is run too, or with those of an earlier run, by its
    /// results.json, beside which its folder `cells` must still be: without it only outcomes and findings are compared,
    /// and the exit code is 3. Without
    /// --baseline the snapshots play no part then. The exit code is 1 where a cell boots differently, and with an earlier run also
    /// where a disc differs in what booting depends on; what else differs between two tools' discs is told, and no failure.
    #[arg(long, value_name = "TOOL|RESULTS.json")]
    pub against: Option<PathBuf>,
    /// Take what is seen as the new snapshots, where it is what the scenario declares; with --baseline, as the new baseline,
    /// whatever it is.
    #[arg(long)]
    pub accept: bool,
    /// Accept what is seen beside what was accepted before: of a cell whose machine resets in one run and hangs in the next.
    #[arg(long, requires = "baseline", conflicts_with = "accept")]
    pub accept_also: bool,
    /// With --accept, remove from the baseline what belongs to no cell any more.
    #[arg(long, requires_all = ["baseline", "accept"])]
    pub prune: bool,
    /// Hold a disc against its baseline, or against an earlier run, to the last block: where things are, how long the disc is, which
    /// blocks are read.
    #[arg(long)]
    pub strict: bool,
    /// Boot nothing, and master the discs of tools twice: the second time with another clock, time zone, locale, umask, folder, order and
    /// dates of the files, and on one processor. Every byte that differs is named by its field, and by what it follows; both discs
    /// are left in --out [default: target/twice]. The exit code is 1 where a disc is not the same.
    #[arg(long, conflicts_with_all = ["accept", "accept_also", "list", "export", "import", "against", "iso", "firmware_grid", "rerun", "resume", "strict", "cold", "prove_warm"])]
    pub twice: bool,
    /// Look at what differs from its snapshot after the run, one by one, and accept or reject it (cargo insta review). Only
    /// what is as the scenario declares is shown.
    #[arg(long, conflicts_with_all = ["accept", "list", "export", "baseline", "against", "iso", "firmware_grid"])]
    pub review: bool,
    /// Run again what was not as expected the last time, of the scenarios that were run then.
    #[arg(long, value_name = "WHICH")]
    pub rerun: Option<Rerun>,
    /// Go on with the run in --out that was stopped, killed or cut off from power: keep the results that it left, and run the rest. What
    /// chooses cells may be left out, and must be the same otherwise; QEMU, firmware, tools and scenarios must be the same too.
    #[arg(long, conflicts_with_all = ["rerun", "list", "export"])]
    pub resume: bool,
    /// Run only one slice of the cells, as in slice:1/4, on one of several machines. cargo xtask merge joins them.
    #[arg(long, value_name = "slice:K/N", conflicts_with_all = ["rerun", "against"])]
    pub partition: Option<Partition>,
    /// Start every machine from power-on, none from a checkpoint.
    #[arg(long)]
    pub cold: bool,
    /// Run every cell from a checkpoint and from power-on, and fail where what is seen is not the same.
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
    /// Tell only what failed, and the totals.
    #[arg(long, short, overrides_with = "verbose")]
    pub quiet: bool,
    /// Tell whole reasons, and what is as expected too.
    #[arg(long, short, overrides_with = "quiet")]
    pub verbose: bool,
    /// How to answer.
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

    /// Whether what is seen becomes what is accepted.
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

    /// From where the machines start.
    pub const fn starts(&self) -> Starts {
        match (self.cold, self.prove_warm) {
            (true, _) => Starts::Cold,
            (false, true) => Starts::Both,
            (false, false) => Starts::Warm,
        }
    }
}
