use bytes::Bytes;

use crate::format::{Piece, Splitter};

/// Cuts an object that comes in pieces into its members, wherever the pieces begin and end.
///
/// Holds one member at most. What is inside of names and values is for the parser.
pub struct Members {
    splitter: Splitter,
    expected: Expected,
    /// The name whose value has not come.
    name: Bytes,
}

/// What comes next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Expected {
    Object,
    NameOrEnd,
    Name,
    Colon,
    Value,
    CommaOrEnd,
    Nothing,
}

/// What an object consists of.
#[derive(Debug, PartialEq, Eq)]
pub enum Member {
    /// A member.
    Of {
        /// The JSON text of its name, with the quotes.
        name: Bytes,
        /// The JSON text of its value, if it is JSON.
        value: Bytes,
    },
    /// Something that is not part of an object, or follows it; nothing can be read after it.
    Garbage,
    /// A name or value of more bytes than are allowed; nothing is read after it.
    TooLarge,
}

impl Members {
    /// Returns a splitter for an object with names and values of up to `limit` bytes each.
    pub fn new(limit: usize) -> Members {
        Members { splitter: Splitter::new(limit), expected: Expected::Object, name: Bytes::new() }
    }

    /// Adds what has come; everything before has to be taken by [`Self::next_member`] until it gave `None`.
    pub fn push(&mut self, chunk: Bytes) {
        self.splitter.push(chunk);
    }

    /// Tells whether the object has ended: a body that ends before is cut off.
    pub fn is_complete(&self) -> bool {
        self.expected == Expected::Nothing
    }

    /// Returns the next member that is here completely.
    pub fn next_member(&mut self) -> Option<Member> {
        loop {
            let found = match self.expected {
                Expected::Name | Expected::Value => self.document()?,
                Expected::NameOrEnd if self.splitter.is_amid_document() => self.document()?,
                _ => self.mark()?,
            };
            if found.is_some() {
                return found;
            }
        }
    }

    /// Reads a name or value; a member is complete with its value. `None` is for more to come, `Some(None)` to go on.
    fn document(&mut self) -> Option<Option<Member>> {
        let document = match self.splitter.next_piece()? {
            Piece::Document(document) => document,
            Piece::Garbage => return Some(Some(Member::Garbage)),
            Piece::TooLarge => return Some(Some(Member::TooLarge)),
        };
        if self.expected == Expected::Value {
            self.expected = Expected::CommaOrEnd;
            return Some(Some(Member::Of { name: std::mem::take(&mut self.name), value: document }));
        }
        if document.first() != Some(&b'"') {
            return Some(Some(Member::Garbage));
        }
        self.expected = Expected::Colon;
        self.name = document;
        Some(None)
    }

    /// Reads what stands between names and values.
    fn mark(&mut self) -> Option<Option<Member>> {
        let mark = self.splitter.peek()?;
        self.expected = match (self.expected, mark) {
            (Expected::Object, b'{') => Expected::NameOrEnd,
            (Expected::NameOrEnd, b'"') => {
                self.expected = Expected::Name;
                return Some(None);
            }
            (Expected::NameOrEnd | Expected::CommaOrEnd, b'}') => Expected::Nothing,
            (Expected::Colon, b':') => Expected::Value,
            (Expected::CommaOrEnd, b',') => Expected::Name,
            _ => return Some(Some(Member::Garbage)),
        };
        self.splitter.skip_mark();
        Some(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn split(body: &[u8], lengths: &[usize], limit: usize) -> (Vec<Member>, bool) {
        let (mut members, mut found, mut rest) = (Members::new(limit), Vec::new(), Bytes::copy_from_slice(body));
        let mut lengths = lengths.iter().copied().chain(std::iter::repeat(usize::MAX));
        while !rest.is_empty() {
            members.push(rest.split_to(lengths.next().unwrap_or(1).clamp(1, rest.len())));
            while let Some(member) = members.next_member() {
                let is_end = !matches!(member, Member::Of { .. });
                found.push(member);
                if is_end {
                    return (found, false);
                }
            }
        }
        (found, members.is_complete())
    }

    fn texts(body: &str) -> Vec<String> {
        let (members, complete) = split(body.as_bytes(), &[], 20);
        let text = |bytes: &Bytes| String::from_utf8(bytes.to_vec()).unwrap();
        let mut texts: Vec<_> = members
            .iter()
            .map(|member| match member {
                Member::Of { name, value } => format!("{}={}", text(name), text(value)),
                Member::Garbage => "garbage".into(),
                Member::TooLarge => "too large".into(),
            })
            .collect();
        if complete {
            texts.push("end".into());
        }
        texts
    }

    #[test]
    fn members_end_where_they_end() {
        let cases: [(&str, &[&str]); 15] = [
            ("{}", &["end"]),
            (" { } \n", &["end"]),
            (r#"{"a":{"b":"}"},"c":1}"#, &[r#""a"={"b":"}"}"#, r#""c"=1"#, "end"]),
            (r#" { "a" : null , "\"," : [ 1 ] } "#, &[r#""a"=null"#, r#""\","=[ 1 ]"#, "end"]),
            (r#"{"a":1"#, &[]),
            (r#"{"a":{}"#, &[r#""a"={}"#]),
            (r#"{"a":{}}{}"#, &[r#""a"={}"#, "garbage"]),
            (r#"{"a":{},}"#, &[r#""a"={}"#, "garbage"]),
            (r#"{a:1}"#, &["garbage"]),
            (r#"{1:1}"#, &["garbage"]),
            (r#"{,}"#, &["garbage"]),
            (r#"{"a"}"#, &["garbage"]),
            (r#"{"a":1 2}"#, &[r#""a"=1"#, "garbage"]),
            (r#"["a"]"#, &["garbage"]),
            (r#"{"a":"123456789012345678","b":"1234567890123456789"}"#, &[r#""a"="123456789012345678""#, "too large"]),
        ];
        for (body, expected) in cases {
            assert_eq!(texts(body), expected, "{body}");
        }
    }

    proptest! {
        #[test]
        fn any_chunking_gives_the_same_members(
            members in prop::collection::vec((any::<String>(), any::<Vec<u16>>(), "[ \n\r\t]{0,2}"), 0..6),
            lengths in prop::collection::vec(1usize..9, 0..64),
        ) {
            let quoted = |name: &String| serde_json::to_string(name).unwrap();
            let list = |value: &Vec<u16>| serde_json::to_string(value).unwrap();
            let text: Vec<_> = members
                .iter()
                .map(|(name, value, space)| format!("{space}{}{space}:{space}{}{space}", quoted(name), list(value)))
                .collect();
            let expected: Vec<_> = members
                .iter()
                .map(|(name, value, _)| Member::Of { name: quoted(name).into(), value: list(value).into() })
                .collect();
            let body = format!("{{{}}}", text.join(","));
            prop_assert_eq!(split(body.as_bytes(), &lengths, usize::MAX), (expected, true));
        }

        #[test]
        fn any_bytes_give_the_same_members_however_they_come(
            body in prop_oneof![any::<Vec<u8>>(), r#"\{[\[\]{}:,"0-9a-z.\\ -]{0,64}"#.prop_map(String::into_bytes)],
            lengths in prop::collection::vec(1usize..9, 0..64),
        ) {
            prop_assert_eq!(split(&body, &lengths, usize::MAX), split(&body, &[], usize::MAX));
        }
    }
}
