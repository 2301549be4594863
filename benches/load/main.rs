//! Many clients at once, while nodes are deployed and undeployed all the time: how long each of
//! them waits, and whether the service grows.
//!
//! Each client asks at its own rhythm, whatever the service does, so that waiting for a slow
//! answer leaves no slow request out: a time is counted from when the request was due.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark says what it does, and is asked by the environment to publish it"
)]

mod client;
mod fleet;
mod report;
mod waits;

use std::process::ExitCode;
use std::time::Duration;

use ironic_benches::service::{Clients, Failure, Service, free_address, ours};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval};

use client::Client;
use report::Report;
use waits::Waits;

const CLIENTS: usize = 200;
/// Nodes of each client, which nobody else asks anything to be done with.
const NODES_EACH: usize = 5;
/// How often each client asks for something.
const RHYTHM: Duration = Duration::from_millis(100);
const LONG: Duration = Duration::from_secs(60);
/// How long the service is asked before anything is measured.
const WARM_UP: Duration = Duration::from_secs(5);
/// How many clients enrol the nodes.
const ENROLLING: usize = 16;

fn main() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let measured = match runtime {
        Ok(runtime) => runtime.block_on(measure()),
        Err(error) => Err(error.into()),
    };
    let published = measured.and_then(|report| {
        println!("\n{}", report.table());
        report.publish()?;
        Ok(report.all_met())
    });
    match published {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => {
            eprintln!("load: a target is missed");
            ExitCode::FAILURE
        }
        Err(failure) => {
            eprintln!("load: {failure}");
            ExitCode::FAILURE
        }
    }
}

async fn measure() -> Result<Report, Failure> {
    let folder = tempfile::tempdir()?;
    let address = free_address()?;
    let command = ours(env!("CARGO_TARGET_TMPDIR"), folder.path(), address)?;
    let service = Service::start(command, address).await?;
    eprintln!("{} nodes", CLIENTS * NODES_EACH);
    let mut enrolling = Clients::open(address, ENROLLING).await?;
    let nodes = fleet::bring_up(&mut enrolling, CLIENTS * NODES_EACH).await?;

    eprintln!("{CLIENTS} clients for {} s", (WARM_UP + LONG).as_secs());
    let began = Instant::now();
    let counted = began + WARM_UP;
    let mut clients = JoinSet::new();
    for (number, nodes) in nodes.chunks(NODES_EACH).enumerate() {
        // Spread over the rhythm, so that they do not all ask in the same moment.
        let first = began + RHYTHM.mul_f64(number as f64 / CLIENTS as f64);
        let client = Client::open(address, number, nodes.to_vec()).await?;
        clients.spawn(client.ask(first, RHYTHM, counted, counted + LONG));
    }
    let mut sizes = Vec::new();
    let mut second = interval(Duration::from_secs(1));
    second.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while Instant::now() < counted + LONG {
        second.tick().await;
        if Instant::now() >= counted {
            sizes.push(service.memory()?);
        }
    }
    let mut waits = Waits::default();
    while let Some(client) = clients.join_next().await {
        waits.join(client?);
    }
    Ok(Report::new(waits, sizes, LONG))
}
