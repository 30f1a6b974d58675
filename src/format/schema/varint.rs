use crate::format::schema::Undecodable;

/// The most bytes that a number takes.
const MAX_BYTES: usize = 10;

/// Appends a number in groups of seven bits.
pub(super) fn put_varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Puts a number before what begins behind the one byte at `start`, which suffices for up to 127.
pub(super) fn put_varint_before(value: u64, start: usize, out: &mut Vec<u8>) {
    if let (0..0x80, Some(place)) = (value, out.get_mut(start)) {
        *place = value as u8;
        return;
    }
    let mut bytes = Vec::with_capacity(MAX_BYTES);
    put_varint(value, &mut bytes);
    out.splice(start..=start, bytes);
}

/// Reads a number from the bytes that `next` gives; `None` is one of more than 64 bits.
pub(super) fn read_varint(mut next: impl FnMut() -> Result<u8, Undecodable>) -> Result<Option<u64>, Undecodable> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let byte = next()?;
        // Of the tenth byte one bit is left.
        if shift == 63 && byte > 1 {
            break;
        }
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Ok(Some(value));
        }
    }
    Ok(None)
}

/// Makes small numbers of small negative ones.
pub(super) fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)).cast_unsigned()
}

/// Reverses [`zigzag`].
pub(super) fn unzigzag(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -(value & 1).cast_signed()
}
