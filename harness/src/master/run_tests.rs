use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    process::{PidfdFlags, pidfd_open},
};

use super::*;
use crate::master::Template;

/// What a shell script makes of a disc on a medium of 100 blocks.
fn mastered(script: &str, seconds: u64) -> (Mastered, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let boot: Boot = "none".parse().unwrap();
    let contents =
        images::reference::Contents::new("t/-/none/-/command", None, &boot, None).unwrap();
    let job = folder.path().join("job");
    fs::create_dir(&job).unwrap();
    let in_tree = images::reference::InTree {
        boot: true,
        efi: true,
    };
    contents.write_to(&job, in_tree).unwrap();
    // No word of the command line is a shell's but the script itself.
    let escaped = script.replace('{', "{{").replace('}', "}}");
    let quoted = shell_words::quote(&escaped);
    let command: Template = format!("sh -c {quoted} sh {{iso}} {{boot_image}}")
        .parse()
        .unwrap();
    let mut tool = Tool::of_command("command", command);
    tool.deadline = Duration::from_secs(seconds);
    let found = tool.find().unwrap();
    let made = master(
        &tool,
        &found,
        &Job {
            boot: &boot,
            folder: &job,
            load_sectors: None,
            capacity: Some(ByteCount::new(100 * 2048)),
            length: contents.length(),
            changed: Changed::default(),
        },
    );
    (made.unwrap(), folder)
}

fn refusal(script: &str) -> Vec<String> {
    let made = mastered(script, 20).0;
    made.disc
        .err()
        .unwrap_or_else(|| panic!("{script} made a disc: {}", made.said))
}

#[test]
fn a_tool_runs_in_the_tree_and_its_disc_is_taken() {
    let (made, folder) = mastered(r#"test -f "$2" && echo fine && echo x > "$1""#, 20);
    let iso = folder.path().join("job").join("disc.iso");
    assert_eq!(made.disc, Ok(iso));
    assert_eq!(made.said, "fine\n");
    assert!(made.command.ends_with("boot/bios.img"), "{}", made.command);
}

#[test]
fn whatever_a_tool_does_is_a_refusal_in_its_own_words() {
    assert_eq!(
        refusal("echo working; echo no room >&2; exit 5"),
        ["command ended with exit status 5", "working", "no room"]
    );
    assert_eq!(refusal("kill -SEGV $$"), ["command was ended by signal 11"]);
    assert_eq!(
        refusal("echo done"),
        ["command ended without an error and wrote no disc", "done"]
    );
    assert_eq!(
        refusal(r#": > "$1""#),
        ["command ended without an error and wrote an empty disc"]
    );
    assert_eq!(
        refusal(r#"ln -s /etc/passwd "$1""#),
        ["command wrote something that is no regular file in the disc's place"]
    );
    assert_eq!(
        refusal(r#"mkdir "$1""#),
        ["command wrote something that is no regular file in the disc's place"]
    );
    // What it does to its folder is its own affair.
    assert_eq!(
        refusal("rm -r \"$PWD\""),
        ["command ended without an error and wrote no disc"]
    );
    // Who prompts gets end-of-file.
    assert_eq!(
        refusal(r#"read answer || { echo "no answer"; exit 1; }; echo x > "$1""#),
        ["command ended with exit status 1", "no answer"]
    );
}

#[test]
fn more_than_the_medium_holds_is_refused_with_both_figures() {
    assert_eq!(
        refusal(r#"head -c 204801 /dev/zero > "$1""#),
        [
            "command wrote more than the medium holds: the disc has 101 blocks (204801 bytes), and the medium 100 blocks (204800 bytes)"
        ]
    );
    // What would fill the host's disk is stopped.
    let words = refusal(r#"exec dd if=/dev/zero of="$1" bs=1M 2>/dev/null"#);
    assert_eq!(
        words,
        ["command wanted to write more than 16982016 bytes and was stopped"]
    );
}

#[test]
fn a_tool_that_never_ends_is_stopped_with_all_that_it_started() {
    let began = Instant::now();
    let (made, folder) = mastered(
        r#"echo begun; tail -f /dev/null & echo $! > ../pid; wait"#,
        1,
    );
    assert_eq!(
        made.disc.unwrap_err(),
        ["command had not ended after 1 s and was stopped", "begun"]
    );
    assert!(began.elapsed() < Duration::from_secs(10));
    is_gone(folder.path());
}

#[test]
fn what_a_tool_leaves_behind_ends_with_it() {
    let (made, folder) = mastered(r#"tail -f /dev/null & echo $! > ../pid; echo x > "$1""#, 20);
    assert!(made.disc.is_ok(), "{made:?}");
    is_gone(folder.path());
}

/// Of what a tool started: it is killed before its folder is given back, and dies of that when the kernel comes to it.
#[track_caller]
fn is_gone(folder: &Path) {
    let pid = fs::read_to_string(folder.join("job").join("pid")).unwrap();
    let pid = Pid::from_raw(pid.trim().parse().unwrap()).unwrap();
    let Ok(process) = pidfd_open(pid, PidfdFlags::empty()) else {
        return;
    };
    let patience = Timespec {
        tv_sec: 10,
        tv_nsec: 0,
    };
    let ended = poll(&mut [PollFd::new(&process, PollFlags::IN)], Some(&patience));
    assert_eq!(ended, Ok(1), "{pid:?} still runs");
}

#[test]
fn a_tool_can_write_only_in_its_folder() {
    let outside = tempfile::tempdir().unwrap();
    let target = outside.path().join("disc.iso");
    let words = refusal(&format!("echo x > {}", target.display()));
    assert!(
        words[0] == "command ended with exit status 2" && words[1].contains("Permission denied"),
        "{words:?}"
    );
    assert!(!target.exists());
    // What it reads is not restricted.
    let (made, _folder) = mastered(r#"cat /etc/passwd > "$1" && echo x > /dev/null"#, 20);
    assert!(made.disc.is_ok(), "{made:?}");
}

#[test]
fn of_many_lines_those_that_tell_are_kept() {
    let said =
        "  1% done\r 50% done\nxorriso : NOTE : fine\nxorriso : FAILURE : Image too small\n\n";
    assert_eq!(
        telling(said, Some("FAILURE|SORRY"), true),
        ["xorriso : FAILURE : Image too small"]
    );
    assert_eq!(telling(said, None, false)[0], "50% done");
    assert_eq!(telling("only this", Some("FAILURE"), true), ["only this"]);
    assert!(telling("only this", Some("FAILURE"), false).is_empty());
}

#[test]
fn what_is_installed_by_a_command_is_of_the_version_that_it_names() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("tool");
    let command: Template = "{installed}/tool {iso}".parse().unwrap();
    let tool = Tool {
        install: Some("fetch --into {installed} tool==1.2".parse().unwrap()),
        installed: folder.path().to_owned(),
        version: Some(crate::master::VersionQuery {
            arguments: vec!["{installed}".to_owned()],
            pattern: r"tool (\S+)".to_owned(),
        }),
        ..Tool::of_command("tool", command)
    };
    let brings = format!("fetch --into {} 'tool==1.2'", folder.path().display());
    let missing = tool.find().unwrap_err();
    assert!(
        missing.ends_with(&format!("it comes with: {brings}")),
        "{missing}"
    );
    for (says, expected) in [
        ("1.2", Ok(Some("1.2".to_owned()))),
        (
            "1.3",
            Err(format!("tool 1.3 is there; another comes with: {brings}")),
        ),
    ] {
        let script = format!("#!/bin/sh\ntest \"$1\" = \"${{0%/tool}}\" && echo tool {says}\n");
        fs::write(&program, script).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(tool.find().map(|found| found.version), expected);
    }
}
