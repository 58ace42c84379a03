//! The text of a screen.

/// What is read from a screen of pixels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScreenText {
    /// Lines of text, without trailing blanks. A cell that is no known character is U+FFFD.
    Text(String),
    /// No text in a font that is known.
    Graphic,
}

/// Lines without trailing blanks, and no blank lines at the end.
pub(super) fn trimmed(lines: impl IntoIterator<Item = String>) -> String {
    let lines: Vec<String> = lines
        .into_iter()
        .map(|line| line.trim_end().to_owned())
        .collect();
    lines.join("\n").trim_end().to_owned()
}
