//! What the program reports, line by line: the loader's path, the medium, the planned checks, the sweep and the loader's file.

use super::*;

impl<M: Machine> Program<M> {
    /// The device path that the image was loaded from, as text and node by node.
    pub(super) fn report_path(&mut self) {
        let [no_path, failed, no_memory, nodes, done] = [(); 5].map(|()| self.m.place());
        self.m.set(0);
        self.m.store(Width::Word, own::NODE);
        self.protocol_of(
            variable::IMAGE_HANDLE,
            uefi::LOADED_IMAGE_DEVICE_PATH,
            no_path,
        );
        self.copy(own::NODE, variable::INTERFACE);
        let guid = self.constant(&uefi::DEVICE_PATH_TO_TEXT);
        let arguments = [
            Argument::Address(guid),
            Argument::Value(0),
            Argument::Address(variable::INTERFACE),
        ];
        self.call_service(boot_services::LOCATE_PROTOCOL, &arguments);
        self.branch_if_failed(failed);
        // Neither for display only nor with shortcuts: every field of every node.
        let convert = M::pointers(0, device_path_to_text::CONVERT_DEVICE_PATH / 8);
        let arguments = [
            Argument::Word(own::NODE),
            Argument::Value(0),
            Argument::Value(0),
        ];
        self.call_of(variable::INTERFACE, convert, &arguments);
        self.m
            .branch(Condition::Equal, Operand::Value(0), no_memory);
        self.m.store(Width::Word, own::WIDE);
        self.begin();
        self.text("path=");
        self.put(own::COUNT, PATH_CHARACTERS_MAX);
        self.m.call(self.at.put_wide);
        self.end();
        self.m.jump(nodes);

        self.m.here(no_memory);
        self.m.set(status::OUT_OF_RESOURCES);
        self.m.store(Width::Word, own::STATUS);
        self.m.here(no_path);
        self.m.here(failed);
        self.begin();
        self.code("path-error=", own::STATUS);
        self.end();
        self.m.load(Width::Word, own::NODE);
        self.m.branch(Condition::Equal, Operand::Value(0), done);
        self.report_nodes(nodes);
        self.m.here(done);
    }

    /// The media nodes of the path at [`own::NODE`]. `node` is where this begins.
    fn report_nodes(&mut self, node: Place) {
        let [next, end, hard_drive, cdrom, file_path, short] = [(); 6].map(|()| self.m.place());
        let byte = |it: &mut Self, offset| {
            it.m.load(Width::Word, own::NODE);
            it.m.peek(Width::One, offset);
        };
        self.m.here(node);
        byte(self, device_path::TYPE);
        self.m
            .branch(Condition::Equal, Operand::Value(device_path::TYPE_END), end);
        self.m.branch(
            Condition::Unequal,
            Operand::Value(device_path::TYPE_MEDIA),
            next,
        );
        byte(self, device_path::SUBTYPE);
        for (subtype, place) in [
            (device_path::HARD_DRIVE, hard_drive),
            (device_path::CDROM, cdrom),
            (device_path::FILE_PATH, file_path),
        ] {
            self.m
                .branch(Condition::Equal, Operand::Value(subtype), place);
        }
        self.m.jump(next);

        let of_node = |width, offset| {
            move |m: &mut M| {
                m.load(Width::Word, own::NODE);
                m.peek(width, offset);
            }
        };
        self.m.here(hard_drive);
        self.begin();
        self.number(
            "hd-partition=",
            of_node(Width::Four, device_path::HARD_DRIVE_PARTITION),
        );
        self.wide_number(" hd-start=", own::NODE, device_path::HARD_DRIVE_START);
        self.wide_number(" hd-blocks=", own::NODE, device_path::HARD_DRIVE_BLOCKS);
        let signature = of_node(Width::One, device_path::HARD_DRIVE_SIGNATURE_TYPE);
        self.number(" hd-signature-type=", signature);
        self.end();
        self.m.jump(next);

        self.m.here(cdrom);
        self.begin();
        self.number(
            "cdrom-entry=",
            of_node(Width::Four, device_path::CDROM_ENTRY),
        );
        self.wide_number(" cdrom-start=", own::NODE, device_path::CDROM_START);
        self.wide_number(" cdrom-blocks=", own::NODE, device_path::CDROM_BLOCKS);
        self.end();
        self.m.jump(next);

        self.m.here(file_path);
        self.begin();
        self.text("loader-path=");
        of_node(Width::Two, device_path::LENGTH)(&mut self.m);
        self.m.subtract(Operand::Value(device_path::HEADER_BYTES));
        self.m.shift_right(1);
        self.m.store(Width::Four, own::COUNT);
        self.m
            .branch(Condition::Below, Operand::Value(PATH_CHARACTERS_MAX), short);
        self.put(own::COUNT, PATH_CHARACTERS_MAX);
        self.m.here(short);
        self.m.load(Width::Word, own::NODE);
        self.m.add(Operand::Value(device_path::HEADER_BYTES));
        self.m.store(Width::Word, own::WIDE);
        self.m.call(self.at.put_wide);
        self.end();

        self.m.here(next);
        of_node(Width::Two, device_path::LENGTH)(&mut self.m);
        self.m.store(Width::Four, own::TEMPORARY);
        self.m.load(Width::Word, own::NODE);
        self.m.add(Operand::Int(own::TEMPORARY));
        self.m.store(Width::Word, own::NODE);
        // A node shorter than its header would never end.
        self.m.load(Width::Four, own::TEMPORARY);
        self.m.branch(
            Condition::AtLeast,
            Operand::Value(device_path::HEADER_BYTES),
            node,
        );
        self.m.here(end);
    }

    /// The block I/O of the device that the image was loaded from.
    pub(super) fn report_media(&mut self) {
        let [failed, done] = [(); 2].map(|()| self.m.place());
        self.protocol_of(variable::IMAGE_HANDLE, uefi::LOADED_IMAGE, failed);
        self.m.load(Width::Word, variable::INTERFACE);
        // A revision, and two pointers.
        self.m.peek(Width::Word, M::pointers(0, 3));
        self.m.store(Width::Word, variable::DEVICE_HANDLE);
        self.protocol_of(variable::DEVICE_HANDLE, uefi::BLOCK_IO, failed);
        self.copy(variable::BLOCK_IO, variable::INTERFACE);
        self.m.load(Width::Word, variable::BLOCK_IO);
        self.m.peek(Width::Word, block_io::MEDIA);
        self.m.store(Width::Word, variable::MEDIA);
        self.begin();
        let of_media = |width, offset| {
            move |m: &mut M| {
                m.load(Width::Word, variable::MEDIA);
                m.peek(width, offset);
            }
        };
        self.number("block-size=", of_media(Width::Four, block_io::BLOCK_SIZE));
        self.wide_number(" last-block=", variable::MEDIA, block_io::LAST_BLOCK);
        for (text, flag) in [
            (" removable=", block_io::REMOVABLE),
            (" read-only=", block_io::READ_ONLY),
            (" partition=", block_io::LOGICAL_PARTITION),
            (" media-present=", block_io::PRESENT),
        ] {
            self.number(text, of_media(Width::One, flag));
        }
        self.end();
        self.m.jump(done);
        self.m.here(failed);
        self.copy(variable::BLOCK_STATUS, own::STATUS);
        self.begin();
        self.code("block-error=", variable::BLOCK_STATUS);
        self.end();
        self.m.here(done);
    }

    pub(super) fn report_checks(&mut self) {
        let [next, done] = [(); 2].map(|()| self.m.place());
        self.m.address(table::CHECKS.into());
        self.m.store(Width::Word, own::CHECK);
        self.m.load(Width::Two, table::CHECK_COUNT.into());
        self.m.store(Width::Four, own::LEFT);
        self.m.here(next);
        self.m.load(Width::Four, own::LEFT);
        self.m.branch(Condition::Equal, Operand::Value(0), done);
        self.begin();
        self.text("check=");
        self.m.load(Width::Word, own::CHECK);
        self.m.add(Operand::Value(table::CHECK_NAME.into()));
        self.m.store(Width::Word, own::TEXT);
        self.m.call(self.at.put_text);
        self.m.load(Width::Word, own::CHECK);
        self.m.peek(Width::Four, 0);
        self.m.store(Width::Four, own::SECTOR);
        self.number(" sector=", |m| m.load(Width::Four, own::SECTOR));
        // A check asks the firmware, even for a block that is still there.
        self.put(variable::BUFFERED_COUNT, 0);
        self.m.call(self.at.observe);
        self.show(variable::FOUND);
        self.end();
        self.increase(Width::Word, own::CHECK, table::CHECK_BYTES.into());
        self.decrease(Width::Four, own::LEFT);
        self.m.jump(next);
        self.m.here(done);
    }

    /// Puts what was found.
    fn show(&mut self, found: u32) {
        self.m.address(found);
        self.m.store(Width::Word, own::SHOWN);
        self.m.call(self.at.put_found);
    }

    /// The CRC of what was read last goes on by so many bytes.
    pub(super) fn sum_read(&mut self, bytes: u32) {
        self.copy(own::CRC_AT, own::READ_AT);
        self.m.set(bytes);
        self.m.store(Width::Word, own::COUNT);
        self.m.call(self.at.crc);
    }

    pub(super) fn report_area(&mut self) {
        let [next, whole, unreadable, done] = [(); 4].map(|()| self.m.place());
        self.begin();
        self.number("area=", |m| m.load(Width::Four, table::STRUCTURED.into()));
        self.put(own::SECTOR, 0);
        self.put(own::CRC, CRC_START);
        self.m.here(next);
        self.m.load(Width::Four, own::SECTOR);
        let structured = Operand::Int(table::STRUCTURED.into());
        self.m.branch(Condition::AtLeast, structured, whole);
        self.m.call(self.at.read);
        self.branch_if_failed(unreadable);
        self.sum_read(sector::BYTES as u32);
        self.increase(Width::Four, own::SECTOR, 1);
        self.m.jump(next);

        self.m.here(whole);
        self.text(" crc=");
        self.m.load(Width::Four, own::CRC);
        self.m.call(self.at.put_hex16);
        self.m.jump(done);
        self.m.here(unreadable);
        self.code(" error=", own::FAILURE);
        self.number(" at=", |m| m.load(Width::Four, own::SECTOR));
        self.m.here(done);
        self.end();
    }

    pub(super) fn report_sweep(&mut self) {
        let [next, bad, known, good, nothing] = [(); 5].map(|()| self.m.place());
        let image = Operand::Int(table::IMAGE.into());
        self.m.load(Width::Four, table::STRUCTURED.into());
        self.m.store(Width::Four, own::SECTOR);
        self.m.branch(Condition::AtLeast, image, nothing);
        self.put(own::INTACT, 0);
        // No sector has this number in an image that 32 bits can count.
        self.put(own::BAD, u32::MAX);
        self.m.here(next);
        self.m.call(self.at.observe);
        self.m
            .load(Width::One, variable::FOUND + u32::from(field::KIND));
        self.m
            .branch(Condition::Unequal, Operand::Value(kind::SECTOR), bad);
        self.m
            .load(Width::Four, variable::FOUND + u32::from(field::NUMBER));
        self.m
            .branch(Condition::Unequal, Operand::Int(own::SECTOR), bad);
        self.increase(Width::Four, own::INTACT, 1);
        self.m.jump(known);
        self.m.here(bad);
        self.m.load(Width::Four, own::BAD);
        self.m
            .branch(Condition::Unequal, Operand::Value(u32::MAX), known);
        self.m.load(Width::Four, own::SECTOR);
        self.m.store(Width::Four, own::BAD);
        for at in (0..u32::from(field::BYTES)).step_by(4) {
            self.m.load(Width::Four, variable::FOUND + at);
            self.m.store(Width::Four, variable::FOUND_BAD + at);
        }
        self.m.here(known);
        self.increase(Width::Four, own::SECTOR, 1);
        self.m.load(Width::Four, own::SECTOR);
        self.m.branch(Condition::Below, image, next);

        self.begin();
        self.number("sweep=", |m| m.load(Width::Four, table::STRUCTURED.into()));
        self.number("-", |m| {
            m.load(Width::Four, own::SECTOR);
            m.subtract(Operand::Value(1));
        });
        self.number(" intact=", |m| m.load(Width::Four, own::INTACT));
        self.m.load(Width::Four, own::BAD);
        self.m
            .branch(Condition::Equal, Operand::Value(u32::MAX), good);
        self.number(" first-bad=", |m| m.load(Width::Four, own::BAD));
        self.show(variable::FOUND_BAD);
        self.m.here(good);
        self.end();
        self.m.here(nothing);
    }

    /// The loader's file, read back through the simple file system.
    pub(super) fn report_file(&mut self, loader: Loader) {
        let [next, whole, failed, done] = [(); 4].map(|()| self.m.place());
        let path = loader.path().replace('/', "\\");
        self.begin();
        self.text(&format!("file={path}"));
        self.protocol_of(variable::DEVICE_HANDLE, uefi::SIMPLE_FILE_SYSTEM, failed);
        self.copy(own::FILE, variable::INTERFACE);
        let arguments = [
            Argument::Word(own::FILE),
            Argument::Address(variable::INTERFACE),
        ];
        self.call_of(own::FILE, uefi::simple_file_system::OPEN_VOLUME, &arguments);
        self.branch_if_failed(failed);
        let wide: Vec<u8> = path
            .encode_utf16()
            .chain([0])
            .flat_map(u16::to_le_bytes)
            .collect();
        let path = self.constant(&wide);
        self.copy(own::FILE, variable::INTERFACE);
        let arguments = [
            Argument::Word(own::FILE),
            Argument::Address(variable::INTERFACE),
            Argument::Address(path),
            Argument::WideValue(file::MODE_READ),
            Argument::WideValue(0),
        ];
        // Behind a revision of 64 bits; between it and the reads are two functions.
        self.call_of(own::FILE, file::OPEN, &arguments);
        self.branch_if_failed(failed);

        self.copy(own::FILE, variable::INTERFACE);
        self.put(own::TOTAL, 0);
        self.put(own::CRC, CRC_START);
        self.m.here(next);
        self.m.set(variable::BUFFER_BYTES);
        self.m.store(Width::Word, variable::READ_BYTES);
        let arguments = [
            Argument::Word(own::FILE),
            Argument::Address(variable::READ_BYTES),
            Argument::Address(variable::BUFFER),
        ];
        let read = M::pointers(file::OPEN, (file::READ - file::OPEN) / 8);
        self.call_of(own::FILE, read, &arguments);
        self.branch_if_failed(failed);
        self.m.load(Width::Word, variable::READ_BYTES);
        self.m.branch(Condition::Equal, Operand::Value(0), whole);
        self.m.store(Width::Word, own::COUNT);
        self.m.add(Operand::Int(own::TOTAL));
        self.m.store(Width::Four, own::TOTAL);
        self.m.address(variable::BUFFER);
        self.m.store(Width::Word, own::CRC_AT);
        self.m.call(self.at.crc);
        self.m.jump(next);

        self.m.here(whole);
        self.number(" size=", |m| m.load(Width::Four, own::TOTAL));
        self.text(" crc=");
        self.m.load(Width::Four, own::CRC);
        self.m.call(self.at.put_hex16);
        self.m.jump(done);
        self.m.here(failed);
        self.code(" error=", own::STATUS);
        self.m.here(done);
        self.end();
    }
}
