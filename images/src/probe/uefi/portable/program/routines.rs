//! The routines that reports call: output, numbers, checksums, reads.

use super::*;

impl<M: Machine> Program<M> {
    pub(super) fn emit_routines(&mut self) {
        self.emit_begin();
        self.emit_end();
        self.emit_put_text();
        self.emit_put_wide();
        self.emit_put_decimal();
        self.emit_put_hex();
        self.emit_crc();
        self.emit_read();
        self.emit_fill();
        self.emit_observe();
        self.emit_put_found();
    }

    /// The accumulator's byte to the line's end.
    fn put_byte(&mut self) {
        self.m.poke(Width::One, variable::END);
        self.increase(Width::Word, variable::END, 1);
    }

    /// Starts a line: `BM1 <seq> `.
    fn emit_begin(&mut self) {
        self.m.here(self.at.begin);
        self.m.address(variable::LINE);
        self.m.store(Width::Word, variable::END);
        self.text(protocol::LINE_START);
        self.m.load(Width::Four, variable::SEQUENCE);
        self.decimal();
        self.increase(Width::Four, variable::SEQUENCE, 1);
        self.m.set(u32::from(b' '));
        self.put_byte();
        self.m.give_back();
    }

    /// Ends it with its CRC and sends it.
    fn emit_end(&mut self) {
        let next = self.m.place();
        self.m.here(self.at.end);
        self.put(own::CRC, CRC_START);
        self.m.address(variable::LINE);
        self.m.store(Width::Word, own::CRC_AT);
        self.m.load(Width::Word, variable::END);
        self.m.subtract(Operand::Word(own::CRC_AT));
        self.m.store(Width::Word, own::COUNT);
        self.m.call(self.at.crc);
        self.text(" *");
        self.m.load(Width::Four, own::CRC);
        self.m.call(self.at.put_hex16);
        self.text("\r\n");
        self.m.address(variable::LINE);
        self.m.store(Width::Word, own::TEXT);
        // A timer event of the firmware's must not write to the same port in the middle of a line.
        self.m.interrupts_off(variable::FLAGS);
        self.m.here(next);
        self.m.load(Width::Word, own::TEXT);
        self.m.peek(Width::One, 0);
        self.m.send(variable::TO_DEBUG_PORT);
        self.increase(Width::Word, own::TEXT, 1);
        self.m
            .branch(Condition::Below, Operand::Word(variable::END), next);
        self.m.interrupts_back(variable::FLAGS);
        self.m.give_back();
    }

    /// Puts the text at [`own::TEXT`], ended by a zero.
    fn emit_put_text(&mut self) {
        let end = self.m.place();
        self.m.here(self.at.put_text);
        self.m.load(Width::Word, own::TEXT);
        self.m.peek(Width::One, 0);
        self.m.branch(Condition::Equal, Operand::Value(0), end);
        self.put_byte();
        self.increase(Width::Word, own::TEXT, 1);
        self.m.jump(self.at.put_text);
        self.m.here(end);
        self.m.give_back();
    }

    /// Puts the 16-bit characters at [`own::WIDE`], ended by a zero, at most [`own::COUNT`]. What is no visible ASCII becomes `_`.
    fn emit_put_wide(&mut self) {
        let [hidden, put, end] = [(); 3].map(|()| self.m.place());
        self.m.here(self.at.put_wide);
        self.m.load(Width::Four, own::COUNT);
        self.m.branch(Condition::Equal, Operand::Value(0), end);
        self.m.load(Width::Word, own::WIDE);
        self.m.peek(Width::Two, 0);
        self.m.branch(Condition::Equal, Operand::Value(0), end);
        self.m
            .branch(Condition::Below, Operand::Value(u32::from(b'!')), hidden);
        let last = Operand::Value(u32::from(b'~') + 1);
        self.m.branch(Condition::Below, last, put);
        self.m.here(hidden);
        self.m.set(u32::from(b'_'));
        self.m.here(put);
        self.put_byte();
        self.increase(Width::Word, own::WIDE, 2);
        self.decrease(Width::Four, own::COUNT);
        self.m.jump(self.at.put_wide);
        self.m.here(end);
        self.m.give_back();
    }

    /// Puts the 64 bits of [`own::NUMBER`] in decimal: divided in four pieces, whatever the processor divides.
    fn emit_put_decimal(&mut self) {
        let next = self.m.place();
        self.m.here(self.at.put_decimal);
        self.m.address(own::LAST_DIGIT);
        self.m.store(Width::Word, own::DIGIT);
        self.m.here(next);
        self.put(own::HEX, 0);
        for piece in [6, 4, 2, 0] {
            self.m.load(Width::Two, own::NUMBER + piece);
            self.m.store(Width::Four, own::TEMPORARY);
            self.m.load(Width::Four, own::HEX);
            self.m.shift_left(16);
            self.m.or(Operand::Int(own::TEMPORARY));
            self.m.divide(10, own::HEX);
            self.m.store(Width::Two, own::NUMBER + piece);
        }
        self.m.load(Width::Four, own::HEX);
        self.m.add(Operand::Value(u32::from(b'0')));
        self.m.poke(Width::One, own::DIGIT);
        self.decrease(Width::Word, own::DIGIT);
        self.m.load(Width::Four, own::NUMBER);
        self.m.or(Operand::Int(own::NUMBER + 4));
        self.m.branch(Condition::Unequal, Operand::Value(0), next);
        self.m.load(Width::Word, own::DIGIT);
        self.m.add(Operand::Value(1));
        self.m.store(Width::Word, own::TEXT);
        self.m.jump(self.at.put_text);
    }

    /// Puts the accumulator in hexadecimal: two digits of a byte, four of two bytes.
    fn emit_put_hex(&mut self) {
        let [digit, letter] = [(); 2].map(|()| self.m.place());
        self.m.here(self.at.put_hex16);
        self.m.store(Width::Four, own::HEX_16);
        self.m.shift_right(8);
        self.m.call(self.at.put_hex8);
        self.m.load(Width::Four, own::HEX_16);
        self.m.here(self.at.put_hex8);
        self.m.and(Operand::Value(0xFF));
        self.m.store(Width::Four, own::HEX);
        self.m.shift_right(4);
        self.m.call(self.at.put_digit);
        self.m.load(Width::Four, own::HEX);
        self.m.and(Operand::Value(0x0F));
        self.m.here(self.at.put_digit);
        self.m.branch(Condition::Above, Operand::Value(9), letter);
        self.m.add(Operand::Value(u32::from(b'0')));
        self.m.jump(digit);
        self.m.here(letter);
        self.m.add(Operand::Value(u32::from(b'A') - 10));
        self.m.here(digit);
        self.put_byte();
        self.m.give_back();
    }

    /// [`own::CRC`] goes on over [`own::COUNT`] bytes, not 0, at [`own::CRC_AT`].
    fn emit_crc(&mut self) {
        self.m.here(self.at.crc);
        self.m.load(Width::Word, own::CRC_AT);
        self.m.peek(Width::One, 0);
        self.m.store(Width::Four, own::TEMPORARY);
        self.m.load(Width::Four, own::CRC);
        self.m.shift_right(8);
        self.m.xor(Operand::Int(own::TEMPORARY));
        self.m.shift_left(1);
        self.m.store(Width::Four, own::TEMPORARY);
        self.m.address(table::CRC_TABLE.into());
        self.m.add(Operand::Int(own::TEMPORARY));
        self.m.peek(Width::Two, 0);
        self.m.store(Width::Four, own::TEMPORARY);
        self.m.load(Width::Four, own::CRC);
        self.m.shift_left(8);
        self.m.xor(Operand::Int(own::TEMPORARY));
        self.m.and(Operand::Value(0xFFFF));
        self.m.store(Width::Four, own::CRC);
        self.increase(Width::Word, own::CRC_AT, 1);
        self.decrease(Width::Word, own::COUNT);
        self.m
            .branch(Condition::Unequal, Operand::Value(0), self.at.crc);
        self.m.give_back();
    }

    /// Brings virtual sector [`own::SECTOR`]: [`own::READ_AT`] = its bytes. Asks the firmware only for what is not in the buffer. Accumulator: 0, or what
    /// [`own::FAILURE`] is too.
    fn emit_read(&mut self) {
        let [again, filled, done, failed] = [(); 4].map(|()| self.m.place());
        self.m.here(self.at.read);
        self.m.load(Width::Four, own::SECTOR);
        self.m.subtract(Operand::Int(variable::BUFFERED));
        self.m.branch(
            Condition::Below,
            Operand::Int(variable::BUFFERED_COUNT),
            done,
        );
        self.m.here(again);
        self.m.call(self.at.fill);
        self.m.store(Width::Four, own::FAILURE);
        self.m.branch(Condition::Equal, Operand::Value(0), filled);
        // Which sector of the run failed is found one by one.
        self.m.load(Width::Four, variable::RUN);
        self.m.branch(Condition::Equal, Operand::Value(1), failed);
        self.put(variable::RUN, 1);
        self.m.jump(again);
        self.m.here(failed);
        self.m.load(Width::Four, own::FAILURE);
        self.m.give_back();
        self.m.here(filled);
        self.m.load(Width::Four, own::SECTOR);
        self.m.subtract(Operand::Int(variable::BUFFERED));
        self.m.here(done);
        self.m.shift_left(SECTOR_BITS);
        self.m.store(Width::Four, own::TEMPORARY);
        self.m.address(variable::BUFFER);
        self.m.add(Operand::Int(own::TEMPORARY));
        self.m.store(Width::Word, own::READ_AT);
        self.m.set(0);
        self.m.give_back();
    }

    /// Fills the buffer with the run, or at least the block, that the sector lies in: up to the next multiple of the run, and not past the image's last
    /// block, where there may be nothing to read. Accumulator: 0, or [`FAILED`] with a code.
    fn emit_fill(&mut self) {
        let [refused, bad, run_known, end_known, halve, lba_known] =
            [(); 6].map(|()| self.m.place());
        self.m.here(self.at.fill);
        self.put(variable::BUFFERED_COUNT, 0);
        self.m.load(Width::Word, variable::BLOCK_STATUS);
        self.branch_if_failed(refused);
        self.m.load(Width::Word, variable::MEDIA);
        self.m.peek(Width::Four, block_io::BLOCK_SIZE);
        self.m.branch(
            Condition::Below,
            Operand::Value(VIRTUAL_SECTOR_BYTES as u32),
            bad,
        );
        self.m
            .branch(Condition::Above, Operand::Value(BLOCK_BYTES_MAX), bad);
        self.m.shift_right(SECTOR_BITS);
        self.m.store(Width::Four, own::PER_BLOCK);
        self.m.store(Width::Four, own::RUN_NOW);
        self.m
            .branch(Condition::AtLeast, Operand::Int(variable::RUN), run_known);
        self.m.load(Width::Four, variable::RUN);
        self.m.store(Width::Four, own::RUN_NOW);
        self.m.here(run_known);
        self.m.set(0);
        self.m.subtract(Operand::Int(own::RUN_NOW));
        self.m.and(Operand::Int(own::SECTOR));
        self.m.store(Width::Four, variable::BUFFERED);
        self.m.load(Width::Four, own::RUN_NOW);
        self.m.store(Width::Four, own::MANY);
        self.m.load(Width::Four, variable::BUFFERED);
        self.m.branch(
            Condition::AtLeast,
            Operand::Int(table::IMAGE.into()),
            end_known,
        );
        self.m.load(Width::Four, table::IMAGE.into());
        self.m.subtract(Operand::Int(variable::BUFFERED));
        self.m
            .branch(Condition::AtLeast, Operand::Int(own::MANY), end_known);
        self.m.add(Operand::Int(own::PER_BLOCK));
        self.m.subtract(Operand::Value(1));
        self.m.store(Width::Four, own::TEMPORARY);
        self.m.set(0);
        self.m.subtract(Operand::Int(own::PER_BLOCK));
        self.m.and(Operand::Int(own::TEMPORARY));
        self.m.store(Width::Four, own::MANY);
        self.m.here(end_known);

        // Blocks are one, two, four or eight sectors.
        self.m.load(Width::Four, variable::BUFFERED);
        self.m.store(Width::Word, own::LBA);
        self.m.here(halve);
        self.m.load(Width::Four, own::PER_BLOCK);
        self.m
            .branch(Condition::Below, Operand::Value(2), lba_known);
        self.m.shift_right(1);
        self.m.store(Width::Four, own::PER_BLOCK);
        self.m.load(Width::Word, own::LBA);
        self.m.shift_right(1);
        self.m.store(Width::Word, own::LBA);
        self.m.jump(halve);
        self.m.here(lba_known);
        self.m.load(Width::Four, own::MANY);
        self.m.shift_left(SECTOR_BITS);
        self.m.store(Width::Word, own::BYTES);
        self.m.load(Width::Word, variable::MEDIA);
        self.m.peek(Width::Four, block_io::MEDIA_ID);
        self.m.store(Width::Word, own::MEDIA_ID);
        let arguments = [
            Argument::Word(variable::BLOCK_IO),
            Argument::Word(own::MEDIA_ID),
            Argument::Wide(own::LBA),
            Argument::Word(own::BYTES),
            Argument::Address(variable::BUFFER),
        ];
        // Behind a revision of 64 bits, the media and a function.
        let read_blocks = M::pointers(block_io::MEDIA, 2);
        self.call_of(variable::BLOCK_IO, read_blocks, &arguments);
        self.branch_if_failed(refused);
        self.m.load(Width::Four, own::MANY);
        self.m.store(Width::Four, variable::BUFFERED_COUNT);
        self.m.set(0);
        self.m.give_back();
        self.m.here(bad);
        self.m.set(u32::from(ERROR_BLOCK_SIZE));
        self.m.here(refused);
        self.m.and(Operand::Value(0xFF));
        self.m.or(Operand::Value(FAILED));
        self.m.give_back();
    }

    /// Reads [`own::SECTOR`] and fills [`variable::FOUND`].
    fn emit_observe(&mut self) {
        let [read, next, other, done] = [(); 4].map(|()| self.m.place());
        let found = |field: u16| variable::FOUND + u32::from(field);
        self.m.here(self.at.observe);
        self.m.call(self.at.read);
        self.m.branch(Condition::Equal, Operand::Value(0), read);
        self.m.store(Width::One, found(field::ERROR));
        self.m.set(kind::ERROR);
        self.m.jump(done);

        // One pass: every bit, and the sum.
        self.m.here(read);
        self.put(own::ALL, 0);
        self.put(own::SUM, 0);
        self.copy(own::TEXT, own::READ_AT);
        self.put(own::COUNT, sector::BYTES as u32 / 4);
        self.m.here(next);
        self.m.load(Width::Word, own::TEXT);
        self.m.peek(Width::Four, 0);
        self.m.store(Width::Four, own::TEMPORARY);
        self.m.or(Operand::Int(own::ALL));
        self.m.store(Width::Four, own::ALL);
        self.m.load(Width::Four, own::SUM);
        self.m.add(Operand::Int(own::TEMPORARY));
        self.m.store(Width::Four, own::SUM);
        self.increase(Width::Word, own::TEXT, 4);
        self.decrease(Width::Four, own::COUNT);
        self.m.branch(Condition::Unequal, Operand::Value(0), next);
        let not_a_hole = self.m.place();
        self.m.load(Width::Four, own::ALL);
        self.branch_if_failed(not_a_hole);
        self.m.set(kind::HOLE);
        self.m.jump(done);

        self.m.here(not_a_hole);
        for (at, magic) in (0..).step_by(4).zip(sector::MAGIC.as_chunks::<4>().0) {
            self.m.load(Width::Word, own::READ_AT);
            self.m.peek(Width::Four, at);
            let magic = Operand::Value(u32::from_le_bytes(*magic));
            self.m.branch(Condition::Unequal, magic, other);
        }
        self.m.load(Width::Four, own::SUM);
        self.branch_if_failed(other);
        for at in [0, 4, 8, 12] {
            self.m.load(Width::Word, own::READ_AT);
            self.m.peek(Width::Four, 8 + at);
            self.m.store(Width::Four, found(field::DISC) + at);
        }
        let foreign = self.m.place();
        for half in [0, 4] {
            self.m.load(Width::Four, found(field::DISC) + half);
            let own = Operand::Int(u32::from(table::DISC) + half);
            self.m.branch(Condition::Unequal, own, foreign);
        }
        self.m.load(Width::Two, table::SLOT.into());
        self.m.store(Width::Four, own::TEMPORARY);
        self.m.load(Width::Two, found(field::SLOT));
        self.m
            .branch(Condition::Unequal, Operand::Int(own::TEMPORARY), foreign);
        self.m.set(kind::SECTOR);
        self.m.jump(done);
        self.m.here(foreign);
        self.m.set(kind::FOREIGN);
        self.m.jump(done);

        self.m.here(other);
        self.put(own::CRC, CRC_START);
        self.sum_read(sector::BYTES as u32);
        self.m.load(Width::Four, own::CRC);
        self.m.store(Width::Two, found(field::CRC));
        self.m.set(kind::OTHER);
        self.m.here(done);
        self.m.store(Width::One, found(field::KIND));
        self.m.give_back();
    }

    /// Puts ` found=…` or ` error=…` for what [`own::SHOWN`] leads to.
    fn emit_put_found(&mut self) {
        let [error, foreign, hole, other] = [(); 4].map(|()| self.m.place());
        let shown = |width, field: u16| {
            move |m: &mut M| {
                m.load(Width::Word, own::SHOWN);
                m.peek(width, field.into());
            }
        };
        let kind_of = shown(Width::One, field::KIND);
        let number = shown(Width::Four, field::NUMBER);
        self.m.here(self.at.put_found);
        kind_of(&mut self.m);
        self.m
            .branch(Condition::Equal, Operand::Value(kind::ERROR), error);
        self.text(" found=");
        kind_of(&mut self.m);
        for (kind, place) in [
            (kind::FOREIGN, foreign),
            (kind::HOLE, hole),
            (kind::OTHER, other),
        ] {
            self.m.branch(Condition::Equal, Operand::Value(kind), place);
        }
        number(&mut self.m);
        self.decimal();
        self.m.give_back();

        self.m.here(foreign);
        self.text("foreign disc=");
        // Little-endian: the last byte is the first to be written.
        for at in (0..8).rev() {
            shown(Width::One, field::DISC + at)(&mut self.m);
            self.m.call(self.at.put_hex8);
        }
        self.number(" slot=", shown(Width::Two, field::SLOT));
        self.number(" number=", number);
        self.m.give_back();

        self.m.here(hole);
        self.text("hole");
        self.m.give_back();

        self.m.here(other);
        self.text("other crc=");
        shown(Width::Two, field::CRC)(&mut self.m);
        self.m.call(self.at.put_hex16);
        self.m.give_back();

        self.m.here(error);
        self.text(" error=");
        shown(Width::One, field::ERROR)(&mut self.m);
        self.m.call(self.at.put_hex8);
        self.m.give_back();
    }
}
