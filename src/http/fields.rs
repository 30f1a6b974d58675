//! Small JSON bodies, read field by field with the leniency of the reference (contract/v2.md 1): 400 for what is no
//! JSON or has the wrong shape, 422 for a field that is not known or has to be there.

use serde_json::{Map, Value};

use crate::error::{Error, Kind, Result};

/// The fields of an object that nobody asked for yet.
#[derive(Default)]
pub struct Fields(Map<String, Value>);

impl Fields {
    /// Reads a body; `None` where there is none, or `null`.
    pub fn parse(body: &[u8]) -> Result<Option<Fields>> {
        let text = std::str::from_utf8(body).map_err(|_| Kind::BadRequest.because("The request body is not UTF-8."))?;
        if text.trim_ascii().is_empty() {
            return Ok(None);
        }
        match serde_json::from_str(text).map_err(|error| Kind::BadRequest.because(error.to_string()))? {
            Value::Null => Ok(None),
            value => Fields::of(value, "the request body").map(Some),
        }
    }

    /// Reads a body that has to be there.
    pub fn required(body: &[u8]) -> Result<Fields> {
        Fields::parse(body)?.ok_or_else(|| Kind::Unprocessable.because("The request body must not be null (was null)."))
    }

    fn of(value: Value, what: &str) -> Result<Fields> {
        match value {
            Value::Object(fields) => Ok(Fields(fields)),
            _ => Err(wrong(what, "an object")),
        }
    }

    /// Takes a field; `null` is none.
    pub fn take(&mut self, name: &str) -> Option<Value> {
        self.0.remove(name).filter(|value| !value.is_null())
    }

    /// Takes a text; numbers and booleans become one.
    pub fn text(&mut self, name: &str) -> Result<Option<String>> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(value @ (Value::Number(_) | Value::Bool(_))) => Ok(Some(value.to_string())),
            Some(_) => Err(wrong(name, "a text")),
        }
    }

    /// Takes a whole number; a text may hold it, an empty one is none.
    pub fn integer(&mut self, name: &str) -> Result<Option<i64>> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::String(text)) if text.trim().is_empty() => Ok(None),
            Some(Value::String(text)) => text.trim().parse().map(Some).map_err(|_| wrong(name, "a whole number")),
            Some(value) => value.as_i64().map(Some).ok_or_else(|| wrong(name, "a whole number")),
        }
    }

    /// Takes a whole number of 32 bits.
    pub fn small_integer(&mut self, name: &str) -> Result<Option<i32>> {
        let number = self.integer(name)?;
        number.map(|number| i32::try_from(number).map_err(|_| wrong(name, "a whole number of 32 bits"))).transpose()
    }

    /// Takes `true` or `false`; a text may say it, in any case.
    pub fn boolean(&mut self, name: &str) -> Result<Option<bool>> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::Bool(value)) => Ok(Some(value)),
            Some(Value::String(text)) if text.eq_ignore_ascii_case("true") => Ok(Some(true)),
            Some(Value::String(text)) if text.eq_ignore_ascii_case("false") => Ok(Some(false)),
            Some(_) => Err(wrong(name, "true or false")),
        }
    }

    /// Takes a list.
    pub fn list(&mut self, name: &str) -> Result<Option<Vec<Value>>> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::Array(items)) => Ok(Some(items)),
            Some(_) => Err(wrong(name, "a list")),
        }
    }

    /// Takes a list of texts.
    pub fn texts(&mut self, name: &str) -> Result<Option<Vec<String>>> {
        let text = |item: Value| if let Value::String(text) = item { Some(text) } else { None };
        self.list_of(name, text, "a list of texts")
    }

    /// Takes a list of whole numbers of 32 bits.
    pub fn small_integers(&mut self, name: &str) -> Result<Option<Vec<i32>>> {
        let number = |item: Value| item.as_i64().and_then(|number| i32::try_from(number).ok());
        self.list_of(name, number, "a list of whole numbers of 32 bits")
    }

    /// Takes a list of what `of` makes of an item; `wanted` says what it takes.
    fn list_of<T>(&mut self, name: &str, of: fn(Value) -> Option<T>, wanted: &str) -> Result<Option<Vec<T>>> {
        let items = self.list(name)?.map(|items| items.into_iter().map(of).collect::<Option<Vec<_>>>());
        items.map(|items| items.ok_or_else(|| wrong(name, wanted))).transpose()
    }

    /// Returns the names of the fields that are left.
    pub fn names(&self) -> Vec<String> {
        self.0.keys().cloned().collect()
    }

    /// Takes a list of objects.
    pub fn objects(&mut self, name: &str) -> Result<Option<Vec<Fields>>> {
        let items = self.list(name)?;
        items.map(|items| items.into_iter().map(|item| Fields::of(item, name)).collect()).transpose()
    }

    /// Takes an object.
    pub fn object(&mut self, name: &str) -> Result<Option<Fields>> {
        self.take(name).map(|value| Fields::of(value, name)).transpose()
    }

    /// Refuses what is left.
    pub fn finish(self) -> Result<()> {
        match self.0.keys().next() {
            None => Ok(()),
            Some(name) => Err(Kind::Unprocessable.because(format!("Unrecognized field: {name}"))),
        }
    }
}

/// Returns the error of a field that has to be there.
pub fn missing(name: &str) -> Error {
    Kind::Unprocessable.because(format!("The field {name} must not be null (was null)."))
}

fn wrong(name: &str, wanted: &str) -> Error {
    Kind::BadRequest.because(format!("{name} is not {wanted}."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn scalars_are_coerced_as_the_reference_does() {
        let mut fields = Fields::required(br#"{"a":"5","b":5,"c":true,"d":"","e":null}"#).unwrap();
        assert_eq!(fields.integer("a").unwrap(), Some(5));
        assert_eq!(fields.text("b").unwrap().as_deref(), Some("5"));
        assert_eq!(fields.text("c").unwrap().as_deref(), Some("true"));
        assert_eq!(fields.integer("d").unwrap(), None);
        assert_eq!(fields.text("e").unwrap(), None);
        assert!(fields.finish().is_ok());
    }

    #[test]
    fn the_wrong_shape_is_400_and_an_unknown_field_422() {
        let kind = |result: Result<Fields>| result.err().map(|error| error.kind());
        assert_eq!(kind(Fields::required(b"[]")), Some(Kind::BadRequest));
        assert_eq!(kind(Fields::required(b"{")), Some(Kind::BadRequest));
        assert_eq!(kind(Fields::required(b"{} x")), Some(Kind::BadRequest));
        assert_eq!(kind(Fields::required(b" null ")), Some(Kind::Unprocessable));
        let mut fields = Fields::required(br#"{"n":1.5,"o":9223372036854775808,"p":99999999999,"q":1}"#).unwrap();
        assert_eq!(fields.integer("n").unwrap_err().kind(), Kind::BadRequest);
        assert_eq!(fields.integer("o").unwrap_err().kind(), Kind::BadRequest);
        assert_eq!(fields.small_integer("p").unwrap_err().kind(), Kind::BadRequest);
        assert_eq!(fields.finish().unwrap_err().message(), "Unrecognized field: q");
    }

    #[test]
    fn lists_of_numbers_have_nothing_else() {
        let mut fields = Fields::required(br#"{"a":[1,-2],"b":[1.5],"c":["1"],"d":[2147483648],"e":1}"#).unwrap();
        assert_eq!(fields.small_integers("a").unwrap(), Some(vec![1, -2]));
        assert_eq!(fields.names(), ["b", "c", "d", "e"]);
        for name in ["b", "c", "d", "e"] {
            assert_eq!(fields.small_integers(name).unwrap_err().kind(), Kind::BadRequest, "{name}");
        }
        assert_eq!(fields.small_integers("a").unwrap(), None);
    }

    proptest! {
        #[test]
        fn any_body_is_read_or_refused(body: Vec<u8>) {
            let _ = Fields::parse(&body);
        }
    }
}
