//! A script that replays a case with QEMU alone.

use std::os::unix::ffi::OsStrExt;

use super::{
    arguments::arguments,
    devices::wants_to_write,
    writable::{WRITTEN, written_length},
};
use crate::{
    emulator::shell::quote,
    firmware::FirmwareImage,
    machine::spec::{Channels, MachineSpec, Origin},
};

/// A shell script that boots the case again, without this project.
pub(super) fn script(spec: &MachineSpec) -> Vec<u8> {
    let mut replay = MachineSpec {
        origin: Origin::PowerOn,
        ..spec.clone()
    };
    let moves = spec.medium.moves_it().then(|| replay.medium.profile.take());
    let mut script = Vec::new();
    script.extend_from_slice(
        b"#!/bin/sh\n\
        # Boots this case again. The serial line is the terminal (Ctrl-C ends it); the debug port and the\n\
        # disc's reads are in replay/debug.txt and replay/trace.log.\n\
        set -eu\n\
        mkdir -p \"$(dirname \"$0\")/replay\"\n\
        cd \"$(dirname \"$0\")/replay\"\n",
    );
    if let Some(profile) = moves.flatten() {
        let line = format!(
            "# In the case itself {}: QEMU's monitor did that, and here the medium stays in the drive.\n",
            profile.told()
        );
        script.extend_from_slice(line.as_bytes());
    }
    if let FirmwareImage::Flash {
        variables: Some(template),
        ..
    } = &spec.firmware
    {
        script.extend_from_slice(b"cat ");
        script.extend(quote(template.as_os_str().as_bytes()));
        script.extend_from_slice(b" > variables.fd\n");
    }
    if wants_to_write(spec.board.wiring.drive) {
        let line = format!(
            "qemu-img create -q -f qcow2 {WRITTEN} {}\n",
            written_length(spec)
        );
        script.extend_from_slice(line.as_bytes());
    }
    script.extend_from_slice(b"exec ");
    script.extend(quote(spec.program.as_os_str().as_bytes()));
    for word in arguments(&replay, Channels::Terminal) {
        let option = word.as_bytes().starts_with(b"-");
        script.extend_from_slice(if option { b" \\\n    " } else { b" " });
        script.extend(quote(word.as_bytes()));
    }
    script.push(b'\n');
    script
}
