//! One live disc, put together in a folder of its own.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use images::{
    boot_image::fat_image,
    signature::{MachineKeys, SignatureList},
    units::{ByteCount, VirtualSectorCount},
};

use super::{
    keys::write_keys,
    layout::{Damage, FatImage, HERE, Layout, MachineLists, Parts},
    payload::PAYLOAD,
    stock::Stock,
};
use crate::{firmware::keys::MicrosoftKeys, master::run_in};

/// The disc, in the folder that it is made in.
const ISO: &str = "disc.iso";
/// What takes its place.
const NEW: &str = "new.iso";
/// How long a command may take: each is a matter of seconds, and a busy host makes minutes of them.
const DEADLINE: Duration = Duration::from_secs(300);
/// No file of a live disc is longer.
const LONGEST: ByteCount = ByteCount::new(2 << 30);

/// What came of a layout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Built {
    /// The disc.
    Made(PathBuf),
    /// A command failed: a sentence, then its own words, line by line.
    Refused(Vec<String>),
}

/// Makes a disc in an empty folder, with the damage of this name where there is one. `payload` is the folder that
/// [`super::payload::make`] has filled.
///
/// # Errors
/// The host failed, a package lacks a file, or the layout has no such damage.
pub fn build(
    layout: &Layout,
    damage: Option<&str>,
    stock: &Stock,
    payload: Option<&Path>,
    folder: &Path,
) -> io::Result<Built> {
    let damage = match damage {
        None => None,
        Some(name) => Some(layout.damage.get(name).ok_or_else(|| {
            io::Error::other(format!("the layout has no damage of the name {name}"))
        })?),
    };
    // Commands run in it, and name it in what they say.
    let folder = &fs::canonicalize(folder)?;
    let site = Site {
        folder,
        places: places(layout, stock, payload)?,
        layout,
    };
    fs::create_dir_all(folder.join("tree"))?;
    for (file, text) in &layout.text {
        // What goes into programs and images is damaged before these are made.
        let damaged = damage.and_then(|damage| damage.text.get(file));
        site.text(file, damaged.unwrap_or(text))?;
    }
    for make in &layout.make {
        site.room(&make.file)?;
        if let Err(words) = site.run(&make.command, &[])? {
            return Ok(Built::Refused(words));
        }
        if !folder.join(&make.file).is_file() {
            let words = format!("{} made no {}", make.command, make.file);
            return Ok(Built::Refused(vec![words]));
        }
    }
    for (file, parts) in &layout.copy {
        site.copy(file, parts)?;
    }
    for (file, other) in damage.into_iter().flat_map(|damage| &damage.instead) {
        fs::write(site.room(file)?, read(&site.path(other))?)?;
    }
    for fat in &layout.fat {
        site.fat(fat)?;
    }
    for (name, machine) in &layout.machine {
        site.keys(name, machine)?;
    }
    if let Some(damage) = damage {
        site.damage(damage)?;
    }
    let without = damage.map_or(&[][..], |damage| &damage.without);
    let (iso, new) = (folder.join(ISO), folder.join(NEW));
    for command in layout.commands(damage) {
        if let Err(words) = site.run(&command, without)? {
            return Ok(Built::Refused(words));
        }
        if new.is_file() {
            fs::rename(&new, &iso)?;
        }
    }
    if !iso.is_file() {
        let words = "the commands ended without an error and wrote no disc".to_owned();
        return Ok(Built::Refused(vec![words]));
    }
    for edit in damage.map_or(&[][..], |damage| &damage.edit) {
        edit.apply(&iso)?;
    }
    Ok(Built::Made(iso))
}

/// The folders that names in braces stand for.
fn places(
    layout: &Layout,
    stock: &Stock,
    payload: Option<&Path>,
) -> io::Result<BTreeMap<String, PathBuf>> {
    let mut places = BTreeMap::new();
    for name in &layout.packages {
        let folder = stock.package(name).map_err(io::Error::other)?;
        places.insert(name.clone(), fs::canonicalize(folder)?);
    }
    if !layout.here.as_os_str().is_empty() {
        places.insert(HERE.to_owned(), fs::canonicalize(&layout.here)?);
    }
    if let Some(payload) = payload {
        places.insert(PAYLOAD.to_owned(), fs::canonicalize(payload)?);
    }
    Ok(places)
}

/// Where a disc is put together.
struct Site<'a> {
    folder: &'a Path,
    places: BTreeMap<String, PathBuf>,
    layout: &'a Layout,
}

impl Site<'_> {
    /// A file in the folder, whose own folder is there.
    fn room(&self, file: &str) -> io::Result<PathBuf> {
        let path = self.folder.join(file);
        if let Some(above) = path.parent() {
            fs::create_dir_all(above)?;
        }
        Ok(path)
    }

    fn copy(&self, file: &str, parts: &Parts) -> io::Result<()> {
        let to = self.room(file)?;
        let (parts, bytes) = parts.files();
        if let [folder] = parts
            && self.path(folder).is_dir()
        {
            return copy_folder(&self.path(folder), &to);
        }
        let mut joined = Vec::new();
        for part in parts {
            joined.extend(read(&self.path(part))?);
        }
        let filled = usize::try_from(bytes).map_err(io::Error::other)?;
        if joined.len() < filled {
            joined.resize(filled, 0);
        }
        fs::write(to, joined)
    }

    fn text(&self, file: &str, text: &str) -> io::Result<()> {
        fs::write(self.room(file)?, self.in_words_of_the_disc(text))
    }

    fn fat(&self, fat: &FatImage) -> io::Result<()> {
        let contents = fat
            .files
            .iter()
            .map(|(path, file)| Ok((path.as_str(), read(&self.path(file))?)))
            .collect::<io::Result<Vec<_>>>()?;
        let files: Vec<(&str, &[u8])> = contents
            .iter()
            .map(|(path, content)| (*path, content.as_slice()))
            .collect();
        let length = VirtualSectorCount::new(u64::from(fat.kib) * 2);
        let image = fat_image(length, &files)
            .map_err(|error| io::Error::other(format!("{}: {error}", fat.file)))?;
        image.write_to(&fs::File::create(self.room(&fat.file)?)?)
    }

    fn damage(&self, damage: &Damage) -> io::Result<()> {
        for name in &damage.remove {
            let path = self.folder.join(name);
            let removed = match path.is_dir() {
                true => fs::remove_dir_all(&path),
                false => fs::remove_file(&path),
            };
            removed.map_err(|error| io::Error::other(format!("cannot remove {name}: {error}")))?;
        }
        for (from, to) in &damage.rename {
            fs::rename(self.folder.join(from), self.room(to)?)
                .map_err(|error| io::Error::other(format!("cannot rename {from}: {error}")))?;
        }
        for (file, text) in &damage.text {
            self.text(file, text)?;
        }
        Ok(())
    }

    /// Keeps the lists of keys of a machine, and nothing secret.
    fn keys(&self, name: &str, machine: &MachineLists) -> io::Result<()> {
        let list = |files: &[String]| {
            let mut list = SignatureList::default();
            for file in files {
                let path = self.path(file);
                let named = SignatureList::of_file(&read(&path)?)
                    .map_err(|error| io::Error::other(format!("{}: {error}", path.display())))?;
                list.extend(named);
            }
            Ok::<_, io::Error>(list)
        };
        let mut keys = match (&machine.microsoft, &machine.shim) {
            (Some(set), Some(shim)) => {
                let set = MicrosoftKeys::named(set);
                let set = set.ok_or_else(|| io::Error::other("unknown keys of Microsoft's"))?;
                set.from_shim(&self.path(shim))?
            }
            _ => MachineKeys {
                db: (!machine.setup_mode).then(SignatureList::default),
                dbx: SignatureList::default(),
            },
        };
        if let Some(db) = &mut keys.db {
            db.extend(list(&machine.db)?);
        }
        keys.dbx = list(&machine.dbx)?;
        write_keys(&keys, self.folder, name)
    }

    /// Runs a command in the folder; its words where it fails.
    fn run(&self, command: &str, without: &[String]) -> io::Result<Result<(), Vec<String>>> {
        let words = shell_words::split(command).map_err(io::Error::other)?;
        let words: Vec<String> = words
            .iter()
            .filter(|word| !without.contains(word))
            .map(|word| self.expand(&self.in_words_of_the_disc(word)))
            .collect();
        let Some((program, arguments)) = words.split_first() else {
            return Ok(Ok(()));
        };
        let mut command = Command::new(program);
        command.args(arguments).current_dir(self.folder);
        let ran = run_in(program, command, self.folder, LONGEST, DEADLINE)?;
        Ok(ran.map(drop))
    }

    /// A path in the folder, or in that of a package.
    fn path(&self, template: &str) -> PathBuf {
        self.folder.join(self.expand(template))
    }

    /// A text with the folders that names in braces stand for. They were checked when the layout was read.
    fn expand(&self, template: &str) -> String {
        let mut text = template.to_owned();
        for (name, folder) in &self.places {
            text = text.replace(&format!("{{{name}}}"), &folder.to_string_lossy());
        }
        text
    }

    fn in_words_of_the_disc(&self, text: &str) -> String {
        text.replace("@label@", &self.layout.label)
            .replace("@arguments@", &self.layout.arguments)
    }
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    fs::read(path).map_err(|error| io::Error::other(format!("{}: {error}", path.display())))
}

fn copy_folder(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        // Links are followed: what they lead to is what is meant.
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            fs::write(target, read(&entry.path())?)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disc_is_put_together_and_damaged() {
        let folder = tempfile::tempdir().unwrap();
        let stock = Stock::in_folder(folder.path().join("stock"));
        let loader = stock.folder().join("loader");
        fs::create_dir_all(loader.join("modules")).unwrap();
        fs::write(loader.join("a.bin"), b"A").unwrap();
        fs::write(loader.join("modules/b.bin"), b"B").unwrap();
        let text = r#"
            summary = "a test"
            packages = ["loader"]
            label = "TEST"
            arguments = "quiet"
            tools = { cat = "coreutils", cp = "coreutils" }
            master = ["cp tree/esp.img disc.iso", "cp tree/both.bin new.iso"]
            make = [{ file = "made.bin", command = "cp {loader}/a.bin made.bin" }]
            fat = [{ file = "tree/esp.img", kib = 1440, files = { "EFI/BOOT/BOOTX64.EFI" = "made.bin" } }]
            [copy]
            "tree/both.bin" = { parts = ["{loader}/a.bin", "{loader}/modules/b.bin"], bytes = 100 }
            "tree/modules" = "{loader}/modules"
            [text]
            "tree/boot.cfg" = "linux @arguments@ label=@label@"
            [damage.cut]
            summary = "half is there"
            remove = ["tree/boot.cfg"]
            rename = { "tree/modules" = "tree/moved/away" }
            edit = [{ cut-percent = 50 }]
            [damage.broken]
            summary = "the command fails"
            after = ["cat nothing"]
        "#;
        let layout = Layout::parse(Path::new("x.toml"), text).unwrap();
        let built = |name: &str, damage| {
            let work = folder.path().join(name);
            fs::create_dir(&work).unwrap();
            let built = build(&layout, damage, &stock, None, &work).unwrap();
            (work, built)
        };
        let (work, whole) = built("whole", None);
        let Built::Made(iso) = whole else {
            panic!("{whole:?}");
        };
        let bytes = fs::read(iso).unwrap();
        assert!(bytes.starts_with(b"AB\0") && bytes.len() == 100);
        assert_eq!(
            fs::read_to_string(work.join("tree/boot.cfg")).unwrap(),
            "linux quiet label=TEST"
        );
        assert_eq!(fs::read(work.join("tree/modules/b.bin")).unwrap(), b"B");
        assert_eq!(
            work.join("tree/esp.img").metadata().unwrap().len(),
            1440 << 10
        );

        let (work, cut) = built("cut", Some("cut"));
        assert!(matches!(cut, Built::Made(_)), "{cut:?}");
        assert_eq!(work.join(ISO).metadata().unwrap().len(), 50);
        assert!(!work.join("tree/boot.cfg").exists());
        assert!(work.join("tree/moved/away/b.bin").exists());

        let (_, broken) = built("broken", Some("broken"));
        let Built::Refused(words) = broken else {
            panic!("{broken:?}");
        };
        assert_eq!(words[0], "cat ended with exit status 1");
        assert!(words[1].contains("nothing"), "{words:?}");
    }
}
