//! Where a foreign program may write.

use std::path::Path;

use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, PathBeneath, PathFd, Ruleset,
    RulesetAttr, RulesetCreated, RulesetCreatedAttr, RulesetError,
};

/// Rules that let a program, and all that it starts, write only below some folders and to some files, and connect nowhere. It may read and run
/// everything. They hold once [`RulesetCreated::restrict_self`] is called.
///
/// Landlock can be asked for by any user and cannot be undone. A kernel that does not have it lets everything pass: what
/// is written elsewhere then goes unnoticed, and nothing else changes.
///
/// # Errors
/// The kernel has it and refuses the rules.
pub(crate) fn rules(writable: &[&Path]) -> Result<RulesetCreated, RulesetError> {
    let abi = ABI::V4;
    let writing = AccessFs::from_write(abi);
    let mut rules = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(writing)?
        .handle_access(AccessNet::from_all(abi))?
        .create()?;
    for path in writable {
        let allowed = if path.is_dir() {
            writing
        } else {
            writing & AccessFs::from_file(abi)
        };
        if let Ok(path) = PathFd::new(path) {
            rules = rules.add_rule(PathBeneath::new(path, allowed))?;
        }
    }
    Ok(rules)
}
