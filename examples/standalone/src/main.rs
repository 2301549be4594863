//! The program `ironic`: the Bare Metal service in one process.

mod db;
mod log_thread;
mod logging;
mod policy;
mod read_journal;

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use ironic_standalone::metrics::Metrics;
use ironic_standalone::{Host, HostConfig, HostError};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use logging::LogFormat;

/// Provisions bare-metal machines, by the OpenStack Bare Metal REST API.
#[derive(Debug, Parser)]
#[command(name = "ironic", version, about, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the service: API and conductor in one process.
    Serve(Serve),
    /// Look after the database: bring it forward, check it, write it out, read it in.
    #[command(subcommand)]
    Db(db::Db),
    /// Tell who may do what.
    #[command(subcommand)]
    Policy(policy::Policy),
    /// Tell what a journal of decisions says of nodes.
    Journal(read_journal::Journal),
}

/// Settings are taken from the file, then from the environment, then from these options.
///
/// In the environment a setting is named after its section and key: `host` in `[conductor]` is
/// IRONIC_CONDUCTOR_HOST.
#[derive(Debug, Args)]
struct Serve {
    /// Settings file (TOML).
    #[arg(long, short, value_name = "FILE", env = "IRONIC_CONFIG")]
    config: Option<PathBuf>,
    /// Where the API listens; port 0 takes any free one [default: 127.0.0.1:6385].
    #[arg(long, value_name = "ADDR:PORT")]
    listen: Option<SocketAddr>,
    /// Where the records are: `sqlite:PATH`, `postgres://USER@HOST/NAME`, or `memory:` to forget
    /// them at the end [default: memory:].
    #[arg(long, value_name = "URL")]
    database: Option<String>,
    /// What to log, as in `info,ironic_core=debug`.
    #[arg(
        long,
        value_name = "FILTER",
        env = "IRONIC_LOG",
        default_value = "info"
    )]
    log: String,
    /// How to write the log, which goes to standard error.
    #[arg(
        long,
        value_name = "FORMAT",
        env = "IRONIC_LOG_FORMAT",
        default_value = "text"
    )]
    log_format: LogFormat,
}

/// Anything that ends the program.
type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Serve(options) => run(&options),
        Command::Db(command) => look_after(&command).map(|()| ExitCode::SUCCESS),
        Command::Policy(command) => command.run(),
        Command::Journal(options) => options.run(),
    };
    match done {
        Ok(code) => code,
        Err(failure) => {
            let _ = writeln!(std::io::stderr(), "ironic: {failure}{}", causes(&*failure));
            ExitCode::FAILURE
        }
    }
}

/// What lies behind a failure, as far as its own text does not say.
fn causes(failure: &(dyn std::error::Error + Send + Sync + 'static)) -> String {
    let mut text = failure.to_string();
    let mut more = String::new();
    let mut cause = failure.source();
    while let Some(error) = cause {
        let said = error.to_string();
        if !text.contains(&said) {
            more += &format!(": {said}");
            text += &said;
        }
        cause = error.source();
    }
    more
}

fn run(options: &Serve) -> Result<ExitCode, Failure> {
    let _log = logging::init(&options.log, options.log_format)?;
    let mut config = HostConfig::load(options.config.as_deref(), &variable)?;
    if let Some(listen) = options.listen {
        config.listen = listen;
    }
    if let Some(database) = &options.database {
        config.database.clone_from(database);
    }
    // Before any client is made; the library leaves the choice to the program.
    if rustls::crypto::ring::default_provider()
        .install_default()
        .is_err()
    {
        tracing::debug!("a provider of cryptography is installed already");
    }
    open_files(config.limits.max_connections);
    // Each has threads of its own, among which the system shares out the processors: who asks for
    // something does not stand in line behind the work of a thousand nodes.
    let (engine, api) = (runtime("engine")?, runtime("api")?);
    // Before anything else, so that a signal during the start is not lost.
    let signals = {
        let _entered = api.enter();
        Signals::catch()?
    };
    let host = engine.block_on(start(config))?;
    let stopped = api.block_on(serve(host, signals))?;
    match stopped {
        Stopped::InOrder => Ok(ExitCode::SUCCESS),
        Stopped::AtOnce => {
            api.shutdown_background();
            engine.shutdown_background();
            Ok(ExitCode::from(130))
        }
    }
}

fn runtime(name: &str) -> std::io::Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .thread_name(name)
        .enable_all()
        .build()
}

/// How the service ended.
enum Stopped {
    InOrder,
    /// By a second signal, while it was ending in order.
    AtOnce,
}

/// What the program is told by the system.
struct Signals {
    terminated: Signal,
    interrupted: Signal,
    hangups: Signal,
}

impl Signals {
    fn catch() -> std::io::Result<Self> {
        Ok(Self {
            terminated: signal(SignalKind::terminate())?,
            interrupted: signal(SignalKind::interrupt())?,
            hangups: signal(SignalKind::hangup())?,
        })
    }
}

/// Files, sockets and pipes that the program has open besides connections.
const OTHER_FILES: u64 = 1024;

/// Raises how many files the program may have open to what so many connections need, as far as
/// the system lets it: the usual limit is of a time when select(2) was used.
fn open_files(connections: usize) {
    let (soft, hard) = match getrlimit(Resource::RLIMIT_NOFILE) {
        Ok(limits) => limits,
        Err(error) => {
            tracing::debug!(%error, "how many files may be open is not known");
            return;
        }
    };
    let wanted = OTHER_FILES.saturating_add(connections as u64);
    if soft >= wanted {
        return;
    }
    let raised = wanted.min(hard);
    if let Err(error) = setrlimit(Resource::RLIMIT_NOFILE, raised, hard) {
        tracing::warn!(%error, soft, "how many files may be open cannot be raised");
    } else if raised < wanted {
        tracing::warn!(
            raised,
            wanted,
            "fewer files may be open than there may be connections"
        );
    }
}

/// Does something to the database, by one thread: it reads and writes files on it.
fn look_after(command: &db::Db) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(db::run(command))
}

#[allow(
    clippy::disallowed_methods,
    reason = "the program is where the environment comes in"
)]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

async fn start(config: HostConfig) -> Result<Host, HostError> {
    let counting = config.metrics.enabled;
    let mut builder = Host::builder(config);
    if counting {
        let metrics = Metrics::new();
        if !metrics.install() {
            tracing::warn!("what conductors count goes elsewhere");
        }
        builder = builder.metrics(&metrics);
    }
    builder.start().await
}

async fn serve(host: Host, signals: Signals) -> Result<Stopped, Failure> {
    let (listener, for_metrics) = match listeners(&host).await {
        Ok(listeners) => listeners,
        Err(error) => {
            host.stop().await?;
            return Err(error.into());
        }
    };
    let address = listener.local_addr()?;
    tracing::info!(%address, conductor = host.conductor().host(), "serving");
    let scheme = if host.speaks_tls() { "https" } else { "http" };
    writeln!(std::io::stdout(), "listening on {scheme}://{address}")?;
    let stop = CancellationToken::new();
    let Signals {
        terminated,
        interrupted,
        hangups,
    } = signals;
    tokio::spawn(reload(hangups, host.clone()));
    if let Some(listener) = for_metrics {
        let address = listener.local_addr()?;
        tracing::info!(%address, "metrics");
        writeln!(std::io::stdout(), "metrics on http://{address}/metrics")?;
        let (host, stop) = (host.clone(), stop.clone());
        tokio::spawn(async move {
            if let Err(error) = host.serve_metrics(listener, stop.cancelled_owned()).await {
                tracing::error!(%error, "metrics are not served any more");
            }
        });
    }
    tokio::select! {
        biased;
        ended = host.run(listener, stop.clone().cancelled_owned()) => ended?,
        () = asked_twice(terminated, interrupted, stop) => return Ok(Stopped::AtOnce),
    }
    tracing::info!("stopped");
    Ok(Stopped::InOrder)
}

/// Each SIGHUP has files read again that may change while the service runs.
async fn reload(mut hangups: Signal, host: Host) {
    while hangups.recv().await.is_some() {
        host.reload().await;
    }
}

/// The addresses of the API and, where it has one of its own, of what Prometheus scrapes.
async fn listeners(host: &Host) -> Result<(TcpListener, Option<TcpListener>), HostError> {
    Ok((host.listen().await?, host.listen_for_metrics().await?))
}

/// The first signal stops the service in order; the second ends this.
async fn asked_twice(mut terminated: Signal, mut interrupted: Signal, stop: CancellationToken) {
    for again in [false, true] {
        tokio::select! {
            biased;
            _ = terminated.recv() => {}
            _ = interrupted.recv() => {}
        }
        if again {
            tracing::warn!("stopping at once; what was going on will be recovered");
        } else {
            tracing::info!("stopping; the next signal stops at once");
            stop.cancel();
        }
    }
}
