//! The circumstances that change when a disc is mastered a second time. A reproducible tool makes the same disc in all of them.

use std::{
    env,
    ffi::OsString,
    fmt, fs, io,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use rustix::{fs::Mode, thread::CpuSet};
use serde::{Deserialize, Serialize};

/// How far the clock and the dates of files are moved: into another year, month, day of the week and time of the day.
const AWAY: Duration = Duration::from_secs(400 * 86_400 + 5 * 3_600 + 17 * 60 + 41);

/// Another time zone than UTC, by a name that needs no file: a quarter of an hour is part of it.
const ZONE: &str = "<+1245>-12:45";

/// Something about where and when a tool masters a disc.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Circumstance {
    /// The time of the day and the date.
    Clock,
    /// When the files that go onto the disc were changed last.
    FileDates,
    /// `TZ`.
    TimeZone,
    /// `LC_ALL` and `LANG`.
    Locale,
    /// Which permissions new files get.
    Umask,
    /// In which order the file system names the files of a folder.
    FileOrder,
    /// How many processors there are.
    Processors,
    /// The folder that is worked in.
    Place,
}

impl Circumstance {
    /// Every one.
    pub const ALL: [Self; 8] = [
        Self::Clock,
        Self::FileDates,
        Self::TimeZone,
        Self::Locale,
        Self::Umask,
        Self::FileOrder,
        Self::Processors,
        Self::Place,
    ];

    /// What keeps it off the disc.
    #[must_use]
    pub const fn remedy(self) -> &'static str {
        match self {
            Self::Clock => {
                "take the time from SOURCE_DATE_EPOCH, which is set, and not from the clock"
            }
            Self::FileDates => {
                "write no date later than SOURCE_DATE_EPOCH, which is set, in the place of a file's own"
            }
            Self::TimeZone => "write dates in UTC",
            Self::Locale => "sort names by their bytes, and not by the locale",
            Self::Umask => "write permissions that do not depend on the umask",
            Self::FileOrder => "sort the names of each folder before files are placed",
            Self::Processors => "put what several threads make in an order of its own",
            Self::Place => "write no path of the folder that is worked in",
        }
    }
}

impl fmt::Display for Circumstance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Clock => "the clock",
            Self::FileDates => "the dates of the files",
            Self::TimeZone => "the time zone",
            Self::Locale => "the locale",
            Self::Umask => "the umask",
            Self::FileOrder => "the order of the files in their folder",
            Self::Processors => "the number of processors",
            Self::Place => "the folder that is worked in",
        })
    }
}

/// What of a host's circumstances can be changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Elsewhere {
    /// The fake clock's time and the files' date. Without them a second that passes between two runs would change discs by chance.
    now: Duration,
    /// A library that tells programs a time.
    clock: Option<PathBuf>,
    /// So many seconds more the library tells in the other time zone: it reads what it is given as local time.
    clock_by_zone: i64,
    /// A locale that is not C.
    locale: Option<String>,
    processors: bool,
    /// A folder whose file system names files in another order.
    folder: Option<PathBuf>,
}

impl Elsewhere {
    /// Looks what there is on this host, for discs that are mastered below a folder.
    #[must_use]
    pub fn find(folder: &Path) -> Self {
        let places = [
            folder.to_owned(),
            PathBuf::from("/dev/shm"),
            env::temp_dir(),
        ];
        let here = order_in(folder, false).ok();
        let another = |place: &PathBuf| {
            let there = order_in(place, true).ok();
            there.is_some() && here.is_some() && there != here
        };
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = now.unwrap_or_default();
        let clock = clock(now);
        let told = clock
            .as_deref()
            .and_then(|library| told(library, now, Some(ZONE)));
        let seconds = i64::try_from(now.as_secs()).unwrap_or_default();
        Self {
            now,
            clock,
            clock_by_zone: told.map_or(0, |told| told.saturating_sub(seconds)),
            locale: locale(),
            processors: thread::available_parallelism().is_ok_and(|number| number.get() > 1),
            folder: places.into_iter().find(another),
        }
    }

    /// What can be changed.
    #[must_use]
    pub fn can_change(&self, circumstance: Circumstance) -> bool {
        match circumstance {
            Circumstance::Clock => self.clock.is_some(),
            Circumstance::Locale => self.locale.is_some(),
            Circumstance::Processors => self.processors,
            Circumstance::FileOrder => self.folder.is_some(),
            Circumstance::FileDates
            | Circumstance::TimeZone
            | Circumstance::Umask
            | Circumstance::Place => true,
        }
    }

    /// What cannot be changed, with the reason.
    #[must_use]
    pub fn untried(&self) -> Vec<String> {
        let reason = |circumstance| match circumstance {
            Circumstance::Clock => "the package faketime moves it",
            Circumstance::Locale => "this host has none but C",
            Circumstance::Processors => "this host has one",
            _ => "no file system of this host has another order",
        };
        let cannot = Circumstance::ALL
            .into_iter()
            .filter(|&circumstance| !self.can_change(circumstance));
        cannot
            .map(|circumstance| format!("{circumstance} ({})", reason(circumstance)))
            .collect()
    }

    /// A folder whose file system names files in another order.
    #[must_use]
    pub fn folder(&self) -> Option<&Path> {
        self.folder.as_deref()
    }
}

/// The circumstances that are changed while a disc is mastered.
#[derive(Clone, Copy, Debug, Default)]
pub struct Changed<'a> {
    which: &'a [Circumstance],
    elsewhere: Option<&'a Elsewhere>,
}

impl<'a> Changed<'a> {
    /// These circumstances, as far as they can be changed.
    #[must_use]
    pub const fn new(which: &'a [Circumstance], elsewhere: &'a Elsewhere) -> Self {
        Self {
            which,
            elsewhere: Some(elsewhere),
        }
    }

    fn has(self, circumstance: Circumstance) -> bool {
        self.which.contains(&circumstance)
    }

    /// The time to set, moved if this circumstance is changed; `None` if the real time is used.
    fn time(self, circumstance: Circumstance) -> Option<Duration> {
        let now = self.elsewhere?.now;
        let away = if self.has(circumstance) {
            AWAY
        } else {
            Duration::ZERO
        };
        Some(now.saturating_add(away))
    }

    /// Changes the files that go onto a disc.
    ///
    /// # Errors
    /// One of them cannot be read or changed.
    pub fn apply_to(self, tree: &Path) -> io::Result<()> {
        if self.has(Circumstance::FileOrder) {
            reverse(tree)?;
        }
        match self.time(Circumstance::FileDates) {
            Some(time) => date(tree, UNIX_EPOCH + time),
            None => Ok(()),
        }
    }

    /// Starts a command under these circumstances.
    pub(super) fn set(self, command: &mut Command) {
        let Some(elsewhere) = self.elsewhere else {
            return;
        };
        if let (Some(library), Some(time)) = (&elsewhere.clock, self.time(Circumstance::Clock)) {
            let zone = self.has(Circumstance::TimeZone);
            let by_zone = if zone { elsewhere.clock_by_zone } else { 0 };
            let seconds = i64::try_from(time.as_secs()).unwrap_or_default();
            set_clock(library, seconds.saturating_sub(by_zone), command);
        }
        for circumstance in self.which {
            match circumstance {
                Circumstance::TimeZone => {
                    command.env("TZ", ZONE);
                }
                Circumstance::Locale => {
                    if let Some(locale) = &elsewhere.locale {
                        command.env("LC_ALL", locale).env("LANG", locale);
                    }
                }
                Circumstance::Umask => with_another_umask(command),
                Circumstance::Processors => on_one_processor(command),
                Circumstance::Clock
                | Circumstance::FileDates
                | Circumstance::FileOrder
                | Circumstance::Place => {}
            }
        }
    }
}

/// The library of Debian's package faketime, where a program that is started with it really sees another year. It is of no use with
/// programs that ask the kernel themselves.
fn clock(now: Duration) -> Option<PathBuf> {
    let below = fs::read_dir("/usr/lib").into_iter().flatten().flatten();
    let folders = below.map(|entry| entry.path());
    folders
        .chain(["/usr/lib".into(), "/usr/lib64".into()])
        .map(|folder| folder.join("faketime/libfaketime.so.1"))
        .find(|library| library.is_file() && moves(library, now.saturating_add(AWAY)))
}

fn moves(library: &Path, to: Duration) -> bool {
    told(library, to, None).is_some_and(|told| u64::try_from(told) == Ok(to.as_secs()))
}

/// The time that `date` reports under the fake clock, in seconds since 1970.
fn told(library: &Path, given: Duration, zone: Option<&str>) -> Option<i64> {
    let mut date = Command::new("date");
    set_clock(library, i64::try_from(given.as_secs()).ok()?, &mut date);
    date.envs(zone.map(|zone| ("TZ", zone)));
    answer(date.args(["-u", "+%s"]))?.trim().parse().ok()
}

/// Stops the clock of a command.
fn set_clock(library: &Path, at: i64, command: &mut Command) {
    command
        .env("LD_PRELOAD", library)
        .env("FAKETIME_FMT", "%s")
        .env("FAKETIME", at.to_string())
        // The dates of files are set by themselves.
        .env("NO_FAKE_STAT", "1")
        .env("FAKETIME_DISABLE_SHM", "1");
}

/// An installed locale that is not C.
fn locale() -> Option<String> {
    let said = answer(Command::new("locale").arg("-a"))?;
    let is_another = |name: &&str| {
        let plain = ["C", "POSIX"];
        !plain
            .iter()
            .any(|plain| name.split('.').next() == Some(plain))
    };
    said.lines().find(is_another).map(ToOwned::to_owned)
}

fn answer(command: &mut Command) -> Option<String> {
    let said = command
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    String::from_utf8(said.stdout).ok()
}

/// The order in which a file system names files that are made in it.
fn order_in(place: &Path, reversed: bool) -> io::Result<Vec<OsString>> {
    let folder = tempfile::tempdir_in(place)?;
    for number in 0..16 {
        fs::write(folder.path().join(format!("file-{number}")), [])?;
    }
    if reversed {
        reverse(folder.path())?;
    }
    names(folder.path())
}

fn names(folder: &Path) -> io::Result<Vec<OsString>> {
    fs::read_dir(folder)?
        .map(|entry| Ok(entry?.file_name()))
        .collect()
}

/// Gives the files of a folder another order, where its file system names the latest first or last.
fn reverse(folder: &Path) -> io::Result<()> {
    // Within the folder: the one above it may be shared with others.
    let aside = folder.join(".aside");
    for name in names(folder)? {
        let path = folder.join(name);
        fs::rename(&path, &aside)?;
        fs::rename(&aside, &path)?;
        if path.is_dir() {
            reverse(&path)?;
        }
    }
    Ok(())
}

#[expect(
    unsafe_code,
    reason = "a umask for the child alone can only be set between fork and exec"
)]
fn with_another_umask(command: &mut Command) {
    // SAFETY: the closure makes one system call, which is async-signal-safe, and allocates nothing.
    unsafe {
        command.pre_exec(|| {
            rustix::process::umask(Mode::RWXG | Mode::RWXO);
            Ok(())
        });
    }
}

#[expect(
    unsafe_code,
    reason = "processors for the child alone can only be set between fork and exec"
)]
fn on_one_processor(command: &mut Command) {
    let mut one = CpuSet::new();
    let allowed = rustix::thread::sched_getaffinity(None).unwrap_or_default();
    let first = (0..CpuSet::MAX_CPU).find(|&cpu| allowed.is_set(cpu));
    one.set(first.unwrap_or_default());
    // SAFETY: as above.
    unsafe {
        command.pre_exec(move || {
            rustix::thread::sched_setaffinity(None, &one)?;
            Ok(())
        });
    }
}

/// Dates every file and folder below one, and that too.
fn date(folder: &Path, at: SystemTime) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            date(&path, at)?;
        } else {
            date_one(&path, at)?;
        }
    }
    date_one(folder, at)
}

fn date_one(path: &Path, at: SystemTime) -> io::Result<()> {
    let times = fs::FileTimes::new().set_accessed(at).set_modified(at);
    fs::File::open(path)?.set_times(times)
}
