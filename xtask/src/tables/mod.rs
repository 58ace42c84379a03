//! Tables in Markdown files that are made from the code, the scenarios and the accepted snapshots, and never typed.
//!
//! Each stands between `<!-- generated: NAME -->` and `<!-- end -->`. Nothing is booted to make it.

mod accepted;
mod behaviors;
mod conformance;
mod defects;
mod families;
mod firmware;
mod guests;
pub(crate) mod markdown;
mod masters;
mod recipes;

use std::{
    fs,
    path::{Path, PathBuf},
};

use scenarios::{files, matrix::Matrix};

use crate::trust::{kept, part};

/// What is typed to make them anew.
const COMMAND: &str = "cargo xtask check --update-docs";

/// What stands between a file's markers, by the folder of the workspace and the scenarios, or why it cannot be made.
type Body = fn(&Path, &Matrix) -> Result<String, String>;

/// Every table: the file in which it stands, its name, and what makes it.
const TABLES: &[(&str, &str, Body)] = &[
    ("docs/mastering.md", "masters", masters::table),
    ("docs/conformance.md", "conformance", conformance::table),
    ("docs/findings.md", "defects", defects::table),
    ("docs/findings.md", "calls", recipes::calls),
    ("docs/findings.md", "findings", defects::pages),
    ("docs/firmware.md", "behaviors", behaviors::table),
    ("docs/firmware.md", "firmware", firmware::table),
    ("docs/guests.md", "programs", guests::table),
    ("docs/trust.md", "hostile", |folder, _| {
        kept::table(folder, part::HOSTILE)
    }),
    ("docs/trust.md", "faults", |folder, _| {
        kept::table(folder, part::FAULTS)
    }),
    ("docs/trust.md", "discs", |folder, _| {
        kept::table(folder, part::DISCS)
    }),
    ("docs/trust.md", "flakes", |folder, _| {
        kept::table(folder, part::FLAKES)
    }),
    ("docs/trust.md", "kills", |folder, _| {
        kept::table(folder, part::KILLS)
    }),
    ("docs/trust.md", "shards", |folder, _| {
        kept::table(folder, part::SHARDS)
    }),
    ("docs/trust.md", "growth", |folder, _| {
        kept::table(folder, part::GROWTH)
    }),
    ("docs/trust.md", "fuzz", |folder, _| {
        kept::table(folder, part::FUZZ)
    }),
    ("docs/trust.md", "mutants", |folder, _| {
        kept::table(folder, part::MUTANTS)
    }),
    ("docs/trust.md", "differential", |folder, _| {
        kept::table(folder, part::DIFFERENTIAL)
    }),
    ("docs/trust.md", "hosts", |folder, _| {
        kept::table(folder, part::HOSTS)
    }),
    ("docs/secure-boot.md", "shims", |folder, _| {
        kept::table(folder, part::SHIMS)
    }),
    ("docs/trust.md", "supply", |folder, _| {
        kept::table(folder, part::SUPPLY)
    }),
    ("scenarios/README.md", "families", families::table),
];

/// A file with tables in it, as it is and as it should be.
struct Document {
    path: PathBuf,
    kept: String,
    made: String,
}

/// Every file with tables in it, below a folder.
fn documents(folder: &Path, matrix: &Matrix) -> Result<Vec<Document>, String> {
    let mut documents: Vec<Document> = Vec::new();
    for &(file, name, body) in TABLES {
        let path = folder.join(file);
        let at = match documents.iter().position(|document| document.path == path) {
            Some(at) => at,
            None => {
                let kept = fs::read_to_string(&path)
                    .map_err(|error| format!("cannot read {}: {error}", path.display()))?;
                documents.push(Document {
                    path,
                    made: kept.clone(),
                    kept,
                });
                documents.len() - 1
            }
        };
        let made = between_markers(&documents[at].made, name, &body(folder, matrix)?);
        documents[at].made = made.map_err(|what| format!("{file}: {what}"))?;
    }
    Ok(documents)
}

/// A text with something else between the markers of this name.
fn between_markers(text: &str, name: &str, body: &str) -> Result<String, String> {
    const END: &str = "<!-- end -->";
    let begin = format!("<!-- generated: {name} -->\n");
    let Some((before, rest)) = text.split_once(&begin) else {
        return Err(format!("there is no line {}", begin.trim_end()));
    };
    let Some((_, after)) = rest.split_once(END) else {
        return Err(format!("no {END} follows {}", begin.trim_end()));
    };
    Ok(format!("{before}{begin}\n{}\n\n{END}{after}", body.trim()))
}

/// Says which files are not what the code makes.
pub(crate) fn check(folder: &Path, matrix: &Matrix) -> Result<(), String> {
    let differing: Vec<String> = documents(folder, matrix)?
        .iter()
        .filter_map(|document| {
            let mut lines = document.kept.lines().zip(document.made.lines());
            let number = match lines.position(|(kept, made)| kept != made) {
                Some(index) => index + 1,
                None if document.kept == document.made => return None,
                None => {
                    document
                        .kept
                        .lines()
                        .count()
                        .min(document.made.lines().count())
                        + 1
                }
            };
            let path = document.path.display();
            Some(format!(
                "{path}:{number} is not what the scenarios, the snapshots and the data beside it make: {COMMAND}"
            ))
        })
        .collect();
    if differing.is_empty() {
        Ok(())
    } else {
        Err(differing.join("\n"))
    }
}

/// Writes them anew.
pub(crate) fn update(folder: &Path, matrix: &Matrix) -> Result<(), String> {
    for document in documents(folder, matrix)? {
        if document.kept != document.made {
            files::write(&document.path, document.made.as_bytes())
                .map_err(|error| error.to_string())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use images::finding::FindingId;
    use scenarios::{
        master::{self, Masters},
        matrix::Folder,
    };
    use tempfile::TempDir;

    use super::*;
    use crate::repository::workspace;

    #[test]
    fn what_is_kept_is_what_is_made() {
        let matrix = Matrix::shipped(workspace()).unwrap();
        assert_eq!(check(workspace(), &matrix), Ok(()));
    }

    #[test]
    fn a_text_without_markers_is_refused() {
        let made = |text| between_markers(text, "x", "body");
        assert!(made("nothing").unwrap_err().contains("generated: x"));
        assert!(made("<!-- generated: x -->\n").unwrap_err().contains("end"));
        let whole = "a\n<!-- generated: x -->\nold\n<!-- end -->\nb";
        let expected = "a\n<!-- generated: x -->\n\nbody\n\n<!-- end -->\nb";
        assert_eq!(made(whole).as_deref(), Ok(expected));
        assert_eq!(made(expected).as_deref(), Ok(expected));
    }

    /// The documents and what they are made from, elsewhere, to be changed.
    struct Copy {
        folder: TempDir,
    }

    impl Copy {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let copy = Self { folder };
            for &(file, _, _) in TABLES {
                copy_file(file, copy.folder.path());
            }
            copy_file("docs/firmware.json", copy.folder.path());
            copy_file("conformance/kit.toml", copy.folder.path());
            for kept in ["docs/trust", "conformance/results"] {
                for figures in fs::read_dir(workspace().join(kept)).unwrap() {
                    let file = figures.unwrap().path();
                    let file = file.strip_prefix(workspace()).unwrap();
                    copy_file(file.to_str().unwrap(), copy.folder.path());
                }
            }
            let shipped = Folder::shipped(workspace());
            for file in shipped.files().unwrap() {
                let file = file.strip_prefix(workspace()).unwrap();
                copy_file(file.to_str().unwrap(), copy.folder.path());
            }
            for beside in ["scenarios/dialogs", "scenarios/live"] {
                for file in fs::read_dir(workspace().join(beside)).unwrap() {
                    let file = file.unwrap().path();
                    let file = file.strip_prefix(workspace()).unwrap();
                    copy_file(file.to_str().unwrap(), copy.folder.path());
                }
            }
            for cell in Matrix::shipped(workspace()).unwrap().cells() {
                let path = cell.snapshot.strip_prefix(&shipped.snapshots).unwrap();
                if ["default", "masters", "defects", "firmware"].contains(&cell.set.as_str()) {
                    let path = format!("tests/snapshots/{}", path.display());
                    copy_file(&path, copy.folder.path());
                }
            }
            copy
        }

        fn check(&self) -> Result<(), String> {
            let masters = master::files(&Folder::shipped_masters(workspace())).unwrap();
            let masters = Masters::read(&masters).unwrap();
            let folder = Folder::shipped(self.folder.path());
            let matrix = Matrix::read(&[folder], &Arc::new(masters)).unwrap();
            check(self.folder.path(), &matrix)
        }

        /// What is said after one text in one file was replaced by another; then it is put back.
        fn after(&self, file: &str, from: &str, to: &str) -> String {
            let path = self.folder.path().join(file);
            let text = fs::read_to_string(&path).unwrap();
            assert!(text.contains(from), "{file}: {from}");
            fs::write(&path, text.replacen(from, to, 1)).unwrap();
            let said = self.check().unwrap_err();
            fs::write(&path, text).unwrap();
            said
        }
    }

    fn copy_file(file: &str, to: &Path) {
        let target = to.join(file);
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::write(target, fs::read(workspace().join(file)).unwrap()).unwrap();
    }

    #[test]
    fn a_change_to_what_they_are_made_from_is_noticed() {
        let copy = Copy::new();
        assert_eq!(copy.check(), Ok(()));
        let genisoimage = "tests/snapshots/masters-16-bit/-/efi/65540s/genisoimage/ovmf/ahci.snap";
        let said = copy.after(genisoimage, "code: Not Found", "code: Access Denied");
        assert!(
            said.contains("mastering.md:") && said.contains(COMMAND),
            "{said}"
        );
        assert!(!said.contains("findings.md"), "{said}");
        let platform = "tests/snapshots/defects-catalog/-/bios+efi,defect=catalog-platform/-/reference/seabios/ahci.snap";
        let said = copy.after(platform, "code: 0009", "code: 000a");
        assert!(said.contains("docs/findings.md:"), "{said}");
        assert!(!said.contains("mastering.md"), "{said}");
        let agreeing = "tests/snapshots/masters-load/-/none,count=4/-/bsdtar/seabios/ide.snap";
        let said = copy.after(agreeing, "outcome: booted", "outcome: hung");
        assert!(said.contains("mastering.md:"), "{said}");
        // What was seen on another build, and a cell that is no more.
        let said = copy.after(
            "docs/firmware.json",
            "\"outcome\": \"",
            "\"outcome\": \"not ",
        );
        assert!(said.contains("docs/firmware.md:"), "{said}");
        let said = copy.after("docs/firmware.json", "\"cell\": \"", "\"cell\": \"no-");
        assert!(
            said.contains("no scenario has the cell no-") && said.contains("--firmware-grid"),
            "{said}"
        );
        // A cell less.
        let said = copy.after("scenarios/data/masters.toml", "\"none,count=64\", ", "");
        assert!(said.contains("mastering.md:"), "{said}");
        // What a tool comes to by the conformance kit.
        let kept = "conformance/results/genisoimage.json";
        let said = copy.after(kept, "\"result\": \"pass\"", "\"result\": \"refused\"");
        assert!(said.contains("docs/conformance.md:"), "{said}");
        // A word typed between the markers, and one that is not between them.
        let said = copy.after("docs/findings.md", "| boots |", "| starts |");
        assert!(said.contains("docs/findings.md:"), "{said}");
        let said = copy.after(genisoimage, "outcome: refused", "nothing: refused");
        assert!(
            said.contains("genisoimage") && said.contains("outcome"),
            "{said}"
        );
        assert_eq!(copy.check(), Ok(()));
    }

    #[test]
    fn every_finding_has_a_row_and_a_page() {
        let matrix = Matrix::shipped(workspace()).unwrap();
        let (table, pages) = (
            defects::table(workspace(), &matrix).unwrap(),
            defects::pages(workspace(), &matrix).unwrap(),
        );
        for id in FindingId::ALL {
            let row = table
                .lines()
                .find(|line| line.starts_with(&format!("| [`{id}`](#{id}) |")));
            let cells: Vec<&str> = row.unwrap().split(" | ").collect();
            assert_eq!(cells.len(), 5, "{row:?}");
            assert!(cells[2].starts_with("yes"), "{row:?}");
            assert!(
                cells
                    .iter()
                    .all(|cell| !cell.trim_matches(['|', ' ']).is_empty()),
                "{row:?}"
            );
            assert!(pages.contains(&format!("### {id}\n")), "{id}");
        }
    }
}
