//! The pictures under `testdata` are screendumps of QEMU 7.2 with `-device VGA`:
//!
//! - `seabios-text`: SeaBIOS 1.16.2 with nothing to boot (`-machine pc`), and its memory at B8000h
//!   (`pmemsave 0xb8000 4000`);
//! - `memtest-uefi`: memtest86+ 6.10 (`memtest86+x64.iso`) on OVMF 2022.11 (`-machine q35 -m 256`);
//! - `ovmf-console`: the shell of OVMF 2022.11, in its own font of 8×19 pixels.

use std::io::Cursor;

use proptest::prelude::*;

use super::*;

const SEABIOS: &[u8] = include_bytes!("testdata/seabios-text.png");
const SEABIOS_B8000: &[u8] = include_bytes!("testdata/seabios-text.b8000");
const MEMTEST: &[u8] = include_bytes!("testdata/memtest-uefi.png");
const OVMF: &[u8] = include_bytes!("testdata/ovmf-console.png");

const SEABIOS_TEXT: &str = "SeaBIOS (version 1.16.2-debian-1.16.2-1)
Booting from Hard Disk...
Boot failed: could not read the boot disk

Booting from Floppy...
Boot failed: could not read the boot disk

No bootable device.";

fn ppm_from_png(png: &[u8]) -> Vec<u8> {
    let mut reader = png::Decoder::new(Cursor::new(png)).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut pixels).unwrap();
    let mut ppm = format!("P6\n{} {}\n255\n", info.width, info.height).into_bytes();
    ppm.extend(pixels);
    ppm
}

fn text(png: &[u8]) -> String {
    match text_from_ppm(&ppm_from_png(png)) {
        ScreenText::Text(text) => text,
        ScreenText::Graphic => "graphic".to_owned(),
    }
}

#[test]
fn a_text_mode_is_read_alike_from_its_memory_and_from_its_pixels() {
    assert_eq!(
        text_from_vga_memory(SEABIOS_B8000).as_deref(),
        Some(SEABIOS_TEXT)
    );
    assert_eq!(text(SEABIOS), SEABIOS_TEXT);
}

#[test]
fn a_program_with_a_font_of_its_own_is_read_where_its_glyphs_are_those_of_the_vga() {
    let text = text(MEMTEST);
    for words in [
        "      Memtest86+ ",
        "L1 Cache:   64KB  4.65 GB/s │ ",
        "│ Pass  0%",
        "SMP: Disabled   │ ",
        "QEMU Standard PC (Q35 + ICH9, 2009)",
        "<ESC> Exit  <F1> Configuration  <Space> Scroll Lock            6.10.unknown.x64",
    ] {
        assert!(text.contains(words), "{words}:\n{text}");
    }
    // Its `T` and `v` are drawn too differently, and are not guessed.
    assert!(
        text.contains("\u{FFFD}est #2  [Address test, own address + window]"),
        "{text}"
    );
}

#[test]
fn a_screen_in_another_font_is_graphic() {
    assert_eq!(text(OVMF), "graphic");
}

#[test]
fn a_picture_with_a_few_words_in_it_is_graphic() {
    let mut ppm = ppm_from_png(MEMTEST);
    // From its second line of text on, every pixel has a colour of its own.
    let header = b"P6\n640 480\n255\n".len();
    for (number, pixel) in ppm[header..]
        .as_chunks_mut::<3>()
        .0
        .iter_mut()
        .enumerate()
        .skip(640 * 56)
    {
        let [low, middle, high, ..] = number.to_le_bytes();
        *pixel = [low, middle, high];
    }
    assert_eq!(text_from_ppm(&ppm), ScreenText::Graphic);
}

#[test]
fn a_screen_of_one_colour_holds_no_words() {
    let mut ppm = b"P6 640 480 255\n".to_vec();
    ppm.resize(ppm.len() + 640 * 480 * 3, 0xAA);
    assert_eq!(text_from_ppm(&ppm), ScreenText::Text(String::new()));
}

#[test]
fn vga_memory_that_is_no_text_is_none() {
    fn check(memory: &[u8], expect: Option<&str>) {
        assert_eq!(text_from_vga_memory(memory).as_deref(), expect);
    }
    let screen = |codes: &[u8]| -> Vec<u8> {
        let cells = codes
            .iter()
            .copied()
            .chain([b' '])
            .cycle()
            .take(codes.len());
        let blanks = std::iter::repeat(b' ');
        cells
            .chain(blanks)
            .take(2000)
            .flat_map(|code| [code, 7])
            .collect()
    };
    // Nothing answers at B8000h in a pixel mode.
    check(&[0xFF; 4000], None);
    check(&[0; 4000], None);
    check(&screen(b""), None);
    check(&screen(b"short")[..3999], None);
    check(&screen(b"\x01\x02\x03\x04\x05\x06A"), None);
    check(&screen(b"\xC9\xCD\xBB\x81 \xE1"), Some("╔═╗ü ß"));
}

#[test]
fn a_png_holds_the_pixels_of_the_screendump() {
    let ppm = ppm_from_png(SEABIOS);
    assert_eq!(ppm_from_png(&png_from_ppm(&ppm).unwrap()), ppm);
    // Red, green, blue and grey, with a comment: netpbm writes such.
    let small = b"P6 # four\n2 2\n255\n\xFF\0\0\0\xFF\0\0\0\xFF\x80\x80\x80";
    let back = ppm_from_png(&png_from_ppm(small).unwrap());
    assert_eq!(back, b"P6\n2 2\n255\n\xFF\0\0\0\xFF\0\0\0\xFF\x80\x80\x80");
}

#[test]
fn what_is_no_screendump_is_refused() {
    fn check(ppm: &[u8], expect: &str) {
        let message = png_from_ppm(ppm).unwrap_err().to_string();
        assert!(message.contains(expect), "{message}");
        assert_eq!(text_from_ppm(ppm), ScreenText::Graphic);
    }
    check(b"", "not a binary PPM");
    check(b"P5\n1 1\n255\n0", "not a binary PPM");
    check(b"P6\n1 1\n65535\n000000", "not a binary PPM");
    check(b"P6\n0 0\n255\n", "not a binary PPM");
    check(b"P6\n1 -1\n255\n000", "not a binary PPM");
    check(b"P61 1 255\n000", "not a binary PPM");
    check(b"P6\n2 2\n255\n000000", "2 x 2 pixels with only 2 of them");
    check(b"P6\n99999999999 99999999999\n255\n", "not a binary PPM");
}

#[test]
fn a_rom_without_the_font_has_none() {
    assert!(Font::from_rom(&[0; 40_000]).is_none());
    assert!(Font::from_rom(&[0xFF; 40_000]).is_none());
    assert!(Font::from_rom(b"short").is_none());
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in any::<Vec<u8>>()) {
        let _ = text_from_vga_memory(&bytes);
        let _ = text_from_ppm(&bytes);
        let _ = png_from_ppm(&bytes);
        let _ = Font::from_rom(&bytes);
    }

    #[test]
    fn no_screen_of_memory_panics(bytes in prop::collection::vec(any::<u8>(), 4000..4100)) {
        let _ = text_from_vga_memory(&bytes);
    }

    #[test]
    fn no_picture_panics(
        header in "P6[ \n](#x\n)?[0-9]{1,3} [0-9]{1,2}\n255\n",
        pixels in prop::collection::vec(prop::sample::select(vec![0_u8, 255]), 0..3000),
    ) {
        let ppm = [header.as_bytes(), &pixels].concat();
        let _ = text_from_ppm(&ppm);
        let _ = png_from_ppm(&ppm);
    }
}
