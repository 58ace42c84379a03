//! The processor's state, from the output of QEMU's `info registers`.

/// The registers that show whether anything can still happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Registers {
    /// The linear address of the next instruction.
    pub address: u64,
    /// Whether the processor waits in `HLT`.
    pub halted: bool,
    /// Whether an interrupt could wake it (the `IF` flag).
    pub interruptible: bool,
    /// Whether it is in real mode.
    pub real_mode: bool,
}

impl Registers {
    /// Parses QEMU's text; `None` if it is not from an x86 processor.
    #[must_use]
    pub fn of_x86(text: &str) -> Option<Self> {
        let flags = hex_after(text, "EFL=").or_else(|| hex_after(text, "RFL="))?;
        let offset = hex_after(text, "RIP=").or_else(|| hex_after(text, "EIP="))?;
        let code = text.lines().find_map(|line| line.strip_prefix("CS ="))?;
        let base = u64::from_str_radix(code.split_whitespace().nth(1)?, 16).ok()?;
        Some(Self {
            address: base.wrapping_add(offset),
            halted: hex_after(text, "HLT=")? == 1,
            interruptible: flags & (1 << 9) != 0,
            real_mode: hex_after(text, "CR0=")? & 1 == 0,
        })
    }

    /// The same for a 64-bit Arm processor. QEMU does not report whether it waits.
    #[must_use]
    pub fn of_aarch64(text: &str) -> Option<Self> {
        let state = hex_after(text, "PSTATE=")?;
        Some(Self {
            address: hex_after(text, "PC=")?,
            halted: false,
            // The mask of interrupts.
            interruptible: state & (1 << 7) == 0,
            real_mode: false,
        })
    }

    /// Whether only a non-maskable interrupt or a reset can make this processor continue.
    #[must_use]
    pub const fn is_dead(self) -> bool {
        self.halted && !self.interruptible
    }
}

pub(crate) fn hex_after(text: &str, mark: &str) -> Option<u64> {
    let (_, rest) = text.split_once(mark)?;
    let end = rest
        .find(|c: char| !c.is_ascii_hexdigit())
        .unwrap_or(rest.len());
    u64::from_str_radix(&rest[..end], 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    // QEMU 7.2: a boot sector that ran `cli; hlt`, loaded at 0000:7C00.
    const HALTED: &str = "\
CPU#0\r
EAX=0000aa55 EBX=00000000 ECX=00000000 EDX=00000402\r
ESI=00007c32 EDI=00000000 EBP=00000000 ESP=00006f00\r
EIP=00007c1b EFL=00000046 [---Z-P-] CPL=0 II=0 A20=1 SMM=0 HLT=1\r
ES =0000 00000000 0000ffff 00009300\r
CS =f000 000f0000 0000ffff 00009b00\r
CR0=00000010 CR2=00000000 CR3=00000000 CR4=00000000\r
";

    #[test]
    fn a_dead_processor_is_recognised() {
        let registers = Registers::of_x86(HALTED).expect("parsed");
        assert!(registers.is_dead());
        assert!(registers.real_mode);
        assert_eq!(registers.address, 0xF_7C1B);
        let waiting = HALTED.replace("EFL=00000046", "EFL=00000246");
        assert!(!Registers::of_x86(&waiting).expect("parsed").is_dead());
        assert_eq!(Registers::of_x86("no such command"), None);
    }

    // QEMU 7.2: AAVMF's shell, which waits for a key, and a program that halted.
    #[test]
    fn arm_has_its_own_names() {
        let text = " PC=000000004f6b3a50 X00=0000000000000000 X01=0000000000000001\n\
                    PSTATE=60000345 -ZC- EL1h    FPU disabled\n";
        let registers = Registers::of_aarch64(text).expect("parsed");
        assert!(registers.interruptible && !registers.is_dead());
        assert_eq!(registers.address, 0x4F6B_3A50);
        let masked = text.replace("60000345", "600003c5");
        assert!(
            !Registers::of_aarch64(&masked)
                .expect("parsed")
                .interruptible
        );
        assert_eq!(Registers::of_aarch64(HALTED), None);
    }

    #[test]
    fn long_mode_has_its_own_names() {
        let text = "RIP=000000000e3b1a2c RFL=00000206 [-----P-] CPL=0 II=0 A20=1 SMM=0 HLT=0\n\
                    CS =0038 0000000000000000 ffffffff 00af9a00 DPL=0 CS64 [-R-]\nCR0=80010033 CR2=0\n";
        let registers = Registers::of_x86(text).expect("parsed");
        assert_eq!(registers.address, 0x0E3B_1A2C);
        assert!(!registers.real_mode && registers.interruptible && !registers.halted);
    }
}
