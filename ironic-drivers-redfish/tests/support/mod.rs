//! A sushy-emulator of its own for each test.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected is to stop there"
)]
#![allow(dead_code, reason = "each test binary uses a part")]
#![allow(
    clippy::disallowed_methods,
    reason = "tests start the peer and look for it in the environment"
)]

pub(crate) mod gate;
pub(crate) mod house;
pub(crate) mod machine;
pub(crate) mod mockup;
pub(crate) mod script;

use std::fmt::Write as _;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ironic_drivers_redfish::{
    Client, ClientOptions, Connection, HttpError, HttpRequest, HttpResponse, HttpTransport,
    ReqwestTransport, TlsSettings, TrustAnchor,
};
use tokio::time::Instant;

pub(crate) const USER: &str = "admin";
pub(crate) const PASSWORD: &str = "password";

/// bcrypt of [`PASSWORD`], and of `0pen-sesame` for the user `keeper`.
const HTPASSWD: &str = "admin:$2b$04$Esv6F7ZTSNw5KJ.h3JKvkOlB7naAW0Rs2eiJpRYwLoJR.cQdpmM1m\n\
    keeper:$2b$04$Pi9V3jfDpXhNPvsaSfsR1uJ2A.NBOgmbBud1HkXJHTwibCQTBwH4S\n";

pub(crate) fn uuid(n: usize) -> String {
    format!("27946b59-9e44-4fa7-8e91-{n:012x}")
}

pub(crate) fn mac(n: usize) -> String {
    format!("52:54:00:00:00:{n:02x}")
}

#[derive(Default)]
pub(crate) struct Setup {
    pub(crate) systems: usize,
    pub(crate) auth: bool,
    pub(crate) tls: bool,
}

pub(crate) struct Emulator {
    process: Child,
    folder: tempfile::TempDir,
    pub(crate) address: String,
}

impl Emulator {
    pub(crate) async fn start(setup: Setup) -> Self {
        let program = program();
        for _ in 0..5 {
            let folder = tempfile::tempdir().unwrap();
            let port = free_port();
            let scheme = if setup.tls { "https" } else { "http" };
            if setup.tls {
                make_certificate(folder.path());
            }
            std::fs::write(
                folder.path().join("conf.py"),
                configuration(folder.path(), port, &setup),
            )
            .unwrap();
            let log = std::fs::File::create(folder.path().join("log")).unwrap();
            let process = Command::new(&program)
                .arg("--config")
                .arg(folder.path().join("conf.py"))
                .current_dir(folder.path())
                .stdin(Stdio::null())
                .stdout(log.try_clone().unwrap())
                .stderr(log)
                .spawn()
                .unwrap_or_else(|error| panic!("cannot run {}: {error}", program.display()));
            let mut emulator = Self {
                process,
                folder,
                address: format!("{scheme}://127.0.0.1:{port}"),
            };
            if emulator.is_up(port).await {
                return emulator;
            }
        }
        panic!("sushy-emulator did not come up in five tries");
    }

    /// Whether it listens; false when it has ended, its port having been taken in between.
    async fn is_up(&mut self, port: u16) -> bool {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            if let Some(status) = self.process.try_wait().unwrap() {
                let log = self.log();
                assert!(
                    log.contains("Address already in use"),
                    "sushy-emulator ended with {status}:\n{log}"
                );
                return false;
            }
            // By its own word: whoever else answers on the port is not it.
            let listens = self.log().contains("Running on");
            let answers = tokio::net::TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await;
            if listens && answers.is_ok() {
                return true;
            }
            assert!(
                Instant::now() < deadline,
                "sushy-emulator does not listen:\n{}",
                self.log()
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    pub(crate) fn certificate(&self) -> PathBuf {
        self.folder.path().join("cert.pem")
    }

    pub(crate) fn connection(&self) -> Connection {
        let trust = if self.address.starts_with("https") {
            TrustAnchor::Path(self.certificate())
        } else {
            TrustAnchor::AcceptAny
        };
        Connection::new(&self.address)
            .unwrap()
            .tls(TlsSettings::new().trust(trust))
    }

    pub(crate) fn client(&self, connection: Connection) -> Arc<Client> {
        install_provider();
        let transport = ReqwestTransport::new(&connection.tls).unwrap();
        Arc::new(Client::new(connection, Arc::new(transport), ClientOptions::new()).unwrap())
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A BMC that takes requests, counts them, and never answers.
#[derive(Debug, Default)]
pub(crate) struct Silent(pub(crate) AtomicUsize);

#[async_trait::async_trait]
impl HttpTransport for Silent {
    async fn send(&self, _: HttpRequest) -> Result<HttpResponse, HttpError> {
        self.0.fetch_add(1, Ordering::SeqCst);
        std::future::pending().await
    }
}

/// A BMC that takes a second for each request, and counts how many it has at the same time.
#[derive(Debug, Default)]
pub(crate) struct Busy {
    now: AtomicUsize,
    most: AtomicUsize,
}

impl Busy {
    pub(crate) fn most(&self) -> usize {
        self.most.load(Ordering::SeqCst)
    }
}

#[async_trait::async_trait]
impl HttpTransport for Busy {
    async fn send(&self, _: HttpRequest) -> Result<HttpResponse, HttpError> {
        let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_secs(1)).await;
        self.now.fetch_sub(1, Ordering::SeqCst);
        Ok(HttpResponse::new(
            http::StatusCode::OK,
            http::HeaderMap::new(),
            "{}",
        ))
    }
}

pub(crate) fn install_provider() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// A self-signed certificate that nobody uses.
pub(crate) fn another_certificate() -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    make_certificate(folder.path());
    std::fs::read(folder.path().join("cert.pem")).unwrap()
}

fn program() -> PathBuf {
    let venv = std::env::var_os("IRONIC_TEST_VENV").map_or_else(
        || {
            PathBuf::from(std::env::var_os("HOME").expect("HOME is set"))
                .join(".cache/ironic-tools/venv")
        },
        PathBuf::from,
    );
    let program = venv.join("bin/sushy-emulator");
    assert!(
        program.exists(),
        "{} is missing: run `python3 -m venv {venv} && {venv}/bin/pip install sushy-tools`, or name another virtualenv in IRONIC_TEST_VENV",
        program.display(),
        venv = venv.display(),
    );
    program
}

fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

fn make_certificate(folder: &Path) {
    let output = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "30",
            "-subj",
            "/CN=localhost",
        ])
        .args([
            "-addext",
            "subjectAltName=IP:127.0.0.1,DNS:localhost",
            "-addext",
            "basicConstraints=critical,CA:FALSE",
        ])
        .arg("-keyout")
        .arg(folder.join("key.pem"))
        .arg("-out")
        .arg(folder.join("cert.pem"))
        .output()
        .expect("openssl runs: install the package openssl");
    assert!(
        output.status.success(),
        "openssl: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

fn configuration(folder: &Path, port: u16, setup: &Setup) -> String {
    let folder = folder.display();
    // Its machines take 1 to 11 seconds, by chance, to change power. The settings are Python: here
    // they take the shortest of that, so that a run costs no minutes.
    let mut conf = format!(
        "import random\nrandom.randint = lambda low, high: low\n\
         SUSHY_EMULATOR_LISTEN_IP = '127.0.0.1'\nSUSHY_EMULATOR_LISTEN_PORT = {port}\n\
         SUSHY_EMULATOR_STATE_DIR = '{folder}'\nSUSHY_EMULATOR_FEATURE_SET = 'full'\nSUSHY_EMULATOR_FAKE_DRIVER = True\n"
    );
    if setup.auth {
        std::fs::write(Path::new(&folder.to_string()).join("htpasswd"), HTPASSWD).unwrap();
        let _ = writeln!(conf, "SUSHY_EMULATOR_AUTH_FILE = '{folder}/htpasswd'");
    }
    if setup.tls {
        let _ = writeln!(
            conf,
            "SUSHY_EMULATOR_SSL_CERT = '{folder}/cert.pem'\nSUSHY_EMULATOR_SSL_KEY = '{folder}/key.pem'"
        );
    }
    conf.push_str("SUSHY_EMULATOR_FAKE_SYSTEMS = [\n");
    for n in 0..setup.systems {
        let _ = writeln!(
            conf,
            "  {{'uuid': '{}', 'name': 'fake{n}', 'power_state': 'Off', 'external_notifier': False, 'nics': [{{'mac': '{}', 'ip': '192.0.2.{}'}}]}},",
            uuid(n),
            mac(n),
            n + 1
        );
    }
    conf.push_str("]\n");
    conf
}
