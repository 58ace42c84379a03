//! `kernel-not-linux`: a file that is loaded as a Linux kernel and is none.

use super::{
    isolinux_kernel_name::kind_by_name,
    room::{Room, each_entry},
};
use crate::{
    boot_configuration::{Configuration, Loader, NamedFile},
    efi_program::Machine,
    finding::{Finding, FindingId, Place, Severity},
    inspect::Reading,
    packed::{self, KernelFile},
};

const ID: FindingId = FindingId::KernelNotLinux;

pub(super) const ROOM: Room = Room {
    severity: Severity::Error,
    milder: Some(Severity::Info),
    trips: &["seabios", "ovmf"],
    explanation: "A configuration loads a file as a Linux kernel, but the file is empty, is something else, or is a kernel for another machine.",
    consequence: "GRUB says invalid magic number or premature end of file. isolinux repeats Booting kernel failed, or Bad file number for an empty file. systemd-boot returns to the firmware.",
    remedy: "Download the disc again and compare its checksum, or ask its maker. If you made it, put the kernel for this machine at the path in the configuration.",
    check,
    ..Room::BASE
};

/// Directives that name a kernel.
pub(super) const KERNEL: [&str; 4] = ["kernel", "linux", "linux16", "linuxefi"];
fn check(reading: &mut Reading<'_, '_>) -> Vec<Finding> {
    let is_for_x86_alone = is_for_x86_alone(reading);
    each_entry(reading, |reading, configuration, entry| {
        let mut files = entry.files.iter();
        let kernel = files.find(|it| KERNEL.contains(&it.directive.as_str()))?;
        wrong(reading, configuration, kernel, is_for_x86_alone)
    })
}

fn wrong(
    reading: &mut Reading<'_, '_>,
    configuration: &Configuration,
    kernel: &NamedFile,
    is_for_x86_alone: bool,
) -> Option<Finding> {
    let is_isolinux = configuration.loader == Loader::Isolinux;
    let is_module = is_isolinux && kernel.path.to_ascii_lowercase().ends_with(".c32");
    if is_module || is_isolinux && kind_by_name(kernel).is_some() {
        return None;
    }
    let file = reading.named_file(configuration.file_system, &kernel.path)?;
    let what = match packed::kernel_file(reading.disc, &file) {
        KernelFile::Empty => "is empty",
        KernelFile::Arm if is_for_x86_alone => "is a kernel for 64-bit Arm",
        KernelFile::Other(what) if is_for_x86_alone => what,
        KernelFile::Compressed(what) if is_isolinux => what,
        _ => return None,
    };
    let message = format!("{} is loaded as a Linux kernel, but it {what}", kernel.path);
    // An empty file stands nowhere.
    let place = match file.start() {
        Some(offset) => Place { offset },
        None => reading.place_of(configuration.file_system, &kernel.file),
    };
    Some(Finding::new(ID, place, message))
}

/// Whether every EFI loader is for x86: others may start another kind of kernel by the same configuration.
fn is_for_x86_alone(reading: &mut Reading<'_, '_>) -> bool {
    let images = reading.efi_images();
    let programs = images.iter().flat_map(|image| &image.programs);
    let mut machines = programs.filter_map(|program| Some(program.headers.as_ref()?.machine));
    let mut in_tree = reading.inspection.tree.iter().flat_map(|it| &it.loaders);
    machines.all(|machine| [Machine::X64, Machine::IA32].contains(&machine))
        && in_tree.all(|name| {
            let name = name.to_ascii_uppercase();
            name.ends_with("X64.EFI") || name.ends_with("IA32.EFI")
        })
}
