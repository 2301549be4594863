//! The service in this process, and the programs that it is tried with.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use ironic_standalone::{Host, HostConfig};
use reqwest::Response;
use reqwest::header::HeaderMap;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// How long anything may take that is a matter of moments.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A service with the fake drivers.
pub(crate) struct Service {
    pub(crate) address: SocketAddr,
    stop: CancellationToken,
    serving: JoinHandle<()>,
}

impl Service {
    /// Starts one with these sections in its settings.
    pub(crate) async fn start(sections: &str) -> Self {
        provider();
        let text = format!("{sections}\n[drivers]\nenabled_hardware_types = [\"fake-hardware\"]\n");
        let host = Host::builder(HostConfig::parse(&text).unwrap());
        Self::run(host.start().await.unwrap()).await
    }

    pub(crate) async fn run(host: Host) -> Self {
        let any: SocketAddr = ([127, 0, 0, 1], 0).into();
        let listener = TcpListener::bind(any).await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let running = host.run(listener, stop.clone().cancelled_owned());
        let serving = tokio::spawn(async move { running.await.unwrap() });
        Self {
            address,
            stop,
            serving,
        }
    }

    pub(crate) async fn stop(self) {
        self.stop.cancel();
        timeout(PATIENCE, self.serving).await.unwrap().unwrap();
    }
}

/// Nothing here needs to speak TLS, but no client starts without a provider of it.
pub(crate) fn provider() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// Runs the program with these sections in its settings, in a file of this folder; the process,
/// and the URL that it says it listens at.
pub(crate) async fn ironic(folder: &Path, sections: &str) -> (Child, String) {
    let file = folder.join("ironic.toml");
    let text = format!(
        "[service]\nlisten = \"127.0.0.1:0\"\n{sections}\n\
         [drivers]\nenabled_hardware_types = [\"fake-hardware\"]\n"
    );
    std::fs::write(&file, text).unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_ironic"))
        .args(["serve", "--config", file.to_str().unwrap()])
        .env_clear()
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let line = timeout(PATIENCE, lines.next_line()).await.unwrap().unwrap();
    let line = line.expect("the program has ended");
    let url = line.strip_prefix("listening on ").expect(&line);
    (child, url.to_owned())
}

/// Why a host with these sections does not start.
pub(crate) async fn refused(sections: &str) -> String {
    provider();
    let text = format!("{sections}\n[drivers]\nenabled_hardware_types = [\"fake-hardware\"]\n");
    let config = match HostConfig::parse(&text) {
        Ok(config) => config,
        Err(error) => return error.to_string(),
    };
    match Host::builder(config).start().await {
        Ok(_) => panic!("it starts with {sections}"),
        Err(error) => error.to_string(),
    }
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) async fn of(response: Response) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = response.bytes().await.unwrap();
        Self {
            status,
            headers,
            body: serde_json::from_slice(&body).unwrap_or(Value::Null),
        }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

/// A program of a Debian package.
pub(crate) async fn program(name: &str, package: &str, arguments: &[&str]) -> Output {
    let ran = Command::new(name).args(arguments).output();
    let ran = timeout(PATIENCE, ran).await.expect(name);
    ran.unwrap_or_else(|error| panic!("{name} cannot be run ({error}): install {package}"))
}

fn tools() -> PathBuf {
    std::env::var_os("IRONIC_TEST_VENV").map_or_else(
        || PathBuf::from(std::env::var_os("HOME").unwrap()).join(".cache/ironic-tools/venv"),
        PathBuf::from,
    )
}

/// A program of the virtualenv beside that of the other tools, or of that itself.
pub(crate) fn in_venv(venv: Option<&str>, program: &str, package: &str) -> PathBuf {
    let folder = match venv {
        Some(name) => tools().parent().unwrap().join(name),
        None => tools(),
    };
    let path = folder.join("bin").join(program);
    assert!(
        path.exists(),
        "{} is missing: run `.ci/peers {}`, which installs {package}",
        path.display(),
        tools().display()
    );
    path
}

/// Runs the original's command line client; what it says, or how it failed.
pub(crate) async fn baremetal(options: &[&str], command: &str) -> Result<String, String> {
    let program = in_venv(None, "baremetal", "python-ironicclient");
    let ran = Command::new(program)
        .args(options)
        .args(command.split(' '))
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .output();
    let output = timeout(PATIENCE, ran).await.expect("baremetal").unwrap();
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() {
        Ok(said(&output.stdout))
    } else {
        Err(said(&output.stderr))
    }
}
