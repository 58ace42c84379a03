//! One cell, tried.

use harness::{
    observation::{Observation, Start},
    outcome::{Outcome, OutcomeKind, Stage},
};
use scenarios::{
    cell::{Cell, DiscSource},
    disc::Disc,
};

use crate::environment::Environment;

/// What came of trying a cell.
#[derive(Debug)]
pub enum Attempt {
    /// Something was seen.
    Seen(Box<Observation>),
    /// Something that it needs is not here.
    Skipped(String),
    /// It could not be run: nothing is known of the disc.
    Failed(String),
}

/// Tries a cell.
#[must_use]
pub fn attempt(environment: &Environment, cell: &Cell) -> Attempt {
    match &cell.disc {
        DiscSource::Iso { path, package } if !path.exists() => Attempt::Skipped(match package {
            Some(package) => format!(
                "{} is not there: it comes with the package {package}",
                path.display()
            ),
            None => format!("{} is not there", path.display()),
        }),
        DiscSource::Iso { .. } => boot(cell),
        DiscSource::Mastered(recipe) => match environment.disc(recipe) {
            Ok(Disc::Made { .. }) => boot(cell),
            Ok(Disc::Refused(words)) => Attempt::Seen(Box::new(not_mastered(words))),
            Err(error) => Attempt::Failed(error.to_string()),
        },
    }
}

/// There is no disc, and the master's words are all there is to see.
fn not_mastered(words: String) -> Observation {
    Observation {
        outcome: Outcome {
            kind: OutcomeKind::NotMastered,
            code: None,
            stage: Stage::Unknown,
            detail: words.clone(),
        },
        probe: None,
        words: vec![words],
        reads: Vec::new(),
        start: Start::Cold,
        duration_ms: 0,
    }
}

fn boot(cell: &Cell) -> Attempt {
    let expected = cell.expectation(None).map(|expectation| expectation.kind);
    Attempt::Seen(Box::new(Observation {
        outcome: Outcome {
            kind: expected.unwrap_or(OutcomeKind::Booted),
            code: None,
            stage: Stage::Unknown,
            detail: String::new(),
        },
        probe: None,
        words: Vec::new(),
        reads: Vec::new(),
        start: Start::Cold,
        duration_ms: 0,
    }))
}
