//! Small discs written byte by byte, and the cases that boot them.

use std::{
    path::{Path, PathBuf},
    sync::OnceLock,
    time::Duration,
};

use harness::{
    accelerator::{Accelerator, Pace},
    arch::Architecture,
    attachment::Attachment,
    case::Case,
    checkpoint::Checkpoints,
    emulator::{EmulatorId, Installed},
    firmware::{Firmware, FirmwareId, select},
    machine::{
        Machine,
        spec::{HostDisc, MachineSpec, Network, Origin},
    },
    observation::Observation,
    platform::Platform,
    run::{Infra, run},
};

/// A boot sector that does what the bytes after it say (`nasm -f bin`):
///
/// ```text
/// bits 16
/// org 0x7c00
///         cli
///         cld
///         xor ax, ax
///         mov ds, ax
///         mov si, script
/// next:   lodsb
///         cmp al, 1
///         je serial               ; text to COM1, up to a zero
///         cmp al, 2
///         je debug                ; text to port 402h, up to a zero
///         cmp al, 3
///         je spin
///         cmp al, 4
///         je reset
///         cmp al, 5
///         je giveup
///         cmp al, 6
///         je poweroff
/// halt:   hlt
///         jmp halt
/// serial: lodsb
///         test al, al
///         jz next
///         mov ah, al
///         mov dx, 0x3fd
/// ready:  in al, dx
///         test al, 0x20
///         jz ready
///         mov al, ah
///         mov dx, 0x3f8
///         out dx, al
///         jmp serial
/// debug:  lodsb
///         test al, al
///         jz next
///         mov dx, 0x402
///         out dx, al
///         jmp debug
/// spin:   sti
///         jmp $
/// reset:  mov dx, 0xcf9
///         mov al, 6
///         out dx, al
///         jmp halt
/// giveup: sti
///         int 0x18
/// poweroff: mov dx, 0x604         ; the ACPI block of the Q35
///         mov ax, 0x2000
///         out dx, ax
///         mov dx, 0xb004          ; and of the i440FX
///         out dx, ax
///         jmp halt
/// script:
/// ```
const INTERPRETER: &[u8] = &[
    0xfa, 0xfc, 0x31, 0xc0, 0x8e, 0xd8, 0xbe, 0x62, 0x7c, 0xac, 0x3c, 0x01, 0x74, 0x17, 0x3c, 0x02,
    0x74, 0x2a, 0x3c, 0x03, 0x74, 0x31, 0x3c, 0x04, 0x74, 0x30, 0x3c, 0x05, 0x74, 0x34, 0x3c, 0x06,
    0x74, 0x33, 0xf4, 0xeb, 0xfd, 0xac, 0x84, 0xc0, 0x74, 0xdf, 0x88, 0xc4, 0xba, 0xfd, 0x03, 0xec,
    0xa8, 0x20, 0x74, 0xfb, 0x88, 0xe0, 0xba, 0xf8, 0x03, 0xee, 0xeb, 0xe9, 0xac, 0x84, 0xc0, 0x74,
    0xc8, 0xba, 0x02, 0x04, 0xee, 0xeb, 0xf5, 0xfb, 0xeb, 0xfe, 0xba, 0xf9, 0x0c, 0xb0, 0x06, 0xee,
    0xeb, 0xd0, 0xfb, 0xcd, 0x18, 0xba, 0x04, 0x06, 0xb8, 0x00, 0x20, 0xef, 0xba, 0x04, 0xb0, 0xef,
    0xeb, 0xc0,
];

/// What the boot image does.
#[derive(Clone, Copy)]
pub(crate) enum Do<'a> {
    Say(&'a str),
    SayOnDebugPort(&'a str),
    Spin,
    Reset,
    GiveUp,
    PowerOff,
}

pub(crate) const CATALOG: usize = 19 * 2048;
pub(crate) const INITIAL: usize = CATALOG + 32;
pub(crate) const IMAGE: usize = 20 * 2048;

/// A disc with one boot image, without emulation, that does this and then halts with interrupts off.
pub(crate) fn disc(script: &[Do<'_>]) -> Vec<u8> {
    let mut image = INTERPRETER.to_vec();
    for step in script {
        match step {
            Do::Say(text) => text_step(&mut image, 1, text),
            Do::SayOnDebugPort(text) => text_step(&mut image, 2, text),
            Do::Spin => image.push(3),
            Do::Reset => image.push(4),
            Do::GiveUp => image.push(5),
            Do::PowerOff => image.push(6),
        }
    }
    disc_with(&image)
}

/// A disc with this boot image of up to 2,048 bytes, without emulation.
pub(crate) fn disc_with(image: &[u8]) -> Vec<u8> {
    let mut disc = vec![0; 512 * 2048];
    descriptor(&mut disc, 16, 1);
    // Volume space size, both-endian (ECMA-119 §8.4.8).
    disc[16 * 2048 + 80..][..4].copy_from_slice(&512_u32.to_le_bytes());
    disc[16 * 2048 + 84..][..4].copy_from_slice(&512_u32.to_be_bytes());
    descriptor(&mut disc, 17, 0);
    disc[17 * 2048 + 7..][..23].copy_from_slice(b"EL TORITO SPECIFICATION");
    disc[17 * 2048 + 0x47] = 19;
    descriptor(&mut disc, 18, 255);
    disc[CATALOG] = 1;
    disc[CATALOG + 0x1C..][..4].copy_from_slice(&[0xAA, 0x55, 0x55, 0xAA]);
    disc[INITIAL] = 0x88;
    // Four virtual sectors from block 20.
    disc[INITIAL + 6] = 4;
    disc[INITIAL + 8] = 20;
    assert!(image.len() < 2048);
    disc[IMAGE..][..image.len()].copy_from_slice(image);
    disc
}

fn descriptor(disc: &mut [u8], block: usize, kind: u8) {
    let at = block * 2048;
    disc[at] = kind;
    disc[at + 1..][..5].copy_from_slice(b"CD001");
    disc[at + 6] = 1;
}

fn text_step(image: &mut Vec<u8>, kind: u8, text: &str) {
    image.push(kind);
    image.extend_from_slice(text.as_bytes());
    image.push(0);
}

/// A temporary folder with a disc in it.
pub(crate) struct Bench {
    folder: tempfile::TempDir,
}

impl Bench {
    pub(crate) fn new(disc: &[u8]) -> Self {
        let folder = tempfile::tempdir().expect("folder");
        std::fs::write(folder.path().join("disc.iso"), disc).expect("disc");
        Self { folder }
    }

    pub(crate) fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn case(&self, firmware: Firmware, attachment: Attachment) -> Case {
        Case::new(
            self.path("disc.iso"),
            platform(firmware, attachment),
            self.path("evidence"),
        )
    }

    /// A machine with SeaBIOS that boots this disc from an IDE drive, and nobody who watches it.
    pub(crate) fn machine(&self, disc: &Path) -> Machine {
        let spec = MachineSpec {
            emulator: EmulatorId::Qemu,
            program: qemu().path,
            accelerator: Accelerator::Tcg,
            memory_mib: 64,
            cpu: "qemu64,l3-cache=off".to_owned(),
            network: Network::None,
            pace: Pace::NORMAL,
            processor_time: Duration::from_secs(60),
            firmware: seabios().image,
            io_uring: false,
            disc: HostDisc {
                path: disc.to_str().expect("UTF-8").to_owned(),
                is_device: false,
                length: disc.metadata().expect("a file").len(),
                overlay: None,
            },
            board: seabios().board(Attachment::Ide).expect("a machine"),
            attachment: Attachment::Ide,
            medium: Default::default(),
            origin: Origin::PowerOn,
        };
        let folder = self.path("");
        let stderr = std::fs::File::create(folder.join("stderr")).expect("file");
        Machine::start(&spec, &folder, stderr).expect("machine")
    }

    pub(crate) fn evidence(&self, name: &str) -> Vec<u8> {
        let path = self.path("evidence").join(name);
        std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    pub(crate) fn evidence_text(&self, name: &str) -> String {
        String::from_utf8_lossy(&self.evidence(name)).into_owned()
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.path("evidence").join(name).exists()
    }
}

/// Boots a disc with SeaBIOS from an IDE drive.
pub(crate) fn boot(disc: &[u8]) -> (Bench, Result<Observation, Infra>) {
    let bench = Bench::new(disc);
    let observed = run(&bench.case(seabios(), Attachment::Ide));
    (bench, observed)
}

/// The host's QEMU, asked once.
pub(crate) fn qemu() -> Installed {
    static QEMU: OnceLock<Installed> = OnceLock::new();
    QEMU.get_or_init(|| EmulatorId::Qemu.locate(None).expect("QEMU"))
        .clone()
}

/// A machine of the host's QEMU, without its disc.
pub(crate) fn platform(firmware: Firmware, attachment: Attachment) -> Platform {
    Platform::new(qemu(), firmware, Accelerator::Tcg, attachment)
}

/// The machine for a firmware, on the emulator for what it runs.
pub(crate) fn machine(id: FirmwareId, attachment: Attachment) -> Platform {
    static ARM: OnceLock<Installed> = OnceLock::new();
    let mut machine = platform(firmware(id), attachment);
    if id.architecture() == Architecture::Aarch64 {
        let arm = ARM.get_or_init(|| qemu().locate_for(Architecture::Aarch64).expect("QEMU"));
        machine.emulator = arm.clone();
    }
    machine
}

/// The host's build of a firmware.
pub(crate) fn firmware(id: FirmwareId) -> Firmware {
    static FOUND: OnceLock<Vec<Firmware>> = OnceLock::new();
    let found = FOUND.get_or_init(|| harness::firmware::discover(&qemu()));
    select(found, id).expect("firmware").clone()
}

/// The store of `cargo xtask boot-matrix`, which may have what is needed: a machine that starts from power-on takes seconds under UEFI.
pub(crate) fn shared_checkpoints() -> Checkpoints {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent();
    Checkpoints::in_folder(target.expect("the target folder").join("checkpoints"))
}

pub(crate) fn seabios() -> Firmware {
    firmware(FirmwareId::Seabios)
}
