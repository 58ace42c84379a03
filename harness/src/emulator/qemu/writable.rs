//! The files in a machine's folder that its guest may write to.

use std::{fs, fs::File, io, path::Path};

use images::{change::Edits, sparse::SparseBytes};

use super::{devices::wants_to_write, overlay};
use crate::{attachment::Drive, firmware::FirmwareImage, machine::spec::MachineSpec};

/// The name of the private copy of the firmware's variable store in the machine's folder.
pub(super) const VARIABLES: &str = "variables.fd";
/// The name of the file in the machine's folder that takes what a guest writes to the disc.
pub(super) const WRITTEN: &str = "written.qcow2";

/// The length in bytes of a layer over a disc that takes what a guest writes. That of the emulated cards is a power of two.
pub(super) const fn written_length(spec: &MachineSpec) -> u64 {
    match spec.board.wiring.drive {
        Drive::SdCard => spec.disc.length.next_power_of_two(),
        _ => spec.disc.length,
    }
}

/// Makes them: a private copy of the firmware's variable store where it needs one, and a layer over the disc where the drive wants to write.
pub(super) fn prepare(spec: &MachineSpec, folder: &Path) -> io::Result<()> {
    copy_variables(&spec.firmware, folder)?;
    if wants_to_write(spec.board.wiring.drive) {
        let nothing = SparseBytes::zeroed(written_length(spec));
        overlay::write(
            &File::create(folder.join(WRITTEN))?,
            &nothing,
            &Edits::default(),
        )?;
    }
    Ok(())
}

/// Makes the copy, where the firmware needs one.
fn copy_variables(firmware: &FirmwareImage, folder: &Path) -> io::Result<()> {
    let FirmwareImage::Flash {
        variables: Some(template),
        ..
    } = firmware
    else {
        return Ok(());
    };
    // Read and written, not copied: the template may be read-only, and its copy must not be.
    fs::read(template)
        .and_then(|store| fs::write(folder.join(VARIABLES), store))
        .map_err(|error| {
            io::Error::new(
                error.kind(),
                format!(
                    "the variable store {} cannot be copied: {error}",
                    template.display()
                ),
            )
        })
}
