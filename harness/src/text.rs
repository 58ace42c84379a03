//! Serial bytes as text: escape sequences and control bytes taken away.

/// Turns bytes into text, as they come: a sequence may be cut anywhere.
#[derive(Clone, Debug, Default)]
pub struct Cleaner {
    text: String,
    state: State,
    /// The row that the last cursor movement named, counted on by line feeds.
    row: Option<u32>,
}

#[derive(Clone, Debug, Default)]
enum State {
    #[default]
    Text,
    Escape,
    /// Inside a control sequence (ECMA-48 §5.4), with its parameters so far.
    Control(String),
}

impl Cleaner {
    /// The text so far.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Takes more bytes.
    ///
    /// Carriage returns, other control bytes and escape sequences vanish; a cursor movement into
    /// another row begins a new line, because a program that draws a screen sends no line feeds.
    /// Bytes from 80h up stand as Latin-1 characters: nothing says which code page they are.
    pub fn push(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.state = match std::mem::take(&mut self.state) {
                State::Text => self.plain(byte),
                State::Escape if byte == b'[' => State::Control(String::new()),
                // Two-byte sequences, `ESC c` (reset) above all.
                State::Escape => State::Text,
                State::Control(mut parameters) => match byte {
                    0x20..0x40 if parameters.len() < 32 => {
                        parameters.push(char::from(byte));
                        State::Control(parameters)
                    }
                    0x1B => State::Escape,
                    _ => {
                        if matches!(byte, b'H' | b'f') {
                            self.move_to(&parameters);
                        }
                        State::Text
                    }
                },
            };
        }
    }

    fn plain(&mut self, byte: u8) -> State {
        match byte {
            0x1B => return State::Escape,
            b'\n' => {
                self.text.push('\n');
                self.row = self.row.map(|row| row.saturating_add(1));
            }
            b'\t' => self.text.push('\t'),
            // Backspace: boot menus count down by overwriting.
            8 if !self.text.ends_with('\n') => {
                self.text.pop();
            }
            0..0x20 | 0x7F => {}
            _ => self.text.push(char::from(byte)),
        }
        State::Text
    }

    fn move_to(&mut self, parameters: &str) {
        let row = parameters
            .split(';')
            .next()
            .and_then(|row| row.parse().ok());
        let row = Some(row.unwrap_or(1));
        if self.row != row && !self.text.is_empty() && !self.text.ends_with('\n') {
            self.text.push('\n');
        }
        self.row = row;
    }
}

/// The text of a whole transcript.
#[must_use]
pub fn clean(bytes: &[u8]) -> String {
    let mut cleaner = Cleaner::default();
    cleaner.push(bytes);
    cleaner.text
}

/// Hands out whole lines of a growing text, each once.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Lines {
    taken: usize,
    /// Up to where no line ends after what was taken: a line may be long.
    searched: usize,
}

impl Lines {
    /// The lines that were completed since the last call.
    pub(crate) fn take<'a>(&mut self, text: &'a str) -> impl Iterator<Item = &'a str> + use<'a> {
        // A backspace may have shortened the text.
        let from = self.taken.min(text.len());
        let searched = self.searched.clamp(from, text.len());
        let new = text.get(searched..).unwrap_or_default();
        let end = new.rfind('\n').map_or(from, |end| searched + end + 1);
        let whole = text.get(from..end).unwrap_or_default();
        self.taken = end;
        self.searched = text.len();
        whole.lines()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_vanish_even_when_cut() {
        // The first bytes of SeaBIOS's serial console and of OVMF's.
        let whole = b"\x1bc\x1b[?7l\x1b[2J\x1b[0mSeaBIOS (version 1)\r\n\x1b[37m\x1b[40mBdsDxe\x1b[0;37m: x\r\n";
        let expected = "SeaBIOS (version 1)\nBdsDxe: x\n";
        assert_eq!(clean(whole), expected);
        for cut in 0..whole.len() {
            let mut cleaner = Cleaner::default();
            cleaner.push(&whole[..cut]);
            cleaner.push(&whole[cut..]);
            assert_eq!(cleaner.text(), expected, "cut at {cut}");
        }
    }

    #[test]
    fn another_row_is_another_line() {
        assert_eq!(
            clean(b"\x1b[3;1Hone\x1b[3;9H two\x1b[5;1Hthree"),
            "one two\nthree"
        );
    }

    #[test]
    fn lines_come_once_and_only_whole() {
        let mut lines = Lines::default();
        assert_eq!(lines.take("one\ntw").collect::<Vec<_>>(), ["one"]);
        assert_eq!(lines.take("one\ntwo").count(), 0);
        assert_eq!(lines.take("one\ntwo\n").collect::<Vec<_>>(), ["two"]);
    }
}
