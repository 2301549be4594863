//! HTTP basic authentication: files of `htpasswd`, clients that know their password and others.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ironic_standalone::HostConfig;
use serde_json::json;
use tempfile::TempDir;
use tokio::task::JoinSet;

use crate::service::{Answer, Service, baremetal, ironic, program, refused};
use crate::tls::Certificates;

/// A folder with a file of users.
struct Users(TempDir);

impl Users {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("htpasswd")
    }

    /// Adds a user, or changes the password, at this cost.
    async fn set(&self, name: &str, password: &str, cost: u32) {
        let path = self.path();
        let create = if path.exists() { "-bB" } else { "-cbB" };
        let (path, cost) = (path.to_str().unwrap(), cost.to_string());
        let arguments = [create, "-C", &cost, path, name, password];
        let ran = program("htpasswd", "apache2-utils", &arguments).await;
        assert!(ran.status.success(), "{ran:?}");
    }

    async fn remove(&self, name: &str) {
        let path = self.path();
        let arguments = ["-D", path.to_str().unwrap(), name];
        let ran = program("htpasswd", "apache2-utils", &arguments).await;
        assert!(ran.status.success(), "{ran:?}");
    }

    fn sections(&self) -> String {
        sections(&self.path())
    }
}

fn sections(file: &Path) -> String {
    format!("[access]\nauth_strategy = \"http_basic\"\nhttp_basic_auth_user_file = {file:?}\n")
}

fn basic(name: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{name}:{password}")))
}

async fn ask(service: &Service, path: &str, authorization: Option<&str>) -> Answer {
    let url = format!("http://{}{path}", service.address);
    let mut request = reqwest::Client::new().get(url);
    if let Some(value) = authorization {
        request = request.header("authorization", value);
    }
    Answer::of(request.send().await.unwrap()).await
}

async fn status(service: &Service, name: &str, password: &str) -> u16 {
    let authorization = basic(name, password);
    ask(service, "/v1/nodes", Some(&authorization)).await.status
}

#[tokio::test]
async fn who_is_in_the_file_is_let_in() {
    let users = Users::new();
    users.set("ann", "sesame", 4).await;
    users.set("bob", "pass:word", 5).await;
    let service = Service::start(&users.sections()).await;
    assert_eq!(status(&service, "ann", "sesame").await, 200);
    assert_eq!(status(&service, "bob", "pass:word").await, 200);
    assert_eq!(status(&service, "ann", "sesame").await, 200, "again");
    for (name, password) in [
        ("ann", "pass:word"),
        ("ann", ""),
        ("eve", "sesame"),
        ("", ""),
    ] {
        let answer = ask(&service, "/v1/nodes", Some(&basic(name, password))).await;
        assert_eq!(answer.status, 401, "{name}");
        let realm = "Basic realm=\"Baremetal API\"";
        assert_eq!(answer.header("www-authenticate"), Some(realm));
        assert_eq!(answer.header("content-type"), Some("application/json"));
        assert_eq!(answer.body["error"]["code"], json!(401));
        assert!(answer.header("openstack-request-id").is_some());
        assert_eq!(answer.header("x-openstack-ironic-api-version"), None);
    }
    let nothing = ask(&service, "/v1/nodes", None).await;
    assert_eq!(nothing.status, 401);
    assert!(nothing.header("www-authenticate").is_some());
    for value in ["Basic", "Basic ???", "Bearer abc", "Basic YW5u"] {
        let answer = ask(&service, "/v1/nodes", Some(value)).await;
        assert_eq!(answer.status, 400, "{value}");
        assert_eq!(answer.header("www-authenticate"), None);
    }
    for path in ["/", "/v1", "/healthcheck"] {
        assert_eq!(ask(&service, path, None).await.status, 200, "{path}");
        // Not even looked at there.
        assert_eq!(ask(&service, path, Some("Basic ???")).await.status, 200);
    }
    service.stop().await;
}

#[tokio::test]
async fn a_change_of_the_file_counts_at_once() {
    let users = Users::new();
    users.set("ann", "sesame", 4).await;
    let service = Service::start(&users.sections()).await;
    assert_eq!(status(&service, "ann", "sesame").await, 200);
    users.set("bob", "open", 4).await;
    assert_eq!(status(&service, "bob", "open").await, 200);
    users.set("ann", "simsim", 4).await;
    assert_eq!(status(&service, "ann", "sesame").await, 401, "remembered");
    assert_eq!(status(&service, "ann", "simsim").await, 200);
    users.remove("bob").await;
    assert_eq!(status(&service, "bob", "open").await, 401);
    let text = std::fs::read_to_string(users.path()).unwrap();
    std::fs::write(users.path(), format!("{text}eve:plain\n")).unwrap();
    assert_eq!(status(&service, "eve", "plain").await, 401);
    assert_eq!(status(&service, "ann", "simsim").await, 200);
    std::fs::remove_file(users.path()).unwrap();
    assert_eq!(status(&service, "ann", "simsim").await, 500);
    std::fs::write(users.path(), text).unwrap();
    assert_eq!(status(&service, "ann", "simsim").await, 200);
    service.stop().await;
}

#[tokio::test]
async fn a_file_that_lets_nobody_in_is_refused_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("htpasswd");
    let shown = |parts: [&str; 2], error: String| {
        for part in parts {
            assert!(error.contains(part), "{error}");
        }
    };
    let name = path.to_str().unwrap();
    shown([name, "No such file"], refused(&sections(&path)).await);
    shown(
        ["cannot be read", "directory"],
        refused(&sections(folder.path())).await,
    );
    std::fs::write(&path, "\n# nobody\n").unwrap();
    shown([name, "has no user"], refused(&sections(&path)).await);
    std::fs::write(&path, "\nann:sesame\n").unwrap();
    let error = refused(&sections(&path)).await;
    assert!(!error.contains("sesame"), "{error}");
    shown(["line 2", "not hashed by bcrypt"], error);
    let plain = program("htpasswd", "apache2-utils", &["-nbm", "ann", "sesame"]).await;
    std::fs::write(&path, plain.stdout).unwrap();
    shown(["line 1", "bcrypt"], refused(&sections(&path)).await);
    let bare = "[access]\nauth_strategy = \"http_basic\"\n";
    shown(
        ["http_basic_auth_user_file", "[access]"],
        refused(bare).await,
    );
    let other = "[access]\nauth_strategy = \"kerberos\"\n";
    shown(["auth_strategy", "keystone"], refused(other).await);
}

/// The middle one of the times that a refusal takes.
async fn time_of_refusal(service: &Service, name: &str) -> Duration {
    let mut times = Vec::new();
    for n in 0..9 {
        let start = Instant::now();
        assert_eq!(status(service, name, &format!("wrong{n}")).await, 401);
        times.push(start.elapsed());
    }
    times.sort();
    times[4]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_that_there_is_not_takes_as_long_as_a_wrong_password() {
    let users = Users::new();
    users.set("ann", "sesame", 11).await;
    let service = Service::start(&users.sections()).await;
    let known = time_of_refusal(&service, "ann").await;
    let unknown = time_of_refusal(&service, "eve").await;
    println!("refused: a wrong password in {known:?}, an unknown name in {unknown:?}");
    assert!(known > Duration::from_millis(10), "{known:?}");
    // A lookup alone takes a hundredth of it; anything else is the noise of the machine.
    assert!(
        unknown * 2 > known && unknown < known * 2,
        "{known:?} {unknown:?}"
    );
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_right_password_is_checked_once_whoever_else_tries_theirs() {
    let users = Users::new();
    users.set("ann", "sesame", 12).await;
    let service = Service::start(&users.sections()).await;
    let client = reqwest::Client::new();
    let url = format!("http://{}/v1/nodes", service.address);
    let get = move |name: &str, password: &str| {
        let request = client
            .get(&url)
            .header("authorization", basic(name, password));
        async move { request.send().await.unwrap() }
    };
    let start = Instant::now();
    assert_eq!(get("ann", "sesame").await.status(), 200);
    let first = start.elapsed();
    let start = Instant::now();
    let mut asking: JoinSet<_> = (0..300).map(|_| get("ann", "sesame")).collect();
    while let Some(answer) = asking.join_next().await {
        assert_eq!(answer.unwrap().status(), 200);
    }
    let rest = start.elapsed();
    println!("the first request in {first:?}, 300 more at once in {rest:?}");
    // Each would have taken as long as the first, on one thread of two.
    assert!(rest < first * 30, "{first:?} {rest:?}");

    // More wrong ones than may wait: some are sent away, and who is known is not kept waiting.
    let mut guessing: JoinSet<_> = (0..400).map(|n| get("ann", &format!("guess{n}"))).collect();
    let mut busy = None;
    let mut refused = 0;
    while busy.is_none() {
        let answer = guessing
            .join_next()
            .await
            .expect("nobody is sent away")
            .unwrap();
        match answer.status().as_u16() {
            401 => refused += 1,
            503 => busy = Some(Answer::of(answer).await),
            other => panic!("{other}"),
        }
    }
    let busy = busy.unwrap();
    assert!(busy.header("retry-after").is_some(), "{busy:?}");
    let start = Instant::now();
    assert_eq!(get("ann", "sesame").await.status(), 200);
    let known = start.elapsed();
    println!("{refused} guesses refused before one was sent away; one who is known in {known:?}");
    assert!(known < first * 10, "{known:?}");
    guessing.abort_all();
    service.stop().await;
}

#[tokio::test]
async fn the_originals_client_is_let_in_by_its_password_over_tls() {
    let users = Users::new();
    users.set("ann", "sesame", 5).await;
    let certificates = Certificates::new().await;
    let sections = format!("{}{}", users.sections(), certificates.section(""));
    let (_child, endpoint) = ironic(users.0.path(), &sections).await;
    let ca = certificates.text("ca.pem");
    let options = |password| {
        [
            ["--os-auth-type", "http_basic"],
            ["--os-endpoint", &endpoint],
            ["--os-cacert", &ca],
            ["--os-username", "ann"],
            ["--os-password", password],
        ]
        .concat()
    };
    let right = options("sesame");
    baremetal(&right, "node create --driver fake-hardware --name n")
        .await
        .unwrap();
    let shown = baremetal(&right, "node list -f value -c Name")
        .await
        .unwrap();
    assert_eq!(shown.trim(), "n");
    let refused = baremetal(&options("wrong"), "node list").await.unwrap_err();
    assert!(refused.contains("401"), "{refused}");
}

#[test]
fn the_settings_that_come_with_the_program_are_right() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/access.toml");
    let environment = |name: &str| match name {
        "IRONIC_ACCESS_AUTH_STRATEGY" => Some("keystone".to_owned()),
        "IRONIC_KEYSTONE_PASSWORD" => Some("hush".to_owned()),
        _ => None,
    };
    let config = HostConfig::load(Some(&file), &environment).unwrap();
    let password = config.keystone.password.unwrap();
    assert_eq!(password.expose(), "hush");
    assert!(config.tls.cert_file.is_some());
    let without = HostConfig::load(Some(&file), &|name| {
        environment(name).filter(|_| name != "IRONIC_KEYSTONE_PASSWORD")
    });
    let error = without.unwrap_err().to_string();
    assert!(error.contains("username and password"), "{error}");
}

#[test]
fn no_secret_of_the_settings_prints() {
    let config = HostConfig::parse(
        "[access]\nauth_strategy = \"keystone\"\n[keystone]\nauth_url = \"http://k\"\n\
         username = \"ironic\"\npassword = \"hush\"\nproject_name = \"service\"\n\
         application_credential_secret = \"hush\"\nauth_type = \"password\"\n",
    );
    let printed = format!("{:?}", config.unwrap());
    assert!(
        printed.contains("***") && !printed.contains("hush"),
        "{printed}"
    );
}
