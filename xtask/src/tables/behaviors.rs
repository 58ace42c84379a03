//! What each firmware does with the same discs: the accepted snapshots of the set `firmware`, and of the cells with the same discs elsewhere.

use std::path::Path;

use harness::firmware::FirmwareId;
use scenarios::{cell::Cell, matrix::Matrix, words::Set};

use super::{accepted, markdown::markdown_table};

/// A table of it.
struct Table {
    title: &'static str,
    text: &'static str,
    /// The scenarios whose discs are its rows, by the beginning of their names.
    scenarios: &'static [&'static str],
    firmware: &'static [FirmwareId],
    /// Whether only cells of these scenarios count.
    alone: bool,
    show: fn(&Cell) -> Result<String, String>,
}

const UEFI: &[FirmwareId] = &[
    FirmwareId::Ovmf,
    FirmwareId::Aavmf,
    FirmwareId::UBootArm64,
    FirmwareId::UBootX8664,
];

const TABLES: [Table; 4] = [
    Table {
        title: "BIOS",
        text: "The discs are in an IDE CD drive, or in an AHCI one if SeaBIOS was not tried with IDE. *n sectors* is the number of sectors that the probe found in memory.",
        scenarios: &["rombios-"],
        firmware: &[FirmwareId::Seabios, FirmwareId::Rombios],
        alone: false,
        show: loaded,
    },
    Table {
        title: "The count of an EFI entry",
        text: "The discs have the same image of 2,880 sectors of 512 bytes, and are virtio disks. The table shows how many such sectors the firmware's partition has. \
               EDK2 takes the count in blocks of 2,048 bytes, U-Boot in sectors of 512.",
        scenarios: &["efi-counts"],
        firmware: UEFI,
        alone: true,
        show: sectors,
    },
    Table {
        title: "Descriptors, catalogs and entries under UEFI",
        text: "The discs have one defect each, and are virtio disks.",
        scenarios: &["efi-faults"],
        firmware: UEFI,
        alone: true,
        show: accepted::outcome,
    },
    Table {
        title: "Loaders",
        text: "The discs have loaders for one or more architectures, and are virtio disks.",
        scenarios: &["loaders"],
        firmware: &[
            FirmwareId::Ovmf,
            FirmwareId::OvmfIa32,
            FirmwareId::Aavmf,
            FirmwareId::UBootArm64,
            FirmwareId::UBootX8664,
        ],
        alone: true,
        show: accepted::outcome,
    },
];

/// The tables, each with a heading.
pub(super) fn table(_: &Path, matrix: &Matrix) -> Result<String, String> {
    let cells: Vec<Cell> = matrix.cells().collect();
    let tables: Result<Vec<String>, String> =
        TABLES.iter().map(|table| table.text(&cells)).collect();
    Ok(tables?.join("\n"))
}

impl Table {
    fn text(&self, cells: &[Cell]) -> Result<String, String> {
        let is_own = |cell: &&Cell| {
            let name = cell.id.scenario();
            cell.set == Set::Firmware && self.scenarios.iter().any(|own| name.starts_with(own))
        };
        let mut boots: Vec<String> = Vec::new();
        for cell in cells.iter().filter(is_own) {
            let boot = cell.id.disc().boot().to_owned();
            if !boots.contains(&boot) {
                boots.push(boot);
            }
        }
        let mut rows = Vec::new();
        for boot in boots {
            let mut row = vec![format!("`{}`", shortened(&boot))];
            for firmware in self.firmware {
                let is_it = |cell: &&Cell| {
                    let disc = cell.id.disc();
                    cell.firmware == *firmware
                        && disc.boot() == boot
                        && (disc.medium(), disc.size(), disc.master()) == ("-", "-", "reference")
                        && cell.attachment.is_disk() == self.alone
                        && (!self.alone || is_own(cell))
                };
                let cell = cells.iter().find(is_it);
                row.push(cell.map_or_else(|| Ok("–".to_owned()), self.show)?);
            }
            rows.push(row);
        }
        let mut head = vec!["disc".to_owned()];
        head.extend(self.firmware.iter().map(|id| id.name().to_owned()));
        let table = markdown_table(&head, &rows);
        Ok(format!("### {}\n\n{}\n\n{table}", self.title, self.text))
    }
}

/// A disc's words without those that all of a table have.
fn shortened(boot: &str) -> String {
    match boot.contains("=x64+ia32+aa64,") {
        true => boot.replace("loaders=x64+ia32+aa64,", ""),
        false => boot.to_owned(),
    }
}

/// What happened, and what was loaded where the probe says so.
fn loaded(cell: &Cell) -> Result<String, String> {
    let outcome = accepted::outcome(cell)?;
    let is_count = cell.id.disc().boot().contains("count=");
    let loaded = accepted::value(cell, "loaded").filter(|_| is_count);
    let geometry =
        accepted::value(cell, "geometry").filter(|_| cell.id.disc().boot().contains("cylinders="));
    Ok(match (loaded, geometry) {
        (Some(loaded), _) if loaded.parse::<u32>().is_ok() => {
            format!("{outcome}, {loaded} sectors")
        }
        (Some(loaded), _) => format!("{outcome}, {loaded}"),
        (None, Some(geometry)) => format!("{outcome}, reports {geometry}"),
        (None, None) => outcome,
    })
}

/// What happened, and how long the partition is.
fn sectors(cell: &Cell) -> Result<String, String> {
    let outcome = accepted::outcome(cell)?;
    Ok(match accepted::value(cell, "cdrom-blocks") {
        Some(blocks) => format!("{blocks} ({outcome})"),
        None => outcome,
    })
}
