//! One short question to a program, with limits on its time and its output.

use std::{
    ffi::OsStr,
    io::{self, Write},
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    thread,
    time::{Duration, Instant},
};

use crate::child::{die_with_parent, forward, tell_end};

/// More than any expected answer; a program that prints more is not the expected one.
const MAX_ANSWER: usize = 4 << 20;

/// The output of a program that ended by itself.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
    pub(crate) elapsed: Duration,
}

impl Answer {
    /// Standard error as one line, for a message.
    pub(crate) fn complaint(&self) -> String {
        let text = String::from_utf8_lossy(&self.stderr);
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AskError {
    #[error("could not be started: {0}")]
    Start(#[source] io::Error),
    #[error("had not ended after {} ms", .0.as_millis())]
    Deadline(Duration),
    #[error("said more than {MAX_ANSWER} bytes")]
    TooMuch,
    #[error("could not be waited for: {0}")]
    Wait(#[source] io::Error),
}

enum Event {
    Stdout(Vec<u8>),
    Stderr(Vec<u8>),
    Closed,
    Ended,
}

/// Runs `program` in `directory` with `input` on its standard input, until it has ended and closed
/// its outputs, or until `deadline` has passed. It is always killed and reaped on return; if this
/// process is killed first, the program is killed too.
pub(crate) fn ask(
    program: &Path,
    args: &[impl AsRef<OsStr>],
    directory: &Path,
    input: &'static [u8],
    deadline: Duration,
) -> Result<Answer, AskError> {
    let mut command = Command::new(program);
    command
        .args(args)
        .current_dir(directory)
        .env("LC_ALL", "C")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    die_with_parent(&mut command);
    let started = Instant::now();
    let mut child = Reaped(command.spawn().map_err(AskError::Start)?);
    let events = listen(&mut child.0, input);

    let (mut stdout, mut stderr, mut open) = (Vec::new(), Vec::new(), 3);
    while open > 0 {
        let left = deadline.saturating_sub(started.elapsed());
        match events.recv_timeout(left) {
            Ok(Event::Stdout(bytes)) => stdout.extend(bytes),
            Ok(Event::Stderr(bytes)) => stderr.extend(bytes),
            Ok(Event::Closed | Event::Ended) => open -= 1,
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                return Err(AskError::Deadline(deadline));
            }
        }
        if stdout.len() + stderr.len() > MAX_ANSWER {
            return Err(AskError::TooMuch);
        }
    }
    let elapsed = started.elapsed();
    let status = child.0.wait().map_err(AskError::Wait)?;
    Ok(Answer {
        status,
        stdout,
        stderr,
        elapsed,
    })
}

struct Reaped(Child);

impl Drop for Reaped {
    fn drop(&mut self) {
        // Both fail only for a child that was already reaped.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn listen(child: &mut Child, input: &'static [u8]) -> Receiver<Event> {
    let (events, receiver) = channel();
    if let Some(mut stdin) = child.stdin.take() {
        // A program that does not read its input is not an error here.
        thread::spawn(move || stdin.write_all(input));
    }
    if let Some(stdout) = child.stdout.take() {
        forward(stdout, events.clone(), Event::Stdout, Event::Closed);
    }
    if let Some(stderr) = child.stderr.take() {
        forward(stderr, events.clone(), Event::Stderr, Event::Closed);
    }
    tell_end(child, events, Event::Ended);
    receiver
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str, deadline_ms: u64) -> Result<Answer, AskError> {
        ask(
            Path::new("/bin/sh"),
            &["-c", script],
            Path::new("/"),
            b"hello\n",
            Duration::from_millis(deadline_ms),
        )
    }

    #[test]
    fn an_answer_has_both_outputs_and_the_status() {
        let answer = sh("read x; echo \"$x\"; echo no >&2; exit 3", 5_000).unwrap();
        assert_eq!(answer.stdout, b"hello\n");
        assert_eq!(answer.complaint(), "no");
        assert_eq!(answer.status.code(), Some(3));
    }

    #[test]
    fn a_program_that_never_ends_meets_its_deadline() {
        let asked = Instant::now();
        assert!(matches!(
            sh("exec tail -f /dev/null", 50),
            Err(AskError::Deadline(_))
        ));
        assert!(asked.elapsed() < Duration::from_secs(5));
    }

    #[test]
    fn a_program_that_never_stops_talking_is_cut_off() {
        assert!(matches!(sh("exec yes", 60_000), Err(AskError::TooMuch)));
    }

    #[test]
    fn a_program_that_is_not_there_could_not_be_started() {
        let none = ask(
            Path::new("/nonexistent"),
            &[""; 0],
            Path::new("/"),
            b"",
            Duration::ZERO,
        );
        assert!(matches!(none, Err(AskError::Start(_))));
    }
}
