//! Media that come late or go away while a machine is watched.

use super::{Trouble, Watch, trouble::unless_gone};
use crate::machine::Machine;

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
