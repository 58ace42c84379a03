//! What a machine showed last, in a line: a boot menu is known by it.

use std::{fs, path::Path};

/// So many lines are shown, the first one and the last ones.
const LINES: usize = 4;
/// So many characters of each.
const CHARACTERS: usize = 72;

/// What the evidence in a folder has of the screen, or else of the serial line as a terminal shows it.
pub(super) fn shown(folder: &Path) -> Option<String> {
    let files = ["screen.txt", "serial-screen.txt"].iter();
    files
        .filter_map(|file| fs::read(folder.join(file)).ok())
        .find_map(|text| in_a_line(&String::from_utf8_lossy(&text)))
}

/// The lines behind the last one in which the firmware says that it starts something: only these are the disc's.
fn behind_the_firmware(text: &str) -> Vec<&str> {
    let lines: Vec<&str> = text.lines().collect();
    let is_firmware = |line: &&str| {
        let line = line.trim_start();
        line.starts_with("BdsDxe: ") || line.starts_with("Booting from ")
    };
    let Some(last) = lines.iter().rposition(is_firmware) else {
        return lines;
    };
    // A device path may go on over the edge of the screen, and ends with a bracket.
    let is_path = lines[last].contains(" from ");
    let rest = &lines[last..];
    let end = rest
        .iter()
        .take(PATH_LINES)
        .position(|line| line.trim_end().ends_with(')'));
    let own = if is_path { end.unwrap_or(0) } else { 0 };
    rest[own + 1..].to_vec()
}

/// So many lines of a screen a device path takes at most.
const PATH_LINES: usize = 4;

fn in_a_line(text: &str) -> Option<String> {
    let lines = behind_the_firmware(text).into_iter().map(plain);
    let lines: Vec<String> = lines
        .filter(|line| line.contains(char::is_alphanumeric))
        .collect();
    match lines.as_slice() {
        [] => None,
        few if few.len() <= LINES => Some(few.join(" / ")),
        [first, others @ ..] => {
            let last = others.iter().rev().take(LINES - 1).rev();
            let last: Vec<&str> = last.map(String::as_str).collect();
            Some(format!("{first} / … / {}", last.join(" / ")))
        }
    }
}

/// A line without control characters and frames, its spaces run together.
fn plain(line: &str) -> String {
    let is_frame = |c: char| c == '|' || ('\u{2500}'..='\u{25FF}').contains(&c);
    let spaced = line.replace(|c: char| c.is_control() || is_frame(c), " ");
    let words = spaced.split_whitespace().collect::<Vec<_>>().join(" ");
    words.chars().take(CHARACTERS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_firmware_wrote_is_not_the_disc_s() {
        let ovmf = "BdsDxe: loading Boot0001 \"UEFI QEMU DVD-ROM\" from PciRoot(0x0)/\nPci(0x1F,0x2)/Sata(0x0,0xFFFF,0x0)\n\
                    BdsDxe: starting Boot0001 \"UEFI QEMU DVD-ROM\" from PciRoot(0x0)/\nPci(0x1F,0x2)/Sata(0x0,0xFFFF,0x0)\nWelcome to GRUB!\n";
        assert_eq!(in_a_line(ovmf), Some("Welcome to GRUB!".to_owned()));
        let seabios = "SeaBIOS (version 1.16.2)\n\nBooting from DVD/CD...\n";
        assert_eq!(in_a_line(seabios), None);
        let isolinux = format!("{seabios}ISOLINUX 6.04\nboot:");
        assert_eq!(
            in_a_line(&isolinux),
            Some("ISOLINUX 6.04 / boot:".to_owned())
        );
    }

    #[test]
    fn a_menu_is_known_by_its_line() {
        let menu = "\n  GNU GRUB  version 2.06\n\u{250C}\u{2500}\u{2510}\n\u{2502}*Install\u{1B} \u{2502}\n| Rescue |\n\u{2514}\u{2500}\n\n one\n two\n three\n";
        let line = in_a_line(menu).unwrap();
        assert_eq!(line, "GNU GRUB version 2.06 / … / one / two / three");
        assert_eq!(in_a_line("a\tb\n\n"), Some("a b".to_owned()));
        assert_eq!(in_a_line("\n---\n"), None);
    }
}
