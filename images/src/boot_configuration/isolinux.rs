//! The configuration of isolinux and its relatives: `isolinux.cfg`, `syslinux.cfg`.
//!
//! Source: syslinux 6.04, `core/fs/iso9660/iso9660.c` (where it is looked for), `com32/elflink/ldlinux/readconfig.c` (the language),
//! `ldlinux.c` and `kernel.c` (what is done with it). The directory of isolinux.bin is not among the five that are searched.

mod line;
pub(super) mod release;

use std::collections::BTreeSet;

use self::line::{Label, Said, base_name, is_menu, named, number, split};
use super::{
    configuration::{Configuration, DefaultEntry, Entry, FileSystem, Loader, NamedFile, Timeout},
    path::{join, normal},
    reader::{INCLUDES, NAMED, Reader, kept, line_number},
    volume::Eyes,
};

/// Where isolinux looks, in this order.
const DIRECTORIES: [&str; 5] = [
    "/boot/isolinux",
    "/isolinux",
    "/boot/syslinux",
    "/syslinux",
    "/",
];
/// For these, in each of them.
const NAMES: [&str; 2] = ["isolinux.cfg", "syslinux.cfg"];
/// What is tried behind a name that is typed, or that `DEFAULT` names and no label has. Of older releases `.cbt` and `.com`.
const EXTENSIONS: [&str; 8] = [".c32", ".img", ".bss", ".bin", ".bs", ".0", ".cbt", ".com"];
const TREE: FileSystem = FileSystem::Tree;

/// Reads the first configuration that isolinux finds, and those that it leads to.
pub(super) fn read(reader: &mut Reader<'_, '_>, all: &mut Vec<Configuration>) {
    let paths = DIRECTORIES
        .iter()
        .flat_map(|directory| NAMES.map(|name| (*directory, join(directory, name))));
    for (directory, path) in paths {
        if reader.exists(TREE, &path, Eyes::Isolinux) != Some(true) {
            continue;
        }
        let mut queue = vec![Next {
            path,
            directory: directory.to_owned(),
            reached_from: None,
        }];
        while let Some(next) = queue.pop() {
            if reader.is_new(Loader::Isolinux, TREE, &next.path) {
                all.extend(read_one(reader, next, &mut queue));
            }
        }
        return;
    }
}

/// A configuration that is still to be read.
struct Next {
    path: String,
    /// The directory that relative paths start from: it stays when another configuration takes over.
    directory: String,
    reached_from: Option<String>,
}

fn read_one(
    reader: &mut Reader<'_, '_>,
    next: Next,
    queue: &mut Vec<Next>,
) -> Option<Configuration> {
    let (text, whole) = reader.text(TREE, &next.path, Eyes::Isolinux)?;
    let mut parser = Parser {
        configuration: Configuration::new(Loader::Isolinux, TREE, next.path.clone()),
        directory: next.directory,
        modules: Vec::new(),
        open: BTreeSet::new(),
        labels: Vec::new(),
        label: None,
        append: None,
        parents: Vec::new(),
        user_interface: None,
        default: None,
        on_timeout: None,
        menu_default: None,
        timeout: None,
        total_timeout: None,
        prompt: false,
        reader,
        queue,
    };
    parser.configuration.complete = whole;
    parser.configuration.reached_from = next.reached_from;
    parser.modules = parser.module_directories();
    parser.file(&next.path, &text, 0);
    Some(parser.finish())
}

struct Parser<'r, 'w, 'd> {
    reader: &'r mut Reader<'w, 'd>,
    queue: &'r mut Vec<Next>,
    configuration: Configuration,
    directory: String,
    /// Where modules are looked for behind `directory`.
    modules: Vec<String>,
    /// Files that are being read, by which one that includes itself is known.
    open: BTreeSet<String>,
    labels: Vec<Label>,
    label: Option<Label>,
    /// `APPEND` before the first label, which holds for those that have none.
    append: Option<Said>,
    /// The entries that open the submenus which are open, with where they stand among the labels.
    parents: Vec<usize>,
    user_interface: Option<Said>,
    default: Option<Said>,
    on_timeout: Option<Said>,
    /// The last label with `MENU DEFAULT` in the menu that is shown first.
    menu_default: Option<usize>,
    timeout: Option<i64>,
    total_timeout: Option<i64>,
    prompt: bool,
}

impl Parser<'_, '_, '_> {
    /// The directory in which `ldlinux.c32` is found: modules are looked for there too (`core/elflink/load_env32.c`).
    fn module_directories(&mut self) -> Vec<String> {
        let reader = &mut *self.reader;
        let found = DIRECTORIES.iter().find(|directory| {
            let path = join(directory, "ldlinux.c32");
            reader.exists(TREE, &path, Eyes::Isolinux) == Some(true)
        });
        found.map(|it| (*it).to_owned()).into_iter().collect()
    }

    fn file(&mut self, path: &str, text: &str, depth: usize) {
        self.open.insert(normal(path));
        let mut help = false;
        for (index, line) in text.lines().enumerate() {
            let line = line.split('\r').next().unwrap_or_default().trim_start();
            let (keyword, rest) = split(line);
            if help {
                help = keyword != "endtext";
                continue;
            }
            let said = Said {
                file: path.to_owned(),
                line: line_number(index + 1),
                directive: keyword.clone(),
                text: kept(rest.trim_end()),
            };
            match keyword.as_str() {
                "text" => help = true,
                "menu" => self.menu(said, depth),
                "include" => self.include(&said, depth),
                _ => self.directive(&keyword, said),
            }
        }
        self.open.remove(&normal(path));
    }

    fn directive(&mut self, keyword: &str, said: Said) {
        match keyword {
            "label" => {
                self.close_label();
                self.label = Some(Label {
                    name: said.word().to_owned(),
                    file: said.file,
                    line: said.line,
                    parent: self.parents.last().copied(),
                    ..Label::default()
                });
            }
            "kernel" | "linux" | "boot" | "bss" | "pxe" | "fdimage" | "com32" | "config"
            | "localboot" => {
                if let Some(label) = &mut self.label {
                    label.kernel = Some(said);
                }
            }
            "append" => match &mut self.label {
                Some(label) => label.append = Some(said),
                None => self.append = Some(said),
            },
            "initrd" => {
                if let Some(label) = &mut self.label {
                    label.initrd = Some(said);
                }
            }
            "default" => self.default = Some(said),
            "ui" => self.user_interface = Some(said),
            "ontimeout" => self.on_timeout = Some(said),
            "timeout" => self.timeout = Some(number(&said.text)),
            "totaltimeout" => self.total_timeout = Some(number(&said.text)),
            "prompt" => self.prompt = number(&said.text) != 0,
            "path" => {
                // Spaces divided directories in 5.00, colons do since.
                let paths = said.text.split([':', ' ', '\t']);
                let paths = paths.filter(|path| !path.is_empty()).take(16);
                self.modules.extend(paths.map(str::to_owned));
                self.modules.truncate(32);
            }
            _ => {}
        }
    }

    fn menu(&mut self, said: Said, depth: usize) {
        let (keyword, rest) = split(&said.text);
        let said = Said {
            directive: format!("menu {keyword}"),
            text: rest.trim_end().to_owned(),
            ..said.clone()
        };
        match (keyword.as_str(), &mut self.label) {
            ("include", _) => self.include(&said, depth),
            ("label", Some(label)) => label.title = Some(said.text),
            ("label" | "title", None) => {
                if let Some(label) = self.parents.last().and_then(|&at| self.labels.get_mut(at)) {
                    label.title = Some(said.text);
                }
            }
            ("default", Some(label)) => label.is_default = true,
            ("separator", _) => self.close_label(),
            ("disable" | "disabled", Some(label)) => label.disabled = true,
            ("quit" | "goto" | "exit", Some(label)) => label.leads_nowhere = true,
            ("begin", _) => self.begin(&said),
            ("end", _) => self.end(),
            _ => {}
        }
    }

    fn begin(&mut self, said: &Said) {
        self.close_label();
        self.labels.push(Label {
            name: said.word().to_owned(),
            title: (!said.text.is_empty()).then(|| said.text.clone()),
            file: said.file.clone(),
            line: said.line,
            parent: self.parents.last().copied(),
            leads_nowhere: true,
            ..Label::default()
        });
        self.parents.push(self.labels.len() - 1);
    }

    fn end(&mut self) {
        self.close_label();
        self.parents.pop();
    }

    fn include(&mut self, said: &Said, depth: usize) {
        let path = join(&self.directory, said.word());
        let exists = self.reader.exists(TREE, &path, Eyes::Isolinux);
        self.name(said, &path, exists);
        let is_circle = self.open.contains(&normal(&path));
        if depth >= INCLUDES || is_circle {
            self.configuration.complete = false;
            return;
        }
        // With a name behind it, the file is a submenu.
        let submenu = said.directive == "menu include" && !said.rest().is_empty();
        if submenu {
            self.begin(&Said {
                text: said.rest().to_owned(),
                ..said.clone()
            });
        }
        match self.reader.text(TREE, &path, Eyes::Isolinux) {
            Some((text, whole)) => {
                self.configuration.complete &= whole;
                self.file(&path, &text, depth + 1);
            }
            None => self.configuration.complete &= exists == Some(false),
        }
        if submenu {
            self.end();
        }
    }

    /// Notes a file that is named outside of the entries.
    fn name(&mut self, said: &Said, path: &str, exists: Option<bool>) {
        let files = &mut self.configuration.files;
        if files.len() < NAMED {
            files.push(named(said, path, exists));
        }
    }

    fn close_label(&mut self) {
        if let Some(label) = self.label.take()
            && !label.disabled
        {
            // Each submenu has a default of its own.
            if label.is_default && label.parent.is_none() {
                self.menu_default = Some(self.labels.len());
            }
            self.labels.push(label);
        }
    }

    fn finish(mut self) -> Configuration {
        self.close_label();
        let labels = std::mem::take(&mut self.labels);
        // Where each label's entry stands; there may be no room for all.
        let mut places = Vec::new();
        for label in &labels {
            places.push(self.entry(label, &places));
        }
        let of_name = |name: &str| {
            let named = labels.iter().zip(&places);
            let mut named = named.filter(|(label, _)| label.name == name && !label.leads_nowhere);
            named.next().and_then(|(_, &place)| place)
        };
        let ui = self.user_interface.take();
        let default = self.default.take();
        let first = places.iter().zip(&labels);
        let first = first.filter(|(_, label)| !label.leads_nowhere && label.parent.is_none());
        let first = first.map(|(&place, _)| place).next().flatten();
        let menu_default = self
            .menu_default
            .and_then(|at| places.get(at).copied().flatten());
        let named_default = default.as_ref().and_then(|said| of_name(said.word()));
        if let Some(command) = ui.as_ref().or(default.as_ref()) {
            match of_name(command.word()) {
                Some(index) => {
                    self.configuration.default = DefaultEntry::Entry(index);
                    let entry = self.configuration.entries.get(index);
                    let menu = entry.and_then(|entry| entry.files.first());
                    self.configuration.interface = menu.filter(|file| is_menu(&file.path)).cloned();
                }
                None => self.command(
                    command,
                    ui.is_some(),
                    named_default.or(menu_default).or(first),
                ),
            }
        }
        let has_menu = self.configuration.interface.is_some();
        let has_default = ui.is_some() || default.is_some();
        self.configuration.prompts = self.prompt || has_menu || !has_default;
        if let Some(said) = self.on_timeout.take() {
            let name = said.word().to_owned();
            let entry = of_name(&name).map(DefaultEntry::Entry);
            // It may be a file, as after DEFAULT.
            let mut is_missing = || self.program(&said).exists == Some(false);
            self.configuration.on_timeout = Some(entry.unwrap_or_else(|| match is_missing() {
                true => DefaultEntry::Missing(name),
                false => DefaultEntry::Unknown,
            }));
        }
        self.configuration.timeout = Some(self.timeout());
        self.configuration
    }

    /// The shorter of both: nothing is pressed.
    fn timeout(&self) -> Timeout {
        let times = [self.timeout, self.total_timeout];
        let positive = times.into_iter().flatten().filter(|&time| time > 0);
        match positive.min() {
            // In tenths of a second.
            Some(time) => Timeout::Milliseconds(time.unsigned_abs().saturating_mul(100)),
            None if times == [None, None] => Timeout::Unset,
            None => Timeout::Never,
        }
    }

    /// What is run where no label has the name that `UI` or `DEFAULT` says: a menu program, or a kernel.
    fn command(&mut self, command: &Said, is_ui: bool, in_menu: Option<usize>) {
        let label = Label {
            name: command.word().to_owned(),
            file: command.file.clone(),
            line: command.line,
            kernel: Some(command.clone()),
            append: self.append.take().filter(|_| !is_ui),
            ..Label::default()
        };
        let program = self.program(command);
        if is_ui || is_menu(&program.path) {
            self.lead_on(&program, command.rest(), &label);
            self.configuration.interface = Some(program);
            self.configuration.default = in_menu.map_or(DefaultEntry::Unset, DefaultEntry::Entry);
            return;
        }
        match self.entry(&label, &[]) {
            Some(index) => self.configuration.default = DefaultEntry::Entry(index),
            None => self.configuration.default = DefaultEntry::Unknown,
        }
    }

    /// A file that is run by a name that may lack its extension.
    fn program(&mut self, said: &Said) -> NamedFile {
        let written = said.word().to_owned();
        let mut tried = vec![written.clone()];
        tried.extend(EXTENSIONS.map(|extension| format!("{written}{extension}")));
        for name in &tried {
            let (path, exists) = self.look_up(name);
            if exists != Some(false) {
                return named(said, &path, exists);
            }
        }
        let (path, exists) = self.look_up(&written);
        named(said, &path, exists)
    }

    /// A path as isolinux finds it, and whether it is there.
    fn look_up(&mut self, name: &str) -> (String, Option<bool>) {
        // `server::file` is of the network, and nothing else has two colons.
        if name.is_empty() || name.contains("::") {
            return (name.to_owned(), None);
        }
        let path = join(&self.directory, name);
        let exists = self.reader.exists(TREE, &path, Eyes::Isolinux);
        let is_module = name.to_ascii_lowercase().ends_with(".c32");
        if exists == Some(false) && is_module && !name.starts_with('/') {
            // A folder of PATH counts from the configuration's own, and one that begins with a slash from the root.
            let folders = self.modules.iter();
            let folders =
                folders.flat_map(|folder| [join(&self.directory, folder), join("/", folder)]);
            for folder in folders {
                let other = join(&folder, name);
                if self.reader.exists(TREE, &other, Eyes::Isolinux) == Some(true) {
                    return (other, Some(true));
                }
            }
        }
        (path, exists)
    }

    /// Makes a label an entry, and says where it stands.
    fn entry(&mut self, label: &Label, places: &[Option<usize>]) -> Option<usize> {
        if !self.reader.has_room_for_an_entry() {
            self.configuration.complete = false;
            return None;
        }
        let parent = label
            .parent
            .and_then(|at| places.get(at).copied().flatten());
        let mut entry = Entry {
            title: label.title.clone().unwrap_or_else(|| label.name.clone()),
            id: Some(label.name.clone()),
            file: label.file.clone(),
            line: label.line,
            parent,
            ..Entry::default()
        };
        // The caret marks a menu's hot key.
        entry.title = entry.title.replace('^', "");
        if !label.leads_nowhere {
            self.files(label, &mut entry);
        }
        self.configuration.entries.push(entry);
        Some(self.configuration.entries.len() - 1)
    }

    fn files(&mut self, label: &Label, entry: &mut Entry) {
        // A label without a kernel names it itself.
        let kernel = label.kernel.clone().unwrap_or_else(|| Said {
            file: label.file.clone(),
            line: label.line,
            directive: "label".to_owned(),
            text: label.name.clone(),
        });
        if kernel.directive == "localboot" {
            return;
        }
        let append = label.append.as_ref().or(self.append.as_ref()).cloned();
        let append = append.filter(|said| said.text != "-");
        let arguments: Vec<&str> = [kernel.rest(), append.as_ref().map_or("", |it| &it.text)]
            .into_iter()
            .filter(|text| !text.is_empty())
            .collect();
        let arguments = arguments.join(" ");
        let program = self.kernel(&kernel);
        let name = base_name(&program.path);
        if kernel.directive == "config" {
            // APPEND is the directory from which the other file's paths start.
            let directory = arguments.split_ascii_whitespace().next();
            let directory = directory.map(|it| join(&self.directory, it));
            self.go_on(&program, directory);
            entry.files.push(program);
            return;
        }
        if name.ends_with(".c32") && kernel.directive != "linux" {
            let said = append.as_ref().unwrap_or(&kernel);
            match name.as_str() {
                "mboot.c32" => self.multiboot(said, &arguments, entry),
                _ if is_menu(&name) => self.lead_on(&program, &arguments, label),
                _ => {}
            }
        }
        entry.files.insert(0, program);
        self.initrds(label, &kernel, append.as_ref(), entry);
        if !arguments.is_empty() {
            entry.command_line = Some(kept(&arguments));
        }
    }

    fn kernel(&mut self, said: &Said) -> NamedFile {
        let mut written = said.word().to_owned();
        if said.directive == "com32" && !written.ends_with(".c32") {
            written.push_str(".c32");
        }
        let (path, mut exists) = self.look_up(&written);
        if exists == Some(false) && said.directive != "config" {
            // isolinux 6 does not try extensions here, and older releases do.
            let mut is_there = |extension: &str| {
                let path = format!("{path}{extension}");
                self.reader.exists(TREE, &path, Eyes::Isolinux) != Some(false)
            };
            if EXTENSIONS.iter().any(|extension| is_there(extension)) {
                exists = None;
            }
        }
        named(said, &path, exists)
    }

    /// `mboot.c32 xen.gz … --- vmlinuz … --- initrd.gz`: the first word of each part.
    fn multiboot(&mut self, said: &Said, arguments: &str, entry: &mut Entry) {
        for part in arguments.split("---") {
            let Some(name) = part.split_ascii_whitespace().next() else {
                continue;
            };
            // `-c boot.cfg` names a list of modules in a language of its own.
            if name.starts_with('-') || entry.files.len() >= NAMED {
                return;
            }
            let (path, exists) = self.look_up(name);
            entry.files.push(named(said, &path, exists));
        }
    }

    /// The files behind the first `initrd=`, which may be `INITRD`'s.
    fn initrds(&mut self, label: &Label, kernel: &Said, append: Option<&Said>, entry: &mut Entry) {
        let in_line = |said: &Said, text: &str| {
            let words = text.split_ascii_whitespace();
            let mut words = words.filter_map(|word| word.strip_prefix("initrd="));
            words.next().map(|list| (said.clone(), list.to_owned()))
        };
        let found = in_line(kernel, kernel.rest())
            .or_else(|| append.and_then(|said| in_line(said, &said.text)))
            .or_else(|| {
                let said = label.initrd.as_ref()?;
                Some((said.clone(), said.word().to_owned()))
            });
        let Some((said, list)) = found else { return };
        for name in list.split(',').filter(|name| !name.is_empty()) {
            if entry.files.len() >= NAMED {
                self.configuration.complete = false;
                return;
            }
            let (path, exists) = self.look_up(name);
            let directive = "initrd".to_owned();
            entry.files.push(NamedFile {
                directive,
                ..named(&said, &path, exists)
            });
        }
    }

    /// A menu program is given the configurations that it shows; without any, it shows the one that starts it.
    fn lead_on(&mut self, program: &NamedFile, arguments: &str, label: &Label) {
        if !is_menu(&program.path) || base_name(&program.path).starts_with("gfxboot") {
            return;
        }
        let words = arguments.split_ascii_whitespace();
        for word in words.filter(|word| !word.starts_with(['-', '~'])).take(8) {
            let (path, exists) = self.look_up(word);
            let file = NamedFile {
                file: label.file.clone(),
                line: label.line,
                directive: "append".to_owned(),
                path,
                exists,
            };
            self.go_on(&file, None);
            if self.configuration.files.len() < NAMED {
                self.configuration.files.push(file);
            }
        }
    }

    /// Another configuration is read later.
    fn go_on(&mut self, file: &NamedFile, directory: Option<String>) {
        if file.exists == Some(true) && self.queue.len() < NAMED {
            self.queue.push(Next {
                path: file.path.clone(),
                directory: directory.unwrap_or_else(|| self.directory.clone()),
                reached_from: Some(self.configuration.path.clone()),
            });
        }
    }
}
