//! Client certificates: the subject becomes a name, as in Kafka.

mod rules;
mod subject;

pub use rules::Rules;
pub use subject::subject;
