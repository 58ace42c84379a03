//! Serial bytes as text: UTF-8, with escape sequences applied and control bytes removed.

use std::str;

/// The longest parameters of a control sequence that are parsed: two numbers.
const PARAMETERS: usize = 32;

/// Turns bytes into text as they come: a sequence or a character may be split anywhere.
///
/// Time and memory are linear in the bytes: it holds the text and a few unfinished bytes.
#[derive(Clone, Debug, Default)]
pub struct Cleaner {
    text: String,
    state: State,
    /// The first bytes of an incomplete character.
    unfinished: Unfinished,
    /// The row of the last cursor movement, plus the line feeds since.
    row: Option<u32>,
    /// Whether each of the two character sets that SO and SI select draws lines, and which set is used.
    draws_lines: [bool; 2],
    shifted: bool,
}

#[derive(Clone, Debug, Default)]
enum State {
    #[default]
    Text,
    Escape,
    /// After an escape's intermediate byte (ECMA-35): mostly the choice of a character set, `ESC ( B`.
    Intermediate(u8),
    /// Inside a control sequence (ECMA-48 §5.4), with its parameters so far.
    Control(String),
    /// Inside a command that a terminal does not display, such as a title (`ESC ] … BEL`).
    Command {
        /// An operating system command (OSC). Two of Linux's end without a terminator.
        system: bool,
        /// Bytes so far.
        length: usize,
    },
    /// Inside Linux's command that sets a colour, with the number of hexadecimal digits left.
    Palette(u8),
}

/// Up to three bytes of a character of UTF-8.
#[derive(Clone, Copy, Debug, Default)]
struct Unfinished {
    bytes: [u8; 4],
    length: usize,
}

impl Cleaner {
    /// The text so far.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Takes more bytes.
    ///
    /// Carriage returns, other control characters and escape sequences are removed; a cursor movement into
    /// another row begins a new line, because a program that draws a screen sends no line feeds. Characters that are
    /// overwritten in their row stay: a countdown is kept whole.
    ///
    /// Bytes that are not UTF-8 become U+FFFD, as on a terminal: their code page is not known, and a wrong letter is worse than
    /// none. The serial consoles of SeaBIOS, GRUB, EDK2 (with OVMF's setting) and Linux all send UTF-8.
    pub fn push(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while let Some(&byte) = rest.first() {
            // Most output is plain text.
            let plain = match (&self.state, self.unfinished.length, self.is_drawing()) {
                (State::Text, 0, false) => {
                    let special = |byte: &u8| !matches!(byte, 0x20..0x7F);
                    rest.iter().position(special).unwrap_or(rest.len())
                }
                _ => 0,
            };
            if plain > 0 {
                let (text, after) = rest.split_at(plain);
                self.text.push_str(str::from_utf8(text).unwrap_or_default());
                rest = after;
            } else {
                self.byte(byte);
                rest = rest.split_at(1).1;
            }
        }
    }

    fn byte(&mut self, byte: u8) {
        if self.unfinished.length > 0 && byte < 0x80 {
            self.unfinished = Unfinished::default();
            self.text.push(char::REPLACEMENT_CHARACTER);
        }
        self.state = match (std::mem::take(&mut self.state), byte) {
            (State::Text, _) => self.plain(byte),
            // An escape ends any unfinished sequence, as do CAN and SUB.
            (_, 0x1B) => State::Escape,
            (_, 0x18 | 0x1A) => State::Text,
            // A line's end is never part of a command; otherwise an unterminated one would take all the text after it.
            (State::Command { .. } | State::Palette(_), b'\n') => self.plain(byte),
            (State::Command { .. }, 0x07) => State::Text,
            (State::Command { system, length }, _) => match (system, length, byte) {
                (true, 0, b'P') => State::Palette(7),
                (true, 0, b'R') => State::Text,
                _ => State::Command {
                    system,
                    length: length.saturating_add(1),
                },
            },
            (State::Palette(left), b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F') if left > 1 => {
                State::Palette(left - 1)
            }
            (State::Palette(_), b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F') => State::Text,
            (State::Palette(_), _) => self.plain(byte),
            // Control characters within a sequence count as if they came before it.
            (state, 0..0x20) => {
                self.plain(byte);
                state
            }
            (State::Escape, b'[') => State::Control(String::new()),
            (State::Escape, b']') => State::Command {
                system: true,
                length: 0,
            },
            // DCS, SOS, PM and APC.
            (State::Escape, b'P' | b'X' | b'^' | b'_') => State::Command {
                system: false,
                length: 0,
            },
            (State::Escape, 0x20..0x30) => State::Intermediate(byte),
            // Two-byte sequences. `ESC c` resets the terminal.
            (State::Escape, b'c') => {
                (self.draws_lines, self.shifted) = ([false; 2], false);
                State::Text
            }
            (State::Escape, 0x30..0x7F) => State::Text,
            (State::Intermediate(first), 0x20..0x30) => State::Intermediate(first),
            (State::Intermediate(first), 0x30..0x7F) => {
                match first {
                    b'(' => self.draws_lines[0] = byte == b'0',
                    b')' => self.draws_lines[1] = byte == b'0',
                    _ => {}
                }
                State::Text
            }
            (State::Control(mut parameters), 0x20..0x40) => {
                if parameters.len() < PARAMETERS {
                    parameters.push(char::from(byte));
                }
                State::Control(parameters)
            }
            (State::Control(parameters), 0x40..0x7F) => {
                if matches!(byte, b'H' | b'f') {
                    self.move_to(&parameters);
                }
                State::Text
            }
            (state, 0x7F) => state,
            // No sequence has such bytes: it was cut, and text continues.
            (_, 0x80..) => self.plain(byte),
        };
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
            0x0E => self.shifted = true,
            0x0F => self.shifted = false,
            0..0x20 | 0x7F => {}
            0x20..0x7F if self.is_drawing() => self.text.push(drawn(byte)),
            0x20..0x7F => self.text.push(char::from(byte)),
            0x80.. => self.beyond_ascii(byte),
        }
        State::Text
    }

    fn beyond_ascii(&mut self, byte: u8) {
        if self.unfinished.length > 0 && self.unfinished.with(byte).is_none() {
            // It does not belong to the bytes before it, and may begin a character.
            self.unfinished = Unfinished::default();
            self.text.push(char::REPLACEMENT_CHARACTER);
        }
        match self.unfinished.with(byte) {
            Some(Ok(character)) => {
                self.unfinished = Unfinished::default();
                // Control characters here too.
                if !character.is_control() {
                    self.text.push(character);
                }
            }
            Some(Err(unfinished)) => self.unfinished = unfinished,
            None => self.text.push(char::REPLACEMENT_CHARACTER),
        }
    }

    const fn is_drawing(&self) -> bool {
        let [first, second] = self.draws_lines;
        if self.shifted { second } else { first }
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

impl Unfinished {
    /// The character that a byte completes, or the unfinished bytes with it; `None` if it cannot follow.
    fn with(mut self, byte: u8) -> Option<Result<char, Self>> {
        *self.bytes.get_mut(self.length)? = byte;
        self.length += 1;
        match str::from_utf8(self.bytes.get(..self.length)?) {
            Ok(text) => text.chars().next().map(Ok),
            Err(error) if error.error_len().is_none() => Some(Err(self)),
            Err(_) => None,
        }
    }
}

/// The character that a terminal draws in its set of lines, DEC's special graphics.
const fn drawn(byte: u8) -> char {
    match byte {
        b'`' => '◆',
        b'a' => '▒',
        b'f' => '°',
        b'g' => '±',
        b'j' => '┘',
        b'k' => '┐',
        b'l' => '┌',
        b'm' => '└',
        b'n' => '┼',
        b'o' | b'p' | b'q' | b'r' | b's' => '─',
        b't' => '├',
        b'u' => '┤',
        b'v' => '┴',
        b'w' => '┬',
        b'x' => '│',
        b'y' => '≤',
        b'z' => '≥',
        b'{' => 'π',
        b'|' => '≠',
        b'}' => '£',
        b'~' => '·',
        _ => byte as char,
    }
}

/// The text of a whole transcript.
#[must_use]
pub fn clean(bytes: &[u8]) -> String {
    let mut cleaner = Cleaner::default();
    cleaner.push(bytes);
    cleaner.text
}

/// Returns complete lines of a growing text, each once.
#[derive(Clone, Copy, Debug, Default)]
pub struct Lines {
    taken: usize,
    /// There is no line end between the last taken line and this place: a line may be long.
    searched: usize,
}

impl Lines {
    /// The lines that were completed since the last call.
    pub fn take<'a>(&mut self, text: &'a str) -> impl Iterator<Item = &'a str> + use<'a> {
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

/// The end of a text, from the beginning of the line that is `overlap` bytes before `from`.
pub(crate) fn from_line_before(text: &str, from: usize, overlap: usize) -> &str {
    let at = text.floor_char_boundary(from.saturating_sub(overlap));
    let before = text.get(..at).unwrap_or_default();
    let start = before.rfind('\n').map_or(0, |end| end + 1);
    text.get(start..).unwrap_or_default()
}

/// Whether bytes contain others; empty bytes are never contained.
pub(crate) fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    !needle.is_empty()
        && haystack
            .windows(needle.len())
            .any(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Without control characters, the text equals Rust's conversion of the same bytes.
        #[test]
        fn any_bytes_are_decoded_as_utf8(bytes in proptest::collection::vec(0x20..=0xFF_u8, 0..64), cut in 0..64_usize) {
            let whole = [&bytes[..], b" "].concat();
            let (first, second) = whole.split_at(cut.min(whole.len()));
            let mut cleaner = Cleaner::default();
            cleaner.push(first);
            cleaner.push(second);
            let expected = String::from_utf8_lossy(&whole).replace(char::is_control, "");
            prop_assert_eq!(cleaner.text(), expected);
        }
    }

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

    /// The text of bytes, which does not depend on where they are split.
    fn however_cut(bytes: &[u8]) -> String {
        let whole = clean(bytes);
        for first in 0..=bytes.len() {
            for second in first..=bytes.len() {
                let mut cleaner = Cleaner::default();
                for piece in [&bytes[..first], &bytes[first..second], &bytes[second..]] {
                    cleaner.push(piece);
                }
                assert_eq!(cleaner.text(), whole, "cut at {first} and {second}");
            }
        }
        whole
    }

    #[test]
    fn serial_text_is_utf8_wherever_it_is_cut() {
        // Code page 437 from SeaBIOS's sercon, text from Linux, and characters beyond 16 bits.
        let text = "╔═╗ 448 MB ü – „Grüße“ \u{1F4BF}.";
        assert_eq!(however_cut(text.as_bytes()), text);
    }

    #[test]
    fn bytes_that_are_no_utf8_are_holes_and_nothing_around_them_is_lost() {
        assert_eq!(however_cut(b"a\xFCb"), "a\u{FFFD}b");
        assert_eq!(however_cut(b"\xE2\x95A"), "\u{FFFD}A");
        assert_eq!(however_cut(b"\xE2\xC3\xBC"), "\u{FFFD}ü");
        assert_eq!(however_cut(b"\x80\xC0\xF5\xFF"), "\u{FFFD}".repeat(4));
        // A surrogate, and an overlong encoding.
        assert_eq!(however_cut(b"\xED\xA0\x80."), "\u{FFFD}\u{FFFD}\u{FFFD}.");
        assert_eq!(however_cut(b"\xE2\x95\x1b[0m\x94"), "\u{FFFD}\u{FFFD}");
        // A control character as UTF-8.
        assert_eq!(however_cut(b"a\xC2\x85b"), "ab");
    }

    #[test]
    fn titles_and_character_sets_leave_no_text() {
        assert_eq!(however_cut(b"\x1b]0;root@host: ~\x07# "), "# ");
        assert_eq!(
            however_cut(b"\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\"),
            "link"
        );
        assert_eq!(however_cut(b"\x1bP1$r0m\x1b\\x\x1b_y\x1b\\z"), "xz");
        assert_eq!(
            however_cut(b"\x1b(B\x1b)0\x1b%G\x1b#8\x1b[?25l\x1b[!ptext"),
            "text"
        );
        // Linux's own commands, without a terminator.
        assert_eq!(however_cut(b"\x1b]P1aa00FFred\x1b]Rplain"), "redplain");
    }

    #[test]
    fn a_command_without_an_end_takes_one_line_and_no_more() {
        assert_eq!(however_cut(b"\x1b]0;never\nlogin: "), "\nlogin: ");
        assert_eq!(however_cut(b"\x1b]0;\x18login: "), "login: ");
        assert_eq!(however_cut(b"\x1b[1;2\xC3\xBCx"), "üx");
        assert_eq!(however_cut(b"\x1b[1\n;5Hx"), "\nx");
    }

    #[test]
    fn the_lines_of_vt100_are_drawn() {
        assert_eq!(however_cut(b"\x1b(0lqk\x1b(B lqk"), "┌─┐ lqk");
        assert_eq!(however_cut(b"\x1b)0\x0ex\x0fx"), "│x");
        assert_eq!(however_cut(b"\x1b(0\x1bcx"), "x");
    }

    #[test]
    fn a_line_of_ten_megabytes_takes_linear_time_and_no_more_memory() {
        let line = vec![b'x'; 10 << 20];
        let endless = [&b"\x1b["[..], &b"1;".repeat(5 << 20)].concat();
        let mut cleaner = Cleaner::default();
        let began = std::time::Instant::now();
        for bytes in [&line, &endless] {
            for piece in bytes.chunks(4096) {
                cleaner.push(piece);
            }
        }
        println!("20 MiB: {:?}", began.elapsed());
        assert_eq!(cleaner.text().len(), line.len());
        assert!(
            matches!(&cleaner.state, State::Control(parameters) if parameters.len() == PARAMETERS)
        );
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
