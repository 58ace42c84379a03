use std::fs;

use crate::matrix::{Folder, Matrix};

/// A scenario with `rules`, and several values for each part of an id.
fn matrix(rules: &str) -> Result<Matrix, String> {
    let folder = tempfile::tempdir().unwrap();
    let scenario = format!(
        "[[scenario]]\nname = \"s\"\nsummary = \"a scenario\"\nmedia = [\"-\", \"cd-74\"]\n\
         boot = [\"none,count=4\", \"hard-disk\"]\nsize = [\"quarter\", \"4\"]\n\
         firmware = [\"seabios\", \"ovmf\"]\nattach = [\"ide\", \"ahci\"]\n\n\
         [[scenario.exclude]]\nwhen = {{ medium = \"-\", size = \"quarter\" }}\n\n{rules}"
    );
    fs::write(folder.path().join("s.toml"), scenario).unwrap();
    Matrix::read(&[Folder::own(folder.path())], &Default::default())
        .map_err(|error| error.to_string())
}

const BOOTED: &str =
    "[[scenario.expect]]\noutcome = \"booted\"\nbecause = \"the usual\"\n\n[[scenario.expect]]\n";

#[test]
fn a_rule_is_about_the_cells_that_it_names() {
    let check = |when: &str, means: &dyn Fn(&str) -> bool| {
        let rules = format!("{BOOTED}when = {{ {when} }}\noutcome = \"hung\"\nbecause = \"it\"\n");
        let matrix = matrix(&rules).unwrap();
        let mut meant = 0;
        for cell in matrix.cells() {
            let expectation = cell.expectation(None).unwrap();
            let hangs = expectation.outcome.to_string() == "hung";
            assert_eq!(hangs, means(cell.id.as_str()), "{when}: {}", cell.id);
            assert_eq!(expectation.because, if hangs { "it" } else { "the usual" });
            meant += usize::from(hangs);
        }
        assert!(meant > 0, "{when}");
    };
    check("medium = \"-\"", &|id| id.starts_with("s/-/"));
    check("boot = \"hard*\"", &|id| id.contains("/hard-disk/"));
    check("size = \"4\"", &|id| id.contains("/4/"));
    check("master = \"ref*\"", &|_| true);
    check("firmware = \"ovmf\"", &|id| id.contains("/ovmf/"));
    check("attach = [\"ahci\"]", &|id| id.ends_with("/ahci"));
    check("boot = \"none*\", attach = \"ide\"", &|id| {
        id.contains("/none,count=4/") && id.ends_with("/ide")
    });
    let cells = matrix(&format!(
        "{BOOTED}when = {{ size = \"4\" }}\noutcome = \"hung\"\nbecause = \"it\"\n"
    ));
    let excluded = |id: &str| id.starts_with("s/-/") && id.contains("/quarter/");
    assert!(
        !cells
            .unwrap()
            .cells()
            .any(|cell| excluded(cell.id.as_str()))
    );
}

#[test]
fn a_rule_gives_a_reason() {
    let error = matrix("[[scenario.expect]]\noutcome = \"booted\"\nbecause = \" \"\n").unwrap_err();
    assert!(
        error.contains("because is empty: say which section"),
        "{error}"
    );
    let cold = format!(
        "[[scenario.cold]]\nwhen = {{ attach = \"ide\" }}\nbecause = \"its clock\"\n\n{}",
        BOOTED.trim_end_matches("[[scenario.expect]]\n")
    );
    for cell in matrix(&cold).unwrap().cells() {
        let expect = (cell.id.attachment() == "ide").then_some("its clock");
        assert_eq!(cell.cold.as_deref(), expect, "{}", cell.id);
    }
}
