//! Masters the discs of a run: each once, before the cells that share it.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use scenarios::{
    cell::{Cell, DiscSource, Recipe},
    disc,
    files::FileError,
};

use crate::{signals::Signals, stop::Stop};

/// Masters every disc that the cells need.
pub(super) fn master(cells: &[Cell], folder: &Path, signals: &Signals) -> anyhow::Result<()> {
    let recipes: BTreeMap<&str, &Recipe> = cells
        .iter()
        .filter_map(|cell| match &cell.disc {
            DiscSource::Mastered(recipe) => Some((recipe.id.as_str(), recipe)),
            DiscSource::Iso { .. } => None,
        })
        .collect();
    let recipes: Vec<&Recipe> = recipes.into_values().collect();
    let next = AtomicUsize::new(0);
    let failure: Mutex<Option<FileError>> = Mutex::new(None);
    let fail = |error| {
        // A poisoned lock holds what it held.
        *failure
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner) = Some(error);
        next.store(recipes.len(), Ordering::Relaxed);
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, Into::into) {
            scope.spawn(|| {
                while !signals.caught()
                    && let Some(recipe) = recipes.get(next.fetch_add(1, Ordering::Relaxed))
                {
                    if let Err(error) = disc::master(recipe, folder) {
                        fail(error);
                    }
                }
            });
        }
    });
    if signals.caught() {
        return Err(Stop::host(
            "interrupted while the discs were mastered",
            "the same again",
        )
        .into());
    }
    match failure
        .into_inner()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
    {
        Some(error) => Err(Stop::host(
            error,
            "free some space, or cargo xtask boot-matrix --out DIR",
        )
        .into()),
        None => Ok(()),
    }
}
