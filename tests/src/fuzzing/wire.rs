//! The readers of what a machine sends as it runs: it may come in pieces of any size.

use harness::{
    attachment::Attachment,
    emulator::EmulatorId,
    firmware::FirmwareId,
    readers::{Lines, Qmp, QmpEvent, Registers, TraceLog, Words},
    text::{Cleaner, clean},
};
use images::probe::protocol::{Transcript, frame};
use serde_json::{Value, json};

use super::target::{Target, pieces};

pub(super) const PROBE: Target = Target {
    name: "probe",
    what: "the probe's protocol: events, damage and report do not depend on how the bytes are split",
    read: |input| {
        let Some((whole, pieces)) = pieces(input) else {
            return;
        };
        compare_transcripts(whole, pieces);
    },
    longest: 2_048,
    words: PROBE_WORDS,
};

/// Lines whose frame is right, which chance does not find: what the probe says in them is the input's.
pub(super) const PROBE_LINES: Target = Target {
    name: "probe-lines",
    what: "whole lines of the probe's protocol, with right numbers and checksums, and noise between them: as `probe`",
    read: |input| {
        let Some((whole, _)) = pieces(input) else {
            return;
        };
        let Ok(text) = std::str::from_utf8(whole) else {
            return;
        };
        let mut sequence = 0;
        let lines = text.split('\n').map(|line| match line.strip_prefix('=') {
            // What a screen sends that goes on without a line end.
            Some(noise) => noise.repeat(NOISE),
            None => {
                sequence += 1;
                frame(sequence - 1, line)
            }
        });
        let framed: String = lines.collect();
        let sent = [&input[..2], b"\r\n", framed.as_bytes()].concat();
        if let Some((whole, pieces)) = pieces(&sent) {
            compare_transcripts(whole, pieces);
        }
    },
    longest: 1_024,
    words: PROBE_WORDS,
};

/// How often a noise is repeated.
const NOISE: usize = 400;

const PROBE_WORDS: &[&[u8]] = &[
    b"BM1 0 ",
    b"BM1! stage1 ",
    b"begin=bios disc=0123456789abcdef slot=1",
    b"check=",
    b" sector=",
    b" found=",
    b" found=hole",
    b" found=foreign disc=",
    b" number=",
    b" error=",
    b"area=",
    b" crc=",
    b"sweep=0-9 intact=",
    b" first-bad=",
    b"file=",
    b" size=",
    b"end=ok",
    b" *",
    b"\r\n",
    b" at=",
];

fn compare_transcripts<'a>(whole: &[u8], pieces: impl Iterator<Item = &'a [u8]>) {
    let mut at_once = Transcript::new();
    let events = at_once.push(whole);
    let mut by_pieces = Transcript::new();
    let cut: Vec<_> = pieces.flat_map(|piece| by_pieces.push(piece)).collect();
    assert_eq!(events, cut);
    assert_eq!(at_once.end_line(), by_pieces.end_line());
    assert_eq!(at_once.damage(), by_pieces.damage());
    assert_eq!(at_once.finish(), by_pieces.finish());
}

pub(super) const QMP: Target = Target {
    name: "qmp",
    what: "QEMU's monitor protocol: events and answers do not depend on how the bytes are split",
    read: |input| {
        let Some((whole, pieces)) = pieces(input) else {
            return;
        };
        let (events, answers) = monitor([whole].into_iter());
        assert_eq!((events, answers), monitor(pieces));
    },
    longest: 1_024,
    words: &[
        b"{\"return\": {}, \"id\": 0}\r\n",
        b"{\"error\": {\"class\": \"GenericError\", \"desc\": \"no\"}, \"id\": 1}\n",
        b"{\"event\": \"SHUTDOWN\", \"data\": {}}\n",
        b"\"id\": ",
        b"\"return\": ",
        b"\"desc\": ",
        b"\"error\": ",
        b"\"event\": ",
        b"\"data\": ",
        b"[[",
        b"]]",
        b"1e400",
    ],
};

/// What a monitor with two open requests makes of these bytes.
fn monitor<'a>(
    pieces: impl Iterator<Item = &'a [u8]>,
) -> (Vec<QmpEvent>, [Option<Result<Value, String>>; 2]) {
    let mut qmp = Qmp::default();
    let ids = [(), ()].map(|()| qmp.request("query-status", &json!({})).0);
    let events = pieces.flat_map(|piece| qmp.push(piece)).collect();
    (events, ids.map(|id| qmp.answer(id)))
}

pub(super) const TRACE: Target = Target {
    name: "trace",
    what: "QEMU's trace log with each attachment: reads do not depend on how the bytes are split",
    read: |input| {
        let Some((&[which], rest)) = input.split_first_chunk() else {
            return;
        };
        let all = Attachment::ALL;
        let Some(&attachment) = all.get(usize::from(which) % all.len()) else {
            return;
        };
        let Some((whole, pieces)) = pieces(rest) else {
            return;
        };
        let mut at_once = TraceLog::new(EmulatorId::Qemu, attachment);
        assert_eq!(at_once.push(whole), !at_once.reads().is_empty());
        let mut by_pieces = TraceLog::new(EmulatorId::Qemu, attachment);
        for piece in pieces {
            by_pieces.push(piece);
        }
        assert_eq!(at_once.reads(), by_pieces.reads());
        assert_eq!(at_once.works(), by_pieces.works());
    },
    longest: 1_024,
    words: &[
        b"ide_atapi_cmd_read IDEState: 0x1; read pio: LBA=34 nb_sectors=3\n",
        b"scsi_disk_dma_command_READ Read (sector 910, count 3)\n",
        b"virtio_blk_handle_read vdev 0x5 req 0x5 sector 3317 nsectors 16\n",
        b"handle_qmp_command",
        b"18446744073709551615",
    ],
};

pub(super) const REGISTERS: Target = Target {
    name: "registers",
    what: "QEMU's `info registers`",
    read: |input| {
        if let Some(registers) = Registers::of_x86(&String::from_utf8_lossy(input)) {
            assert_eq!(
                registers.is_dead(),
                registers.halted && !registers.interruptible
            );
        }
    },
    longest: 512,
    words: &[
        b"EIP=00007c1b EFL=00000046 ",
        b"RIP=000000000e3b1a2c RFL=00000206 ",
        b"HLT=1\r\n",
        b"CS =f000 000f0000 0000ffff 00009b00\r\n",
        b"CR0=00000010",
        b"\nCS =",
    ],
};

pub(super) const WORDS: Target = Target {
    name: "words",
    what: "the firmware's messages about booting: no line is kept twice in a row, and kept lines are understood again",
    read: |input| {
        let (Some((&[which], rest)), kinds) = (
            input.split_first_chunk(),
            [FirmwareId::Seabios, FirmwareId::Ovmf],
        ) else {
            return;
        };
        let kind = kinds[usize::from(which % 2)];
        let Some((whole, pieces)) = pieces(rest) else {
            return;
        };
        let (mut cleaner, mut lines) = (Cleaner::default(), Lines::default());
        let mut words = Words::of(kind);
        for piece in pieces {
            cleaner.push(piece);
            for line in lines.take(cleaner.text()) {
                drop(words.hear(line));
            }
        }
        assert_eq!(cleaner.text(), clean(whole));
        let kept = words.canonical();
        assert!(kept.windows(2).all(|pair| pair[0] != pair[1]), "{kept:?}");
    },
    longest: 512,
    words: &[
        b"Booting from DVD/CD...\n",
        b"Booting from 7000:c000\n",
        b"Boot failed: Could not read from CDROM (code 0009)\n",
        b"No bootable device.\n",
        b"BdsDxe: ",
        b"loading ",
        b"starting ",
        b"failed to load ",
        b"failed to start ",
        b"Boot0001 \"",
        b"\" from ",
        b": Not Found\n",
        b"!!!! X64 Exception Type - 0D  !!!!\n",
        b"EFI Internal Shell",
        b"\x1b[1;1H",
        b"\x1b[2J",
        b"QM00005",
    ],
};
