//! Reads a disc without booting it, and says what is on it and what is wrong with it.

mod compare;
mod programs;
pub(crate) mod revocations;
mod sarif;
pub(crate) mod text;

use std::{
    io::{self, Write},
    path::Path,
    process::ExitCode,
};

use anyhow::Context;
use images::{
    inspect::{DiscFile, InspectError, Inspection, Options, Source, Window, inspect},
    signature::{MachineKeys, SignatureList},
};

use self::compare::{Compared, Read};
use crate::{
    firmware::keys,
    iso,
    options::{Inspect, InspectFormat},
    stop::Stop,
    terminal,
};

/// Runs the verb.
pub(crate) fn run(options: &Inspect) -> anyhow::Result<ExitCode> {
    let disc = iso::open(&options.iso, NO_DISC)?;
    let original = options
        .boot_image
        .as_deref()
        .map(open_original)
        .transpose()?;
    let revocations = revocations::read(options.dbx.as_deref(), options.sbat_level.as_deref())?;
    let machine = match &*options.db {
        [] => None,
        db => Some(MachineKeys {
            db: Some(keys::lists_of(db)?),
            // A package's list is no machine's.
            dbx: match &revocations.list {
                Some(given) if given.is_given => given.list.clone(),
                _ => SignatureList::default(),
            },
        }),
    };
    let compared_with = Options {
        machine: machine.as_ref(),
        medium: options.medium.map(|medium| medium.capacity()),
        boot_image: original.as_ref().map(|original| original as &dyn Source),
        verify: options.verify,
        revocations: Some(&revocations),
        ..Options::default()
    };
    if let Some(after) = &options.compare {
        return compare(options, &disc, after, &compared_with);
    }
    let inspection =
        inspect(&mut Window::new(&disc), &compared_with).map_err(|error| unreadable(&error))?;
    say(options, &inspection).context("cannot write")?;
    Ok(if is_good(&inspection) {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(1)
    })
}

/// Says what an edit did to booting. The exit code is 1 where something that was right is wrong now.
fn compare(
    options: &Inspect,
    before: &DiscFile,
    after: &Path,
    how: &Options<'_>,
) -> anyhow::Result<ExitCode> {
    if options.format == InspectFormat::Sarif {
        let what =
            "--compare answers in sentences or as JSON, and SARIF shows the findings of one disc";
        return Err(Stop::usage(what, "--format json").into());
    }
    let edited = iso::open(after, NO_DISC)?;
    let read = |disc| Read::of(Window::new(disc), how).map_err(|error| unreadable(&error));
    let compared = Compared::of(read(before)?, read(&edited)?);
    let said = match options.format {
        InspectFormat::Text => compared.write(&mut terminal::stdout(), after),
        InspectFormat::Json | InspectFormat::Sarif => {
            let mut out = io::BufWriter::new(terminal::answer());
            serde_json::to_writer_pretty(&mut out, &compared)
                .map_err(io::Error::from)
                .and_then(|()| writeln!(out))
                .and_then(|()| out.flush())
        }
    };
    said.context("cannot write")?;
    Ok(ExitCode::from(u8::from(compared.worse)))
}

/// Nothing is an error, and the disc holds the image that it was mastered from.
fn is_good(inspection: &Inspection) -> bool {
    let compared = inspection.boot_image.as_ref();
    !inspection.has_errors() && compared.is_none_or(|comparison| comparison.result.is_same())
}

fn open_original(path: &Path) -> Result<DiscFile, Stop> {
    DiscFile::open(path).map_err(|error| {
        let remedy = "--boot-image and the file that the disc was mastered from";
        match error {
            InspectError::NoDisc { path, kind } => Stop::usage(
                format!(
                    "{} is {kind}, and a boot image is a file with bytes in it",
                    path.display()
                ),
                remedy,
            ),
            error => Stop::usage(error, remedy),
        }
    })
}

/// What else to name where nothing can be read.
const NO_DISC: &str = "cargo xtask inspect disc.iso, or a drive such as /dev/sr0";

fn unreadable(error: &InspectError) -> Stop {
    let remedy = match error {
        InspectError::Open { .. } | InspectError::NoDisc { .. } => NO_DISC,
        InspectError::Unreadable { .. } => "another drive, or a copy made by ddrescue",
    };
    Stop::usage(error, remedy)
}

fn say(options: &Inspect, inspection: &Inspection) -> io::Result<()> {
    let mut out = match options.format {
        InspectFormat::Text => {
            return text::write(&mut terminal::stdout(), &options.iso, inspection);
        }
        InspectFormat::Json | InspectFormat::Sarif => io::BufWriter::new(terminal::answer()),
    };
    if options.format == InspectFormat::Json {
        serde_json::to_writer_pretty(&mut out, inspection)?;
    } else {
        serde_json::to_writer_pretty(&mut out, &sarif::document(&options.iso, inspection))?;
    }
    writeln!(out)?;
    out.flush()
}
