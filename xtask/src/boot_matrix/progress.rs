//! How a run goes, for somebody who watches: how much is done, what runs now, what is not as expected, and how long it may still take.

use std::{
    collections::HashMap,
    io::{BufRead, Write},
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use anstream::{AutoStream, ColorChoice};
use anstyle::Style;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use scenarios::{
    cell::Cell,
    record::{self, CellResult, Differs, Verdict},
    results::Results,
};
use serde::Deserialize;

use super::{
    estimate::{Estimate, in_words},
    problems,
    table::paint_marks,
};
use crate::{
    columns::shortened,
    terminal::{self, BAD, CAUTION, FAINT, Terminal, WIDTH},
};

/// How often what is drawn is drawn anew.
const TICK: Duration = Duration::from_millis(250);
/// So many running cells are named.
const NAMED: usize = 8;
/// So many characters of a reason.
const REASON: usize = 160;

/// What is about to run.
pub(super) struct Plan<'a> {
    /// All of it.
    pub(super) cells: &'a [Cell],
    /// What an earlier run in the same folder came to.
    pub(super) earlier: Option<&'a Results>,
    /// The folder of the results.
    pub(super) out: &'a Path,
    /// The name of the run.
    pub(super) run: u64,
    /// How many run at once.
    pub(super) at_once: u64,
}

/// A line of nextest's libtest-json-plus, as far as it matters here. The format is experimental: what is not understood is passed over,
/// and nothing but this display depends on it.
#[derive(Deserialize)]
struct Event {
    #[serde(rename = "type")]
    of: String,
    event: String,
    name: Option<String>,
}

/// Follows nextest's events to their end.
pub(super) fn follow(events: impl BufRead, plan: &Plan<'_>, is_shown: bool) {
    let watch = Watch::new(plan, is_shown);
    for line in events.lines().map_while(Result::ok) {
        let Ok(event) = serde_json::from_str::<Event>(&line) else {
            continue;
        };
        // The name of a test stands behind that of its program.
        let Some((_, id)) = event.name.as_deref().and_then(|name| name.split_once('$')) else {
            continue;
        };
        match (event.of.as_str(), event.event.as_str()) {
            ("test", "started") => watch.started(id),
            ("test", _) => watch.ended(id),
            _ => {}
        }
    }
    watch.bar.finish_and_clear();
}

/// What is drawn, and what it is drawn from.
struct Watch<'a> {
    plan: &'a Plan<'a>,
    /// By id.
    cells: HashMap<&'a str, &'a Cell>,
    bar: ProgressBar,
    state: Arc<Mutex<State>>,
    is_shown: bool,
}

struct State {
    running: Vec<(String, Instant)>,
    verdicts: Vec<Verdict>,
    estimate: Estimate,
}

impl<'a> Watch<'a> {
    fn new(plan: &'a Plan<'a>, is_shown: bool) -> Self {
        let state = Arc::new(Mutex::new(State {
            running: Vec::new(),
            verdicts: Vec::new(),
            estimate: Estimate::new(plan.cells, plan.earlier, plan.at_once),
        }));
        let target = if is_shown && terminal::is_watched() {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = ProgressBar::with_draw_target(Some(plan.cells.len() as u64), target);
        let drawn = Arc::clone(&state);
        let style = ProgressStyle::with_template("{bar:24} {pos}/{len}{live}")
            // A template that is part of the program is a good one.
            .unwrap_or_else(|_| ProgressStyle::default_bar())
            .progress_chars("━╸─")
            .with_key(
                "live",
                move |_: &indicatif::ProgressState, to: &mut dyn std::fmt::Write| {
                    // What cannot be drawn now is drawn the next time.
                    let _ = to.write_str(&lock(&drawn).drawn());
                },
            );
        bar.set_style(style);
        bar.enable_steady_tick(TICK);
        let cells = plan.cells.iter();
        Self {
            cells: cells.map(|cell| (cell.id.as_str(), cell)).collect(),
            plan,
            bar,
            state,
            is_shown,
        }
    }

    fn started(&self, id: &str) {
        lock(&self.state)
            .running
            .push((id.to_owned(), Instant::now()));
    }

    fn ended(&self, id: &str) {
        let Some(cell) = self.cells.get(id) else {
            return;
        };
        let record = record::read_record(self.plan.out, self.plan.run, &cell.id);
        let record = record.unwrap_or_else(|error| {
            record::unseen(cell, Verdict::Infra, format!("it left no result: {error}"))
        });
        {
            let mut state = lock(&self.state);
            let running = state.running.iter().position(|(running, _)| running == id);
            let took = running.map(|place| state.running.swap_remove(place).1.elapsed());
            state.estimate.ended(id, took);
            state.verdicts.push(record.verdict);
        }
        self.bar.inc(1);
        if let Some(line) = failure(&record)
            && self.is_shown
        {
            self.bar.suspend(|| {
                // Nobody has to read it.
                drop(writeln!(std::io::stderr(), "{line}"));
            });
        }
    }
}

/// A poisoned lock holds what it held.
fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl State {
    /// What stands beside and below the bar.
    fn drawn(&self) -> String {
        painted(|to| {
            let count = |wanted| self.verdicts.iter().filter(|is| **is == wanted).count();
            for (verdict, mark) in [
                (Verdict::Mismatch, "✗"),
                (Verdict::Infra, "!"),
                (Verdict::Skipped, "–"),
            ] {
                let number = count(verdict);
                if number > 0 {
                    paint_marks(to, &format!("  {number}{mark}"))?;
                }
            }
            if let Some(left) = self.estimate.left(&self.running) {
                write!(to, "  {}", in_words(left))?;
            }
            for (id, since) in self.running.iter().take(NAMED) {
                let seconds = format!("{} s", since.elapsed().as_secs());
                let id = shortened(id, WIDTH - 12);
                writeln!(to)?;
                to.paint(FAINT, format_args!("  {id}  {seconds}"))?;
            }
            if let Some(more) = self.running.len().checked_sub(NAMED + 1) {
                writeln!(to)?;
                to.paint(FAINT, format_args!("  and {} more", more + 1))?;
            }
            Ok(())
        })
    }
}

/// A line for a cell that is not as it should be.
fn failure(record: &CellResult) -> Option<String> {
    let (mark, style): (&str, Style) = match record.verdict {
        Verdict::Mismatch if record.differs == [Differs::New] => ("✗", CAUTION),
        Verdict::Mismatch => ("✗", BAD),
        Verdict::Infra => ("!", CAUTION),
        Verdict::AsExpected | Verdict::Skipped | Verdict::Observed => return None,
    };
    let (reason, _) = problems::headline(record);
    Some(painted(|to| {
        to.paint(style, format_args!("{mark} {}", record.id))?;
        write!(to, ": {}", shortened(&reason, REASON))
    }))
}

/// Text for standard error.
fn painted(write: impl FnOnce(&mut Terminal<Vec<u8>>) -> std::io::Result<()>) -> String {
    let coloured = AutoStream::choice(&std::io::stderr()) != ColorChoice::Never;
    let mut to = Terminal::in_memory(coloured);
    // Writing to memory cannot fail.
    drop(write(&mut to));
    to.into_text()
}
