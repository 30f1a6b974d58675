//! Integration tests against a real Kafka, in one binary so that they share one broker.

// A test may end at the first surprise, in its helpers too.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

mod harness;

mod harness_selftest;

mod admin;
mod auth;
mod connect;
mod connect_v1;
mod consume;
mod doors;
mod examples;
mod failure;
mod fuzz;
mod limits;
mod metadata;
mod negotiation;
mod openapi;
mod passthrough;
mod process;
mod produce;
mod produce_v1;
mod rules;
mod schemas;
mod sight;
mod soak;
mod v3_admin;
mod v3_produce;
