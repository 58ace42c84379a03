//! The places where a third-party program may write.

use std::path::Path;

use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, PathBeneath, PathFd, Ruleset,
    RulesetAttr, RulesetCreated, RulesetCreatedAttr, RulesetError,
};

/// The version of Landlock with all the needed rules: Linux 6.7.
const NEWEST: ABI = ABI::V4;

/// Rules that let a program, and all that it starts, write only below some folders and to some files, and connect nowhere. It may read and run
/// everything. They hold once [`RulesetCreated::restrict_self`] is called.
///
/// Any user can set Landlock rules, and they cannot be undone. A kernel without Landlock allows everything: writes to other
/// places are then not noticed, and nothing else changes.
///
/// # Errors
/// The kernel has it, but refuses the rules.
pub(crate) fn rules(writable: &[&Path]) -> Result<RulesetCreated, RulesetError> {
    let writing = AccessFs::from_write(NEWEST);
    let mut rules = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(writing)?
        .handle_access(AccessNet::from_all(NEWEST))?
        .create()?;
    for path in writable {
        let allowed = if path.is_dir() {
            writing
        } else {
            writing & AccessFs::from_file(NEWEST)
        };
        if let Ok(path) = PathFd::new(path) {
            rules = rules.add_rule(PathBeneath::new(path, allowed))?;
        }
    }
    Ok(rules)
}

/// The rules that this kernel enforces: where programs write, and that they connect nowhere.
pub(crate) fn kernel_holds() -> (bool, bool) {
    let strict = || Ruleset::default().set_compatibility(CompatLevel::HardRequirement);
    let writing = strict()
        .handle_access(AccessFs::from_write(ABI::V1))
        .and_then(Ruleset::create);
    let connecting = strict()
        .handle_access(AccessNet::from_all(NEWEST))
        .and_then(Ruleset::create);
    (writing.is_ok(), connecting.is_ok())
}
