//! Masters the discs of a run: each once, before the cells that share it.

use std::{collections::BTreeMap, path::Path};

use scenarios::{
    cell::{Cell, DiscSource, Recipe},
    disc,
};

use crate::{parallel, signals::Signals, stop::Stop};

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
    let mastered = parallel::each(&recipes, signals, |recipe| {
        disc::master(recipe, folder).map(drop)
    });
    if signals.caught() {
        return Err(Stop::host(
            "interrupted while the discs were mastered",
            "the same again",
        )
        .into());
    }
    mastered.map_err(|error| {
        Stop::host(
            error,
            "free some space, or cargo xtask boot-matrix --out DIR",
        )
        .into()
    })
}
