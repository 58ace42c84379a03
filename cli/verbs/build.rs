//! What decides what a cell comes to is named by a digest of its source, so that results of another one are not taken for these.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};

/// Relative to this package. The command line itself decides nothing.
const SOURCES: [&str; 5] = [
    "../../images/src",
    "../../harness/src",
    "../../scenarios/src",
    "../../tests/src",
    "../../Cargo.lock",
];

fn main() -> io::Result<()> {
    let mut digest = Sha256::new();
    for source in SOURCES {
        println!("cargo::rerun-if-changed={source}");
        let mut files = Vec::new();
        collect(Path::new(source), &mut files)?;
        files.sort();
        for file in files {
            let content = fs::read(&file)?;
            digest.update(file.to_string_lossy().as_bytes());
            digest.update((content.len() as u64).to_le_bytes());
            digest.update(content);
        }
    }
    let digest: String = digest
        .finalize()
        .iter()
        .take(6)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let version = env::var("CARGO_PKG_VERSION").unwrap_or_default();
    println!("cargo::rustc-env=BOOT_MATRIX_PROGRAM={version} (sources {digest})");
    Ok(())
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    // A package from a registry stands alone: its version says what it was made of.
    if !path.exists() {
        return Ok(());
    }
    if !path.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    fs::read_dir(path)?.try_for_each(|entry| collect(&entry?.path(), files))
}
