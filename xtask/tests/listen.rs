//! `listen`, at the end of a pseudo-terminal that sends what QEMU sent.

#![expect(
    clippy::unwrap_used,
    reason = "the helpers of a test fail as the test does"
)]

mod common;

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    os::fd::AsRawFd,
    path::PathBuf,
    process::{Command, Stdio},
};

use common::{Said, xtask};
use serial2::SerialPort;
use tempfile::TempDir;

const CELL: &str = "load-counts/-/none,count=4/-/reference/seabios/ide";
const OTHER: &str = "load-counts/-/none,count=1/-/reference/seabios/ide";

/// A port, and what it can send.
struct Line {
    folder: TempDir,
    theirs: SerialPort,
    port: PathBuf,
}

impl Line {
    fn new() -> Self {
        let (theirs, ours) = SerialPort::pair().unwrap();
        let port = fs::read_link(format!("/proc/self/fd/{}", ours.as_raw_fd())).unwrap();
        Self {
            folder: tempfile::tempdir().unwrap(),
            theirs,
            port,
        }
    }

    /// What a cell sends in QEMU.
    fn captured(&self, cell: &str) -> Vec<u8> {
        let out = self.folder.path().join("run");
        let out = out.to_str().unwrap();
        let said = xtask(&["boot-matrix", cell, "--accelerator", "tcg", "--out", out]);
        assert_eq!(said.code, 0, "{}", said.stderr);
        fs::read(
            self.folder
                .path()
                .join("run/cells")
                .join(cell)
                .join("serial.raw"),
        )
        .unwrap()
    }

    /// Listens, and sends once somebody does; then does something with the listener.
    fn listen(&self, arguments: &[&str], sent: &[u8], then: impl FnOnce(u32)) -> Said {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
        command.args(["listen", "--format", "json", "--port"]);
        command
            .arg(&self.port)
            .arg("--out")
            .arg(self.folder.path().join("heard"));
        command.args(arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut told = BufReader::new(child.stderr.take().unwrap());
        let mut stderr = String::new();
        told.read_line(&mut stderr).unwrap();
        if stderr.starts_with("listening on ") {
            self.theirs.write_all(sent).unwrap();
            then(child.id());
        }
        told.read_to_string(&mut stderr).unwrap();
        let output = child.wait_with_output().unwrap();
        Said {
            code: output.status.code().unwrap(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr,
        }
    }
}

#[test]
fn what_a_machine_says_is_judged_as_in_the_emulator() {
    let line = Line::new();
    let sent = line.captured(CELL);
    let listen = |arguments: &[&str]| line.listen(arguments, &sent, |_| {});

    let right = listen(&["--cell", CELL]);
    assert_eq!(right.code, 0, "{}{}", right.stdout, right.stderr);
    let heard = right.json();
    assert_eq!(heard["verdict"], "as-expected");
    assert_eq!(heard["observation"]["outcome"]["stage"], "ended");
    assert!(
        right
            .stderr
            .contains("the probe began: load-counts/-/none,count=4/-/reference, catalog slot 1"),
        "{}",
        right.stderr
    );

    let wrong = listen(&["--cell", OTHER]);
    assert_eq!(wrong.code, 1, "{}{}", wrong.stdout, wrong.stderr);
    assert_eq!(wrong.json()["verdict"], "mismatch");
    let reason = wrong.json()["reason"].to_string();
    assert!(
        reason.contains("the disc that was booted is load-counts/-/none,count=4/-/reference, not "),
        "{reason}"
    );

    let unknown = listen(&[]);
    assert_eq!(unknown.code, 0, "{}{}", unknown.stdout, unknown.stderr);
    assert_eq!(unknown.json()["verdict"], "observed");
    assert_eq!(
        unknown.json()["disc"],
        "load-counts/-/none,count=4/-/reference"
    );

    let iso = line.folder.path().join("disc.iso");
    let image = xtask(&["image", CELL, "--out", iso.to_str().unwrap()]);
    assert_eq!(image.code, 0, "{}", image.stderr);
    let manifest = format!("{}.json", iso.display());
    let held = listen(&["--manifest", &manifest]);
    assert_eq!(held.json()["verdict"], "observed");
    assert_eq!(held.json()["reason"], serde_json::json!([]));
}

#[test]
fn what_cannot_be_listened_to_is_told() {
    let refused = |arguments: &[&str], code: i32, why: &str| {
        let said = xtask(&[&["listen", "--format", "json"], arguments].concat());
        assert_eq!(said.code, code, "{}", said.stdout);
        assert_eq!(said.json()["schema"], "error/1");
        assert!(
            said.json()["message"].as_str().unwrap().contains(why),
            "{}",
            said.stdout
        );
    };
    refused(
        &["--port", "/dev/ttyNONE99"],
        2,
        "port /dev/ttyNONE99 does not exist",
    );
    let missing = xtask(&["listen", "--format", "json", "--port", "/dev/ttyNONE99"]).json();
    let remedy = missing["remedy"].as_str().unwrap();
    assert!(
        remedy.contains("driver") && remedy.contains("dialout"),
        "{remedy}"
    );
    refused(&["--port", "/dev/ttyNONE99", "--cell", "a/b"], 2, "parts");
    refused(
        &["--port", "/dev/ttyNONE99", "--timeout", "0"],
        2,
        "--timeout",
    );
    // This process has the other end, and this end too.
    let (_theirs, ours) = SerialPort::pair().unwrap();
    let port = fs::read_link(format!("/proc/self/fd/{}", ours.as_raw_fd())).unwrap();
    let by = format!("is in use by process {} (", std::process::id());
    refused(&["--port", port.to_str().unwrap()], 3, &by);
}

#[test]
fn whoever_ends_it_is_told_how_far_it_came() {
    let line = Line::new();
    let ended = line.listen(&["--timeout", "3600"], b"", |pid| {
        let pid = pid.to_string();
        let status = Command::new("kill").args(["-INT", &pid]).status().unwrap();
        assert!(status.success());
    });
    assert_eq!(ended.code, 3, "{}", ended.stderr);
    let message = ended.json()["message"].to_string();
    assert!(
        message.contains("it was interrupted, and nothing had come"),
        "{message}"
    );
    assert!(line.folder.path().join("heard/infra.txt").exists());
}
