//! What stands on the screen, for people (PNG) and for expectations (text).

mod cp437;
mod font;
mod glyph;
mod grub;
mod live;
mod nearest;
mod pixels;
mod ppm;
mod terminal;
mod vga;

pub use font::Font;
pub use live::{Fingerprint, Mode, Screen, read};
pub use pixels::Eyes;
pub use ppm::{PictureError, png_from_ppm};
pub(crate) use terminal::size_of_console as terminal_size;
pub use terminal::text_from_terminal;
pub use vga::TextMode;

/// What is read from a screen of pixels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScreenText {
    /// Lines of text, without trailing blanks. A cell that is no known character is U+FFFD.
    Text(String),
    /// No text in a font that is known.
    Graphic,
}

/// The text on a screendump, in the fonts of the host; [`ScreenText::Graphic`] also where it has none or `ppm` is not a
/// picture.
#[must_use]
pub fn text_from_ppm(ppm: &[u8]) -> ScreenText {
    Font::of_host().map_or(ScreenText::Graphic, |font| font.read(ppm))
}

/// Lines without trailing blanks, and no blank lines at the end.
fn trimmed(lines: impl IntoIterator<Item = String>) -> String {
    let lines: Vec<String> = lines
        .into_iter()
        .map(|line| line.trim_end().to_owned())
        .collect();
    lines.join("\n").trim_end().to_owned()
}

#[cfg(test)]
mod tests;
