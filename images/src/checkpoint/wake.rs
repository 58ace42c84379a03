//! What a program that stops a machine and the host say to each other.

/// What a program says on port 402h, or on the serial line where there is no such port, when it has begun to wait.
pub const READY: &str = "boot-matrix: ready for a checkpoint\n";

/// The file that tells a program to wait or to go on.
pub const WAKE_FILE: &str = "opt/boot-matrix/wake";

/// The content of [`WAKE_FILE`] on which a program waits.
pub const WAIT: &str = "w";

/// The content of [`WAKE_FILE`] on which it goes on.
pub const GO: &str = "g";
