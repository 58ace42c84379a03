//! The commands that name files.

use std::rc::Rc;

use super::{
    super::{
        configuration::{FileSystem, FixedDevice, NamedFile},
        path::normal,
        reader::{INCLUDES, NAMED, kept},
        volume::Eyes,
    },
    DEPTH, Expanded, Next, Runner, Said, device_name, shown,
    words::Word,
};

impl Runner<'_, '_, '_> {
    /// The device of a path, and the path on it.
    fn device_and_path<'p>(&self, path: &'p str) -> Option<(String, &'p str)> {
        let (device, path) = match path.strip_prefix('(') {
            Some(rest) => {
                let (device, path) = rest.split_once(')')?;
                (device.to_owned(), path)
            }
            None => (self.device()?, path),
        };
        let device = device.trim_matches(['(', ')']).to_owned();
        path.starts_with('/').then_some((device, path))
    }

    /// Where a path leads; `None` where that is another device, or not known.
    fn place(&self, path: &str) -> Option<(FileSystem, String)> {
        let (device, path) = self.device_and_path(path)?;
        let system = match &device[..] {
            "cd" | "cd0" => FileSystem::Tree,
            device => {
                let systems = self.reader.volumes.file_systems();
                systems.into_iter().find(|&it| device_name(it) == device)?
            }
        };
        Some((system, path.to_owned()))
    }

    /// Notes a path on a device that is named by what the machine has.
    fn note_device(&mut self, said: Said<'_>, line: u32, path: &str) {
        let Some((device, path)) = self.device_and_path(path) else {
            return;
        };
        let is_known = self.conditional == 0 && depends_on_the_machine(&device);
        if is_known && self.configuration.fixed_devices.len() < NAMED {
            self.configuration.fixed_devices.push(FixedDevice {
                file: said.file.to_owned(),
                line,
                device: kept(&device),
                path: kept(path),
                entry: self.entry,
            });
        }
    }

    /// Whether a path on this disc does not begin with a slash: GRUB takes it for a list of blocks, which begins with a digit or a plus
    /// (`grub-core/kern/file.c`, `kern/fs.c`).
    fn is_without_slash(&self, path: &str) -> bool {
        let device = self.device().unwrap_or_default();
        let is_here = device.trim_matches(['(', ')']).starts_with('\u{1}');
        is_here && path.starts_with(|first: char| first.is_ascii_alphabetic())
    }

    /// A file that is named, looked up where it can be.
    fn named(
        &mut self,
        said: Said<'_>,
        line: u32,
        written: &str,
        value: Option<&str>,
    ) -> (NamedFile, Option<FileSystem>) {
        let place = value.and_then(|value| self.place(value));
        if let Some(value) = value {
            self.note_device(said, line, value);
        }
        let mut exists = None;
        if let Some((system, path)) = &place {
            exists = self.reader.exists(*system, path, Eyes::Grub);
        } else if value.is_some_and(|value| self.is_without_slash(value)) {
            exists = Some(false);
        }
        // The prefix is only where it is usually, as long as nothing sets it.
        let guessed = written.contains("${prefix}") && self.scope.get("prefix").is_none();
        if self.conditional > 0 || (guessed && exists == Some(false)) {
            exists = None;
        }
        let path = match (&place, value) {
            (Some((_, path)), _) => path.clone(),
            (None, Some(value)) => value.to_owned(),
            (None, None) => written.to_owned(),
        };
        let file = NamedFile {
            file: said.file.to_owned(),
            line,
            directive: said.name.to_owned(),
            path: kept(&shown(&path)),
            exists,
        };
        (file, place.map(|(system, _)| system))
    }

    /// Notes a file with the entry that is run, or with the configuration.
    fn note(&mut self, file: NamedFile) {
        let entry = self
            .entry
            .and_then(|at| self.configuration.entries.get_mut(at));
        let files = match entry {
            Some(entry) => &mut entry.files,
            None => &mut self.configuration.files,
        };
        if files.len() < NAMED {
            files.push(file);
        } else {
            self.configuration.complete = false;
        }
    }

    pub(super) fn kernel(&mut self, said: Said<'_>, words: &[Rc<Word>]) {
        let words = self.expand_all(words);
        // `module --nounzip`, `multiboot --quirk-…`.
        let is_option = |word: &&Expanded| word.1.starts_with("--");
        let options = words.iter().take_while(is_option).count();
        let Some((file, arguments)) = words.get(options..).and_then(<[_]>::split_first) else {
            return;
        };
        let (named, _) = self.named(said, file.0, &file.1, file.2.as_deref());
        self.note(named);
        let arguments: Vec<&str> = arguments
            .iter()
            .map(|(_, written, value)| value.as_deref().unwrap_or(written))
            .collect();
        let entry = self
            .entry
            .and_then(|at| self.configuration.entries.get_mut(at));
        if let Some(entry) = entry
            && !said.name.contains("module")
        {
            entry.command_line = Some(kept(&shown(&arguments.join(" "))));
        }
    }

    pub(super) fn initrd(&mut self, said: Said<'_>, words: &[Rc<Word>]) {
        for (line, written, value) in self.expand_all(words) {
            if written.starts_with("--") {
                continue;
            }
            // `newc:name:path` puts a file of any content into an archive.
            let newc = value.as_deref().and_then(|it| it.strip_prefix("newc:"));
            let in_archive = newc.map(|rest| rest.split_once(':').map_or(rest, |(_, path)| path));
            let (mut named, _) = self.named(said, line, &written, in_archive.or(value.as_deref()));
            if in_archive.is_some() {
                "newc".clone_into(&mut named.directive);
            }
            self.note(named);
        }
    }

    /// What another program does is not judged; blocks of a device (`+1`, `(hd0)+1`) are no file.
    pub(super) fn chainloader(&mut self, said: Said<'_>, words: &[Rc<Word>]) {
        let words = self.expand_all(words);
        let file = words
            .iter()
            .find(|(_, written, _)| !written.starts_with("--"));
        let Some((line, written, value)) = file else {
            return;
        };
        if written.starts_with('+') || written.contains(")+") {
            return;
        }
        let (mut named, _) = self.named(said, *line, written, value.as_deref());
        named.exists = None;
        self.note(named);
    }

    pub(super) fn configfile(&mut self, said: Said<'_>, words: &[Rc<Word>]) {
        let words = self.expand_all(words);
        let Some((line, written, value)) = words.first() else {
            return;
        };
        let (named, system) = self.named(said, *line, written, value.as_deref());
        if let Some(system) = system
            && self.queue.len() < NAMED
            && self.reader.exists(system, &named.path, Eyes::Grub) == Some(true)
        {
            self.queue.push(Next {
                loader: self.configuration.loader,
                system,
                path: named.path.clone(),
                reached_from: Some(self.configuration.path.clone()),
                variables: self.scope.clone(),
            });
        }
        // A file that is missing leaves this one in charge.
        let takes_over = named.exists != Some(false) && self.conditional == 0;
        self.handed_over |= takes_over && self.entry.is_none();
        self.note(named);
    }

    pub(super) fn source(&mut self, said: Said<'_>, words: &[Rc<Word>], depth: usize) {
        let words = self.expand_all(words);
        let Some((line, written, value)) = words.first() else {
            return;
        };
        let (named, system) = self.named(said, *line, written, value.as_deref());
        let path = named.path.clone();
        let exists = named.exists;
        // An entry that reads a file goes on with it, and needs it; a menu does without.
        self.note(named);
        let Some(system) = system else { return };
        let is_circle = self.open.contains(&normal(&path));
        if self.open.len() > INCLUDES || depth >= DEPTH || is_circle {
            self.configuration.complete = false;
            return;
        }
        match self.reader.text(system, &path, Eyes::Grub) {
            Some((text, whole)) => {
                self.configuration.complete &= whole;
                self.file(&path, &text, depth + 1);
            }
            None => self.configuration.complete &= exists != Some(true),
        }
    }
}

/// Whether GRUB's name of a device depends on the firmware and on the other drives of the machine: `cd`, `cd0`, `hd0,msdos1`
/// (`grub-core/disk/efi/efidisk.c`, `grub-core/disk/i386/pc/biosdisk.c`).
fn depends_on_the_machine(device: &str) -> bool {
    let drive = device.split(',').next().unwrap_or_default();
    let kind = drive.trim_end_matches(|digit: char| digit.is_ascii_digit());
    kind == "cd" || (matches!(kind, "hd" | "fd" | "ata" | "ahci" | "usb") && kind != drive)
}
