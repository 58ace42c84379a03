//! GRUB's shell language, cut into words (`grub-core/script/yylex.l`).

use std::{collections::BTreeMap, rc::Rc};

use super::super::reader::line_number;

/// Tokens of a file that are kept at most.
const TOKENS: usize = 65_536;
/// Characters that a word is long at most; a longer one is cut.
const WORD: usize = 8_192;

/// A piece of a word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Text(String),
    /// A variable's name; whether it stands in double quotes, and so is one word whatever its value.
    Variable(String, bool),
}

/// A word, and the line on which it begins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) line: u32,
    pub(super) parts: Vec<Part>,
    /// Whether any of it is quoted or escaped: then it is no keyword.
    pub(super) quoted: bool,
}

impl Word {
    /// The word, where it is plain text: what a keyword or a command's name is.
    pub(super) fn plain(&self) -> Option<&str> {
        match &self.parts[..] {
            [Part::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// A keyword of the language.
    pub(super) fn keyword(&self) -> Option<&str> {
        self.plain().filter(|_| !self.quoted)
    }

    /// How much there is to do for it, in characters.
    pub(super) fn cost(&self) -> usize {
        let text = |part: &Part| match part {
            Part::Text(text) | Part::Variable(text, _) => text.len(),
        };
        let texts: usize = self.parts.iter().map(text).sum();
        8 + 16 * self.parts.len() + texts
    }

    /// As it was written, quotes aside.
    pub(super) fn written(&self) -> String {
        let parts = self.parts.iter();
        let written = parts.map(|part| match part {
            Part::Text(text) => text.clone(),
            Part::Variable(name, _) => format!("${{{name}}}"),
        });
        written.collect()
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    Word(Rc<Word>),
    Open,
    Close,
    /// The end of a command.
    End,
}

/// Cuts a text; says whether that is all of it.
pub(super) fn tokens(text: &str) -> (Vec<Token>, bool) {
    let mut lexer = Lexer {
        characters: text.chars().filter(|&it| it != '\r').collect(),
        at: 0,
        line: 0,
    };
    let mut tokens = Vec::new();
    while let Some(token) = lexer.token() {
        if tokens.len() >= TOKENS {
            return (tokens, false);
        }
        tokens.push(token);
    }
    (tokens, true)
}

/// Which token closes the brace that is opened by another.
pub(super) fn closes(tokens: &[Token]) -> BTreeMap<usize, usize> {
    let mut closes = BTreeMap::new();
    let mut open = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        match token {
            Token::Open => open.push(at),
            Token::Close => closes.extend(open.pop().map(|opens| (opens, at))),
            Token::Word(_) | Token::End => {}
        }
    }
    closes
}

struct Lexer {
    characters: Vec<char>,
    at: usize,
    /// From 0.
    line: usize,
}

impl Lexer {
    fn peek(&self) -> Option<char> {
        self.characters.get(self.at).copied()
    }

    fn take(&mut self) -> Option<char> {
        let character = self.peek()?;
        self.at += 1;
        self.line += usize::from(character == '\n');
        Some(character)
    }

    fn token(&mut self) -> Option<Token> {
        loop {
            match self.peek()? {
                ' ' | '\t' => drop(self.take()),
                '#' => {
                    while self.peek().is_some_and(|it| it != '\n') {
                        self.take();
                    }
                }
                '\\' if self.characters.get(self.at + 1) == Some(&'\n') => {
                    self.take();
                    self.take();
                }
                _ => break,
            }
        }
        let simple = match self.peek()? {
            '{' => Token::Open,
            '}' => Token::Close,
            '\n' | ';' | '|' | '&' | '<' | '>' => Token::End,
            _ => return Some(Token::Word(Rc::new(self.word()))),
        };
        self.take();
        Some(simple)
    }

    fn word(&mut self) -> Word {
        let mut word = Word {
            line: line_number(self.line + 1),
            ..Word::default()
        };
        let mut text = String::new();
        while let Some(character) = self.peek() {
            match character {
                ' ' | '\t' | '\n' | ';' | '|' | '&' | '<' | '>' | '{' | '}' => break,
                '\'' => {
                    self.take();
                    word.quoted = true;
                    while let Some(it) = self.take().filter(|&it| it != '\'') {
                        push(&mut text, it);
                    }
                }
                '"' => {
                    self.take();
                    word.quoted = true;
                    self.double_quoted(&mut word, &mut text);
                }
                '\\' => {
                    self.take();
                    word.quoted = true;
                    if let Some(it) = self.take().filter(|&it| it != '\n') {
                        push(&mut text, it);
                    }
                }
                '$' => {
                    self.take();
                    // $"…" is a text to be translated.
                    if self.peek() == Some('"') {
                        continue;
                    }
                    self.variable(&mut word, &mut text, false);
                }
                other => {
                    self.take();
                    push(&mut text, other);
                }
            }
        }
        if !text.is_empty() || word.parts.is_empty() {
            word.parts.push(Part::Text(text));
        }
        word
    }

    fn double_quoted(&mut self, word: &mut Word, text: &mut String) {
        while let Some(character) = self.take() {
            match character {
                '"' => return,
                '$' => self.variable(word, text, true),
                '\\' => match self.peek() {
                    Some(it @ ('$' | '\\' | '"')) => {
                        self.take();
                        push(text, it);
                    }
                    Some('\n') => drop(self.take()),
                    _ => push(text, '\\'),
                },
                other => push(text, other),
            }
        }
    }

    /// What follows a dollar; what is no name is kept as it is.
    fn variable(&mut self, word: &mut Word, text: &mut String, quoted: bool) {
        let start = self.at;
        let braces = self.peek() == Some('{');
        if braces {
            self.take();
        }
        let mut name = String::new();
        while let Some(it) = self.peek() {
            let special = name.is_empty() && matches!(it, '?' | '#' | '*' | '@');
            if !special && !it.is_ascii_alphanumeric() && it != '_' {
                break;
            }
            push(&mut name, it);
            self.take();
            if special {
                break;
            }
        }
        let closed = !braces || self.peek() == Some('}');
        if name.is_empty() || !closed {
            self.at = start;
            push(text, '$');
            return;
        }
        if braces {
            self.take();
        }
        if !text.is_empty() {
            word.parts.push(Part::Text(std::mem::take(text)));
        }
        word.parts.push(Part::Variable(name, quoted));
    }
}

fn push(text: &mut String, character: char) {
    if text.len() < WORD {
        text.push(character);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Words as they are written, with their lines; ends as `;`.
    fn cut(text: &str) -> Vec<String> {
        let (tokens, whole) = tokens(text);
        assert!(whole);
        let show = |token: Token| match token {
            Token::Word(word) => format!("{}:{}", word.line, word.written()),
            Token::Open => "{".to_owned(),
            Token::Close => "}".to_owned(),
            Token::End => ";".to_owned(),
        };
        tokens.into_iter().map(show).collect()
    }

    #[test]
    fn words_end_where_grub_ends_them() {
        for (text, expected) in [
            ("set a=b; c # d\n", &["1:set", "1:a=b", ";", "1:c", ";"][..]),
            (
                "menuentry 'It is #1; {a}' {",
                &["1:menuentry", "1:It is #1; {a}", "{"],
            ),
            (r#"a "b \"c\" \$d \e""#, &["1:a", r#"1:b "c" $d \e"#]),
            (
                "linux /a\\\n/b \\\n  c\n",
                &["1:linux", "1:/a/b", "3:c", ";"],
            ),
            ("linux /a\\ b", &["1:linux", "1:/a b"]),
            (
                "x ($root)/y \"${z}\"q",
                &["1:x", "1:(${root})/y", "1:${z}q"],
            ),
            ("a#b 'c\nd' e", &["1:a#b", "1:c\nd", "2:e"]),
            (
                "echo $\"hello\" $ ${x",
                &["1:echo", "1:hello", "1:$", "1:$", "{", "1:x"],
            ),
            ("\r\n'open", &[";", "2:open"]),
            ("''", &["1:"]),
        ] {
            assert_eq!(cut(text), expected, "{text}");
        }
    }
}
