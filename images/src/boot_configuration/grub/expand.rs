//! What words of commands come to: which variables they set, and what is known of their values.

use std::rc::Rc;

use super::{
    super::path::directory_of,
    Expanded, Runner, WORDS, device_name,
    scope::{VALUE, is_name},
    words::{Part, Word},
};

impl Runner<'_, '_, '_> {
    /// Commands that are not known set variables by `--set`; `read` and `load_env` are not followed either, and what they set is never known.
    pub(super) fn forget(&mut self, words: &[Rc<Word>]) {
        let mut words = words.iter().take(64).peekable();
        while let Some(word) = words.next() {
            let written = word.written();
            let name = match written.strip_prefix("--set") {
                Some("") => words
                    .peek()
                    .and_then(|word| word.plain())
                    .map(str::to_owned),
                Some(rest) => rest.strip_prefix('=').map(str::to_owned),
                None => None,
            };
            if let Some(name) = name {
                // `regexp --set 1:name`.
                let name = name.rsplit(':').next().unwrap_or_default();
                self.scope.set(name, None);
            }
        }
    }

    /// `name=value`.
    pub(super) fn assign(&mut self, word: &Word) {
        let Some(Part::Text(head)) = word.parts.first() else {
            return;
        };
        let Some((name, value)) = head.split_once('=') else {
            return;
        };
        if !is_name(name) {
            return;
        }
        let mut rest = word.clone();
        if let Some(first) = rest.parts.first_mut() {
            *first = Part::Text(value.to_owned());
        }
        let mut value = self.expand(&rest);
        if name == "prefix"
            && let Some(written) = &value
            && !written.starts_with('(')
        {
            value = self.device().map(|device| format!("({device}){written}"));
        }
        self.scope.set(name, value.as_deref());
    }

    /// A word's value, where it is known.
    pub(super) fn expand(&self, word: &Word) -> Option<String> {
        let mut text = String::new();
        for part in &word.parts {
            match part {
                Part::Text(part) => text.push_str(part),
                Part::Variable(name, _) => text.push_str(&self.value(name)?),
            }
            if text.len() > VALUE {
                return None;
            }
        }
        Some(text)
    }

    /// The words of a command, those split whose variables hold several; `None` for one that is not known.
    pub(super) fn expand_all(&self, words: &[Rc<Word>]) -> Vec<Expanded> {
        let mut all = Vec::new();
        for word in words {
            let value = self.expand(word);
            let splits = word
                .parts
                .iter()
                .any(|part| matches!(part, Part::Variable(_, false)));
            match value {
                Some(value) if splits => {
                    let mut pieces = value.split_ascii_whitespace();
                    if let (Some(one), None) = (pieces.next(), pieces.next()) {
                        all.push((word.line, word.written(), Some(one.to_owned())));
                        continue;
                    }
                    let pieces = value.split_ascii_whitespace();
                    all.extend(pieces.map(|it| (word.line, it.to_owned(), Some(it.to_owned()))));
                }
                value => all.push((word.line, word.written(), value)),
            }
            if all.len() > WORDS {
                break;
            }
        }
        all
    }

    pub(super) fn value(&self, name: &str) -> Option<String> {
        if let Some(value) = self.scope.get(name) {
            return value.map(str::to_owned);
        }
        match name {
            "root" => Some(device_name(self.configuration.file_system)),
            "prefix" => {
                let device = device_name(self.configuration.file_system);
                let folder = directory_of(&self.configuration.path);
                Some(format!("({device}){folder}"))
            }
            // What GRUB sets where entries can have names.
            "menuentry_id_option" => Some("--id".to_owned()),
            _ => None,
        }
    }

    /// The device that paths without one are on.
    pub(super) fn device(&self) -> Option<String> {
        self.value("root")
    }
}
