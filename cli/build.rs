//! Packs what an installed program needs of the repository.

use std::{
    env, fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use flate2::{Compression, write::GzEncoder};
use sha2::{Digest, Sha256};

/// What is read when cells are run, as it lies in the repository.
const READ: [&str; 8] = [
    "conformance",
    "scenarios/data",
    "scenarios/dialogs",
    "scenarios/editors",
    "scenarios/gate",
    "scenarios/live",
    "scenarios/masters",
    "tests/snapshots",
];

/// Links to these folders, which `cargo package` follows.
const HERE: &str = "carried";

fn main() -> io::Result<()> {
    let mut archive = tar::Builder::new(Vec::new());
    // The same bytes wherever it is built.
    archive.mode(tar::HeaderMode::Deterministic);
    for folder in READ {
        let here = Path::new(HERE).join(folder);
        println!("cargo::rerun-if-changed={}", here.display());
        let mut files = Vec::new();
        collect(&here, &mut files)?;
        files.sort();
        for file in files {
            let inside = file.strip_prefix(HERE).unwrap_or(&file);
            archive.append_path_with_name(&file, inside)?;
        }
    }
    let archive = archive.into_inner()?;
    let digest: String = Sha256::digest(&archive)
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    let file = fs::File::create(out.join("carried.tar.gz"))?;
    let mut packed = GzEncoder::new(file, Compression::best());
    packed.write_all(&archive)?;
    packed.finish()?;
    println!("cargo::rustc-env=BOOT_MATRIX_CARRIED={digest}");
    Ok(())
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}
