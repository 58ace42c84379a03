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
mod text;
mod vga;

pub use font::Font;
pub use live::{Fingerprint, Mode, Screen, read};
pub use pixels::Eyes;
pub use ppm::{PictureError, png_from_ppm};
pub(crate) use terminal::size_of_console as terminal_size;
pub use terminal::text_from_terminal;
pub use text::ScreenText;
pub use vga::TextMode;

/// The text on a screendump, in the fonts of the host; [`ScreenText::Graphic`] also where it has none or `ppm` is not a
/// picture.
#[must_use]
pub fn text_from_ppm(ppm: &[u8]) -> ScreenText {
    Font::of_host().map_or(ScreenText::Graphic, |font| font.read(ppm))
}

#[cfg(test)]
mod tests;
