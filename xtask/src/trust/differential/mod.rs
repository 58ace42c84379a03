//! Boot catalogs with mistakes in them, read by `images::inspect` and by pycdlib, which is nobody's here.

mod catalogs;
mod rules;

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Lines, Write},
    process::{Child, ChildStdout, Command, Stdio},
    time::Instant,
};

use anyhow::Context;
use clap::Args;
use images::{
    bytes::hex,
    eltorito::boot_record,
    inspect::{Inspection, Options, Window, inspect},
    iso9660::terminator,
    sparse::SparseBytes,
    units::Lba,
};

use self::{
    catalogs::{Block, Chance},
    rules::{Rule, Theirs},
};
use super::{
    fuzz::grouped,
    kept::{Figures, Table},
};
use cli::{signals::Signals, stop::Stop};

/// The distribution's interpreter, for which its package is.
const PYTHON: &str = "/usr/bin/python3";
/// Catalogs that are asked at once.
const BATCH: u64 = 1_000;
/// Disagreements that are told: the others are of the same kinds.
const TOLD: usize = 20;
/// Where the catalog stands on the smallest disc that has one.
const CATALOG: Lba = Lba::new(19);

/// How many catalogs.
#[derive(Debug, Args)]
#[command(after_help = crate::examples::TRUST_DIFFERENTIAL.help())]
pub(crate) struct Differential {
    /// How many catalogs to compare.
    #[arg(long, value_name = "N", default_value_t = 2_000_000)]
    catalogs: u64,
    /// The seed: another number gives other catalogs.
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    seed: u64,
}

pub(super) fn measure(options: &Differential, signals: &Signals) -> anyhow::Result<Figures> {
    let began = Instant::now();
    let mut pycdlib = Pycdlib::start()?;
    let mut chance = Chance::new(options.seed);
    let right = catalogs::right();
    let mut counts: BTreeMap<Rule, u64> = BTreeMap::new();
    let mut figures = Figures {
        programs: format!("pycdlib {}", pycdlib.version),
        ..Figures::default()
    };
    let mut left = options.catalogs;
    while left > 0 && figures.failures.len() < TOLD {
        if signals.caught() {
            return Err(Stop::host("interrupted", "the same again").into());
        }
        let size = left.min(BATCH);
        left -= size;
        let batch: Vec<Block> = (0..size)
            .map(|_| catalogs::mutated(&right, &mut chance))
            .collect();
        pycdlib.ask(&batch)?;
        for block in &batch {
            let theirs = pycdlib.answer()?;
            match rules::compare(block, CATALOG, &read(block)?, &theirs) {
                Ok(rule) => *counts.entry(rule).or_default() += 1,
                Err(what) => figures.failures.push(format!("{what}\n{}", rows(block))),
            }
        }
    }
    figures.seconds = began.elapsed().as_secs();
    figures.add("catalogs compared", grouped(counts.values().sum()));
    figures.add("valid catalogs from which they are made", right.len());
    figures.add(
        "disagreements that no rule explains",
        figures.failures.len(),
    );
    let rows = Rule::ALL.into_iter().map(|rule| {
        let (what, why) = rule.words();
        let count = counts.get(&rule).copied().unwrap_or_default();
        vec![what.to_owned(), why.to_owned(), grouped(count)]
    });
    figures.tables.push(Table {
        head: ["result", "why", "catalogs"].map(str::to_owned).to_vec(),
        rows: rows.collect(),
    });
    Ok(figures)
}

/// The smallest disc with this catalog, inspected.
fn read(block: &Block) -> anyhow::Result<Inspection> {
    let mut disc = SparseBytes::zeroed(Lba::new(20).byte_offset());
    disc.write_at(Lba::new(16).byte_offset(), b"\x01CD001\x01");
    let record = boot_record(CATALOG.to_u32().context("no address")?);
    disc.write_at(Lba::new(17).byte_offset(), &record);
    disc.write_at(Lba::new(18).byte_offset(), &terminator());
    disc.write_at(CATALOG.byte_offset(), block);
    Ok(inspect(&mut Window::new(&disc), &Options::default())?)
}

/// The slots of a catalog that are not zeros, for whoever looks into it.
fn rows(block: &Block) -> String {
    let slots = block.as_chunks::<32>().0.iter().enumerate();
    slots
        .filter(|(_, slot)| slot.iter().any(|&byte| byte != 0))
        .map(|(number, slot)| format!("  {number:2} {}\n", hex(slot)))
        .collect()
}

/// pycdlib in one process.
struct Pycdlib {
    child: Child,
    answers: Lines<BufReader<ChildStdout>>,
    version: String,
}

impl Pycdlib {
    fn start() -> anyhow::Result<Self> {
        let asked = Command::new(PYTHON)
            .args([
                "-c",
                "import pycdlib.utils, importlib.metadata as it; print(it.version('pycdlib'))",
            ])
            .stderr(Stdio::null())
            .output();
        let version = match asked {
            Ok(answer) if answer.status.success() => {
                String::from_utf8_lossy(&answer.stdout).trim().to_owned()
            }
            _ => {
                let what = format!("{PYTHON} has no pycdlib, which reads catalogs by itself");
                return Err(Stop::host(what, "apt-get install python3-pycdlib").into());
            }
        };
        let mut child = Command::new(PYTHON)
            .args(["-c", include_str!("pycdlib.py")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start Python")?;
        let answers = child.stdout.take().context("Python has no output")?;
        Ok(Self {
            child,
            answers: BufReader::new(answers).lines(),
            version,
        })
    }

    /// Asks for all of them: it reads them all before it answers, so that neither waits for the other.
    fn ask(&mut self, blocks: &[Block]) -> anyhow::Result<()> {
        let questions = self.child.stdin.as_mut().context("Python has no input")?;
        questions.write_all(&u32::try_from(blocks.len())?.to_le_bytes())?;
        questions.write_all(blocks.as_flattened())?;
        Ok(questions.flush()?)
    }

    fn answer(&mut self) -> anyhow::Result<Theirs> {
        let line = self.answers.next().context("pycdlib gave no answer")??;
        serde_json::from_str(&line).with_context(|| format!("pycdlib answered {line:?}"))
    }
}

impl Drop for Pycdlib {
    fn drop(&mut self) {
        // Its input ends, and so does it.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The catalog of one entry that boots, and what pycdlib says of it.
    fn simplest() -> (Block, String) {
        let mut block = [0; 2048];
        for (to, from) in block
            .as_chunks_mut::<32>()
            .0
            .iter_mut()
            .zip(&catalogs::right()[0])
        {
            *to = *from;
        }
        let theirs =
            r#"{"slots":[["validation",0],["initial",136,0,0,0,4,40]],"error":null,"ended":true}"#;
        (block, theirs.to_owned())
    }

    fn compare(block: &Block, theirs: &str) -> Result<Rule, String> {
        let theirs = serde_json::from_str(theirs).unwrap();
        rules::compare(block, CATALOG, &read(block).unwrap(), &theirs)
    }

    #[test]
    fn a_disagreement_without_a_rule_is_one() {
        let (mut block, theirs) = simplest();
        assert_eq!(compare(&block, &theirs), Ok(Rule::BothAccept));
        // Another count, another kind of slot, another platform, an entry that is not there.
        for (from, to) in [
            (",4,40]", ",5,40]"),
            ("initial", "section"),
            ("[\"validation\",0]", "[\"validation\",1]"),
            ("40]]", "40],[\"extension\"]]"),
        ] {
            let other = theirs.replace(from, to);
            let what = compare(&block, &other).unwrap_err();
            assert!(what.starts_with("slot "), "{to}: {what}");
        }
        // It refuses what has no finding.
        let refused = r#"{"slots":[],"error":"checksum not correct","ended":false}"#;
        assert!(compare(&block, refused).unwrap_err().contains("no finding"));
        // It accepts what has one.
        block[0x1C] ^= 1;
        assert!(
            compare(&block, &theirs)
                .unwrap_err()
                .contains("catalog-checksum")
        );
        assert_eq!(compare(&block, refused), Ok(Rule::BothRefuse));
    }
}
