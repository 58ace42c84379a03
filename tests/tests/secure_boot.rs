//! What is predicted from signatures, beside what firmware, shim and GRUB did: each snapshot of the set `secure-boot` has both, and every cell that is booted compares with it.

use std::{fs, path::Path};

use scenarios::{cell::Cell, matrix::Matrix, words::Set};

/// The programs of a snapshot in the order in which they are started, with whether each is predicted to start.
fn predicted(snapshot: &str) -> Vec<(&str, bool)> {
    let lines = snapshot.lines().skip_while(|line| *line != "predicted:");
    let lines = lines.skip(1).take_while(|line| line.starts_with("  "));
    lines
        .filter_map(|line| {
            let starts = line.strip_suffix(" starts").map(|path| (path.trim(), true));
            starts.or_else(|| Some((line.strip_suffix(" is refused")?.trim(), false)))
        })
        .collect()
}

/// Whether what was predicted is what came.
fn agrees(snapshot: &str) -> bool {
    let word = |name: &str| snapshot.lines().find_map(|line| line.strip_prefix(name));
    let predicted = predicted(snapshot);
    let Some(((_, loader), others)) = predicted.split_first() else {
        return false;
    };
    match word("outcome: ") {
        Some("booted") => *loader && others.iter().all(|(_, starts)| *starts),
        Some("refused") => !loader,
        // shim or GRUB gave up.
        Some("handed-over") => *loader && others.iter().any(|(_, starts)| !starts),
        _ => false,
    }
}

#[test]
fn what_is_predicted_of_signatures_is_what_machines_do() {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let matrix = Matrix::shipped(workspace).unwrap();
    let cells = matrix.cells().filter(|cell| cell.set == Set::SecureBoot);
    let cells: Vec<Cell> = cells.collect();
    assert!(!cells.is_empty());
    let wrong: Vec<String> = cells
        .iter()
        .filter_map(|cell| {
            let snapshot = fs::read_to_string(&cell.snapshot).unwrap_or_default();
            (!agrees(&snapshot)).then(|| format!("{}:\n{snapshot}", cell.id))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_wrong_prediction_is_seen() {
    let snapshot = |outcome: &str, lines: &[&str]| {
        format!(
            "outcome: {outcome}\npredicted:\n  {}\nfindings:\n",
            lines.join("\n  ")
        )
    };
    let (starts, refused) = (
        "\\EFI\\BOOT\\BOOTX64.EFI starts",
        "\\EFI\\BOOT\\BOOTX64.EFI is refused",
    );
    assert!(agrees(&snapshot("booted", &[starts])));
    assert!(!agrees(&snapshot("booted", &[refused])));
    assert!(!agrees(&snapshot("booted", &[starts, refused])));
    assert!(agrees(&snapshot("refused", &[refused, refused])));
    assert!(!agrees(&snapshot("refused", &[starts])));
    assert!(agrees(&snapshot("handed-over", &[starts, starts, refused])));
    assert!(!agrees(&snapshot("handed-over", &[starts])));
    assert!(!agrees("outcome: booted\n"));
}
