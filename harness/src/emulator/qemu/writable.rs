//! The files in a machine's folder that its guest may write to.

use std::{fs, fs::File, io, path::Path};

use images::{change::Edits, sparse::SparseBytes};

use super::overlay;
use crate::{
    firmware::FirmwareImage,
    machine::spec::{MachineSpec, VARIABLES, WRITTEN},
};

/// Makes them: a private copy of the firmware's variable store where it needs one, and a layer over the disc where the drive wants to write.
pub(crate) fn prepare(spec: &MachineSpec, folder: &Path) -> io::Result<()> {
    copy_variables(&spec.firmware, folder)?;
    if spec.board.wiring.drive.wants_to_write() {
        let nothing = SparseBytes::zeroed(spec.disc.written_length());
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
