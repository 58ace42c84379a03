//! QEMU's screendumps: binary PPM (`P6`), and PNG for people.

use std::{io, ops::Range};

/// Red, green and blue.
pub(super) type Colour = [u8; 3];

/// A picture of 24-bit pixels, by rows from the top.
#[derive(Clone, Copy, Debug)]
pub(super) struct Picture<'a> {
    pub(super) width: usize,
    pub(super) height: usize,
    pixels: &'a [Colour],
}

/// No picture.
#[derive(Debug, thiserror::Error)]
pub enum PictureError {
    /// The bytes are no PPM of 8-bit colours.
    #[error("not a binary PPM (P6) with 255 as its brightest value")]
    Format,
    /// There are fewer pixels than the header says.
    #[error("a PPM of {width} x {height} pixels with only {found} of them")]
    Truncated {
        /// Pixels in a row.
        width: usize,
        /// Rows.
        height: usize,
        /// Whole pixels that are there.
        found: usize,
    },
    /// The PNG could not be written.
    #[error("cannot encode the screen as PNG: {0}")]
    Encode(#[source] io::Error),
}

impl<'a> Picture<'a> {
    pub(super) fn from_ppm(ppm: &'a [u8]) -> Result<Self, PictureError> {
        let rest = ppm.strip_prefix(b"P6").ok_or(PictureError::Format)?;
        let (width, rest) = number(rest)?;
        let (height, rest) = number(rest)?;
        let (255, [separator, pixels @ ..]) = number(rest)? else {
            return Err(PictureError::Format);
        };
        if !separator.is_ascii_whitespace() || width == 0 || height == 0 {
            return Err(PictureError::Format);
        }
        let pixels = pixels.as_chunks::<3>().0;
        let truncated = PictureError::Truncated {
            width,
            height,
            found: pixels.len(),
        };
        let count = width.checked_mul(height).ok_or(PictureError::Format)?;
        Ok(Self {
            width,
            height,
            pixels: pixels.get(..count).ok_or(truncated)?,
        })
    }

    /// The row from the top; empty beyond the last.
    pub(super) fn row(&self, y: usize) -> &'a [Colour] {
        let start = y.saturating_mul(self.width);
        let end = start.saturating_add(self.width);
        self.pixels.get(start..end).unwrap_or_default()
    }

    /// The bytes of rows; none where not all of them are there.
    pub(super) fn rows(&self, rows: Range<usize>) -> &'a [u8] {
        let start = rows.start.saturating_mul(self.width);
        let end = rows.end.saturating_mul(self.width);
        let pixels = self.pixels.get(start..end).unwrap_or_default();
        pixels.as_flattened()
    }

    /// All pixels, row after row.
    pub(super) const fn pixels(&self) -> &'a [Colour] {
        self.pixels
    }
}

/// The decimal number after white space and comments, and what follows it.
fn number(bytes: &[u8]) -> Result<(usize, &[u8]), PictureError> {
    let mut rest = bytes.trim_ascii_start();
    if rest.len() == bytes.len() {
        return Err(PictureError::Format);
    }
    while let Some(comment) = rest.strip_prefix(b"#") {
        let end = comment
            .iter()
            .position(|&byte| byte == b'\n')
            .unwrap_or(comment.len());
        rest = comment.split_at(end).1.trim_ascii_start();
    }
    let end = rest
        .iter()
        .position(|byte| !byte.is_ascii_digit())
        .unwrap_or(rest.len());
    let (digits, rest) = rest.split_at(end);
    std::str::from_utf8(digits)
        .ok()
        .and_then(|digits| digits.parse().ok())
        .map(|number| (number, rest))
        .ok_or(PictureError::Format)
}

/// A screendump as PNG.
pub fn png_from_ppm(ppm: &[u8]) -> Result<Vec<u8>, PictureError> {
    let picture = Picture::from_ppm(ppm)?;
    let side = |length: usize| u32::try_from(length).map_err(|_| PictureError::Format);
    let mut png = Vec::new();
    let mut encoder = png::Encoder::new(&mut png, side(picture.width)?, side(picture.height)?);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let written = encoder.write_header().and_then(|mut writer| {
        writer.write_image_data(picture.pixels.as_flattened())?;
        writer.finish()
    });
    written.map_err(|e| PictureError::Encode(io::Error::other(e)))?;
    Ok(png)
}
