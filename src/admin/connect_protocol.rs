//! What Connect workers tell each other through their group, in its three versions: 0 is eager, 1 compatible, 2
//! sessioned. The bytes may be anything; what cannot be read is nothing.

use std::collections::BTreeSet;

use bytes::{Buf, Bytes};

/// The last version that is known; the meaning of others is not.
const LAST_VERSION: i16 = 2;

/// From this version on a worker says what it runs, and is only told what changes.
const INCREMENTAL: i16 = 1;

/// The number that stands for the connector itself among its tasks.
const CONNECTOR: i32 = -1;

/// What a worker says of itself when it joins.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Metadata {
    pub(super) url: String,
    /// What it runs; `None` where it runs nothing or does not say.
    pub(super) runs: Option<Work>,
}

/// What the leader tells a worker.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Assignment {
    pub(super) leader_url: String,
    pub(super) given: Work,
    pub(super) revoked: Work,
}

/// Connectors and tasks.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Work {
    pub(super) connectors: BTreeSet<String>,
    pub(super) tasks: BTreeSet<(String, i32)>,
}

/// Reads a member's metadata: version, URL, position in the config topic and, in later versions, an assignment.
pub(super) fn read_metadata(bytes: &Bytes) -> Option<Metadata> {
    let mut bytes = bytes.clone();
    let version = version(&mut bytes)?;
    let url = string(&mut bytes).filter(|url| !url.is_empty())?;
    let _config_offset = bytes.try_get_i64().ok()?;
    let ran = if version >= INCREMENTAL { nullable_bytes(&mut bytes)? } else { None };
    let runs = ran.and_then(|ran| read_assignment(&ran)).map(|assignment| assignment.given);
    Some(Metadata { url, runs })
}

/// Reads a member's assignment: version, error, the leader's id and URL, position in the config topic, what is given
/// and, in later versions, what is revoked and a delay.
pub(super) fn read_assignment(bytes: &Bytes) -> Option<Assignment> {
    let mut bytes = bytes.clone();
    let version = version(&mut bytes)?;
    let _error = bytes.try_get_i16().ok()?;
    let _leader = string(&mut bytes)?;
    let leader_url = string(&mut bytes)?;
    let _config_offset = bytes.try_get_i64().ok()?;
    let given = work(&mut bytes)?;
    let revoked = if version >= INCREMENTAL { work(&mut bytes)? } else { Work::default() };
    Some(Assignment { leader_url, given, revoked })
}

fn version(bytes: &mut Bytes) -> Option<i16> {
    bytes.try_get_i16().ok().filter(|version| (0..=LAST_VERSION).contains(version))
}

fn string(bytes: &mut Bytes) -> Option<String> {
    let length = usize::try_from(bytes.try_get_i16().ok()?).ok()?;
    let text = taken(bytes, length)?;
    Some(std::str::from_utf8(&text).ok()?.to_owned())
}

/// Returns bytes or, on the inside, that there are none.
fn nullable_bytes(bytes: &mut Bytes) -> Option<Option<Bytes>> {
    match bytes.try_get_i32().ok()? {
        -1 => Some(None),
        length => Some(Some(taken(bytes, usize::try_from(length).ok()?)?)),
    }
}

fn taken(bytes: &mut Bytes, length: usize) -> Option<Bytes> {
    (length <= bytes.len()).then(|| bytes.split_to(length))
}

/// Reads connectors, each with its tasks. No room is taken ahead for as many as the bytes promise.
fn work(bytes: &mut Bytes) -> Option<Work> {
    let mut work = Work::default();
    // No connectors at all may be -1.
    for _ in 0..bytes.try_get_i32().ok()? {
        let connector = string(bytes)?;
        for _ in 0..bytes.try_get_i32().ok()? {
            match bytes.try_get_i32().ok()? {
                CONNECTOR => drop(work.connectors.insert(connector.clone())),
                task => drop(work.tasks.insert((connector.clone(), task))),
            }
        }
    }
    Some(work)
}

#[cfg(test)]
pub(super) mod tests {
    use bytes::{BufMut, BytesMut};

    use super::*;

    /// Connectors, each with its tasks.
    type Listed<'a> = &'a [(&'a str, &'a [i32])];

    pub(in crate::admin) fn metadata(version: i16, url: &str, ran: Option<&Bytes>) -> Bytes {
        let mut bytes = BytesMut::new();
        bytes.put_i16(version);
        put_string(&mut bytes, url);
        bytes.put_i64(7);
        match ran {
            Some(ran) => {
                bytes.put_i32(i32::try_from(ran.len()).unwrap());
                bytes.put_slice(ran);
            }
            None if version > 0 => bytes.put_i32(-1),
            None => {}
        }
        bytes.freeze()
    }

    pub(in crate::admin) fn assignment(version: i16, leader_url: &str, given: Listed, revoked: Listed) -> Bytes {
        let mut bytes = BytesMut::new();
        bytes.put_i16(version);
        bytes.put_i16(0);
        put_string(&mut bytes, "the-leader");
        put_string(&mut bytes, leader_url);
        bytes.put_i64(7);
        put_work(&mut bytes, given);
        if version > 0 {
            put_work(&mut bytes, revoked);
            bytes.put_i32(0);
        }
        bytes.freeze()
    }

    fn put_string(bytes: &mut BytesMut, text: &str) {
        bytes.put_i16(i16::try_from(text.len()).unwrap());
        bytes.put_slice(text.as_bytes());
    }

    fn put_work(bytes: &mut BytesMut, work: Listed) {
        bytes.put_i32(i32::try_from(work.len()).unwrap());
        for (connector, tasks) in work {
            put_string(bytes, connector);
            bytes.put_i32(i32::try_from(tasks.len()).unwrap());
            tasks.iter().for_each(|task| bytes.put_i32(*task));
        }
    }

    #[test]
    fn every_version_is_read() {
        for version in 0..=2 {
            let read = read_metadata(&metadata(version, "http://a:8083/", None)).unwrap();
            assert_eq!(read, Metadata { url: "http://a:8083/".to_owned(), runs: None });
            let read = read_assignment(&assignment(version, "http://b/", &[("x", &[-1, 3])], &[("y", &[0])])).unwrap();
            assert_eq!(read.leader_url, "http://b/");
            assert_eq!(read.given.connectors, BTreeSet::from(["x".to_owned()]));
            assert_eq!(read.given.tasks, BTreeSet::from([("x".to_owned(), 3)]));
            assert_eq!(read.revoked.tasks.len(), usize::from(version > 0));
        }
    }

    #[test]
    fn bytes_that_a_worker_wrote_are_read() {
        // The beginning of what a worker of 4.3.1 without work says.
        let bytes = b"\0\x02\0\x16http://127.0.0.1:8083/\0\0\0\0\0\0\0\x05\xff\xff\xff\xff";
        assert_eq!(read_metadata(&Bytes::from_static(bytes)).unwrap().url, "http://127.0.0.1:8083/");
    }

    #[test]
    fn a_list_that_is_not_there_is_empty() {
        let bytes = b"\0\x01\0\0\0\x01m\0\x01u\0\0\0\0\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff\0\0\0\0";
        let read = read_assignment(&Bytes::from_static(bytes)).unwrap();
        assert_eq!((read.given, read.revoked), (Work::default(), Work::default()));
    }

    #[test]
    fn what_is_cut_off_is_nothing() {
        let ran = assignment(2, "http://b/", &[("x", &[-1, 0])], &[("y", &[1])]);
        let whole = metadata(2, "http://a/", Some(&ran));
        for end in 0..whole.len() {
            assert_eq!(read_metadata(&whole.slice(..end)), None, "{end} bytes");
        }
        // The delay at the end is not read.
        for end in 0..ran.len() - 4 {
            assert_eq!(read_assignment(&ran.slice(..end)), None, "{end} bytes");
        }
    }

    #[test]
    fn other_versions_and_other_bytes_are_nothing() {
        for version in [-1, 3, 256] {
            assert_eq!(read_metadata(&metadata(version, "http://a/", None)), None);
            assert_eq!(read_assignment(&assignment(version, "http://a/", &[], &[])), None);
        }
        let endless = b"\0\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x7f\xff\xff\xff\0\x01x\x7f\xff\xff\xff\0\0\0\0";
        let negative = b"\0\x02\0\0\xff\xff";
        let not_utf8 = b"\0\x02\0\x02\xff\xfe\0\0\0\0\0\0\0\0\xff\xff\xff\xff";
        for bytes in [&endless[..], negative, not_utf8, b"", b"range"] {
            assert_eq!(read_assignment(&Bytes::copy_from_slice(bytes)), None, "{bytes:?}");
            assert_eq!(read_metadata(&Bytes::copy_from_slice(bytes)), None, "{bytes:?}");
        }
    }

    #[test]
    fn a_worker_whose_work_cannot_be_read_is_still_a_worker() {
        let read = read_metadata(&metadata(2, "http://a/", Some(&Bytes::from_static(b"\0\x09")))).unwrap();
        assert_eq!(read, Metadata { url: "http://a/".to_owned(), runs: None });
    }
}
