//! Integration tests against a real Kafka, in one binary so that they share one broker.

mod harness;

mod harness_selftest;
