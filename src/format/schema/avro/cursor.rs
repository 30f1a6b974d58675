use std::borrow::Cow;

/// Reads JSON text that was checked before; never panics on any other, but what it reads then means nothing.
pub(super) struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

/// A string with half of a surrogate pair: no Unicode text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct LoneSurrogate;

impl<'a> Cursor<'a> {
    pub fn new(text: &'a str) -> Cursor<'a> {
        Cursor { text, at: 0 }
    }

    /// Returns the place to return to.
    pub fn place(&self) -> usize {
        self.at
    }

    /// Goes to a place that this cursor was at.
    pub fn go_to(&mut self, place: usize) {
        self.at = place;
    }

    /// Returns the first byte of what comes next, after white space; 0 at the end.
    pub fn peek(&mut self) -> u8 {
        let bytes = self.text.as_bytes();
        while let Some(byte) = bytes.get(self.at) {
            match byte {
                b' ' | b'\t' | b'\n' | b'\r' => self.at += 1,
                other => return *other,
            }
        }
        0
    }

    /// Takes a mark if it comes next.
    pub fn take(&mut self, mark: u8) -> bool {
        let found = self.peek() == mark;
        self.at += usize::from(found);
        found
    }

    /// Tells whether another item or member follows, of which `is_first` tells if there was one; takes the mark between
    /// or the one that ends.
    pub fn goes_on(&mut self, is_first: bool, end: u8) -> bool {
        if self.take(end) {
            return false;
        }
        is_first || self.take(b',')
    }

    /// Takes the name of a member and its colon.
    pub fn name(&mut self) -> Result<Cow<'a, str>, LoneSurrogate> {
        let name = self.string();
        self.take(b':');
        name
    }

    /// Takes a string, which comes next.
    pub fn string(&mut self) -> Result<Cow<'a, str>, LoneSurrogate> {
        let (token, has_escapes) = self.string_token();
        if has_escapes {
            return serde_json::from_str(token).map(Cow::Owned).map_err(|_| LoneSurrogate);
        }
        Ok(Cow::Borrowed(token.get(1..token.len().saturating_sub(1)).unwrap_or_default()))
    }

    /// Takes the text of a string with its quotes; tells whether there are escapes in it.
    fn string_token(&mut self) -> (&'a str, bool) {
        self.peek();
        let (bytes, start, mut has_escapes) = (self.text.as_bytes(), self.at, false);
        let mut at = start + 1;
        while let Some(step) = bytes.get(at..).and_then(|rest| memchr::memchr2(b'"', b'\\', rest)) {
            at += step;
            if bytes[at] == b'"' {
                self.at = at + 1;
                return (self.text.get(start..self.at).unwrap_or_default(), has_escapes);
            }
            has_escapes = true;
            at += 2;
        }
        self.at = bytes.len();
        ("", false)
    }

    /// Takes a number, `true`, `false` or `null`, which comes next.
    pub fn word(&mut self) -> &'a str {
        self.peek();
        let (bytes, start) = (self.text.as_bytes(), self.at);
        while bytes.get(self.at).is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.'))
        {
            self.at += 1;
        }
        self.text.get(start..self.at).unwrap_or_default()
    }

    /// Passes over a value.
    pub fn skip(&mut self) {
        let mut depth = 0_usize;
        loop {
            match self.peek() {
                b'"' => {
                    self.string_token();
                }
                b'{' | b'[' => {
                    depth += 1;
                    self.at += 1;
                }
                b'}' | b']' => {
                    depth = depth.saturating_sub(1);
                    self.at += 1;
                }
                b',' | b':' => self.at += 1,
                0 => return,
                _ if self.word().is_empty() => return,
                _ => {}
            }
            if depth == 0 {
                return;
            }
        }
    }

    /// Says what kind of value comes next.
    pub fn kind(&mut self) -> &'static str {
        match self.peek() {
            b'{' => "an object",
            b'[' => "an array",
            b'"' => "a string",
            b't' | b'f' => "a boolean",
            b'n' => "null",
            _ => "a number",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_skipped_value_leaves_what_follows() {
        for value in ["1", "-1.5e+3", "null", r#""a\"b}""#, "{}", "[]", r#"{"a":[1,{"b":"]"}]}"#, "[[],[ 1 , 2 ]]"] {
            let text = format!(" {value} ,7");
            let mut cursor = Cursor::new(&text);
            cursor.skip();
            assert!(cursor.take(b','), "{value}");
            assert_eq!(cursor.word(), "7", "{value}");
        }
    }

    #[test]
    fn strings_are_read_with_their_escapes() {
        assert_eq!(Cursor::new(r#" "aé" "#).string(), Ok("aé".into()));
        assert_eq!(Cursor::new(r#""\u00e9\n\ud83d\ude00""#).string(), Ok("é\n😀".into()));
        assert_eq!(Cursor::new(r#""\ud83d""#).string(), Err(LoneSurrogate));
    }

    #[test]
    fn text_that_is_no_json_is_no_panic() {
        for text in ["", "\"", "\"\\", "\"\\u12", "{", "[1", "é", "\"é", "}"] {
            Cursor::new(text).skip();
            let mut cursor = Cursor::new(text);
            let _ = cursor.string();
            cursor.word();
            cursor.name().ok();
        }
    }
}
