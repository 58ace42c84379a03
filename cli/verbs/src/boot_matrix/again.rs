//! The command that runs cells again.

use std::path::Path;

use scenarios::program::typed;

use crate::place::{cache, shown};

/// The command that runs one cell again, or all that failed, with an option that takes what is seen.
pub(super) fn again(out: &Path, id: Option<&str>, accept: Option<&str>) -> String {
    let mut words: Vec<&str> = Vec::new();
    words.extend(id);
    words.extend(["--rerun", "failed"]);
    words.extend(accept);
    let folder = shown(out);
    let folder = folder.to_string_lossy();
    if cache()
        .ok()
        .is_none_or(|cache| out != cache.join("boot-matrix"))
    {
        words.extend(["--out", &folder]);
    }
    let quoted = words.iter().map(|word| shell_words::quote(word));
    let words = quoted.collect::<Vec<_>>().join(" ");
    typed(&format!("cargo xtask boot-matrix {words}"))
}
