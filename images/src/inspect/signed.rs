//! The EFI programs of a disc, with who signed them and who trusts them.

pub(super) mod program;
pub(super) mod reading;
mod reported;

pub(crate) use self::program::DiscProgram;
pub use self::reading::{
    OnMachine, ProgramPlace, ProgramReading, SectionReading, SecureBootReading, ShimReading,
    SignatureReading, TrustedBy,
};
pub(super) use self::reported::report;

use std::rc::Rc;

use super::{
    examined::Reading,
    file::DiscBytes,
    window::{Source, Window},
};
use crate::{
    boot_configuration::{Eyes, FileSystem, Found, Volumes},
    efi_program::{EfiProgram, HEADERS},
    fat::FatVolume,
    finding::Place,
    inspect::efi_image::{Program, programs},
    signature::{Budget, Certificate, SignedProgram, Year},
};

/// Programs of a disc that are looked at.
const PROGRAMS: usize = 96;
/// Programs of a directory of the tree.
const OF_TREE: usize = 32;
/// Kernels.
const KERNELS: usize = 16;
/// Bytes of programs that are hashed without --verify: a shim, GRUB and helpers in the image and again in the tree, and a kernel or two. What firmware starts comes first.
const HASHED: u64 = 32 << 20;

/// A program that was found and not yet read.
struct Candidate {
    place: ProgramPlace,
    slot: Option<u16>,
    path: String,
    file: DiscBytes,
    headers: EfiProgram,
    is_loader: bool,
    /// What it starts, where it is shim.
    starts: Option<String>,
}

impl Reading<'_, '_> {
    /// The EFI programs of the disc, with their signatures.
    pub(crate) fn programs(&mut self) -> Rc<Vec<DiscProgram>> {
        if let Some(programs) = &self.known.efi_programs {
            return Rc::clone(programs);
        }
        let read = Rc::new(read(self));
        self.known.efi_programs = Some(Rc::clone(&read));
        read
    }
}

/// The programs of a disc: those in images first, then those of the tree and of UDF. Kernels come along where something is signed: else nobody asks who signed them.
fn read(reading: &mut Reading<'_, '_>) -> Vec<DiscProgram> {
    let mut candidates = in_images(reading);
    candidates.extend(in_tree(reading));
    candidates.extend(in_udf(reading));
    let mut budget = Budget(if reading.options.verify {
        u64::MAX
    } else {
        HASHED
    });
    let mut programs = examine(reading, candidates, &mut budget);
    if programs.iter().any(|it| it.signed.is_signed) {
        let known: Vec<u64> = programs.iter().map(DiscProgram::offset).collect();
        let kernels = kernels(reading).into_iter();
        let new = kernels.filter(|it| !known.contains(&it.file.start().unwrap_or_default()));
        let new = new.collect();
        programs.extend(examine(reading, new, &mut budget));
    }
    judge(&mut programs);
    programs
}

fn examine(
    reading: &mut Reading<'_, '_>,
    candidates: Vec<Candidate>,
    budget: &mut Budget,
) -> Vec<DiscProgram> {
    let revocations = reading.options.revocations;
    let has_list = revocations.is_some_and(|it| it.list.is_some());
    let compares = has_list || reading.options.machine.is_some();
    let disc = &mut *reading.disc;
    let candidates = candidates.into_iter().take(PROGRAMS);
    let programs = candidates.map(|it| {
        let mut signed = SignedProgram::read(disc, &it.file, &it.headers, compares, budget);
        if let Some(shim) = &mut signed.shim {
            shim.starts = it.starts;
        }
        DiscProgram {
            place: it.place,
            slot: it.slot,
            path: it.path,
            machine: it.headers.machine,
            is_loader: it.is_loader,
            signed,
            trusted_by: TrustedBy::Unknown,
            through: None,
            file: it.file,
        }
    });
    programs.collect()
}

/// The programs of the entries' images; where there is none, those of a file system that no entry leads to.
fn in_images(reading: &mut Reading<'_, '_>) -> Vec<Candidate> {
    let images = reading.efi_images();
    let in_images = images.iter().flat_map(|image| {
        let slot = image.entry.slot;
        let programs = image.programs.iter();
        programs.map(move |program| (Some(slot), program.clone()))
    });
    let mut found: Vec<(Option<u16>, Program)> = in_images.collect();
    if found.is_empty() {
        for other in reading.images_elsewhere().iter() {
            let fat = FatVolume::at(reading.disc, other.lba.byte_offset());
            let programs = fat.map_or_else(Vec::new, |fat| programs(reading.disc, fat));
            found.extend(programs.into_iter().map(|program| (None, program)));
        }
    }
    let candidate = |(slot, program): (Option<u16>, Program)| {
        let starts = program.second_stage_of_shim(reading.disc);
        Some(Candidate {
            place: ProgramPlace::Image,
            slot,
            path: program.path(),
            is_loader: program.works(),
            starts,
            file: program.file,
            headers: program.headers?,
        })
    };
    found.into_iter().filter_map(candidate).collect()
}

/// The programs beside the loaders of the tree.
fn in_tree(reading: &mut Reading<'_, '_>) -> Vec<Candidate> {
    const FOLDER: &str = "/EFI/BOOT";
    let mut volumes = Volumes::new(reading.disc, reading.inspection);
    let names = volumes.names(FileSystem::Tree, FOLDER, false).into_iter();
    let names = names.filter(|name| name.to_ascii_lowercase().ends_with(".efi"));
    let names: Vec<String> = names.take(OF_TREE).collect();
    let find = |name: String| {
        let path = format!("{FOLDER}/{name}");
        match volumes.find(FileSystem::Tree, &path, Eyes::Grub) {
            Found::File { runs, length } => Some((path, DiscBytes::new(runs, length))),
            _ => None,
        }
    };
    let files: Vec<(String, DiscBytes)> = names.into_iter().filter_map(find).collect();
    let files = files.into_iter();
    files
        .filter_map(|(path, file)| candidate(reading, ProgramPlace::Tree, path, file))
        .collect()
}

fn in_udf(reading: &mut Reading<'_, '_>) -> Vec<Candidate> {
    let Some(udf) = reading.udf() else {
        return Vec::new();
    };
    let loaders = udf.loaders.iter().cloned();
    loaders
        .filter_map(|it| candidate(reading, ProgramPlace::Udf, it.path, it.file))
        .collect()
}

/// The kernels that configurations name.
fn kernels(reading: &mut Reading<'_, '_>) -> Vec<Candidate> {
    let files = reading.named_files(&["linux", "linuxefi", "kernel", "efi", "chainloader"]);
    let files = files.into_iter().take(KERNELS);
    files
        .filter_map(|(path, file)| candidate(reading, ProgramPlace::Tree, path, file))
        .collect()
}

fn candidate(
    reading: &mut Reading<'_, '_>,
    place: ProgramPlace,
    path: String,
    file: DiscBytes,
) -> Option<Candidate> {
    let headers = EfiProgram::decode(&file.bytes(reading.disc, 0, HEADERS))?;
    let (folder, name) = path.rsplit_once('/')?;
    let program = Program {
        folder: folder.replace('/', "\\"),
        name: name.to_owned(),
        file,
        headers: Some(headers),
    };
    let starts = program.second_stage_of_shim(reading.disc);
    Some(Candidate {
        place,
        slot: None,
        is_loader: program.works(),
        starts,
        file: program.file,
        headers: program.headers?,
        path,
    })
}

/// Says who trusts each program: the firmware, or a shim that the firmware trusts.
fn judge(programs: &mut [DiscProgram]) {
    let direct = |it: &DiscProgram| {
        let [by_2011, by_2023] = Year::ALL.map(|year| it.signed.is_trusted_by(year));
        match TrustedBy::of(by_2011, by_2023) {
            TrustedBy::Neither if it.signed.is_unknown() => TrustedBy::Unknown,
            trusted => trusted,
        }
    };
    let trusted: Vec<TrustedBy> = programs.iter().map(direct).collect();
    let through = |number: usize| {
        let program = programs.get(number)?;
        let shims = programs.iter().enumerate().filter_map(|(other, it)| {
            let shim = it.signed.shim.as_ref().filter(|_| other != number)?;
            program.signed.vendor(shim).map(|_| (other, it))
        });
        // The one beside it, before one elsewhere.
        let is_elsewhere = |it: &DiscProgram| (it.place, it.slot) != (program.place, program.slot);
        let nearest = shims.min_by_key(|(other, it)| (is_elsewhere(it), *other));
        nearest.map(|(other, _)| other)
    };
    let wanting = trusted.iter().enumerate();
    let wanting = wanting.filter(|(_, trusted)| **trusted == TrustedBy::Neither);
    let through: Vec<(usize, Option<usize>)> = wanting
        .map(|(number, _)| (number, through(number)))
        .collect();
    for (program, trusted) in programs.iter_mut().zip(&trusted) {
        program.trusted_by = *trusted;
    }
    for (number, shim) in through {
        if let (Some(program), Some(trusted)) = (
            programs.get_mut(number),
            shim.and_then(|shim| trusted.get(shim)),
        ) {
            program.trusted_by = *trusted;
            program.through = shim;
        }
    }
}

/// Reads one program, which is no part of a disc here: no shim is beside it.
#[must_use]
pub fn inspect_program(program: &dyn Source) -> Option<ProgramReading> {
    let disc = &mut Window::new(program);
    let length = disc.length();
    let file = DiscBytes::new([(0, length)], length);
    let headers = EfiProgram::decode(&file.bytes(disc, 0, HEADERS))?;
    let signed = SignedProgram::read(disc, &file, &headers, true, &mut Budget(u64::MAX));
    let mut programs = [DiscProgram {
        place: ProgramPlace::Image,
        slot: None,
        path: String::new(),
        file,
        machine: headers.machine,
        is_loader: false,
        signed,
        trusted_by: TrustedBy::Unknown,
        through: None,
    }];
    judge(&mut programs);
    programs.first().map(|program| program.report(None, None))
}

/// Programs that are named in a sentence.
const NAMED: usize = 4;

/// The paths of programs for a sentence, each once: the tree often has the same as the image.
pub(crate) fn names_of(programs: &[&DiscProgram]) -> String {
    let mut paths: Vec<&str> = Vec::new();
    for program in programs {
        let is_it = |other: &&str| {
            other
                .replace('/', "\\")
                .eq_ignore_ascii_case(&program.path.replace('/', "\\"))
        };
        if !paths.iter().any(is_it) {
            paths.push(&program.path);
        }
    }
    let more = paths.len().saturating_sub(NAMED);
    paths.truncate(NAMED);
    match more {
        0 => paths.join(", "),
        more => format!("{} and {more} more", paths.join(", ")),
    }
}

/// The loaders that these machines start, where there are some: where the first one stands, and their paths.
pub(crate) fn loaders_trusted_by(
    reading: &mut Reading<'_, '_>,
    trusted_by: TrustedBy,
) -> Option<(Place, String)> {
    let programs = reading.programs();
    let loaders = programs
        .iter()
        .filter(|it| it.is_loader && it.trusted_by == trusted_by);
    let loaders: Vec<&DiscProgram> = loaders.collect();
    let offset = loaders.first()?.offset();
    Some((Place { offset }, names_of(&loaders)))
}

/// The certificates that a program's signatures carry.
pub fn certificates_of(program: &dyn Source) -> Vec<Certificate> {
    let disc = &mut Window::new(program);
    let length = disc.length();
    let file = DiscBytes::new([(0, length)], length);
    let Some(headers) = EfiProgram::decode(&file.bytes(disc, 0, HEADERS)) else {
        return Vec::new();
    };
    let signed = SignedProgram::read(disc, &file, &headers, false, &mut Budget(0));
    let signatures = signed.signatures.iter().flatten();
    signatures
        .flat_map(|signature| signature.certificates().to_vec())
        .collect()
}
