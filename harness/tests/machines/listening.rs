//! A probe on a real machine, over a pair of pseudo-terminals that is fed with what QEMU sent.

use std::{
    os::{fd::AsFd, unix::net::UnixStream},
    path::Path,
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use harness::{
    attachment::Attachment,
    listen::{Listening, listen},
    observation::{Observation, damage},
    outcome::{OutcomeKind, Stage},
    run::{Infra, run},
    serial::port::{self, Holder, PortError},
};
use images::{
    probe::protocol::{BAUD, Event},
    reference::{MasteredDisc, master},
};
use serial2::SerialPort;

use crate::common::{Bench, seabios};

/// A disc, and what its probe sent from QEMU.
struct Captured {
    bench: Bench,
    disc: MasteredDisc,
    observed: Observation,
    sent: Vec<u8>,
}

/// Boots a floppy with SeaBIOS from an IDE drive.
fn captured() -> Captured {
    let boot = "floppy-1440k".parse().expect("boot");
    let disc = master("machines/-/-/-/reference", None, &boot, None).expect("mastered");
    let bench = Bench::new(&[]);
    disc.write_to(&bench.path("")).expect("written");
    let mut case = bench.case(seabios(), Attachment::Ide);
    case.manifest = Some(disc.manifest.clone());
    let observed = run(&case).expect("observed");
    let sent = bench.evidence("serial.raw");
    Captured {
        bench,
        disc,
        observed,
        sent,
    }
}

impl Captured {
    fn listening(&self) -> Listening {
        Listening {
            manifest: Some(self.disc.manifest.clone()),
            timeout: Duration::from_secs(2),
            evidence: self.bench.path("heard"),
        }
    }

    /// Listens to these bytes. The other end stays.
    fn hear(&self, sent: &[u8]) -> Result<Observation, Infra> {
        let (theirs, ours) = SerialPort::pair().expect("pair");
        thread::scope(|scope| {
            scope.spawn(|| theirs.write_all(sent).expect("sent"));
            listen(&ours, &self.listening(), None, &mut |_| {})
        })
    }

    /// Listens to these bytes, of which nothing can be made.
    #[track_caller]
    fn fails(&self, sent: &[u8], why: &str) {
        let infra = self.hear(sent).expect_err("no observation");
        assert!(infra.to_string().contains(why), "{infra}");
        let folder = self.bench.path("heard");
        assert!(!folder.join("observation.json").exists());
        assert_eq!(std::fs::read(folder.join("serial.raw")).expect("raw"), sent);
        let told = std::fs::read_to_string(folder.join("infra.txt")).expect("infra.txt");
        assert!(told.contains(why), "{told}");
    }

    /// Where the last line of the probe but this many begins.
    fn line(&self, from_end: usize) -> usize {
        let starts = self.sent.windows(4).enumerate();
        let starts = starts.filter(|(_, window)| window == b"BM1 ");
        let starts: Vec<usize> = starts.map(|(at, _)| at).collect();
        starts[starts.len() - 1 - from_end]
    }
}

#[test]
fn what_a_probe_says_is_the_same_over_a_port() {
    let captured = captured();
    let heard = captured.hear(&captured.sent).expect("heard");
    assert_eq!(heard.outcome.kind, OutcomeKind::Booted);
    assert_eq!(heard.outcome.stage, Stage::Ended);
    assert!(
        heard
            .outcome
            .detail
            .contains("no debug port to confirm it on")
    );
    assert_eq!(heard.probe, captured.observed.probe);
    assert!(!heard.reads_known);
    let report = heard.probe.expect("report");
    assert_eq!(damage(&report, &captured.disc.manifest), []);
    assert!(captured.bench.path("heard/observation.json").exists());
}

#[test]
fn noise_around_the_lines_is_passed_over() {
    let captured = captured();
    let mut noisy = vec![0xFF, 0x00, 0xF0, 0x0D, 0x80];
    for piece in captured.sent.split_inclusive(|&byte| byte == b'\n') {
        noisy.extend([0x00, 0xFE, 0x1B, b'[', b'2', b'J']);
        noisy.extend(piece);
    }
    let heard = captured.hear(&noisy).expect("heard");
    assert_eq!(heard.probe, captured.observed.probe);
}

#[test]
fn lost_bytes_are_damage_on_the_wire_and_no_verdict() {
    let captured = captured();
    let (end, before) = (captured.line(0), captured.line(2));
    let without = |from: usize, to: usize| [&captured.sent[..from], &captured.sent[to..]].concat();
    captured.fails(&without(before + 10, before + 11), "damage on the wire: ");
    captured.fails(&without(before, captured.line(1)), "lines were lost");
    captured.fails(&without(end + 8, captured.sent.len()), "has no end");
    // The beginning is lost when somebody listens too late.
    captured.fails(&captured.sent[captured.line(3)..], "lines were lost");
}

#[test]
fn a_wrong_speed_looks_like_no_text() {
    let captured = captured();
    // What 115,200 baud look like at 9,600: the line is low or high for the whole of a sample.
    let garbage: Vec<u8> = captured
        .sent
        .iter()
        .map(|byte| byte.wrapping_mul(0x93) | 0x80)
        .collect();
    captured.fails(&garbage, "a probe sends at 115200 baud");
}

#[test]
fn a_port_on_which_nothing_comes_says_nothing_of_the_disc() {
    captured().fails(b"", "nothing came within 2 s");
}

#[test]
fn a_machine_that_speaks_and_boots_no_probe_is_judged() {
    let captured = captured();
    let heard = captured
        .hear(b"Some BIOS\r\nNo bootable device.\r\n")
        .expect("heard");
    assert_eq!(heard.outcome.kind, OutcomeKind::Refused);
    assert_eq!(heard.words, ["No bootable device."]);
    let heard = captured
        .hear(b"Some BIOS\r\nInsert a system disc\r\n")
        .expect("heard");
    assert_eq!(
        (heard.outcome.kind, heard.outcome.stage),
        (OutcomeKind::Hung, Stage::Post)
    );
}

#[test]
fn a_plug_that_is_pulled_is_told_with_the_stage() {
    let captured = captured();
    let (theirs, ours) = SerialPort::pair().expect("pair");
    theirs
        .write_all(&captured.sent[..captured.line(1)])
        .expect("sent");
    let mut plug = Some(theirs);
    let infra = listen(&ours, &captured.listening(), None, &mut |event| {
        if matches!(event, Event::Begin { .. }) {
            plug = None;
        }
    })
    .expect_err("no observation");
    assert!(
        infra
            .to_string()
            .contains("went away, as when a plug is pulled; by then it had come to probe-began"),
        "{infra}"
    );
}

#[test]
fn whoever_is_told_to_stop_stops() {
    let captured = captured();
    let (_theirs, ours) = SerialPort::pair().expect("pair");
    let (bell, clapper) = UnixStream::pair().expect("pair");
    drop(clapper);
    let mut listening = captured.listening();
    listening.timeout = Duration::from_secs(3600);
    let infra = listen(&ours, &listening, Some(bell.as_fd()), &mut |_| {}).expect_err("stopped");
    assert!(
        infra
            .to_string()
            .contains("it was interrupted, and nothing had come"),
        "{infra}"
    );
}

#[test]
fn a_disc_that_is_another_s_is_no_boot() {
    let captured = captured();
    let mut listening = captured.listening();
    let boot = "none".parse().expect("boot");
    let other = master("other/-/-/-/reference", None, &boot, None).expect("mastered");
    listening.manifest = Some(other.manifest);
    let (theirs, ours) = SerialPort::pair().expect("pair");
    let heard = thread::scope(|scope| {
        scope.spawn(|| theirs.write_all(&captured.sent).expect("sent"));
        listen(&ours, &listening, None, &mut |_| {}).expect("heard")
    });
    assert_eq!(heard.outcome.kind, OutcomeKind::HandedOver);
    assert!(
        heard.outcome.detail.contains("and this disc is"),
        "{:?}",
        heard.outcome
    );
}

/// The path of a pseudo-terminal.
fn terminal(port: &SerialPort) -> std::path::PathBuf {
    use std::os::fd::AsRawFd;
    std::fs::read_link(format!("/proc/self/fd/{}", port.as_raw_fd())).expect("a path")
}

#[test]
fn a_port_is_opened_for_one_alone() {
    let (_theirs, ours) = SerialPort::pair().expect("pair");
    let path = terminal(&ours);
    let held = std::fs::File::open(&path).expect("opened");
    // Another process that does nothing but have it open.
    let mut other = Command::new("tail")
        .args(["-f", "/dev/null"])
        .stdin(Stdio::from(held))
        .spawn()
        .expect("started");
    let refused = port::open(&path, BAUD);
    other.kill().expect("killed");
    other.wait().expect("reaped");
    let pid = other.id();
    match refused {
        Err(PortError::Busy { by, .. }) => {
            let command = "tail -f /dev/null".to_owned();
            assert_eq!(by, Holder::Process { pid, command });
        }
        other => panic!("{other:?}"),
    }
    let first = port::open(&path, BAUD).expect("opened");
    let error = port::open(&path, BAUD).expect_err("locked");
    assert!(error.to_string().contains("is in use by "), "{error}");
    drop(first);
    port::open(&path, BAUD).expect("opened again");
}

#[test]
fn what_is_no_port_is_told() {
    let said = |path: &Path| port::open(path, BAUD).expect_err("no port").to_string();
    let missing = said(Path::new("/dev/ttyNONE99"));
    assert!(
        missing.starts_with("port /dev/ttyNONE99 does not exist: "),
        "{missing}"
    );
    let bench = Bench::new(&[]);
    assert!(said(&bench.path("disc.iso")).ends_with("disc.iso is no serial port"));
    assert!(said(Path::new("/dev/null")).ends_with("/dev/null is no serial port"));
}
