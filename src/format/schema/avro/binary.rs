use crate::format::schema::varint::{put_varint, put_varint_before, zigzag};

/// Appends an int or long.
pub(super) fn write_long(number: i64, out: &mut Vec<u8>) {
    put_varint(zigzag(number), out);
}

/// Appends the length of something, or its index.
pub(super) fn write_size(size: usize, out: &mut Vec<u8>) {
    // Nothing in memory is longer than a long can tell.
    write_long(i64::try_from(size).unwrap_or(i64::MAX), out);
}

/// Puts the number of items before them: they begin behind the one byte at `start`, which suffices for up to 63.
pub(super) fn put_count(count: usize, start: usize, out: &mut Vec<u8>) {
    put_varint_before(zigzag(i64::try_from(count).unwrap_or(i64::MAX)), start, out);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn longs_are_zigzag_varints() {
        let cases: [(i64, &[u8]); 7] = [
            (0, &[0]),
            (-1, &[1]),
            (1, &[2]),
            (-64, &[0x7f]),
            (64, &[0x80, 1]),
            (i64::MAX, &[0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]),
            (i64::MIN, &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]),
        ];
        for (number, expected) in cases {
            let mut out = Vec::new();
            write_long(number, &mut out);
            assert_eq!(out, expected, "{number}");
        }
    }

    #[test]
    fn a_count_of_any_length_comes_before_the_items() {
        for (count, expected) in [(1, vec![9, 2, 7]), (64, vec![9, 0x80, 1, 7])] {
            let mut out = vec![9, 0, 7];
            put_count(count, 1, &mut out);
            assert_eq!(out, expected);
        }
    }
}
