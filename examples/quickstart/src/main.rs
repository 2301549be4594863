//! The main job, run over the real protocols on loopback: an embedded engine takes machines from
//! enrolment to a running system, and back.
//!
//! Everything is in this process, and nothing knows of anything but by wire: the host with its
//! REST API, DHCP, TFTP and HTTP servers, and machines behind virtual BMCs.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for people to watch"
)]

mod api;
mod failure;
mod image;
mod life;
mod operator;
mod progress;
mod rack;
mod site;
mod table;
mod tour;

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use failure::Failure;
use life::{Life, Story};
use operator::Operator;
use progress::Progress;
use rack::Rack;
use site::Site;
use tour::Tour;

/// Takes machines from enrolment to a running system and back, over IPMI, DHCP, TFTP, HTTP and
/// the agent's API, all on loopback.
#[derive(Debug, Parser)]
#[command(name = "quickstart", version)]
struct Options {
    /// How many machines.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=500))]
    machines: u16,

    /// Leave everything running once the machines are deployed, and print commands to try.
    #[arg(long)]
    keep: bool,

    /// Take one machine through every verb instead (enrol, manage, inspect, clean, provide, active,
    /// service, rescue, unrescue, rebuild, unhold, abort, adopt, deleted), and print what it went
    /// through.
    #[arg(long, conflicts_with_all = ["machines", "keep"])]
    tour: bool,

    /// Size of the image that is deployed, in MiB.
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u64).range(1..=2048))]
    image_mib: u64,

    /// Size of each machine's (sparse) disk, in GiB.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(4..=1024))]
    disk_gib: u64,

    /// How long one step of a machine's life may take, in seconds.
    #[arg(long, default_value_t = 300)]
    patience: u64,

    /// What to log to stderr, such as `info` or `ironic_core=debug`.
    #[arg(long, default_value = "off")]
    log: String,
}

fn main() -> ExitCode {
    let options = Options::parse();
    let filter = match tracing_subscriber::EnvFilter::try_new(&options.log) {
        Ok(filter) => filter,
        Err(error) => {
            eprintln!("--log {}: {error}", options.log);
            return ExitCode::from(2);
        }
    };
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
    if rustls::crypto::ring::default_provider()
        .install_default()
        .is_err()
    {
        eprintln!("another TLS provider is installed already");
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("no threads to run on: {error}");
            return ExitCode::FAILURE;
        }
    };
    let code = runtime.block_on(async {
        match run(&options).await {
            Ok(true) => ExitCode::SUCCESS,
            Ok(false) => ExitCode::FAILURE,
            Err(Failure::Interrupted) => {
                eprintln!("interrupted; everything is stopped and removed");
                ExitCode::from(130)
            }
            Err(failure) => {
                eprintln!("error: {failure}");
                ExitCode::FAILURE
            }
        }
    });
    runtime.shutdown_timeout(Duration::from_secs(2));
    code
}

/// Runs everything; whether every machine came through.
async fn run(options: &Options) -> Result<bool, Failure> {
    let interrupted = CancellationToken::new();
    tokio::spawn({
        let interrupted = interrupted.clone();
        async move {
            if tokio::signal::ctrl_c().await.is_ok() {
                interrupted.cancel();
            }
        }
    });
    let site = Site::start(options.image_mib).await?;
    let machines = if options.tour { 1 } else { options.machines };
    let rack = Rack::start(&site, machines, options.disk_gib).await?;
    eprintln!(
        "API {}, DHCP {}, TFTP {}, image sha256 {}",
        site.api_url, site.dhcp, site.tftp, site.image.sha256
    );
    let told = async {
        if options.tour {
            go_on_tour(options, &site, &rack).await
        } else {
            tell(options, &site, &rack).await
        }
    };
    let done = interrupted.run_until_cancelled(told).await;
    // Whatever happened, machines lose power first, then the engine stops.
    rack.stop().await;
    site.stop().await?;
    done.unwrap_or(Err(Failure::Interrupted))
}

/// Takes the machine through every verb, and prints what it went through.
async fn go_on_tour(options: &Options, site: &Site, rack: &Rack) -> Result<bool, Failure> {
    let machine = rack.machines().first().cloned();
    let machine = machine.ok_or_else(|| Failure::Setup("there is no machine".to_owned()))?;
    let patience = Duration::from_secs(options.patience);
    let operator = Operator::new(site, rack.events.subscribe(), machine, patience);
    let progress = Progress::in_lines(rack, site);
    let report = Tour::new(operator).go().await;
    progress.finish();
    println!("{}", report.render());
    Ok(report.failure.is_none())
}

/// Lets every machine live, and prints what became of them.
async fn tell(options: &Options, site: &Site, rack: &Rack) -> Result<bool, Failure> {
    let progress = Progress::start(rack, site);
    let patience = Duration::from_secs(options.patience);
    let mut lives = JoinSet::new();
    for machine in rack.machines() {
        let operator = Operator::new(site, rack.events.subscribe(), machine.clone(), patience);
        let life = Life::new(operator);
        let keep = options.keep;
        lives.spawn(async move { life.live(keep).await });
    }
    let mut stories: Vec<Story> = lives.join_all().await;
    progress.finish();
    stories.sort_by_key(|story| story.number);
    println!("{}", table::render(&stories));
    for story in &stories {
        if let Some(failure) = &story.failure {
            println!("{}: {failure}", story.machine);
        }
    }
    let well = stories
        .iter()
        .filter(|story| story.failure.is_none())
        .count();
    let all = well == stories.len();
    if options.keep {
        println!("{}", table::hints(site, rack, &stories));
        std::future::pending::<()>().await;
    }
    println!(
        "{well} of {} machines deployed, verified and cleaned",
        stories.len()
    );
    Ok(all)
}
