//! Builds of firmware besides the system's: files that somebody added, and those of packages.
//!
//! Each is a folder of its name, with its files and a record of what they are. It appears whole, by a rename, or not at all.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use images::signature::MachineKeys;
use serde::{Deserialize, Serialize};

use super::{
    Firmware, FirmwareId, FirmwareImage, FirmwareName,
    name::short,
    recognise::{LARGEST, Recognised, is_variable_store, recognise},
};
use crate::{
    emulator::Installed,
    hash::{sha256, sha256_of},
};

const RECORD: &str = "firmware.json";
const SCHEMA: &str = "firmware/1";
const ROM: &str = "bios.bin";
const CODE: &str = "code.fd";
const VARIABLES: &str = "variables.fd";

/// A folder of builds. Several commands may share it.
#[derive(Clone, Debug)]
pub struct Store {
    folder: PathBuf,
}

/// What is known of a build.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    schema: String,
    /// Its name.
    pub name: FirmwareName,
    /// Its version, whole.
    pub version: String,
    /// Where it comes from.
    pub source: Source,
    /// The ROM or the code.
    image: KeptFile,
    /// The template of its variable store.
    variables: Option<KeptFile>,
    /// Whether it runs only with the variable store in flash.
    needs_variables: bool,
    /// Whether it runs only with system-management mode.
    needs_smm: bool,
    /// Whether it is a build that there is, with other keys in its variable store.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    has_own_keys: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeptFile {
    name: String,
    sha256: String,
}

/// Where a build comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// A package, which the host's package manager brought.
    Package {
        /// Its name.
        name: String,
        /// Its version.
        version: String,
        /// The suite that had it.
        suite: String,
    },
    /// A file that somebody gave.
    File(PathBuf),
    /// A build that there is, with the keys of these files in its variable store.
    Keys(Vec<PathBuf>),
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Package {
                name,
                version,
                suite,
            } => write!(f, "package {name} {version} of {suite}"),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Keys(files) if files.is_empty() => f.write_str("setup mode, without keys"),
            Self::Keys(files) => {
                let files: Vec<String> = files.iter().map(|it| it.display().to_string()).collect();
                write!(f, "keys of {}", files.join(", "))
            }
        }
    }
}

/// A build to be kept.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) name: FirmwareName,
    pub(super) version: String,
    pub(super) source: Source,
    pub(super) image: Vec<u8>,
    pub(super) variables: Option<Vec<u8>>,
    pub(super) needs_variables: bool,
    pub(super) needs_smm: bool,
    pub(super) has_own_keys: bool,
}

/// A build in the folder.
#[derive(Clone, Debug)]
pub struct Kept {
    /// Its folder.
    pub folder: PathBuf,
    /// What is known of it, or what is wrong with it.
    pub build: Result<(Record, Firmware), String>,
}

/// What could not be added or removed, and why.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A file that is no firmware, or not the one that it is said to be.
    #[error("{} {what}", file.display())]
    Refused {
        /// Which file.
        file: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// There is one of that name.
    #[error("there is a {0} already: remove it first, or name this one with --as")]
    Taken(FirmwareName),
    /// It is a build that there is.
    #[error("{} has the same bytes as {build}, which already exists", file.display())]
    Same {
        /// The file.
        file: PathBuf,
        /// That build.
        build: FirmwareName,
    },
    /// There is none of that name.
    #[error("no firmware {name} was fetched or added{}", there_are(.others))]
    Missing {
        /// The name.
        name: FirmwareName,
        /// Those that there are.
        others: Vec<String>,
    },
    /// The host failed.
    #[error("{}: {source}", path.display())]
    Host {
        /// Where.
        path: PathBuf,
        /// The host's words.
        source: io::Error,
    },
}

fn there_are(others: &[String]) -> String {
    match others {
        [] => String::new(),
        others => format!(": there are {}", others.join(", ")),
    }
}

fn host(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> StoreError {
    let path = path.into();
    move |source| StoreError::Host { path, source }
}

impl Store {
    /// The builds in a folder, which need not be there yet.
    #[must_use]
    pub fn in_folder(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
        }
    }

    /// Where they are.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Every build in the folder, in the order of names and versions; those too that are damaged.
    ///
    /// # Errors
    /// The folder cannot be read. There being none is no error.
    pub fn list(&self) -> io::Result<Vec<Kept>> {
        let entries = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let mut kept = Vec::new();
        for entry in entries {
            let folder = entry?.path();
            let name = folder
                .file_name()
                .and_then(|name| name.to_str())
                .unwrap_or_default();
            let Ok(name) = name.parse::<FirmwareName>() else {
                continue;
            };
            if name.build.is_some() {
                let build = read(&folder, &name);
                kept.push((name, Kept { folder, build }));
            }
        }
        kept.sort_by_key(|(name, _)| name.order());
        Ok(kept.into_iter().map(|(_, kept)| kept).collect())
    }

    /// Keeps a copy of a firmware that is in a file, recognised by its content. `known` are the builds that there are, the host's among them ([`grid`]).
    ///
    /// # Errors
    /// It is no firmware, is not what `name` says, has the bytes of a known build, or there is one of that name.
    pub fn add(
        &self,
        file: &Path,
        variables: Option<&Path>,
        name: Option<&FirmwareName>,
        known: &[Firmware],
    ) -> Result<Record, StoreError> {
        let refused = |what: &str| StoreError::Refused {
            file: file.to_owned(),
            what: what.to_owned(),
        };
        let bytes = read_bounded(file)?;
        let recognised = recognise(&bytes).map_err(|what| refused(&what))?;
        let given = variables
            .map(|path| {
                let store = read_bounded(path)?;
                is_variable_store(&store)
                    .then_some(store)
                    .ok_or_else(|| StoreError::Refused {
                        file: path.to_owned(),
                        what: "is not a store of UEFI variables".to_owned(),
                    })
            })
            .transpose()?;
        let source = Source::File(std::path::absolute(file).map_err(host(file))?);
        let draft = draft(bytes, recognised, given, name, source).map_err(|what| refused(&what))?;
        let digest = sha256(&draft.image);
        for build in known.iter().filter(|build| build.id == draft.name.id) {
            if build.sha256 == digest {
                return Err(StoreError::Same {
                    file: file.to_owned(),
                    build: build.name(),
                });
            }
            if build.name() == draft.name {
                return Err(StoreError::Taken(draft.name));
            }
        }
        let lock = self.lock()?;
        let record = self.keep(draft, &lock)?;
        Ok(record)
    }

    /// Keeps a build that there is under another name, with other keys in its variable store; `files` are where they come from.
    ///
    /// # Errors
    /// It has no store for keys, they do not fit, or there is one of that name.
    pub fn add_keys(
        &self,
        base: &Firmware,
        keys: &MachineKeys,
        files: Vec<PathBuf>,
        name: &FirmwareName,
    ) -> Result<Record, StoreError> {
        let code = base.image.code();
        let variables = base.enrolled(keys).map_err(|what| StoreError::Refused {
            file: code.to_owned(),
            what: format!("takes no such keys: {what}"),
        })?;
        let draft = Draft {
            name: name.clone(),
            version: base.version.clone(),
            source: Source::Keys(files),
            image: fs::read(code).map_err(host(code))?,
            variables: Some(variables),
            needs_variables: true,
            needs_smm: base.image.needs_smm(),
            has_own_keys: true,
        };
        let lock = self.lock()?;
        self.keep(draft, &lock)
    }

    /// Removes a build.
    ///
    /// # Errors
    /// There is none of that name, or it cannot be removed.
    pub fn remove(&self, name: &FirmwareName) -> Result<(), StoreError> {
        let _lock = self.lock()?;
        let folder = self.folder.join(name.to_string());
        if name.build.is_none() || !folder.is_dir() {
            let others = self.list().unwrap_or_default();
            let others = others.iter().filter_map(|kept| kept.folder.file_name());
            return Err(StoreError::Missing {
                name: name.clone(),
                others: others
                    .map(|name| name.to_string_lossy().into_owned())
                    .collect(),
            });
        }
        // A rename first: what is half removed must not be taken for damaged.
        let gone = self.folder.join(format!(".{name}"));
        fs::rename(&folder, &gone).map_err(host(&folder))?;
        fs::remove_dir_all(&gone).map_err(host(gone))
    }

    /// Whoever holds it is alone to change the folder; what others left unfinished is removed.
    pub(crate) fn lock(&self) -> Result<fs::File, StoreError> {
        fs::create_dir_all(&self.folder).map_err(host(&self.folder))?;
        let path = self.folder.join(".lock");
        let lock = fs::File::create(&path).map_err(host(&path))?;
        lock.lock().map_err(host(&path))?;
        for entry in fs::read_dir(&self.folder)
            .map_err(host(&self.folder))?
            .flatten()
        {
            let path = entry.path();
            let is_hidden = entry.file_name().to_string_lossy().starts_with('.');
            if is_hidden && path.is_dir() {
                fs::remove_dir_all(&path).map_err(host(path))?;
            }
        }
        Ok(lock)
    }

    /// Writes a build beside its name and renames it.
    pub(super) fn keep(&self, draft: Draft, _lock: &fs::File) -> Result<Record, StoreError> {
        let folder = self.folder.join(draft.name.to_string());
        if folder.exists() {
            return Err(StoreError::Taken(draft.name));
        }
        let unfinished = self.folder.join(format!(".{}", draft.name));
        fs::create_dir_all(&unfinished).map_err(host(&unfinished))?;
        let write = |name: &str, content: &[u8]| {
            let path = unfinished.join(name);
            fs::write(&path, content).map_err(host(&path))?;
            let sha256 = sha256_of(&path).map_err(host(path))?;
            Ok(KeptFile {
                name: name.to_owned(),
                sha256,
            })
        };
        let image = match draft.name.id.family().is_rom() {
            true => ROM,
            false => CODE,
        };
        let record = Record {
            schema: SCHEMA.to_owned(),
            version: draft.version,
            source: draft.source,
            image: write(image, &draft.image)?,
            variables: draft
                .variables
                .map(|store| write(VARIABLES, &store))
                .transpose()?,
            needs_variables: draft.needs_variables,
            needs_smm: draft.needs_smm,
            has_own_keys: draft.has_own_keys,
            name: draft.name,
        };
        let json = serde_json::to_vec_pretty(&record);
        let json = json.map_err(|error| host(&unfinished)(error.into()))?;
        write(RECORD, &json)?;
        fs::rename(&unfinished, &folder).map_err(host(folder))?;
        Ok(record)
    }
}

/// Every build that there is: the system's that this QEMU finds, under the names of their versions, and the whole ones in
/// the folder (see [`Store`]); in the order of names and versions.
#[must_use]
pub fn grid(folder: &Path, qemu: &Installed) -> Vec<Firmware> {
    let mut grid: Vec<Firmware> = super::discover(qemu)
        .into_iter()
        .map(|firmware| Firmware {
            build: Some(short(&firmware.version)),
            ..firmware
        })
        .collect();
    let kept = Store::in_folder(folder).list().unwrap_or_default();
    for (record, firmware) in kept.into_iter().filter_map(|kept| kept.build.ok()) {
        let is_there = grid.iter().any(|other| {
            let same_code = other.sha256 == firmware.sha256 && !record.has_own_keys;
            other.id == firmware.id && (same_code || other.build == firmware.build)
        });
        if !is_there {
            grid.push(firmware);
        }
    }
    grid.sort_by_key(|firmware| firmware.name().order());
    grid
}

fn read_bounded(file: &Path) -> Result<Vec<u8>, StoreError> {
    let refused = |what: &str| StoreError::Refused {
        file: file.to_owned(),
        what: what.to_owned(),
    };
    let metadata = fs::metadata(file).map_err(host(file))?;
    if !metadata.is_file() {
        return Err(refused("is no file"));
    }
    if metadata.len() > LARGEST {
        return Err(refused("is longer than any firmware of a PC"));
    }
    fs::read(file).map_err(host(file))
}

/// What a recognised file becomes.
fn draft(
    mut bytes: Vec<u8>,
    recognised: Recognised,
    given: Option<Vec<u8>>,
    name: Option<&FirmwareName>,
    source: Source,
) -> Result<Draft, String> {
    let (may_be, version, variables): (&[FirmwareId], _, _) = match recognised {
        Recognised::Seabios(_) if given.is_some() => {
            return Err("is SeaBIOS, which has no variables".to_owned());
        }
        // Nothing in a ROM says which machine it is for.
        Recognised::Seabios(version) => (
            &[FirmwareId::Seabios, FirmwareId::SeabiosMicrovm],
            Some(version),
            None,
        ),
        Recognised::Ovmf {
            may_be,
            code,
            variables,
        } => {
            let inside = variables
                .and_then(|range| bytes.get(range))
                .map(<[u8]>::to_vec);
            bytes = bytes.get(code).unwrap_or_default().to_vec();
            (may_be, None, given.or(inside))
        }
    };
    let Some(id) = name
        .map(|name| name.id)
        .or(may_be.first().copied().filter(|_| version.is_some()))
    else {
        let names: Vec<String> = may_be
            .iter()
            .map(|id| format!("--as {id}@2025.02"))
            .collect();
        return Err(format!(
            "is OVMF, which does not say its version: name it, as in {}",
            names.join(" or ")
        ));
    };
    if !may_be.contains(&id) {
        let names: Vec<&str> = may_be.iter().map(|id| id.as_str()).collect();
        return Err(format!("is {}, and not {id}", names.join(" or ")));
    }
    // Whether a build needs system management mode stands in no header. Those of 32 bits with Secure Boot, as Debian's, hang without it,
    // and need their store in flash; the others do not mind either.
    let needs_variables = match id {
        FirmwareId::OvmfSecureBoot => true,
        FirmwareId::OvmfIa32 => variables.is_some(),
        _ => false,
    };
    if needs_variables && variables.is_none() {
        return Err("needs the variable store with the enrolled keys: --variables".to_owned());
    }
    let build = name.and_then(|name| name.build.clone());
    let version = version.or_else(|| build.clone()).unwrap_or_default();
    let build = build.unwrap_or_else(|| short(&version));
    Ok(Draft {
        name: FirmwareName::of_build(id, &build).map_err(|error| error.to_string())?,
        version,
        source,
        image: bytes,
        variables,
        needs_variables,
        needs_smm: needs_variables,
        has_own_keys: false,
    })
}

/// A build as its folder has it, or what is wrong with it.
fn read(folder: &Path, name: &FirmwareName) -> Result<(Record, Firmware), String> {
    let damaged = |what: String| format!("{what}; `firmware remove {name}` removes it");
    let path = folder.join(RECORD);
    let text = fs::read(&path).map_err(|error| damaged(format!("{}: {error}", path.display())))?;
    let record: Record = serde_json::from_slice(&text)
        .map_err(|error| damaged(format!("{} is damaged: {error}", path.display())))?;
    if record.schema != SCHEMA || record.name != *name {
        return Err(damaged(format!(
            "{} is of another build or version",
            path.display()
        )));
    }
    let whole = |file: &KeptFile| {
        let path = folder.join(Path::new(&file.name).file_name().unwrap_or_default());
        match sha256_of(&path) {
            Ok(sha256) if sha256 == file.sha256 => Ok(path),
            Ok(_) => Err(damaged(format!("{} is not as it was kept", path.display()))),
            Err(error) => Err(damaged(format!("{}: {error}", path.display()))),
        }
    };
    let image = whole(&record.image)?;
    let variables = record.variables.as_ref().map(whole).transpose()?;
    let firmware = Firmware {
        id: name.id,
        build: name.build.clone(),
        version: record.version.clone(),
        sha256: record.image.sha256.clone(),
        image: match name.id.family().is_rom() {
            true => FirmwareImage::Bios(image),
            false => FirmwareImage::Flash {
                code: image,
                variables: variables.clone().filter(|_| record.needs_variables),
                needs_smm: record.needs_smm,
            },
        },
        variables_template: variables,
    };
    Ok((record, firmware))
}

#[cfg(test)]
#[path = "store_tests.rs"]
mod tests;
