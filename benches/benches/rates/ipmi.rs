//! Reading the power state of BMCs. The client and who asks it share one thread, the BMCs another.

use std::net::SocketAddr;
use std::sync::Arc;

use criterion::{Criterion, Throughput};
use futures::future::try_join_all;
use ironic_benches::{PASSWORD, Rack, USER};
use ironic_core::{OsEntropy, Secret};
use ironic_drivers_ipmi::client::{Bmc, Endpoint, IpmiClient};
use ironic_drivers_ipmi::codec::CipherSuite;
use ironic_drivers_ipmi::console::IpmiError;
use tokio::runtime::{Builder, Runtime};

use crate::Group;

pub(crate) const GROUP: &str = "ipmi";

const MANY: usize = 64;

pub(crate) fn run(criterion: &mut Criterion) {
    let rack = Rack::start(MANY).unwrap();
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let mut group = criterion.benchmark_group(GROUP);
    for suite in [CipherSuite::Sha1Aes128, CipherSuite::Sha256Aes128] {
        for bmcs in [1, MANY] {
            measure(&mut group, &runtime, suite, &rack.addresses()[..bmcs]);
        }
    }
    group.finish();
}

fn measure(group: &mut Group<'_>, runtime: &Runtime, suite: CipherSuite, bmcs: &[SocketAddr]) {
    let count = bmcs.len();
    let plural = if count == 1 { "" } else { "s at once" };
    let name = |heat| format!("suite {}, {heat}, {count} BMC{plural}", suite.id());
    group.throughput(Throughput::Elements(count as u64));

    // A client that goes tells the BMCs that its sessions are over: each read has one of its own.
    group.bench_function(name("cold"), |bencher| {
        bencher.to_async(runtime).iter(async || {
            read(&reach(suite, bmcs)).await.unwrap();
        });
    });
    let handles = runtime.block_on(async { reach(suite, bmcs) });
    runtime.block_on(read(&handles)).unwrap();
    group.bench_function(name("warm"), |bencher| {
        bencher.to_async(runtime).iter(async || {
            read(&handles).await.unwrap();
        });
    });
}

/// The BMCs, by a new client.
fn reach(suite: CipherSuite, bmcs: &[SocketAddr]) -> Vec<Bmc> {
    let client = IpmiClient::new(Arc::new(OsEntropy));
    let password = Secret::new(PASSWORD.to_owned());
    let endpoints = bmcs.iter().map(|bmc| {
        let endpoint = Endpoint::new(*bmc, USER, &password).unwrap();
        client.bmc(endpoint.suite(suite))
    });
    endpoints.collect()
}

async fn read(bmcs: &[Bmc]) -> Result<(), IpmiError> {
    let reads = bmcs.iter().map(Bmc::chassis_status);
    try_join_all(reads).await.map(drop)
}
