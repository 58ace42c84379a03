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

/// Mode 3 as SeaBIOS sets it.
const MODE_3: TextMode = TextMode {
    start: 0,
    pitch: 80,
    columns: 80,
    rows: 25,
};

#[test]
fn a_text_mode_is_read_alike_from_its_memory_and_from_its_pixels() {
    assert_eq!(MODE_3.text(SEABIOS_B8000), SEABIOS_TEXT);
    assert_eq!(text(SEABIOS), SEABIOS_TEXT);
}

#[test]
fn a_font_that_is_like_the_vgas_is_read() {
    let text = text(MEMTEST);
    for words in [
        "      Memtest86+ ",
        "L1 Cache:   64KB  4.65 GB/s │ ",
        "│ Pass  0%",
        "SMP: Disabled   │ ",
        "QEMU Standard PC (Q35 + ICH9, 2009)",
        "<ESC> Exit  <F1> Configuration  <Space> Scroll Lock            6.10.unknown.x64",
        // Linux's framebuffer console has the same font: its `T` and `v` are drawn differently.
        "Test #2  [Address test, own address + window]",
    ] {
        assert!(text.contains(words), "{words}:\n{text}");
    }
    assert!(!text.contains(char::REPLACEMENT_CHARACTER), "{text}");
}

const OVMF_TEXT: &str = "UEFI Interactive Shell v2.2
EDK II
UEFI v2.70 (EDK II, 0x00010000)
map: No mapping found.
Press ESC in 1 seconds to skip startup.nsh or any other key to continue.
Shell>";

#[test]
fn the_console_of_edk2_with_its_font_of_19_rows_is_read() {
    assert_eq!(text(OVMF), OVMF_TEXT);
}

/// A part of a picture, with the background around it so that it begins elsewhere.
fn moved(ppm: &[u8], (left, top): (usize, usize), (width, height): (usize, usize)) -> Vec<u8> {
    let picture = ppm::Picture::from_ppm(ppm).unwrap();
    let mut moved = format!("P6 {width} {height} 255\n").into_bytes();
    for y in 0..height {
        let row = y.checked_sub(top).map_or(&[][..], |y| picture.row(y));
        for x in 0..width {
            let pixel = x.checked_sub(left).and_then(|x| row.get(x));
            moved.extend(pixel.copied().unwrap_or_default());
        }
    }
    moved
}

#[test]
fn a_console_is_read_wherever_it_stands() {
    let ppm = ppm_from_png(OVMF);
    // As EDK2 centres it: 31 lines of 100 characters on 1280 × 800 and on 800 × 600, 25 of 80 on 640 × 480; and as nobody does.
    for (place, size) in [
        ((240, 105), (1280, 800)),
        ((0, 5), (800, 600)),
        ((0, 2), (640, 480)),
        ((13, 7), (1024, 768)),
    ] {
        let text = match text_from_ppm(&moved(&ppm, place, size)) {
            ScreenText::Text(text) => text,
            ScreenText::Graphic => panic!("{place:?} {size:?}: graphic"),
        };
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        assert!(
            lines.join("\n").contains(OVMF_TEXT),
            "{place:?} {size:?}:\n{text}"
        );
    }
}

#[test]
fn of_the_next_picture_only_what_has_changed_is_read_and_it_is_read_the_same() {
    let font = Font::of_host().unwrap();
    let memtest = ppm_from_png(MEMTEST);
    let mut later = memtest.clone();
    // Two of its lines become blank, and one loses a part of it.
    let line = 640 * 16 * 3;
    let header = later.len() - 640 * 480 * 3;
    later.copy_within(header + line * 20..header + line * 21, header + line * 2);
    later[header + line * 5..][..line / 2].fill(0);
    let mut eyes = Eyes::default();
    for ppm in [
        &memtest,
        &later,
        &later,
        &memtest,
        &ppm_from_png(SEABIOS),
        &ppm_from_png(OVMF),
        &memtest,
    ] {
        assert_eq!(eyes.read_with(font, ppm.clone()), font.read(ppm));
    }
}

/// A GRUB font of two glyphs that nobody else has, with the line on which they stand 14 rows below the top of the cell.
fn grub_font() -> Vec<u8> {
    let section = |name: &[u8; 4], bytes: &[u8]| {
        let length = u32::try_from(bytes.len()).unwrap().to_be_bytes();
        [&name[..], &length, bytes].concat()
    };
    let glyph = |[width, height]: [u16; 2], [left, bottom]: [i16; 2], pixels: &[u8]| {
        let sides = [width, height].map(u16::to_be_bytes);
        let place = [left, bottom].map(i16::to_be_bytes);
        let next = 8_u16.to_be_bytes();
        [&sides.concat(), &place.concat(), &next[..], pixels].concat()
    };
    // A saw of six by eight pixels, and a stair that goes below the line.
    let saw = [0b1010_1001, 0b0101_1010, 0b1001_0101].repeat(2);
    let first = glyph([6, 8], [1, 0], &saw);
    let stair = [0b1001_0010, 0b1001_1011, 0b1001_0010, 0b1000_0000];
    let second = glyph([3, 8], [0, -2], &stair);
    let head = [
        section(b"FILE", b"PFF2"),
        section(b"NAME", b"Saw\0"),
        section(b"ASCE", &[0, 14]),
    ]
    .concat();
    let data = u32::try_from(head.len() + 8 + 2 * 9 + 8).unwrap();
    let entry = |code: char, offset: usize| {
        let offset = data + u32::try_from(offset).unwrap();
        [
            &u32::from(code).to_be_bytes()[..],
            &[0],
            &offset.to_be_bytes(),
        ]
        .concat()
    };
    let index = [entry('A', 0), entry('ß', first.len())].concat();
    let data = [&b"DATA\xFF\xFF\xFF\xFF"[..], &first, &second].concat();
    [head, section(b"CHIX", &index), data].concat()
}

#[test]
fn the_font_of_grubs_graphical_terminal_is_read_where_its_border_moves_it() {
    let glyphs = grub::glyphs(&grub_font());
    let [(letter, first), (sharp, second)] = glyphs.as_slice() else {
        panic!("{glyphs:?}");
    };
    assert_eq!((*letter, *sharp), ('A', 'ß'));
    assert_eq!(first.extent(), Some((6, 13)));
    assert_eq!(second.extent(), Some((8, 15)));
    // Its terminal stands 10 pixels from the edges, which is a cell more and two pixels.
    let mut pixels = vec![[0_u8; 3]; 640 * 480];
    for (number, glyph) in [first, first, second, first, second]
        .into_iter()
        .enumerate()
    {
        for (y, row) in glyph.rows().iter().enumerate() {
            for x in (0..8).filter(|x| row >> (7 - x) & 1 != 0) {
                pixels[(10 + 16 * 3 + y) * 640 + 10 + number * 8 + x] = [0xAA; 3];
            }
        }
    }
    let ppm = [b"P6 640 480 255\n", pixels.as_flattened()].concat();
    let rom = host_rom();
    let font = Font::from_rom(&rom).unwrap();
    assert_eq!(font.read(&ppm), ScreenText::Graphic);
    let text = font.with_grub_font(&grub_font()).read(&ppm);
    assert_eq!(text, ScreenText::Text("\n\n\n AAßAß".to_owned()));
}

/// The ROM of the VGA that the host's QEMU has.
fn host_rom() -> Vec<u8> {
    let paths =
        ["qemu", "seabios", "vgabios"].map(|name| format!("/usr/share/{name}/vgabios-stdvga.bin"));
    paths
        .iter()
        .find_map(|path| std::fs::read(path).ok())
        .expect("a VGA BIOS")
}

#[test]
fn the_cursor_of_a_framebuffer_console_is_no_character() {
    // Linux draws the last two rows of the cell; GRUB's font has a block (U+2581) that is the same.
    let mut glyph = glyph::Glyph::blank(16);
    glyph.rows_mut()[14..].fill(0xFF);
    let font = Font::of_host().unwrap();
    assert_eq!(font.character(&glyph), font::Match::Near(' '));
}

#[test]
fn noise_is_like_no_character() {
    let font = Font::of_host().unwrap();
    let mut noise = 1_u32;
    for _ in 0..200 {
        let mut glyph = glyph::Glyph::blank(16);
        for row in glyph.rows_mut() {
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            *row = noise.to_be_bytes()[0];
        }
        assert_eq!(font.character(&glyph), font::Match::None, "{glyph:?}");
    }
}

/// Prints how long a screen takes to read; how much that is depends on the host.
#[test]
fn reading_a_screen_takes_little() {
    let font = Font::of_host().unwrap();
    let ovmf = moved(&ppm_from_png(OVMF), (0, 5), (800, 600));
    for (name, ppm) in [
        ("OVMF 800 × 600", ovmf),
        ("OVMF 1280 × 800", ppm_from_png(OVMF)),
        ("memtest86+ 640 × 480", ppm_from_png(MEMTEST)),
    ] {
        let mut eyes = Eyes::default();
        let mut changed = ppm.clone();
        let middle = changed.len() / 2;
        changed[middle] ^= 0x80;
        for (what, ppm) in [
            ("first", &ppm),
            ("the same", &ppm),
            ("changed", &changed),
            ("changed back", &ppm),
        ] {
            let began = std::time::Instant::now();
            let _ = eyes.read_with(font, ppm.clone());
            println!("{name}, {what}: {:?}", began.elapsed());
        }
    }
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

/// A window of text memory with the number of each cell's line of 80 as its code.
fn numbered() -> Vec<u8> {
    let cells = (0..16_384_u32).flat_map(|cell| [b'A' + u8::try_from(cell / 80 % 26).unwrap(), 7]);
    cells.collect()
}

#[test]
fn text_is_read_from_where_the_screen_begins_and_around_the_end_of_its_memory() {
    let first_letters = |mode: TextMode| -> String {
        let text = mode.text(&numbered());
        text.lines()
            .filter_map(|line| line.chars().next())
            .collect()
    };
    assert_eq!(first_letters(MODE_3), "ABCDEFGHIJKLMNOPQRSTUVWXY");
    let scrolled = TextMode {
        start: 80 * 3,
        ..MODE_3
    };
    assert_eq!(first_letters(scrolled), "DEFGHIJKLMNOPQRSTUVWXYZAB");
    // The last line of the window is followed by its first.
    let around = TextMode {
        start: 16_384 - 80,
        ..MODE_3
    };
    assert_eq!(&first_letters(around)[1..], "ABCDEFGHIJKLMNOPQRSTUVWX");
    let wide = TextMode {
        columns: 132,
        pitch: 132,
        rows: 3,
        ..MODE_3
    };
    assert_eq!(
        wide.text(&numbered())
            .lines()
            .next()
            .map(|line| line.chars().count()),
        Some(132)
    );
}

/// A window of text memory in which each line says where it stands.
fn lines_in_memory() -> Vec<u8> {
    let mut window = vec![0; 32 << 10];
    for (number, line) in window.chunks_mut(160).enumerate() {
        let text = format!("line {number} of text memory");
        for (cell, code) in line.chunks_mut(2).zip(text.bytes()) {
            cell.copy_from_slice(&[code, 7]);
        }
    }
    window
}

#[test]
fn the_picture_says_where_in_memory_the_screen_begins() {
    let window = lines_in_memory();
    for start in [0, 80 * 7, 80 * 200] {
        let mode = TextMode { start, ..MODE_3 };
        let picture = mode.text(&window);
        // A cursor hides one character, and others look alike.
        let seen = picture.replacen('l', "\u{FFFD}", 3);
        assert_eq!(TextMode::shown(&window, &seen, 80), Some(mode));
    }
    // A graphics mode shows something else than what stands there.
    assert_eq!(
        TextMode::shown(&window, "Welcome to another screen", 80),
        None
    );
    assert_eq!(TextMode::shown(&window, "", 80), None);
    assert_eq!(TextMode::shown(&[], "anything", 80), None);
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
fn a_logo_below_the_text_is_no_text() {
    let mut ppm = ppm_from_png(OVMF);
    let header = b"P6\n".len() + ppm[3..].iter().position(|&byte| byte == b'\n').unwrap() + 5;
    let width: usize = String::from_utf8_lossy(&ppm[3..header])
        .split(' ')
        .next()
        .and_then(|width| width.parse().ok())
        .unwrap();
    let height = (ppm.len() - header) / 3 / width;
    // No letter of any font looks like these.
    let mut noise: u32 = 1;
    for row in height - 100..height - 40 {
        for column in width / 2 - 100..width / 2 + 100 {
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let at = header + (row * width + column) * 3;
            ppm[at..at + 3].fill(if noise >> 31 == 0 { 0 } else { 0xFF });
        }
    }
    assert_eq!(text_from_ppm(&ppm), ScreenText::Text(OVMF_TEXT.to_owned()));
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
        let _ = grub::glyphs(&bytes);
        let mut font = grub_font();
        for (byte, &other) in font.iter_mut().zip(&bytes) {
            *byte ^= other;
        }
        let _ = grub::glyphs(&font);
        let _ = text_from_ppm(&bytes);
        let _ = png_from_ppm(&bytes);
        let _ = Font::from_rom(&bytes);
    }

    #[test]
    fn any_picture_and_memory_are_a_screen_or_none(
        picture in ".{0,300}",
        columns in any::<u16>(),
        memory in prop::collection::vec(any::<u8>(), 0..4100),
    ) {
        if let Some(mode) = TextMode::shown(&memory, &picture, columns) {
            let text = mode.text(&memory);
            prop_assert!(text.lines().count() <= usize::from(mode.rows));
            prop_assert!(text.lines().all(|line| line.chars().count() <= usize::from(mode.columns)));
        }
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
