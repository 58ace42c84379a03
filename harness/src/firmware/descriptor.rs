//! QEMU's firmware descriptors: `docs/interop/firmware.json` in QEMU's source.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
};

use serde::Deserialize;

use super::{id::FirmwareId, image::FirmwareImage};

/// One descriptor, as far as it matters here. Words that this version of the specification does not
/// know are kept as words: a newer descriptor must not hide an older one.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Descriptor {
    interface_types: Vec<String>,
    mapping: Mapping,
    targets: Vec<Target>,
    #[serde(default)]
    features: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "device", rename_all = "kebab-case")]
enum Mapping {
    #[serde(rename_all = "kebab-case")]
    Flash {
        /// Since QEMU 7.0; before that, every flash mapping was split.
        #[serde(default = "split")]
        mode: String,
        executable: FlashFile,
        nvram_template: Option<FlashFile>,
    },
    Memory {
        filename: PathBuf,
    },
    #[serde(other)]
    Other,
}

fn split() -> String {
    "split".to_owned()
}

#[derive(Debug, Deserialize)]
struct FlashFile {
    filename: PathBuf,
    format: String,
}

#[derive(Debug, Deserialize)]
struct Target {
    architecture: String,
    machines: Vec<String>,
}

/// A firmware image that would do for an id.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Candidate {
    pub(crate) image: FirmwareImage,
    pub(crate) variables_template: Option<PathBuf>,
    /// Lower is better; the first of equals wins.
    pub(crate) rank: u8,
}

impl Candidate {
    /// A ROM, if it is there.
    pub(crate) fn rom(path: &Path) -> Option<Self> {
        let path = fs::canonicalize(path).ok()?;
        Some(Self {
            image: FirmwareImage::Bios(path),
            variables_template: None,
            rank: 0,
        })
    }
}

impl Descriptor {
    /// What this descriptor offers for `id`; `None` when nothing.
    pub(crate) fn candidate(&self, id: FirmwareId) -> Option<Candidate> {
        let secure_boot = self.has("secure-boot");
        let enrolled_keys = self.has("enrolled-keys");
        let (architecture, rank) = match id {
            FirmwareId::Ovmf if !secure_boot => ("x86_64", 0),
            // Without keys Secure Boot is in setup mode and refuses nothing.
            FirmwareId::OvmfSecureBoot if secure_boot && enrolled_keys => ("x86_64", 0),
            // Debian builds the 32-bit firmware with Secure Boot only.
            FirmwareId::OvmfIa32 if !enrolled_keys => ("i386", u8::from(secure_boot)),
            FirmwareId::Aavmf if !secure_boot => ("aarch64", 0),
            _ => return None,
        };
        if !self.interface_types.iter().any(|kind| kind == "uefi")
            || !self.runs_on_our_machine(architecture)
        {
            return None;
        }
        let (image, variables_template) = self.files()?;
        Some(Candidate {
            image,
            variables_template,
            rank,
        })
    }

    /// The same, its files being below another root than the system's.
    pub(super) fn below(mut self, root: &Path) -> Self {
        let below = |path: &mut PathBuf| {
            *path = root.join(path.strip_prefix("/").unwrap_or(path));
        };
        match &mut self.mapping {
            Mapping::Flash {
                executable,
                nvram_template,
                ..
            } => {
                below(&mut executable.filename);
                nvram_template
                    .iter_mut()
                    .for_each(|file| below(&mut file.filename));
            }
            Mapping::Memory { filename } => below(filename),
            Mapping::Other => {}
        }
        self
    }

    fn has(&self, feature: &str) -> bool {
        self.features.iter().any(|word| word == feature)
    }

    /// Q35 or `virt` is the machine of every UEFI cell; `machines` holds glob patterns such as `pc-q35-*`.
    fn runs_on_our_machine(&self, architecture: &str) -> bool {
        let ours = match architecture {
            "aarch64" => "virt-",
            _ => "pc-q35-",
        };
        self.targets.iter().any(|target| {
            target.architecture == architecture
                && target
                    .machines
                    .iter()
                    .any(|machine| machine.starts_with(ours))
        })
    }

    /// Only raw images: version and hash are read from the bytes that the guest sees.
    fn files(&self) -> Option<(FirmwareImage, Option<PathBuf>)> {
        let needs_smm = self.has("requires-smm");
        // Secure Boot lives in the variable store, and the builds with system-management mode
        // look for it in flash.
        let needs_variables = needs_smm || self.has("secure-boot");
        let (image, template) = match &self.mapping {
            Mapping::Flash {
                mode,
                executable,
                nvram_template,
            } if mode == "split" || mode == "stateless" => {
                let code = raw(executable)?;
                let template = nvram_template.as_ref().and_then(raw);
                let variables = match needs_variables {
                    // Without its store it is of no use, as a package that lacks a file is.
                    true => Some(template.clone().filter(|store| store.is_file())?),
                    false => None,
                };
                let image = FirmwareImage::Flash {
                    code,
                    variables,
                    needs_smm,
                };
                (image, template)
            }
            Mapping::Memory { filename } if !needs_variables => {
                (FirmwareImage::Bios(filename.clone()), None)
            }
            _ => return None,
        };
        image.code().is_file().then_some((image, template))
    }
}

fn raw(file: &FlashFile) -> Option<PathBuf> {
    (file.format == "raw").then(|| file.filename.clone())
}

/// The folders of descriptors, the most specific first: the user's, the administrator's, those of
/// the QEMU that is used (`data`: its data directories), the distribution's.
pub(super) fn search_path(data: &[PathBuf]) -> Vec<PathBuf> {
    let absolute = |name: &str| -> Option<OsString> {
        // The XDG base directory specification has relative paths ignored.
        std::env::var_os(name).filter(|path| Path::new(path).is_absolute())
    };
    let config = absolute("XDG_CONFIG_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(Path::new(&absolute("HOME")?).join(".config")));
    config
        .map(|config| config.join("qemu/firmware"))
        .into_iter()
        .chain([PathBuf::from("/etc/qemu/firmware")])
        .chain(data.iter().map(|directory| directory.join("firmware")))
        .chain([PathBuf::from("/usr/share/qemu/firmware")])
        .collect()
}

/// Reads the descriptors in `directories`, the most specific first, in the order of their file names.
///
/// A file masks those of its name in less specific directories, also when it is empty or cannot
/// be read as a descriptor: `/etc` is there to overrule the distribution.
pub(super) fn read_all(directories: &[PathBuf]) -> Vec<Descriptor> {
    let mut by_name = BTreeMap::new();
    for directory in directories {
        for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
            let path = entry.path();
            if path
                .extension()
                .is_some_and(|extension| extension == "json")
            {
                by_name.entry(entry.file_name()).or_insert(path);
            }
        }
    }
    by_name
        .values()
        .filter_map(|path| parse(&fs::read(path).ok()?))
        .collect()
}

fn parse(json: &[u8]) -> Option<Descriptor> {
    serde_json::from_slice(json).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A descriptor like Debian's, over a file that is there.
    fn descriptor(dir: &Path, change: fn(&mut serde_json::Value)) -> Vec<u8> {
        let [code, variables] = ["CODE.fd", "VARS.fd"].map(|name| {
            let file = dir.join(name);
            fs::write(&file, name).unwrap();
            file
        });
        let mut json = serde_json::json!({
            "description": "UEFI firmware for x86_64",
            "interface-types": ["uefi"],
            "mapping": {
                "device": "flash",
                "executable": { "filename": code, "format": "raw" },
                "nvram-template": { "filename": variables, "format": "raw" },
            },
            "targets": [{ "architecture": "x86_64", "machines": ["pc-i440fx-*", "pc-q35-*"] }],
            "features": ["acpi-s3"],
            "tags": [],
        });
        change(&mut json);
        serde_json::to_vec(&json).unwrap()
    }

    #[test]
    fn what_a_descriptor_offers_depends_on_its_features() {
        fn check(expect: &str, change: fn(&mut serde_json::Value)) {
            let dir = tempfile::tempdir().unwrap();
            let descriptor = parse(&descriptor(dir.path(), change)).expect("a descriptor");
            let offers: Vec<String> = FirmwareId::ALL
                .iter()
                .filter_map(|&id| {
                    let candidate = descriptor.candidate(id)?;
                    let image = match candidate.image {
                        FirmwareImage::Bios(_) => "bios".to_owned(),
                        FirmwareImage::Flash {
                            variables,
                            needs_smm,
                            ..
                        } => format!("flash variables={} smm={needs_smm}", variables.is_some()),
                    };
                    let template = candidate.variables_template.is_some();
                    Some(format!(
                        "{id}: {image} template={template} rank={}",
                        candidate.rank
                    ))
                })
                .collect();
            assert_eq!(offers.join("; "), expect);
        }
        let plain = "ovmf: flash variables=false smm=false template=true rank=0";
        check(plain, |_| ());
        check(
            "ovmf: flash variables=false smm=false template=false rank=0",
            |json| {
                json["mapping"] = serde_json::json!({
                    "device": "flash", "mode": "stateless", "executable": json["mapping"]["executable"],
                });
            },
        );
        check("ovmf: bios template=false rank=0", |json| {
            json["mapping"] = serde_json::json!({
                "device": "memory", "filename": json["mapping"]["executable"]["filename"],
            });
        });
        check(
            "ovmf-secure-boot: flash variables=true smm=true template=true rank=0",
            |json| {
                json["features"] =
                    serde_json::json!(["secure-boot", "enrolled-keys", "requires-smm"]);
            },
        );
        check("", |json| {
            json["features"] = serde_json::json!(["secure-boot", "requires-smm"])
        });
        check("", |json| {
            json["features"] = serde_json::json!(["secure-boot", "enrolled-keys", "requires-smm"]);
            json["mapping"]["nvram-template"]["filename"] = "/nonexistent.fd".into();
        });
        check(
            "ovmf-ia32: flash variables=false smm=false template=true rank=0",
            |json| {
                json["targets"][0]["architecture"] = "i386".into();
            },
        );
        check(
            "ovmf-ia32: flash variables=true smm=true template=true rank=1",
            |json| {
                json["targets"][0]["architecture"] = "i386".into();
                json["features"] = serde_json::json!(["secure-boot", "requires-smm"]);
            },
        );
        check("", |json| {
            json["targets"][0]["architecture"] = "aarch64".into()
        });
        check(
            "aavmf: flash variables=false smm=false template=true rank=0",
            |json| {
                json["targets"] =
                    serde_json::json!([{ "architecture": "aarch64", "machines": ["virt-*"] }]);
            },
        );
        check("", |json| {
            json["targets"][0]["machines"] = serde_json::json!(["microvm"])
        });
        check("", |json| {
            json["mapping"]["executable"]["format"] = "qcow2".into()
        });
        check("", |json| json["mapping"]["mode"] = "combined".into());
        check("", |json| {
            json["mapping"]["executable"]["filename"] = "/nonexistent.fd".into()
        });
        check("", |json| {
            json["mapping"] = serde_json::json!({ "device": "kernel", "filename": "/x" })
        });
        check("", |json| {
            json["mapping"] = serde_json::json!({ "device": "from-the-future" })
        });
        check("", |json| {
            json["interface-types"] = serde_json::json!(["bios"])
        });
    }

    #[test]
    fn a_more_specific_file_masks_those_of_its_name_and_names_order_the_rest() {
        let root = tempfile::tempdir().unwrap();
        let directories: Vec<PathBuf> = ["user", "etc", "share"]
            .iter()
            .map(|name| root.path().join(name))
            .collect();
        let write = |directory: usize, name: &str, firmware: &str| {
            fs::create_dir_all(&directories[directory]).unwrap();
            let bytes = match firmware {
                "" => Vec::new(),
                _ => {
                    let json = descriptor(root.path(), |_| ());
                    let mut json: serde_json::Value = serde_json::from_slice(&json).unwrap();
                    json["mapping"]["executable"]["filename"] = firmware.into();
                    serde_json::to_vec(&json).unwrap()
                }
            };
            fs::write(directories[directory].join(name), bytes).unwrap();
        };
        write(2, "60-c.json", "share-c");
        write(2, "50-b.json", "share-b");
        write(2, "40-a.json", "share-a");
        write(1, "50-b.json", "etc-b");
        write(1, "40-a.json", "");
        write(0, "55-d.json", "user-d");
        write(0, "README", "not a descriptor");
        let codes: Vec<PathBuf> = read_all(&directories)
            .into_iter()
            .map(|descriptor| match descriptor.mapping {
                Mapping::Flash { executable, .. } => executable.filename,
                _ => PathBuf::new(),
            })
            .collect();
        assert_eq!(codes, ["etc-b", "user-d", "share-c"].map(PathBuf::from));
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in any::<Vec<u8>>()) {
            let _ = parse(&bytes);
        }

        #[test]
        fn no_damaged_descriptor_panics(at in 0_usize..400, byte: u8) {
            let dir = tempfile::tempdir().unwrap();
            let mut json = descriptor(dir.path(), |_| ());
            if let Some(place) = json.get_mut(at) {
                *place = byte;
            }
            if let Some(descriptor) = parse(&json) {
                for &id in FirmwareId::ALL {
                    let _ = descriptor.candidate(id);
                }
            }
        }
    }
}
