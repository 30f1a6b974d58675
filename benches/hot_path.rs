//! What a produce request costs apart from Kafka: reading its body, writing its answer, choosing the answer's type.
//!
//! `cargo bench --bench hot_path`; the whole way, with Kafka, is measured by `bench/run`.

#![allow(clippy::expect_used)]

use std::hint::black_box;
use std::time::Duration;

use actix_web::web::Bytes;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use kafka_rest_proxy::config::{Config, Limits};
use kafka_rest_proxy::format::schema::Schema;
use kafka_rest_proxy::format::{Codec, Framed};
use kafka_rest_proxy::http::v2_wire::{Codecs, ProduceRequest, SchemaIds, produce_response};
use kafka_rest_proxy::http::{PartitionField, best_offer};
use kafka_rest_proxy::model::{Delivery, Placed, SchemaType};

const COUNTS: [usize; 3] = [1, 100, 1000];

/// As in `bench/run`.
const VALUE_BYTES: usize = 100;

/// Returns a body with `count` records, each with a value of the usual size.
fn body(is_binary: bool, count: usize) -> Bytes {
    let record = |number: usize| {
        let text = format!("{number:0VALUE_BYTES$}");
        match is_binary {
            true => format!(r#"{{"value":"{}"}}"#, STANDARD.encode(text)),
            false => format!(r#"{{"value":{{"n":{number},"text":"{}"}}}}"#, &text[20..]),
        }
    };
    let records: Vec<String> = (0..count).map(record).collect();
    format!(r#"{{"records":[{}]}}"#, records.join(",")).into()
}

/// Returns what writes values by a schema that fits [`body`].
fn framed(kind: SchemaType, text: &str) -> Codec {
    let schema = Schema::parse(kind, text, &[]).expect("the schema is good");
    Codec::Schema(Framed { id: 1, schema, lenient: false })
}

fn codecs() -> [(&'static str, Codec); 5] {
    let avro = r#"{"type":"record","name":"R","fields":[{"name":"n","type":"int"},{"name":"text","type":"string"}]}"#;
    let json = r#"{"type":"object","properties":{"n":{"type":"integer"},"text":{"type":"string"}},"required":["n"]}"#;
    let protobuf = "syntax = \"proto3\"; message R { int32 n = 1; string text = 2; }";
    [
        ("binary", Codec::Binary),
        ("json", Codec::Json),
        ("avro", framed(SchemaType::Avro, avro)),
        ("jsonschema", framed(SchemaType::JsonSchema, json)),
        ("protobuf", framed(SchemaType::Protobuf, protobuf)),
    ]
}

/// Returns how many records were read, so that none of it can be left out.
fn decode(body: &Bytes, codecs: &Codecs, limits: &Limits) -> usize {
    let request = ProduceRequest::parse(body, limits.records).expect("the body is good");
    request.records(body, codecs, PartitionField::Free, limits).expect("the records are good").len()
}

fn decoding(criterion: &mut Criterion) {
    let limits = Config::for_bootstrap("unused:1").limits;
    for (name, codec) in codecs() {
        let mut group = criterion.benchmark_group(format!("decode/{name}"));
        let codecs = Codecs { key: None, value: Some(codec) };
        for count in COUNTS {
            let body = body(name == "binary", count);
            group.throughput(Throughput::Elements(count as u64));
            group.bench_with_input(BenchmarkId::from_parameter(count), &body, |bencher, body| {
                bencher.iter(|| decode(black_box(body), &codecs, &limits));
            });
        }
        group.finish();
    }
}

fn encoding(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("encode");
    for count in COUNTS {
        let placed = |number: usize| {
            Ok(Placed { partition: (number % 8) as i32, offset: 1_000_000 + number as i64, timestamp_ms: None })
        };
        let deliveries: Vec<Delivery> = (0..count).map(placed).collect();
        group.throughput(Throughput::Elements(count as u64));
        group.bench_with_input(BenchmarkId::from_parameter(count), &deliveries, |bencher, deliveries| {
            bencher.iter(|| produce_response(black_box(deliveries), SchemaIds::default()));
        });
    }
    group.finish();
}

fn negotiation(criterion: &mut Criterion) {
    let offers = &[("application/vnd.kafka.v2+json", 1000), ("application/json", 500)];
    let headers = [
        ("any", "*/*"),
        ("exact", "application/vnd.kafka.v2+json"),
        ("list", "application/vnd.kafka.v2+json, application/vnd.kafka+json; q=0.9, application/json; q=0.8"),
    ];
    let mut group = criterion.benchmark_group("negotiate");
    for (name, accept) in headers {
        group.bench_with_input(BenchmarkId::from_parameter(name), accept, |bencher, accept| {
            bencher.iter(|| best_offer(black_box(Some(accept)), offers));
        });
    }
    group.finish();
}

criterion_group! {
    name = hot_path;
    config = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1));
    targets = decoding, encoding, negotiation
}
criterion_main!(hot_path);
