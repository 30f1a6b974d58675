use bytes::{Buf, Bytes, BytesMut};

/// Cuts a body that comes in pieces into its JSON documents, wherever the pieces begin and end.
///
/// Finds where documents end and no more: what is inside is for the parser.
#[derive(Default)]
pub struct Splitter {
    /// What is not looked at yet.
    input: Bytes,
    /// The beginning of a document whose end has not come.
    partial: BytesMut,
    inside: Inside,
    began: bool,
    limit: usize,
}

/// What the last byte that was looked at belongs to.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Inside {
    /// To no document.
    #[default]
    Nothing,
    /// A number or a word.
    Scalar,
    /// A text that is a document.
    Text { escaped: bool },
    /// Objects and lists.
    Nested { depth: usize },
    /// A text in them.
    NestedText { depth: usize, escaped: bool },
}

/// What a body consists of.
#[derive(Debug, PartialEq, Eq)]
pub enum Piece {
    /// A document, if it is JSON.
    Document(Bytes),
    /// Something that no JSON document begins with, or one that is cut off; nothing can be read after it.
    Garbage,
    /// A document of more bytes than are allowed; nothing is read after it.
    TooLarge,
}

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

impl Splitter {
    /// Returns a splitter for documents of up to `limit` bytes.
    pub fn new(limit: usize) -> Splitter {
        Splitter { limit, ..Splitter::default() }
    }

    /// Adds what has come; everything before has to be taken by [`Self::next_piece`] until it gave `None`.
    pub fn push(&mut self, chunk: Bytes) {
        self.input = chunk;
        if !std::mem::replace(&mut self.began, true) && self.input.starts_with(BYTE_ORDER_MARK) {
            self.input.advance(BYTE_ORDER_MARK.len());
        }
    }

    /// Returns the bytes of a document whose end has not come.
    pub fn partial_bytes(&self) -> usize {
        self.partial.len()
    }

    /// Tells whether the beginning of a document is here and its end is not.
    pub fn is_amid_document(&self) -> bool {
        self.inside != Inside::Nothing
    }

    /// Returns the next document that is here completely.
    pub fn next_piece(&mut self) -> Option<Piece> {
        if self.inside == Inside::Nothing {
            self.skip_space();
        }
        let mut at = 0;
        while at < self.input.len() {
            let (next, inside) = step(self.inside, &self.input, at);
            let Some(inside) = inside else { return Some(Piece::Garbage) };
            at = next;
            self.inside = inside;
            if inside == Inside::Nothing {
                return Some(self.take(at));
            }
        }
        if self.partial.len() + self.input.len() > self.limit {
            return Some(Piece::TooLarge);
        }
        self.partial.extend_from_slice(&self.input);
        self.input = Bytes::new();
        None
    }

    /// Returns the next byte that is no white space, between documents.
    pub(super) fn peek(&mut self) -> Option<u8> {
        self.skip_space();
        self.input.first().copied()
    }

    /// Skips the byte that [`Self::peek`] returned.
    pub(super) fn skip_mark(&mut self) {
        self.input.advance(self.input.len().min(1));
    }

    /// Returns what is left at the end of the body.
    pub fn finish(&mut self) -> Option<Piece> {
        match std::mem::take(&mut self.inside) {
            Inside::Nothing => None,
            Inside::Scalar => Some(self.take(0)),
            Inside::Text { .. } | Inside::Nested { .. } | Inside::NestedText { .. } => Some(Piece::Garbage),
        }
    }

    fn skip_space(&mut self) {
        let start = self.input.iter().position(|byte| !matches!(byte, b' ' | b'\t' | b'\n' | b'\r'));
        self.input.advance(start.unwrap_or(self.input.len()));
    }

    fn take(&mut self, length: usize) -> Piece {
        let end = self.input.split_to(length);
        if self.partial.len() + end.len() > self.limit {
            return Piece::TooLarge;
        }
        if self.partial.is_empty() {
            return Piece::Document(end);
        }
        self.partial.extend_from_slice(&end);
        Piece::Document(self.partial.split().freeze())
    }
}

/// Looks at the byte `at`, or at more of a text; returns where to go on and what that is part of. `None` is a byte that
/// cannot stand there.
fn step(inside: Inside, bytes: &[u8], at: usize) -> (usize, Option<Inside>) {
    match inside {
        Inside::Nothing => (at + 1, begin(bytes[at])),
        Inside::Scalar if is_scalar(bytes[at]) => (at + 1, Some(Inside::Scalar)),
        // The byte belongs to what follows.
        Inside::Scalar => (at, Some(Inside::Nothing)),
        Inside::Text { escaped } => {
            let (at, text) = text(bytes, at, escaped);
            (at, Some(text.map_or(Inside::Nothing, |escaped| Inside::Text { escaped })))
        }
        Inside::NestedText { depth, escaped } => {
            let (at, text) = text(bytes, at, escaped);
            (at, Some(text.map_or(Inside::Nested { depth }, |escaped| Inside::NestedText { depth, escaped })))
        }
        Inside::Nested { depth } => nested(bytes, at, depth),
    }
}

fn begin(byte: u8) -> Option<Inside> {
    match byte {
        b'{' | b'[' => Some(Inside::Nested { depth: 1 }),
        b'"' => Some(Inside::Text { escaped: false }),
        b'-' | b'0'..=b'9' | b't' | b'f' | b'n' => Some(Inside::Scalar),
        _ => None,
    }
}

fn is_scalar(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.')
}

/// Skips objects and lists up to a text in them or their end.
fn nested(bytes: &[u8], mut at: usize, mut depth: usize) -> (usize, Option<Inside>) {
    while at < bytes.len() {
        let byte = bytes[at];
        at += 1;
        match byte {
            b'"' => return (at, Some(Inside::NestedText { depth, escaped: false })),
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth == 1 => return (at, Some(Inside::Nothing)),
            b'}' | b']' => depth -= 1,
            _ => {}
        }
    }
    (at, Some(Inside::Nested { depth }))
}

const NEAR_BYTES: usize = 12;

/// Skips a text; returns where it goes on, and whether the byte there is escaped, or `None` at its end.
fn text(bytes: &[u8], mut at: usize, escaped: bool) -> (usize, Option<bool>) {
    if escaped {
        at += 1;
    }
    // Names are shorter than it takes to begin a search.
    let near = |at: usize| bytes[at..].iter().take(NEAR_BYTES).position(|byte| matches!(byte, b'"' | b'\\'));
    let far = |at: usize| memchr::memchr2(b'"', b'\\', &bytes[at..]);
    while let Some(step) = near(at).or_else(|| far(at)) {
        at += step + 1;
        if bytes[at - 1] == b'"' {
            return (at, None);
        }
        if at == bytes.len() {
            return (at, Some(true));
        }
        at += 1;
    }
    (bytes.len(), Some(false))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    /// Cuts `body` into chunks of the given lengths and returns the pieces.
    fn split(body: &[u8], lengths: &[usize], limit: usize) -> Vec<Piece> {
        let (mut splitter, mut pieces, mut rest) = (Splitter::new(limit), Vec::new(), Bytes::copy_from_slice(body));
        let mut lengths = lengths.iter().copied().chain(std::iter::repeat(usize::MAX));
        while !rest.is_empty() {
            splitter.push(rest.split_to(lengths.next().unwrap_or(1).clamp(1, rest.len())));
            while let Some(piece) = splitter.next_piece() {
                let is_end = !matches!(piece, Piece::Document(_));
                pieces.push(piece);
                if is_end {
                    return pieces;
                }
            }
        }
        pieces.extend(splitter.finish());
        pieces
    }

    fn texts(body: &str) -> Vec<String> {
        let text = |piece: Piece| match piece {
            Piece::Document(text) => String::from_utf8(text.to_vec()).unwrap(),
            Piece::Garbage => "garbage".into(),
            Piece::TooLarge => "too large".into(),
        };
        split(body.as_bytes(), &[], 100).into_iter().map(text).collect()
    }

    #[test]
    fn documents_end_where_they_end() {
        let cases: [(&str, &[&str]); 14] = [
            ("{}{} {}\r\n\t{}", &["{}", "{}", "{}", "{}"]),
            ("1 \"a\" true []", &["1", "\"a\"", "true", "[]"]),
            ("null{}", &["null", "{}"]),
            ("1\"a\"2", &["1", "\"a\"", "2"]),
            (r#"{"a":"}\"{"}[[{"]":1}]]"#, &[r#"{"a":"}\"{"}"#, r#"[[{"]":1}]]"#]),
            ("\u{feff}{}", &["{}"]),
            ("{}\u{feff}{}", &["{}", "garbage"]),
            ("{}DEADBEEF{}", &["{}", "garbage"]),
            ("{},{}", &["{}", "garbage"]),
            ("{}}{}", &["{}", "garbage"]),
            ("{}// no\n{}", &["{}", "garbage"]),
            ("{}{\"a\"", &["{}", "garbage"]),
            ("  \n ", &[]),
            ("", &[]),
        ];
        for (body, expected) in cases {
            assert_eq!(texts(body), expected, "{body}");
        }
    }

    #[test]
    fn a_document_has_a_limit() {
        let long = format!("{{\"a\":\"{}\"}}", "x".repeat(92));
        assert_eq!(texts(&long), std::slice::from_ref(&long));
        assert_eq!(texts(&format!("{{}}{long} ")), ["{}".to_string(), long.clone()]);
        assert_eq!(texts(&long.replace("\"}", "x\"}")), ["too large"]);
        assert_eq!(split(&[b'['; 30], &[1; 30], 20), [Piece::TooLarge]);
    }

    #[test]
    fn a_document_in_one_chunk_is_a_slice_of_it() {
        let chunk = Bytes::from_static(b" {\"a\":1} ");
        let mut splitter = Splitter::new(100);
        splitter.push(chunk.clone());
        let Some(Piece::Document(document)) = splitter.next_piece() else { panic!("no document") };
        assert_eq!(document.as_ptr(), chunk[1..].as_ptr());
    }

    fn document() -> impl Strategy<Value = Value> {
        let leaf =
            prop_oneof![Just(Value::Null), any::<i64>().prop_map(Value::from), any::<String>().prop_map(Value::from)];
        leaf.prop_recursive(3, 16, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map(any::<String>(), inner, 0..4).prop_map(|map| map.into_iter().collect()),
            ]
        })
    }

    proptest! {
        #[test]
        fn any_chunking_gives_the_same_documents(
            documents in prop::collection::vec((document(), "[ \n\r\t]{1,3}"), 0..5),
            lengths in prop::collection::vec(1usize..9, 0..64),
        ) {
            let body: String = documents.iter().map(|(document, space)| document.to_string() + space).collect();
            let expected: Vec<_> = documents.iter().map(|(document, _)| Piece::Document(document.to_string().into())).collect();
            prop_assert_eq!(split(body.as_bytes(), &lengths, usize::MAX), expected);
        }

        #[test]
        fn any_bytes_give_the_same_pieces_however_they_come(
            body in prop_oneof![any::<Vec<u8>>(), r#"[\[\]{}:,"0-9a-z.\\ -]{0,64}"#.prop_map(String::into_bytes)],
            lengths in prop::collection::vec(1usize..9, 0..64),
        ) {
            prop_assert_eq!(split(&body, &lengths, usize::MAX), split(&body, &[], usize::MAX));
        }
    }
}
