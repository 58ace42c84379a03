//! Variables: what is set, and what is known of it.

use std::{collections::BTreeMap, rc::Rc};

/// Variables and functions that are known at once.
pub(super) const VARIABLES: usize = 128;
/// Characters that a value is long at most; of a longer one nothing is known.
pub(super) const VALUE: usize = 4_096;

/// The variables that are set; `None` where the value is not known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Scope(BTreeMap<Rc<str>, Option<Rc<str>>>);

impl Scope {
    pub(super) fn set(&mut self, name: &str, value: Option<&str>) {
        let is_known = self.0.contains_key(name);
        if is_known || self.0.len() < VARIABLES {
            let value = value.filter(|value| value.len() <= VALUE);
            self.0.insert(name.into(), value.map(Rc::from));
        }
    }

    /// `None` where it is not set here.
    pub(super) fn get(&self, name: &str) -> Option<Option<&str>> {
        self.0.get(name).map(Option::as_deref)
    }

    /// What holds behind a condition of which any of these may have run.
    pub(super) fn merge(branches: Vec<Self>) -> Self {
        let mut branches = branches.into_iter();
        let Some(mut merged) = branches.next() else {
            return Self::default();
        };
        for other in branches {
            for (name, value) in &mut merged.0 {
                if other.0.get(name) != Some(value) {
                    *value = None;
                }
            }
            for name in other.0.into_keys() {
                merged.0.entry(name).or_insert(None);
            }
        }
        merged
    }
}

pub(super) fn is_name(text: &str) -> bool {
    let mut characters = text.chars();
    let first = characters.next();
    first.is_some_and(|it| it.is_ascii_alphabetic() || it == '_')
        && characters.all(|it| it.is_ascii_alphanumeric() || it == '_')
}
