//! The names of the parts: of their commands, and of the files of their figures.

pub(crate) const HOSTILE: &str = "hostile";
pub(crate) const FAULTS: &str = "faults";
pub(crate) const FLAKES: &str = "flakes";
pub(crate) const KILLS: &str = "kills";
pub(crate) const GROWTH: &str = "growth";
pub(crate) const SHARDS: &str = "shards";
pub(crate) const FUZZ: &str = "fuzz";
pub(crate) const MUTANTS: &str = "mutants";
pub(crate) const DIFFERENTIAL: &str = "differential";
pub(crate) const DISCS: &str = "discs";
pub(crate) const HOSTS: &str = "hosts";
pub(crate) const SUITE: &str = "suite";
pub(crate) const SHIMS: &str = "shims";
pub(crate) const SUPPLY: &str = "supply";
