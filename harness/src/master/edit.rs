//! One disc, edited by a tool.

use std::{fs::File, io, path::Path};

use images::{
    iso9660::{DescriptorKind, SYSTEM_AREA_BLOCKS},
    units::{BLOCK_BYTES, ByteCount, Lba},
};

use super::{
    Changed, FoundTool, Mastered, Template, Tool,
    run::{Task, limit, no_disc},
    template::Placeholder,
};
use crate::{copy, hash::sha256_of};

/// A tool that makes another disc of a disc.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Editor {
    /// The tool; its only command is the edit.
    pub tool: Tool,
    /// Whether the tool edits a disc where it stands: then `{out}` is a copy of the disc before it runs.
    pub in_place: bool,
}

impl Editor {
    /// What may stand in braces in an editor's command.
    pub const PLACEHOLDERS: [Placeholder; 3] =
        [Placeholder::In, Placeholder::Out, Placeholder::Here];

    /// Its command.
    #[must_use]
    pub fn command(&self) -> Option<&Template> {
        self.tool.commands.first().map(|command| &command.command)
    }
}

/// A disc to be edited.
#[derive(Clone, Copy, Debug)]
pub struct EditJob<'a> {
    /// The disc, which does not stand in the folder.
    pub before: &'a Path,
    /// A folder of its own, empty.
    pub folder: &'a Path,
    /// What the medium holds.
    pub capacity: Option<ByteCount>,
    /// The circumstances to change.
    pub changed: Changed<'a>,
}

/// Runs an editor on a disc. Whatever it does is a refusal in its own words, as with a tool that masters: also that it writes no
/// disc or no ISO, changes nothing where it edits in place, or changes the disc that it was given to read.
///
/// The editor runs in the folder, under the same rules as a tool that masters: the disc before is none of what it may write.
///
/// # Errors
/// The host failed.
pub fn edit(editor: &Editor, found: &FoundTool, job: &EditJob<'_>) -> io::Result<Mastered> {
    let tool = &editor.tool;
    let template = editor
        .command()
        .ok_or_else(|| io::Error::other(format!("{} has no command", tool.name)))?;
    let out = job.folder.join("edited.iso");
    let digest = sha256_of(job.before)?;
    let length = ByteCount::new(job.before.metadata()?.len());
    if editor.in_place {
        copy::copy(&File::open(job.before)?, length.get(), &File::create(&out)?)?;
    }
    let shown = |path: &Path| path.to_string_lossy().into_owned();
    let values = [
        (Placeholder::In, shown(job.before)),
        (Placeholder::Out, shown(&out)),
        (Placeholder::Here, shown(&tool.here)),
    ];
    let task = Task {
        tool,
        found,
        words: &template.expand(&values.into(), &|_| Vec::new()),
        runs_in: job.folder,
        folder: job.folder,
        limit: limit(job.capacity, length),
        changed: job.changed,
    };
    let mut edited = task.run(|| {
        if let Some(why) = no_disc(&out, job.capacity) {
            return Err(why);
        }
        let read = |error: io::Error| format!("wrote a disc that cannot be read: {error}");
        if !is_iso(&out).map_err(read)? {
            return Err("wrote no ISO: no volume descriptor stands at LBA 16".to_owned());
        }
        if editor.in_place && sha256_of(&out).map_err(read)? == digest {
            return Err("ended without an error and changed nothing".to_owned());
        }
        Ok(out.clone())
    })?;
    if sha256_of(job.before).ok() != Some(digest) {
        edited.disc = Err(vec![format!(
            "{} changed the disc that it was given to read",
            tool.name
        )]);
    }
    Ok(edited)
}

fn is_iso(file: &Path) -> io::Result<bool> {
    use std::os::unix::fs::FileExt;
    let mut block = [0; BLOCK_BYTES as usize];
    let at = Lba::new(SYSTEM_AREA_BLOCKS.get()).byte_offset();
    match File::open(file)?.read_exact_at(&mut block, at) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        read => read.map(|()| DescriptorKind::of(&block).is_some()),
    }
}

#[cfg(test)]
#[path = "edit_tests.rs"]
mod tests;
