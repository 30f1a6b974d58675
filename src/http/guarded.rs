//! A limit to heads in HTTP/2 that comes before they are taken apart.

use std::io::{Error, ErrorKind, Result};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The most that the head of a request may take on the wire, packed as it is.
///
/// The h2 crate would gather 16 MiB for each connection, and panics at some 25,000 headers. As little as this can be
/// unpacked to as many headers as it has bytes, each of which then takes about 70.
const HEAD_LIMIT: usize = 32 * 1024;

/// The length of what a client begins with.
const PREFACE: usize = 24;
const FRAME_HEADER: usize = 9;
const HEADERS: u8 = 1;
const CONTINUATION: u8 = 9;
const END_HEADERS: u8 = 4;

/// A stream that ends with an error when a head is too large.
pub(super) struct Guarded<S> {
    stream: S,
    /// `None` where HTTP/1 is spoken, whose heads the framework limits.
    heads: Option<Heads>,
}

/// Follows the frames that a client sends.
struct Heads {
    /// Bytes that are of no interest.
    skipped: usize,
    frame: [u8; FRAME_HEADER],
    /// How much of it is there.
    filled: usize,
    /// What the head that is under way takes so far.
    size: usize,
}

impl<S> Guarded<S> {
    pub(super) fn new(stream: S, is_http2: bool) -> Guarded<S> {
        Guarded { stream, heads: is_http2.then(Heads::new) }
    }

    pub(super) fn get_ref(&self) -> &S {
        &self.stream
    }
}

impl Heads {
    fn new() -> Heads {
        Heads { skipped: PREFACE, frame: [0; FRAME_HEADER], filled: 0, size: 0 }
    }

    /// Takes what has come; tells whether all heads are small enough.
    fn take(&mut self, mut bytes: &[u8]) -> bool {
        while !bytes.is_empty() {
            if self.skipped > 0 {
                let skipped = self.skipped.min(bytes.len());
                self.skipped -= skipped;
                bytes = &bytes[skipped..];
                continue;
            }
            let taken = (FRAME_HEADER - self.filled).min(bytes.len());
            self.frame[self.filled..self.filled + taken].copy_from_slice(&bytes[..taken]);
            self.filled += taken;
            bytes = &bytes[taken..];
            if self.filled == FRAME_HEADER && !self.begin_frame() {
                return false;
            }
        }
        true
    }

    fn begin_frame(&mut self) -> bool {
        let [high, middle, low, kind, flags, ..] = self.frame;
        let length = u32::from_be_bytes([0, high, middle, low]) as usize;
        self.filled = 0;
        self.skipped = length;
        match kind {
            HEADERS => self.size = length,
            CONTINUATION => self.size += length,
            _ => return true,
        }
        let fits = self.size <= HEAD_LIMIT;
        if flags & END_HEADERS != 0 {
            self.size = 0;
        }
        fits
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Guarded<S> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        let new = &buffer.filled()[before..];
        if self.heads.as_mut().is_none_or(|heads| heads.take(new)) {
            Poll::Ready(Ok(()))
        } else {
            Poll::Ready(Err(Error::new(ErrorKind::InvalidData, "the head of a request is too large")))
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Guarded<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[std::io::IoSlice<'_>],
    ) -> Poll<Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, flags: u8, length: usize) -> Vec<u8> {
        let mut frame = (length as u32).to_be_bytes()[1..].to_vec();
        frame.extend([kind, flags, 0, 0, 0, 1]);
        frame.resize(FRAME_HEADER + length, b'x');
        frame
    }

    /// Sends the frames in pieces of each of some sizes; returns whether they are let through, which must not differ.
    fn passes(frames: &[Vec<u8>]) -> bool {
        let sent = [vec![b'P'; PREFACE], frames.concat()].concat();
        let outcomes = [1, 7, 16_384, sent.len()].map(|size| {
            let mut heads = Heads::new();
            sent.chunks(size).all(|piece| heads.take(piece))
        });
        assert!(outcomes.iter().all(|outcome| *outcome == outcomes[0]), "{outcomes:?}");
        outcomes[0]
    }

    #[test]
    fn a_head_is_limited_over_all_its_frames() {
        let (first, more, last) = (frame(1, 0, 16_000), frame(9, 0, 16_000), frame(9, 4, 768));
        assert!(passes(&[first.clone(), more.clone(), last.clone()]));
        assert!(!passes(&[first.clone(), more.clone(), frame(9, 4, 769)]));
        assert!(!passes(&[first, more.clone(), more, last]));
    }

    #[test]
    fn each_request_has_its_own_head_and_data_does_not_count() {
        let request = [frame(1, 4, 16_000), frame(0, 0, 16_384), frame(0, 1, 16_384)].concat();
        assert!(passes(&vec![request; 20]));
        assert!(passes(&[frame(1, 0, 16_000), frame(9, 4, 16_000), frame(1, 0, 16_000), frame(9, 4, 16_000)]));
    }
}
