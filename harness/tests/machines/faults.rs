//! What fails is put into everything between us and the world: the run says so, nothing half is left that could be taken for whole, and the
//! next run is right.

use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::PathBuf,
    process::{Command, Stdio},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use harness::{
    attachment::Attachment,
    case::Case,
    emulator::EmulatorId,
    evidence::OBSERVATION,
    observation::Observation,
    outcome::OutcomeKind,
    run::{Infra, run},
};

use crate::{
    common::{Bench, Do, disc, qemu, seabios},
    figures,
};

/// What a boot here says, and by what it is known to be whole.
const SAYS: &str = "as it should be";

/// A disc that boots, its case, and programs that stand in for QEMU.
struct Fault {
    bench: Bench,
}

impl Fault {
    fn new() -> Self {
        Self {
            bench: Bench::new(&disc(&[Do::Say(SAYS)])),
        }
    }

    /// What is run; the evidence of one run after the other is in the same folder.
    fn case(&self) -> Case {
        self.bench.case(seabios(), Attachment::Ide)
    }

    /// Runs with a shell script in place of QEMU. `$QEMU` is the real one, and it has the arguments.
    fn with(&self, script: &str) -> Result<Observation, Infra> {
        let path = self.bench.path("stand-in");
        let text = format!("#!/bin/sh\nQEMU='{}'\n{script}\n", qemu().path.display());
        fs::write(&path, text).expect("script");
        fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).expect("mode");
        let mut case = self.case();
        case.platform.emulator.path = path;
        run(&case)
    }

    /// Nothing can be said of the disc, and why is; then nothing is wrong any more, and everything is said.
    fn is_no_verdict(&self, name: &str, seen: Result<Observation, Infra>, why: &str) {
        let infra = seen.expect_err(name);
        assert!(infra.to_string().contains(why), "{name}: {infra}");
        assert!(!self.bench.has(OBSERVATION), "{name}");
        assert!(!self.bench.path("evidence/machine").exists(), "{name}");
        self.is_right_again(name);
        let told = infra.what.lines().next().unwrap_or_default();
        let here = self.bench.path("").display().to_string();
        figures::tell(&[
            ("fault", name.to_owned()),
            ("result", format!("infra: {}", told.replace(&here, ""))),
        ]);
    }

    fn is_right_again(&self, name: &str) {
        let seen = run(&self.case()).unwrap_or_else(|infra| panic!("after {name}: {infra}"));
        assert_eq!(seen.outcome.kind, OutcomeKind::Hung, "after {name}");
        assert!(
            self.bench.evidence_text("serial.txt").contains(SAYS),
            "after {name}"
        );
        assert!(!self.bench.has("infra.txt"), "after {name}");
    }
}

/// Before anything is booted.
#[test]
fn a_qemu_that_is_none_or_too_old() {
    let fault = Fault::new();
    let stand_in = |name: &str, script: &str, mode: u32| {
        let path = fault.bench.path(name);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("script");
        fs::set_permissions(&path, PermissionsExt::from_mode(mode)).expect("mode");
        path
    };
    for (name, path, why) in [
        (
            "QEMU does not exist",
            fault.bench.path("nothing"),
            "there is no such program",
        ),
        (
            "QEMU is a file that nobody may execute",
            stand_in("file", "exit 0", 0o644),
            "is not executable",
        ),
        (
            "QEMU is a version of 2020",
            stand_in(
                "old",
                "echo 'QEMU emulator version 5.2.0 (Debian 1:5.2+dfsg-11)'",
                0o755,
            ),
            "QEMU 5.2.0 is too old; QEMU 6.0.0 or newer is needed",
        ),
        (
            "QEMU is another program",
            stand_in("other", "echo hello", 0o755),
            "is not QEMU",
        ),
    ] {
        let told = EmulatorId::Qemu
            .locate(Some(&path))
            .expect_err(name)
            .to_string();
        assert!(told.contains(why), "{name}: {told}");
        fault.is_right_again(name);
        figures::tell(&[
            ("fault", name.to_owned()),
            ("result", format!("refused: {why}")),
        ]);
    }
    let mut gone = fault.case();
    gone.platform.emulator.path = fault.bench.path("gone");
    fault.is_no_verdict(
        "QEMU is removed after it was found",
        run(&gone),
        "No such file",
    );
}

#[test]
fn a_folder_that_cannot_be_written() {
    // Not even root writes there.
    for (name, evidence) in [
        ("the folder for evidence cannot be made", "/sys/evidence"),
        ("the folder for evidence is read-only", "/sys/kernel"),
    ] {
        let fault = Fault::new();
        let mut case = fault.case();
        case.evidence = evidence.into();
        fault.is_no_verdict(name, run(&case), evidence);
    }
}

#[test]
fn a_qemu_that_crashes() {
    let fault = Fault::new();
    for signal in ["SEGV", "ABRT", "KILL", "TERM"] {
        let seen = fault.with(&format!("kill -{signal} $$"));
        fault.is_no_verdict(
            &format!("QEMU ends at once by SIG{signal}"),
            seen,
            "ended by itself",
        );
    }
}

/// From before it says a word until after the boot image has said its own.
#[test]
fn a_qemu_that_is_killed_at_any_time() {
    let fault = Fault::new();
    let (mut killed, mut whole) = (0, 0);
    for milliseconds in (0..400).step_by(25) {
        let script = format!(
            "\"$QEMU\" \"$@\" & qemu=$!\n(sleep 0.{milliseconds:03}; kill -9 $qemu) &\nwait $qemu"
        );
        match fault.with(&script) {
            Err(infra) => {
                assert!(infra.what.contains("ended by itself"), "{infra}");
                assert!(!fault.bench.has(OBSERVATION));
                killed += 1;
            }
            Ok(_) => whole += 1,
        }
    }
    fault.is_right_again("killed at any time");
    assert!(killed > 0, "none of {whole} was killed in time");
    figures::tell(&[
        (
            "fault",
            format!(
                "QEMU is killed at one of {} times during a boot",
                killed + whole
            ),
        ),
        (
            "result",
            format!("infra: {killed}; already decided: {whole}"),
        ),
    ]);
}

#[test]
fn a_qemu_that_talks_nonsense_and_then_works() {
    let fault = Fault::new();
    let seen = fault.with(
        "head -c 3000000 /dev/urandom >&5\n\
         printf '{\"event\": 7}\\n{\"return\": {}, \"id\": 77}\\n[]\\nnull\\n{\"id\": \"x\"}\\n' >&5\n\
         exec \"$QEMU\" \"$@\"",
    );
    let seen = seen.expect("QEMU's own words come after");
    assert_eq!(seen.outcome.kind, OutcomeKind::Hung, "{:?}", seen.outcome);
    figures::tell(&[
        (
            "fault",
            "3 MB of noise on the monitor before QEMU's first word".to_owned(),
        ),
        ("result", "as without".to_owned()),
    ]);
}

/// It takes as long as QEMU may take over an answer, each: not in the short form.
#[test]
fn a_qemu_that_hangs_or_talks_nonsense_for_ever() {
    if !figures::wanted() {
        return;
    }
    const SILENT: &str = "did not answer";
    let fault = Fault::new();
    for (name, script, why) in [
        ("QEMU hangs at its start", "exec sleep 1000", SILENT),
        (
            "the monitor sends noise forever",
            "exec cat /dev/urandom >&5",
            SILENT,
        ),
        (
            "the monitor sends one line without an end",
            "exec cat /dev/zero >&5",
            SILENT,
        ),
        (
            "QEMU prints errors forever",
            "exec cat /dev/urandom >&2",
            "ended by itself",
        ),
        (
            "QEMU stops answering while a machine runs",
            "(sleep 0.08; kill -STOP $$) & exec \"$QEMU\" \"$@\"",
            SILENT,
        ),
    ] {
        let began = Instant::now();
        let seen = fault.with(script);
        assert!(began.elapsed() < Duration::from_secs(200), "{name}");
        fault.is_no_verdict(name, seen, why);
    }
}

/// The helper of the tests below: boots the disc of a folder, and says how that ended. By itself it does nothing.
#[test]
fn boots_in_a_process_of_its_own() {
    let Some(folder) = std::env::var_os(FOLDER) else {
        return;
    };
    let folder = PathBuf::from(folder);
    let mut case = Fault::new().case();
    case.disc = folder.join("disc.iso");
    case.evidence = folder.join("evidence");
    println!("\n{FOLDER} now: {}", now());
    match run(&case) {
        Ok(_) => println!("\n{FOLDER} whole"),
        Err(infra) => println!("\n{FOLDER} infra: {infra}"),
    }
}

const FOLDER: &str = "BOOT_MATRIX_TEST_FOLDER";

/// The clock on the wall, in seconds since 1970.
fn now() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("now");
    now.as_secs()
}

/// The clock on the wall jumps by two years, forward and back, many times a second.
#[test]
fn a_clock_that_jumps() {
    let fault = Fault::new();
    let maps = Command::new("faketime")
        .args(["-f", "+0d", "cat", "/proc/self/maps"])
        .output()
        .expect("faketime");
    let maps = String::from_utf8(maps.stdout).expect("text");
    let library = maps
        .split_whitespace()
        .find(|word| word.contains("/libfaketime"));
    let clock = fault.bench.path("clock");
    fs::write(&clock, "+365d").expect("clock");
    // By a name that leads nowhere from QEMU's folder: the clock of the guest is another matter.
    let preload = "./libfaketime.so";
    symlink(library.expect("its library"), fault.bench.path(preload)).expect("link");
    let mut jumps = Command::new("sh")
        .args(["-c", "while :; do for by in +365d -365d; do echo $by > new; mv new clock; sleep 0.02; done; done"])
        .current_dir(fault.bench.path(""))
        .spawn()
        .expect("sh");
    let output = Command::new(std::env::current_exe().expect("this program"))
        .args(ALONE)
        .env(FOLDER, fault.bench.path(""))
        .current_dir(fault.bench.path(""))
        .env("LD_PRELOAD", preload)
        .env("FAKETIME_TIMESTAMP_FILE", &clock)
        .env("FAKETIME_NO_CACHE", "1")
        // Nothing lets that one jump.
        .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
        .stdin(Stdio::null())
        .output()
        .expect("a process");
    jumps.kill().expect("kill");
    jumps.wait().expect("wait");
    let said = String::from_utf8_lossy(&output.stdout);
    let (_, told) = said.split_once("now: ").expect("its time");
    let told: u64 = told
        .lines()
        .next()
        .and_then(|told| told.parse().ok())
        .expect("seconds");
    assert!(
        told.abs_diff(now()) > 300 * 24 * 3600,
        "{told}: it did not jump"
    );
    assert!(said.contains(&format!("{FOLDER} whole")), "{said}");
    let seen = fault.bench.evidence_text(OBSERVATION);
    let seen: Observation = serde_json::from_str(&seen).expect("an observation");
    assert_eq!(seen.outcome.kind, OutcomeKind::Hung);
    assert!((1..60_000).contains(&seen.duration_ms), "{seen:?}");
    figures::tell(&[
        (
            "fault",
            "the clock jumps by two years, forward and back, 50 times a second".to_owned(),
        ),
        ("result", "as without".to_owned()),
    ]);
}

/// How the helper is asked for.
const ALONE: [&str; 4] = [
    "--exact",
    "faults::boots_in_a_process_of_its_own",
    "--nocapture",
    "--test-threads=1",
];

/// Lets the nth system call of these fail in each thread and process of a run, as on a full disk: `strace` puts the error in.
#[test]
fn a_disk_that_is_full_at_any_time() {
    const CALLS: &str =
        "openat,mkdir,write,pwrite64,rename,ftruncate,memfd_create,socketpair,getdents64";
    let step = if figures::wanted() { 1 } else { 29 };
    let fault = Fault::new();
    let program = std::env::current_exe().expect("this program");
    let (mut whole, mut told, mut silent) = (0, 0, Vec::new());
    // So many calls a run makes; QEMU itself makes more.
    let numbers = (1..=160_u16).step_by(step);
    let tried = numbers.len();
    for number in numbers {
        let log = fault.bench.path("strace.log");
        let output = Command::new("strace")
            .args([
                "-f",
                "--seccomp-bpf",
                "-qq",
                "-e",
                &format!("trace={CALLS}"),
                "-e",
            ])
            .arg(format!("inject={CALLS}:error=ENOSPC:when={number}"))
            .arg("-o")
            .arg(&log)
            // What the test's own program does before and after is not ours.
            .arg(&program)
            .args(ALONE)
            .env(FOLDER, fault.bench.path(""))
            .stdin(Stdio::null())
            .output()
            .expect("strace");
        let log = fs::read_to_string(log).expect("log");
        assert!(log.contains("(INJECTED)"), "no call {number}");
        let said = String::from_utf8_lossy(&output.stdout);
        let observed = fs::read(fault.bench.path("evidence").join(OBSERVATION));
        if said.contains(&format!("{FOLDER} whole")) {
            whole += 1;
        } else if let Some((_, infra)) = said.split_once("infra: ") {
            // It is QEMU's own call too, and what QEMU makes of that is its own.
            let why = [
                "No space left",
                "An IO error has occurred",
                // What QEMU 10 says of the same.
                "writing memory to",
                "QEMU ended by itself",
                "QEMU did not answer",
            ];
            assert!(
                why.iter().any(|why| infra.contains(why)),
                "call {number}: {infra}"
            );
            assert!(
                observed.is_err(),
                "call {number} failed, and there is an observation"
            );
            told += 1;
        } else {
            // It came before the run or after it: the test's own output, its threads, the loader.
            silent.push(number);
        }
        if let Ok(json) = observed {
            let observation: Result<Observation, _> = serde_json::from_slice(&json);
            assert!(observation.is_ok(), "call {number}: half an observation");
        }
    }
    fault.is_right_again("a full disk");
    assert!(told > 0, "no call failed: {silent:?}");
    figures::tell(&[
        (
            "fault",
            format!("the disk is full at one of {tried} system calls"),
        ),
        (
            "result",
            format!(
                "infra: {told}; without effect: {whole}; outside of the run: {}",
                silent.len()
            ),
        ),
    ]);
}
