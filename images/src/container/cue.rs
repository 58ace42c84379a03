//! Cue sheets: a text that names the file with the sectors.

use std::path::{Path, PathBuf};

use crate::inspect::{Source, Window};

/// The file that a cue sheet names, beside it; the `.bin` of the same name where it names none.
pub(super) fn file_with_sectors(source: &dyn Source, cue: &Path) -> PathBuf {
    let mut bytes = vec![0; 4_096];
    let size = Window::new(source).read(0, &mut bytes);
    bytes.truncate(size);
    let text = String::from_utf8_lossy(&bytes);
    let named = text.lines().find_map(|line| {
        let (word, rest) = line.trim().split_once(char::is_whitespace)?;
        if !word.eq_ignore_ascii_case("FILE") {
            return None;
        }
        let rest = rest.trim();
        match rest.strip_prefix('"') {
            Some(quoted) => quoted.split('"').next(),
            // The last word is the kind: BINARY.
            None => rest.rsplit_once(char::is_whitespace).map(|(name, _)| name),
        }
    });
    // The name alone: whoever made the sheet may have had it elsewhere.
    let name = named.and_then(|name| name.rsplit(['/', '\\']).next());
    name.map_or_else(
        || cue.with_extension("bin"),
        |name| cue.with_file_name(name.trim()),
    )
}
