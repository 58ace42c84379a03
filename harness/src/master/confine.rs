//! Where a foreign program may write.

use std::path::Path;

use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, PathBeneath, PathFd, Ruleset,
    RulesetAttr, RulesetCreatedAttr, RulesetError,
};

/// Lets this thread, and every process that it starts from now on, write only below some folders, and connect nowhere. It
/// may read and run everything.
///
/// Landlock can be asked for by any user and cannot be undone. A kernel that does not have it lets everything pass: what
/// is written elsewhere then goes unnoticed, and nothing else changes.
///
/// # Errors
/// The kernel has it and refuses the rules, or a folder is not there.
pub(super) fn confine_this_thread(writable: &[&Path]) -> Result<(), RulesetError> {
    let abi = ABI::V4;
    let writing = AccessFs::from_write(abi);
    let mut rules = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(writing)?
        .handle_access(AccessNet::from_all(abi))?
        .create()?;
    for folder in writable {
        if let Ok(folder) = PathFd::new(folder) {
            rules = rules.add_rule(PathBeneath::new(folder, writing))?;
        }
    }
    rules.restrict_self()?;
    Ok(())
}
