//! What our ring is measured with: the most used ring of crates.io, and tooz, which the original uses.

use std::env;
use std::hash::{BuildHasher, DefaultHasher, Hash, Hasher};
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use ironic_hashring::RingHasher;
use md5::{Digest, Md5};
use serde_json::json;

/// SipHash-1-3, as std has it, for a ring of ours.
#[derive(Clone, Default)]
pub(crate) struct Sip(DefaultHasher);

impl RingHasher for Sip {
    const NAME: &'static str = "siphash";

    fn update(&mut self, bytes: &[u8]) {
        self.0.write(bytes);
    }

    fn position(self) -> u128 {
        u128::from(self.0.finish()) << 64
    }
}

/// MD5 for the crate's ring, which keeps 64 bits of it.
#[derive(Clone, Copy)]
pub(crate) struct BuildMd5;

impl BuildHasher for BuildMd5 {
    type Hasher = Md5Hasher;

    fn build_hasher(&self) -> Md5Hasher {
        Md5Hasher(Md5::new())
    }
}

pub(crate) struct Md5Hasher(Md5);

impl Hasher for Md5Hasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        let digest = self.0.clone().finalize();
        u64::from_be_bytes(*digest.first_chunk().unwrap())
    }
}

/// A point of a host in the crate's ring, which leaves partitions to its users.
#[derive(Hash)]
pub(crate) struct Point {
    pub(crate) host: usize,
    pub(crate) number: usize,
}

/// Fills the crate's ring.
pub(crate) fn fill<S: BuildHasher>(
    mut ring: hashring::HashRing<Point, S>,
    hosts: usize,
    partitions: usize,
) -> hashring::HashRing<Point, S> {
    let points = (0..hosts)
        .flat_map(|host| (0..partitions).map(move |number| Point { host, number }))
        .collect();
    ring.batch_add(points);
    ring
}

/// tooz, in a Python of its own.
pub(crate) struct Tooz {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Tooz {
    /// Starts it with a ring, and says whom it finds for the keys; none where it is not installed.
    pub(crate) fn start(
        hosts: &[String],
        partitions: usize,
        keys: &[String],
    ) -> Option<(Self, Vec<String>)> {
        let python =
            env::var_os("IRONIC_TEST_VENV").map(|venv| PathBuf::from(venv).join("bin/python"));
        let python = python.unwrap_or_else(|| "python3".into());
        let try_import = Command::new(&python)
            .args(["-c", "import tooz.hashring"])
            .stderr(Stdio::null())
            .status();
        if !try_import.is_ok_and(|status| status.success()) {
            return None;
        }
        let mut child = Command::new(&python)
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/peers/tooz_ring.py"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let input = child.stdin.take().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let mut tooz = Self {
            child,
            input,
            output,
        };
        let setup = json!({"hosts": hosts, "partitions": partitions, "keys": keys});
        let owners = serde_json::from_str(&tooz.ask(&setup.to_string())).unwrap();
        Some((tooz, owners))
    }

    /// How long so many rounds of all keys take.
    pub(crate) fn time(&mut self, rounds: u64) -> Duration {
        let answer = self.ask(&rounds.to_string());
        Duration::from_nanos(answer.trim().parse().unwrap())
    }

    fn ask(&mut self, line: &str) -> String {
        writeln!(self.input, "{line}").unwrap();
        let mut answer = String::new();
        self.output.read_line(&mut answer).unwrap();
        answer
    }
}

impl Drop for Tooz {
    fn drop(&mut self) {
        // It has nothing to lose.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
