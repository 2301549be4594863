//! `vbmc serve`: a virtual BMC, and the machine behind it, in the foreground.

mod options;

use std::{net::SocketAddr, process::ExitCode};

use clap::Parser as _;
use ironic_vbmc::VirtualBmc;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

use options::{Cli, Command, Serve};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let Cli {
        command: Command::Serve(options),
    } = Cli::parse();
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_env_filter(
            EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info")),
        )
        .init();
    match run(&options).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(options: &Serve) -> Result<(), Box<dyn std::error::Error>> {
    if rustls::crypto::ring::default_provider()
        .install_default()
        .is_err()
    {
        return Err("another TLS provider is installed".into());
    }
    let machine = options.machine()?;
    let address = SocketAddr::new(options.address, options.port);
    let bmc = VirtualBmc::bind(address, &options.username, &options.password).await?;
    let address = bmc.address();
    tracing::info!(%address, username = options.username, "serving ipmi");
    tokio::select! {
        biased;
        name = asked_to_stop() => {
            tracing::info!(signal = name, "stopped");
            Ok(())
        }
        result = bmc.serve(machine) => result.map_err(Into::into),
    }
}

/// Waits for Ctrl-C or SIGTERM; for Ctrl-C alone where the other cannot be heard.
async fn asked_to_stop() -> &'static str {
    let terminated = async {
        match signal(SignalKind::terminate()) {
            Ok(mut signal) => signal.recv().await,
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        biased;
        _ = terminated => "SIGTERM",
        _ = tokio::signal::ctrl_c() => "SIGINT",
    }
}
