use std::time::Instant;

use actix_web::HttpRequest;
use actix_web::web::Bytes;

use crate::error::Kind;
use crate::http::caller::Caller;
use crate::http::permit;
use crate::http::v3::produce::receipt::{Failure, Slot};
use crate::model::{Right, Subject};
use crate::rates::{Meter, Refused};

/// Who writes where, and what counts it: looked at again for every record, as a stream may be open for long.
pub struct Admission {
    caller: Caller,
    topic: String,
    meter: Option<Meter>,
}

/// Records of which some are refused.
pub struct Admitted {
    /// Those that are not.
    pub documents: Vec<Bytes>,
    /// Their failures by their places among all.
    refused: Vec<(usize, Failure)>,
}

impl Admission {
    /// Returns that of a request to write to `topic`.
    pub fn of(request: &HttpRequest, caller: &Caller, topic: &str) -> Admission {
        Admission { caller: caller.clone(), topic: topic.to_owned(), meter: permit::metered(request) }
    }

    /// Lets in a record of `bytes`, which are counted; none where the body has been counted already.
    pub fn admit(&self, bytes: usize) -> Result<(), Failure> {
        self.caller.may(Right::Write, Subject::Topic(&self.topic)).map_err(|error| Failure::from(&error))?;
        let Some(meter) = &self.meter else { return Ok(()) };
        let refused = |refused: Refused| Failure::new(Kind::RateLimited, &refused.sentence());
        meter.admit_record(bytes, Instant::now()).map_err(refused)
    }

    /// Lets in records of a stream.
    pub fn admit_all(&self, documents: Vec<Bytes>) -> Admitted {
        if self.meter.is_none() && self.caller.rules.are_off() {
            return Admitted { documents, refused: Vec::new() };
        }
        let (mut admitted, mut refused) = (Vec::with_capacity(documents.len()), Vec::new());
        for (place, document) in documents.into_iter().enumerate() {
            match self.admit(document.len()) {
                Ok(()) => admitted.push(document),
                Err(failure) => refused.push((place, failure)),
            }
        }
        Admitted { documents: admitted, refused }
    }
}

impl Admitted {
    /// Puts the failures where they belong among the slots of the others; where those end early, nothing follows.
    pub fn merge(refused: Vec<(usize, Failure)>, slots: Vec<Slot>) -> Vec<Slot> {
        let mut merged = Vec::with_capacity(slots.len() + refused.len());
        let mut refused = refused.into_iter().peekable();
        let mut slots = slots.into_iter();
        loop {
            match refused.next_if(|(place, _)| *place == merged.len()) {
                Some((_, failure)) => merged.push(Slot::Refused(failure)),
                None => match slots.next() {
                    Some(slot) => merged.push(slot),
                    None => return merged,
                },
            }
        }
    }

    /// Takes the failures apart from the records.
    pub fn split(self) -> (Vec<Bytes>, Vec<(usize, Failure)>) {
        (self.documents, self.refused)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_stand_where_their_records_stood() {
        let sent = || Slot::Sent { key: None, value: None };
        let failure = || Failure::new(Kind::RateLimited, "too many");
        let merged = Admitted::merge(vec![(0, failure()), (2, failure()), (4, failure())], vec![sent(), sent()]);
        let shown: Vec<bool> = merged.iter().map(|slot| matches!(slot, Slot::Sent { .. })).collect();
        assert_eq!(shown, [false, true, false, true, false]);
        // The stream ends with the second record, which is no JSON.
        assert_eq!(Admitted::merge(vec![(3, failure())], vec![sent(), sent()]).len(), 2);
    }
}
