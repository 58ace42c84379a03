//! How a run goes, for somebody who watches: how much is done, what runs now, what is not as expected, and how long it may still take.

use std::{
    io::Write,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use anstream::{AutoStream, ColorChoice};
use anstyle::Style;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use scenarios::{
    cell::Cell,
    record::{CellResult, Differs, Verdict},
    runner::{pool::Event, trial},
    terms::Accepted,
};

use super::{
    estimate::{Estimate, in_words},
    job::{Feedback, Job},
    output::paint_marks,
    problems,
};
use crate::{
    columns::shortened,
    terminal::{self, BAD, CAUTION, FAINT, Terminal, WIDTH},
};

/// How often what is drawn is drawn anew.
const TICK: Duration = Duration::from_millis(250);
/// So long a run with a baseline may say nothing.
const WHILE: Duration = Duration::from_secs(30);
/// So many running cells are named.
const NAMED: usize = 8;
/// So many characters of a reason.
const REASON: usize = 160;

/// What is drawn, and what it is drawn from.
pub(super) struct Watch<'a> {
    job: &'a Job<'a>,
    bar: ProgressBar,
    state: Arc<Mutex<State>>,
}

struct State {
    running: Vec<(String, Instant)>,
    verdicts: Vec<Verdict>,
    /// When something was last said.
    said: Instant,
    estimate: Estimate,
}

impl<'a> Watch<'a> {
    /// Begins, before the first cell does.
    pub(super) fn new(job: &'a Job<'a>, at_once: usize) -> Self {
        let state = Arc::new(Mutex::new(State {
            running: Vec::new(),
            verdicts: Vec::new(),
            said: Instant::now(),
            estimate: Estimate::new(job.cells, job.earlier, at_once),
        }));
        let target = if job.feedback == Feedback::Bar && terminal::is_watched() {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = ProgressBar::with_draw_target(Some(job.cells.len() as u64), target);
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
        Self { job, bar, state }
    }

    /// Takes note of what happens to a cell.
    pub(super) fn see(&self, cell: &Cell, event: Event) {
        match event {
            Event::Began => {
                let began = (cell.id.to_string(), Instant::now());
                lock(&self.state).running.push(began);
            }
            Event::Ended(record) => self.ended(cell, &record),
        }
    }

    /// Takes the bar away.
    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }

    fn ended(&self, cell: &Cell, record: &CellResult) {
        let number = {
            let mut state = lock(&self.state);
            let id = cell.id.as_str();
            let running = state.running.iter().position(|(running, _)| running == id);
            let took = running.map(|place| state.running.swap_remove(place).1.elapsed());
            state.estimate.ended(id, took);
            state.verdicts.push(record.verdict);
            state.verdicts.len()
        };
        self.bar.inc(1);
        let is_gate = matches!(self.job.run.accepted, Accepted::Baseline(_));
        let line = match self.job.feedback {
            Feedback::Silent => None,
            // Its causes are told at the end, each once.
            Feedback::Bar if is_gate => None,
            Feedback::Lines if is_gate => self.now_and_then(number),
            Feedback::Bar => failure(record),
            Feedback::Lines => Some(self.plainly(number, record)),
        };
        if let Some(line) = line {
            self.bar.suspend(|| {
                // Nobody has to read it.
                drop(writeln!(std::io::stderr(), "{line}"));
            });
        }
    }

    /// How far it is, where nothing was said for a while: whoever watches a job ends what is silent.
    fn now_and_then(&self, number: usize) -> Option<String> {
        let all = self.job.cells.len();
        let mut state = lock(&self.state);
        (state.said.elapsed() >= WHILE && number < all).then(|| {
            state.said = Instant::now();
            format!("{number} of {all} cells")
        })
    }

    /// A line for a cell, and below it what a person needs to go on from a failure.
    fn plainly(&self, number: usize, record: &CellResult) -> String {
        let took = Duration::from_millis(record.duration_ms).as_secs_f64();
        let (all, verdict, id) = (self.job.cells.len(), record.verdict, &record.id);
        let line = format!("[{number}/{all}] {verdict:<11} {took:>5.1} s  {id}");
        if !record.is_failure() {
            return line;
        }
        let why = trial::explain(&self.job.run.out, record);
        let why: Vec<String> = why.lines().map(|line| format!("    {line}")).collect();
        format!("{line}\n{}", why.join("\n"))
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
