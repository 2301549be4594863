//! The agent in a real ramdisk.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use ironic_agent::{Agent, AgentConfig, LinuxHardware};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;

/// Ramdisk agent of the Bare Metal service.
#[derive(Debug, Parser)]
#[command(version, about)]
struct Arguments {
    /// File with the kernel command line that configures the agent.
    #[arg(long, default_value = "/proc/cmdline")]
    cmdline: PathBuf,
    /// Parameters that come on top of those, such as `ipa-api-url=http://192.0.2.1:6385`.
    #[arg(value_name = "KEY=VALUE")]
    parameters: Vec<String>,
    /// Directory that holds `sys`, `proc` and `dev`.
    #[arg(long, default_value = "/")]
    root: PathBuf,
    /// What to log, as in `info,ironic_agent=debug`.
    #[arg(long, env = "IRONIC_AGENT_LOG", default_value = "info")]
    log: String,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(&arguments.log))
        .with_writer(std::io::stderr)
        .init();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "the agent ends");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), Box<dyn std::error::Error>> {
    let kernel = std::fs::read_to_string(&arguments.cmdline)?;
    let cmdline = format!("{kernel} {}", arguments.parameters.join(" "));
    let config = AgentConfig::from_cmdline(&cmdline)?;
    if rustls::crypto::ring::default_provider()
        .install_default()
        .is_err()
    {
        return Err("another TLS provider is installed".into());
    }
    let http = reqwest::Client::builder()
        .user_agent(concat!("ironic-agent/", env!("CARGO_PKG_VERSION")))
        .tls_danger_accept_invalid_certs(config.insecure)
        .build()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let stop = CancellationToken::new();
        let agent = Agent::builder(config, Arc::new(LinuxHardware::new(&arguments.root)), http)
            .stop(stop.clone())
            .build();
        let mut terminated = signal(SignalKind::terminate())?;
        let mut interrupted = signal(SignalKind::interrupt())?;
        let signals = async {
            tokio::select! {
                biased;
                _ = terminated.recv() => {}
                _ = interrupted.recv() => {}
            }
            stop.cancel();
            std::future::pending::<()>().await;
        };
        tokio::select! {
            biased;
            outcome = agent.run() => outcome.map_err(Into::into),
            () = signals => Ok(()),
        }
    })
}
