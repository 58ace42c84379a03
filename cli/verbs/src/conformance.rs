//! What a writer of discs can do: masters every disc of the conformance kit with it, and judges each.

use std::{
    collections::BTreeMap,
    io::{self, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context;
use harness::master::{Changed, FoundTool};
use scenarios::{
    cell::Recipe,
    conformance::{self, Fault, Item, Judged, Kit, Report, Result as Came},
    disc::{self, Disc, Workshop},
    files,
    master::{self, MasterSource, Masters},
    matrix::Folder,
    record::{CellResult, Differs, Verdict},
    words::Master,
};
use toml::{Table, Value};

use crate::{
    boot_matrix::{self, folder},
    options::{BootMatrix, Conformance, Format, RunFormat, Sets},
    place::{absolute, cache, shipped},
    setup,
    signals::Signals,
    stop::Stop,
    terminal::{self, BAD, CAUTION, FAINT, GOOD},
};

/// The report, in the folder of a run.
const JSON: &str = "conformance.json";

/// Runs the verb.
pub fn run(options: &Conformance) -> anyhow::Result<ExitCode> {
    let file = options.kit.clone();
    let file = match file {
        Some(file) => file,
        None => conformance::shipped(shipped()?),
    };
    let kit = Kit::read(&file).map_err(|error| {
        let remedy = "the kit of this version of boot-matrix, which is used without --kit";
        Stop::usage(error, remedy)
    })?;
    let writer = Writer::find(&options.tool, options.tooling.install)?;
    let out = match &options.out {
        Some(out) => out.clone(),
        None => cache()?.join("conformance").join(writer.master.as_str()),
    };
    let (out, _held) = folder::hold(&out)?;
    let signals = Signals::catch()?;
    let mut discs = Vec::new();
    for item in kit.discs() {
        if signals.caught() {
            return Err(Stop::host("interrupted", "").into());
        }
        discs.push(writer.judge(item, &out)?);
    }
    if !options.bytes_only {
        boot(options, &kit, &writer, &out, &mut discs)?;
    }
    let report = Report::new(
        writer.master.as_str(),
        writer.version(),
        !options.bytes_only,
        discs,
    );
    files::write_json(&out.join(JSON), &report)?;
    if let Some(badge) = &options.badge {
        files::write(badge, report.badge().as_bytes())
            .map_err(|error| Stop::unwritable(&error, "another file with --badge"))?;
    }
    say(options, &report).context("cannot write the report")?;
    Ok(ExitCode::from(u8::from(!report.conforms())))
}

/// The tool under test.
struct Writer {
    master: Master,
    masters: Masters,
    found: BTreeMap<String, Result<FoundTool, String>>,
    /// Where it is described, where that is a file of its own.
    file: Option<PathBuf>,
}

impl Writer {
    /// The writer that a word on the command line means: a file that describes it, or one that comes with boot-matrix.
    fn find(word: &str, yes: bool) -> Result<Self, Stop> {
        let path = Path::new(word);
        let file = path
            .extension()
            .is_some_and(|extension| extension == "toml")
            .then(|| absolute(path));
        let unreadable = |error| Stop::scenarios(&error);
        let mut sources =
            master::files(&Folder::shipped_masters(shipped()?)).map_err(unreadable)?;
        let mut master = Master::new(word);
        if let Some(file) = &file
            && !sources.contains(&MasterSource::File(file.clone()))
        {
            let own = MasterSource::Named(file.clone());
            sources.push(own);
        }
        let masters = Masters::read(&sources).map_err(unreadable)?;
        if let Some(file) = &file {
            let alone = Masters::read(&[MasterSource::Named(file.clone())]).map_err(unreadable)?;
            if let Some(name) = alone.tools().next() {
                master = Master::new(name);
            }
        }
        let name = master.as_str();
        masters.check(name).map_err(|what| {
            Stop::usage(what, "a name, or a file that describes a tool (NAME.toml)")
        })?;
        let mut found = BTreeMap::new();
        if let Some(tool) = masters.tool(name) {
            let there = setup::provide_tool(name, tool, yes)?;
            found.insert(name.to_owned(), Ok(there));
        }
        Ok(Self {
            master,
            masters,
            found,
            file,
        })
    }

    fn version(&self) -> Option<String> {
        match self.found.get(self.master.as_str()) {
            // What is part of boot-matrix has its version.
            None => Some(env!("CARGO_PKG_VERSION").to_owned()),
            Some(found) => found.as_ref().ok()?.version.clone(),
        }
    }

    /// Masters a disc and judges its bytes.
    fn judge(&self, item: &Item, out: &Path) -> anyhow::Result<Judged> {
        let recipe = item
            .recipe(&self.master)
            .map_err(|what| Stop::usage(what, "another name in the kit"))?;
        let of = |result| Judged::new(item, recipe.id.as_str(), result);
        if let Some(words) = self.lacks(&recipe) {
            return Ok(Judged {
                words: vec![words],
                ..of(Came::NotOffered)
            });
        }
        let workshop = Workshop {
            masters: &self.masters,
            found: &self.found,
            changed: Changed::default(),
        };
        let mut judged = of(Came::Pass);
        match disc::master(&recipe, &out.join("discs"), workshop)? {
            Disc::Refused(words) => {
                judged.result = match words.first() {
                    Some(first) if self.is_no_refusal(first) => Came::Fail,
                    _ => Came::Refused,
                };
                judged.words = words;
            }
            Disc::Made { iso, .. } => {
                for fault in conformance::judge(&recipe, &iso)? {
                    judged.add(fault);
                }
            }
        }
        Ok(judged)
    }

    /// Why this writer is not asked for a disc.
    fn lacks(&self, recipe: &Recipe) -> Option<String> {
        if self.masters.can(&self.master, &recipe.boot) {
            return None;
        }
        let tool = self.masters.tool(self.master.as_str());
        let why = tool.and_then(|tool| tool.command(&recipe.boot).err());
        Some(why.unwrap_or_else(|| format!("{} cannot make it", self.master)))
    }

    /// Whether these words are ours, of a tool that did not say that it refuses: it hung, or wrote nothing.
    fn is_no_refusal(&self, words: &str) -> bool {
        let what = words.strip_prefix(&format!("{} ", self.master));
        what.is_some_and(|what| !what.starts_with("ended with exit status"))
    }
}

/// Boots the discs that are right so far, as the cells of a scenario.
fn boot(
    options: &Conformance,
    kit: &Kit,
    writer: &Writer,
    out: &Path,
    discs: &mut [Judged],
) -> anyhow::Result<()> {
    let right = kit
        .discs()
        .zip(&*discs)
        .filter(|(_, judged)| judged.result == Came::Pass);
    let scenarios: Vec<Value> = right
        .map(|(item, _)| scenario(item, &writer.master).into())
        .collect();
    if scenarios.is_empty() {
        return Ok(());
    }
    let file = out.join("kit").join("kit.toml");
    let text = Table::from_iter([("scenario".to_owned(), Value::from(scenarios))]);
    files::write(&file, text.to_string().as_bytes())?;
    let named = writer.file.as_ref();
    let word = named.map_or_else(
        || writer.master.to_string(),
        |file| file.display().to_string(),
    );
    let shipped = Folder::shipped_masters(shipped()?);
    let is_shipped = named.is_some_and(|file| file.parent() == Some(&shipped));
    let master = if is_shipped {
        writer.master.to_string()
    } else {
        word
    };
    let results = boot_matrix::boot(&BootMatrix {
        scenarios: vec![file],
        set: Some(Sets(Vec::new())),
        master: vec![master],
        out: Some(out.join("boots")),
        format: RunFormat::Json,
        quiet: options.format == Format::Json,
        ..BootMatrix::whole(options.tooling.clone())
    })?;
    for cell in &results.cells {
        let Some(judged) = discs.iter_mut().find(|judged| judged.id == cell.scenario) else {
            continue;
        };
        if let Some(sentence) = wrong(cell)? {
            judged.add(Fault {
                field: format!("boot on {} by {}", cell.firmware, cell.attachment),
                sentence,
            });
        }
    }
    Ok(())
}

/// A disc of the kit, as a scenario of one writer.
fn scenario(item: &Item, master: &Master) -> Table {
    let words = |words: Vec<String>| Value::from(words);
    let mut scenario = Table::new();
    scenario.insert("name".into(), item.id.0.0.clone().into());
    scenario.insert("summary".into(), item.reason.clone().into());
    scenario.insert("boot".into(), words(vec![item.boot.0.to_string()]));
    if let Some(medium) = &item.medium {
        scenario.insert("media".into(), words(vec![medium.0.to_string()]));
    }
    if let Some(size) = &item.size {
        scenario.insert("size".into(), words(vec![size.0.to_string()]));
    }
    scenario.insert("master".into(), words(vec![master.to_string()]));
    let firmware = item.firmware.iter().map(|word| word.0.to_string());
    scenario.insert("firmware".into(), words(firmware.collect()));
    let attach = item.attach.iter().map(|word| word.0.to_string());
    scenario.insert("attach".into(), words(attach.collect()));
    let rule = [("outcome", "booted"), ("because", item.source.as_str())];
    let rule = rule.map(|(key, value)| (key.to_owned(), Value::from(value)));
    scenario.insert("expect".into(), vec![Table::from_iter(rule)].into());
    scenario
}

/// Why a boot is not as it should be; nothing where it is. That nobody accepted a snapshot of it is no reason.
fn wrong(cell: &CellResult) -> Result<Option<String>, Stop> {
    let on = format!("{} by {}", cell.firmware, cell.attachment);
    let why = || cell.reason.join("; ");
    match cell.verdict {
        Verdict::Infra | Verdict::Skipped => Err(Stop::host(
            format!("{} on {on} was not booted: {}", cell.scenario, why()),
            "--bytes-only; cargo xtask doctor lists what is missing",
        )),
        Verdict::Mismatch if cell.differs.contains(&Differs::Outcome) => {
            let happened = cell.happened().unwrap_or_default();
            let why = why();
            let first = why.lines().next().unwrap_or_default();
            Ok(Some(format!(
                "boot on {on} is {happened}, not booted: {first}"
            )))
        }
        _ => Ok(None),
    }
}

fn say(options: &Conformance, report: &Report) -> io::Result<()> {
    if options.format == Format::Json {
        let mut out = terminal::answer();
        let text = serde_json::to_string_pretty(report)?;
        writeln!(out, "{text}")?;
        return out.flush();
    }
    let mut out = terminal::stdout();
    let version = report.version.as_deref().unwrap_or("of unknown version");
    writeln!(
        out,
        "{} {version}, conformance kit {}",
        report.tool, report.kit
    )?;
    for disc in &report.discs {
        let style = match disc.result {
            Came::Pass => GOOD,
            Came::Fail => BAD,
            Came::Refused | Came::NotOffered => CAUTION,
        };
        out.paint(style, format!("{:<12}", disc.result))?;
        writeln!(out, "{}", disc.id)?;
        for why in disc.why() {
            writeln!(out, "{:12}  {why}", "")?;
        }
        if disc.result == Came::Fail || disc.result == Came::Refused {
            let why = format!("{:12}  reason: {} ({})", "", disc.reason, disc.source);
            out.paint(FAINT, why)?;
            writeln!(out)?;
        }
    }
    writeln!(out, "{}", report.sentence())?;
    out.flush()
}
