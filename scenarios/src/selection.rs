//! Selects cells of a matrix.

use std::{collections::BTreeSet, fmt};

use harness::attachment::Attachment;
use serde::{Deserialize, Serialize};

use crate::{
    cell::Cell,
    filter::Filter,
    id::base_and_edit,
    matrix::Matrix,
    words::{Firmware, Master, Set, nearest},
};

/// A selection of cells. An empty field restricts nothing.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Sets of scenarios.
    pub sets: Vec<Set>,
    /// Parts of ids, or patterns; an id must match one.
    pub filters: Vec<Filter>,
    /// Firmware.
    pub firmware: Vec<Firmware>,
    /// Attachments.
    pub attach: Vec<Attachment>,
    /// Mastering tools; for edited discs, those that mastered them.
    pub master: Vec<Master>,
    /// Editors.
    pub editor: Vec<String>,
}

/// A part of the cells: slice `k` of `n`, counted from 1. The slices of one matrix are disjoint and together complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Partition {
    /// The slice, from 1.
    pub slice: usize,
    /// The number of slices.
    pub of: usize,
}

/// A selection without cells.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NothingSelected {
    /// A filter that matches no id.
    #[error("no cell matches {filter:?}{hint}")]
    Filter {
        /// The filter.
        filter: String,
        /// A suggestion, as a clause for the end of the message; empty if nothing is near.
        hint: String,
    },
    /// The restrictions together leave nothing, although each alone is valid.
    // Not every verb that selects has the options for all of these.
    #[error("the filters, sets, firmware, attachments and masters given leave no cell")]
    Together,
}

impl Selection {
    /// The selected cells, in the order of the matrix.
    ///
    /// # Errors
    /// A filter matches nothing, or all restrictions together leave nothing.
    pub fn apply(&self, matrix: &Matrix) -> Result<Vec<Cell>, NothingSelected> {
        let in_set = |cell: &Cell| self.sets.is_empty() || self.sets.contains(&cell.set);
        let candidates: Vec<Cell> = matrix.cells().filter(in_set).collect();
        for filter in &self.filters {
            if !candidates
                .iter()
                .any(|cell| filter.matches(cell.id.as_str()))
            {
                return Err(NothingSelected::Filter {
                    filter: filter.as_str().to_owned(),
                    hint: hint(filter, matrix, &candidates),
                });
            }
        }
        let selected: Vec<_> = candidates
            .into_iter()
            .filter(|cell| self.wants(cell))
            .collect();
        if selected.is_empty() {
            Err(NothingSelected::Together)
        } else {
            Ok(selected)
        }
    }

    fn wants(&self, cell: &Cell) -> bool {
        let id = cell.id.as_str();
        let disc = cell.id.disc();
        let (base, edit) = base_and_edit(disc.master());
        (self.filters.is_empty() || self.filters.iter().any(|filter| filter.matches(id)))
            && (self.firmware.is_empty() || self.firmware.contains(&cell.firmware))
            && (self.attach.is_empty() || self.attach.contains(&cell.attachment))
            && (self.master.is_empty()
                || self
                    .master
                    .iter()
                    .any(|master| [base, disc.master()].contains(&master.as_str())))
            && (self.editor.is_empty()
                || edit.is_some_and(|edit| self.editor.iter().any(|editor| editor == edit)))
    }
}

/// A suggestion for a filter that matches nothing.
fn hint(filter: &Filter, matrix: &Matrix, candidates: &[Cell]) -> String {
    let elsewhere: BTreeSet<Set> = matrix
        .cells()
        .filter(|cell| filter.matches(cell.id.as_str()))
        .map(|cell| cell.set)
        .collect();
    if let Some(set) = elsewhere.first() {
        return format!(" in the sets asked for; there are some in --set {set}");
    }
    let words: BTreeSet<String> = candidates
        .iter()
        .flat_map(|cell| {
            cell.id
                .as_str()
                .split('/')
                .map(ToOwned::to_owned)
                .collect::<Vec<_>>()
        })
        .collect();
    // Any part of the filter may be misspelt; the words nearest to that part help.
    let parts = filter
        .as_str()
        .split(['/', '*', '?'])
        .filter(|part| !part.is_empty());
    let unknown: Vec<&str> = parts
        .filter(|part| !words.iter().any(|word| word.contains(part)))
        .collect();
    let near: BTreeSet<&str> = unknown
        .iter()
        .flat_map(|part| nearest(part, words.iter().map(String::as_str)))
        .collect();
    if near.is_empty() {
        return unknown
            .first()
            .map_or_else(String::new, |part| format!("; no id has {part:?} in it"));
    }
    format!(
        "; did you mean {}?",
        near.into_iter().collect::<Vec<_>>().join(" or ")
    )
}

impl Partition {
    /// All of it, as one slice.
    pub const WHOLE: Self = Self { slice: 1, of: 1 };

    /// The part of the whole in this slice, for cells or for ids.
    #[must_use]
    pub fn of<T: Clone>(self, whole: &[T]) -> Vec<T> {
        self.slots(whole).cloned().collect()
    }

    /// The same, in place.
    pub fn slots<T>(self, whole: &[T]) -> impl Iterator<Item = &T> {
        // Each slice gets a share of every scenario, the long ones too.
        whole
            .iter()
            .skip(self.slice.saturating_sub(1))
            .step_by(self.of.max(1))
    }
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "slice:{}/{}", self.slice, self.of)
    }
}

impl std::str::FromStr for Partition {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        const SHAPE: &str = "use slice:<k>/<n> with 1 <= k <= n, such as slice:1/4";
        let wrong = || format!("{text:?} is not a partition: {SHAPE}");
        let (kind, rest) = text.split_once(':').ok_or_else(wrong)?;
        if ["hash", "count"].contains(&kind) {
            return Err(format!(
                "{kind}: is one of nextest's, which means other cells on a machine with other tests: {SHAPE}"
            ));
        }
        if kind != "slice" {
            return Err(wrong());
        }
        let (slice, of) = rest.split_once('/').ok_or_else(wrong)?;
        let partition = Self {
            slice: slice.parse().map_err(|_| wrong())?,
            of: of.parse().map_err(|_| wrong())?,
        };
        if partition.slice == 0 {
            Err(format!(
                "{text:?} is not a partition: slices are counted from 1; {SHAPE}"
            ))
        } else if partition.slice > partition.of {
            let of = partition.of;
            Err(format!(
                "{text:?} is not a partition: there is no slice {slice} of {of}; {SHAPE}"
            ))
        } else {
            Ok(partition)
        }
    }
}
