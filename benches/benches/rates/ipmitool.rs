//! ipmitool, on the BMCs that our client is measured with: one process for each read, as it is
//! mostly used, and 100 reads in one process and session.
//!
//! Most of a process is spent on reading the list of enterprise numbers that Debian ships with it,
//! some 5 MB; what the protocol itself costs is in the second rate.

use std::fs;
use std::net::SocketAddr;
use std::process::{Command, Stdio};

use criterion::{Criterion, Throughput};
use ironic_benches::{PASSWORD, Rack, USER};

pub(crate) const GROUP: &str = "ipmitool";

const READ: &str = "chassis power status";
const READS: usize = 100;

/// Measures ipmitool; false where it is not installed.
pub(crate) fn run(criterion: &mut Criterion) -> bool {
    if Command::new("ipmitool").arg("-V").output().is_err() {
        return false;
    }
    let rack = Rack::start(1).unwrap();
    let bmc = rack.addresses()[0];
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("reads");
    fs::write(&script, format!("{READ}\n").repeat(READS)).unwrap();

    let mut group = criterion.benchmark_group(GROUP);
    for suite in ["3", "17"] {
        group.throughput(Throughput::Elements(1));
        group.bench_function(format!("suite {suite}, cold"), |bencher| {
            bencher.iter(|| read(tool(bmc, suite).args(READ.split(' ')), 1));
        });
        group.throughput(Throughput::Elements(READS as u64));
        group.bench_function(format!("suite {suite}, warm"), |bencher| {
            bencher.iter(|| read(tool(bmc, suite).arg("exec").arg(&script), READS));
        });
    }
    group.finish();
    true
}

fn tool(bmc: SocketAddr, suite: &str) -> Command {
    let mut tool = Command::new("ipmitool");
    tool.stdin(Stdio::null())
        .args(["-I", "lanplus", "-C", suite, "-U", USER, "-P", PASSWORD])
        .args(["-H", &bmc.ip().to_string(), "-p", &bmc.port().to_string()]);
    tool
}

/// Runs it, and makes sure that it has read the state as often as it should.
fn read(tool: &mut Command, times: usize) {
    let output = tool.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let read = text.matches("Chassis Power is off").count();
    assert!(output.status.success() && read == times, "{output:?}");
}
