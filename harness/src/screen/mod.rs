//! What stands on the screen: placeholder of the agreed shape.

/// The text of a screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScreenText {
    /// Text.
    Text(String),
    /// Pixels that are no text.
    Graphic,
}

/// The text of the VGA text buffer at B8000; `None` when it holds none.
#[must_use]
pub fn text_from_vga_memory(b8000: &[u8]) -> Option<String> {
    let rows: Vec<String> = b8000
        .chunks_exact(160)
        .map(|row| {
            let text: String = row
                .iter()
                .step_by(2)
                .map(|&b| {
                    if (0x20..0x7F).contains(&b) {
                        b as char
                    } else {
                        ' '
                    }
                })
                .collect();
            text.trim_end().to_owned()
        })
        .collect();
    let text = rows.join("\n");
    (!text.trim().is_empty()).then_some(text)
}

/// The text on a pixel screen.
#[must_use]
pub fn text_from_ppm(ppm: &[u8]) -> ScreenText {
    let _ = ppm;
    ScreenText::Graphic
}

/// A screendump as PNG.
///
/// # Errors
/// The bytes are no PPM.
pub fn png_from_ppm(ppm: &[u8]) -> Result<Vec<u8>, std::io::Error> {
    Ok(ppm.to_vec())
}
