//! Figures for whoever wants them: `cargo xtask trust`.

use std::{fs, io::Write as _};

/// Names the file for them: a line of JSON for each thing that was tried, of columns and what stands in them. With it tests take their time, without it they are short.
const FILE: &str = "BOOT_MATRIX_FIGURES";

/// Whether somebody wants them.
pub(crate) fn wanted() -> bool {
    std::env::var_os(FILE).is_some()
}

/// Tells of one thing.
pub(crate) fn tell(columns: &[(&str, String)]) {
    let Some(file) = std::env::var_os(FILE) else {
        return;
    };
    let file = fs::OpenOptions::new().append(true).create(true).open(file);
    let line = format!("{}\n", serde_json::json!(columns));
    file.and_then(|mut file| file.write_all(line.as_bytes()))
        .expect("figures");
}
