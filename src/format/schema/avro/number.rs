use std::borrow::Cow;

/// The most digits of a number with a decimal type: beyond what any system that knows decimals can hold.
const MAX_DIGITS: usize = 1000;

/// A number as it is written: its digits, and how many of them are behind the point.
#[derive(Debug, PartialEq, Eq)]
struct Written<'a> {
    is_negative: bool,
    digits: Cow<'a, str>,
    scale: i64,
}

/// Returns the integer that `text` is, also if it is written `5.0` or `1e3`; `None` if it is none, or is out of range.
pub(super) fn integer(text: &str) -> Option<i64> {
    if let Ok(number) = text.parse() {
        return Some(number);
    }
    let number = written(text)?;
    let digits = scaled(&number, 0)?;
    if number.is_negative { format!("-{digits}").parse().ok() } else { digits.parse().ok() }
}

/// Returns the unscaled value of a decimal in two's complement, as short as can be; `None` if `text` is no number or has
/// more digits than the type.
pub(super) fn decimal(text: &str, precision: usize, scale: usize) -> Option<Vec<u8>> {
    let number = written(text)?;
    let digits = scaled(&number, scale)?;
    if digits.trim_start_matches('0').len() > precision {
        return None;
    }
    Some(twos_complement(magnitude(&digits), number.is_negative))
}

/// Reads a number as JSON has them.
fn written(text: &str) -> Option<Written<'_>> {
    let (is_negative, unsigned) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let is_number = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !is_number(whole) || !is_number(fraction) || mantissa.ends_with('.') {
        return None;
    }
    let exponent: i32 = exponent.parse().ok()?;
    let digits = if fraction.is_empty() { Cow::Borrowed(whole) } else { Cow::Owned(format!("{whole}{fraction}")) };
    Some(Written { is_negative, digits, scale: i64::try_from(fraction.len()).ok()? - i64::from(exponent) })
}

/// Returns the digits of the number times ten to the power of `scale`; `None` if that is no integer or too long.
fn scaled(number: &Written<'_>, scale: usize) -> Option<String> {
    let digits = number.digits.trim_start_matches('0');
    if digits.is_empty() {
        return Some("0".into());
    }
    let shift = i64::try_from(scale).ok()?.checked_sub(number.scale)?;
    let steps = usize::try_from(shift.unsigned_abs()).ok()?;
    if shift >= 0 {
        return (digits.len().checked_add(steps)? <= MAX_DIGITS).then(|| format!("{digits}{}", "0".repeat(steps)));
    }
    let (kept, dropped) = digits.split_at_checked(digits.len().checked_sub(steps)?)?;
    let is_exact = kept.len() <= MAX_DIGITS && dropped.bytes().all(|digit| digit == b'0');
    is_exact.then(|| if kept.is_empty() { "0".into() } else { kept.to_owned() })
}

/// Returns the bytes of a number, the lowest first.
fn magnitude(digits: &str) -> Vec<u8> {
    let mut bytes: Vec<u8> = Vec::new();
    for digit in digits.bytes() {
        let mut carry = u16::from(digit.wrapping_sub(b'0'));
        for byte in &mut bytes {
            let [low, high] = (u16::from(*byte) * 10 + carry).to_le_bytes();
            (*byte, carry) = (low, u16::from(high));
        }
        if carry > 0 {
            bytes.push(carry.to_le_bytes()[0]);
        }
    }
    bytes
}

/// Turns a magnitude, the lowest byte first, into the shortest two's complement, the highest byte first.
fn twos_complement(mut bytes: Vec<u8>, is_negative: bool) -> Vec<u8> {
    bytes.push(0);
    if is_negative {
        let mut carry = true;
        for byte in &mut bytes {
            (*byte, carry) = (!*byte).overflowing_add(u8::from(carry));
        }
    }
    let sign = if is_negative { 0xff } else { 0 };
    while let [.., below, last] = bytes[..]
        && last == sign
        && (below ^ sign) < 0x80
    {
        bytes.pop();
    }
    bytes.reverse();
    bytes
}

/// Fills a two's complement up to `size` bytes; `None` if it is longer, or if the size is of no use for numbers.
pub(super) fn widened(bytes: &[u8], size: usize) -> Option<Vec<u8>> {
    let missing = size.checked_sub(bytes.len()).filter(|missing| *missing <= MAX_DIGITS)?;
    let sign = if bytes.first().is_some_and(|first| *first >= 0x80) { 0xff } else { 0 };
    let mut wide = vec![sign; missing];
    wide.extend_from_slice(bytes);
    Some(wide)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn integers_are_integers_however_they_are_written() {
        let cases = [
            ("0", Some(0)),
            ("-0", Some(0)),
            ("-0.0e5", Some(0)),
            ("5.0", Some(5)),
            ("1.5", None),
            ("1e3", Some(1000)),
            ("1.25E+2", Some(125)),
            ("1200e-2", Some(12)),
            ("1200e-3", None),
            ("9223372036854775807", Some(i64::MAX)),
            ("-9223372036854775808.0", Some(i64::MIN)),
            ("9223372036854775808", None),
            ("1e999999999", None),
            ("1e99999999999", None),
            ("0e999999999", Some(0)),
            ("1e-999999999", None),
            ("1.", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(integer(text), expected, "{text}");
        }
    }

    #[test]
    fn decimals_keep_to_their_precision_and_scale() {
        let cases: [(&str, Option<&[u8]>); 12] = [
            ("0", Some(&[0])),
            ("1.27", Some(&[127])),
            ("1.28", Some(&[0, 128])),
            ("-1.28", Some(&[128])),
            ("-1.29", Some(&[255, 127])),
            ("-0.01", Some(&[255])),
            ("1.280", Some(&[0, 128])),
            ("99.99", Some(&[39, 15])),
            ("100", None),
            ("0.001", None),
            ("a", None),
            ("1e1000000", None),
        ];
        for (text, expected) in cases {
            assert_eq!(decimal(text, 4, 2).as_deref(), expected, "{text}");
        }
        assert_eq!(widened(&[0xfe], 3), Some(vec![0xff, 0xff, 0xfe]));
        assert_eq!(widened(&[0, 0xfe], 1), None);
    }

    proptest! {
        #[test]
        fn a_decimal_is_the_two_complement_of_its_digits(number in any::<i128>()) {
            let bytes = decimal(&number.to_string(), 40, 0).unwrap();
            prop_assert_eq!(i128::from_be_bytes(widened(&bytes, 16).unwrap().try_into().unwrap()), number);
            prop_assert!(bytes.len() == 1 || widened(&bytes[1..], bytes.len()).unwrap() != bytes, "it is the shortest");
        }

        #[test]
        fn any_text_is_no_panic(text in "[-0-9.eE+]{0,12}") {
            integer(&text);
            decimal(&text, 10, 3);
        }
    }
}
