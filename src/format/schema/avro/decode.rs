use super::node::{Graph, MAX_DEPTH, Node, NodeId, Record, Union};
use crate::format::schema::Undecodable;
use crate::format::schema::not_finite::not_finite;
use crate::format::schema::varint::{read_varint, unzigzag};

/// What a payload may become at least, and how many times its size: names and tags make it longer, but a hostile schema
/// would make gigabytes of kilobytes.
const LEAST_OUTPUT: usize = 1 << 20;
const MOST_GROWTH: usize = 128;

type Result<T> = std::result::Result<T, Undecodable>;

/// Writes payloads as JSON.
pub(super) struct Decoder<'a> {
    graph: &'a Graph,
    payload: &'a [u8],
    at: usize,
    out: &'a mut Vec<u8>,
    /// The length of `out` that is not to be passed.
    limit: usize,
    depth: usize,
}

impl<'a> Decoder<'a> {
    pub fn new(graph: &'a Graph, payload: &'a [u8], out: &'a mut Vec<u8>) -> Decoder<'a> {
        let limit = out.len().saturating_add(LEAST_OUTPUT).saturating_add(payload.len().saturating_mul(MOST_GROWTH));
        Decoder { graph, payload, at: 0, out, limit, depth: 0 }
    }

    /// Reads the whole payload, which is without a length if it is nothing but bytes: so the registry's serializers
    /// write them.
    pub fn read(mut self) -> Result<()> {
        if let Node::Bytes(_) = self.graph.nodes[self.graph.root] {
            self.latin(self.payload);
            return Ok(());
        }
        self.value(self.graph.root)?;
        match self.payload.len() - self.at {
            0 => Ok(()),
            left => Err(self.problem(&format!("{left} bytes are left after the value"))),
        }
    }

    fn problem(&self, what: &str) -> Undecodable {
        Undecodable::new(format!("The payload does not fit its Avro schema: {what} (at byte {}).", self.at))
    }

    fn value(&mut self, id: NodeId) -> Result<()> {
        if self.depth == MAX_DEPTH {
            return Err(self.problem(&format!("it is nested deeper than {MAX_DEPTH} levels")));
        }
        if self.out.len() > self.limit {
            return Err(self.problem("its JSON would be too large"));
        }
        self.depth += 1;
        let graph = self.graph;
        match &graph.nodes[id] {
            Node::Null => self.out.extend_from_slice(b"null"),
            Node::Boolean => self.boolean()?,
            Node::Int(_) => self.int()?,
            Node::Long(_) => {
                let number = self.long()?;
                self.integer(number);
            }
            Node::Float => self.float()?,
            Node::Double => self.double()?,
            Node::Bytes(_) => self.sized_bytes()?,
            Node::String => self.string()?,
            Node::Array(item) => self.array(*item)?,
            Node::Map(value) => self.map(*value)?,
            Node::Enum(schema) => self.symbol(&schema.symbols)?,
            Node::Fixed { size, .. } => {
                let bytes = self.take(*size)?;
                self.latin(bytes);
            }
            Node::Record(record) => self.record(record)?,
            Node::Union(union) => self.union(union)?,
        }
        self.depth -= 1;
        Ok(())
    }

    fn take(&mut self, size: usize) -> Result<&'a [u8]> {
        let end = self.at.checked_add(size);
        let Some(bytes) = end.and_then(|end| self.payload.get(self.at..end)) else {
            return Err(self.problem("it ends in the middle of a value"));
        };
        self.at += size;
        Ok(bytes)
    }

    fn byte(&mut self) -> Result<u8> {
        let Some(byte) = self.payload.get(self.at) else {
            return Err(self.problem("it ends in the middle of a value"));
        };
        self.at += 1;
        Ok(*byte)
    }

    fn long(&mut self) -> Result<i64> {
        match read_varint(|| self.byte())? {
            Some(number) => Ok(unzigzag(number)),
            None => Err(self.problem("a number is longer than a long")),
        }
    }

    fn int(&mut self) -> Result<()> {
        let number = self.long()?;
        if i32::try_from(number).is_err() {
            return Err(self.problem("a number is out of the range of an int"));
        }
        self.integer(number);
        Ok(())
    }

    fn integer(&mut self, number: i64) {
        self.out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
    }

    fn boolean(&mut self) -> Result<()> {
        let text: &[u8] = match self.byte()? {
            0 => b"false",
            1 => b"true",
            _ => return Err(self.problem("a boolean is neither 0 nor 1")),
        };
        self.out.extend_from_slice(text);
        Ok(())
    }

    fn float(&mut self) -> Result<()> {
        let mut bytes = [0; 4];
        bytes.copy_from_slice(self.take(4)?);
        let number = f32::from_le_bytes(bytes);
        match not_finite(number.into()) {
            Some(name) => self.json(name),
            None => self.json(&number),
        }
    }

    fn double(&mut self) -> Result<()> {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(self.take(8)?);
        let number = f64::from_le_bytes(bytes);
        match not_finite(number) {
            Some(name) => self.json(name),
            None => self.json(&number),
        }
    }

    fn json<T: serde::Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        serde_json::to_writer(&mut *self.out, value).map_err(|error| self.problem(&error.to_string()))
    }

    fn sized(&mut self) -> Result<&'a [u8]> {
        let size = self.long()?;
        let Ok(size) = usize::try_from(size) else { return Err(self.problem("a length is negative")) };
        self.take(size)
    }

    fn sized_bytes(&mut self) -> Result<()> {
        let bytes = self.sized()?;
        self.latin(bytes);
        Ok(())
    }

    /// Writes bytes as a string of the characters U+0000 to U+00FF.
    fn latin(&mut self, bytes: &[u8]) {
        const HEX: &[u8; 16] = b"0123456789abcdef";
        self.out.reserve(bytes.len() + 2);
        self.out.push(b'"');
        for &byte in bytes {
            match byte {
                b'"' | b'\\' => self.out.extend_from_slice(&[b'\\', byte]),
                0..0x20 => {
                    let digits = [HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 0xf)]];
                    self.out.extend_from_slice(&[b'\\', b'u', b'0', b'0', digits[0], digits[1]]);
                }
                0x20..0x80 => self.out.push(byte),
                0x80.. => self.out.extend_from_slice(&[0xc0 | (byte >> 6), 0x80 | (byte & 0x3f)]),
            }
        }
        self.out.push(b'"');
    }

    fn string(&mut self) -> Result<()> {
        let bytes = self.sized()?;
        let Ok(text) = std::str::from_utf8(bytes) else { return Err(self.problem("a string is not UTF-8")) };
        self.json(text)
    }

    fn symbol(&mut self, symbols: &[Box<str>]) -> Result<()> {
        let index = self.long()?;
        match usize::try_from(index).ok().and_then(|index| symbols.get(index)) {
            Some(symbol) => self.json(&**symbol),
            None => Err(self.problem("an enum has no symbol of that number")),
        }
    }

    fn record(&mut self, record: &'a Record) -> Result<()> {
        self.out.push(b'{');
        for (at, field) in record.fields.iter().enumerate() {
            if at > 0 {
                self.out.push(b',');
            }
            self.out.extend_from_slice(field.key.as_bytes());
            self.value(field.node)?;
        }
        self.out.push(b'}');
        Ok(())
    }

    fn union(&mut self, union: &'a Union) -> Result<()> {
        let index = self.long()?;
        let Some(branch) = usize::try_from(index).ok().and_then(|index| union.branches.get(index)) else {
            return Err(self.problem("a union has no branch of that number"));
        };
        if matches!(self.graph.nodes[branch.node], Node::Null) {
            return self.value(branch.node);
        }
        self.out.extend_from_slice(branch.opening.as_bytes());
        self.value(branch.node)?;
        self.out.push(b'}');
        Ok(())
    }

    fn array(&mut self, item: NodeId) -> Result<()> {
        self.out.push(b'[');
        self.blocks(|decoder| decoder.value(item))?;
        self.out.push(b']');
        Ok(())
    }

    fn map(&mut self, value: NodeId) -> Result<()> {
        self.out.push(b'{');
        self.blocks(|decoder| {
            decoder.string()?;
            decoder.out.push(b':');
            decoder.value(value)
        })?;
        self.out.push(b'}');
        Ok(())
    }

    /// Reads the items of an array or map. However many are claimed, each adds to `out`, which has its limit.
    fn blocks(&mut self, mut item: impl FnMut(&mut Self) -> Result<()>) -> Result<()> {
        let mut is_first = true;
        loop {
            let count = self.long()?;
            if count == 0 {
                return Ok(());
            }
            // A negative count has the size of the block behind it, for readers that pass over it.
            if count < 0 && self.long()? < 0 {
                return Err(self.problem("the size of a block is negative"));
            }
            for _ in 0..count.unsigned_abs() {
                if !is_first {
                    self.out.push(b',');
                }
                is_first = false;
                item(self)?;
            }
        }
    }
}
