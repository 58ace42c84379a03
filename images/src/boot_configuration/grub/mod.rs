//! GRUB's configuration: `grub.cfg`, `loopback.cfg`.
//!
//! It is a program, and is followed as far as that needs no machine: variables that are set outside of conditions are known, both branches of a condition are read,
//! and what differs between them is not known behind. What stands under a condition is named, and not judged.
//!
//! Source: GRUB 2.12, `grub-core/script/`, `grub-core/normal/`, `grub-core/commands/search_wrap.c`.

mod commands;
mod expand;
mod menu;
mod scope;
mod search;
mod words;

use std::{collections::BTreeMap, rc::Rc};

use self::{
    scope::{Scope, VARIABLES, is_name},
    words::{Token, Word, closes, tokens},
};
use super::{
    configuration::{Configuration, FileSystem, Loader},
    path::normal,
    reader::Reader,
    volume::Eyes,
};

/// Where GRUB's own tools and distributions put it. More may be in the folders of `/EFI`.
const PATHS: [&str; 3] = [
    "/boot/grub/grub.cfg",
    "/boot/grub2/grub.cfg",
    "/grub/grub.cfg",
];
const LOOPBACK: [&str; 2] = ["/boot/grub/loopback.cfg", "/boot/grub2/loopback.cfg"];
/// Folders of `/EFI` that are looked into.
const VENDORS: usize = 16;
/// Blocks in blocks that are followed.
const DEPTH: usize = 24;
/// The budget of one configuration, in commands of a few words: functions may call one another, and conditions copy what is known. Each token adds to it.
const COMMANDS: usize = 1_024;
const COMMANDS_PER_TOKEN: usize = 4;
/// The largest budget, however often a configuration reads other files.
const MOST_COMMANDS: usize = 65_536;
/// What a condition costs.
const CONDITION: usize = 16;
/// Words of a command that are looked at.
const WORDS: usize = 1_024;

/// Reads the configurations that GRUB looks for, and those that they lead to.
pub(super) fn read(reader: &mut Reader<'_, '_>, all: &mut Vec<Configuration>) {
    let mut queue = Vec::new();
    for system in reader.volumes.file_systems() {
        let mut paths: Vec<(Loader, String)> = Vec::new();
        paths.extend(PATHS.map(|path| (Loader::Grub, path.to_owned())));
        let vendors = reader.volumes.names(system, "/EFI", true);
        let vendors = vendors.iter().take(VENDORS);
        paths.extend(vendors.map(|name| (Loader::Grub, format!("/EFI/{name}/grub.cfg"))));
        paths.extend(LOOPBACK.map(|path| (Loader::GrubLoopback, path.to_owned())));
        for (loader, path) in paths {
            if reader.exists(system, &path, Eyes::Grub) == Some(true) {
                queue.push(Next {
                    loader,
                    system,
                    path,
                    reached_from: None,
                    variables: Scope::default(),
                });
            }
        }
    }
    queue.reverse();
    while let Some(next) = queue.pop() {
        if reader.is_new(next.loader, next.system, &next.path) {
            all.extend(read_one(reader, next, &mut queue));
        }
    }
}

/// A word of a command: its line, how it is written, and its value where that is known.
type Expanded = (u32, String, Option<String>);

/// A configuration that is still to be read, with the variables that it finds.
struct Next {
    loader: Loader,
    system: FileSystem,
    path: String,
    reached_from: Option<String>,
    variables: Scope,
}

/// A part of a file: its tokens, and from where to where.
#[derive(Clone, Debug)]
struct Block {
    file: Rc<str>,
    tokens: Rc<Vec<Token>>,
    /// The closing brace of each opening one, in the whole file.
    closes: Rc<BTreeMap<usize, usize>>,
    start: usize,
    end: usize,
}

impl Block {
    fn get(&self, at: usize) -> Option<&Token> {
        self.tokens.get(at).filter(|_| at < self.end)
    }
}

/// An entry's body, which is run when the menu is complete.
struct Body {
    entry: usize,
    is_submenu: bool,
    conditional: bool,
    block: Block,
}

fn read_one(
    reader: &mut Reader<'_, '_>,
    next: Next,
    queue: &mut Vec<Next>,
) -> Option<Configuration> {
    let (text, whole) = reader.text(next.system, &next.path, Eyes::Grub)?;
    let mut configuration = Configuration::new(next.loader, next.system, next.path.clone());
    configuration.reached_from = next.reached_from;
    configuration.complete = whole;
    let mut runner = Runner {
        configuration,
        scope: next.variables,
        functions: BTreeMap::new(),
        bodies: Vec::new(),
        entry: None,
        conditional: 0,
        commands: 0,
        budget: COMMANDS,
        open: Vec::new(),
        handed_over: false,
        reader,
        queue,
    };
    runner.file(&next.path, &text, 0);
    Some(runner.finish())
}

struct Runner<'r, 'w, 'd> {
    reader: &'r mut Reader<'w, 'd>,
    queue: &'r mut Vec<Next>,
    configuration: Configuration,
    scope: Scope,
    functions: BTreeMap<String, Block>,
    bodies: Vec<Body>,
    /// The entry whose body is run.
    entry: Option<usize>,
    /// How many conditions stand around.
    conditional: usize,
    commands: usize,
    /// How many it may spend.
    budget: usize,
    /// Files that are being read.
    open: Vec<String>,
    /// Another configuration has taken over; what follows is not run.
    handed_over: bool,
}

impl Runner<'_, '_, '_> {
    fn file(&mut self, path: &str, text: &str, depth: usize) {
        let (tokens, whole) = tokens(text);
        self.configuration.complete &= whole;
        let more = COMMANDS_PER_TOKEN * tokens.len();
        self.budget = MOST_COMMANDS.min(self.budget + more);
        let block = Block {
            file: path.into(),
            start: 0,
            end: tokens.len(),
            closes: Rc::new(closes(&tokens)),
            tokens: Rc::new(tokens),
        };
        self.open.push(normal(path));
        self.block(&block, depth);
        self.open.pop();
    }

    fn block(&mut self, block: &Block, depth: usize) {
        let mut at = block.start;
        while at < block.end {
            if self.commands >= self.budget {
                self.configuration.complete = false;
                return;
            }
            let before = at;
            self.statement(block, &mut at, depth);
            // A word that closes what is not open stays behind.
            if at == before {
                self.configuration.complete = false;
                at += 1;
            }
        }
    }

    /// One command, condition, loop or block, from `at` on; closing keywords are left.
    fn statement(&mut self, block: &Block, at: &mut usize, depth: usize) {
        self.commands += 1;
        match block.get(*at) {
            Some(Token::Word(word)) => match word.keyword() {
                Some("then" | "elif" | "else" | "fi" | "do" | "done") => {}
                Some("if" | "for" | "while" | "until") if depth >= DEPTH => {
                    self.configuration.complete = false;
                    *at = block.end;
                }
                Some("if") => self.condition(block, at, depth),
                Some("for" | "while" | "until") => self.repeat(block, at, depth),
                Some("function") => self.function(block, at),
                _ => self.command(block, at, depth),
            },
            // A block by itself is run; its end is the end of nothing else.
            Some(Token::Open | Token::Close) if depth == 0 => {
                self.configuration.complete &= block.get(*at) == Some(&Token::Open);
                *at += 1;
            }
            Some(_) | None => *at += 1,
        }
    }

    /// Runs statements until one of these keywords, and says which one stands there.
    fn until(
        &mut self,
        block: &Block,
        at: &mut usize,
        ends: &[&str],
        depth: usize,
    ) -> Option<String> {
        while *at < block.end && self.commands < self.budget {
            if let Some(Token::Word(word)) = block.get(*at)
                && let Some(keyword) = word.keyword()
                && ends.contains(&keyword)
            {
                return Some(keyword.to_owned());
            }
            let before = *at;
            self.statement(block, at, depth + 1);
            if *at == before {
                *at += 1;
            }
        }
        self.configuration.complete = false;
        None
    }

    fn condition(&mut self, block: &Block, at: &mut usize, depth: usize) {
        *at += 1;
        let mut branches = Vec::new();
        let mut has_else = false;
        self.commands += CONDITION;
        self.conditional += 1;
        // The first condition is always tried, so that what it does is done; but a search in it only asks.
        let mut end = self.until(block, at, &["then"], depth);
        let before = self.scope.clone();
        while let Some(keyword) = end {
            *at += 1;
            end = match keyword.as_str() {
                "fi" => break,
                "elif" => self.until(block, at, &["then"], depth),
                _ => {
                    has_else |= keyword == "else";
                    let end = self.until(block, at, &["elif", "else", "fi"], depth);
                    branches.push(std::mem::replace(&mut self.scope, before.clone()));
                    end
                }
            };
        }
        self.conditional -= 1;
        if !has_else {
            branches.push(before);
        }
        self.scope = Scope::merge(branches);
    }

    fn repeat(&mut self, block: &Block, at: &mut usize, depth: usize) {
        *at += 1;
        self.commands += CONDITION;
        if let Some(Token::Word(name)) = block.get(*at)
            && let Some(name) = name.plain()
        {
            let name = name.to_owned();
            self.scope.set(&name, None);
        }
        let before = self.scope.clone();
        self.conditional += 1;
        if self.until(block, at, &["do"], depth).is_some() {
            *at += 1;
            if self.until(block, at, &["done"], depth).is_some() {
                *at += 1;
            }
        }
        self.conditional -= 1;
        let after = std::mem::take(&mut self.scope);
        self.scope = Scope::merge(vec![before, after]);
    }

    fn function(&mut self, block: &Block, at: &mut usize) {
        *at += 1;
        let name = match block.get(*at) {
            Some(Token::Word(word)) => word.plain().map(str::to_owned),
            _ => None,
        };
        *at += 1;
        while block.get(*at) == Some(&Token::End) {
            *at += 1;
        }
        let (Some(name), Some(body)) = (name, self.braces(block, at)) else {
            self.configuration.complete = false;
            return;
        };
        if self.functions.len() < VARIABLES {
            self.functions.insert(name, body);
        }
    }

    /// What stands in braces from `at` on; `at` is behind them then.
    fn braces(&mut self, block: &Block, at: &mut usize) -> Option<Block> {
        if block.get(*at) != Some(&Token::Open) {
            return None;
        }
        let start = *at + 1;
        let close = block.closes.get(at).copied().filter(|&at| at < block.end);
        let end = close.unwrap_or(block.end);
        *at = close.map_or(end, |close| close + 1);
        self.configuration.complete &= close.is_some();
        Some(Block {
            start: start.min(end),
            end,
            ..block.clone()
        })
    }

    fn command(&mut self, block: &Block, at: &mut usize, depth: usize) {
        let mut words = Vec::new();
        while let Some(Token::Word(word)) = block.get(*at) {
            if words.len() < WORDS {
                words.push(word.clone());
            }
            *at += 1;
        }
        let cost: usize = words.iter().map(|word| word.cost()).sum();
        self.commands = self.commands.saturating_add(cost / 64);
        let Some((first, rest)) = words.split_first() else {
            return;
        };
        let name = first.plain().unwrap_or_default();
        if matches!(name, "menuentry" | "submenu" | "hiddenentry") {
            let is_open = block.get(*at) == Some(&Token::Open) && !block.closes.contains_key(at);
            if is_open && self.configuration.unclosed.is_none() {
                let before = self.configuration.entries.len();
                self.configuration.unclosed = Some((block.file.to_string(), first.line, before));
            }
            let body = self.braces(block, at);
            self.menu_entry(name == "submenu", first.line, rest, body, block);
            return;
        }
        if self.handed_over && self.entry.is_none() {
            return;
        }
        if let Some((variable, _)) = name.split_once('=')
            && is_name(variable)
        {
            self.assign(first);
            return;
        }
        if first.parts.len() > 1 {
            self.assign(first);
            return;
        }
        self.run(block, name, first.line, rest, depth);
    }

    fn run(&mut self, block: &Block, name: &str, line: u32, words: &[Rc<Word>], depth: usize) {
        let said = Said {
            file: &block.file,
            line,
            name,
        };
        match name {
            "set" => {
                if let Some(word) = words.first() {
                    self.assign(word);
                }
            }
            "unset" => {
                let names = words.iter().filter_map(|word| word.plain());
                for name in names.take(16) {
                    self.scope.set(name, None);
                }
            }
            "search" | "search.file" | "search.fs_file" | "search.fs_label" | "search.fs_uuid"
            | "search.label" => self.search(said, words),
            "linux" | "linux16" | "linuxefi" | "kernel" | "multiboot" | "multiboot2" | "module"
            | "module2" | "xen_hypervisor" | "xen_module" => self.kernel(said, words),
            "initrd" | "initrd16" | "initrdefi" => self.initrd(said, words),
            "chainloader" => self.chainloader(said, words),
            "configfile" | "normal" => self.configfile(said, words),
            "source" | "." => self.source(said, words, depth),
            _ if self.functions.contains_key(name) => {
                if let Some(body) = self.functions.get(name).cloned()
                    && depth < DEPTH
                {
                    self.block(&body, depth + 1);
                }
            }
            _ => self.forget(words),
        }
    }
}

/// The command that is run: its file, its line and its name.
#[derive(Clone, Copy)]
struct Said<'s> {
    file: &'s str,
    line: u32,
    name: &'s str,
}

/// The names by which devices are known here: no text of a file has such a character.
fn device_name(system: FileSystem) -> String {
    match system {
        FileSystem::Tree => "\u{1}disc".to_owned(),
        FileSystem::Image(lba) => format!("\u{1}image-{}", lba.get()),
    }
}

/// Without those names.
fn shown(text: &str) -> String {
    text.replace('\u{1}', "")
}
