//! Whoever ends `repro` does not wait for what its machines come to, and nothing of it is left.

use std::{
    fs,
    io::{BufReader, Read},
    process::{Command, Stdio},
    sync::mpsc,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

/// A BIOS that runs this does nothing for ever, with interrupts on: it takes the deadline of a minute and more to see that.
const IDLES: [u8; 4] = [0xFB, 0xF4, 0xEB, 0xFC];

/// Nothing tells when another process has started or ended one of its own.
fn look_again(milliseconds: u64) {
    let (_nobody, nothing) = mpsc::channel::<()>();
    let _ = nothing.recv_timeout(Duration::from_millis(milliseconds));
}

#[test]
fn repro_ends_with_its_machines() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (disc, out) = (path("disc.iso"), path("report"));
    let xtask = || Command::new(env!("CARGO_BIN_EXE_xtask"));
    let made = xtask()
        .args(["image", "interrupted/-/none/-/reference", "--out", &disc])
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    let mut bytes = fs::read(&disc).unwrap();
    let word = |at: usize, bytes: &[u8]| {
        u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) as usize
    };
    let catalog = word(17 * 2048 + 0x47, &bytes) * 2048;
    let image = word(catalog + 32 + 8, &bytes) * 2048;
    bytes[image..image + 4].copy_from_slice(&IDLES);
    fs::write(&disc, bytes).unwrap();
    let mut repro = xtask()
        .args([
            "repro",
            &disc,
            "--accelerator",
            "tcg",
            "--firmware",
            "seabios",
            "--attach",
            "ahci",
            "--timeout",
            "600",
            "--out",
            &out,
        ])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let pid = repro.id();
    let children = || -> Vec<i32> {
        let tasks = fs::read_dir(format!("/proc/{pid}/task"))
            .into_iter()
            .flatten()
            .flatten();
        let lists = tasks.filter_map(|task| fs::read_to_string(task.path().join("children")).ok());
        lists
            .flat_map(|list| {
                list.split_whitespace()
                    .flat_map(str::parse)
                    .collect::<Vec<i32>>()
            })
            .collect()
    };
    // One that boots the disc, and not one that is asked what it can do.
    let is_machine = |pid: &i32| {
        fs::read_to_string(format!("/proc/{pid}/cmdline"))
            .is_ok_and(|words| words.contains("drive=disc"))
    };
    let began = Instant::now();
    let machine = loop {
        if let Some(machine) = children().into_iter().find(is_machine) {
            break machine;
        }
        assert!(
            began.elapsed() < Duration::from_secs(120),
            "no machine was started"
        );
        look_again(50);
    };
    let asked = Instant::now();
    // What a machine that was ended from a checkpoint came to is tried from power-on: a second signal ends that.
    let status = loop {
        kill(Pid::from_raw(pid.cast_signed()), Signal::SIGTERM).unwrap();
        look_again(500);
        if let Some(status) = repro.try_wait().unwrap() {
            break status;
        }
    };
    let mut said = String::new();
    BufReader::new(repro.stderr.take().unwrap())
        .read_to_string(&mut said)
        .unwrap();
    assert_eq!(status.code(), Some(3), "{said}");
    assert!(said.contains("interrupted"), "{said}");
    assert!(
        asked.elapsed() < Duration::from_secs(20),
        "{:?}",
        asked.elapsed()
    );
    assert!(
        !fs::exists(format!("/proc/{machine}")).unwrap(),
        "the machine is left"
    );
}
