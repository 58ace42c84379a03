//! Text for people: coloured where that is wanted, and harmless wherever it comes from.

use std::{
    borrow::Cow,
    fmt::Display,
    io::{self, IsTerminal, Write},
};

use anstream::{AutoStream, ColorChoice, stream::RawStream};
use anstyle::{AnsiColor, Style};
use clap::builder::Styles;

/// What is as it should be.
pub const GOOD: Style = AnsiColor::Green.on_default();
/// What is not.
pub const BAD: Style = AnsiColor::Red.on_default().bold();
/// What could not be seen, or asks for attention.
pub const CAUTION: Style = AnsiColor::Yellow.on_default();
/// What a person types.
pub const TYPED: Style = AnsiColor::Cyan.on_default();
/// What heads a table or a section.
pub const HEAD: Style = Style::new().bold();
/// What is there for completeness.
pub const FAINT: Style = Style::new().dimmed();

/// The same for what clap prints.
pub const HELP: Styles = Styles::styled()
    .header(HEAD)
    .usage(HEAD)
    .literal(TYPED)
    .error(BAD)
    .valid(GOOD)
    .invalid(CAUTION);

/// No line of a table is longer: so wide a terminal is at least.
pub const WIDTH: usize = 80;

/// Where text for people goes. What is written is shown, and nothing of it obeyed: a guest, a disc or a tool may have sent control
/// characters. Colours come from [`Terminal::paint`] alone, and only where they are wanted: not in a file or a pipe,
/// not with `NO_COLOR` or `TERM=dumb`, and always with `CLICOLOR_FORCE`.
#[derive(Debug)]
pub struct Terminal<W> {
    to: W,
    coloured: bool,
}

/// A line on standard error, besides what is asked for. Where it cannot be written, on a full disk or because nobody reads, the
/// run goes on without it; `eprintln!` would end it.
#[macro_export]
macro_rules! remark {
    ($($text:tt)*) => {
        // Nobody is left to tell.
        drop(std::io::Write::write_fmt(
            &mut $crate::terminal::stderr(),
            format_args!("{}\n", format_args!($($text)*)),
        ))
    };
}

/// Standard output, for programs. Whoever closes the pipe has read enough: that is no error, and the exit code is what it would have been.
#[derive(Debug)]
pub struct Answer(io::StdoutLock<'static>);

/// Standard output, for programs.
pub fn answer() -> Answer {
    Answer(io::stdout().lock())
}

impl Write for Answer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        or_enough(self.0.write(bytes), bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        or_enough(self.0.flush(), ())
    }
}

/// What was written, which is enough where nobody reads any more.
pub(crate) fn or_enough<T>(written: io::Result<T>, enough: T) -> io::Result<T> {
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(enough),
        written => written,
    }
}

/// Standard output, for people.
pub fn stdout() -> Terminal<Answer> {
    Terminal {
        coloured: AutoStream::choice(&io::stdout()) != ColorChoice::Never,
        to: answer(),
    }
}

/// Standard error.
pub fn stderr() -> Terminal<io::StderrLock<'static>> {
    Terminal::new(io::stderr().lock())
}

/// Whether somebody watches standard error, on a terminal where lines can be drawn again.
pub fn is_watched() -> bool {
    io::stderr().is_terminal() && std::env::var_os("TERM").is_some_and(|term| term != "dumb")
}

impl<W: Write + RawStream> Terminal<W> {
    fn new(to: W) -> Self {
        let coloured = AutoStream::choice(&to) != ColorChoice::Never;
        Self { to, coloured }
    }
}

impl Terminal<Vec<u8>> {
    /// Text that is kept.
    pub const fn in_memory(coloured: bool) -> Self {
        Self {
            to: Vec::new(),
            coloured,
        }
    }

    /// What was written.
    pub fn into_text(self) -> String {
        String::from_utf8_lossy(&self.to).into_owned()
    }
}

impl<W: Write> Terminal<W> {
    /// Writes text in a style.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn paint(&mut self, style: Style, text: impl Display) -> io::Result<()> {
        if !self.coloured {
            return write!(self, "{text}");
        }
        write!(self.to, "{style}")?;
        write!(self, "{text}")?;
        write!(self.to, "{style:#}")
    }
}

impl<W: Write> Write for Terminal<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for chunk in bytes.utf8_chunks() {
            self.to.write_all(harmless(chunk.valid()).as_bytes())?;
            for byte in chunk.invalid() {
                write!(self.to, "\\x{byte:02x}")?;
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// Text in which control characters stand as `\u{1b}`, and those that turn the direction of writing too; line feeds and tabs remain.
pub fn harmless(text: &str) -> Cow<'_, str> {
    let is_harmful = |c: char| match c {
        '\n' | '\t' => false,
        // Unicode TR #36 §2.8: text that is shown in another order than it stands.
        '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => true,
        _ => c.is_control(),
    };
    if !text.contains(is_harmful) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_harmful(c) {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    Cow::Owned(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a guest may send to do something to a terminal: ECMA-48's escape, its one-character control sequence introducer, the
    /// bell, a line that overwrites itself, a title, text that runs backwards.
    const HOSTILE: &str = "\x1b[2J\u{9b}31m\x07\rgone\x08\x7f\x1b]0;title\x07\u{202e}";

    fn written(coloured: bool, write: impl Fn(&mut Terminal<Vec<u8>>)) -> String {
        let mut terminal = Terminal::in_memory(coloured);
        write(&mut terminal);
        terminal.into_text()
    }

    #[test]
    fn nothing_of_a_guest_is_obeyed() {
        let shown = "\\u{1b}[2J\\u{9b}31m\\u{7}\\rgone\\u{8}\\u{7f}\\u{1b}]0;title\\u{7}\\u{202e}";
        let as_text = |to: &mut Terminal<Vec<u8>>| write!(to, "{HOSTILE}").unwrap();
        assert_eq!(written(true, as_text), shown);
        assert_eq!(
            written(true, |to| to.paint(BAD, HOSTILE).unwrap()),
            format!("{BAD}{shown}{BAD:#}")
        );
        // A C1 control character as UTF-8, and as the single byte that no UTF-8 has.
        let as_bytes = |to: &mut Terminal<Vec<u8>>| to.write_all(b"\xc2\x9b \x9b").unwrap();
        assert_eq!(written(true, as_bytes), "\\u{9b} \\x9b");
    }

    #[test]
    fn text_stays_as_it_is() {
        let text = "→ 1\t…\n2 é";
        assert_eq!(written(false, |to| to.paint(GOOD, text).unwrap()), text);
        assert!(matches!(harmless(text), Cow::Borrowed(_)));
    }
}
