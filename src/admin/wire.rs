//! Frames: a length, a header, a message.

use bytes::{Bytes, BytesMut};
use kafka_protocol::messages::{RequestHeader, ResponseHeader};
use kafka_protocol::protocol::{Decodable, Encodable, HeaderVersion, Request, StrBytes};
use tokio::io::{AsyncRead, AsyncReadExt};

use crate::error::{Error, Kind, Result};

/// The largest answer that is read; as large as a Java or C client takes by default.
const MAX_FRAME_BYTES: u32 = 100_000_000;

/// Memory is taken as bytes arrive, so that a length alone costs nothing.
const FIRST_READ_BYTES: u32 = 64 * 1024;

/// Returns a request as it goes over the wire.
///
/// Fails where the version has no room for a field that is set: the broker is too old for what was asked.
pub(super) fn encode<R: Request>(request: &R, version: i16, correlation: i32, client_id: &StrBytes) -> Result<Bytes> {
    let header = RequestHeader::default()
        .with_request_api_key(R::KEY)
        .with_request_api_version(version)
        .with_correlation_id(correlation)
        .with_client_id(Some(client_id.clone()));
    let mut frame = BytesMut::zeroed(4);
    header.encode(&mut frame, R::header_version(version)).map_err(|why| too_old(&why.to_string()))?;
    request.encode(&mut frame, version).map_err(|why| too_old(&why.to_string()))?;
    let length =
        u32::try_from(frame.len() - 4).map_err(|_| Kind::PayloadTooLarge.because("The request is too large."))?;
    frame[..4].copy_from_slice(&length.to_be_bytes());
    Ok(frame.freeze())
}

fn too_old(why: &str) -> Error {
    Kind::Unsupported
        .because("This Kafka is too old for what was asked: its version of the request has no field for it.")
        .caused_by(std::io::Error::other(why.to_owned()))
}

/// Returns the answer that a frame holds, without its length.
pub(super) fn decode<R: Request>(mut frame: Bytes, version: i16) -> Result<R::Response> {
    let unreadable =
        |why: String| Kind::Kafka.because("Kafka's answer cannot be read.").caused_by(std::io::Error::other(why));
    ResponseHeader::decode(&mut frame, R::Response::header_version(version))
        .map_err(|why| unreadable(why.to_string()))?;
    R::Response::decode(&mut frame, version).map_err(|why| unreadable(why.to_string()))
}

/// Reads one frame and returns it without its length.
pub(super) async fn read_frame(stream: &mut (impl AsyncRead + Unpin)) -> std::io::Result<Bytes> {
    let length = stream.read_u32().await?;
    if length > MAX_FRAME_BYTES {
        return Err(std::io::Error::other(format!("an answer of {length} bytes: this may not be a Kafka broker")));
    }
    let mut frame = Vec::with_capacity(length.min(FIRST_READ_BYTES) as usize);
    let read = stream.take(u64::from(length)).read_to_end(&mut frame).await?;
    if read < length as usize { Err(std::io::ErrorKind::UnexpectedEof.into()) } else { Ok(frame.into()) }
}

/// Returns the correlation id of a frame without its length.
pub(super) fn correlation_of(frame: &Bytes) -> Option<i32> {
    Some(i32::from_be_bytes(*frame.first_chunk()?))
}

#[cfg(test)]
mod tests {
    use kafka_protocol::messages::{ApiVersionsRequest, ApiVersionsResponse, CreateTopicsRequest};

    use super::*;

    #[test]
    fn a_frame_begins_with_the_length_of_the_rest() {
        let name = StrBytes::from_static_str("client");
        let frame = encode(&ApiVersionsRequest::default(), 3, 7, &name).unwrap();
        assert_eq!(frame[..4], u32::try_from(frame.len() - 4).unwrap().to_be_bytes());
        assert_eq!(frame[8..12], 7_i32.to_be_bytes());
    }

    #[test]
    fn what_an_old_version_cannot_say_is_unsupported() {
        let name = StrBytes::from_static_str("client");
        let request = CreateTopicsRequest::default().with_validate_only(true);
        assert!(encode(&request, 7, 1, &name).is_ok());
        assert_eq!(encode(&request, 0, 1, &name).unwrap_err().kind(), Kind::Unsupported);
    }

    #[test]
    fn an_answer_that_is_cut_off_is_an_error() {
        let mut whole = BytesMut::new();
        whole.extend_from_slice(&7_i32.to_be_bytes());
        ApiVersionsResponse::default().encode(&mut whole, 3).unwrap();
        let whole = whole.freeze();
        assert_eq!(correlation_of(&whole), Some(7));
        assert!(decode::<ApiVersionsRequest>(whole.clone(), 3).is_ok());
        for end in 0..whole.len() - 1 {
            assert!(decode::<ApiVersionsRequest>(whole.slice(..end), 3).is_err(), "{end} bytes");
        }
    }

    #[tokio::test]
    async fn a_length_that_no_broker_sends_is_not_read() {
        assert!(read_frame(&mut &b"HTTP/1.1 400 Bad Request"[..]).await.is_err());
        assert!(read_frame(&mut &b"\0\0\0\x05ab"[..]).await.is_err());
        assert_eq!(read_frame(&mut &b"\0\0\0\x02ab"[..]).await.unwrap(), "ab");
    }
}
