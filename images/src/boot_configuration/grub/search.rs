//! The command `search` (`grub-core/commands/search_wrap.c`).

use std::rc::Rc;

use super::{
    super::{
        configuration::{FileSystem, Search, SearchBy},
        path::join,
        reader::{NAMED, kept},
        volume::Eyes,
    },
    Expanded, Runner, Said, device_name, shown,
    words::Word,
};

impl Runner<'_, '_, '_> {
    pub(super) fn search(&mut self, said: Said<'_>, words: &[Rc<Word>]) {
        let words = self.expand_all(words);
        let Some(wanted) = Wanted::read(said.name, &words) else {
            return;
        };
        let target = wanted
            .is_known
            .then(|| self.target(wanted.by, &wanted.what));
        let found = match &target {
            Some(Target::There(_)) => Some(true),
            Some(Target::Not) => Some(false),
            Some(Target::Unknown) | None => None,
        };
        if let Some(name) = &wanted.sets {
            match target {
                Some(Target::There(system)) => {
                    let device = device_name(system);
                    self.scope.set(name, Some(&device));
                }
                // Nothing is set when nothing is found.
                Some(Target::Not) => {}
                Some(Target::Unknown) | None => self.scope.set(name, None),
            }
        }
        let searches = &mut self.configuration.searches;
        if searches.len() < NAMED {
            searches.push(Search {
                file: said.file.to_owned(),
                line: said.line,
                by: wanted.by,
                wanted: kept(&shown(&wanted.what)),
                sets: wanted.sets,
                found: found.filter(|_| self.conditional == 0),
                entry: self.entry,
            });
        }
    }

    fn target(&mut self, by: SearchBy, wanted: &str) -> Target {
        let volumes = &mut self.reader.volumes;
        match by {
            SearchBy::File => {
                let mut is_unknown = false;
                // `(hd0,1)/file` searches nowhere else.
                let path = join("/", wanted);
                for system in volumes.file_systems() {
                    match self.reader.exists(system, &path, Eyes::Grub) {
                        Some(true) => return Target::There(system),
                        Some(false) => {}
                        None => is_unknown = true,
                    }
                }
                if is_unknown {
                    Target::Unknown
                } else {
                    Target::Not
                }
            }
            SearchBy::Label if volumes.has_label(wanted) => Target::There(FileSystem::Tree),
            SearchBy::Uuid => match volumes.of_uuid(wanted) {
                Some(system) => Target::There(system),
                None if volumes.has_other_names(false) => Target::Unknown,
                None => Target::Not,
            },
            SearchBy::Label if volumes.has_other_names(true) => Target::Unknown,
            SearchBy::Label => Target::Not,
        }
    }
}

/// Where a search leads.
enum Target {
    There(FileSystem),
    /// To nothing on this disc.
    Not,
    Unknown,
}

/// What a `search` asks for.
struct Wanted {
    by: SearchBy,
    what: String,
    /// Whether that is its value, and not a variable.
    is_known: bool,
    sets: Option<String>,
}

impl Wanted {
    fn read<'w>(name: &str, words: &'w [Expanded]) -> Option<Self> {
        let mut by = match name {
            "search.file" | "search.fs_file" => Some(SearchBy::File),
            "search.fs_label" | "search.label" => Some(SearchBy::Label),
            "search.fs_uuid" => Some(SearchBy::Uuid),
            _ => None,
        };
        // These take the variable as their second word.
        let is_plain = by.is_some();
        let mut sets = None;
        let mut others: Vec<(&str, bool)> = Vec::new();
        let value = |(_, written, value): &'w Expanded| match value {
            Some(value) => (value.as_str(), true),
            None => (written.as_str(), false),
        };
        let mut words = words.iter().map(value).peekable();
        while let Some((word, is_known)) = words.next() {
            let (option, value) = word.split_once('=').unwrap_or((word, ""));
            match option {
                "--file" => by = Some(SearchBy::File),
                "--label" | "--fs-label" => by = Some(SearchBy::Label),
                "--fs-uuid" => by = Some(SearchBy::Uuid),
                "--set" if word.contains('=') => sets = Some(value),
                "--set" => {
                    let next = words.next_if(|next| !next.0.starts_with('-'));
                    sets = Some(next.map_or("", |next| next.0));
                }
                "--hint" if !word.contains('=') => drop(words.next()),
                _ if option.starts_with("--") => {}
                // Short options may stand together: `-nfs`.
                _ if word.len() > 1 && word.starts_with('-') => {
                    for letter in word.chars().skip(1) {
                        match letter {
                            'f' => by = Some(SearchBy::File),
                            'l' => by = Some(SearchBy::Label),
                            'u' => by = Some(SearchBy::Uuid),
                            's' => {
                                let next = words.next_if(|next| !next.0.starts_with('-'));
                                sets = Some(next.map_or("", |next| next.0));
                            }
                            'h' => drop(words.next()),
                            _ => {}
                        }
                    }
                }
                _ => others.push((word, is_known)),
            }
        }
        let (what, is_known) = match others.first() {
            Some(what) => *what,
            // What follows `--set` is taken for a variable, and is what is searched when nothing else is there.
            None => {
                let what = sets.replace("root").filter(|it| !it.is_empty())?;
                (what, !what.contains('$'))
            }
        };
        if is_plain {
            sets = others.get(1).map(|it| it.0);
        }
        Some(Self {
            by: by?,
            what: what.to_owned(),
            is_known,
            sets: sets.map(|name| if name.is_empty() { "root" } else { name }.to_owned()),
        })
    }
}
