//! The command for people, and a script that replays a case.

use std::os::unix::ffi::OsStrExt;

use super::{
    devices::wants_to_write,
    writable::{WRITTEN, written_length},
};
use crate::{
    firmware::FirmwareImage,
    machine::spec::{Channels, MachineSpec, Origin},
};

impl MachineSpec {
    /// The whole command, for a message: as a person would type it.
    #[must_use]
    pub fn command(&self) -> String {
        let words = std::iter::once(self.qemu.clone().into_os_string())
            .chain(self.argv(Channels::Terminal));
        let quoted: Vec<String> = words
            .map(|word| String::from_utf8_lossy(&quote(word.as_bytes())).into_owned())
            .collect();
        quoted.join(" ")
    }

    /// A shell script that boots the case again, without this project.
    #[must_use]
    pub fn replay_script(&self) -> Vec<u8> {
        let mut replay = Self {
            origin: Origin::PowerOn,
            ..self.clone()
        };
        let moves = self.medium.moves_it().then(|| replay.medium.profile.take());
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
        } = &self.firmware
        {
            script.extend_from_slice(b"cat ");
            script.extend(quote(template.as_os_str().as_bytes()));
            script.extend_from_slice(b" > variables.fd\n");
        }
        if wants_to_write(self.board.wiring.drive) {
            let line = format!(
                "qemu-img create -q -f qcow2 {WRITTEN} {}\n",
                written_length(&self.disc)
            );
            script.extend_from_slice(line.as_bytes());
        }
        script.extend_from_slice(b"exec ");
        script.extend(quote(self.qemu.as_os_str().as_bytes()));
        for word in replay.argv(Channels::Terminal) {
            let option = word.as_bytes().starts_with(b"-");
            script.extend_from_slice(if option { b" \\\n    " } else { b" " });
            script.extend(quote(word.as_bytes()));
        }
        script.push(b'\n');
        script
    }
}

/// Quotes a word for a POSIX shell. Any bytes may stand in it.
fn quote(word: &[u8]) -> Vec<u8> {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_./=,:@%+".contains(byte);
    if !word.is_empty() && word.iter().all(plain) {
        return word.to_vec();
    }
    let mut quoted = vec![b'\''];
    for &byte in word {
        match byte {
            b'\'' => quoted.extend_from_slice(b"'\\''"),
            _ => quoted.push(byte),
        }
    }
    quoted.push(b'\'');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_reads_back_what_was_quoted() {
        let word = b"a 'b' \"c\" $d `e` \\ \n \xFF,";
        let output = std::process::Command::new("sh")
            .arg("-c")
            .arg(std::ffi::OsStr::from_bytes(
                &[b"printf %s ".as_slice(), &quote(word)].concat(),
            ))
            .output()
            .expect("sh");
        assert_eq!(output.stdout, word);
        assert_eq!(quote(b""), b"''");
    }
}
