//! Files of mastering tools that are wrong, and what is said of them.

#![expect(
    clippy::unwrap_used,
    reason = "the helpers of a test fail as the test does"
)]

extern crate boot_matrix_scenarios as scenarios;

use std::{fs, sync::Arc};

use scenarios::{
    cell::Cell,
    master::{MasterSource, Masters},
    matrix::{Folder, Matrix},
    words::Master,
};

const SOUND: &str = r#"name = "my-tool"
summary = "a tool"

[[command]]
modes = "none"
command = "my-tool -o {iso} {count} {tree}"

[[command]]
modes = ["floppy-*k", "hard-disk"]
command = "my-tool --emulate {mode} -o {iso} {tree}"

[deviations]
count = "--sectors {load_sectors}"

[[limit]]
when = { boot = "floppy-1200k" }
message = "too old"
because = "a test"
"#;

fn read(text: &str) -> Result<Masters, String> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("t.toml");
    fs::write(&file, text).unwrap();
    let own = folder.path().display().to_string();
    Masters::read(&[MasterSource::File(file)]).map_err(|error| error.to_string().replace(&own, "."))
}

fn check(replace: &str, by: &str, expected: &str) {
    assert_eq!(SOUND.matches(replace).count(), 1, "{replace:?}");
    let error = read(&SOUND.replace(replace, by)).err().unwrap();
    assert!(error.starts_with(expected), "{error}");
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    check(
        "-o {iso} {count} {tree}",
        "-o {iso} {cuont} {tree}",
        "./t.toml:6:29: {cuont} is not a placeholder: use {iso} {tree} {boot_image} {efi_image}",
    );
    check(
        "--sectors {load_sectors}",
        "--sectors {load_sector}",
        "./t.toml:13:20: {load_sector} is not a placeholder",
    );
    check(
        "{iso} {count} {tree}\"",
        "'{iso} {count} {tree}\"",
        "./t.toml:6:11: \"my-tool -o '{iso} {count} {tree}\" cannot be split into words",
    );
    check(
        "\"hard-disk\"",
        "\"hard-dsk\"",
        "./t.toml:9:9: no mode is \"hard-dsk\"; did you mean hard-disk",
    );
    check(
        "summary = \"a tool\"",
        "sumary = \"a tool\"",
        "./t.toml:2:1: sumary: no key is called \"sumary\"; did you mean summary?",
    );
    check(
        "message = \"too old\"",
        "message = \"too (old\"",
        "./t.toml:17:11: no regular expression",
    );
    check(
        "name = \"my-tool\"",
        "name = \"reference\"",
        "./t.toml:1:8: a master is called reference already: comes with boot-matrix",
    );
    check(
        "command = \"my-tool -o {iso} {count} {tree}\"",
        "command = \"{iso}\"",
        "./t.toml:6:11: a command begins with a program: a name, a path, or {here}/ or {installed}/ and a name",
    );
    check(
        "my-tool -o {iso} {count} {tree}",
        "my-tool {count} {tree}",
        "./t.toml:6:11: the command does not contain {iso}, the file to write",
    );
    let install = |command: &str| {
        format!(
            "summary = \"a tool\"\ninstall = \"{command}\"\nversion = {{ arguments = [], pattern = '(.*)' }}"
        )
    };
    check(
        "summary = \"a tool\"",
        "summary = \"a tool\"\ninstall = \"pip install --target {installed}\"",
        "./t.toml:3:11: a tool with install must have version",
    );
    for (command, expected) in [
        (
            "pip install my-tool",
            "./t.toml:3:11: the command does not contain {installed}, the folder to fill",
        ),
        (
            "pip install --target {installed} {tree}",
            "./t.toml:3:11: {tree} is known only when a disc is mastered",
        ),
    ] {
        check("summary = \"a tool\"", &install(command), expected);
    }
    check(
        "summary = \"a tool\"",
        &(install("pip install --target {installed}") + "\npackage = \"my-package\""),
        "./t.toml:3:11: use either package or install, not both",
    );
    check(
        "count = \"--sectors",
        "fat = \"--sectors",
        "./t.toml:13:1: deviations: no word is called \"fat\": use one of count, segment, platform, boot-info",
    );
}

#[test]
fn a_tool_is_cells_of_what_it_has_words_for() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join("s.toml"),
        r#"[[scenario]]
name = "s"
set = "masters"
summary = "a scenario"
boot = ["none,count=4", "none,count=4,segment=1000", "floppy-1200k", "hard-disk,cylinders=3", "efi"]
firmware = ["seabios"]
attach = ["ide"]

[[scenario.expect]]
outcome = "booted"
because = "a test"
"#,
    )
    .unwrap();
    let tools = folder.path().join("masters");
    fs::create_dir(&tools).unwrap();
    fs::write(tools.join("t.toml"), SOUND).unwrap();
    let own = Folder::own(folder.path());
    let masters = Masters::read(&scenarios::master::files(&own.masters()).unwrap()).unwrap();
    let matrix = Matrix::read(&[own], &Arc::new(masters)).unwrap();
    let of_tool = |cell: &Cell| cell.id.disc().master() == "my-tool";
    let cells: Vec<Cell> = matrix.cells().filter(of_tool).collect();
    let boots: Vec<String> = cells
        .iter()
        .map(|cell| cell.id.disc().boot().to_owned())
        .collect();
    // Geometry is within the boot image, and no business of a tool's.
    assert_eq!(
        boots,
        ["none,count=4", "floppy-1200k", "hard-disk,cylinders=3"]
    );
    let outcome = |cell: &Cell| cell.expectation(None).unwrap().outcome.to_string();
    assert_eq!(outcome(&cells[0]), "booted");
    assert_eq!(outcome(&cells[1]), "not-mastered", "its own file says so");
    assert_eq!(matrix.cells().count(), 5 + 3);
}

#[test]
fn a_command_masters_what_its_placeholders_name() {
    let can = |command: &str, boot: &str| {
        let source = MasterSource::Command {
            name: "command".to_owned(),
            command: command.to_owned(),
        };
        let masters = Masters::read(&[source]).unwrap();
        masters.can(&Master::new("command"), &boot.parse().unwrap())
    };
    let plain = "tool -o {iso} -b {boot_image} {tree}";
    assert!(can(plain, "none"));
    assert!(!can(plain, "none,count=4") && !can(plain, "hard-disk") && !can(plain, "bios+efi"));
    assert!(can("tool {boot_file} {load_sectors} {iso}", "none,count=4"));
    assert!(can("tool {efi_image} {iso}", "efi"));
    assert!(can("tool {boot_image} {efi_image} {iso}", "bios+efi"));
    let all = "tool {mode} {boot_image} {efi_image} {iso}";
    assert!(can(all, "hard-disk+efi") && can(all, "floppy-1440k") && can(all, "efi"));
    for (command, expected) in [
        ("tool {is}", "--master-cmd: {is} is not a placeholder"),
        (
            "tool {boot_image}",
            "--master-cmd: the command does not contain {iso}, the file to write",
        ),
        (
            "tool {iso} {tree}",
            "--master-cmd: the command is given no boot image: it needs {boot_image}",
        ),
    ] {
        let source = MasterSource::Command {
            name: "command".to_owned(),
            command: command.to_owned(),
        };
        let error = Masters::read(&[source]).err().unwrap().to_string();
        assert!(error.starts_with(expected), "{error}");
    }
}

#[test]
fn an_unknown_master_is_answered_with_the_nearest() {
    let masters = read(SOUND).unwrap();
    assert_eq!(
        masters.check("my-tol").unwrap_err(),
        "no master is called \"my-tol\"; did you mean my-tool?"
    );
}

const EDITOR: &str = r#"name = "my-editor"
summary = "an editor"
command = "my-editor {in} {out}"
modes = ["none", "bios+efi"]
"#;

#[test]
fn what_is_wrong_with_an_editor_is_told_with_its_place() {
    let check = |replace: &str, by: &str, expected: &str| {
        assert_eq!(EDITOR.matches(replace).count(), 1, "{replace:?}");
        let text = EDITOR.replace(replace, by);
        let error = Masters::parse_editor(std::path::Path::new("e.toml"), &text);
        let error = error.err().unwrap().to_string();
        assert!(error.starts_with(expected), "{error}");
    };
    check(
        "{in} {out}",
        "{in} disc.iso",
        "e.toml:3:11: the command does not contain {out}, the edited disc",
    );
    check(
        "{in} {out}",
        "{out}",
        "e.toml:3:11: the command does not contain {in}, the disc to edit; with in-place = true, {out} is a copy of it",
    );
    check(
        "{in} {out}",
        "{in} {out} {tree}",
        "e.toml:3:11: {tree} is for a master's file; an editor has {in}, {out} and {here}",
    );
    check(
        "my-editor\"\nsummary",
        "my+editor\"\nsummary",
        "e.toml:1:8: \"my+editor\" cannot be an editor's name: + joins a master and an editor",
    );
    check(
        "modes",
        "mode",
        "e.toml:4:1: mode: no key is called \"mode\"",
    );
    check("\"none\"", "\"nnoe\"", "e.toml:4:9: no mode is \"nnoe\"");
}

#[test]
fn a_masters_file_has_no_placeholder_of_an_editor() {
    let text = SOUND.replace("my-tool -o {iso} {count} {tree}", "my-tool {in} -o {iso}");
    let error = read(&text).err().unwrap();
    let expected = "./t.toml:6:11: {in} is for an editor's file; a master writes {iso} from {tree}";
    assert!(error.starts_with(expected), "{error}");
}

#[test]
fn an_editor_is_cells_of_the_discs_that_it_is_for() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
    };
    file(
        "s.toml",
        r#"[[scenario]]
name = "s"
set = "editors"
summary = "a scenario"
boot = ["none", "hard-disk"]
firmware = ["seabios"]
attach = ["ide"]

[[scenario.expect]]
outcome = "booted"
because = "a test"
"#,
    );
    file("editors/e.toml", EDITOR);
    let own = Folder::own(folder.path());
    let masters = Masters::read(&scenarios::master::files(&own.masters()).unwrap()).unwrap();
    let masters = Arc::new(masters);
    let ids = |folder: Folder| -> Vec<String> {
        let matrix = Matrix::read(&[folder], &masters).unwrap();
        matrix.cells().map(|cell| cell.id.to_string()).collect()
    };
    assert_eq!(
        ids(own),
        [
            "s/-/none/-/reference/seabios/ide",
            "s/-/none/-/reference+my-editor/seabios/ide",
            "s/-/hard-disk/-/reference/seabios/ide",
        ]
    );
    assert!(masters.check("reference+my-editor").is_ok());
    let unknown = masters.check("reference+my-edtor").unwrap_err();
    assert!(unknown.ends_with("did you mean my-editor?"), "{unknown}");
    let disc: scenarios::id::DiscId = "s/-/none/-/reference+my-editor".parse().unwrap();
    let recipe = scenarios::cell::Recipe::read(&disc).unwrap();
    assert_eq!(recipe.master.base(), Master::default());
    assert_eq!(recipe.master.edit(), Some("my-editor"));
}
