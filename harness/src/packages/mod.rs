//! Packages of other releases, by the host's own package manager: nothing is installed, no root is needed, and the
//! package manager checks the signatures.
//!
//! apt is run with a state of its own. Its sources are those that the host has, with the suites of other releases in
//! the place of theirs, and with the keys that the host trusts for them.

mod sources;

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use crate::ask::{Answer, AskError, ask};

/// A package manager that says nothing for so long has no way to its servers.
const DEADLINE: Duration = Duration::from_secs(600);

/// The suites of a distribution, oldest first. Which of them answer is seen when they are asked.
const SUITES: [(&str, &[&str]); 2] = [
    (
        "debian",
        &[
            "bullseye",
            "bullseye-backports",
            "bookworm",
            "bookworm-backports",
            "trixie",
            "trixie-backports",
            "forky",
            "sid",
        ],
    ),
    ("ubuntu", &["focal", "jammy", "noble", "plucky", "questing"]),
];

/// The host's package manager, with a folder of its own for whatever it keeps.
#[derive(Clone, Debug)]
pub struct Packages {
    folder: PathBuf,
    /// The suites that are asked; all that are known, where none is named.
    suites: Vec<String>,
}

/// One version of a package, in a suite.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Available {
    /// Its name.
    pub package: String,
    /// Its version, whole.
    pub version: String,
    /// The suite that has it.
    pub suite: String,
}

impl Available {
    /// What the packager packed: the version without epoch, revision and packer's additions, `1:10.0.2+ds-2` being 10.0.2.
    #[must_use]
    pub fn upstream(&self) -> &str {
        let version = self
            .version
            .split_once(':')
            .map_or(&*self.version, |(_, rest)| rest);
        version.split(['-', '+', '~']).next().unwrap_or(version)
    }
}

/// Why there are no packages.
#[derive(Debug, thiserror::Error)]
pub enum PackageError {
    /// The host has no package manager that this works with.
    #[error(
        "the program {0} is missing, so packages of other releases cannot be fetched; use `firmware add` to add a file"
    )]
    NoManager(&'static str),
    /// The host has no source of its distribution's packages.
    #[error("{0}")]
    NoSource(String),
    /// The package manager did not do what it was asked for.
    #[error("{command}: {words}")]
    Refused {
        /// What was asked.
        command: String,
        /// Its own words.
        words: String,
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

impl PackageError {
    pub(crate) fn host(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Host { path, source }
    }
}

impl Packages {
    /// The host's package manager, which may keep what it likes in this folder.
    #[must_use]
    pub fn in_folder(folder: impl Into<PathBuf>) -> Self {
        Self::of_suites(folder, &[])
    }

    /// As [`Packages::in_folder`], but asks these suites only.
    #[must_use]
    pub fn of_suites(folder: impl Into<PathBuf>, suites: &[&str]) -> Self {
        Self {
            folder: folder.into(),
            suites: suites.iter().map(ToString::to_string).collect(),
        }
    }

    /// Asks every suite what it has. Says of each that did not answer why, in the package manager's words.
    ///
    /// # Errors
    /// There is no package manager, it has no source, or none of the suites answered.
    pub fn update(&self) -> Result<Vec<String>, PackageError> {
        let sources = self.sources()?;
        for folder in ["state/lists/partial", "cache/archives/partial", "none"] {
            let folder = self.folder.join(folder);
            fs::create_dir_all(&folder).map_err(PackageError::host(folder))?;
        }
        self.write("sources.sources", &sources)?;
        self.write("status", "")?;
        self.write("apt.conf", &self.configuration()?)?;
        let answer = self.ask("apt-get", &["update"])?;
        let silent = suites_that_failed(&String::from_utf8_lossy(&answer.stdout));
        let lists = self.folder.join("state/lists");
        let has_lists = fs::read_dir(&lists)
            .map_err(PackageError::host(&lists))?
            .flatten()
            .any(|entry| entry.file_name().to_string_lossy().contains("_Packages"));
        if has_lists {
            Ok(silent)
        } else {
            Err(refused("apt-get update", &answer))
        }
    }

    /// The versions of some packages, as the suites that answered have them; newest first, each once.
    ///
    /// # Errors
    /// The package manager does not answer.
    pub fn available(&self, packages: &[&str]) -> Result<Vec<Available>, PackageError> {
        let answer = self.ask("apt-cache", &[&["madison"], packages].concat())?;
        if !answer.status.success() {
            return Err(refused("apt-cache madison", &answer));
        }
        let mut available: Vec<Available> = Vec::new();
        for line in String::from_utf8_lossy(&answer.stdout).lines() {
            if let Some(next) = read_row(line)
                && !available
                    .iter()
                    .any(|known| (&known.package, &known.version) == (&next.package, &next.version))
            {
                available.push(next);
            }
        }
        Ok(available)
    }

    /// What a package depends on, without versions.
    ///
    /// # Errors
    /// The package manager does not answer, or knows no such package.
    pub fn depends(&self, package: &str) -> Result<Vec<String>, PackageError> {
        let answer = self.ask("apt-cache", &["depends", "--important", package])?;
        if !answer.status.success() {
            return Err(refused(&format!("apt-cache depends {package}"), &answer));
        }
        let said = String::from_utf8_lossy(&answer.stdout);
        let depends = said.lines().filter_map(|line| line.split_once("Depends: "));
        Ok(depends.map(|(_, name)| name.trim().to_owned()).collect())
    }

    /// Downloads one version of a package and unpacks it below a folder. Nothing is installed, and none of its scripts is run.
    ///
    /// # Errors
    /// The package manager cannot bring it, or its signature or checksum is wrong.
    pub fn unpack(&self, package: &str, version: &str, below: &Path) -> Result<(), PackageError> {
        let downloads = &self.folder.join("downloads");
        // What was left by somebody who was killed is no download of ours.
        drop(fs::remove_dir_all(downloads));
        fs::create_dir_all(downloads).map_err(PackageError::host(downloads))?;
        let wanted = format!("{package}={version}");
        let configuration = self.folder.join("apt.conf");
        let configuration = configuration.to_string_lossy();
        let command = format!("apt-get download {wanted}");
        let answer = run(
            "apt-get",
            &["-c", &configuration, "download", &wanted],
            downloads,
        )?;
        if !answer.status.success() {
            return Err(refused(&command, &answer));
        }
        let file = fs::read_dir(downloads)
            .map_err(PackageError::host(downloads))?
            .flatten()
            .map(|entry| entry.path())
            .find(|path| path.extension().is_some_and(|extension| extension == "deb"))
            .ok_or_else(|| refused(&command, &answer))?;
        let (file, below) = (file.to_string_lossy(), below.to_string_lossy());
        let answer = run("dpkg-deb", &["--extract", &file, &below], downloads)?;
        drop(fs::remove_dir_all(downloads));
        match answer.status.success() {
            true => Ok(()),
            false => Err(refused(&format!("dpkg-deb --extract {file}"), &answer)),
        }
    }

    /// What a package needs that the host has not, itself among it: names and versions.
    ///
    /// # Errors
    /// It cannot be had together with what the host has.
    pub fn lacking(&self, wanted: &Available) -> Result<Vec<(String, String)>, PackageError> {
        let status = host_setting("Dir::State::status/f")?;
        let wish = format!("{}={}", wanted.package, wanted.version);
        let answer = self.ask(
            "apt-get",
            &[
                "-o",
                &format!("Dir::State::status={status}"),
                "--simulate",
                "--no-install-recommends",
                "--target-release",
                &wanted.suite,
                "install",
                &wish,
            ],
        )?;
        if !answer.status.success() {
            // What it cannot bring together it tells on standard output.
            let mut words = answer;
            words.stderr = [&words.stdout[..], &words.stderr].concat();
            return Err(refused(
                &format!("apt-get --simulate install {wish}"),
                &words,
            ));
        }
        let said = String::from_utf8_lossy(&answer.stdout);
        Ok(said.lines().filter_map(read_step).collect())
    }

    fn sources(&self) -> Result<String, PackageError> {
        let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
        let id = release.lines().find_map(|line| line.strip_prefix("ID="));
        let id = id.unwrap_or_default().trim_matches('"');
        // Whoever runs apt and is neither is told so by there being no source.
        let suites = SUITES.iter().find(|(name, _)| *name == id);
        let suites = suites.map_or(&[][..], |(_, suites)| suites);
        let wanted =
            |suite: &&&str| self.suites.is_empty() || self.suites.iter().any(|it| it == **suite);
        let asked: Vec<&str> = suites.iter().filter(wanted).copied().collect();
        let file = host_setting("Dir::Etc::sourcelist/f")?;
        let parts = host_setting("Dir::Etc::sourceparts/d")?;
        let found = sources::read(Path::new(&file), Path::new(&parts));
        let derived = sources::with_suites(&found, suites, &asked);
        if derived.is_empty() {
            return Err(PackageError::NoSource(format!(
                "{file} and {parts} have no source of the packages of a release of Debian or Ubuntu"
            )));
        }
        Ok(derived)
    }

    /// Later than the host's own configuration, which stays in force besides: its proxies, its certificates.
    fn configuration(&self) -> Result<String, PackageError> {
        let folder = std::path::absolute(&self.folder).map_err(PackageError::host(&self.folder))?;
        let Some(folder) = folder
            .to_str()
            .filter(|folder| !folder.contains(['"', '\n']))
        else {
            let odd = io::Error::other("apt cannot be told of a folder of this name");
            return Err(PackageError::host(&self.folder)(odd));
        };
        Ok(format!(
            "Dir::State \"{folder}/state\";\n\
             Dir::State::status \"{folder}/status\";\n\
             Dir::Cache \"{folder}/cache\";\n\
             // A host may keep no index of its lists, and make it anew for each question.\n\
             Dir::Cache::pkgcache \"pkgcache.bin\";\n\
             Dir::Cache::srcpkgcache \"srcpkgcache.bin\";\n\
             Dir::Etc::SourceList \"{folder}/sources.sources\";\n\
             Dir::Etc::SourceParts \"{folder}/none\";\n\
             Dir::Etc::Preferences \"{folder}/none/preferences\";\n\
             Dir::Etc::PreferencesParts \"{folder}/none\";\n\
             // What the host does after an update of its own is not for this one.\n\
             #clear APT::Update::Pre-Invoke;\n\
             #clear APT::Update::Post-Invoke;\n\
             #clear APT::Update::Post-Invoke-Success;\n\
             // Root's downloads are otherwise made by a user who may not write here.\n\
             APT::Sandbox::User \"root\";\n"
        ))
    }

    fn write(&self, name: &str, text: &str) -> Result<(), PackageError> {
        let path = self.folder.join(name);
        fs::write(&path, text).map_err(PackageError::host(path))
    }

    fn ask(&self, program: &'static str, args: &[&str]) -> Result<Answer, PackageError> {
        let configuration = self.folder.join("apt.conf");
        let configuration = configuration.to_string_lossy();
        run(
            program,
            &[&["-c", &configuration], args].concat(),
            &self.folder,
        )
    }
}

fn run(program: &'static str, args: &[&str], folder: &Path) -> Result<Answer, PackageError> {
    ask(Path::new(program), args, folder, b"", DEADLINE).map_err(|error| match error {
        AskError::Start(source) if source.kind() == io::ErrorKind::NotFound => {
            PackageError::NoManager(program)
        }
        error => PackageError::Refused {
            command: program.to_owned(),
            words: error.to_string(),
        },
    })
}

/// A path in the host's own configuration of apt.
fn host_setting(name: &str) -> Result<String, PackageError> {
    let answer = run("apt-config", &["shell", "VALUE", name], Path::new("/"))?;
    // VALUE='/etc/apt/sources.list'
    let said = String::from_utf8_lossy(&answer.stdout);
    let value = said
        .trim()
        .strip_prefix("VALUE=")
        .map(|value| value.trim_matches('\''));
    value
        .map(ToOwned::to_owned)
        .ok_or_else(|| refused(&format!("apt-config shell VALUE {name}"), &answer))
}

/// The package manager's words: its errors, or whatever it said.
fn refused(command: &str, answer: &Answer) -> PackageError {
    let said = String::from_utf8_lossy(&answer.stderr);
    let lines = said.lines().map(str::trim).filter(|line| !line.is_empty());
    let words: Vec<&str> = lines.filter(|line| !line.starts_with("WARNING:")).collect();
    PackageError::Refused {
        command: command.to_owned(),
        words: match &words[..] {
            [] => answer.status.to_string(),
            words => words.join(" "),
        },
    }
}

/// Of what `apt-get update` says, the suites that did not answer: `Err:5 URI SUITE Release`, and why on the next line.
fn suites_that_failed(said: &str) -> Vec<String> {
    let mut failed = Vec::new();
    let mut lines = said.lines();
    while let Some(line) = lines.next() {
        let Some(what) = line.strip_prefix("Err:") else {
            continue;
        };
        let suite = what.split_whitespace().nth(2).unwrap_or(what);
        let why = lines.next().unwrap_or_default().trim();
        failed.push(format!("{suite}: {why}"));
    }
    failed
}

/// A row of `apt-cache madison`: `seabios | 1.16.3-2 | URI trixie/main amd64 Packages`.
fn read_row(line: &str) -> Option<Available> {
    let mut columns = line.split('|').map(str::trim);
    let (package, version, place) = (columns.next()?, columns.next()?, columns.next()?);
    let (suite, _) = place.split_whitespace().nth(1)?.split_once('/')?;
    Some(Available {
        package: package.to_owned(),
        version: version.to_owned(),
        suite: suite.to_owned(),
    })
}

/// A step of `apt-get --simulate install`: `Inst seabios [1.16.2-1] (1.16.3-2 Debian:13/stable [all])`.
fn read_step(line: &str) -> Option<(String, String)> {
    let step = line.strip_prefix("Inst ")?;
    let (package, _) = step.split_once(' ')?;
    let version = step.split_once('(')?.1.split_whitespace().next()?;
    Some((package.to_owned(), version.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_apt_says_is_read() {
        // Of apt 2.6.1 on Debian 12, the URIs replaced.
        let said = "Get:1 http://a.example/d bookworm InRelease [151 kB]\n\
                    Ign:2 http://a.example/d nosuch InRelease\n\
                    Err:5 http://a.example/d nosuch Release\n  404  Not Found [IP: 192.0.2.1 80]\n\
                    Reading package lists...\n";
        assert_eq!(
            suites_that_failed(said),
            ["nosuch: 404  Not Found [IP: 192.0.2.1 80]"]
        );

        let row = "qemu-system-x86 | 1:10.0.2+ds-2+deb13u1~bpo12+1 | http://a.example/d bookworm-backports/main amd64 Packages";
        let row = read_row(row).unwrap();
        assert_eq!(
            (row.upstream(), &*row.suite),
            ("10.0.2", "bookworm-backports")
        );
        let row =
            "      ovmf | 2022.11-6+deb12u2 | http://a.example/d bookworm/main amd64 Packages";
        assert_eq!(read_row(row).unwrap().upstream(), "2022.11");
        assert_eq!(read_row("E: nothing"), None);

        let step =
            "Inst seabios [1.16.2-1] (1.16.3-2~bpo12+1 Debian Backports:oldstable-backports [all])";
        assert_eq!(
            read_step(step),
            Some(("seabios".into(), "1.16.3-2~bpo12+1".into()))
        );
        let new = "Inst libfoo1 (2-1 Debian:13.1/stable [amd64]) []";
        assert_eq!(read_step(new), Some(("libfoo1".into(), "2-1".into())));
        assert_eq!(read_step("Conf seabios (1 Debian [all])"), None);
    }

    #[test]
    fn no_package_manager_is_told_with_what_can_be_done() {
        let message = run("no-such-package-manager", &[], Path::new("/"))
            .unwrap_err()
            .to_string();
        assert!(
            message.contains("the program no-such-package-manager is missing"),
            "{message}"
        );
        assert!(message.contains("firmware add"), "{message}");
    }

    #[test]
    fn a_source_that_does_not_answer_is_told_in_apts_words() {
        // Port 9 of this host: nobody answers there.
        let folder = tempfile::tempdir().unwrap();
        let packages = Packages::in_folder(folder.path());
        if host_setting("Dir::Etc::sourcelist/f").is_err() {
            eprintln!("skipped: this host has no apt");
            return;
        }
        for name in ["state/lists/partial", "cache/archives/partial", "none"] {
            fs::create_dir_all(folder.path().join(name)).unwrap();
        }
        let source = "Types: deb\nURIs: http://127.0.0.1:9/x\nSuites: nosuch\nComponents: main\n";
        packages.write("sources.sources", source).unwrap();
        packages.write("status", "").unwrap();
        packages
            .write("apt.conf", &packages.configuration().unwrap())
            .unwrap();
        let answer = packages.ask("apt-get", &["update"]).unwrap();
        let failed = suites_that_failed(&String::from_utf8_lossy(&answer.stdout));
        assert!(
            failed.len() == 1 && failed[0].starts_with("nosuch: "),
            "{failed:?}"
        );
        assert_eq!(packages.available(&["seabios"]).unwrap(), []);
        let error = packages.unpack("seabios", "1", folder.path()).unwrap_err();
        assert!(
            error
                .to_string()
                .contains("Unable to locate package seabios"),
            "{error}"
        );
    }
}
