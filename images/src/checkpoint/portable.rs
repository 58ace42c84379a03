//! The UEFI application for processors other than x86-64, in the instructions of [`crate::portable`]. It does what [`super::uefi`] does.

use super::{
    fw_cfg,
    uefi::FILE_BYTES_MIN,
    wake::{GO, READY, WAKE_FILE},
};
use crate::{
    boot::Loader,
    portable::{Aarch64, Argument, Condition, Ia32, Machine, Operand, Passed, Place, Width},
    portable_executable::{self, Format},
    probe::AssembleError,
    uefi::{self, block_io, boot_services, loaded_image, status},
};

const DATA_BYTES: u32 = 0x1000;

/// Offsets in `.data`, which begins with [`GUIDS`].
mod variable {
    pub(super) const BLOCK_IO: u32 = 0x00;
    pub(super) const LOADED_IMAGE: u32 = 0x10;
    pub(super) const SIMPLE_FILE_SYSTEM: u32 = 0x20;
    pub(super) const IMAGE_HANDLE: u32 = 0x30;
    pub(super) const SYSTEM_TABLE: u32 = 0x38;
    pub(super) const BOOT_SERVICES: u32 = 0x40;
    pub(super) const CALLERS: u32 = 0x48;
    /// Where a service puts the interface that it found.
    pub(super) const INTERFACE: u32 = 0x50;
    /// A handle.
    pub(super) const HANDLE: u32 = 0x58;
    /// All handles with block I/O, and how many there are.
    pub(super) const HANDLES: u32 = 0x60;
    pub(super) const COUNT: u32 = 0x68;
    /// Where one of these stands, and how many are left from there.
    pub(super) const AT: u32 = 0x70;
    pub(super) const LEFT: u32 = 0x78;
    /// How many files are left in the directory, the key of one, and what its name differs in.
    pub(super) const FILES: u32 = 0x80;
    pub(super) const KEY: u32 = 0x88;
    pub(super) const DIFFERENT: u32 = 0x90;
}
const GUIDS: [[u8; 16]; 3] = [uefi::BLOCK_IO, uefi::LOADED_IMAGE, uefi::SIMPLE_FILE_SYSTEM];

/// The application for a processor.
pub(super) fn application(loader: Loader) -> Result<Vec<u8>, AssembleError> {
    let (code, format) = match loader {
        Loader::Aa64 => (Program::emit(Aarch64::default())?, Format::AARCH64),
        _ => (Program::emit(Ia32::new()?)?, Format::IA32),
    };
    let mut file = portable_executable::of(format, GUIDS.as_flattened(), DATA_BYTES, &code)?;
    file.resize(file.len().max(FILE_BYTES_MIN), 0);
    Ok(file)
}

struct Program<M>(M);

impl<M: Machine> Program<M> {
    fn emit(machine: M) -> Result<Vec<u8>, AssembleError> {
        let mut it = Self(machine);
        let passed = Passed {
            image_handle: variable::IMAGE_HANDLE,
            system_table: variable::SYSTEM_TABLE,
        };
        it.0.enter(DATA_BYTES, passed, variable::CALLERS);
        it.peek_into(
            variable::BOOT_SERVICES,
            variable::SYSTEM_TABLE,
            M::boot_services(),
        );
        it.hide_own_file_system();
        it.find_block_devices();
        it.for_each_handle(Self::disconnect_unless_partition);
        it.wait_for_host();
        it.for_each_handle(Self::connect);
        it.call_service(
            boot_services::FREE_POOL,
            &[Argument::Word(variable::HANDLES)],
        );
        it.0.leave(status::NOT_FOUND, variable::CALLERS);
        it.0.finish()
    }

    fn put(&mut self, variable: u32, value: u32) {
        self.0.set(value);
        self.0.store(Width::Word, variable);
    }

    /// A variable = the word at an offset behind a pointer.
    fn peek_into(&mut self, to: u32, pointer: u32, offset: u32) {
        self.0.load(Width::Word, pointer);
        self.0.peek(Width::Word, offset);
        self.0.store(Width::Word, to);
    }

    /// Calls a boot service, by its offset in 64-bit firmware. The status is the accumulator.
    fn call_service(&mut self, wide: u32, arguments: &[Argument]) {
        self.0.load(Width::Word, variable::BOOT_SERVICES);
        self.0.peek(Width::Word, M::service(wide));
        self.0.firmware(arguments);
    }

    fn branch_unless_zero(&mut self, place: Place) {
        self.0.branch(Condition::Unequal, Operand::Value(0), place);
    }

    fn branch_if_zero(&mut self, place: Place) {
        self.0.branch(Condition::Equal, Operand::Value(0), place);
    }

    /// [`variable::INTERFACE`] = the protocol of the handle in a variable.
    fn protocol_of(&mut self, handle: u32, guid: u32, failed: Place) {
        let arguments = [
            Argument::Word(handle),
            Argument::Address(guid),
            Argument::Address(variable::INTERFACE),
        ];
        self.call_service(boot_services::HANDLE_PROTOCOL, &arguments);
        self.branch_unless_zero(failed);
    }

    fn hide_own_file_system(&mut self) {
        let done = self.0.place();
        self.protocol_of(variable::IMAGE_HANDLE, variable::LOADED_IMAGE, done);
        self.peek_into(
            variable::HANDLE,
            variable::INTERFACE,
            M::pointers(0, loaded_image::DEVICE_HANDLE / 8),
        );
        self.protocol_of(variable::HANDLE, variable::SIMPLE_FILE_SYSTEM, done);
        let arguments = [
            Argument::Word(variable::HANDLE),
            Argument::Address(variable::SIMPLE_FILE_SYSTEM),
            Argument::Word(variable::INTERFACE),
        ];
        self.call_service(boot_services::UNINSTALL_PROTOCOL_INTERFACE, &arguments);
        self.0.here(done);
    }

    fn find_block_devices(&mut self) {
        let found = self.0.place();
        let arguments = [
            Argument::Value(uefi::BY_PROTOCOL),
            Argument::Address(variable::BLOCK_IO),
            Argument::Value(0),
            Argument::Address(variable::COUNT),
            Argument::Address(variable::HANDLES),
        ];
        self.call_service(boot_services::LOCATE_HANDLE_BUFFER, &arguments);
        self.branch_if_zero(found);
        self.put(variable::COUNT, 0);
        self.0.here(found);
    }

    /// Runs `body` with each handle in [`variable::HANDLE`]; it stands at [`variable::AT`].
    fn for_each_handle(&mut self, body: impl Fn(&mut Self)) {
        let [next, done] = [(); 2].map(|()| self.0.place());
        for (to, from) in [
            (variable::AT, variable::HANDLES),
            (variable::LEFT, variable::COUNT),
        ] {
            self.0.load(Width::Word, from);
            self.0.store(Width::Word, to);
        }
        self.0.here(next);
        self.0.load(Width::Word, variable::LEFT);
        self.branch_if_zero(done);
        self.0.subtract(Operand::Value(1));
        self.0.store(Width::Word, variable::LEFT);
        self.peek_into(variable::HANDLE, variable::AT, 0);
        body(self);
        self.0.load(Width::Word, variable::AT);
        self.0.add(Operand::Value(M::POINTER));
        self.0.store(Width::Word, variable::AT);
        self.0.jump(next);
        self.0.here(done);
    }

    fn disconnect_unless_partition(&mut self) {
        let [drop, done] = [(); 2].map(|()| self.0.place());
        self.protocol_of(variable::HANDLE, variable::BLOCK_IO, drop);
        self.0.load(Width::Word, variable::INTERFACE);
        // Behind a revision of 64 bits.
        self.0.peek(Width::Word, block_io::MEDIA);
        self.0.peek(Width::One, block_io::LOGICAL_PARTITION);
        self.branch_unless_zero(drop);
        let arguments = [
            Argument::Word(variable::HANDLE),
            Argument::Value(0),
            Argument::Value(0),
        ];
        self.call_service(boot_services::DISCONNECT_CONTROLLER, &arguments);
        self.0.jump(done);
        self.0.here(drop);
        self.0.set(0);
        self.0.poke(Width::Word, variable::AT);
        self.0.here(done);
    }

    fn connect(&mut self) {
        let dropped = self.0.place();
        self.0.load(Width::Word, variable::HANDLE);
        self.branch_if_zero(dropped);
        let arguments = [
            Argument::Word(variable::HANDLE),
            Argument::Value(0),
            Argument::Value(0),
            // Recursively: partitions and file systems too.
            Argument::Value(1),
        ];
        self.call_service(boot_services::CONNECT_CONTROLLER, &arguments);
        self.0.here(dropped);
    }

    fn wait_for_host(&mut self) {
        let [entry, wait, over] = [(); 3].map(|()| self.0.place());
        self.0.set(fw_cfg::DIRECTORY);
        self.0.select();
        self.big_endian(4, variable::FILES);
        self.0.here(entry);
        self.0.load(Width::Word, variable::FILES);
        self.branch_if_zero(over);
        self.0.subtract(Operand::Value(1));
        self.0.store(Width::Word, variable::FILES);
        // Length, key, two reserved bytes, name.
        self.skip(4);
        self.big_endian(2, variable::KEY);
        self.skip(2);
        self.put(variable::DIFFERENT, 0);
        for at in 0..fw_cfg::NAME_BYTES {
            let wanted = WAKE_FILE.as_bytes().get(at).copied().unwrap_or(0);
            self.0.fetch();
            self.0.xor(Operand::Value(wanted.into()));
            self.0.or(Operand::Word(variable::DIFFERENT));
            self.0.store(Width::Word, variable::DIFFERENT);
        }
        self.branch_unless_zero(entry);

        for byte in READY.bytes() {
            self.0.set(byte.into());
            self.0.signal();
        }
        self.0.here(wait);
        self.0.load(Width::Word, variable::KEY);
        self.0.select();
        self.0.fetch();
        let go = Operand::Value(GO.as_bytes()[0].into());
        self.0.branch(Condition::Unequal, go, wait);
        self.0.here(over);
    }

    fn skip(&mut self, bytes: u32) {
        (0..bytes).for_each(|_| self.0.fetch());
    }

    /// A variable = the item's next bytes, the highest first.
    fn big_endian(&mut self, bytes: u32, variable: u32) {
        self.put(variable, 0);
        for _ in 0..bytes {
            self.0.load(Width::Word, variable);
            self.0.shift_left(8);
            self.0.store(Width::Word, variable);
            self.0.fetch();
            self.0.or(Operand::Word(variable));
            self.0.store(Width::Word, variable);
        }
    }
}
