//! How much callers may: requests and bytes a second, of each caller and for each topic.
//!
//! The buckets are our own, as a request's bytes are known only when it has been read: it is let in while there is
//! something left, and what it took is taken then, even if that is more than there was. `governor` refuses what is larger
//! than the burst for ever, and has nobody share a bucket when there are too many callers.

mod book;
mod bucket;
mod meter;

pub use meter::{Left, Meter, Refused};

use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::time::Instant;

use arc_swap::ArcSwapOption;

use crate::config::Rate;
use crate::model::Principal;
use crate::rates::book::{Book, Limits};
use crate::rates::bucket::Refill;

/// Who is counted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Who {
    /// Somebody who has shown who they are.
    Principal(Principal),
    /// Whoever is at an address; `None` where there is none, as with a unix socket.
    Address(Option<IpAddr>),
}

/// What callers and topics have taken of late.
#[derive(Default)]
pub struct Rates {
    /// `None` where nothing is limited.
    books: ArcSwapOption<Books>,
}

struct Books {
    settings: Rate,
    callers: Book<Who>,
    topics: Book<String>,
}

impl Who {
    /// Returns who is counted for a caller: their name, else the address that they call from.
    ///
    /// Of an IPv6 address only the network counts, as whoever has one has all addresses of it.
    pub fn of(principal: &Principal, address: Option<IpAddr>) -> Who {
        if !principal.is_anonymous() {
            return Who::Principal(principal.clone());
        }
        Who::Address(address.map(|address| match address.to_canonical() {
            IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
            address @ IpAddr::V4(_) => address,
        }))
    }
}

impl Rates {
    /// Reads the limits.
    pub fn new(settings: &Rate) -> Rates {
        let rates = Rates::default();
        rates.reload(settings);
        rates
    }

    /// Puts other limits in the place of those there are; everybody begins anew, unless they are the same.
    pub fn reload(&self, settings: &Rate) {
        if self.books.load().as_ref().is_some_and(|books| books.settings == *settings) {
            return;
        }
        let refill = |per_second: u64, burst: u64| Refill::new(per_second as f64, burst as f64);
        let callers = Limits {
            requests: refill(settings.requests.into(), settings.requests_burst.into()),
            bytes: refill(settings.bytes, settings.bytes_burst),
        };
        let topics =
            Limits { requests: refill(settings.topic_requests.into(), 0), bytes: refill(settings.topic_bytes, 0) };
        let (off, now) = (Limits { requests: None, bytes: None }, Instant::now());
        let is_on = callers != off || topics != off;
        self.books.store(is_on.then(|| {
            let (callers, topics) =
                (Book::new(callers, settings.counted, now), Book::new(topics, settings.counted, now));
            Arc::new(Books { settings: settings.clone(), callers, topics })
        }));
    }

    /// Returns what counts the requests of a caller, and of writes also those of a topic; `None` where nothing is limited.
    pub fn meter(&self, who: &Who, written: Option<&str>, now: Instant) -> Option<Meter> {
        let books = self.books.load();
        let books = books.as_ref()?;
        let caller = books.callers.account(who, now);
        let topic = written.and_then(|topic| books.topics.account(topic, now).map(|found| (topic.to_owned(), found)));
        Meter::new(caller, topic)
    }

    /// Tells whether nothing is limited.
    pub fn are_off(&self) -> bool {
        self.books.load().is_none()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn rate(change: impl FnOnce(&mut Rate)) -> Rates {
        let mut settings = crate::config::Config::dev().rate;
        change(&mut settings);
        Rates::new(&settings)
    }

    fn alice() -> Who {
        Who::of(&Principal::named("alice"), None)
    }

    #[test]
    fn nothing_is_limited_by_default() {
        let rates = rate(|_| {});
        assert!(rates.are_off() && rates.meter(&alice(), Some("t"), Instant::now()).is_none());
    }

    #[test]
    fn each_caller_has_requests_of_their_own_and_is_told_when_to_come_again() {
        let (rates, now) = (rate(|rate| rate.requests = 2), Instant::now());
        let admit = |who: &Who, now| rates.meter(who, None, now).unwrap().admit(now);
        assert_eq!(admit(&alice(), now).unwrap(), Some(Left { limit: 2, remaining: 1, reset_s: 1 }));
        assert_eq!(admit(&alice(), now).unwrap(), Some(Left { limit: 2, remaining: 0, reset_s: 1 }));
        let refused = admit(&alice(), now).unwrap_err();
        assert_eq!(refused.wait, Duration::from_millis(500));
        assert_eq!(
            refused.sentence(),
            "Request rate limit exceeded: The rate limit of requests per second has been exceeded."
        );
        assert!(admit(&Who::of(&Principal::named("bob"), None), now).is_ok());
        assert!(admit(&alice(), now + Duration::from_millis(500)).is_ok());
        assert!(admit(&alice(), now + Duration::from_millis(501)).is_err());
    }

    #[test]
    fn a_burst_is_spent_at_once_and_comes_back_slowly() {
        let (rates, now) = (
            rate(|rate| {
                rate.requests = 1;
                rate.requests_burst = 10;
            }),
            Instant::now(),
        );
        let meter = rates.meter(&alice(), None, now).unwrap();
        assert_eq!((0..20).filter(|_| meter.admit(now).is_ok()).count(), 10);
        let later = now + Duration::from_secs(3);
        assert_eq!((0..20).filter(|_| meter.admit(later).is_ok()).count(), 3);
    }

    #[test]
    fn bytes_are_taken_when_they_are_known_and_waited_for_afterwards() {
        let (rates, now) = (rate(|rate| rate.bytes = 100), Instant::now());
        let meter = rates.meter(&alice(), None, now).unwrap();
        assert_eq!(meter.admit(now).unwrap(), None);
        meter.charge_in(350);
        let refused = meter.admit(now).unwrap_err();
        assert!(refused.sentence().contains("bytes per second"), "{}", refused.sentence());
        assert_eq!(refused.wait.as_secs_f64().ceil(), 3.0);
        assert!(meter.admit(now + Duration::from_secs(3)).is_ok());
    }

    #[test]
    fn a_topic_has_limits_for_all_who_write_to_it() {
        let (rates, now) = (rate(|rate| rate.topic_requests = 1), Instant::now());
        let bob = Who::of(&Principal::named("bob"), None);
        assert!(rates.meter(&alice(), Some("orders"), now).unwrap().admit(now).is_ok());
        let refused = rates.meter(&bob, Some("orders"), now).unwrap().admit(now).unwrap_err();
        assert!(refused.sentence().contains("topic orders"), "{}", refused.sentence());
        assert!(rates.meter(&bob, Some("other"), now).unwrap().admit(now).is_ok());
        // What does not write is not counted.
        assert!(rates.meter(&bob, None, now).is_none());
    }

    #[test]
    fn a_request_that_is_refused_takes_nothing() {
        let (rates, now) = (
            rate(|rate| {
                rate.requests = 5;
                rate.topic_requests = 1;
            }),
            Instant::now(),
        );
        let meter = rates.meter(&alice(), Some("t"), now).unwrap();
        assert_eq!((0..9).filter(|_| meter.admit(now).is_ok()).count(), 1);
        assert_eq!((0..9).filter(|_| rates.meter(&alice(), None, now).unwrap().admit(now).is_ok()).count(), 4);
    }

    #[test]
    fn what_is_read_is_charged_to_the_caller_and_what_is_written_also_to_the_topic() {
        let (rates, now) = (
            rate(|rate| {
                rate.bytes = 1000;
                rate.topic_bytes = 100;
            }),
            Instant::now(),
        );
        let meter = rates.meter(&alice(), Some("t"), now).unwrap();
        meter.charge_out(500);
        assert!(meter.admit(now).is_ok());
        meter.charge_in(100);
        assert!(meter.admit(now).unwrap_err().sentence().contains("topic t"));
        assert!(rates.meter(&alice(), None, now).unwrap().admit(now).is_ok());
    }

    #[test]
    fn a_record_of_a_stream_takes_a_request_and_its_bytes() {
        let (rates, now) = (rate(|rate| rate.topic_requests = 3), Instant::now());
        let meter = rates.meter(&alice(), Some("t"), now).unwrap();
        assert_eq!((0..9).filter(|_| meter.admit_record(10, now).is_ok()).count(), 3);
        let (rates, now) = (rate(|rate| rate.bytes = 25), Instant::now());
        let meter = rates.meter(&alice(), Some("t"), now).unwrap();
        assert_eq!((0..9).filter(|_| meter.admit_record(10, now).is_ok()).count(), 3);
    }

    #[test]
    fn who_did_not_say_who_they_are_is_counted_by_address_and_by_network() {
        let nobody = Principal::default();
        let at = |text: &str| Who::of(&nobody, Some(text.parse().unwrap()));
        assert_ne!(at("10.0.0.1"), at("10.0.0.2"));
        assert_eq!(at("10.0.0.1"), at("::ffff:10.0.0.1"));
        assert_eq!(at("2001:db8::1"), at("2001:db8::2:3"));
        assert_ne!(at("2001:db8::1"), at("2001:db8:0:1::1"));
        let named = Principal::named("alice");
        assert_eq!(Who::of(&named, Some("10.0.0.1".parse().unwrap())), alice());
    }

    #[test]
    fn other_limits_take_effect_at_once() {
        let (rates, now) = (rate(|rate| rate.requests = 1), Instant::now());
        assert!(rates.meter(&alice(), None, now).unwrap().admit(now).is_ok());
        let mut same = crate::config::Config::dev().rate;
        same.requests = 1;
        rates.reload(&same);
        assert!(rates.meter(&alice(), None, now).unwrap().admit(now).is_err());
        rates.reload(&crate::config::Config::dev().rate);
        assert!(rates.are_off());
    }
}
