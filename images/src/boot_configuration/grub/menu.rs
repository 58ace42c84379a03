//! The menu: its entries, which of them is the default, and how long it waits (`grub-core/normal/menu.c`).

use std::{collections::BTreeMap, rc::Rc};

use super::{
    super::{
        configuration::{Configuration, DefaultEntry, Entry, Timeout},
        reader::{INCLUDES, kept},
    },
    Block, Body, Expanded, Runner,
    scope::Scope,
    shown,
    words::Word,
};

impl Runner<'_, '_, '_> {
    pub(super) fn menu_entry(
        &mut self,
        is_submenu: bool,
        line: u32,
        words: &[Rc<Word>],
        body: Option<Block>,
        block: &Block,
    ) {
        if self.handed_over && self.entry.is_none() {
            return;
        }
        let words = self.expand_all(words);
        let (title, id) = title_and_id(&words);
        if !self.reader.has_room_for_an_entry() {
            self.configuration.complete = false;
            return;
        }
        self.configuration.entries.push(Entry {
            title: kept(&title),
            id: id.map(|id| kept(&id)),
            file: block.file.to_string(),
            line,
            parent: self.entry,
            conditional: self.conditional > 0,
            ..Entry::default()
        });
        if let Some(block) = body {
            self.bodies.push(Body {
                entry: self.configuration.entries.len() - 1,
                is_submenu,
                conditional: self.conditional > 0,
                block,
            });
        }
    }

    /// Runs the bodies, with the variables that hold when the menu is complete.
    pub(super) fn finish(mut self) -> Configuration {
        let menu = self.scope.clone();
        let mut scopes: BTreeMap<usize, Scope> = BTreeMap::new();
        let mut next = 0;
        while next < self.bodies.len() {
            let body = self.bodies.get(next).map(|body| {
                let Body {
                    entry,
                    is_submenu,
                    conditional,
                    block,
                } = body;
                (*entry, *is_submenu, *conditional, block.clone())
            });
            next += 1;
            let Some((entry, is_submenu, conditional, block)) = body else {
                break;
            };
            let depth = self.depth_of(entry);
            if depth > INCLUDES {
                self.configuration.complete = false;
                continue;
            }
            let parent = self
                .configuration
                .entries
                .get(entry)
                .and_then(|it| it.parent);
            let outer = parent.and_then(|parent| scopes.get(&parent));
            self.scope = outer.unwrap_or(&menu).clone();
            self.entry = Some(entry);
            self.conditional = usize::from(conditional);
            self.block(&block, 0);
            if is_submenu {
                scopes.insert(entry, std::mem::take(&mut self.scope));
            }
        }
        self.scope = menu;
        self.timeout();
        self.configuration.default = self.default();
        self.configuration
    }

    fn depth_of(&self, mut entry: usize) -> usize {
        let mut depth = 0;
        while let Some(parent) = self
            .configuration
            .entries
            .get(entry)
            .and_then(|it| it.parent)
        {
            depth += 1;
            // A parent stands before its children.
            entry = parent;
        }
        depth
    }

    fn timeout(&mut self) {
        let timeout = match self.scope.get("timeout") {
            None => Some(Timeout::Unset),
            Some(None) => None,
            Some(Some(value)) => Some(seconds(value)),
        };
        self.configuration.timeout = timeout;
        let at_once = timeout == Some(Timeout::Milliseconds(0));
        let has_menu = !self.configuration.entries.is_empty();
        self.configuration.prompts = !(self.handed_over || at_once && has_menu);
    }

    /// Which entry GRUB takes: the first where nothing is said, and where what is said does not exist.
    fn default(&self) -> DefaultEntry {
        let value = match self.scope.get("default") {
            None | Some(Some("")) => "0",
            Some(Some(value)) => value,
            Some(None) => return DefaultEntry::Unknown,
        };
        let mut parent = None;
        let mut chosen = DefaultEntry::Unset;
        for level in value.split('>').take(INCLUDES) {
            chosen = self.entry_of(parent, level.trim());
            let DefaultEntry::Entry(index) = chosen else {
                return chosen;
            };
            parent = Some(index);
        }
        chosen
    }

    /// An entry of one menu, by its name, its title or its number.
    fn entry_of(&self, parent: Option<usize>, wanted: &str) -> DefaultEntry {
        let entries = self.configuration.entries.iter().enumerate();
        let menu: Vec<(usize, &Entry)> = entries.filter(|(_, it)| it.parent == parent).collect();
        if menu.is_empty() {
            return DefaultEntry::Unset;
        }
        let by_id = menu.iter().find(|(_, it)| it.id.as_deref() == Some(wanted));
        let by_title = || menu.iter().find(|(_, it)| it.title == wanted);
        if let Some((index, _)) = by_id.or_else(by_title) {
            return DefaultEntry::Entry(*index);
        }
        let number = wanted.parse::<usize>().ok().filter(|it| *it < menu.len());
        let number = number.unwrap_or_default();
        let counted = menu.get(..=number).unwrap_or_default();
        match counted.last() {
            // Whether entries under a condition are there decides what is counted.
            Some((index, _)) if counted.iter().all(|(_, it)| !it.conditional) => {
                DefaultEntry::Entry(*index)
            }
            _ => DefaultEntry::Unknown,
        }
    }
}

/// The first word that is no option is the title; what follows `--id` is the name.
fn title_and_id(words: &[Expanded]) -> (String, Option<String>) {
    let mut title = None;
    let mut id = None;
    let mut words = words
        .iter()
        .map(|(_, written, value)| shown(value.as_deref().unwrap_or(written)));
    while let Some(word) = words.next() {
        match word.split_once('=') {
            Some(("--id", value)) => id = Some(value.to_owned()),
            Some((option, _)) if option.starts_with("--") => {}
            _ if word == "--id" => id = words.next(),
            _ if matches!(
                word.as_str(),
                "--class" | "--users" | "--hotkey" | "--source"
            ) =>
            {
                drop(words.next());
            }
            _ if word.starts_with("--") && title.is_some() => {}
            _ if title.is_none() => title = Some(word),
            _ => {}
        }
    }
    (title.unwrap_or_default(), id)
}

/// GRUB's number of seconds; what is none counts as nothing said (`normal/menu.c`).
fn seconds(value: &str) -> Timeout {
    let value = value.trim();
    if value.starts_with('-') {
        return Timeout::Never;
    }
    value.parse::<u32>().map_or(Timeout::Unset, |seconds| {
        Timeout::Milliseconds(u64::from(seconds) * 1_000)
    })
}
