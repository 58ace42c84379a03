//! Media that come late or go away while a machine is watched.

use super::{Trouble, Watch, trouble::unless_gone};
use crate::{machine::Machine, medium_profile::Medium};

impl Watch<'_> {
    /// Puts the medium in or takes it out, where it is time for that.
    pub(super) fn move_medium(&mut self, machine: &mut Machine) -> Result<(), Trouble> {
        if self.moves_at.is_some_and(|at| self.now >= at) {
            self.moves_at = None;
            self.make_moves(machine, true)?;
        }
        if self.goes && self.facts.entered {
            self.goes = false;
            self.make_moves(machine, false)?;
        }
        Ok(())
    }

    fn make_moves(&mut self, machine: &mut Machine, comes: bool) -> Result<(), Trouble> {
        for (command, arguments) in Medium::moves(self.case.platform.attachment, comes) {
            unless_gone(machine.command(command, &arguments))?;
        }
        Ok(())
    }
}
