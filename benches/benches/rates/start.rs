//! The program `ironic`, from its start until it answers.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use ironic_benches::{Figure, Target};

use crate::footprint::resident;

const RUNS: usize = 15;
/// How long it may take before something is wrong.
const PATIENCE: Duration = Duration::from_secs(20);

/// Milliseconds until `/v1` is answered, and mebibytes in memory then; nothing where the program has
/// not been built.
pub(crate) fn measure() -> Vec<Figure> {
    let program = program();
    if !program.exists() {
        println!(
            "{} is not there: cargo build --release -p ironic-standalone",
            program.display()
        );
        return Vec::new();
    }
    let mut times = Vec::new();
    let mut sizes = Vec::new();
    let folder = tempfile::tempdir().unwrap();
    for _ in 0..RUNS {
        let (time, size) = start(&program, folder.path());
        times.push(time.as_secs_f64() * 1e3);
        sizes.push(size);
    }
    let times = Figure::of("`ironic serve` answers `/v1` after", times, "ms");
    let sizes = Figure::of("`ironic serve` then has in memory", sizes, "MiB");
    vec![
        times.unwrap().target(Target::AtMost(100.0)),
        sizes.unwrap().target(Target::AtMost(25.0)),
    ]
}

fn program() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR"))
        .with_file_name("release")
        .join("ironic")
}

fn start(program: &Path, folder: &Path) -> (Duration, f64) {
    let config = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../examples/standalone/config/fake.toml"
    );
    let address = free();
    let began = Instant::now();
    let child = Command::new(program)
        .args(["serve", "--config", config, "--log", "error"])
        .args(["--listen", &address.to_string()])
        .arg("--database")
        .arg(format!("sqlite:{}", folder.join("ironic.db").display()))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let mut ironic = Running(child);
    while !answers(address) {
        assert!(ironic.0.try_wait().unwrap().is_none(), "ironic has ended");
        assert!(began.elapsed() < PATIENCE, "ironic does not answer");
        thread::sleep(Duration::from_micros(200));
    }
    let took = began.elapsed();
    (took, resident(&ironic.0.id().to_string()))
}

fn free() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap()
}

fn answers(address: SocketAddr) -> bool {
    let Ok(mut stream) = TcpStream::connect(address) else {
        return false;
    };
    let asked = "GET /v1 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let mut answer = String::new();
    stream.write_all(asked.as_bytes()).is_ok()
        && stream.read_to_string(&mut answer).is_ok()
        && answer.starts_with("HTTP/1.1 200")
}

/// Ended with the benchmark.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
