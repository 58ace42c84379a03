//! The snapshots that are kept, against the cells that there are.

use std::{fs, path::Path};

use scenarios::{
    matrix::{Folder, Matrix},
    snapshots::unreferenced,
};

#[test]
fn every_snapshot_belongs_to_a_cell() {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let folder = Folder::shipped(workspace);
    let matrix = Matrix::shipped(workspace).unwrap();
    assert_eq!(
        unreferenced(&matrix, &folder).unwrap(),
        Vec::<std::path::PathBuf>::new()
    );
}

#[test]
fn one_that_belongs_to_none_is_found() {
    let scratch = tempfile::tempdir().unwrap();
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let folder = Folder {
        snapshots: scratch.path().to_owned(),
        ..Folder::shipped(workspace)
    };
    let masters = Matrix::shipped(workspace).unwrap().masters;
    let matrix = Matrix::read(std::slice::from_ref(&folder), &masters).unwrap();
    let kept = matrix.cells().next().unwrap().snapshot;
    let stray = scratch
        .path()
        .join("no-scenario/-/none/-/reference/seabios/ide.snap");
    for file in [&kept, &stray] {
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, "").unwrap();
    }
    assert_eq!(unreferenced(&matrix, &folder).unwrap(), [stray]);
}
