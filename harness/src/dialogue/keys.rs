//! The emulated keyboard.

use crate::spelling::unknown_word;

/// Keys that are pressed together, the last of them with the others held: `ctrl-x`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chord(Vec<&'static str>);

impl Chord {
    /// Reads keys by QEMU's names for them, with hyphens between.
    ///
    /// # Errors
    /// No key is called so: with the nearest that are.
    pub fn parse(text: &str) -> Result<Self, String> {
        let key = |name: &str| {
            let known = QCODES.iter().copied().find(|&known| known == name);
            known.ok_or_else(|| unknown_key(name))
        };
        Ok(Self(text.split('-').map(key).collect::<Result<_, _>>()?))
    }

    /// The key of a US keyboard that types a character, with Shift where it needs that; `\n` and `\r` are the Enter key.
    #[must_use]
    pub fn of_character(character: char) -> Option<Self> {
        let (plain, shift) = match SHIFTED.iter().find(|(_, above)| *above == character) {
            Some(&(below, _)) => (below, true),
            None => (
                character.to_ascii_lowercase(),
                character.is_ascii_uppercase(),
            ),
        };
        let named = NAMED.iter().find(|(typed, _)| *typed == plain);
        let key = match named {
            Some(&(_, name)) => name,
            // Letters and digits are called by themselves.
            None if plain.is_ascii_alphanumeric() => QCODES
                .iter()
                .copied()
                .find(|name| name.chars().eq([plain]))?,
            None => return None,
        };
        Some(Self(if shift { vec!["shift", key] } else { vec![key] }))
    }

    /// How many keys are pressed.
    pub(super) fn keys(&self) -> usize {
        self.0.len()
    }

    /// Their names.
    pub(crate) fn names(&self) -> &[&'static str] {
        &self.0
    }
}

/// What to say to a name that no key has.
fn unknown_key(name: &str) -> String {
    match ELSEWHERE.iter().find(|(other, _)| *other == name) {
        Some((_, ours)) => format!("no key is called {name:?}; did you mean {ours}?"),
        // One letter is part of most names.
        None => unknown_word(
            "key",
            name,
            QCODES.iter().copied().filter(|name| name.len() > 1),
        ),
    }
}

/// What keys are called elsewhere, and nowhere near QEMU's names.
const ELSEWHERE: [(&str, &str); 8] = [
    ("control", "ctrl"),
    ("del", "delete"),
    ("enter", "ret"),
    ("escape", "esc"),
    ("pagedown", "pgdn"),
    ("pageup", "pgup"),
    ("return", "ret"),
    ("space", "spc"),
];

/// What other characters stand on a key besides letters and digits.
const NAMED: [(char, &str); 16] = [
    (' ', "spc"),
    ('\n', "ret"),
    ('\r', "ret"),
    ('\t', "tab"),
    ('\u{1B}', "esc"),
    ('-', "minus"),
    ('=', "equal"),
    ('[', "bracket_left"),
    (']', "bracket_right"),
    (';', "semicolon"),
    ('\'', "apostrophe"),
    ('`', "grave_accent"),
    ('\\', "backslash"),
    (',', "comma"),
    ('.', "dot"),
    ('/', "slash"),
];

/// What stands below and above on the other keys of a US keyboard.
const SHIFTED: [(char, char); 21] = [
    ('1', '!'),
    ('2', '@'),
    ('3', '#'),
    ('4', '$'),
    ('5', '%'),
    ('6', '^'),
    ('7', '&'),
    ('8', '*'),
    ('9', '('),
    ('0', ')'),
    ('-', '_'),
    ('=', '+'),
    ('[', '{'),
    (']', '}'),
    (';', ':'),
    ('\'', '"'),
    ('`', '~'),
    ('\\', '|'),
    (',', '<'),
    ('.', '>'),
    ('/', '?'),
];

/// The keys that QEMU knows (`qapi/ui.json`, `QKeyCode`, version 7.2), without `unmapped`.
#[rustfmt::skip]
const QCODES: &[&str] = &[
    "shift", "shift_r", "alt", "alt_r", "ctrl", "ctrl_r", "menu", "esc", "1", "2", "3", "4", "5", "6", "7", "8",
    "9", "0", "minus", "equal", "backspace", "tab", "q", "w", "e", "r", "t", "y", "u", "i", "o", "p",
    "bracket_left", "bracket_right", "ret", "a", "s", "d", "f", "g", "h", "j", "k", "l", "semicolon", "apostrophe",
    "grave_accent", "backslash", "z", "x", "c", "v", "b", "n", "m", "comma", "dot", "slash", "asterisk", "spc",
    "caps_lock", "f1", "f2", "f3", "f4", "f5", "f6", "f7", "f8", "f9", "f10", "num_lock", "scroll_lock",
    "kp_divide", "kp_multiply", "kp_subtract", "kp_add", "kp_enter", "kp_decimal", "sysrq", "kp_0", "kp_1", "kp_2",
    "kp_3", "kp_4", "kp_5", "kp_6", "kp_7", "kp_8", "kp_9", "less", "f11", "f12", "print", "home", "pgup", "pgdn",
    "end", "left", "up", "down", "right", "insert", "delete", "stop", "again", "props", "undo", "front", "copy",
    "open", "paste", "find", "cut", "lf", "help", "meta_l", "meta_r", "compose", "pause", "ro", "hiragana",
    "henkan", "yen", "muhenkan", "katakanahiragana", "kp_comma", "kp_equals", "power", "sleep", "wake", "audionext",
    "audioprev", "audiostop", "audioplay", "audiomute", "volumeup", "volumedown", "mediaselect", "mail",
    "calculator", "computer", "ac_home", "ac_back", "ac_forward", "ac_refresh", "ac_bookmarks", "lang1", "lang2",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_typed_on_a_us_keyboard() {
        let typed = |text: &str| -> Option<Vec<String>> {
            let chords = text.chars().map(Chord::of_character);
            chords.map(|chord| Some(chord?.0.join("-"))).collect()
        };
        assert_eq!(
            typed("Ls (/x_2)\n").expect("typed"),
            [
                "shift-l",
                "s",
                "spc",
                "shift-9",
                "slash",
                "x",
                "shift-minus",
                "2",
                "shift-0",
                "ret"
            ]
        );
        // Everything that ASCII can print has a key.
        let printable: String = (' '..='~').collect();
        assert_eq!(typed(&printable).expect("typed").len(), 95);
        assert_eq!(typed("\u{e4}"), None);
        assert_eq!(typed("\u{7f}"), None);
    }

    #[test]
    fn keys_have_qemu_s_names() {
        assert_eq!(
            Chord::parse("ctrl-alt-delete").expect("known").0,
            ["ctrl", "alt", "delete"]
        );
        assert!(Chord::parse("ctrl-").is_err());
        assert_eq!(
            Chord::parse("enter").expect_err("unknown"),
            "no key is called \"enter\"; did you mean ret?"
        );
    }
}
