//! What Connect workers tell each other through their group, in its three versions: 0 is eager, 1 compatible, 2
//! sessioned. The bytes may be anything; what cannot be read is nothing.

use std::collections::BTreeSet;

use bytes::{Buf, Bytes};

use crate::model::ConnectMember;

/// The last version that is known; the meaning of others is not.
const LAST_VERSION: i16 = 2;

/// From this version on a worker says what it runs, and is only told what changes.
const INCREMENTAL: i16 = 1;

/// The number that stands for the connector itself among its tasks.
const CONNECTOR: i32 = -1;

/// Returns a worker with what it runs; `None` where the metadata is none of a worker.
pub(super) fn worker(metadata: &Bytes, assignment: &Bytes) -> Option<ConnectMember> {
    // A worker says what it runs when it joins. The leader then only tells it what comes and what goes; with the eager
    // protocol the worker runs nothing when it joins, and is told everything.
    let Metadata { url, mut runs } = read_metadata(metadata)?;
    if let Some(told) = read_assignment(assignment) {
        runs.connectors.retain(|connector| !told.revoked.connectors.contains(connector));
        runs.tasks.retain(|task| !told.revoked.tasks.contains(task));
        runs.connectors.extend(told.given.connectors);
        runs.tasks.extend(told.given.tasks);
    }
    Some(ConnectMember {
        url,
        connectors: runs.connectors.into_iter().collect(),
        tasks: runs.tasks.into_iter().collect(),
    })
}

/// Returns the leader's URL as a worker was told it.
pub(super) fn leader_url(assignment: &Bytes) -> Option<String> {
    Some(read_assignment(assignment)?.leader_url).filter(|url| !url.is_empty())
}

/// What a worker says of itself when it joins.
struct Metadata {
    url: String,
    runs: Work,
}

/// What the leader tells a worker.
struct Assignment {
    leader_url: String,
    given: Work,
    revoked: Work,
}

/// Connectors and tasks.
#[derive(Debug, Default, PartialEq, Eq)]
struct Work {
    connectors: BTreeSet<String>,
    tasks: BTreeSet<(String, i32)>,
}

/// Reads a member's metadata: version, URL, position in the config topic and, in later versions, an assignment.
fn read_metadata(bytes: &Bytes) -> Option<Metadata> {
    let mut bytes = bytes.clone();
    let version = version(&mut bytes)?;
    let url = string(&mut bytes).filter(|url| !url.is_empty())?;
    let _config_offset = bytes.try_get_i64().ok()?;
    let ran = if version >= INCREMENTAL { nullable_bytes(&mut bytes)? } else { None };
    let runs = ran.and_then(|ran| read_assignment(&ran)).map(|assignment| assignment.given);
    Some(Metadata { url, runs: runs.unwrap_or_default() })
}

/// Reads a member's assignment: version, error, the leader's id and URL, position in the config topic, what is given
/// and, in later versions, what is revoked and a delay.
fn read_assignment(bytes: &Bytes) -> Option<Assignment> {
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
mod tests {
    use bytes::{BufMut, BytesMut};

    use super::*;

    /// Connectors, each with its tasks.
    type Listed<'a> = &'a [(&'a str, &'a [i32])];

    fn metadata(version: i16, url: &str, ran: Option<&Bytes>) -> Bytes {
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

    fn assignment(version: i16, leader_url: &str, given: Listed, revoked: Listed) -> Bytes {
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

    fn member(connectors: &[&str], tasks: &[(&str, i32)]) -> ConnectMember {
        ConnectMember {
            url: "http://a/".to_owned(),
            connectors: connectors.iter().map(|&name| name.to_owned()).collect(),
            tasks: tasks.iter().map(|(name, task)| ((*name).to_owned(), *task)).collect(),
        }
    }

    #[test]
    fn a_worker_runs_what_it_ran_without_what_was_revoked_and_with_what_it_was_given() {
        for version in [1, 2] {
            let ran = assignment(version, "http://old/", &[("x", &[-1, 0, 1]), ("y", &[-1])], &[]);
            let told = assignment(version, "http://b/", &[("z", &[0])], &[("x", &[1]), ("y", &[-1])]);
            let found = worker(&metadata(version, "http://a/", Some(&ran)), &told);
            assert_eq!(found, Some(member(&["x"], &[("x", 0), ("z", 0)])));
            assert_eq!(leader_url(&told).as_deref(), Some("http://b/"));
        }
    }

    #[test]
    fn a_worker_of_the_eager_protocol_runs_what_it_was_given() {
        let told = assignment(0, "http://a/", &[("x", &[-1, 0])], &[]);
        assert_eq!(worker(&metadata(0, "http://a/", None), &told), Some(member(&["x"], &[("x", 0)])));
        assert_eq!(leader_url(&told).as_deref(), Some("http://a/"));
    }

    #[test]
    fn a_list_that_is_not_there_is_empty() {
        let told = b"\0\x01\0\0\0\x01m\0\x01u\0\0\0\0\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff\0\0\0\0";
        let told = Bytes::from_static(told);
        assert_eq!(worker(&metadata(1, "http://a/", Some(&told)), &told), Some(member(&[], &[])));
        assert_eq!(leader_url(&told).as_deref(), Some("u"));
    }

    #[test]
    fn what_is_cut_off_is_nothing() {
        let ran = assignment(2, "http://b/", &[("x", &[-1, 0])], &[("y", &[1])]);
        let whole = metadata(2, "http://a/", Some(&ran));
        for end in 0..whole.len() {
            assert_eq!(worker(&whole.slice(..end), &Bytes::new()), None, "{end} bytes");
        }
        // The delay at the end is not read.
        for end in 0..ran.len() - 4 {
            assert_eq!(leader_url(&ran.slice(..end)), None, "{end} bytes");
        }
    }

    #[test]
    fn other_versions_and_other_bytes_are_nothing() {
        for version in [-1, 3, 256] {
            assert_eq!(worker(&metadata(version, "http://a/", None), &Bytes::new()), None);
            assert_eq!(leader_url(&assignment(version, "http://a/", &[], &[])), None);
        }
        let endless = b"\0\x02\0\0\0\0\0\x01u\0\0\0\0\0\0\0\0\x7f\xff\xff\xff\0\x01x\x7f\xff\xff\xff\0\0\0\0";
        let negative = b"\0\x02\0\0\xff\xff";
        let not_utf8 = b"\0\x02\0\x02\xff\xfe\0\0\0\0\0\0\0\0\xff\xff\xff\xff";
        for bytes in [&endless[..], negative, not_utf8, b"", b"range"] {
            let bytes = Bytes::copy_from_slice(bytes);
            assert_eq!((worker(&bytes, &bytes), leader_url(&bytes)), (None, None), "{bytes:?}");
        }
    }

    #[test]
    fn a_worker_whose_work_cannot_be_read_is_still_a_worker() {
        let ran = Bytes::from_static(b"\0\x09");
        assert_eq!(worker(&metadata(2, "http://a/", Some(&ran)), &ran), Some(member(&[], &[])));
    }
}
