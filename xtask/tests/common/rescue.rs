//! GRUB's rescue CD (Debian package `grub-rescue-pc`). Its menu counts down for half a minute, which is most of a test's time.

use std::fs;

pub(crate) const GRUB: &str = "/usr/lib/grub-rescue/grub-rescue-cdrom.iso";

const COUNTDOWN: &[u8] = b"set timeout=30\n";

/// The disc with another countdown in `grub.cfg`. With `-1` the menu waits for a key.
pub(crate) fn rescue_disc(seconds: [u8; 2]) -> Vec<u8> {
    let mut disc = fs::read(GRUB).unwrap();
    let mut places = disc.windows(COUNTDOWN.len());
    let at = places.position(|it| it == COUNTDOWN).unwrap();
    disc[at + COUNTDOWN.len() - 3..][..2].copy_from_slice(&seconds);
    disc
}
