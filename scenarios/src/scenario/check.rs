//! Whether every rule of a scenario has a cell, and every cell an expectation.

use std::collections::BTreeSet;

use super::Scenario;
use crate::{
    cell::Cell, filter::glob, id::DiscId, read_error::ScenarioError, rule::When,
    words::unknown_word,
};

/// Every disc and cell of a scenario: each rule is compared with all of them.
struct Extent {
    discs: Vec<DiscId>,
    cells: Vec<Cell>,
}

impl Scenario {
    /// Every cell must have an expectation, and every rule a cell.
    ///
    /// # Errors
    /// A rule that matches nothing, or a cell that no rule without `since` matches.
    pub fn check(&self) -> Result<(), ScenarioError> {
        let wrong = |message| ScenarioError {
            at: self.declared.clone(),
            message,
        };
        let all = self.extent();
        if all.cells.is_empty() {
            return Err(wrong(format!(
                "{} has no cells: everything is excluded",
                self.name
            )));
        }
        if !self.excludes.is_empty() {
            let mut whole = self.clone();
            whole.excludes.clear();
            let whole = whole.extent();
            for when in &self.excludes {
                self.check_rule(when, &whole)?;
            }
        }
        let others = self.colds.iter().map(|(when, _)| when);
        for when in others.chain(self.expects.iter().map(|(when, _)| when)) {
            self.check_rule(when, &all)?;
        }
        let mut cells = all.cells.iter();
        match cells.find(|cell| cell.expectation(None).is_none()) {
            Some(cell) if !self.observe => Err(wrong(format!(
                "nothing is expected of {}: add a [[scenario.expect]] that matches it",
                cell.id
            ))),
            _ => Ok(()),
        }
    }

    fn check_rule(&self, when: &When, all: &Extent) -> Result<(), ScenarioError> {
        for part in &when.parts {
            let known = self.axis(part.axis, &all.discs);
            for pattern in part.patterns.as_slice() {
                if !known.iter().any(|word| glob(pattern, word)) {
                    let words = known.iter().map(String::as_str);
                    return Err(ScenarioError {
                        at: part.at.clone(),
                        message: format!(
                            "in scenario {}, {}",
                            self.name,
                            unknown_word(part.axis, pattern, words)
                        ),
                    });
                }
            }
        }
        if all.cells.iter().any(|cell| when.matches(&cell.id)) {
            Ok(())
        } else {
            Err(ScenarioError {
                at: when.at.clone(),
                message: format!("this rule of {} matches no cell", self.name),
            })
        }
    }

    fn extent(&self) -> Extent {
        Extent {
            discs: self.discs().into_iter().map(|(id, _)| id).collect(),
            cells: self.cells().collect(),
        }
    }

    /// The words of an axis, as in ids.
    fn axis(&self, name: &str, discs: &[DiscId]) -> BTreeSet<String> {
        let of_discs = |part: fn(&DiscId) -> &str| {
            let parts = discs.iter().map(part);
            parts.map(str::to_owned).collect()
        };
        match name {
            "medium" => of_discs(DiscId::medium),
            "boot" => of_discs(DiscId::boot),
            "size" => of_discs(DiscId::size),
            "master" => of_discs(DiscId::master),
            "firmware" => self.firmware.iter().map(ToString::to_string).collect(),
            _ => self.attach.iter().map(ToString::to_string).collect(),
        }
    }
}
