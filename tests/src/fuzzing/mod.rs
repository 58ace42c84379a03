//! What reads bytes that others wrote, as functions of any bytes: for libFuzzer (`fuzz/`), and for the corpus that is
//! replayed by a test.
//!
//! A target panics where a reader does, and where what must hold for all bytes does not hold.

mod discs;
mod files;
mod patched;
mod programs;
mod screens;
mod target;
mod wire;

pub use self::target::Target;

/// Every target.
pub const TARGETS: &[Target] = &[
    discs::ISO,
    discs::MAP,
    discs::CATALOG,
    discs::DESCRIPTORS,
    discs::TREE,
    discs::FAT,
    discs::MBR,
    discs::GPT,
    programs::EFI_PROGRAM,
    discs::SECURE_BOOT,
    discs::CONTAINER,
    discs::DISTILLED,
    programs::CONFIGURATION,
    programs::PACKED,
    programs::SYSLINUX,
    programs::UDF,
    wire::PROBE,
    wire::PROBE_LINES,
    wire::QMP,
    wire::TRACE,
    wire::REGISTERS,
    wire::WORDS,
    screens::TEXT,
    screens::TERMINAL,
    screens::PICTURE,
    screens::VGA,
    screens::GUEST,
    files::SCENARIO,
    files::MASTER,
    files::DIALOGUE,
    files::VOCABULARY,
    files::RESULTS,
    files::IDS,
];

impl Target {
    /// The target of this name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<&'static Self> {
        TARGETS.iter().find(|target| target.name == name)
    }
}

/// Targets as JSON, for whoever starts libFuzzer: name, what is read, the longest input, and the words as the lines of
/// libFuzzer's dictionary.
#[must_use]
pub fn list(targets: &[Target]) -> serde_json::Value {
    let word = |word: &&[u8]| {
        let escaped: String = word.iter().map(|byte| format!("\\x{byte:02X}")).collect();
        format!("\"{escaped}\"")
    };
    let one = |target: &Target| {
        serde_json::json!({
            "name": target.name,
            "what": target.what,
            "longest": target.longest,
            "dictionary": target.words.iter().map(word).collect::<Vec<_>>(),
        })
    };
    targets.iter().map(one).collect()
}
