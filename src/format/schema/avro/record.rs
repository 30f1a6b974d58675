use std::borrow::Cow;

use super::encode::{Encoder, Mode, Result};
use super::node::{Field, Record};
use crate::format::schema::Mismatch;

/// A field that came out of the order of its schema: its place in the schema, and where it is in the output.
struct Placed {
    field: usize,
    start: usize,
    end: usize,
}

impl<'a> Encoder<'a> {
    /// Writes a record, whose members mostly come in the order of its fields. Members that are no field are passed over,
    /// as in the reference.
    pub(super) fn record(&mut self, record: &'a Record) -> Result<()> {
        if !self.cursor.take(b'{') {
            return self.mismatch(format!("an object, which is a {}", record.name));
        }
        let mut next = 0;
        while self.cursor.goes_on(next == 0, b'}') {
            let name = self.name()?;
            match record.fields.get(next) {
                Some(field) if *field.name == *name => self.field(field)?,
                _ => return self.disordered(record, next, name),
            }
            next += 1;
        }
        for field in record.fields.iter().skip(next) {
            self.absent(field)?;
        }
        Ok(())
    }

    fn field(&mut self, field: &'a Field) -> Result<()> {
        self.value(field.node).map_err(|mismatch| mismatch.in_member(&field.name))
    }

    /// Writes what is left of a record from the field `next` on, in the order in which it comes, then puts it in order.
    fn disordered(&mut self, record: &'a Record, next: usize, name: Cow<'a, str>) -> Result<()> {
        let (base, mut placed, mut name) = (self.out.len(), Vec::new(), name);
        loop {
            match record.index.get(&*name) {
                Some(&field) if field < next => return Err(twice(&name)),
                Some(&field) => {
                    let start = self.out.len();
                    self.field(&record.fields[field])?;
                    placed.push(Placed { field, start: start - base, end: self.out.len() - base });
                }
                None if self.is_exact => return Err(Mismatch::new("no such member", "one").in_member(&name)),
                None => self.cursor.skip(),
            }
            if !self.cursor.goes_on(false, b'}') {
                break;
            }
            name = self.name()?;
        }
        placed.sort_by_key(|placed| placed.field);
        if let Some([first, ..]) = placed.windows(2).find(|pair| pair[0].field == pair[1].field) {
            return Err(twice(&record.fields[first.field].name));
        }
        self.arrange(record, next, &placed, base)
    }

    /// Puts fields into the order of the schema, with the defaults of those that are absent.
    fn arrange(&mut self, record: &'a Record, next: usize, placed: &[Placed], base: usize) -> Result<()> {
        let written = self.out.split_off(base);
        let mut placed = placed.iter().peekable();
        for (at, field) in record.fields.iter().enumerate().skip(next) {
            match placed.next_if(|placed| placed.field == at) {
                Some(place) => self.out.extend_from_slice(written.get(place.start..place.end).unwrap_or_default()),
                None => self.absent(field)?,
            }
        }
        Ok(())
    }

    fn absent(&mut self, field: &'a Field) -> Result<()> {
        match (&field.default, self.mode) {
            (Some(default), Mode::Lenient | Mode::Default) => {
                self.default(field.node, default).map_err(|mismatch| mismatch.in_member(&field.name))
            }
            (Some(_), Mode::Strict) => {
                let expected = "a value, as the strict encoding fills in no defaults: send the field";
                Err(Mismatch::new(expected, "nothing").in_member(&field.name))
            }
            (None, _) => Err(Mismatch::new("a value for the field", "nothing").in_member(&field.name)),
        }
    }
}

fn twice(name: &str) -> Mismatch {
    Mismatch::new("each field once", "a second value").in_member(name)
}
