//! Circles between the files of a crate.
//!
//! A file uses another one if a path in it, outside of tests, leads to a name that the other file defines; a name that a file only re-exports counts for the
//! file that defines it, so a parent and its child are a circle only if each uses a name that the other defines. Methods are not seen, nor what macros make or
//! `*` brings.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context;
use quote::ToTokens;
use regex::Regex;
use syn::{Item, UseTree, Visibility};

/// What stands before the name that an item defines.
const BEFORE_NAMES: [&str; 12] = [
    "const",
    "enum",
    "fn",
    "macro_rules",
    "!",
    "mod",
    "mut",
    "static",
    "struct",
    "trait",
    "type",
    "union",
];

/// A path, and whether it is called. What is none is taken first: a character, a string, a field, a method, what follows `::` without a name before it.
const PATH: &str = r##"'(?:[^'\\]|\\.)'|r#*"[^"]*"|"(?:[^"\\]|\\.)*"|(?:\.|'|::) ?\w+|([A-Za-z_]\w*(?: ?:: ?[A-Za-z_]\w*)*)( ?[(!])?"##;

/// Two files, by their numbers, and the paths by which the first one uses the second.
type Uses = BTreeMap<(usize, usize), BTreeSet<String>>;

/// A crate, from its root file on. The root is the first module.
struct Crate {
    /// [`PATH`].
    path: Regex,
    files: Vec<PathBuf>,
    modules: Vec<Module>,
}

#[derive(Default)]
struct Module {
    file: usize,
    parent: usize,
    children: BTreeMap<String, usize>,
    defined: BTreeSet<String>,
    /// Names, and the paths for which they stand here.
    imported: Vec<(String, Vec<String>)>,
    /// Paths in its code.
    used: Vec<Vec<String>>,
}

/// The circles of the crate with this root file: a line for each use of one file by another, with the paths.
pub(crate) fn of(root: &Path) -> anyhow::Result<Vec<String>> {
    let mut all = Crate {
        path: Regex::new(PATH)?,
        files: Vec::new(),
        modules: Vec::new(),
    };
    all.read_file(root.to_owned(), root.parent().unwrap_or(root), 0)?;
    let mut uses = all.uses();
    // A file that uses none, or that none uses, is in no circle: it is left out, until there is no such file. What lies between two circles stays.
    let mut before = usize::MAX;
    while uses.len() < before {
        before = uses.len();
        let (users, used): (BTreeSet<usize>, BTreeSet<usize>) = uses.keys().copied().unzip();
        uses.retain(|(user, file), _| used.contains(user) && users.contains(file));
    }
    let line = |((user, file), paths): (&(usize, usize), &BTreeSet<String>)| {
        let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
        let [user, file] = [user, file].map(|number| all.files[*number].display());
        format!("{user} uses {file}: {}", paths.join(", "))
    };
    Ok(uses.iter().map(line).collect())
}

impl Crate {
    fn read_file(&mut self, path: PathBuf, folder: &Path, parent: usize) -> anyhow::Result<usize> {
        let name = path.display().to_string();
        let text = fs::read_to_string(&path).with_context(|| name.clone())?;
        self.files.push(path);
        let file = self.files.len() - 1;
        self.read(
            syn::parse_file(&text).context(name)?.items,
            file,
            folder,
            parent,
        )
    }

    /// Reads a module whose children are in this folder.
    fn read(
        &mut self,
        items: Vec<Item>,
        file: usize,
        folder: &Path,
        parent: usize,
    ) -> anyhow::Result<usize> {
        let me = self.modules.len();
        self.modules.push(Module {
            file,
            parent,
            ..Module::default()
        });
        for item in items {
            let code = item.to_token_stream();
            let words: Vec<String> = code.clone().into_iter().map(|it| it.to_string()).collect();
            if words
                .iter()
                .any(|it| it.starts_with("[cfg (test") || it.starts_with("[cfg (all (test"))
            {
                continue;
            }
            let is_before = |word: &&String| BEFORE_NAMES.contains(&word.as_str());
            let name = words
                .iter()
                .skip_while(|it| !is_before(it))
                .find(|it| !is_before(it))
                .cloned();
            match (item, name) {
                (Item::Mod(module), Some(name)) => {
                    let (below, flat) = (folder.join(&name), folder.join(format!("{name}.rs")));
                    let child = match module.content {
                        Some((_, items)) => self.read(items, file, &below, me)?,
                        None if flat.exists() => self.read_file(flat, &below, me)?,
                        None => self.read_file(below.join("mod.rs"), &below, me)?,
                    };
                    self.modules[me].children.insert(name, child);
                }
                (Item::Use(it), _) => {
                    let is_private = matches!(it.vis, Visibility::Inherited);
                    self.modules[me].import(&it.tree, &[], is_private);
                }
                (_, name) => {
                    self.modules[me].defined.extend(name);
                    self.modules[me].scan(&self.path, &code.to_string());
                }
            }
        }
        Ok(me)
    }

    fn uses(&self) -> Uses {
        let mut uses = Uses::new();
        for (id, module) in self.modules.iter().enumerate() {
            for path in &module.used {
                if let Some(file) = self
                    .file_of(id, path, 12)
                    .filter(|file| *file != module.file)
                {
                    uses.entry((module.file, file))
                        .or_default()
                        .insert(path.join("::"));
                }
            }
        }
        uses
    }

    /// The file that defines what a path in a module leads to, found in so many steps: imports may lead back to themselves.
    fn file_of(&self, module: usize, path: &[String], steps: u8) -> Option<usize> {
        let steps = steps.checked_sub(1)?;
        let (name, rest) = path.split_first()?;
        let it = &self.modules[module];
        match name.as_str() {
            "crate" => return self.file_of(0, rest, steps),
            "self" => return self.file_of(module, rest, steps),
            "super" => return self.file_of(it.parent, rest, steps),
            _ => {}
        }
        let in_child = || self.file_of(*it.children.get(name)?, rest, steps);
        let here = || it.defined.contains(name).then_some(it.file);
        let mut imported = it.imported.iter().filter(|(import, _)| import == name);
        let behind =
            |(_, path): &(_, Vec<String>)| self.file_of(module, &[path, rest].concat(), steps);
        in_child()
            .or_else(here)
            .or_else(|| imported.find_map(behind))
    }
}

impl Module {
    /// Takes what `use` brings. A module that imports a name for itself uses it; one that re-exports it may not.
    fn import(&mut self, tree: &UseTree, before: &[String], is_private: bool) {
        let to = |name: &syn::Ident| [before, &[name.to_string()]].concat();
        let (name, path) = match tree {
            UseTree::Path(it) => return self.import(&it.tree, &to(&it.ident), is_private),
            UseTree::Group(it) => {
                return it
                    .items
                    .iter()
                    .for_each(|tree| self.import(tree, before, is_private));
            }
            UseTree::Glob(_) => return,
            UseTree::Name(it) if it.ident == "self" => (before.last().cloned(), before.to_vec()),
            UseTree::Name(it) => (Some(it.ident.to_string()), to(&it.ident)),
            UseTree::Rename(it) => (Some(it.rename.to_string()), to(&it.ident)),
        };
        self.used.extend(is_private.then(|| path.clone()));
        self.imported.extend(name.map(|name| (name, path)));
    }

    /// Takes the paths in code. A single name that is neither called nor a type may be a variable.
    fn scan(&mut self, path: &Regex, code: &str) {
        for found in path.captures_iter(code) {
            let path = found.get(1).map_or("", |it| it.as_str());
            let is_type = path.starts_with(char::is_uppercase);
            if is_type || path.contains("::") || found.get(2).is_some() {
                self.used.push(
                    path.split("::")
                        .map(|name| name.trim().to_owned())
                        .collect(),
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The circles of a crate with these two child modules.
    fn found(root: &str, a: &str, b: &str) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in [("lib.rs", root), ("a.rs", a), ("b.rs", b)] {
            fs::write(folder.path().join(name), text).unwrap();
        }
        let root = folder.path().join("lib.rs");
        let lines = of(&root).unwrap().into_iter();
        let below = format!("{}/", folder.path().display());
        lines.map(|line| line.replace(&below, "")).collect()
    }

    #[test]
    fn files_that_use_one_another_are_found() {
        let root = "mod a; mod b; pub use a::A; fn unused() {}";
        let a = "pub struct A; fn f() { println!(\"{}\", super::b::g()); }";
        let b = "use crate::A; pub fn g() -> A { A }";
        let circle = ["a.rs uses b.rs: super::b::g", "b.rs uses a.rs: A, crate::A"];
        assert_eq!(found(root, a, b), circle);
        // A parent and its child, by a name that both have and one that only the parent has.
        let parent = "mod a; mod b; fn h() { a::f() }";
        assert_eq!(found(parent, "pub fn f() { super::h() }", "").len(), 2);
    }

    #[test]
    fn re_exports_tests_and_a_use_in_one_direction_are_no_circle() {
        let root = "mod a; mod b; pub use a::A; #[cfg(test)] mod tests { use super::b::g; }";
        let a = "pub struct A; #[cfg(test)] fn f() { super::b::g() }";
        assert!(found(root, a, "use super::A; pub fn g(a: A) {}").is_empty());
    }
}
