//! What librdkafka does without a proxy in front of it: the yardstick of `bench/run`.
//!
//! The loops use the C API the way a fast C program does (`rdkafka_performance` is the model): one topic
//! handle, no future and no allocation of ours for a record. The small topic commands are here because
//! `bench/run` needs them and this binary is built anyway.

// The calls are those of a C program: that is what the proxy is compared with.
#![allow(unsafe_code)]

use std::error::Error;
use std::ffi::{CStr, CString, c_char, c_void};
use std::fs;
use std::mem::forget;
use std::process::ExitCode;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread::sleep;
use std::time::{Duration, Instant};

use clap::{Args, CommandFactory, Parser};
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::bindings as c;
use rdkafka::client::DefaultClientContext;
use rdkafka::config::{ClientConfig, NativeClientConfig};
use rdkafka::consumer::{BaseConsumer, Consumer};
use tokio::runtime;

const TIMEOUT: Duration = Duration::from_secs(30);

/// Produces or consumes with librdkafka for some seconds and prints one JSON line, or does one thing with a topic.
#[derive(Parser)]
#[command(name = "native")]
struct Arguments {
    #[arg(long, value_name = "HOST:PORT")]
    bootstrap: String,
    #[command(flatten)]
    action: Action,
    /// Reads the topic from its beginning instead, no further than its end
    #[arg(long, requires = "topic")]
    consume: bool,
    #[arg(long, default_value_t = 8)]
    seconds: u64,
    /// Ends after so many records, if that is earlier
    #[arg(long, default_value_t = u64::MAX, hide_default_value = true)]
    records: u64,
    #[arg(long, default_value_t = 100)]
    value_bytes: usize,
}

#[derive(Args)]
#[group(required = true, multiple = false)]
struct Action {
    /// Produces to this topic, or consumes it
    #[arg(long, value_name = "NAME")]
    topic: Option<String>,
    #[arg(long, value_name = "NAME:PARTITIONS")]
    create_topic: Option<String>,
    #[arg(long, value_name = "NAME")]
    delete_topic: Option<String>,
    /// Prints how many records this topic has received since it was created
    #[arg(long, value_name = "NAME")]
    count_records: Option<String>,
}

type Outcome = Result<(), Box<dyn Error>>;

fn main() -> ExitCode {
    // A plain `cargo bench` runs every bench target, with `--bench` as its only argument.
    let given: Vec<_> = std::env::args().filter(|argument| argument != "--bench").collect();
    if given.len() == 1 {
        println!("{}", Arguments::command().render_usage());
        return ExitCode::SUCCESS;
    }
    match run(&Arguments::parse_from(given)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("native: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Outcome {
    let action = &arguments.action;
    if let Some(spec) = &action.create_topic {
        create_topic(arguments, spec)
    } else if let Some(name) = &action.delete_topic {
        delete_topic(arguments, name)
    } else if let Some(name) = &action.count_records {
        count_records(arguments, name)
    } else if let Some(name) = &action.topic {
        if arguments.consume { consume(arguments, name) } else { produce(arguments, name) }
    } else {
        Err("nothing to do".into())
    }
}

fn client_config(arguments: &Arguments) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", &arguments.bootstrap);
    config
}

fn create_topic(arguments: &Arguments, spec: &str) -> Outcome {
    let (name, partitions) = spec.split_once(':').ok_or("--create-topic wants NAME:PARTITIONS")?;
    let partitions = partitions.parse()?;
    // A benchmark writes gigabytes: a deleted topic gives them back at once instead of after a minute.
    let topic = NewTopic::new(name, partitions, TopicReplication::Fixed(1)).set("file.delete.delay.ms", "1000");
    let admin: AdminClient<DefaultClientContext> = client_config(arguments).create()?;
    let results = block_on(admin.create_topics([&topic], &admin_options()))??;
    results.into_iter().try_for_each(|result| result.map(drop).map_err(topic_error))?;
    wait_for_leaders(&admin, name, partitions as usize)
}

/// The answer to the creation comes from the controller: the broker may learn of the topic a little later.
fn wait_for_leaders(admin: &AdminClient<DefaultClientContext>, name: &str, partitions: usize) -> Outcome {
    let end = Instant::now() + TIMEOUT;
    while Instant::now() < end {
        let metadata = admin.inner().fetch_metadata(Some(name), TIMEOUT)?;
        let topic = metadata.topics().first().ok_or("no metadata of the topic")?;
        let leaders = topic.partitions().iter().filter(|partition| partition.leader() >= 0);
        if leaders.count() == partitions {
            return Ok(());
        }
        sleep(Duration::from_millis(20));
    }
    Err(format!("topic {name} has no leaders after {TIMEOUT:?}").into())
}

fn delete_topic(arguments: &Arguments, name: &str) -> Outcome {
    let admin: AdminClient<DefaultClientContext> = client_config(arguments).create()?;
    let results = block_on(admin.delete_topics(&[name], &admin_options()))??;
    results.into_iter().try_for_each(|result| result.map(drop).map_err(topic_error))
}

fn admin_options() -> AdminOptions {
    AdminOptions::new().request_timeout(Some(TIMEOUT)).operation_timeout(Some(TIMEOUT))
}

fn block_on<F: Future>(future: F) -> std::io::Result<F::Output> {
    Ok(runtime::Builder::new_current_thread().enable_all().build()?.block_on(future))
}

fn topic_error((name, code): (String, rdkafka::types::RDKafkaErrorCode)) -> Box<dyn Error> {
    format!("topic {name}: {code}").into()
}

fn count_records(arguments: &Arguments, name: &str) -> Outcome {
    let consumer: BaseConsumer = client_config(arguments).create()?;
    let metadata = consumer.fetch_metadata(Some(name), TIMEOUT)?;
    let topic = metadata.topics().first().ok_or("no such topic")?;
    let mut records = 0;
    for partition in topic.partitions() {
        records += consumer.fetch_watermarks(name, partition.id(), TIMEOUT)?.1;
    }
    println!("{records}");
    Ok(())
}

/// Produces for the given time, waits until every record is acknowledged and prints what that took.
fn produce(arguments: &Arguments, topic: &str) -> Outcome {
    let producer = Producer::new(&client_config(arguments), topic)?;
    let value = noise(arguments.value_bytes);
    producer.connect()?;

    let (started, cpu_started) = (Instant::now(), cpu_seconds()?);
    let end = started + Duration::from_secs(arguments.seconds);
    let mut left = arguments.records;
    while left > 0 && Instant::now() < end {
        let now = left.min(1000);
        for _ in 0..now {
            producer.send(&value)?;
        }
        left -= now;
        producer.poll(0);
    }
    producer.flush()?;
    let (seconds, cpu) = (started.elapsed().as_secs_f64(), cpu_seconds()? - cpu_started);

    let records = DELIVERED.load(Relaxed);
    if FAILED.load(Relaxed) > 0 {
        return Err(format!("{} records were not delivered", FAILED.load(Relaxed)).into());
    }
    print_result(records, seconds, cpu);
    Ok(())
}

/// Reads all partitions from the beginning, without a group, and prints what that took from the first record on.
fn consume(arguments: &Arguments, topic: &str) -> Outcome {
    let config = client_config(arguments);
    let partitions = {
        let consumer: BaseConsumer = config.create()?;
        let metadata = consumer.fetch_metadata(Some(topic), TIMEOUT)?;
        let topic = metadata.topics().first().ok_or("no such topic")?;
        topic.partitions().len()
    };
    let mut consumer = Consumption::start(&config, topic, partitions)?;

    let begun = Instant::now();
    while consumer.records == 0 {
        consumer.take(100)?;
        if consumer.is_at_end() || begun.elapsed() > TIMEOUT {
            return Err("the topic has no records".into());
        }
    }
    let (started, cpu_started) = (Instant::now(), cpu_seconds()?);
    let end = started + Duration::from_secs(arguments.seconds);
    while !consumer.is_at_end() && consumer.records < arguments.records && Instant::now() < end {
        consumer.take(100)?;
    }
    let (seconds, cpu) = (started.elapsed().as_secs_f64(), cpu_seconds()? - cpu_started);
    print_result(consumer.records, seconds, cpu);
    Ok(())
}

fn print_result(records: u64, seconds: f64, cpu: f64) {
    println!(
        r#"{{"records": {records}, "seconds": {seconds:.3}, "records_per_s": {:.0}, "cpu_us_per_record": {:.3}}}"#,
        records as f64 / seconds,
        cpu * 1e6 / records as f64,
    );
}

fn noise(size_bytes: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    (0..size_bytes).map(|_| next()).collect()
}

/// The user and system time of all threads so far.
fn cpu_seconds() -> Result<f64, Box<dyn Error>> {
    const TICKS_PER_SECOND: f64 = 100.0; // USER_HZ, the same on every Linux this runs on.
    let stat = fs::read_to_string("/proc/self/stat")?;
    // The fields after the command name, which may itself contain blanks: utime and stime are the 12th and 13th.
    let (_, fields) = stat.rsplit_once(')').ok_or("unexpected /proc/self/stat")?;
    let fields: Vec<_> = fields.split_whitespace().collect();
    Ok((fields[11].parse::<f64>()? + fields[12].parse::<f64>()?) / TICKS_PER_SECOND)
}

static DELIVERED: AtomicU64 = AtomicU64::new(0);
static FAILED: AtomicU64 = AtomicU64::new(0);

unsafe extern "C" fn count_delivery(_: *mut c::rd_kafka_t, message: *const c::rd_kafka_message_t, _: *mut c_void) {
    // SAFETY: librdkafka hands a valid message to its callback.
    let failed = unsafe { (*message).err } != c::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR;
    if failed { &FAILED } else { &DELIVERED }.fetch_add(1, Relaxed);
}

/// A producer with one topic, straight on the C API. It lives as long as the process.
struct Producer {
    client: *mut c::rd_kafka_t,
    topic: *mut c::rd_kafka_topic_t,
}

impl Producer {
    fn new(config: &ClientConfig, topic: &str) -> Result<Self, Box<dyn Error>> {
        let topic = CString::new(topic)?;
        let config = config
            .clone()
            .set("acks", "all")
            .set("enable.idempotence", "true")
            .set("linger.ms", "5")
            .set("queue.buffering.max.messages", "1000000")
            .set("log_level", "3") // A new broker's "coordinator load in progress" is no news.
            .create_native_config()?;
        // SAFETY: the pointers are valid for the calls.
        unsafe {
            c::rd_kafka_conf_set_dr_msg_cb(config.ptr(), Some(count_delivery));
            let client = new_client(c::rd_kafka_type_t::RD_KAFKA_PRODUCER, config)?;
            Ok(Self { client, topic: c::rd_kafka_topic_new(client, topic.as_ptr(), null_mut()) })
        }
    }

    /// Fetches the metadata of the topic, so that connecting is not part of what is measured.
    fn connect(&self) -> Outcome {
        let mut metadata = std::ptr::null();
        // SAFETY: client and topic are valid; the answer is destroyed once.
        unsafe {
            let code = c::rd_kafka_metadata(self.client, 0, self.topic, &mut metadata, TIMEOUT.as_millis() as i32);
            check(code)?;
            c::rd_kafka_metadata_destroy(metadata);
        }
        Ok(())
    }

    /// Queues one record without a key; librdkafka copies the value and picks the partition.
    fn send(&self, value: &[u8]) -> Outcome {
        loop {
            // SAFETY: the topic is valid, and with F_COPY the value is not used after the call.
            let status = unsafe {
                c::rd_kafka_produce(
                    self.topic,
                    -1, // RD_KAFKA_PARTITION_UA
                    c::RD_KAFKA_MSG_F_COPY,
                    value.as_ptr().cast_mut().cast(),
                    value.len(),
                    null_mut(),
                    0,
                    null_mut(),
                )
            };
            if status == 0 {
                return Ok(());
            }
            // SAFETY: no arguments; reads a code of this thread.
            let code = unsafe { c::rd_kafka_last_error() };
            if code != c::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR__QUEUE_FULL {
                return check(code);
            }
            self.poll(1);
        }
    }

    fn poll(&self, timeout_ms: i32) {
        // SAFETY: the client is valid.
        unsafe { c::rd_kafka_poll(self.client, timeout_ms) };
    }

    fn flush(&self) -> Outcome {
        // SAFETY: the client is valid.
        check(unsafe { c::rd_kafka_flush(self.client, TIMEOUT.as_millis() as i32) })
    }
}

/// What is asked of the queue at once.
const BATCH: usize = 1000;

/// A consumer of all partitions of a topic, straight on the C API. It lives as long as the process.
struct Consumption {
    queue: *mut c::rd_kafka_queue_t,
    batch: Vec<*mut c::rd_kafka_message_t>,
    records: u64,
    open_partitions: usize,
}

impl Consumption {
    fn start(config: &ClientConfig, topic: &str, partitions: usize) -> Result<Self, Box<dyn Error>> {
        let topic = CString::new(topic)?;
        let config = config
            .clone()
            .set("queued.min.messages", "1000000") // As `rdkafka_performance` has it; all else is the default.
            .set("enable.partition.eof", "true")
            .create_native_config()?;
        // SAFETY: client, topic and queue are valid, and never destroyed.
        let queue = unsafe {
            let client = new_client(c::rd_kafka_type_t::RD_KAFKA_CONSUMER, config)?;
            let topic = c::rd_kafka_topic_new(client, topic.as_ptr(), null_mut());
            let queue = c::rd_kafka_queue_new(client);
            for partition in 0..i32::try_from(partitions)? {
                if c::rd_kafka_consume_start_queue(topic, partition, BEGINNING, queue) != 0 {
                    check(c::rd_kafka_last_error())?;
                }
            }
            queue
        };
        Ok(Self { queue, batch: vec![null_mut(); BATCH], records: 0, open_partitions: partitions })
    }

    /// Takes a batch off the queue, looks at each record and destroys it.
    fn take(&mut self, timeout_ms: i32) -> Outcome {
        // SAFETY: the queue is valid, and librdkafka fills no more than the given number of places.
        let taken = unsafe {
            c::rd_kafka_consume_batch_queue(self.queue, timeout_ms, self.batch.as_mut_ptr(), self.batch.len())
        };
        for &message in &self.batch[..usize::try_from(taken)?] {
            // SAFETY: the message is valid until it is destroyed, once.
            let code = unsafe {
                let code = (*message).err;
                c::rd_kafka_message_destroy(message);
                code
            };
            if code == c::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR__PARTITION_EOF {
                self.open_partitions -= 1;
            } else {
                check(code)?;
                self.records += 1;
            }
        }
        Ok(())
    }

    fn is_at_end(&self) -> bool {
        self.open_partitions == 0
    }
}

/// `RD_KAFKA_OFFSET_BEGINNING`.
const BEGINNING: i64 = -2;

/// Creates a client that is never destroyed.
fn new_client(kind: c::rd_kafka_type_t, config: NativeClientConfig) -> Result<*mut c::rd_kafka_t, Box<dyn Error>> {
    let mut error: [c_char; 512] = [0; 512];
    // SAFETY: the pointers are valid for the calls, and librdkafka owns the configuration after rd_kafka_new.
    unsafe {
        let client = c::rd_kafka_new(kind, config.ptr(), error.as_mut_ptr(), error.len());
        if client.is_null() {
            return Err(CStr::from_ptr(error.as_ptr()).to_string_lossy().into());
        }
        forget(config);
        Ok(client)
    }
}

fn check(code: c::rd_kafka_resp_err_t) -> Outcome {
    if code == c::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR {
        return Ok(());
    }
    // SAFETY: rd_kafka_err2str returns a static string for every code.
    let text = unsafe { CStr::from_ptr(c::rd_kafka_err2str(code)) };
    Err(text.to_string_lossy().into())
}
