//! Words for a shell.

/// Quotes a word for a POSIX shell. Any bytes may stand in it.
pub(super) fn quote(word: &[u8]) -> Vec<u8> {
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
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt};

    use super::*;

    #[test]
    fn a_shell_reads_back_what_was_quoted() {
        let word = b"a 'b' \"c\" $d `e` \\ \n \xFF,";
        let output = std::process::Command::new("sh")
            .arg("-c")
            .arg(OsStr::from_bytes(
                &[b"printf %s ".as_slice(), &quote(word)].concat(),
            ))
            .output()
            .expect("sh");
        assert_eq!(output.stdout, word);
        assert_eq!(quote(b""), b"''");
    }
}
