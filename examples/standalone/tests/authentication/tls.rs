//! TLS: what clients get by it, and what becomes of those that speak something else.

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::service::{PATIENCE, Service, ironic, program, provider, refused};

/// A folder of certificates, made by `openssl`.
pub(crate) struct Certificates(TempDir);

impl Certificates {
    pub(crate) async fn new() -> Self {
        let new = Self(tempfile::tempdir().unwrap());
        new.root("ca").await;
        new.issue("server", "ca").await;
        new
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn text(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    async fn openssl(&self, arguments: &str) {
        let arguments: Vec<_> = arguments.split(' ').collect();
        let ran = program("openssl", "openssl", &arguments).await;
        assert!(ran.status.success(), "openssl {arguments:?}: {ran:?}");
    }

    async fn root(&self, name: &str) {
        let (key, cert) = (
            self.text(&format!("{name}.key")),
            self.text(&format!("{name}.pem")),
        );
        self.openssl(&format!(
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN={name} \
             -keyout {key} -out {cert}"
        ))
        .await;
    }

    /// A certificate for this machine, under a root.
    async fn issue(&self, name: &str, root: &str) {
        let (key, cert) = (
            self.text(&format!("{name}.key")),
            self.text(&format!("{name}.pem")),
        );
        let (root_key, root) = (
            self.text(&format!("{root}.key")),
            self.text(&format!("{root}.pem")),
        );
        self.openssl(&format!(
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN={name} \
             -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -addext basicConstraints=CA:FALSE \
             -CA {root} -CAkey {root_key} -keyout {key} -out {cert}"
        ))
        .await;
    }

    pub(crate) fn section(&self, more: &str) -> String {
        let (cert, key) = (self.path("server.pem"), self.path("server.key"));
        format!("[tls]\ncert_file = {cert:?}\nkey_file = {key:?}\n{more}\n")
    }

    fn connector(&self) -> TlsConnector {
        provider();
        let mut roots = RootCertStore::empty();
        let root = CertificateDer::from_pem_file(self.path("ca.pem")).unwrap();
        roots.add(root).unwrap();
        let config = ClientConfig::builder()
            .with_root_certificates(roots)
            .with_no_client_auth();
        TlsConnector::from(Arc::new(config))
    }
}

async fn curl(arguments: &[&str]) -> Output {
    program(
        "curl",
        "curl",
        &[&["-sS", "--noproxy", "*", "--max-time", "30"], arguments].concat(),
    )
    .await
}

fn stdout(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// What `openssl s_client` says of a connection.
async fn s_client(address: &str, arguments: &[&str]) -> String {
    let all = [&["s_client", "-connect", address], arguments].concat();
    let mut command = Command::new("openssl");
    command.args(all).stdin(Stdio::null());
    let output = timeout(PATIENCE, command.output()).await.unwrap().unwrap();
    let said = [output.stdout, output.stderr].concat();
    String::from_utf8_lossy(&said).into_owned()
}

/// There is no agreement, and the client is told so (RFC 8446 §6.2).
async fn refuses(address: &str, arguments: &[&str]) {
    let said = s_client(address, arguments).await;
    for part in ["Cipher is (NONE)", "SSL alert number"] {
        assert!(said.contains(part), "{arguments:?}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_speak_tls_1_2_and_1_3_and_http_1_within() {
    let certificates = Certificates::new().await;
    let service = Service::start(&certificates.section("")).await;
    let address = service.address.to_string();
    let (ca, url) = (
        certificates.text("ca.pem"),
        format!("https://{address}/v1/"),
    );
    let document = stdout(&curl(&["--cacert", &ca, &url]).await);
    assert!(
        document.contains(&format!("https://{address}/v1/nodes")),
        "{document}"
    );
    let version = [
        "--http2",
        "-o",
        "/dev/null",
        "-w",
        "%{http_version} %{http_code}",
    ];
    let both = [&["--cacert", &ca, &url], &version[..]].concat();
    assert_eq!(stdout(&curl(&both).await), "1.1 200");
    let stranger = curl(&[&url]).await;
    assert_eq!(
        stranger.status.code(),
        Some(60),
        "nobody vouches: {stranger:?}"
    );
    for (arguments, wanted) in [
        (&["-tls1_3"][..], "New, TLSv1.3"),
        (&["-tls1_2"], "New, TLSv1.2"),
        (&["-alpn", "h2,http/1.1"], "ALPN protocol: http/1.1"),
        (&["-alpn", "h2"], "no application protocol"),
    ] {
        let said = s_client(&address, arguments).await;
        assert!(said.contains(wanted), "{arguments:?}: {said}");
    }
    for arguments in [
        &["-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0"][..],
        &["-tls1_2", "-cipher", "AES128-SHA"],
    ] {
        refuses(&address, arguments).await;
    }
    service.stop().await;
    let service = Service::start(&certificates.section("minimum_version = \"1.3\"")).await;
    let address = service.address.to_string();
    refuses(&address, &["-tls1_2"]).await;
    assert!(
        s_client(&address, &["-tls1_3"])
            .await
            .contains("New, TLSv1.3")
    );
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_prove_who_they_are_where_that_is_asked() {
    let certificates = Certificates::new().await;
    certificates.root("people").await;
    certificates.root("others").await;
    certificates.issue("ann", "people").await;
    certificates.issue("eve", "others").await;
    let people = certificates.path("people.pem");
    let section = certificates.section(&format!("client_ca_file = {people:?}"));
    let service = Service::start(&section).await;
    let (ca, url) = (
        certificates.text("ca.pem"),
        format!("https://{}/v1", service.address),
    );
    let as_one = async |name: &str| {
        let (cert, key) = (format!("{name}.pem"), format!("{name}.key"));
        let (cert, key) = (certificates.text(&cert), certificates.text(&key));
        curl(&["--cacert", &ca, "--cert", &cert, "--key", &key, &url]).await
    };
    assert!(stdout(&as_one("ann").await).contains("\"v1\""));
    assert!(!as_one("eve").await.status.success());
    assert!(!curl(&["--cacert", &ca, &url]).await.status.success());
    service.stop().await;
}

/// What a service says until it closes the connection, and how long that takes.
async fn until_closed(service: &Service, sent: &[u8]) -> (Vec<u8>, Duration) {
    let mut stream = TcpStream::connect(service.address).await.unwrap();
    let start = Instant::now();
    stream.write_all(sent).await.unwrap();
    let mut said = Vec::new();
    // A reset is an end as well.
    let _ = timeout(PATIENCE, stream.read_to_end(&mut said))
        .await
        .expect("it stays open");
    (said, start.elapsed())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_speaks_something_else_or_nothing_keeps_nobody_waiting() {
    let certificates = Certificates::new().await;
    let section = certificates.section("handshake_timeout = 3");
    let service = Service::start(&section).await;
    let (said, time) = until_closed(&service, b"GET /v1 HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert!(time < Duration::from_secs(2), "{time:?}");
    assert!(!said.windows(4).any(|part| part == b"HTTP"), "{said:?}");
    let (_, time) = until_closed(&service, &[0xff; 4096]).await;
    assert!(time < Duration::from_secs(2), "{time:?}");
    // Many who say nothing, and one who says half a greeting.
    let silent = until_all_closed(&service, 100);
    let half = until_closed(&service, b"\x16\x03\x01\x02\x00\x01");
    let others = async {
        let start = Instant::now();
        let url = format!("https://{}/v1", service.address);
        let ca = certificates.text("ca.pem");
        assert!(stdout(&curl(&["--cacert", &ca, &url]).await).contains("\"v1\""));
        start.elapsed()
    };
    let (silent, (said, half), other) = tokio::join!(silent, half, others);
    assert!(said.is_empty());
    println!("silent clients closed after {silent:?}, another served in {other:?}");
    for time in [silent, half] {
        assert!(time >= Duration::from_millis(2900), "{time:?}");
        assert!(time < Duration::from_secs(20), "{time:?}");
    }
    assert!(other < silent, "{other:?}");
    service.stop().await;
}

/// Opens connections, says nothing, and waits until all of them are closed.
async fn until_all_closed(service: &Service, count: usize) -> Duration {
    let start = Instant::now();
    let mut streams = Vec::new();
    for _ in 0..count {
        streams.push(TcpStream::connect(service.address).await.unwrap());
    }
    for mut stream in streams {
        let mut byte = [0];
        let read = timeout(PATIENCE, stream.read(&mut byte)).await;
        assert!(matches!(read.expect("it stays open"), Ok(0) | Err(_)));
    }
    start.elapsed()
}

/// A connection that is kept.
struct Kept(BufReader<TlsStream<TcpStream>>);

impl Kept {
    async fn open(certificates: &Certificates, address: &str) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let stream = certificates.connector().connect(name, stream).await;
        Self(BufReader::new(stream.unwrap()))
    }

    fn certificate(&self) -> Vec<u8> {
        let (_, session) = self.0.get_ref().get_ref();
        session.peer_certificates().unwrap()[0].to_vec()
    }

    /// The status of an answer, which is read to its end.
    async fn get(&mut self, path: &str) -> String {
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        self.0.write_all(request.as_bytes()).await.unwrap();
        let (mut status, mut length) = (String::new(), 0);
        self.0.read_line(&mut status).await.unwrap();
        loop {
            let mut line = String::new();
            self.0.read_line(&mut line).await.unwrap();
            let line = line.to_lowercase();
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            if line.trim().is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).await.unwrap();
        status.trim().to_owned()
    }
}

async fn signal(child: &Child, name: &str) {
    let pid = child.id().unwrap().to_string();
    let sent = program("sh", "dash", &["-c", &format!("kill -{name} {pid}")]).await;
    assert!(sent.status.success());
}

/// Connects until the service shows another certificate than this.
async fn until_other(certificates: &Certificates, address: &str, old: &[u8]) {
    let other = async {
        while Kept::open(certificates, address).await.certificate() == old {
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(PATIENCE, other)
        .await
        .expect("the certificate stays");
}

fn swap(certificates: &Certificates, from: &str) {
    for suffix in ["key", "pem"] {
        let to = certificates.path(&format!("server.{suffix}"));
        std::fs::copy(certificates.path(&format!("{from}.{suffix}")), to).unwrap();
    }
}

async fn reloaded(how: &str, more: &str) {
    let certificates = Certificates::new().await;
    certificates.issue("second", "ca").await;
    let (child, url) = ironic(certificates.0.path(), &certificates.section(more)).await;
    let address = url.strip_prefix("https://").expect(&url).to_owned();
    let mut kept = Kept::open(&certificates, &address).await;
    let old = kept.certificate();
    assert_eq!(kept.get("/v1/nodes").await, "HTTP/1.1 200 OK");
    // Files that do not go together change nothing.
    std::fs::copy(
        certificates.path("second.key"),
        certificates.path("server.key"),
    )
    .unwrap();
    if how == "signal" {
        signal(&child, "HUP").await;
    }
    let mut between = Kept::open(&certificates, &address).await;
    assert_eq!(between.get("/v1").await, "HTTP/1.1 200 OK");
    swap(&certificates, "second");
    if how == "signal" {
        signal(&child, "HUP").await;
    }
    until_other(&certificates, &address, &old).await;
    assert_eq!(
        kept.get("/v1/nodes").await,
        "HTTP/1.1 200 OK",
        "the old connection"
    );
    assert_eq!(between.get("/v1/nodes").await, "HTTP/1.1 200 OK");
    drop((kept, between));
    signal(&child, "TERM").await;
    let mut child = child;
    let ended = timeout(PATIENCE, child.wait()).await.unwrap().unwrap();
    assert!(ended.success(), "{ended:?}");
}

#[tokio::test]
async fn a_signal_has_the_files_read_again_and_drops_nobody() {
    reloaded("signal", "reload_interval = 0").await;
}

#[tokio::test]
async fn files_that_change_are_read_again() {
    reloaded("change", "reload_interval = 0.2").await;
}

#[tokio::test]
async fn files_that_are_of_no_use_are_told_at_the_start() {
    let certificates = Certificates::new().await;
    certificates.root("other").await;
    let encrypted = certificates.text("encrypted.key");
    let key = certificates.text("server.key");
    let arguments = format!("pkcs8 -topk8 -in {key} -passout pass:hush -out {encrypted}");
    certificates.openssl(&arguments).await;
    let path = |name: &str| certificates.path(name);
    let with = |cert: &Path, key: &Path, more: &str| {
        format!("[tls]\ncert_file = {cert:?}\nkey_file = {key:?}\n{more}\n")
    };
    let (cert, key) = (path("server.pem"), path("server.key"));
    std::fs::write(path("empty"), "").unwrap();
    let (missing, empty) = (path("missing"), path("empty"));
    for (section, parts) in [
        (with(&missing, &key, ""), ["certificate", "No such file"]),
        (with(&cert, &missing, ""), ["private key", "No such file"]),
        (
            with(&empty, &key, ""),
            ["certificate", "has no certificate"],
        ),
        (
            with(&cert, &cert, ""),
            ["private key", "has no private key"],
        ),
        (
            with(&cert, &path("encrypted.key"), ""),
            ["private key", "is encrypted"],
        ),
        (
            with(&cert, &path("other.key"), ""),
            ["server.pem", "cannot be used"],
        ),
        (
            with(&cert, &key, &format!("client_ca_file = {empty:?}")),
            ["clients", "has no certificate"],
        ),
        ("[tls]\ncert_file = \"x\"".to_owned(), ["key_file", "[tls]"]),
        (
            with(&cert, &key, "minimum_version = \"1.1\""),
            ["minimum_version", "1.2 or 1.3"],
        ),
        (
            with(&cert, &key, "handshake_timeout = 0"),
            ["handshake_timeout", "more than 0"],
        ),
    ] {
        let error = refused(&section).await;
        for part in parts {
            assert!(error.contains(part), "{section}: {error}");
        }
    }
}
