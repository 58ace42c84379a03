//! The private copy of a firmware's variable store in a machine's folder.

use std::{fs, io, path::Path};

use crate::{firmware::FirmwareImage, machine::spec::VARIABLES};

/// Makes the copy, where the firmware needs one.
pub(crate) fn prepare(firmware: &FirmwareImage, folder: &Path) -> io::Result<()> {
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
