use bytes::{Bytes, BytesMut};

/// The memory for what one request decodes to: one allocation however many records.
#[derive(Debug)]
pub struct Arena(BytesMut);

impl Arena {
    /// Returns an arena that holds `capacity` bytes without growing.
    pub fn with_capacity(capacity: usize) -> Arena {
        Arena(BytesMut::with_capacity(capacity))
    }

    /// Returns what `write` appends to the buffer it is given; what it wrote before an error is dropped.
    pub fn write<E>(&mut self, write: impl FnOnce(&mut BytesMut) -> Result<(), E>) -> Result<Bytes, E> {
        let outcome = write(&mut self.0);
        let written = self.0.split().freeze();
        outcome.map(|()| written)
    }
}
