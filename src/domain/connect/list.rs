use bytes::Bytes;
use futures_util::TryStreamExt;
use futures_util::stream::BoxStream;

use crate::format::{Member, Members};
use crate::upstream::Failure;

/// An expanded list of connectors as it comes, cut into them; memory is that of one of them.
pub(super) struct List {
    text: BoxStream<'static, Result<Bytes, Failure>>,
    members: Members,
}

/// Why a list was not read to its end.
pub(super) enum Broken {
    /// The worker went away.
    Off(Failure),
    /// It is no list of connectors.
    Nonsense,
    /// One connector is larger than what is read.
    TooLarge,
}

impl List {
    /// Returns the list in `text`, of connectors of up to `limit` bytes each.
    pub(super) fn new(text: BoxStream<'static, Result<Bytes, Failure>>, limit: usize) -> List {
        List { text, members: Members::new(limit) }
    }

    /// Returns the next connector: the JSON text of its name, with the quotes, and what the worker tells of it.
    pub(super) async fn next(&mut self) -> Result<Option<(Bytes, Bytes)>, Broken> {
        loop {
            match self.members.next_member() {
                Some(Member::Of { name, value }) => return Ok(Some((name, value))),
                Some(Member::Garbage) => return Err(Broken::Nonsense),
                Some(Member::TooLarge) => return Err(Broken::TooLarge),
                None => match self.text.try_next().await.map_err(Broken::Off)? {
                    Some(chunk) => self.members.push(chunk),
                    None if self.members.is_complete() => return Ok(None),
                    None => return Err(Broken::Off(Failure::Lost("the list ends before its end".to_owned()))),
                },
            }
        }
    }
}
