//! The mastering tools and editors that the options name.

use std::path::Path;

use scenarios::{
    exchange::{self, Plan},
    master::{self, MasterSource, Masters},
    matrix::Folder,
    run::Run,
    words::Master,
};

use crate::{
    options::BootMatrix,
    place::{absolute, shipped},
    stop::Stop,
};

/// The name in ids of the master that is a command.
pub(super) const COMMAND: &str = "command";

/// Every tool that this repository ships, that goes with the user's own scenarios, and that the options name.
pub(super) fn masters(
    options: &BootMatrix,
    folders: &[Folder],
    last: Option<&Run>,
) -> anyhow::Result<Vec<MasterSource>> {
    if options.master_cmd.is_none()
        && let Some(last) = last
    {
        return Ok(last.masters.clone());
    }
    let shipped = Folder::shipped_masters(shipped()?);
    let own = folders.iter().map(Folder::masters);
    let mut sources = Vec::new();
    for folder in own.chain([shipped]) {
        for source in master::files(&folder).map_err(|error| Stop::scenarios(&error))? {
            if !sources.contains(&source) {
                sources.push(source);
            }
        }
    }
    let against = options.against.iter().filter_map(|word| word.to_str());
    let words = options.master.iter().map(String::as_str).chain(against);
    for file in words.filter(|word| is_file(word)) {
        let source = MasterSource::Named(absolute(Path::new(file)));
        if !sources.contains(&source) {
            sources.push(source);
        }
    }
    for file in options.editor.iter().filter(|word| is_file(word)) {
        let source = MasterSource::NamedEditor(absolute(Path::new(file)));
        if !sources.contains(&source) {
            sources.push(source);
        }
    }
    let exchange = |name: String, folder: &Path| MasterSource::Exchange {
        name,
        folder: absolute(folder),
    };
    if let Some(folder) = &options.export {
        sources.push(exchange(options.export_as.0.clone(), folder));
    }
    if let Some(folder) = &options.import {
        sources.push(exchange(plan(folder)?.master, folder));
    }
    if let Some(command) = &options.master_cmd {
        sources.push(MasterSource::Command {
            name: COMMAND.to_owned(),
            command: command.clone(),
        });
    }
    Ok(sources)
}

pub(super) fn is_file(word: &str) -> bool {
    Path::new(word)
        .extension()
        .is_some_and(|extension| extension == "toml")
}

/// The masters that the options restrict the cells to; empty for no restriction.
pub(super) fn wanted(options: &BootMatrix, masters: &Masters) -> Result<Vec<Master>, Stop> {
    for name in &options.require {
        masters.check(name).map_err(unknown)?;
    }
    let mut wanted = Vec::new();
    for word in &options.master {
        wanted.extend(meant(word, masters)?);
    }
    wanted.extend(options.master_cmd.as_ref().map(|_| Master::new(COMMAND)));
    wanted.extend(
        options
            .export
            .as_ref()
            .map(|_| Master::new(options.export_as.0.clone())),
    );
    if let Some(folder) = &options.import {
        wanted.push(Master::new(plan(folder)?.master));
    }
    Ok(wanted)
}

fn unknown(what: String) -> Stop {
    let remedy = "a name, a file that describes a tool (NAME.toml), or --master-cmd";
    Stop::usage(what, remedy)
}

/// The masters that a word on the command line means.
pub(super) fn meant(word: &str, masters: &Masters) -> Result<Vec<Master>, Stop> {
    if is_file(word) {
        let source = [MasterSource::File(absolute(Path::new(word)))];
        let alone = Masters::read(&source).map_err(|error| Stop::scenarios(&error))?;
        return Ok(alone.tools().map(Master::new).collect());
    }
    masters.family(word).map_err(unknown)
}

/// The editors that the options restrict the cells to; empty for no restriction.
pub(super) fn editors(options: &BootMatrix, masters: &Masters) -> Result<Vec<String>, Stop> {
    let meant = |word: &String| {
        if is_file(word) {
            let source = [MasterSource::NamedEditor(absolute(Path::new(word)))];
            let alone = Masters::read(&source).map_err(|error| Stop::scenarios(&error))?;
            return Ok(alone.editors().map(ToOwned::to_owned).collect());
        }
        let known = masters.check_editor(word).map(|()| vec![word.clone()]);
        known.map_err(|what| {
            let remedy = "a name, or a file that describes an editor (NAME.toml)";
            Stop::usage(what, remedy)
        })
    };
    let meant: Vec<Vec<String>> = options.editor.iter().map(meant).collect::<Result<_, _>>()?;
    Ok(meant.concat())
}

/// The plan of an exchange folder.
pub(super) fn plan(folder: &Path) -> Result<Plan, Stop> {
    exchange::read(folder).map_err(|error| {
        let remedy = "a folder that cargo xtask boot-matrix --export DIR has written";
        Stop::usage(error, remedy)
    })
}
