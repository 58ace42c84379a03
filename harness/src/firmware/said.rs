//! What firmware says about booting.

/// One thing a firmware said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// It turned to a device or boot option (SeaBIOS `Booting from DVD/CD...`, OVMF `loading`).
    Trying,
    /// It jumped into a boot image.
    Entered,
    /// It gave up on an option; with its code or status where it gave one.
    Failed {
        /// `0009`, `Not Found`.
        code: Option<String>,
        /// Its words.
        text: String,
    },
    /// It has nothing left to boot. Its words.
    Nothing(String),
    /// It crashed. Its words.
    Crashed(String),
}
