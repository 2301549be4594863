//! A running `ironic`.

use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// How long anything may take that is a matter of moments.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// The settings file that comes with the program.
pub(crate) fn fake_config() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("config/fake.toml")
}

/// The program, with an environment of its own: that which IRONIC_PROGRAM names, as one that has been
/// installed, or else the one that was built with these tests.
pub(crate) fn command(arguments: &[&str]) -> Command {
    let program = std::env::var_os("IRONIC_PROGRAM");
    let mut command = Command::new(program.unwrap_or(env!("CARGO_BIN_EXE_ironic").into()));
    command
        .args(arguments)
        .env_clear()
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

/// What a program that has ended has left.
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs the program to its end.
pub(crate) async fn run(arguments: &[&str], environment: &[(&str, &str)]) -> Ended {
    let mut command = command(arguments);
    command.envs(environment.iter().copied());
    let output = timeout(PATIENCE, command.output()).await;
    let output = output.expect("the program does not end").unwrap();
    Ended {
        status: output.status,
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// What a process takes of the machine.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Taken {
    /// Memory, in KiB.
    pub(crate) rss_kib: u64,
    /// Open files, sockets and pipes.
    pub(crate) fds: usize,
}

/// A service that answers.
pub(crate) struct Program {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    /// What it says on standard error, all the while: a full pipe would hold it up.
    said: JoinHandle<String>,
    /// Where it answers, for example `http://127.0.0.1:32768`.
    pub(crate) url: String,
    http: reqwest::Client,
}

impl Program {
    /// Starts the service with the fake drivers on a free port, and waits until it is ready.
    pub(crate) async fn start(arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        // Nothing here speaks TLS, but the client does not start without a provider of it.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let config = fake_config();
        let mut all = vec!["serve", "--config", config.to_str().unwrap()];
        all.extend(["--listen", "127.0.0.1:0"]);
        all.extend(arguments);
        let mut command = command(&all);
        command.env("IRONIC_LOG", "warn");
        command.envs(environment.iter().copied());
        let mut child = command.spawn().unwrap();
        let mut stderr = child.stderr.take().unwrap();
        let said = tokio::spawn(async move {
            let mut said = Vec::new();
            stderr.read_to_end(&mut said).await.unwrap();
            String::from_utf8_lossy(&said).into_owned()
        });
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = timeout(PATIENCE, lines.next_line()).await;
        let line = line.expect("the program does not become ready").unwrap();
        let Some(line) = line else {
            panic!("the program ended: {}", said.await.unwrap());
        };
        let url = line.strip_prefix("listening on ").expect(&line).to_owned();
        Self {
            child,
            lines,
            said,
            url,
            http: reqwest::Client::new(),
        }
    }

    /// What it says next on standard output.
    pub(crate) async fn next_line(&mut self) -> String {
        let line = timeout(PATIENCE, self.lines.next_line()).await;
        line.expect("it says nothing more").unwrap().unwrap()
    }

    /// Host and port.
    pub(crate) fn address(&self) -> &str {
        self.url.strip_prefix("http://").unwrap()
    }

    /// Sends a request in the newest version; the status and the body.
    pub(crate) async fn ask(
        &self,
        method: reqwest::Method,
        path: &str,
        body: Option<Value>,
    ) -> (u16, Value) {
        let mut request = self
            .http
            .request(method, format!("{}{path}", self.url))
            .header("X-OpenStack-Ironic-API-Version", "latest");
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = timeout(PATIENCE, request.send()).await.unwrap().unwrap();
        let status = response.status().as_u16();
        let body = response.bytes().await.unwrap();
        (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        let (status, body) = self.ask(reqwest::Method::GET, path, None).await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    /// What the process takes of the machine now.
    pub(crate) fn taken(&self) -> Taken {
        let pid = self.child.id().expect("the program has ended");
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.unwrap().split_whitespace().next().unwrap();
        Taken {
            rss_kib: kib.parse().unwrap(),
            fds: std::fs::read_dir(format!("/proc/{pid}/fd"))
                .unwrap()
                .count(),
        }
    }

    /// Sends a signal by its name, such as `TERM`.
    pub(crate) async fn signal(&self, name: &str) {
        let pid = self.child.id().expect("the program has ended");
        let mut kill = Command::new("sh");
        kill.arg("-c").arg(format!("kill -{name} {pid}"));
        assert!(kill.status().await.unwrap().success());
    }

    /// Waits until it has ended.
    pub(crate) async fn ended(mut self) -> Ended {
        let status = timeout(PATIENCE, self.child.wait()).await;
        let status = status.expect("the program does not end").unwrap();
        Ended {
            status,
            stdout: String::new(),
            stderr: self.said.await.unwrap(),
        }
    }

    /// Ends it without any warning.
    pub(crate) async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }
}
