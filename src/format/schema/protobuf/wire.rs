use crate::format::schema::Undecodable;
use crate::format::schema::varint::{put_varint, put_varint_before, read_varint};

/// The deepest nesting of messages and groups, as in the implementations of Protocol Buffers.
pub(super) const MAX_DEPTH: usize = 100;

/// A value as it is on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Wire<'a> {
    Varint(u64),
    Fixed64([u8; 8]),
    Fixed32([u8; 4]),
    /// A text, bytes, message or packed list.
    Bytes(&'a [u8]),
    /// The fields of a group, without the tags around them.
    Group(&'a [u8]),
}

/// Appends what stands in front of a value: the number of its field and the wire type.
pub(super) fn put_tag(number: u32, wire_type: u8, out: &mut Vec<u8>) {
    put_varint(u64::from(number) << 3 | u64::from(wire_type), out);
}

/// Runs `write`, which appends to `out`, and puts the length of what it wrote in front of that.
pub(super) fn with_length<E>(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>) -> Result<(), E> {
    let at = out.len();
    out.push(0);
    write(out)?;
    let length = out.len() - at - 1;
    put_varint_before(length as u64, at, out);
    Ok(())
}

/// Reads what is left of a message.
pub(super) struct Reader<'a>(pub &'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Reads the number of a field and its value; groups may be nested `depth` times.
    pub(super) fn field(&mut self, depth: usize) -> Result<(u32, Wire<'a>), Undecodable> {
        let (number, wire_type) = self.tag()?;
        Ok((number, self.value(number, wire_type, depth)?))
    }

    fn tag(&mut self) -> Result<(u32, u8), Undecodable> {
        let tag = self.varint()?;
        match u32::try_from(tag >> 3) {
            Ok(number @ 1..=0x1fff_ffff) => Ok((number, tag as u8 & 7)),
            Ok(_) | Err(_) => Err(Undecodable::new("The message has a field number out of range.")),
        }
    }

    fn value(&mut self, number: u32, wire_type: u8, depth: usize) -> Result<Wire<'a>, Undecodable> {
        match wire_type {
            0 => self.varint().map(Wire::Varint),
            1 => self.array().map(Wire::Fixed64),
            2 => self.bytes().map(Wire::Bytes),
            3 => self.group(number, depth).map(Wire::Group),
            5 => self.array().map(Wire::Fixed32),
            _ => Err(Undecodable::new(format!(
                "The field {number} has the wire type {wire_type}, which is not valid here."
            ))),
        }
    }

    pub(super) fn varint(&mut self) -> Result<u64, Undecodable> {
        let next = || {
            let (byte, rest) = self.0.split_first().ok_or_else(cut_off)?;
            self.0 = rest;
            Ok(*byte)
        };
        read_varint(next)?.ok_or_else(|| Undecodable::new("The message has a number of more than 64 bits."))
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], Undecodable> {
        let (array, rest) = self.0.split_first_chunk().ok_or_else(cut_off)?;
        self.0 = rest;
        Ok(*array)
    }

    fn bytes(&mut self) -> Result<&'a [u8], Undecodable> {
        let length = usize::try_from(self.varint()?).map_err(|_| cut_off())?;
        let (bytes, rest) = self.0.split_at_checked(length).ok_or_else(cut_off)?;
        self.0 = rest;
        Ok(bytes)
    }

    fn group(&mut self, group: u32, depth: usize) -> Result<&'a [u8], Undecodable> {
        let deeper = depth.checked_sub(1).ok_or_else(too_deep)?;
        let begin = self.0;
        loop {
            let end = begin.len() - self.0.len();
            let (number, wire_type) = self.tag()?;
            if wire_type == 4 && number == group {
                return Ok(&begin[..end]);
            }
            self.value(number, wire_type, deeper)?;
        }
    }
}

fn cut_off() -> Undecodable {
    Undecodable::new("The message is cut off.")
}

/// Says that messages are nested deeper than they may be.
pub(super) fn too_deep() -> Undecodable {
    Undecodable::new("The message is nested deeper than 100 levels.")
}
