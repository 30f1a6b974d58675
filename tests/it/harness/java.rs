//! What Java programs write and read: payloads of Avro and Protobuf, through `tests/kafka/codecs`; and a real registry.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::OnceLock;

use crate::harness::registry::Registry;
use crate::harness::script::{self, FAST_START, Running};
use crate::harness::{free_port, unique};

/// A real schema registry; it ends when the test run does.
pub struct Apicurio {
    /// The URL of its API.
    pub url: String,
    _running: Running,
}

/// Returns the URL of the registry that tests share, started by the first who asks. They keep apart by their topics.
///
/// Where no java is new enough for a real one, it is the one inside of this process, and that is said.
pub fn registry() -> String {
    static SHARED: OnceLock<Result<Apicurio, Box<Registry>>> = OnceLock::new();
    let shared = SHARED.get_or_init(|| match Apicurio::launch() {
        Ok(real) => Ok(real),
        Err(why) if why.contains("no java of version 21") => {
            eprintln!("the schema registry of these tests is not a real one: {why}");
            Err(Box::new(Registry::start()))
        }
        Err(why) => panic!("{why}"),
    });
    match shared {
        Ok(real) => real.url.clone(),
        Err(own) => own.url().to_owned(),
    }
}

impl Apicurio {
    fn launch() -> Result<Apicurio, String> {
        let (port, management_port) = (free_port(), free_port());
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(unique("registry"));
        let dir = dir.to_str().expect("the target folder is UTF-8");
        let (port, management_port) = (port.to_string(), management_port.to_string());
        let arguments = ["--dir", dir, "--port", &port, "--management-port", &management_port, "--remove-dir"];
        let running = script::start("registry", &arguments.map(str::to_owned), FAST_START).wait()?;
        Ok(Apicurio { url: format!("http://127.0.0.1:{port}/apis/ccompat/v7"), _running: running })
    }
}

/// A Java program that writes and reads payloads; it ends when dropped.
pub struct Codecs {
    program: Child,
    commands: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Codecs {
    pub fn start() -> Codecs {
        let mut program = Command::new(format!("{}/tests/kafka/codecs", env!("CARGO_MANIFEST_DIR")))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("bash runs it");
        let answers = BufReader::new(program.stdout.take().expect("it is piped"));
        Codecs { commands: program.stdin.take(), answers, program }
    }

    /// Sends a command with its arguments; `Codecs.java` says which there are.
    #[track_caller]
    pub fn ask(&mut self, command: &[&str]) -> String {
        let commands = self.commands.as_mut().expect("it is open until it is dropped");
        writeln!(commands, "{}", command.join("\t")).expect("the program reads");
        let mut answer = String::new();
        self.answers.read_line(&mut answer).expect("the program answers");
        assert!(answer.ends_with('\n'), "the program failed at {command:?}");
        answer.trim_end().to_owned()
    }
}

impl Drop for Codecs {
    fn drop(&mut self) {
        drop(self.commands.take());
        let _ = self.program.wait();
    }
}

/// Returns bytes as text.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Returns the bytes of a text.
pub fn unhex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().chunks_exact(2);
    digits.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).expect("ASCII"), 16).expect("hex")).collect()
}
