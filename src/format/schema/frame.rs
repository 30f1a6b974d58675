/// The first byte of bytes that have a schema; the schema's id follows in four, the highest first.
const MAGIC: u8 = 0;

/// The bytes before a payload.
pub const FRAME_BYTES: usize = 5;

/// Returns what stands before a payload of a schema.
pub fn frame(id: i32) -> [u8; FRAME_BYTES] {
    let [a, b, c, d] = id.to_be_bytes();
    [MAGIC, a, b, c, d]
}

/// Returns the id of the schema and the payload; `None` where the bytes have no frame.
pub fn unframed(bytes: &[u8]) -> Option<(i32, &[u8])> {
    let (head, payload) = bytes.split_first_chunk::<FRAME_BYTES>()?;
    let [MAGIC, a, b, c, d] = *head else { return None };
    Some((i32::from_be_bytes([a, b, c, d]), payload))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_a_zero_and_the_id() {
        assert_eq!(frame(0x0102_0304), [0, 1, 2, 3, 4]);
        assert_eq!(unframed(&[0, 0, 0, 0, 7, 9]), Some((7, &[9][..])));
        assert_eq!(unframed(&[0, 0, 0, 0, 7]), Some((7, &[][..])));
        for bytes in [&[][..], &[0, 0, 0, 7], b"{\"a\":1}", &[1, 0, 0, 0, 7]] {
            assert_eq!(unframed(bytes), None, "{bytes:?}");
        }
    }
}
