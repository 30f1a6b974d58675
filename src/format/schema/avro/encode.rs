use std::borrow::Cow;

use super::binary::{put_count, write_long, write_size};
use super::cursor::Cursor;
use super::node::{Enum, Graph, Logical, MAX_DEPTH, Node, NodeId};
use super::{logical, number};
use crate::format::schema::Mismatch;

pub(super) type Result<T> = std::result::Result<T, Mismatch>;

/// How much may be added to a document by the defaults of its schema, each counting as a byte more than it is long.
const MAX_DEFAULTS: usize = 16 << 20;

/// What documents are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// Avro's JSON encoding.
    Strict,
    /// Also what has one meaning only: untagged unions, absent fields with a default, texts of logical types.
    Lenient,
    /// The default of a field in a schema: unions are untagged, and their first branch that fits is meant.
    Default,
}

/// Writes a document as Avro.
pub(super) struct Encoder<'a> {
    pub(super) graph: &'a Graph,
    pub(super) mode: Mode,
    pub(super) cursor: Cursor<'a>,
    pub(super) out: &'a mut Vec<u8>,
    /// Whether members that are no fields are refused: a branch that would drop some of a value is not the one meant.
    pub(super) is_exact: bool,
    /// How much text may still be read to try the branches of unions.
    pub(super) trials_left: usize,
    defaults_left: usize,
    depth: usize,
}

impl<'a> Encoder<'a> {
    pub fn new(graph: &'a Graph, mode: Mode, text: &'a str, out: &'a mut Vec<u8>) -> Encoder<'a> {
        let trials_left = text.len().saturating_mul(64).saturating_add(4096);
        let cursor = Cursor::new(text);
        Encoder { graph, mode, cursor, out, is_exact: false, trials_left, defaults_left: MAX_DEFAULTS, depth: 0 }
    }

    /// Writes the whole document. If bytes are all there is, then the serializers of the registry write them without
    /// their length, and read them so.
    pub fn write(mut self) -> Result<()> {
        if let Node::Bytes(logical) = self.graph.nodes[self.graph.root] {
            let bytes = self.read_bytes(logical)?;
            self.out.extend_from_slice(&bytes);
            return Ok(());
        }
        self.value(self.graph.root)
    }

    pub(super) fn mismatch<T>(&mut self, expected: impl Into<String>) -> Result<T> {
        Err(Mismatch::new(expected, self.cursor.kind()))
    }

    pub(super) fn value(&mut self, id: NodeId) -> Result<()> {
        if self.depth == MAX_DEPTH {
            return Err(Mismatch::new(format!("no more than {MAX_DEPTH} levels of nesting"), "more"));
        }
        self.depth += 1;
        let graph = self.graph;
        let result = match &graph.nodes[id] {
            Node::Null => self.null(),
            Node::Boolean => self.boolean(),
            Node::Int(logical) => self.int(*logical),
            Node::Long(logical) => self.long(*logical, "a long", i64::MIN, i64::MAX),
            Node::Float => self.float(),
            Node::Double => self.double(),
            Node::Bytes(logical) => self.bytes(*logical),
            Node::String => self.string("a string"),
            Node::Array(item) => self.array(*item),
            Node::Map(value) => self.map(*value),
            Node::Enum(schema) => self.symbol(schema),
            Node::Fixed { size, logical } => self.fixed(*size, *logical),
            Node::Record(record) => self.record(record),
            Node::Union(union) => self.union(union),
        };
        self.depth -= 1;
        result
    }

    fn null(&mut self) -> Result<()> {
        if self.cursor.peek() != b'n' {
            return self.mismatch("null");
        }
        self.cursor.word();
        Ok(())
    }

    fn boolean(&mut self) -> Result<()> {
        let byte = match self.cursor.peek() {
            b't' => 1,
            b'f' => 0,
            _ => return self.mismatch("true or false"),
        };
        self.cursor.word();
        self.out.push(byte);
        Ok(())
    }

    fn int(&mut self, logical: Logical) -> Result<()> {
        self.long(logical, "an int", i32::MIN.into(), i32::MAX.into())
    }

    fn long(&mut self, logical: Logical, what: &str, least: i64, most: i64) -> Result<()> {
        let is_lenient = self.mode == Mode::Lenient;
        let number = match (self.cursor.peek(), logical::example(logical).filter(|_| is_lenient)) {
            (b'-' | b'0'..=b'9', _) => number::integer(self.cursor.word()),
            (b'"', Some(example)) => {
                let text = self.text(example)?;
                let number = logical::number(logical, &text);
                Some(number.ok_or_else(|| Mismatch::new(format!("{what} or {example}"), "another string"))?)
            }
            _ => return self.mismatch(what),
        };
        match number {
            Some(number) if (least..=most).contains(&number) => {
                write_long(number, self.out);
                Ok(())
            }
            _ => Err(Mismatch::new(format!("{what}, a whole number from {least} to {most}"), "another number")),
        }
    }

    fn float(&mut self) -> Result<()> {
        let number: f32 = self.floating("a float")?;
        self.out.extend_from_slice(&number.to_le_bytes());
        Ok(())
    }

    fn double(&mut self) -> Result<()> {
        let number: f64 = self.floating("a double")?;
        self.out.extend_from_slice(&number.to_le_bytes());
        Ok(())
    }

    /// Reads a number, or one of the three texts for what JSON has no number for.
    fn floating<T: std::str::FromStr + Into<f64> + Copy>(&mut self, what: &str) -> Result<T> {
        let (text, is_number) = match self.cursor.peek() {
            b'-' | b'0'..=b'9' => (Cow::Borrowed(self.cursor.word()), true),
            b'"' => (self.text(what)?, false),
            _ => return self.mismatch(what),
        };
        let number = text.parse::<T>().ok();
        match number {
            Some(number) if is_number && number.into().is_finite() => Ok(number),
            Some(number) if matches!(&*text, "NaN" | "Infinity" | "-Infinity") => Ok(number),
            _ if is_number => Err(Mismatch::new(what, "a number out of its range")),
            _ => Err(Mismatch::new(format!("{what}, or \"NaN\", \"Infinity\" or \"-Infinity\""), "another string")),
        }
    }

    /// Reads a string, which comes next.
    fn text(&mut self, what: &str) -> Result<Cow<'a, str>> {
        self.cursor.string().map_err(|_| Mismatch::new(what, "a string with half of a surrogate pair"))
    }

    fn string(&mut self, what: &str) -> Result<()> {
        if self.cursor.peek() != b'"' {
            return self.mismatch(what);
        }
        let text = self.text(what)?;
        write_size(text.len(), self.out);
        self.out.extend_from_slice(text.as_bytes());
        Ok(())
    }

    fn symbol(&mut self, schema: &Enum) -> Result<()> {
        if self.cursor.peek() != b'"' {
            return self.mismatch(one_of(&schema.symbols));
        }
        let text = self.text("a symbol of the enum")?;
        match schema.index.get(&*text) {
            Some(index) => {
                write_size(*index, self.out);
                Ok(())
            }
            None => Err(Mismatch::new(one_of(&schema.symbols), "another string")),
        }
    }

    fn bytes(&mut self, logical: Logical) -> Result<()> {
        let bytes = self.read_bytes(logical)?;
        write_size(bytes.len(), self.out);
        self.out.extend_from_slice(&bytes);
        Ok(())
    }

    fn read_bytes(&mut self, logical: Logical) -> Result<Cow<'a, [u8]>> {
        match self.lenient_decimal(logical)? {
            Some(decimal) => Ok(Cow::Owned(decimal)),
            None => self.latin(),
        }
    }

    fn fixed(&mut self, size: usize, logical: Logical) -> Result<()> {
        if let Some(decimal) = self.lenient_decimal(logical)? {
            let Some(decimal) = number::widened(&decimal, size) else {
                return Err(Mismatch::new(format!("a decimal that fits into {size} bytes"), "a larger one"));
            };
            self.out.extend_from_slice(&decimal);
            return Ok(());
        }
        let bytes = self.latin()?;
        // A UUID has 16 bytes and its text more.
        if logical == Logical::Uuid
            && self.mode == Mode::Lenient
            && bytes.len() != size
            && let Ok(uuid) = uuid::Uuid::try_parse_ascii(&bytes)
        {
            self.out.extend_from_slice(uuid.as_bytes());
            return Ok(());
        }
        if bytes.len() != size {
            let expected = format!("{size} bytes as a string of as many characters U+0000 to U+00FF");
            return Err(Mismatch::new(expected, format!("a string of {} characters", bytes.len())));
        }
        self.out.extend_from_slice(&bytes);
        Ok(())
    }

    /// Reads a string that has a byte for each character.
    fn latin(&mut self) -> Result<Cow<'a, [u8]>> {
        const EXPECTED: &str = "bytes as a string of the characters U+0000 to U+00FF";
        if self.cursor.peek() != b'"' {
            return self.mismatch(EXPECTED);
        }
        let text = self.text(EXPECTED)?;
        match text {
            Cow::Borrowed(text) if text.is_ascii() => Ok(Cow::Borrowed(text.as_bytes())),
            text => {
                let bytes: Option<Vec<u8>> = text.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect();
                bytes.map(Cow::Owned).ok_or_else(|| Mismatch::new(EXPECTED, "a string with other characters"))
            }
        }
    }

    /// Reads a decimal that is written as one; `None` if what comes next is to be read as the base type.
    fn lenient_decimal(&mut self, logical: Logical) -> Result<Option<Vec<u8>>> {
        let (Logical::Decimal { precision, scale }, Mode::Lenient) = (logical, self.mode) else { return Ok(None) };
        let what = || format!("a decimal of up to {precision} digits, of which up to {scale} are behind the point");
        let text = match self.cursor.peek() {
            b'-' | b'0'..=b'9' => Cow::Borrowed(self.cursor.word()),
            b'"' => self.text("a decimal")?,
            _ => return self.mismatch(what()),
        };
        match number::decimal(&text, precision, scale) {
            Some(decimal) => Ok(Some(decimal)),
            None => Err(Mismatch::new(what(), "another number or string")),
        }
    }

    fn array(&mut self, item: NodeId) -> Result<()> {
        if !self.cursor.take(b'[') {
            return self.mismatch("an array");
        }
        let (start, mut count) = (self.out.len(), 0);
        self.out.push(0);
        while self.cursor.goes_on(count == 0, b']') {
            self.value(item).map_err(|mismatch| mismatch.in_item(count))?;
            count += 1;
        }
        self.end_block(count, start);
        Ok(())
    }

    fn map(&mut self, value: NodeId) -> Result<()> {
        if !self.cursor.take(b'{') {
            return self.mismatch("an object, which is a map");
        }
        let (start, mut count) = (self.out.len(), 0);
        self.out.push(0);
        while self.cursor.goes_on(count == 0, b'}') {
            let name = self.name()?;
            write_size(name.len(), self.out);
            self.out.extend_from_slice(name.as_bytes());
            self.value(value).map_err(|mismatch| mismatch.in_member(&name))?;
            count += 1;
        }
        self.end_block(count, start);
        Ok(())
    }

    /// Ends an array or map, which is one block, and none if it is empty.
    fn end_block(&mut self, count: usize, start: usize) {
        if count > 0 {
            put_count(count, start, self.out);
            self.out.push(0);
        }
    }

    /// Takes the name of a member.
    pub(super) fn name(&mut self) -> Result<Cow<'a, str>> {
        self.cursor.name().map_err(|_| Mismatch::new("names of Unicode characters", "half of a surrogate pair"))
    }

    /// Writes the default of a field.
    pub(super) fn default(&mut self, node: NodeId, default: &'a str) -> Result<()> {
        let (start, mode) = (self.out.len(), self.mode);
        let document = std::mem::replace(&mut self.cursor, Cursor::new(default));
        self.mode = Mode::Default;
        let result = self.value(node);
        self.cursor = document;
        self.mode = mode;
        result.map_err(|_| Mismatch::new("a value, as the default in the schema does not fit its type", "nothing"))?;
        let cost = self.out.len().saturating_sub(start) + 1;
        match self.defaults_left.checked_sub(cost) {
            Some(left) => self.defaults_left = left,
            None => return Err(Mismatch::new("fewer absent fields", "defaults of more than 16 MiB")),
        }
        Ok(())
    }
}

/// Names some of the symbols.
fn one_of(symbols: &[Box<str>]) -> String {
    let shown: Vec<_> = symbols.iter().take(8).map(|symbol| format!("\"{symbol}\"")).collect();
    let more = if symbols.len() > shown.len() { " or another symbol of the enum" } else { "" };
    format!("one of {}{more}", shown.join(", "))
}
