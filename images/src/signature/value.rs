//! Values of DER (X.690), one after the other.

use der::{Decode, Reader, SliceReader, Tag, asn1::AnyRef};

/// A value: its tag, its bytes without the header, and with it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Value<'b> {
    pub(super) tag: Tag,
    pub(super) content: &'b [u8],
    pub(super) whole: &'b [u8],
}

impl<'b> Value<'b> {
    /// The value at the beginning of these bytes; what stands behind it is no part of it.
    pub(super) fn first_of(bytes: &'b [u8]) -> Option<Self> {
        Values::of(bytes).next()
    }

    /// The values inside a sequence, a set or an explicit tag.
    pub(super) fn inside(self) -> Values<'b> {
        Values::of(self.content)
    }

    /// The same where it is of this kind.
    pub(super) fn with(self, tag: Tag) -> Option<Self> {
        (self.tag == tag).then_some(self)
    }

    /// Whether it is `[number]`.
    pub(super) fn is_context(self, number: u32) -> bool {
        self.tag.is_context_specific() && self.tag.number().value() == number
    }

    /// The bytes of a bit string that has whole ones.
    pub(super) fn bits(self) -> Option<&'b [u8]> {
        let content = self.with(Tag::BitString)?.content;
        let (unused, bytes) = content.split_first()?;
        (*unused == 0).then_some(bytes)
    }
}

/// Values that follow one another. They end where one cannot be read.
#[derive(Clone, Debug)]
pub(super) struct Values<'b> {
    rest: &'b [u8],
}

impl<'b> Values<'b> {
    pub(super) const fn of(rest: &'b [u8]) -> Self {
        Self { rest }
    }

    /// The next one, where it is of this kind.
    pub(super) fn next_of(&mut self, tag: Tag) -> Option<Value<'b>> {
        self.next()?.with(tag)
    }

    /// The next one, where it is `[number]`; else nothing is taken.
    pub(super) fn context(&mut self, number: u32) -> Option<Value<'b>> {
        let mut ahead = self.clone();
        let value = ahead.next().filter(|value| value.is_context(number))?;
        *self = ahead;
        Some(value)
    }

    /// Whether something is left, readable or not.
    pub(super) const fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }
}

impl<'b> Iterator for Values<'b> {
    type Item = Value<'b>;

    fn next(&mut self) -> Option<Value<'b>> {
        let mut reader = SliceReader::new(self.rest).ok()?;
        let any = AnyRef::decode(&mut reader).ok()?;
        let length = usize::try_from(u32::from(reader.position())).ok()?;
        let (whole, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(Value {
            tag: der::Tagged::tag(&any),
            content: any.value(),
            whole,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_follow_one_another_until_one_is_broken() {
        let bytes = [0x30, 3, 2, 1, 5, 0x80, 1, 7, 4, 9];
        let mut values = Values::of(&bytes);
        let sequence = values.next_of(Tag::Sequence).unwrap();
        assert_eq!(sequence.whole, &bytes[..5]);
        let number = sequence.inside().next_of(Tag::Integer).unwrap();
        assert_eq!(number.content, [5]);
        assert!(values.context(1).is_none());
        assert_eq!(values.context(0).unwrap().content, [7]);
        assert!(!values.is_at_end());
        assert!(values.next().is_none());
        // A length of no bound (BER), and one with zeros before it.
        assert!(Value::first_of(&[0x30, 0x80, 0, 0]).is_none());
        assert!(Value::first_of(&[4, 0x82, 0, 1, 7]).is_none());
    }
}
