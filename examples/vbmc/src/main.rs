//! `vbmc serve`: a virtual BMC in the foreground.

use std::{net::IpAddr, net::SocketAddr, process::ExitCode, sync::Arc};

use clap::{Args, Parser, Subcommand};
use ironic_vbmc::{PoweredMachine, VirtualBmc, VirtualBmcError};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// A virtual BMC for trying things out without hardware.
#[derive(Debug, Parser)]
#[command(name = "vbmc", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve one machine over IPMI 2.0 (lanplus, cipher suites 17 and 3) until Ctrl-C.
    Serve(Serve),
}

#[derive(Args)]
struct Serve {
    /// UDP port to listen on; 0 takes a free one and says which.
    #[arg(long)]
    port: u16,
    /// Address to listen on.
    #[arg(long, default_value = "127.0.0.1")]
    address: IpAddr,
    /// Name of the one user, an administrator; at most 16 bytes.
    #[arg(long)]
    username: String,
    /// The user's password, at most 20 bytes; better given in the environment, where `ps` does not show it.
    #[arg(long, env = "VBMC_PASSWORD", hide_env_values = true)]
    password: String,
}

impl std::fmt::Debug for Serve {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Serve")
            .field("port", &self.port)
            .field("address", &self.address)
            .field("username", &self.username)
            .field("password", &"***")
            .finish()
    }
}

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

async fn run(options: &Serve) -> Result<(), VirtualBmcError> {
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
        result = bmc.serve(Arc::new(PoweredMachine::new())) => result,
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
