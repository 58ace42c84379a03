//! What the host does to a run: programs that fail, signals, names, folders.

use std::{
    ffi::{OsStr, OsString},
    fs,
    io::{BufRead, BufReader, Read},
    os::unix::{
        ffi::{OsStrExt, OsStringExt},
        fs::{MetadataExt, PermissionsExt},
        process::CommandExt,
    },
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use harness::{
    attachment::Attachment,
    emulator::Stop,
    machine::{Event, Machine},
    outcome::OutcomeKind,
    run::run,
};
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    process::{Pid, PidfdFlags, Signal, kill_process, kill_process_group, pidfd_open},
};

use crate::common::{Bench, Do, disc, qemu, seabios};

/// A script that stands in for QEMU.
fn stand_in(bench: &Bench, text: &str) -> std::path::PathBuf {
    let path = bench.path("stand-in");
    fs::write(&path, text).expect("script");
    fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).expect("mode");
    path
}

#[test]
fn a_qemu_that_dies_at_once_is_no_verdict() {
    let bench = Bench::new(&disc(&[]));
    let mut case = bench.case(seabios(), Attachment::Ide);
    case.platform.emulator.path =
        stand_in(&bench, "#!/bin/sh\necho 'no such machine' >&2\nexit 1\n");
    let infra = run(&case).expect_err("no QEMU");
    assert!(infra.what.contains("exit status: 1"), "{infra}");
    assert_eq!(infra.stderr, "no such machine");
    assert!(infra.command.contains("-nodefaults"), "{infra}");
    assert!(!bench.has("observation.json"));
    assert!(bench.evidence_text("infra.txt").contains("no such machine"));
}

#[test]
fn a_qemu_that_is_not_there_is_no_verdict() {
    let bench = Bench::new(&disc(&[]));
    let mut case = bench.case(seabios(), Attachment::Ide);
    case.platform.emulator.path = bench.path("nothing");
    let infra = run(&case).expect_err("no QEMU");
    assert!(infra.what.contains("could not be started"), "{infra}");
}

#[test]
fn a_qemu_that_is_killed_is_no_verdict() {
    let bench = Bench::new(&disc(&[Do::Spin]));
    let mut case = bench.case(seabios(), Attachment::Ide);
    // The words on the debug port cannot be seen from here, but a trace log with reads in it can.
    let script = format!(
        "#!/bin/sh\n'{}' \"$@\" &\nuntil grep -q LBA=20 trace.log 2>/dev/null; do :; done\n\
         kill -9 $!\nwait $!\necho gone >&2\nexit 9\n",
        qemu().path.display()
    );
    case.platform.emulator.path = stand_in(&bench, &script);
    let infra = run(&case).expect_err("killed");
    assert!(infra.what.contains("ended by itself"), "{infra}");
    assert!(bench.evidence_text("debug.txt").contains("Booting from"));
    assert!(!bench.has("observation.json"));
}

#[test]
fn a_qemu_that_is_told_to_stop_is_no_verdict() {
    let bench = Bench::new(&disc(&[Do::Spin]));
    let mut machine = spinning(&bench);
    let pid = Pid::from_raw(i32::try_from(machine.pid()).expect("pid")).expect("pid");
    kill_process(pid, Signal::TERM).expect("signal");
    let deadline = Instant::now() + Duration::from_secs(20);
    let mut seen = Vec::new();
    while let Some(event) = machine.next_event(deadline).expect("channels") {
        match event {
            Event::Stopped(stop) => seen.push(stop),
            Event::Exited(status) => {
                assert!(status.success(), "{status}");
                assert_eq!(seen, [Stop::Outside("host-signal".to_owned())]);
                return;
            }
            Event::Serial(_) | Event::Debug(_) => {}
        }
    }
    panic!("a paused machine did not take the signal");
}

#[test]
fn qemu_has_no_more_than_it_needs() {
    let bench = Bench::new(&disc(&[Do::Spin]));
    let machine = spinning(&bench);
    let told = |file: &str| {
        std::fs::read_to_string(format!("/proc/{}/{file}", machine.pid())).expect("/proc")
    };
    let status = told("status");
    let field = |name: &str| -> Vec<&str> {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        line.expect(name).split_ascii_whitespace().collect()
    };
    assert_eq!(field("NoNewPrivs:"), ["1"]);
    assert_eq!(field("Seccomp:"), ["2"], "filters");
    if rustix::process::geteuid().is_root() {
        for id in field("Uid:").into_iter().chain(field("Gid:")) {
            assert!(id.parse::<u32>().expect("id") >= 61_184, "{status}");
        }
        assert!(field("Groups:").is_empty(), "{status}");
    }
    for capabilities in ["CapPrm:", "CapEff:", "CapAmb:"] {
        assert_eq!(field(capabilities), ["0000000000000000"], "{capabilities}");
    }
    let limits = told("limits");
    let limit = |name: &str| -> u64 {
        let line = limits.lines().find_map(|line| line.strip_prefix(name));
        let word = line.expect(name).split_ascii_whitespace().next();
        word.and_then(|word| word.parse().ok()).unwrap_or(u64::MAX)
    };
    assert!(limit("Max file size") <= 64 << 20, "{limits}");
    assert!(limit("Max data size") <= 4 << 30, "{limits}");
    assert!(limit("Max address space") <= 8 << 30, "{limits}");
    assert!(limit("Max cpu time") <= 3600, "{limits}");
    assert!(limit("Max open files") <= 256, "{limits}");
    assert_eq!(limit("Max core file size"), 0, "{limits}");
    // The only folder that it knows is its own, and nobody else's.
    let folder = std::fs::metadata(machine.folder()).expect("folder");
    assert_eq!(folder.uid().to_string(), field("Uid:")[0]);
}

/// QEMU itself writes where it should not, as a guest that broke out of it would have it do.
#[test]
fn qemu_writes_below_its_folder_only() {
    let bench = Bench::new(&disc(&[Do::Spin]));
    let elsewhere = tempfile::tempdir().expect("folder");
    std::fs::set_permissions(elsewhere.path(), PermissionsExt::from_mode(0o777)).expect("mode");
    let target = elsewhere.path().join("screen.ppm");
    let mut machine = spinning(&bench);
    let arguments = serde_json::json!({ "filename": target });
    let refused = machine
        .command("screendump", &arguments)
        .expect_err("refused");
    assert!(
        refused.to_string().contains("Permission denied"),
        "{refused}"
    );
    assert!(!target.exists());
    machine
        .command(
            "screendump",
            &serde_json::json!({ "filename": "screen.ppm" }),
        )
        .expect("its own");
}

#[test]
fn a_dropped_machine_is_gone() {
    let bench = Bench::new(&disc(&[Do::Spin]));
    let machine = spinning(&bench);
    let watched = Watched::new(machine.pid());
    drop(machine);
    assert!(watched.is_gone());
}

/// The helper of the tests below: holds a machine until it is killed. By itself it does nothing.
#[test]
fn holds_a_machine() {
    if std::env::var_os(HOLD).is_none() {
        return;
    }
    let bench = Bench::new(&disc(&[Do::Spin]));
    let mut machine = spinning(&bench);
    println!("\n{HOLD} {}", machine.pid());
    let deadline = Instant::now() + Duration::from_secs(60);
    while machine.next_event(deadline).expect("channels").is_some() {}
}

const HOLD: &str = "BOOT_MATRIX_TEST_HOLD";

fn nothing_survives(kill: impl FnOnce(Pid)) {
    let mut holder = Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", "host::holds_a_machine", "--nocapture"])
        .env(HOLD, "1")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .expect("holder");
    let lines = BufReader::new(holder.stdout.take().expect("piped")).lines();
    let pid = lines
        .map_while(Result::ok)
        .find_map(|line| line.strip_prefix(HOLD)?.trim().parse().ok())
        .expect("the holder names its machine");
    let watched = Watched::new(pid);
    kill(Pid::from_child(&holder));
    assert!(watched.ends(), "QEMU {pid} outlived its parent");
    holder.wait().expect("reaped");
}

#[test]
fn a_killed_parent_takes_its_machine_along() {
    nothing_survives(|parent| kill_process(parent, Signal::KILL).expect("signal"));
}

#[test]
fn a_terminated_parent_takes_its_machine_along() {
    nothing_survives(|parent| kill_process(parent, Signal::TERM).expect("signal"));
}

#[test]
fn an_interrupt_reaches_the_whole_group() {
    nothing_survives(|parent| kill_process_group(parent, Signal::INT).expect("signal"));
}

/// A process whose end can be waited for, whoever its parent is.
struct Watched(rustix::fd::OwnedFd);

impl Watched {
    fn new(pid: u32) -> Self {
        let pid = Pid::from_raw(i32::try_from(pid).expect("pid")).expect("pid");
        Self(pidfd_open(pid, PidfdFlags::empty()).expect("pidfd"))
    }

    fn is_gone(&self) -> bool {
        self.wait(0)
    }

    fn ends(&self) -> bool {
        self.wait(20)
    }

    fn wait(&self, seconds: i64) -> bool {
        let timeout = Timespec {
            tv_sec: seconds,
            tv_nsec: 0,
        };
        let mut fds = [PollFd::new(&self.0, PollFlags::IN)];
        poll(&mut fds, Some(&timeout)).expect("poll") > 0
    }
}

/// A machine that has entered its boot image and runs there for ever.
fn spinning(bench: &Bench) -> Machine {
    let mut machine = bench.machine(&bench.path("disc.iso"));
    let deadline = Instant::now() + Duration::from_secs(20);
    let mut debug = Vec::new();
    while let Some(event) = machine.next_event(deadline).expect("channels") {
        if let Event::Debug(bytes) = event {
            debug.extend(bytes);
            if String::from_utf8_lossy(&debug).contains("Booting from 0000:7c00\n") {
                return machine;
            }
        }
    }
    panic!("not entered: {}", String::from_utf8_lossy(&debug));
}

#[test]
fn a_disc_that_looks_like_qcow2_opens_no_other_file() {
    let mut bytes = disc(&[Do::Say("raw")]);
    // QEMU docs/interop/qcow2.txt: magic, version 2, backing file name at 200h.
    let name = b"/etc/passwd";
    bytes[..8].copy_from_slice(b"QFI\xFB\0\0\0\x02");
    bytes[8..16].copy_from_slice(&0x200_u64.to_be_bytes());
    bytes[16..20].copy_from_slice(&(name.len() as u32).to_be_bytes());
    bytes[20..24].copy_from_slice(&16_u32.to_be_bytes());
    bytes[24..32].copy_from_slice(&(1_u64 << 20).to_be_bytes());
    bytes[0x200..][..name.len()].copy_from_slice(name);
    let bench = Bench::new(&bytes);
    let observed = run(&bench.case(seabios(), Attachment::Ide)).expect("observed");
    // As qcow2 the disc would be an empty medium of 1 MiB, and 17 no boot record.
    assert_eq!(observed.outcome.kind, OutcomeKind::Hung, "{observed:#?}");
    assert_eq!(fs::read(bench.path("disc.iso")).expect("disc"), bytes);
}

#[test]
fn a_disc_may_have_any_name() {
    let bench = Bench::new(&disc(&[Do::Say("hello")]));
    let names: [&OsStr; 6] = [
        "a,b=c,,readonly=off.iso".as_ref(),
        "two\nlines.iso".as_ref(),
        "\"quoted\" 'name' \\ %d $HOME `id`.iso".as_ref(),
        "json:{\"driver\":\"null-co\"}".as_ref(),
        "-снимок диска.iso".as_ref(),
        OsStr::from_bytes(b"latin-1 \xE9.iso"),
    ];
    for name in names {
        let path = bench.path(name);
        fs::hard_link(bench.path("disc.iso"), &path).expect("link");
        let mut case = bench.case(seabios(), Attachment::Ide);
        case.disc = path;
        let observed = run(&case).expect("observed");
        assert_eq!(
            observed.outcome.kind,
            OutcomeKind::Hung,
            "{name:?}: {observed:#?}"
        );
        replays(&bench);
    }
}

#[test]
fn the_evidence_folder_may_have_any_name() {
    let bench = Bench::new(&disc(&[Do::Say("hello")]));
    let mut case = bench.case(seabios(), Attachment::Ide);
    let name = OsString::from_vec(b"50%d, \"of\" \n all \xE9".to_vec());
    case.evidence = bench.path(name);
    let observed = run(&case).expect("observed");
    assert!(observed.reads_known);
    assert!(case.evidence.join("observation.json").exists());
}

/// The script boots the same disc by itself.
fn replays(bench: &Bench) {
    let mut replay = Command::new(bench.path("evidence/replay.sh"))
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .expect("replay");
    let mut output = replay.stdout.take().expect("piped");
    let mut seen = Vec::new();
    let mut byte = [0];
    while !seen.ends_with(b"hello") && output.read(&mut byte).expect("read") == 1 {
        seen.extend(byte);
    }
    replay.kill().expect("kill");
    replay.wait().expect("reaped");
    assert!(
        seen.ends_with(b"hello"),
        "{}",
        String::from_utf8_lossy(&seen)
    );
}

#[test]
fn a_disc_that_is_not_there_is_no_verdict() {
    let bench = Bench::new(&[]);
    let mut case = bench.case(seabios(), Attachment::Ide);
    case.disc = bench.path("other.iso");
    let infra = run(&case).expect_err("no disc");
    assert!(infra.to_string().contains("other.iso"), "{infra}");
}

#[test]
fn a_folder_that_cannot_be_made_is_no_verdict() {
    let bench = Bench::new(&disc(&[]));
    let mut case = bench.case(seabios(), Attachment::Ide);
    case.evidence = bench.path("disc.iso").join("evidence");
    let infra = run(&case).expect_err("a file is no folder");
    assert!(infra.to_string().contains("evidence"), "{infra}");
    assert!(!Path::new("observation.json").exists());
}

/// Boot code of a disk that writes to its second sector (INT 13h, AH=03) and says on port 402h that it does and whether that failed
/// (`nasm -f bin`):
///
/// ```text
///         push dx
///         mov al, 'W'
///         mov dx, 0x402
///         out dx, al
///         pop dx                  ; DL is the drive
///         mov ax, 0x0301
///         mov bx, 0x7c00
///         mov cx, 2
///         mov dh, 0
///         int 0x13
///         setc al
///         add al, '0'
///         mov dx, 0x402
///         out dx, al
///         cli
///         hlt
/// ```
const WRITES: &[u8] = &[
    0x52, 0xb0, 0x57, 0xba, 0x02, 0x04, 0xee, 0x5a, 0xb8, 0x01, 0x03, 0xbb, 0x00, 0x7c, 0xb9, 0x02,
    0x00, 0xb6, 0x00, 0xcd, 0x13, 0x0f, 0x92, 0xc0, 0x04, 0x30, 0xba, 0x02, 0x04, 0xee, 0xfa, 0xf4,
];

#[test]
fn a_guest_that_writes_to_its_disc_changes_nothing() {
    let mut bytes = disc(&[]);
    bytes[..WRITES.len()].copy_from_slice(WRITES);
    bytes[510..512].copy_from_slice(&[0x55, 0xAA]);
    // A layer takes what is written to a stick; the others refuse it.
    for (attachment, written) in [(Attachment::UsbDisk, "W0"), (Attachment::VirtioBlk, "W1")] {
        let bench = Bench::new(&bytes);
        run(&bench.case(seabios(), attachment)).expect("observed");
        let said = bench.evidence_text("debug.txt");
        assert!(said.trim_end().ends_with(written), "{attachment}: {said}");
        assert!(std::fs::read(bench.path("disc.iso")).expect("disc") == bytes);
    }
}

#[test]
fn a_drive_is_read_as_one() {
    // A loop device stands for a drive; where none may be made, there is nothing to try this on.
    let bench = Bench::new(&disc(&[Do::Say("from a device")]));
    let path = bench.path("disc.iso");
    let made = Command::new("losetup")
        .args(["--find", "--show", "--read-only"])
        .arg(&path)
        .output();
    let Some(device) = made
        .ok()
        .filter(|made| made.status.success())
        .and_then(|made| String::from_utf8(made.stdout).ok())
    else {
        eprintln!("not tried: no loop device can be made here");
        return;
    };
    let device = device.trim().to_owned();
    let mut case = bench.case(seabios(), Attachment::Ide);
    case.disc = device.clone().into();
    let observed = run(&case);
    let detached = Command::new("losetup").args(["--detach", &device]).status();
    assert!(detached.expect("losetup").success());
    let outcome = observed.expect("observed").outcome;
    assert_eq!(outcome.kind, OutcomeKind::Hung);
    assert!(bench.evidence_text("serial.txt").contains("from a device"));
}
