//! Which accelerator the machines run on: measured, not assumed.
//!
//! `/dev/kvm` may be absent, forbidden, broken, or, on a nested host, far slower than QEMU's own
//! translator. A race decides: one SeaBIOS start with nothing to boot.

use std::{
    collections::BTreeMap,
    fs,
    fs::OpenOptions,
    io::{self, Write},
    path::Path,
    time::Duration,
};

use images::bytes::hex;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{
    accelerator::{Accelerator, Pace},
    ask::{Answer, ask},
    emulator::Installed,
    firmware::{Firmware, said::Said, words::Words},
};

/// The accelerator to use, and what decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// The accelerator.
    pub accelerator: Accelerator,
    /// One sentence for people.
    pub why: String,
    /// How long the SeaBIOS start took on TCG, in milliseconds, when it came to its end.
    pub tcg_ms: Option<u64>,
    /// The same on KVM.
    pub kvm_ms: Option<u64>,
}

impl Choice {
    /// An accelerator that somebody asked for: nothing is measured.
    #[must_use]
    pub fn asked_for(accelerator: Accelerator) -> Self {
        Self {
            accelerator,
            why: "asked for".to_owned(),
            tcg_ms: None,
            kvm_ms: None,
        }
    }

    /// The pace of this host, where it was measured.
    #[must_use]
    pub fn pace(&self) -> Pace {
        let start_ms = match self.accelerator {
            Accelerator::Tcg => self.tcg_ms,
            Accelerator::Kvm => self.kvm_ms,
        };
        start_ms.map_or(Pace::NORMAL, |ms| Pace::of_start(Duration::from_millis(ms)))
    }
}

/// A SeaBIOS start is too short for KVM to show its gain, but long enough to show that it is
/// broken: nested, it has been seen to take twenty times as long as TCG.
const TOLERATED_RATIO: u64 = 2;
const TCG_DEADLINE: Duration = Duration::from_secs(10);
const KVM_DEADLINE: Duration = Duration::from_secs(4);
const KVM_DEVICE: &str = "/dev/kvm";

/// Chooses between TCG and KVM by a SeaBIOS start on each.
///
/// The answer is kept in `cache_dir/accelerator.json` for this kernel, processor, QEMU and SeaBIOS;
/// a cache that cannot be read or written costs another race and nothing else.
#[must_use]
pub fn measure(qemu: &Installed, bios: &Firmware, cache_dir: &Path) -> Choice {
    let kvm = OpenOptions::new().read(true).write(true).open(KVM_DEVICE);
    let key = cache_key(qemu, bios, kvm.as_ref().err());
    remembered(cache_dir, key, || race(qemu, bios, kvm.err()))
}

/// An accelerator that somebody asked for, and by a SeaBIOS start how fast this host is with it; kept as what [`measure`] finds.
#[must_use]
pub fn calibrate(
    accelerator: Accelerator,
    qemu: &Installed,
    bios: &Firmware,
    cache_dir: &Path,
) -> Choice {
    let key = format!("{} {accelerator}", cache_key(qemu, bios, None));
    remembered(cache_dir, key, || {
        let ms = best_start(qemu, bios, accelerator, TCG_DEADLINE).ok();
        let choice = Choice::asked_for(accelerator);
        match accelerator {
            Accelerator::Tcg => Choice {
                tcg_ms: ms,
                ..choice
            },
            Accelerator::Kvm => Choice {
                kvm_ms: ms,
                ..choice
            },
        }
    })
}

fn remembered(cache_dir: &Path, key: String, find_out: impl FnOnce() -> Choice) -> Choice {
    let cache = cache_dir.join("accelerator.json");
    if let Some(choice) = read_cache(&cache).remove(&key) {
        return choice;
    }
    let choice = find_out();
    // Read once more: another run may have added to it.
    let mut known = read_cache(&cache);
    known.insert(key, choice.clone());
    let _ = write_cache(&cache, &known);
    choice
}

/// The first start also brings QEMU into the page cache; the better of two counts.
fn best_start(
    qemu: &Installed,
    bios: &Firmware,
    accelerator: Accelerator,
    deadline: Duration,
) -> Result<u64, String> {
    let first = start(qemu, bios, accelerator, deadline);
    let second = start(qemu, bios, accelerator, deadline);
    match (first, second) {
        (Ok(first), Ok(second)) => Ok(first.min(second)),
        (Ok(ms), Err(_)) | (_, Ok(ms)) => Ok(ms),
        (Err(why), Err(_)) => Err(why),
    }
}

type Cache = BTreeMap<String, Choice>;

fn read_cache(path: &Path) -> Cache {
    fs::read(path)
        .ok()
        .and_then(|json| serde_json::from_slice(&json).ok())
        .unwrap_or_default()
}

/// Whole or not at all: several runs may share the folder.
fn write_cache(path: &Path, cache: &Cache) -> io::Result<()> {
    let directory = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(directory)?;
    let mut file = tempfile::NamedTempFile::new_in(directory)?;
    file.write_all(&serde_json::to_vec_pretty(cache)?)?;
    file.persist(path)?;
    Ok(())
}

fn cache_key(qemu: &Installed, bios: &Firmware, kvm: Option<&io::Error>) -> String {
    let kernel = rustix::system::uname();
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    // What names the processor: x86, then aarch64. The other lines hold its current frequency.
    let cpu = cpu.lines().filter(|line| {
        ["model name", "flags", "CPU implementer", "CPU part"]
            .iter()
            .any(|name| line.starts_with(name))
    });
    let mut hasher = Sha256::new();
    for part in [
        kernel.release().to_bytes(),
        kernel.version().to_bytes(),
        kernel.machine().to_bytes(),
        cpu.collect::<Vec<_>>().join("\n").as_bytes(),
        qemu.sha256.as_bytes(),
        bios.sha256.as_bytes(),
        format!("{:?}", kvm.map(io::Error::kind)).as_bytes(),
    ] {
        hasher.update(part);
        hasher.update([0]);
    }
    hex(hasher.finalize())
}

fn race(qemu: &Installed, bios: &Firmware, no_kvm: Option<io::Error>) -> Choice {
    let tcg = best_start(qemu, bios, Accelerator::Tcg, TCG_DEADLINE);
    let kvm = match no_kvm {
        Some(e) => Err(format!("{KVM_DEVICE} cannot be opened: {e}")),
        None => start(qemu, bios, Accelerator::Kvm, KVM_DEADLINE),
    };
    decide(tcg, kvm)
}

/// Either side: milliseconds, or why the start did not come to its end.
fn decide(tcg: Result<u64, String>, kvm: Result<u64, String>) -> Choice {
    let (accelerator, why) = match (&tcg, &kvm) {
        (_, Err(why)) => (Accelerator::Tcg, format!("kvm cannot be used: {why}")),
        (Err(why), Ok(kvm)) => (
            Accelerator::Kvm,
            format!("a SeaBIOS start took {kvm} ms on kvm; on tcg it failed: {why}"),
        ),
        (Ok(tcg), Ok(kvm)) => (
            if *kvm <= tcg.saturating_mul(TOLERATED_RATIO) {
                Accelerator::Kvm
            } else {
                Accelerator::Tcg
            },
            format!("a SeaBIOS start took {kvm} ms on kvm, {tcg} ms on tcg"),
        ),
    };
    Choice {
        accelerator,
        why,
        tcg_ms: tcg.ok(),
        kvm_ms: kvm.ok(),
    }
}

/// Milliseconds of one SeaBIOS start to its last word, or why it did not get there.
fn start(
    qemu: &Installed,
    bios: &Firmware,
    accelerator: Accelerator,
    deadline: Duration,
) -> Result<u64, String> {
    let answer = boot_nothing(qemu, bios, accelerator, deadline)?;
    let said = String::from_utf8_lossy(&answer.stdout);
    let mut words = Words::of(bios.id);
    let is_last = |line: &str| matches!(words.hear(line), Some(Said::Nothing(_)));
    if !said.lines().any(is_last) {
        return Err(format!(
            "QEMU ended with {} before SeaBIOS did: {}",
            answer.status,
            answer.complaint()
        ));
    }
    Ok(u64::try_from(answer.elapsed.as_millis()).unwrap_or(u64::MAX))
}

/// SeaBIOS finds nothing to boot, retries after 0 seconds, which resets the machine, which ends QEMU:
/// a whole start that ends by itself.
fn boot_nothing(
    qemu: &Installed,
    bios: &Firmware,
    accelerator: Accelerator,
    deadline: Duration,
) -> Result<Answer, String> {
    let emulator = qemu.id.emulator();
    let args = emulator.bare_arguments(bios.image.code(), accelerator);
    ask(&qemu.path, &args, Path::new("/"), b"", deadline)
        .map_err(|e| format!("QEMU with -accel {accelerator} {e}"))
}

#[cfg(test)]
pub(crate) fn seabios_words(qemu: &Installed, seabios: &Firmware) -> String {
    let answer = boot_nothing(qemu, seabios, Accelerator::Tcg, TCG_DEADLINE).unwrap();
    String::from_utf8_lossy(&answer.stdout).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        emulator::EmulatorId,
        firmware::{FirmwareId, discover, select},
    };

    #[test]
    fn kvm_is_chosen_only_where_it_is_no_slower() {
        fn check(tcg: Result<u64, &str>, kvm: Result<u64, &str>, expect: Accelerator, why: &str) {
            let choice = decide(tcg.map_err(str::to_owned), kvm.map_err(str::to_owned));
            assert_eq!(choice.accelerator, expect, "{choice:?}");
            assert!(choice.why.contains(why), "{choice:?}");
        }
        check(
            Ok(70),
            Ok(60),
            Accelerator::Kvm,
            "60 ms on kvm, 70 ms on tcg",
        );
        check(Ok(70), Ok(140), Accelerator::Kvm, "140 ms on kvm");
        check(Ok(70), Ok(141), Accelerator::Tcg, "141 ms on kvm");
        check(Ok(70), Ok(3000), Accelerator::Tcg, "3000 ms on kvm");
        check(Ok(70), Err("forbidden"), Accelerator::Tcg, "forbidden");
        check(Err("no tcg"), Ok(60), Accelerator::Kvm, "no tcg");
        check(Err("no tcg"), Err("no kvm"), Accelerator::Tcg, "no kvm");
    }

    #[test]
    fn a_race_is_run_once_for_a_host() {
        let qemu = EmulatorId::Qemu.locate(None).unwrap();
        let firmware = discover(&qemu);
        let seabios = select(&firmware, FirmwareId::Seabios).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let cache = dir.path().join("of/boot-matrix");
        let choice = measure(&qemu, seabios, &cache);
        assert!(choice.tcg_ms.is_some(), "{choice:?}");
        assert_eq!(
            choice.accelerator == Accelerator::Kvm,
            choice
                .kvm_ms
                .is_some_and(|ms| ms <= choice.tcg_ms.unwrap_or(0) * TOLERATED_RATIO),
            "{choice:?}"
        );

        // What is in the cache is believed: a mark set there comes back.
        let file = cache.join("accelerator.json");
        let mut known = read_cache(&file);
        assert_eq!(known.len(), 1);
        for known in known.values_mut() {
            "from the cache".clone_into(&mut known.why);
        }
        write_cache(&file, &known).unwrap();
        assert_eq!(measure(&qemu, seabios, &cache).why, "from the cache");
        let another = Firmware {
            sha256: "another".to_owned(),
            ..seabios.clone()
        };
        assert_ne!(
            cache_key(&qemu, seabios, None),
            cache_key(&qemu, &another, None)
        );
    }

    #[test]
    fn a_slow_host_is_slow_and_a_fast_one_not_fast() {
        let pace = |ms| Pace::of_start(Duration::from_millis(ms));
        let second = Duration::from_secs(1);
        assert_eq!(pace(20), Pace::NORMAL);
        assert_eq!(Pace::NORMAL.stretch(second), second);
        assert_eq!(pace(1000).stretch(second), 5 * second);
        assert_eq!(pace(1000).shorten(5 * second), second);
        assert_eq!(pace(u64::MAX).stretch(second), 50 * second);
        let qemu = EmulatorId::Qemu.locate(None).unwrap();
        let firmware = discover(&qemu);
        let seabios = select(&firmware, FirmwareId::Seabios).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let choice = calibrate(Accelerator::Tcg, &qemu, seabios, folder.path());
        assert_eq!(choice.why, "asked for");
        let took = Duration::from_millis(choice.tcg_ms.unwrap());
        assert_eq!(choice.pace(), Pace::of_start(took));
        assert_eq!(read_cache(&folder.path().join("accelerator.json")).len(), 1);
    }

    #[test]
    fn a_start_that_does_not_come_to_its_end_is_no_time() {
        let qemu = EmulatorId::Qemu.locate(None).unwrap();
        let firmware = discover(&qemu);
        let seabios = select(&firmware, FirmwareId::Seabios).unwrap();
        let hurried = start(&qemu, seabios, Accelerator::Tcg, Duration::from_millis(1));
        assert!(hurried.unwrap_err().contains("had not ended after 1 ms"));
        let missing = Firmware {
            image: crate::firmware::FirmwareImage::Bios("/nonexistent.bin".into()),
            ..seabios.clone()
        };
        let missing = start(&qemu, &missing, Accelerator::Tcg, TCG_DEADLINE);
        assert!(missing.unwrap_err().contains("/nonexistent.bin"));
    }

    #[test]
    fn a_damaged_cache_is_no_cache() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("accelerator.json");
        fs::write(&file, b"{\"key\": {\"accel").unwrap();
        assert!(read_cache(&file).is_empty());
    }
}
