//! Talking to a boot loader over a running machine's serial line: wait for a text, type an answer.
//!
//! A script is lines of text: `expect REGEX` or `send TEXT`, in order; blank lines and lines that begin with
//! `#` are passed over. In TEXT `\r`, `\n`, `\t`, `\e` (escape) and `\\` stand for what they say; nothing is
//! added to it, so a command ends with `\r`, the byte that the Enter key sends.

use std::{
    io::{self, Read, Write},
    net::Shutdown,
    os::{fd::AsFd, unix::net::UnixStream},
    sync::mpsc::{Receiver, Sender, channel},
    thread,
    time::{Duration, Instant},
};

use rexpect::{reader::Options, session::StreamSession};
use rustix::{
    io::Errno,
    net::{RecvFlags, recv},
};

use crate::machine::{Event, Machine};

/// One step of a dialogue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Wait until this regular expression matches what came since the last match.
    Expect(String),
    /// Type these bytes.
    Send(String),
}

/// A dialogue as written in a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dialogue {
    /// Its steps, in order.
    pub steps: Vec<Step>,
}

/// A script that is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the dialogue {what}")]
pub struct ScriptError {
    /// 1-based.
    pub line: usize,
    what: String,
}

/// A dialogue that did not go as written.
#[derive(Debug, thiserror::Error)]
#[error("step {number} of the dialogue, {step:?}, failed: {reason}")]
pub struct DialogueError {
    /// 1-based.
    pub number: usize,
    /// The step.
    pub step: Step,
    /// What went wrong, with what came instead.
    pub reason: String,
}

impl Dialogue {
    /// Reads a script.
    ///
    /// # Errors
    /// A line is neither blank, a comment, `expect` nor `send`, or its argument is wrong.
    pub fn parse(script: &str) -> Result<Self, ScriptError> {
        let mut steps = Vec::new();
        for (line, text) in (1..).zip(script.lines()) {
            let text = text.trim_start();
            if text.is_empty() || text.starts_with('#') {
                continue;
            }
            let error = |what: String| ScriptError { line, what };
            let (verb, argument) = text.split_once(' ').unwrap_or((text, ""));
            if argument.is_empty() {
                return Err(error(format!("has nothing after {verb:?}")));
            }
            steps.push(match verb {
                "expect" => {
                    regex::Regex::new(argument)
                        .map_err(|wrong| error(format!("has no regular expression: {wrong}")))?;
                    Step::Expect(argument.to_owned())
                }
                "send" => Step::Send(unescape(argument).map_err(error)?),
                _ => return Err(error(format!("begins with {verb:?}, not expect or send"))),
            });
        }
        Ok(Self { steps })
    }

    /// Holds the dialogue with a running machine; each `expect` waits for at most `patience`. Gives back every
    /// byte that the machine sent meanwhile, also those before a failure.
    pub fn hold(
        &self,
        machine: &mut Machine,
        patience: Duration,
    ) -> (Vec<u8>, Result<(), DialogueError>) {
        let mut transcript = Vec::new();
        let result = self.hold_recorded(machine, patience, &mut transcript);
        (transcript, result)
    }

    fn hold_recorded(
        &self,
        machine: &mut Machine,
        patience: Duration,
        transcript: &mut Vec<u8>,
    ) -> Result<(), DialogueError> {
        let failed = |number: usize, reason: String| {
            let step = self.steps.get(number).cloned();
            DialogueError {
                number: number + 1,
                step: step.unwrap_or_else(|| Step::Send(String::new())),
                reason,
            }
        };
        let (ours, theirs) = UnixStream::pair().map_err(|error| failed(0, error.to_string()))?;
        thread::scope(|scope| {
            let proxy = scope.spawn(|| relay(machine, &ours, transcript));
            let talked = self.talk(&theirs, patience);
            // Ends the relay, which sees the end of file.
            let _ = theirs.shutdown(Shutdown::Both);
            let relayed = proxy
                .join()
                .unwrap_or_else(|_| Err(io::Error::other("the relay panicked")));
            talked.map_err(|(number, reason)| match relayed {
                Ok(()) => failed(number, reason),
                Err(error) => failed(number, format!("{error}; {reason}")),
            })
        })
    }

    fn talk(&self, socket: &UnixStream, patience: Duration) -> Result<(), (usize, String)> {
        let clone = || socket.try_clone().map_err(|error| (0, error.to_string()));
        let (let_go, held) = channel();
        let reader = PatientReader {
            socket: clone()?,
            ended: false,
            held,
        };
        let milliseconds = u64::try_from(patience.as_millis()).unwrap_or(u64::MAX);
        let options = Options::new()
            .timeout_ms(Some(milliseconds))
            .strip_ansi_escape_codes(true);
        let mut talk = Talk {
            session: StreamSession::new(reader, clone()?, options),
            _let_go: let_go,
        };
        for (number, step) in self.steps.iter().enumerate() {
            let result = match step {
                Step::Expect(pattern) => talk.session.exp_regex(pattern).map(|_| ()),
                Step::Send(text) => talk.session.send(text).and_then(|_| talk.session.flush()),
            };
            result.map_err(|error| (number, error.to_string()))?;
        }
        Ok(())
    }
}

/// A session and what holds its reader back after the end; the session goes first.
struct Talk {
    session: StreamSession<UnixStream>,
    _let_go: Sender<()>,
}

/// The reader that rexpect's thread reads. That thread reads on after the end of file, in a busy loop: so the end is
/// told once, and the next call waits until the session is gone.
struct PatientReader {
    socket: UnixStream,
    ended: bool,
    held: Receiver<()>,
}

impl Read for PatientReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.ended {
            // Nothing is ever sent: this returns when the other side is dropped.
            let _ = self.held.recv();
        }
        let count = self.socket.read(buffer)?;
        self.ended = count == 0;
        Ok(count)
    }
}

/// Carries bytes between the machine's serial line and the session, until either ends.
fn relay(machine: &mut Machine, socket: &UnixStream, transcript: &mut Vec<u8>) -> io::Result<()> {
    // The session has the deadlines; this ends with it.
    let never = Instant::now() + Duration::from_secs(24 * 3600);
    let result = relay_until(machine, socket, transcript, never);
    // A session that still waits learns so that nothing more comes.
    let _ = socket.shutdown(Shutdown::Both);
    result
}

fn relay_until(
    machine: &mut Machine,
    mut socket: &UnixStream,
    transcript: &mut Vec<u8>,
    deadline: Instant,
) -> io::Result<()> {
    let mut buffer = [0; 1024];
    loop {
        match machine.next_event_unless(socket.as_fd(), deadline)? {
            Some(Event::Serial(bytes)) => {
                transcript.extend_from_slice(&bytes);
                if socket.write_all(&bytes).is_err() {
                    return Ok(());
                }
            }
            Some(Event::Exited(status)) => {
                return Err(io::Error::other(format!("QEMU ended ({status})")));
            }
            Some(Event::Debug(_) | Event::Qmp(_)) => {}
            None if machine.is_gone() => return Ok(()),
            None => {}
        }
        // Asked for each time: a machine that never pauses must not keep the answer from being typed.
        match recv(socket, &mut buffer, RecvFlags::DONTWAIT) {
            Ok((0, _)) => return Ok(()),
            Ok((count, _)) => machine.serial().send(&buffer[..count])?,
            Err(Errno::AGAIN | Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

fn unescape(text: &str) -> Result<String, String> {
    let mut plain = String::new();
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            plain.push(character);
            continue;
        }
        plain.push(match characters.next() {
            Some('r') => '\r',
            Some('n') => '\n',
            Some('t') => '\t',
            Some('e') => '\x1B',
            Some('\\') => '\\',
            other => {
                let other = other.map(String::from).unwrap_or_default();
                return Err(format!(
                    "has an unknown escape \\{other}: use \\r \\n \\t \\e \\\\"
                ));
            }
        });
    }
    Ok(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_is_steps() {
        let script = "# GRUB\n\nexpect grub> ?\nsend ls -l\\r\n  send \\e\\\\\n";
        assert_eq!(
            Dialogue::parse(script).expect("parsed").steps,
            [
                Step::Expect("grub> ?".into()),
                Step::Send("ls -l\r".into()),
                Step::Send("\x1B\\".into())
            ]
        );
    }

    #[test]
    fn a_wrong_line_is_named() {
        for (script, line) in [
            ("expect (", 1),
            ("\nsay hello", 2),
            ("send \\x", 1),
            ("send x\nexpect", 2),
        ] {
            assert_eq!(
                Dialogue::parse(script).expect_err("wrong").line,
                line,
                "{script}"
            );
        }
    }
}
