//! The static reader on every disc of the matrix: no error where a disc boots, each defect under its own id, and the
//! same figures as readers that are not ours.

#![expect(
    clippy::unwrap_used,
    reason = "the helpers of a test fail as the test does"
)]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
};

use harness::{firmware::FirmwareKind, outcome::OutcomeKind, verdict::ExpectedDamage};
use images::{
    boot::{Floppy, Mode},
    boot_image::{
        GeometryRequest, Identity, efi_system_partition, floppy, hard_disk, no_emulation,
    },
    defect::Defect,
    eltorito::Platform,
    finding::FindingId,
    inspect::{BootReading, DiscFile, EntryReading, Inspection, Options, Window, inspect},
    probe::DiscHash,
    reference::{MasteredDisc, master},
    sparse::SparseBytes,
    units::VirtualSectorCount,
};
use scenarios::{
    cell::{Cell, DiscSource, Recipe},
    files::is_distilled,
    matrix::Matrix,
    words::Set,
};
use serde_json::Value;

fn matrix() -> Matrix {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    Matrix::shipped(workspace).unwrap()
}

/// The distinct discs of a set, each with its cells.
fn discs(matrix: &Matrix, set: Set) -> BTreeMap<String, Vec<Cell>> {
    let mut discs: BTreeMap<String, Vec<Cell>> = BTreeMap::new();
    for cell in matrix.cells().filter(|cell| cell.set == set) {
        let id = cell.id.disc().as_str().to_owned();
        discs.entry(id).or_default().push(cell);
    }
    discs
}

fn recipe(cells: &[Cell]) -> Option<&Recipe> {
    match &cells.first()?.disc {
        DiscSource::Mastered(recipe) => Some(recipe),
        DiscSource::Iso { .. } | DiscSource::Live(_) | DiscSource::Edited { .. } => None,
    }
}

fn mastered(recipe: &Recipe) -> Option<MasteredDisc> {
    if recipe.master.as_str() != "reference" {
        return None;
    }
    master(recipe.id.as_str(), recipe.medium, &recipe.boot, recipe.size).ok()
}

fn read(disc: &MasteredDisc) -> Inspection {
    let options = Options {
        medium: disc.manifest.capacity,
        boot_image: None,
        verify: true,
        ..Options::default()
    };
    inspect(&mut Window::new(&disc.bytes), &options).unwrap()
}

fn ids(inspection: &Inspection) -> Vec<FindingId> {
    inspection.errors().map(|finding| finding.id).collect()
}

/// Whether a cell says that its disc is whole and starts on the firmware that it is for.
fn must_boot(cell: &Cell) -> bool {
    cell.expectation(None).is_some_and(|expected| {
        expected.outcome == OutcomeKind::Booted && expected.damage == ExpectedDamage::None
    })
}

/// The cells of a disc whose firmware an entry of it is for: a disc for one firmware is rightly refused by another.
fn addressed(cells: &[Cell]) -> Vec<&Cell> {
    let mode = recipe(cells).map(|recipe| recipe.boot.mode);
    let is_addressed = |cell: &&Cell| match cell.firmware.kind() {
        FirmwareKind::Bios => mode.is_some_and(|mode| mode.bios().is_some()),
        FirmwareKind::Uefi => mode.is_some_and(Mode::efi),
    };
    cells.iter().filter(is_addressed).collect()
}

/// The probe can run at any address, so that it boots where a boot sector was not meant to.
const BOOTS_ALL_THE_SAME: (&str, FindingId) = ("segment=7C00", FindingId::EntryLoadSegment);

#[test]
fn no_disc_that_boots_has_an_error() {
    let matrix = matrix();
    let (mut healthy, mut wrong) = (0, Vec::new());
    for (id, cells) in discs(&matrix, Set::Default) {
        let cells_that_count = addressed(&cells);
        if cells_that_count.is_empty() || !cells_that_count.iter().all(|cell| must_boot(cell)) {
            continue;
        }
        let Some(disc) = recipe(&cells).and_then(mastered) else {
            continue;
        };
        healthy += 1;
        let (deviation, allowed) = BOOTS_ALL_THE_SAME;
        for error in read(&disc).errors() {
            if !(id.contains(deviation) && error.id == allowed) {
                wrong.push(format!("{id}: {}: {}", error.id, error.message));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(healthy > 100, "{healthy}");
}

/// An x86 image in a catalog for another processor: nothing is wrong with that, but for this machine.
const FOR_OTHERS: [&str; 2] = ["platform=01", "platform=02"];

/// The other way round: what no firmware boots that it addresses has an error.
#[test]
fn every_disc_that_must_not_boot_has_an_error() {
    let matrix = matrix();
    let (mut sick, mut unnoticed) = (0, Vec::new());
    for (id, cells) in discs(&matrix, Set::Default) {
        let cells_that_count = addressed(&cells);
        if cells_that_count.is_empty() || cells_that_count.iter().any(|cell| must_boot(cell)) {
            continue;
        }
        let Some(disc) = recipe(&cells).and_then(mastered) else {
            continue;
        };
        sick += 1;
        let inspection = read(&disc);
        let noticed = inspection.has_errors() || inspection.found(FindingId::CatalogPlatform);
        if !noticed && !FOR_OTHERS.iter().any(|platform| id.contains(platform)) {
            unnoticed.push(id);
        }
    }
    assert!(unnoticed.is_empty(), "{}", unnoticed.join("\n"));
    assert!(sick > 10, "{sick}");
}

#[test]
fn every_defect_is_found_under_its_own_id() {
    let matrix = matrix();
    let mut unseen: BTreeSet<&str> = Defect::names().collect();
    let mut wrong = Vec::new();
    for (id, cells) in discs(&matrix, Set::Defects) {
        let Some(recipe) = recipe(&cells) else {
            continue;
        };
        let Some(defect) = recipe.boot.defect else {
            continue;
        };
        let Some(disc) = mastered(recipe) else {
            continue;
        };
        let inspection = read(&disc);
        unseen.remove(defect.as_str());
        let expected: FindingId = defect.as_str().parse().unwrap();
        let found: Vec<_> = inspection
            .findings
            .iter()
            .map(|finding| finding.id)
            .collect();
        let others: Vec<_> = ids(&inspection)
            .into_iter()
            .filter(|&id| id != expected)
            .collect();
        if !found.contains(&expected) || !others.is_empty() {
            wrong.push(format!("{id}: {found:?}, errors besides: {others:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(unseen.is_empty(), "no disc of the set has {unseen:?}");
}

#[test]
fn real_media_have_no_error() {
    let matrix = matrix();
    for (id, cells) in discs(&matrix, Set::Default) {
        for cell in cells {
            if let DiscSource::Iso { path, .. } = &cell.disc
                && path.exists()
                // Those are of damaged discs.
                && !is_distilled(path)
            {
                let disc = DiscFile::open(path).unwrap();
                let inspection = inspect(&mut Window::new(&disc), &Options::default()).unwrap();
                assert_eq!(ids(&inspection), [], "{id}: {:?}", inspection.findings);
            }
        }
    }
}

/// What a reader says of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    platform: String,
    media: u16,
    segment: u16,
    count: u64,
    lba: u64,
}

impl Entry {
    /// By our own reading.
    fn ours(inspection: &Inspection) -> Vec<Self> {
        let entry = |(entry, boot): (&EntryReading, &BootReading)| Self {
            platform: entry.platform.to_string(),
            media: boot.media.0.into(),
            segment: boot.load_segment,
            count: boot.sector_count.get(),
            lba: boot.load_rba.get(),
        };
        inspection.entries().map(entry).collect()
    }

    /// By `xorriso -report_el_torito plain`.
    fn of_xorriso(report: &str) -> Vec<Self> {
        let lines = report
            .lines()
            .filter_map(|line| line.strip_prefix("El Torito boot img :"));
        let hex = |text: &str| u16::from_str_radix(text.trim_start_matches("0x"), 16).unwrap();
        let entry = |line: &str| {
            let [_, platform, _, media, segment, _, count, lba] =
                line.split_whitespace().collect::<Vec<_>>()[..]
            else {
                panic!("{line}")
            };
            Self {
                platform: match platform {
                    "BIOS" => "x86".to_owned(),
                    "PPC" => "powerpc".to_owned(),
                    "Mac" => "mac".to_owned(),
                    "UEFI" => "efi".to_owned(),
                    other => format!("0x{:02X}", hex(other)),
                },
                media: ["none", "fd1.2", "fd1.4", "fd2.8", "hd"]
                    .iter()
                    .position(|&name| name == media)
                    .map_or_else(|| hex(media), |media| u16::try_from(media).unwrap()),
                segment: hex(segment),
                count: count.parse().unwrap(),
                lba: lba.parse().unwrap(),
            }
        };
        lines.map(entry).collect()
    }
}

/// pycdlib in one process, which answers a path with what it reads there.
const PYCDLIB: &str = r#"
import json, pycdlib, sys
for path in sys.stdin:
    try:
        iso = pycdlib.PyCdlib()
        iso.open(path.rstrip("\n"))
        catalog = iso.eltorito_boot_catalog
        entry = lambda platform, e: [platform, e.boot_media_type, e.load_segment, e.sector_count, e.load_rba]
        entries = [entry(catalog.validation_entry.platform_id, catalog.initial_entry)]
        entries += [entry(s.platform_id, e) for s in catalog.sections for e in s.section_entries]
        answer = {"volume": iso.pvd.space_size, "catalog": catalog.extent_location(), "entries": entries}
        iso.close()
    except Exception as error:
        answer = {"error": str(error)}
    print(json.dumps(answer), flush=True)
"#;

const PYTHON: &str = "/usr/bin/python3";

struct Pycdlib {
    child: Child,
    answers: std::io::Lines<BufReader<ChildStdout>>,
}

impl Pycdlib {
    /// Nothing where this machine does not have it.
    fn start() -> Option<Self> {
        // The distribution's interpreter, for which its package is.
        let there = Command::new(PYTHON)
            .args(["-c", "import pycdlib"])
            .stderr(Stdio::null())
            .status();
        if !there.is_ok_and(|status| status.success()) {
            println!("there is no pycdlib: not compared with it");
            return None;
        }
        let mut child = Command::new(PYTHON)
            .args(["-c", PYCDLIB])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let answers = BufReader::new(child.stdout.take().unwrap()).lines();
        Some(Self { child, answers })
    }

    fn read(&mut self, iso: &Path) -> Value {
        let questions = self.child.stdin.as_mut().unwrap();
        writeln!(questions, "{}", iso.display()).unwrap();
        serde_json::from_str(&self.answers.next().unwrap().unwrap()).unwrap()
    }

    fn end(mut self) {
        drop(self.child.stdin.take());
        assert!(self.child.wait().unwrap().success());
    }
}

fn output(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program)
        .args(arguments)
        .output()
        .unwrap_or_else(|error| {
            panic!("cannot run {program}: {error}; `cargo xtask test` installs it")
        });
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// What isoinfo says of the volume and the initial entry.
fn check_isoinfo(id: &str, iso: &Path, inspection: &Inspection) {
    let said = output("isoinfo", &["-d", "-i", iso.to_str().unwrap()]);
    let volume = inspection.volume.as_ref().unwrap();
    let catalog = inspection.catalog.as_ref().unwrap();
    let (_, initial) = inspection.entries().next().unwrap();
    let count = initial.sector_count.to_u16().unwrap();
    for line in [
        format!("Volume size is: {}", volume.blocks.get()),
        format!("boot catalog is in sector {}", catalog.lba.get()),
        // It takes numbers of 16 bits for signed ones.
        format!(
            "Load segment {:X}",
            i32::from(initial.load_segment.cast_signed())
        ),
        format!("Nsect {:X}", i32::from(count.cast_signed())),
        format!(
            "Bootoff {:X} {}",
            initial.load_rba.get(),
            initial.load_rba.get()
        ),
    ] {
        let there = said.lines().any(|said| said.trim().ends_with(&line));
        assert!(there, "{id}: no {line:?} in {said}");
    }
}

/// What pycdlib answers, or that it refuses the disc.
fn check_pycdlib(id: &str, answer: &Value, inspection: &Inspection) -> Result<(), String> {
    if let Some(error) = answer.get("error") {
        return Err(format!("{id}: {error}"));
    }
    let number = |value: &Value| value.as_u64().unwrap();
    let theirs = answer["entries"].as_array().unwrap().iter();
    let theirs: Vec<Entry> = theirs
        .map(|entry| Entry {
            platform: Platform(u8::try_from(number(&entry[0])).unwrap()).to_string(),
            media: u16::try_from(number(&entry[1])).unwrap(),
            segment: u16::try_from(number(&entry[2])).unwrap(),
            count: number(&entry[3]),
            lba: number(&entry[4]),
        })
        .collect();
    assert_eq!(Entry::ours(inspection), theirs, "{id}");
    let catalog = inspection.catalog.as_ref().unwrap();
    assert_eq!(number(&answer["catalog"]), catalog.lba.get(), "{id}");
    let volume = inspection.volume.as_ref().unwrap();
    assert_eq!(number(&answer["volume"]), volume.blocks.get(), "{id}");
    Ok(())
}

/// Independent readers see the same on every disc of the default matrix that is cheap to write.
#[test]
fn other_readers_see_the_same() {
    /// Pages that a disc may take on the host.
    const CHEAP: u64 = 4 * 1024 * 1024;
    let matrix = matrix();
    let mut pycdlib = Pycdlib::start();
    let (mut read_by_xorriso, mut read_by_pycdlib, mut refused) = (0, 0, Vec::new());
    for (id, cells) in discs(&matrix, Set::Default) {
        let Some(disc) = recipe(&cells).and_then(mastered) else {
            continue;
        };
        if disc.bytes.stored() > CHEAP {
            continue;
        }
        let folder = tempfile::tempdir().unwrap();
        disc.write_to(folder.path()).unwrap();
        let iso = folder.path().join("disc.iso");
        let file = DiscFile::open(&iso).unwrap();
        let inspection = inspect(&mut Window::new(&file), &Options::default()).unwrap();
        let ours = Entry::ours(&inspection);
        check_isoinfo(&id, &iso, &inspection);

        let indev = format!("stdio:{}", iso.display());
        let report = output("xorriso", &["-indev", &indev, "-report_el_torito", "plain"]);
        if report.is_empty() {
            // It refuses a disc whose tree leads past its end.
            refused.push(format!("{id}: xorriso"));
            continue;
        }
        let theirs = Entry::of_xorriso(&report);
        // It reads 32 entries at most.
        assert_eq!(ours[..ours.len().min(32)], theirs, "{id}: {report}");
        read_by_xorriso += 1;

        if let Some(pycdlib) = &mut pycdlib {
            match check_pycdlib(&id, &pycdlib.read(&iso), &inspection) {
                Ok(()) => read_by_pycdlib += 1,
                Err(refusal) => refused.push(refusal),
            }
        }
    }
    if let Some(pycdlib) = pycdlib {
        pycdlib.end();
        assert!(read_by_pycdlib > 100, "{read_by_pycdlib}");
    }
    println!(
        "{read_by_xorriso} read by xorriso, {read_by_pycdlib} by pycdlib; refused: {refused:#?}"
    );
    assert!(read_by_xorriso > 100, "{read_by_xorriso}");
}

/// The boot images that other tools get, in a folder with a tree.
fn images_for_tools(folder: &Path) {
    let identity = |slot| Identity {
        disc: DiscHash::of_id("inspection/-/-/-/-"),
        slot,
    };
    let sectors = VirtualSectorCount::new;
    let tree = folder.join("tree");
    fs::create_dir(&tree).unwrap();
    let write = |path: &Path, bytes: &SparseBytes| {
        bytes.write_to(&fs::File::create(path).unwrap()).unwrap();
    };
    let bios = no_emulation(identity(1), sectors(64), None).unwrap();
    write(&tree.join("bios.img"), &bios.bytes);
    let efi = efi_system_partition(identity(3), sectors(2_880), None).unwrap();
    write(&tree.join("efi.img"), &efi.bytes);
    let fd = floppy(identity(1), Floppy::K1440, sectors(2_880)).unwrap();
    write(&tree.join("floppy.img"), &fd.bytes);
    let hd = hard_disk(identity(1), sectors(20_160), GeometryRequest::default()).unwrap();
    write(&tree.join("disk.img"), &hd.bytes);
    // Longer than a count can say.
    let large = efi_system_partition(identity(3), sectors(81_920), None).unwrap();
    write(&folder.join("large.img"), &large.bytes);
}

const PYCDLIB_MASTERS: &str = r#"
import pycdlib
iso = pycdlib.PyCdlib()
iso.new(interchange_level=3)
iso.add_file("tree/bios.img", "/BIOS.IMG;1")
iso.add_file("tree/efi.img", "/EFI.IMG;1")
iso.add_eltorito("/BIOS.IMG;1", bootcatfile="/BOOT.CAT;1", boot_load_size=4, boot_info_table=True)
iso.add_eltorito("/EFI.IMG;1", efi=True)
iso.write("disc.iso")
"#;

/// Each tool's ordinary command lines, and the errors that its disc rightly has.
const TOOLS: [(&str, &[FindingId]); 16] = [
    (
        "xorriso -as mkisofs -quiet -o disc.iso -b bios.img -no-emul-boot -boot-load-size 4 -boot-info-table tree",
        &[],
    ),
    (
        "xorriso -as mkisofs -quiet -R -J -o disc.iso -b bios.img -no-emul-boot -boot-load-size 4 -eltorito-alt-boot -e efi.img -no-emul-boot tree",
        &[],
    ),
    (
        "xorriso -as mkisofs -quiet -o disc.iso -e efi.img -no-emul-boot tree",
        &[],
    ),
    (
        "xorriso -as mkisofs -quiet -o disc.iso -b floppy.img tree",
        &[],
    ),
    (
        "xorriso -as mkisofs -quiet -o disc.iso -b disk.img -hard-disk-boot tree",
        &[],
    ),
    (
        "xorriso -as mkisofs -quiet -o disc.iso -b bios.img -no-emul-boot -boot-load-size 4 -append_partition 2 0xef tree/efi.img -eltorito-alt-boot -e --interval:appended_partition_2:all:: -no-emul-boot tree",
        &[],
    ),
    (
        "xorriso -as mkisofs -quiet -o disc.iso -b bios.img -no-emul-boot -boot-load-size 4 -append_partition 2 0xef tree/efi.img -appended_part_as_gpt -eltorito-alt-boot -e --interval:appended_partition_2:all:: -no-emul-boot tree",
        &[],
    ),
    (
        "xorriso -as mkisofs -quiet -o disc.iso -b bios.img -no-emul-boot -boot-load-size 4 -append_partition 2 0xef large.img -eltorito-alt-boot -e --interval:appended_partition_2:all:: -no-emul-boot tree",
        &[FindingId::EfiOpenEndOutsideVolume],
    ),
    (
        "genisoimage -quiet -R -J -o disc.iso -b bios.img -c boot.cat -no-emul-boot -boot-load-size 4 -eltorito-alt-boot -e efi.img -no-emul-boot tree",
        &[],
    ),
    (
        "genisoimage -quiet -o disc.iso -b floppy.img -c boot.cat tree",
        &[],
    ),
    (
        "genisoimage -quiet -o disc.iso -b disk.img -c boot.cat -hard-disk-boot tree",
        &[],
    ),
    (
        "genisoimage -quiet -o disc.iso -b bios.img -c boot.cat -no-emul-boot -boot-info-table tree",
        &[],
    ),
    (
        "genisoimage -quiet -o disc.iso -graft-points -e large.img -c boot.cat -no-emul-boot large.img=large.img",
        &[FindingId::CountWrapped],
    ),
    (
        "bsdtar -cf disc.iso --format=iso9660 --options=boot=bios.img,boot-catalog=boot.cat,boot-type=no-emulation -C tree .",
        &[],
    ),
    (
        "bsdtar -cf disc.iso --format=iso9660 --options=boot=floppy.img,boot-catalog=boot.cat,boot-type=fd -C tree .",
        &[],
    ),
    ("grub-mkrescue -o disc.iso tree", &[]),
];

#[test]
fn discs_of_other_tools_have_no_error_that_they_do_not_deserve() {
    let folder = tempfile::tempdir().unwrap();
    images_for_tools(folder.path());
    let iso = folder.path().join("disc.iso");
    let mut wrong = Vec::new();
    let mut check = |command: &mut Command, name: &str, deserved: &[FindingId]| {
        let _ = fs::remove_file(&iso);
        let Ok(output) = command.current_dir(folder.path()).output() else {
            println!("not here: {name}");
            return;
        };
        if !output.status.success() {
            // Such as a GRUB without the parts that make a disc, or a Python without pycdlib.
            println!("{name}: {}", String::from_utf8_lossy(&output.stderr));
            return;
        }
        let disc = DiscFile::open(&iso).unwrap();
        let inspection = inspect(&mut Window::new(&disc), &Options::default()).unwrap();
        if ids(&inspection) != deserved {
            wrong.push(format!("{name}: {:#?}", inspection.findings));
        }
    };
    for (line, deserved) in TOOLS {
        let words: Vec<&str> = line.split(' ').collect();
        check(Command::new(words[0]).args(&words[1..]), line, deserved);
    }
    check(
        Command::new(PYTHON).args(["-c", PYCDLIB_MASTERS]),
        "pycdlib",
        &[],
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
