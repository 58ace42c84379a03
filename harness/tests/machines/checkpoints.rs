//! Machines that start from a checkpoint: they show what a machine from power-on shows, and nothing that happens to a checkpoint's files
//! changes a result.

use std::{
    fs::{self, File},
    os::unix::fs::{FileExt, PermissionsExt},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use harness::{
    attachment::Attachment,
    case::Case,
    checkpoint::{Checkpoints, NoCheckpoint, Refusal},
    firmware::{Firmware, FirmwareId, FirmwareKind},
    observation::{Observation, Start},
    outcome::OutcomeKind,
    platform::Platform,
    run::run,
};
use images::reference::master;

use crate::{
    common::{Bench, Do, disc, firmware, machine, platform, seabios, shared_checkpoints},
    figures,
};

const DRIVES: &[Attachment] = &[
    Attachment::Ide,
    Attachment::Ahci,
    Attachment::Scsi,
    Attachment::UsbCd,
];

fn ide() -> Platform {
    platform(seabios(), Attachment::Ide)
}

/// An empty store in a folder whose name would break an option of QEMU's.
fn store() -> (tempfile::TempDir, Checkpoints) {
    let folder = tempfile::tempdir().expect("folder");
    let checkpoints = Checkpoints::in_folder(folder.path().join("a, b=c"));
    (folder, checkpoints)
}

/// The only checkpoint in a store.
fn only(checkpoints: &Checkpoints) -> PathBuf {
    let kept = checkpoints.list().expect("list");
    assert_eq!(kept.len(), 1, "{kept:?}");
    kept[0].folder.clone()
}

fn from(case: &Case, checkpoints: &Checkpoints) -> Observation {
    let case = Case {
        checkpoints: Some(checkpoints.clone()),
        ..case.clone()
    };
    run(&case).expect("observed")
}

/// Runs a case both ways.
fn both(case: &Case, checkpoints: &Checkpoints) -> Observation {
    let serial = || fs::read(case.evidence.join("serial.txt")).expect("serial text");
    let cold = run(case).expect("cold");
    assert_eq!(cold.start, Start::Cold);
    let cold_serial = serial();
    let warm = from(case, checkpoints);
    if case.platform.firmware.id.kind() == FirmwareKind::Uefi {
        // The program that stopped the machine may have spoken on the same line.
        assert_eq!(serial(), cold_serial, "{}", case.id);
    }
    assert_eq!(warm.start, Start::Warm, "{}", case.id);
    let none: [String; 0] = [];
    assert_eq!(warm.differences(&cold), none, "{}", case.id);
    warm
}

/// A disc of the reference master, both ways.
fn mastered(
    boot: &str,
    id: FirmwareId,
    attachment: Attachment,
    checkpoints: &Checkpoints,
) -> Observation {
    let bench = Bench::new(&[]);
    let disc = master(
        "machines/-/-/-/reference",
        None,
        &boot.parse().expect("boot"),
        None,
    );
    let disc = disc.expect("mastered");
    disc.write_to(&bench.path("")).expect("written");
    let case = Case {
        id: format!("{boot} {id} {attachment}"),
        manifest: Some(disc.manifest),
        map: None,
        platform: machine(id, attachment),
        ..bench.case(firmware(id), attachment)
    };
    both(&case, checkpoints)
}

/// Discs with this boot and with none, both ways, by these attachments. What the others show stands in the snapshots of the set `firmware`, whose cells start
/// from checkpoints.
fn by_attachments(boot: &str, id: FirmwareId, attachments: &[Attachment]) {
    let checkpoints = shared_checkpoints();
    for &attachment in attachments {
        let seen = mastered(boot, id, attachment, &checkpoints);
        assert_eq!(seen.outcome.kind, OutcomeKind::Booted);
    }
    let seen = mastered("none", id, Attachment::Scsi, &checkpoints);
    assert_eq!(seen.outcome.kind, OutcomeKind::Refused);
}

#[test]
fn a_bios_shows_the_same_from_a_checkpoint() {
    let (_folder, checkpoints) = store();
    for &attachment in DRIVES {
        for boot in ["none", "floppy-1440k", "hard-disk", "none,count=0"] {
            mastered(boot, FirmwareId::Seabios, attachment, &checkpoints);
        }
        // Nothing to boot: refused, and in other words than a disc that is there.
        let seen = mastered("efi", FirmwareId::Seabios, attachment, &checkpoints);
        assert_eq!(seen.outcome.kind, OutcomeKind::Refused);
    }
    assert_eq!(checkpoints.list().expect("list").len(), DRIVES.len());
}

#[test]
fn a_bios_that_does_not_ask_for_option_roms_shows_the_same_from_a_checkpoint() {
    let checkpoints = shared_checkpoints();
    for (boot, outcome) in [
        ("none", OutcomeKind::Booted),
        ("floppy-1440k", OutcomeKind::Booted),
        ("hard-disk", OutcomeKind::Booted),
        ("efi", OutcomeKind::Refused),
    ] {
        let seen = mastered(boot, FirmwareId::Rombios, Attachment::Ide, &checkpoints);
        assert_eq!(seen.outcome.kind, outcome, "{boot}");
    }
}

#[test]
fn uefi_firmware_shows_the_same_from_a_checkpoint() {
    by_attachments("efi", FirmwareId::Ovmf, Attachment::USUAL);
}

#[test]
fn ia32_uefi_firmware_shows_the_same_from_a_checkpoint() {
    by_attachments(
        "efi,loaders=ia32",
        FirmwareId::OvmfIa32,
        &[Attachment::Ahci],
    );
}

#[test]
fn arm_uefi_firmware_shows_the_same_from_a_checkpoint() {
    by_attachments(
        "efi,loaders=aa64",
        FirmwareId::Aavmf,
        &[Attachment::Scsi, Attachment::VirtioBlk],
    );
}

#[test]
fn whatever_a_disc_does_it_does_from_a_checkpoint_too() {
    let (_folder, checkpoints) = store();
    for script in [
        &[Do::Say("alive")][..],
        &[Do::Reset],
        &[Do::GiveUp],
        &[Do::PowerOff],
        &[],
    ] {
        let bench = Bench::new(&disc(script));
        both(&bench.case(seabios(), Attachment::Ide), &checkpoints);
    }
}

#[test]
fn a_difference_is_seen() {
    let (_folder, checkpoints) = store();
    let speaks = |text| {
        let bench = Bench::new(&disc(&[Do::Say(text), Do::Reset]));
        from(&bench.case(seabios(), Attachment::Ide), &checkpoints)
    };
    let halts = Bench::new(&disc(&[]));
    let halts = from(&halts.case(seabios(), Attachment::Ide), &checkpoints);
    let resets = speaks("one");
    assert_ne!(resets.differences(&halts), Vec::<String>::new());
    assert_eq!(resets.differences(&resets), Vec::<String>::new());
}

#[test]
fn a_disk_under_a_bios_starts_cold() {
    let (_folder, checkpoints) = store();
    for attachment in [Attachment::UsbDisk, Attachment::VirtioBlk] {
        let bench = Bench::new(&disc(&[]));
        let seen = from(&bench.case(seabios(), attachment), &checkpoints);
        assert_eq!(seen.start, Start::Cold);
    }
    assert_eq!(checkpoints.list().expect("list").len(), 0);
}

#[test]
fn a_drive_whose_state_qemu_cannot_save_starts_cold_and_is_not_asked() {
    let (_folder, checkpoints) = store();
    let never = checkpoints.prepare(&platform(firmware(FirmwareId::Ovmf), Attachment::Nvme));
    assert!(matches!(never, Err(NoCheckpoint::Never(_))));
    assert_eq!(checkpoints.list().expect("list").len(), 0);
}

#[test]
fn firmware_that_cannot_run_the_program_starts_cold_and_is_not_asked() {
    let (_folder, checkpoints) = store();
    let secure = machine(FirmwareId::OvmfSecureBoot, Attachment::Ahci);
    let never = checkpoints.prepare(&secure);
    assert!(matches!(never, Err(NoCheckpoint::Never(_))));
    assert_eq!(checkpoints.list().expect("list").len(), 0);
}

#[test]
fn secure_boot_that_goes_by_another_name_runs_nothing_unsigned_and_starts_cold() {
    let (_folder, checkpoints) = store();
    let ovmf = Firmware {
        id: FirmwareId::Ovmf,
        ..firmware(FirmwareId::OvmfSecureBoot)
    };
    let secure = platform(ovmf, Attachment::Ahci);
    let first = checkpoints.prepare(&secure).expect_err("unsigned");
    assert!(matches!(first, NoCheckpoint::Never(_)), "{first}");
    let kept = checkpoints.list().expect("list");
    assert_eq!(kept[0].record.refusal, Some(Refusal::PassedBy));
    // Once is enough.
    let record = || {
        let record = kept[0].folder.join("checkpoint.json");
        fs::metadata(record)
            .and_then(|m| m.modified())
            .expect("time")
    };
    let before = record();
    checkpoints.prepare(&secure).expect_err("unsigned");
    assert_eq!(record(), before);
}

#[test]
fn another_qemu_firmware_or_machine_has_another_checkpoint() {
    let (_folder, checkpoints) = store();
    let here = ide();
    let folders = |checkpoints: &Checkpoints| checkpoints.list().expect("list").len();
    checkpoints.prepare(&here).expect("made");
    checkpoints.prepare(&here).expect("there");
    assert_eq!(folders(&checkpoints), 1);
    let mut others = [here.clone(), here.clone(), here.clone(), here];
    others[0].emulator.sha256 = "another program".into();
    others[1].emulator.roms_sha256 = "another VGA BIOS".into();
    others[2].firmware.sha256 = "another firmware".into();
    others[3].memory_mib = Some(96);
    for (count, other) in others.iter().enumerate() {
        checkpoints.prepare(other).expect("made");
        assert_eq!(folders(&checkpoints), count + 2);
    }
    assert_eq!(checkpoints.clear().expect("cleared"), 5);
    assert_eq!(folders(&checkpoints), 0);
}

/// Changes a byte in the middle, and nothing that the file system tells of the file.
fn damage(path: &Path, at: u64) {
    let file = File::options()
        .read(true)
        .write(true)
        .open(path)
        .expect("file");
    let modified = file.metadata().and_then(|m| m.modified()).expect("time");
    let mut byte = [0];
    file.read_exact_at(&mut byte, at).expect("byte");
    file.write_all_at(&[byte[0] ^ 0xFF], at).expect("written");
    file.set_modified(modified).expect("time");
}

fn when_made(folder: &Path) -> std::time::SystemTime {
    fs::metadata(folder.join("state"))
        .and_then(|metadata| metadata.modified())
        .expect("time")
}

#[test]
fn a_damaged_checkpoint_is_made_again() {
    let (_folder, checkpoints) = store();
    checkpoints.prepare(&ide()).expect("made");
    let folder = only(&checkpoints);
    // The second hit is in memory that the BIOS lies in; the third is a hole.
    for (name, at) in [("state", 4096), ("memory", 0xF_0100), ("memory", 32 << 20)] {
        let before = when_made(&folder);
        damage(&folder.join(name), at);
        checkpoints.prepare(&ide()).expect("made again");
        assert_ne!(when_made(&folder), before, "{name} {at}");
    }
    // Whoever only looks sees at least that somebody wrote.
    let before = when_made(&folder);
    fs::write(folder.join("memory"), b"short").expect("written");
    checkpoints.get(&ide()).expect("made again");
    assert_ne!(when_made(&folder), before);
    tell(
        "a byte of a checkpoint is wrong, or most of it is missing",
        "it is made again",
    );
}

#[test]
fn a_state_that_qemu_does_not_take_costs_time_alone() {
    let (_folder, checkpoints) = store();
    checkpoints.prepare(&ide()).expect("made");
    damage(&only(&checkpoints).join("state"), 0);
    let bench = Bench::new(&disc(&[Do::Say("alive")]));
    let case = bench.case(seabios(), Attachment::Ide);
    let seen = from(&case, &checkpoints);
    assert_eq!(seen.start, Start::Cold);
    assert_eq!(
        seen.differences(&run(&case).expect("cold")),
        Vec::<String>::new()
    );
    // It was thrown away, and the next has a new one.
    assert_eq!(checkpoints.list().expect("list").len(), 0);
    assert_eq!(from(&case, &checkpoints).start, Start::Warm);
    tell(
        "QEMU refuses a checkpoint's state",
        "as without, from power-on",
    );
}

#[test]
fn a_store_that_cannot_be_written_costs_time_alone() {
    let folder = tempfile::tempdir().expect("folder");
    let file = folder.path().join("file");
    fs::write(&file, b"").expect("written");
    let checkpoints = Checkpoints::in_folder(file.join("checkpoints"));
    let error = checkpoints.prepare(&ide()).expect_err("no folder");
    assert!(error.to_string().contains("file/checkpoints"), "{error}");
    let bench = Bench::new(&disc(&[]));
    let seen = from(&bench.case(seabios(), Attachment::Ide), &checkpoints);
    assert_eq!(seen.start, Start::Cold);
    tell(
        "the folder for checkpoints cannot be written",
        "as without, from power-on",
    );
}

#[test]
fn a_qemu_that_saves_nothing_is_tried_once_a_run() {
    let (folder, checkpoints) = store();
    let program = folder.path().join("qemu");
    fs::write(&program, "#!/bin/sh\nexit 1\n").expect("script");
    fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).expect("mode");
    let mut broken = ide();
    broken.emulator.path = program.clone();
    checkpoints.prepare(&broken).expect_err("dies");
    // Whoever tries to start it now fails otherwise.
    fs::remove_file(&program).expect("removed");
    for _ in 0..3 {
        let known = checkpoints.get(&broken).expect_err("known").to_string();
        assert!(known.contains("could not save"), "{known}");
    }
    // Another run may have more luck.
    let tried = checkpoints.prepare(&broken).expect_err("not there");
    assert!(tried.to_string().contains("No such file"), "{tried}");
}

#[test]
fn several_at_once_make_one() {
    let (_folder, checkpoints) = store();
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| checkpoints.get(&ide()).expect("made or waited for"));
        }
    });
    only(&checkpoints);
}

#[test]
fn a_machine_goes_on_when_its_checkpoint_is_removed() {
    let (_folder, checkpoints) = store();
    checkpoints.prepare(&ide()).expect("made");
    let bench = Bench::new(&disc(&[Do::Say("alive"), Do::Spin]));
    let case = Case {
        dialogue: None,
        deadline: Some(Duration::from_secs(2)),
        ..bench.case(seabios(), Attachment::Ide)
    };
    thread::scope(|scope| {
        let running = scope.spawn(|| from(&case, &checkpoints));
        let log = bench.path("evidence/trace.log");
        wait_until(|| fs::read_to_string(&log).is_ok_and(|log| log.contains("LBA=20")));
        checkpoints.clear().expect("cleared");
        let seen = running.join().expect("ran");
        assert_eq!(seen.start, Start::Warm);
        assert_eq!(seen.outcome.kind, OutcomeKind::HandedOver);
    });
    tell(
        "a checkpoint is removed under a machine that runs from it",
        "as without",
    );
}

/// The helper of the test below: makes a checkpoint. By itself it does nothing.
#[test]
fn makes_a_checkpoint() {
    if let Some(folder) = std::env::var_os(MAKE) {
        Checkpoints::in_folder(folder).get(&ide()).expect("made");
    }
}

const MAKE: &str = "BOOT_MATRIX_TEST_MAKE";

#[test]
fn whoever_is_killed_while_making_one_leaves_nothing_in_the_way() {
    let (_folder, checkpoints) = store();
    // Each is there a little later than the one before; the last is the checkpoint itself.
    for sign in [
        "program",
        "blank.iso",
        "memory",
        "debug.txt",
        "checkpoint.json",
    ] {
        checkpoints.clear().expect("cleared");
        let mut maker = Command::new(std::env::current_exe().expect("this program"))
            .args(["--exact", "checkpoints::makes_a_checkpoint"])
            .env(MAKE, checkpoints.folder())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("maker");
        wait_until(|| {
            let folders = fs::read_dir(checkpoints.folder()).into_iter().flatten();
            folders
                .flatten()
                .any(|folder| folder.path().join(sign).exists())
        });
        // By then it may have ended by itself.
        maker.kill().expect("killed");
        maker.wait().expect("reaped");
        let bench = Bench::new(&disc(&[Do::Say("alive")]));
        let case = bench.case(seabios(), Attachment::Ide);
        both(&case, &checkpoints);
        only(&checkpoints);
    }
    tell(
        "the process that makes a checkpoint is killed at one of 5 stages",
        "the next run makes it",
    );
}

fn tell(fault: &str, came_out: &str) {
    figures::tell(&[("fault", fault.to_owned()), ("result", came_out.to_owned())]);
}

/// There is nobody to tell of a file: looks until it is there.
fn wait_until(there: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !there() {
        assert!(Instant::now() < deadline, "it never came");
        thread::yield_now();
    }
}
