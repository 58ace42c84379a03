//! For tests of other projects: a machine or a reason to skip, and a boot that explains its failure.

use std::{env, panic::panic_any};

use images::{
    inspect::{DiscFile, Options, Window, inspect},
    map::DiscMap,
};

use crate::{
    attachment::Attachment,
    case::Case,
    diagnosis::{Boot, diagnose},
    firmware::FirmwareId,
    guest::Starts,
    observation::Observation,
    platform::Platform,
    run::run,
};

/// If this is set, a test that cannot be run fails.
const REQUIRED: &str = "BOOT_MATRIX_REQUIRED";

/// A machine with the QEMU and firmware of this host. If either is missing, it returns `None` and prints on standard error that the test is
/// skipped, and why. With the environment variable `BOOT_MATRIX_REQUIRED`, as in CI, the test fails instead.
///
/// # Panics
/// A required program is missing.
#[must_use]
#[track_caller]
pub fn machine_or_skip(firmware: FirmwareId, attachment: Attachment) -> Option<Platform> {
    let error = match Platform::of_host(firmware, attachment) {
        Ok(machine) => return Some(machine),
        Err(error) => error,
    };
    let why = format!("no machine with {firmware} and {attachment}: {error}");
    assert!(env::var_os(REQUIRED).is_none(), "{why}");
    // The test harness shows output only if a test fails, but a skipped test must always be visible.
    let thread = std::thread::current();
    let test = thread.name().unwrap_or("a test");
    eprintln!("SKIPPED {test}: {why}");
    None
}

impl Case {
    /// Boots the disc, which must start.
    ///
    /// # Panics
    /// It was not seen to start: the message has what happened, what was read, and the disc's defects. Or nothing is known, because QEMU or the host
    /// failed.
    #[track_caller]
    pub fn expect_booted(&self) -> Observation {
        let seen = match run(self) {
            Ok(seen) => seen,
            Err(infra) => panic_any(format!("{}: {infra}", self.id)),
        };
        if seen.starts != Starts::Yes {
            panic_any(format!("{}: {}", self.id, self.explained(&seen)));
        }
        seen
    }

    /// The explanation, from the disc's bytes.
    fn explained(&self, seen: &Observation) -> String {
        let boots = [Boot {
            build: self.platform.firmware.id.to_string(),
            firmware: self.platform.firmware.id,
            attachment: self.platform.attachment,
            observation: seen,
            by_keys: None,
            medium: None,
        }];
        let read = DiscFile::open(&self.disc).and_then(|disc| {
            let mut window = Window::new(&disc);
            let inspection = inspect(&mut window, &Options::default())?;
            let map = DiscMap::read(&mut window, &inspection);
            Ok(diagnose(&inspection, &map, &boots, &[]))
        });
        let sentences = read.into_iter().flatten().flat_map(|diagnosis| {
            let whether = diagnosis.unknown().unwrap_or_default();
            [diagnosis.happened.clone(), diagnosis.why(), whether]
        });
        let sentences: Vec<String> = sentences.filter(|text| !text.is_empty()).collect();
        match sentences.is_empty() {
            true => seen.outcome.detail.clone(),
            false => sentences.join(" "),
        }
    }
}
