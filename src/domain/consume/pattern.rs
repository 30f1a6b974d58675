use std::fmt;
use std::sync::Arc;

use regex::Regex;

/// Which topics a subscription is for: those whose whole name matches, and that its owner may read.
#[derive(Clone)]
pub struct TopicPattern {
    regex: Regex,
    may_read: Arc<dyn Fn(&str) -> bool + Send + Sync>,
}

impl TopicPattern {
    /// Returns a pattern; `may_read` is asked again for every name each time the topics are looked through.
    pub fn new(regex: Regex, may_read: impl Fn(&str) -> bool + Send + Sync + 'static) -> TopicPattern {
        TopicPattern { regex, may_read: Arc::new(may_read) }
    }

    /// Tells whether a topic is among them now.
    pub fn is_for(&self, topic: &str) -> bool {
        self.regex.is_match(topic) && (self.may_read)(topic)
    }
}

impl fmt::Debug for TopicPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.regex.fmt(f)
    }
}
