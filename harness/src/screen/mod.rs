//! What stands on the screen, for people (PNG) and for expectations (text).

mod cp437;
mod font;
mod ppm;
mod terminal;
mod vga;

pub use font::Font;
pub use ppm::{PictureError, png_from_ppm};
pub use terminal::text_from_terminal;
pub use vga::text_from_vga_memory;

/// What is read from a screen of pixels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScreenText {
    /// Lines of text, without trailing blanks. A cell that is no known character is U+FFFD.
    Text(String),
    /// No text in the VGA font.
    Graphic,
}

/// The text on a screendump, in the VGA font of the host's VGA BIOS; [`ScreenText::Graphic`] also where the
/// host has none or `ppm` is no picture.
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
