//! The last lines that a guest printed, and whether they came after its last read of the disc: then no loader printed them to say what it reads.

use std::collections::HashSet;

/// So many lines are kept.
const LINES: usize = 3;
/// So many characters of each.
const CHARACTERS: usize = 160;
/// So much of the serial text is looked into, from its end.
const MOST_TEXT: usize = 64 << 10;
/// So many lines of earlier screens are remembered.
const MOST_BEFORE: usize = 4096;

/// The last lines that a guest printed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Printed {
    /// The lines.
    pub(crate) lines: Vec<String>,
    /// They came after the last read of the disc, and no loader is known to print them.
    pub(crate) after_reads: bool,
}

/// What was shown before and after the last read of the disc.
#[derive(Debug, Default)]
pub(crate) struct Screens {
    /// How long the serial text was when the last read was seen.
    serial: usize,
    /// The lines of the screens before that.
    before: HashSet<String>,
    /// The lines of the latest screen.
    shown: Vec<String>,
}

impl Screens {
    /// The disc was read: what was printed so far comes before that.
    pub(crate) fn disc_was_read(&mut self, serial: usize) {
        self.serial = serial;
        if self.before.len() < MOST_BEFORE {
            self.before.extend(self.shown.drain(..));
        }
    }

    /// The screen shows this.
    pub(crate) fn show(&mut self, screen: &str) {
        self.shown = lines(screen).collect();
    }

    /// The last lines of a guest whose serial text begins at `start`. `is_foreign` are the lines of a loader or of the firmware.
    pub(crate) fn printed(
        &self,
        serial: &str,
        start: usize,
        is_foreign: impl Fn(&str) -> bool,
    ) -> Printed {
        let of_guest = serial.get(start..).unwrap_or_default();
        // A line that began before the read is the loader's.
        let after = self.serial.max(start);
        let whole = after == start || serial.get(..after).is_some_and(|text| text.ends_with('\n'));
        let after = serial.get(after..).unwrap_or_default();
        let after = match after.split_once('\n') {
            _ if whole => after,
            Some((_, rest)) => rest,
            None => "",
        };
        let own = |line: &String| !is_foreign(line);
        let serial_after: Vec<String> = lines(end(after)).filter(own).collect();
        let before = serial.get(..self.serial).unwrap_or_default();
        let loaders: HashSet<String> = lines(end(before)).collect();
        let shown = || self.shown.iter().filter(|line| own(line)).cloned();
        let is_new = |line: &String| !self.before.contains(line) && !loaders.contains(line);
        let shown_after: Vec<String> = shown().filter(is_new).collect();
        let after_reads = !serial_after.is_empty() || !shown_after.is_empty();
        let all = [
            serial_after,
            shown_after,
            lines(end(of_guest)).collect(),
            shown().collect(),
        ];
        let some = all.into_iter().find(|lines| !lines.is_empty());
        Printed {
            lines: last(some.unwrap_or_default()),
            after_reads,
        }
    }
}

/// A text's lines with something to read in them.
fn lines(text: &str) -> impl Iterator<Item = String> {
    let lines = text.lines().map(str::trim);
    lines
        .filter(|line| line.contains(char::is_alphanumeric))
        .map(|line| line.chars().take(CHARACTERS).collect())
}

/// The end of a long text.
fn end(text: &str) -> &str {
    let start = text.len().saturating_sub(MOST_TEXT);
    text.get(text.ceil_char_boundary(start)..)
        .unwrap_or_default()
}

fn last(mut lines: Vec<String>) -> Vec<String> {
    lines.split_off(lines.len().saturating_sub(LINES))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn none(_: &str) -> bool {
        false
    }

    #[test]
    fn text_after_the_last_read_is_told_from_a_loader_s() {
        let before = "Booting from DVD/CD...\nLoading kernel... ";
        let start = "Booting from DVD/CD...\n".len();
        let mut screens = Screens::default();
        screens.show("Loading kernel...");
        screens.disc_was_read(before.len());
        // The rest of a line that the loader began is the loader's.
        let printed = screens.printed(&format!("{before}ok\n"), start, none);
        assert_eq!(printed.lines, ["Loading kernel... ok"]);
        assert!(!printed.after_reads);
        let printed = screens.printed(&format!("{before}ok\na\n\nb\n--\nc\nd\n"), start, none);
        assert_eq!(printed.lines, ["b", "c", "d"]);
        assert!(printed.after_reads);
        let is_loaders = |line: &str| line.starts_with("loader");
        let printed = screens.printed(&format!("{before}ok\nloader: go\n"), start, is_loaders);
        assert!(!printed.after_reads);
    }

    #[test]
    fn text_on_the_screen_alone_counts_where_it_is_new() {
        let serial = "Loading kernel\n";
        let mut screens = Screens::default();
        screens.show("A menu");
        screens.disc_was_read(serial.len());
        // As the serial line has it, and as it was before.
        screens.show("Loading kernel\nA menu\n");
        assert!(!screens.printed(serial, 0, none).after_reads);
        screens.show("HELLO\nLoading kernel\nA menu\n");
        let printed = screens.printed(serial, 0, none);
        assert_eq!(printed.lines, ["HELLO"]);
        assert!(printed.after_reads);
        // The disc is read again: then it may be the loader's too.
        screens.disc_was_read(serial.len());
        screens.show("HELLO");
        assert!(!screens.printed(serial, 0, none).after_reads);
        assert!(Screens::default().printed("", 0, none).lines.is_empty());
    }
}
