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

fn in_a_line(text: &str) -> Option<String> {
    let lines = text.lines().map(plain);
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
    fn a_menu_is_known_by_its_line() {
        let menu = "\n  GNU GRUB  version 2.06\n\u{250C}\u{2500}\u{2510}\n\u{2502}*Install\u{1B} \u{2502}\n| Rescue |\n\u{2514}\u{2500}\n\n one\n two\n three\n";
        let line = in_a_line(menu).unwrap();
        assert_eq!(line, "GNU GRUB version 2.06 / … / one / two / three");
        assert_eq!(in_a_line("a\tb\n\n"), Some("a b".to_owned()));
        assert_eq!(in_a_line("\n---\n"), None);
    }
}
