use std::{collections::BTreeMap, fs, path::PathBuf, time::Duration};

use images::boot::Boot;

use super::*;
use crate::master::ModeCommand;

/// What a shell script, given the disc and the place of the edited one, makes of a disc.
fn edited(script: &str, in_place: bool, seconds: u64) -> (Mastered, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let boot: Boot = "none".parse().unwrap();
    let disc = images::reference::master("t/-/none/-/reference", None, &boot, None).unwrap();
    let (before, work) = (folder.path().join("before"), folder.path().join("work"));
    disc.write_to(&before).unwrap();
    fs::create_dir(&work).unwrap();
    let quoted = shell_words::quote(script);
    let command: Template = format!("sh -c {quoted} sh {{in}} {{out}}").parse().unwrap();
    let editor = Editor {
        tool: Tool {
            name: "editor".to_owned(),
            summary: String::new(),
            package: None,
            install: None,
            installed: PathBuf::new(),
            programs: Vec::new(),
            version: None,
            commands: vec![ModeCommand {
                modes: vec!["none".to_owned()],
                hybrid: None,
                command,
            }],
            deviations: BTreeMap::new(),
            words: None,
            deadline: Duration::from_secs(seconds),
            here: PathBuf::new(),
        },
        in_place,
    };
    let found = editor.tool.find().unwrap();
    let job = EditJob {
        before: &before.join("disc.iso"),
        folder: &work,
        capacity: Some(ByteCount::new(100 * 2048)),
        changed: Changed::default(),
    };
    (edit(&editor, &found, &job).unwrap(), folder)
}

fn refusal(script: &str, in_place: bool) -> String {
    let edited = edited(script, in_place, 20).0;
    let words = edited.disc.err();
    words
        .unwrap_or_else(|| panic!("{script} made a disc: {}", edited.said))
        .join(": ")
}

#[test]
fn an_edited_disc_is_taken() {
    let (made, folder) = edited(
        r#"cp "$1" "$2" && printf X | dd of="$2" seek=40 bs=1 conv=notrunc"#,
        false,
        20,
    );
    assert_eq!(made.disc, Ok(folder.path().join("work/edited.iso")));
    let (made, _folder) = edited(
        r#"printf X | dd of="$2" seek=40 bs=1 conv=notrunc"#,
        true,
        20,
    );
    assert!(made.disc.is_ok(), "{made:?}");
}

#[test]
fn a_bad_editor_is_refused_in_a_clear_sentence() {
    assert_eq!(
        refusal("true", false),
        "editor ended without an error and wrote no disc"
    );
    assert_eq!(
        refusal("true", true),
        "editor ended without an error and changed nothing"
    );
    assert_eq!(
        refusal(r#"echo hello > "$2""#, false),
        "editor wrote no ISO: no volume descriptor stands at LBA 16"
    );
    assert_eq!(
        refusal(r#"head -c 60000 /dev/zero > "$2""#, false),
        "editor wrote no ISO: no volume descriptor stands at LBA 16"
    );
    assert_eq!(
        refusal(r#"truncate -s 210000 "$2""#, true),
        "editor wrote more than the medium holds: the disc has 103 blocks (210000 bytes), and the medium 100 blocks (204800 bytes)"
    );
    assert_eq!(
        refusal("echo no; exit 3", false),
        "editor ended with exit status 3: no"
    );
    let hung = edited("sleep 60", false, 1).0;
    assert_eq!(
        hung.disc,
        Err(vec![
            "editor had not ended after 1 s and was stopped".to_owned()
        ])
    );
}

#[test]
fn the_disc_before_is_not_to_be_changed() {
    let said = refusal(
        r#"cp "$1" "$2"; printf X | dd of="$1" seek=40 bs=1 conv=notrunc"#,
        false,
    );
    // Where the kernel has Landlock it could not even write there, and dd says so.
    assert!(
        said == "editor changed the disc that it was given to read"
            || said.starts_with("editor ended with exit status 1: ")
                && said.contains("ermission denied"),
        "{said}"
    );
}

#[test]
fn that_the_disc_before_was_changed_is_seen_without_landlock() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x");
    fs::write(&file, "a").unwrap();
    let before = sha256_of(&file).unwrap();
    fs::write(&file, "b").unwrap();
    assert_ne!(sha256_of(&file).unwrap(), before);
}
