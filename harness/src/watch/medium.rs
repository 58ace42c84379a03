//! Media that come late or go away while a machine is watched.

use std::time::Duration;

use super::{Trouble, Watch, trouble::unless_gone};
use crate::{case::Case, machine::Machine, medium_profile::MediumProfile};

/// When the medium comes, by the machine's clock; `None` where it is there from the start.
pub(super) fn comes_at(case: &Case) -> Option<Duration> {
    match case.platform.medium_profile {
        Some(MediumProfile::Late(seconds)) => Some(Duration::from_secs(seconds.into())),
        _ => None,
    }
}

/// Whether the medium goes.
pub(super) fn goes(case: &Case) -> bool {
    case.platform.medium_profile == Some(MediumProfile::Ejected)
}

impl Watch<'_> {
    /// Puts the medium in or takes it out, where it is time for that.
    pub(super) fn move_medium(&mut self, machine: &mut Machine) -> Result<(), Trouble> {
        if self.moves_at.is_some_and(|at| self.now >= at) {
            self.moves_at = None;
            unless_gone(machine.insert(self.case.platform.attachment))?;
        }
        if self.goes && self.facts.entered {
            self.goes = false;
            unless_gone(machine.remove(self.case.platform.attachment))?;
        }
        Ok(())
    }
}
