//! Talking to what a disc boots, through its menu and on: wait for a text, type an answer.
//!
//! A dialogue is TOML, a `[[step]]` for each thing to do or to wait for, in order:
//!
//! ```toml
//! [[step]]
//! screen = "GNU GRUB +version"
//!
//! [[step]]
//! key = "c"
//!
//! [[step]]
//! type = "ls\n"
//!
//! [[step]]
//! screen = '\(cd\)'
//! within = 10
//! ```

mod ear;
mod keys;
mod talk;

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use regex::Regex;
use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

pub use self::keys::Chord;
pub(crate) use self::talk::{Progress, Talk};
use crate::toml_file::{self, Location, SyntaxError};

/// No step may be waited for any longer, in seconds.
const LONGEST: f64 = 3600.0;

/// What to do and what to wait for, in order; at least one step.
#[derive(Clone, Debug)]
pub struct Dialogue {
    steps: Vec<Step>,
}

/// One step of a dialogue.
#[derive(Clone, Debug)]
pub struct Step {
    /// What to do or to wait for.
    pub action: Action,
    /// How long to wait, where the step says it.
    pub within: Option<Duration>,
    /// As it stands in the file: `expect = "grub> "`.
    written: String,
    /// The text that it sends or types, without the line's end: an echo of it is nobody's answer.
    typed: Option<String>,
}

/// What a step does or waits for.
#[derive(Clone, Debug)]
pub enum Action {
    /// Wait until this matches in what came on the serial line since the last match: its text, lines ended by a line feed
    /// alone, without escape sequences.
    Expect(Regex),
    /// Send this on the serial line.
    Send(String),
    /// Press these keys, one after the other.
    Keys(Vec<Chord>),
    /// Wait until this matches the text on the screen: 25 lines or more, without trailing blanks.
    Screen(Regex),
}

/// A dialogue that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum DialogueError {
    /// The file cannot be read.
    #[error("cannot read the dialogue {}: {cause}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why. Not the error's source: it would be printed twice with the sources.
        cause: io::Error,
    },
    /// It is no dialogue: with file, line and column.
    #[error(transparent)]
    Syntax(#[from] SyntaxError),
}

impl Dialogue {
    /// Reads a dialogue from a file.
    ///
    /// # Errors
    /// The file cannot be read, or is no dialogue.
    pub fn read(path: &Path) -> Result<Self, DialogueError> {
        let text = fs::read_to_string(path).map_err(|cause| DialogueError::Io {
            path: path.to_owned(),
            cause,
        })?;
        Ok(Self::parse(path, &text)?)
    }

    /// Reads a dialogue's text. The path is only for messages.
    ///
    /// # Errors
    /// It is no dialogue: with line and column.
    pub fn parse(path: &Path, text: &str) -> Result<Self, SyntaxError> {
        let at = |place| Location::of(path, text, Some(place));
        let file: DialogueFile = toml_file::read(path, text)?;
        if file.step.is_empty() {
            return Err(SyntaxError {
                at: Location::of(path, text, None),
                message: "it contains no [[step]]".to_owned(),
            });
        }
        let read = |decl: Spanned<StepDecl>| {
            let whole = decl.span();
            let step = Step::read(decl.into_inner());
            step.map_err(|Wrong { place, message }| SyntaxError {
                at: at(place.unwrap_or(whole)),
                message,
            })
        };
        let steps = file.step.into_iter().map(read).collect::<Result<_, _>>()?;
        Ok(Self { steps })
    }

    /// The steps, in order.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The texts that it sends and types, without the ends of their lines.
    pub(crate) fn typed(&self) -> Vec<&str> {
        let typed = self.steps.iter().filter_map(|step| step.typed.as_deref());
        typed.filter(|text| !text.is_empty()).collect()
    }

    /// How long the whole may take, where a step that says nothing is waited for so long.
    #[must_use]
    pub fn longest(&self, patience: Duration) -> Duration {
        let waits = self.steps.iter().filter(|step| step.waits());
        waits.map(|step| step.within.unwrap_or(patience)).sum()
    }
}

impl Step {
    fn read(decl: StepDecl) -> Result<Self, Wrong> {
        let within = decl.within.map(seconds).transpose()?;
        let sent = decl.r#type.as_ref().or(decl.send.as_ref());
        let sent = sent.map(|text| text.get_ref().trim_end().to_owned());
        let given = [
            decl.expect.map(expect),
            decl.send.map(send),
            decl.key.map(key),
            decl.keys.map(keys),
            decl.r#type.map(typed),
            decl.screen.map(screen),
        ];
        let mut given = given.into_iter().flatten();
        let (Some(action), None) = (given.next(), given.next()) else {
            return Err(Wrong::somewhere(
                "a step has one of expect, send, key, keys, type and screen: no more and no less",
            ));
        };
        let (action, written) = action?;
        let step = Self {
            action,
            within,
            written,
            typed: sent,
        };
        if step.within.is_some() && !step.waits() {
            return Err(Wrong::somewhere(
                "within goes with expect and screen: nothing else is waited for",
            ));
        }
        Ok(step)
    }

    /// Whether it waits for something.
    const fn waits(&self) -> bool {
        matches!(self.action, Action::Expect(_) | Action::Screen(_))
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}

/// A dialogue: actions and expected output, in order.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct DialogueFile {
    /// The steps.
    #[schemars(with = "Vec<StepDecl>")]
    step: Vec<Spanned<StepDecl>>,
}

/// One step: `expect`, `send`, `key`, `keys`, `type` or `screen`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct StepDecl {
    /// Wait until this regular expression matches the serial output since the last match.
    #[schemars(with = "Option<String>")]
    expect: Option<Spanned<String>>,
    /// Send this text on the serial line. Nothing is added to it: a command ends with `\r`, the byte of the Enter key.
    #[schemars(with = "Option<String>")]
    send: Option<Spanned<String>>,
    /// Press this key of the emulated keyboard, by QEMU's name for it: `ret`, `down`, `ctrl-x`.
    #[schemars(with = "Option<String>")]
    key: Option<Spanned<String>>,
    /// Press these keys, one after the other.
    #[schemars(with = "Option<Vec<String>>")]
    keys: Option<Vec<Spanned<String>>>,
    /// Type this text on the emulated US keyboard. `\n` is the Enter key.
    #[schemars(with = "Option<String>")]
    r#type: Option<Spanned<String>>,
    /// Wait until this regular expression matches the text on the screen.
    #[schemars(with = "Option<String>")]
    screen: Option<Spanned<String>>,
    /// How many seconds to wait. Absent: 30, and half of that with KVM.
    #[schemars(with = "Option<f64>")]
    within: Option<Spanned<f64>>,
}

/// The JSON Schema of dialogues, as it is kept in the repository.
#[must_use]
pub fn json_schema() -> String {
    let schema = schemars::schema_for!(DialogueFile);
    // A schema is plain JSON: it has no map with keys that are not strings.
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}

/// What is wrong with a step, and where; nowhere: with the step as a whole.
struct Wrong {
    place: Option<std::ops::Range<usize>>,
    message: String,
}

impl Wrong {
    fn somewhere(message: &str) -> Self {
        Self {
            place: None,
            message: message.to_owned(),
        }
    }

    fn at<T>(place: &Spanned<T>, message: String) -> Self {
        Self {
            place: Some(place.span()),
            message,
        }
    }
}

/// What a step does, and how it is written.
type Read = Result<(Action, String), Wrong>;

fn expect(text: Spanned<String>) -> Read {
    let written = format!("expect = {:?}", text.get_ref());
    Ok((Action::Expect(pattern("expect", &text)?), written))
}

fn screen(text: Spanned<String>) -> Read {
    let written = format!("screen = {:?}", text.get_ref());
    Ok((Action::Screen(pattern("screen", &text)?), written))
}

fn send(text: Spanned<String>) -> Read {
    let written = format!("send = {:?}", text.get_ref());
    Ok((Action::Send(something("send", text)?), written))
}

fn key(text: Spanned<String>) -> Read {
    let written = format!("key = {:?}", text.get_ref());
    Ok((Action::Keys(vec![chord(&text)?]), written))
}

fn keys(texts: Vec<Spanned<String>>) -> Read {
    if texts.is_empty() {
        return Err(Wrong::somewhere("keys is empty: name at least one key"));
    }
    let names: Vec<&String> = texts.iter().map(Spanned::get_ref).collect();
    let written = format!("keys = {names:?}");
    let chords = texts.iter().map(chord).collect::<Result<_, _>>()?;
    Ok((Action::Keys(chords), written))
}

fn typed(text: Spanned<String>) -> Read {
    let written = format!("type = {:?}", text.get_ref());
    let key = |c: char| {
        Chord::of_character(c).ok_or_else(|| {
            let what =
                format!("no key of a US keyboard types {c:?}: use key, or send on the serial line");
            Wrong::at(&text, what)
        })
    };
    let chords = text.get_ref().chars().map(key).collect::<Result<_, _>>()?;
    something("type", text)?;
    Ok((Action::Keys(chords), written))
}

fn something(key: &str, text: Spanned<String>) -> Result<String, Wrong> {
    if text.get_ref().is_empty() {
        return Err(Wrong::at(&text, format!("{key} is empty")));
    }
    Ok(text.into_inner())
}

fn chord(text: &Spanned<String>) -> Result<Chord, Wrong> {
    Chord::parse(text.get_ref()).map_err(|what| Wrong::at(text, what))
}

fn pattern(key: &str, text: &Spanned<String>) -> Result<Regex, Wrong> {
    let wrong = |what: &str| {
        Wrong::at(
            text,
            format!("{key} is not a valid regular expression: {what}"),
        )
    };
    match Regex::new(text.get_ref()) {
        Ok(pattern) if pattern.is_match("") => Err(Wrong::at(
            text,
            format!("{key} matches nothing at all, and so waits for nothing"),
        )),
        Ok(pattern) => Ok(pattern),
        Err(error) => {
            // The lines before the last draw the pattern.
            let error = error.to_string();
            let why = error.lines().last().unwrap_or_default();
            Err(wrong(why.trim_start_matches("error: ")))
        }
    }
}

fn seconds(within: Spanned<f64>) -> Result<Duration, Wrong> {
    let seconds = *within.get_ref();
    if seconds > 0.0 && seconds <= LONGEST {
        Ok(Duration::from_secs_f64(seconds))
    } else {
        let what =
            format!("within is {seconds}: it counts seconds, more than 0 and at most {LONGEST}");
        Err(Wrong::at(&within, what))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Dialogue, String> {
        Dialogue::parse(Path::new("d.toml"), text).map_err(|error| error.to_string())
    }

    fn refused(text: &str, why: &str) {
        assert_eq!(parse(text).expect_err(text), why);
    }

    #[test]
    fn steps_are_as_they_are_written() {
        let text = "[[step]]\nexpect = 'grub> ?'\nwithin = 2\n[[step]]\nsend = \"ls\\r\"\n\
                    [[step]]\nkey = 'ret'\n[[step]]\nkeys = ['e', 'ctrl-x']\n[[step]]\ntype = \"L\\n\"\n\
                    [[step]]\nscreen = 'x+'\nwithin = 0.5";
        let dialogue = parse(text).expect("parsed");
        let written: Vec<String> = dialogue.steps().iter().map(Step::to_string).collect();
        assert_eq!(
            written,
            [
                "expect = \"grub> ?\"",
                "send = \"ls\\r\"",
                "key = \"ret\"",
                "keys = [\"e\", \"ctrl-x\"]",
                "type = \"L\\n\"",
                "screen = \"x+\"",
            ]
        );
        assert_eq!(
            dialogue.longest(Duration::from_secs(30)),
            Duration::from_millis(2500)
        );
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        refused("", "d.toml:1:1: it contains no [[step]]");
        refused("step = []", "d.toml: it contains no [[step]]");
        refused(
            "[[step]]\nexpect = 'a'\n\n[[step]]\nsay = 'b'",
            "d.toml:5:1: step[1].say: no key is called \"say\": use one of expect, send, key, keys, type, screen, within",
        );
        refused(
            "[[step]]\n  expect = '('",
            "d.toml:2:12: expect is not a valid regular expression: unclosed group",
        );
        refused(
            "[[step]]\nscreen = '.*'",
            "d.toml:2:10: screen matches nothing at all, and so waits for nothing",
        );
        refused(
            "[[step]]\nkeys = ['e', 'ctlr-x']",
            "d.toml:2:14: no key is called \"ctlr\"; did you mean ctrl or ctrl_r?",
        );
        refused(
            "[[step]]\ntype = 'caf\u{e9}'",
            "d.toml:2:8: no key of a US keyboard types '\u{e9}': use key, or send on the serial line",
        );
        refused(
            "[[step]]\nexpect = 'a'\nwithin = -1",
            "d.toml:3:10: within is -1: it counts seconds, more than 0 and at most 3600",
        );
        let one = "a step has one of expect, send, key, keys, type and screen: no more and no less";
        refused("[[step]]\nwithin = 1", &format!("d.toml:1:1: {one}"));
        refused(
            "[[step]]\nexpect = 'a'\nsend = 'b'",
            &format!("d.toml:1:1: {one}"),
        );
        refused(
            "[[step]]\nsend = 'b'\nwithin = 1",
            "d.toml:1:1: within goes with expect and screen: nothing else is waited for",
        );
        refused("[[step]]\nsend = ''", "d.toml:2:8: send is empty");
    }
}
