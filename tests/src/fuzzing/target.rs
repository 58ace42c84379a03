//! A target of fuzzing, and its input in pieces.

/// A reader, and what must hold of it.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name, and that of its corpus.
    pub name: &'static str,
    /// What is read, and what must hold beyond that it does not panic.
    pub what: &'static str,
    /// Reads one input.
    pub read: fn(&[u8]),
    /// Bytes of an input that libFuzzer makes at most.
    pub longest: usize,
    /// Words that chance would take long to find.
    pub words: &'static [&'static [u8]],
}

/// An input's first two bytes as the lengths of pieces, and the rest in pieces of these lengths in turn.
pub(super) fn pieces(input: &[u8]) -> Option<(&[u8], impl Iterator<Item = &[u8]>)> {
    let (&[first, second], whole) = input.split_first_chunk::<2>()?;
    let lengths = [first, second].map(|byte| usize::from(byte) + 1);
    let mut rest = whole;
    let mut turn = lengths.into_iter().cycle();
    let pieces = std::iter::from_fn(move || {
        let length = turn.next()?.min(rest.len());
        let (piece, after) = rest.split_at(length);
        rest = after;
        (!piece.is_empty()).then_some(piece)
    });
    Some((whole, pieces))
}
