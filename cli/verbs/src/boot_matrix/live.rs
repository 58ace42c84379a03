//! Fetches the packages that live discs are made from before the cells that boot them.

use std::collections::BTreeSet;

use harness::live::Stock;
use scenarios::cell::{Cell, DiscSource};

use crate::{place, stop::Stop};

/// Fetches what the discs of these cells are made from. What cannot be had is told, and the cells that need it are skipped.
///
/// # Errors
/// There is no place for them.
pub(super) fn fetch(cells: &[Cell]) -> Result<(), Stop> {
    let live = cells.iter().filter_map(|cell| match cell.disc.before() {
        DiscSource::Live(live) => Some(live),
        _ => None,
    });
    let names: BTreeSet<&str> = live.flat_map(|live| live.layout.all_packages()).collect();
    let stock = stock()?;
    if !names.iter().any(|name| stock.package(name).is_err()) {
        return Ok(());
    }
    remark!("fetching the packages that live discs are made from; nothing is installed");
    if let Err(error) = stock.fetch(names, |line| remark!("  {line}")) {
        remark!("note: {error}");
    }
    Ok(())
}

fn stock() -> Result<Stock, Stop> {
    Ok(Stock::in_folder(place::live()?))
}
