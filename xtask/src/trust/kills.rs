//! The runner killed at random moments, and gone on with.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant, SystemTime},
};

use clap::Args;
use scenarios::{
    record,
    results::Results,
    run::{LIST, Run, read_list},
};

use super::{
    kept::Figures,
    runner::{Runner, damage, verdicts},
};
use cli::{remark, signals::Signals, stop::Stop};

/// How often, and of what.
#[derive(Debug, Args)]
#[command(after_help = crate::examples::TRUST_KILLS.help())]
pub(crate) struct Kills {
    /// How many times to kill the runner.
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    times: u64,
    /// Run only cells whose ids contain this [default: those of load-segments and efi-slot].
    #[arg(long, value_name = "FILTER")]
    only: Vec<String>,
    /// The seed of the random moments, to repeat them [default: the time].
    #[arg(long, value_name = "NUMBER")]
    seed: Option<u64>,
}

/// Some dozens of cells of both firmware.
const CELLS: [&str; 2] = ["/load-segments/", "/efi-slot/"];

/// What was counted.
#[derive(Default)]
struct Count {
    kills: u64,
    runs: u64,
    before: u64,
    among: u64,
    behind: u64,
    kept: usize,
    longest: Duration,
}

pub(super) fn measure(options: &Kills, signals: &'static Signals) -> anyhow::Result<Figures> {
    let began = Instant::now();
    let now = record::milliseconds(SystemTime::now());
    let seed = options.seed.unwrap_or(now);
    remark!("seed {seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let runner = Runner::new()?;
    let mut figures = Figures::default();
    let filters: Vec<&str> = match &options.only[..] {
        [] => CELLS.to_vec(),
        only => only.iter().map(String::as_str).collect(),
    };
    let undisturbed = runner.path("undisturbed");
    let out = runner.path("out");
    let arguments = |out: &Path, more: &[&str]| -> Vec<String> {
        let mut words = vec!["boot-matrix", "--quiet", "--out"];
        let out = out.to_string_lossy();
        words.push(&out);
        words.extend(more);
        words.into_iter().map(str::to_owned).collect()
    };
    let run = |words: &[String], time: Option<Duration>| {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        match time {
            None => runner
                .command(&words)?
                .status()
                .map(Some)
                .map_err(Into::into),
            Some(time) => runner.run_for(&words, time),
        }
    };
    // The first makes the checkpoints, which takes longer.
    let timed = || -> anyhow::Result<Duration> {
        let started = Instant::now();
        run(&arguments(&undisturbed, &filters), None)?;
        Ok(started.elapsed())
    };
    let (first, usual) = (timed()?, timed()?);
    let expected = Results::read(&undisturbed).map_err(|error| Stop::host(error, runner.said()))?;
    let expected_verdicts = verdicts(&expected).map_err(|what| Stop::found(what, ""))?;
    let mut count = Count::default();
    while count.kills < options.times {
        // A fresh folder for each run, and in one of four the checkpoints have to be made.
        match fs::remove_dir_all(&out) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
        let makes_checkpoints = random.u8(..4) == 0;
        if makes_checkpoints {
            runner.forget_checkpoints()?;
        }
        let ended = loop {
            if signals.caught() {
                return Err(Stop::host("interrupted", "the same again").into());
            }
            let goes_on = Run::file(&out).exists();
            let words = if goes_on {
                arguments(&out, &["--resume"])
            } else {
                arguments(&out, &filters)
            };
            // As long as there are no results, making checkpoints may take most of the time.
            let begins = makes_checkpoints && done(&out).0 == 0;
            let moment = if begins { first } else { usual }.mul_f64(random.f64());
            let last = count.kills == options.times;
            let ended = run(&words, (!last).then_some(moment))?;
            if let Some(status) = ended {
                break status;
            }
            count.kills += 1;
            let told = format!("kill {} after {:.3} s", count.kills, moment.as_secs_f64());
            match runner.await_end() {
                Ok(took) => count.longest = count.longest.max(took),
                Err(left) => figures
                    .failures
                    .push(format!("{told}: still there: {}", left.join(", "))),
            }
            if out.exists() {
                let wrong = damage(&out, false)?;
                figures
                    .failures
                    .extend(wrong.iter().map(|what| format!("{told}: {what}")));
            }
            let (done, all) = done(&out);
            match done {
                0 => count.before += 1,
                _ if done == all => count.behind += 1,
                _ => count.among += 1,
            }
            count.kept += done;
        };
        count.runs += 1;
        let told = format!("run {}", count.runs);
        if ended.code() != Some(i32::from(expected.exit_code())) {
            figures
                .failures
                .push(format!("{told}: {ended}: {}", runner.said()));
        }
        match Results::read(&out) {
            Err(error) => figures.failures.push(format!("{told}: {error}")),
            Ok(results) => {
                if results.totals != expected.totals
                    || verdicts(&results).as_ref() != Ok(&expected_verdicts)
                {
                    figures.failures.push(format!(
                        "{told} came to {:?}, and undisturbed to {:?}",
                        results.totals, expected.totals
                    ));
                }
            }
        }
        let wrong = damage(&out, true)?;
        figures
            .failures
            .extend(wrong.iter().map(|what| format!("{told}: {what}")));
        remark!(
            "{} kills, {} runs finished, {} failures",
            count.kills,
            count.runs,
            figures.failures.len()
        );
        figures.failures.iter().for_each(|what| remark!("  {what}"));
        if !figures.failures.is_empty() {
            break;
        }
    }
    figures.programs = super::flakes::programs(&expected);
    figures.seconds = began.elapsed().as_secs();
    figures.add("cells of the run", expected.totals.cells);
    figures.add("kills of the runner (SIGKILL)", count.kills);
    figures.add("before the first result", count.before);
    figures.add("among the cells", count.among);
    figures.add("after the last result", count.behind);
    figures.add(
        "finished runs, all with the results of the undisturbed run",
        count.runs,
    );
    figures.add("complete results after a kill, kept", count.kept);
    figures.add("processes left behind", 0);
    figures.add("results that were incomplete, lost or duplicated", 0);
    figures.add(
        "longest time until every process had ended",
        format!("{:.2} s", count.longest.as_secs_f64()),
    );
    figures.add("seed", seed);
    Ok(figures)
}

/// How many cells of the run in a folder have a result, and how many it has.
fn done(out: &Path) -> (usize, usize) {
    let (Ok(run), Ok(ids)) = (Run::read(&Run::file(out)), read_list(&out.join(LIST))) else {
        return (0, 0);
    };
    let done = ids
        .iter()
        .filter(|id| record::read_record(out, run.name(), id).is_ok());
    (done.count(), ids.len())
}
