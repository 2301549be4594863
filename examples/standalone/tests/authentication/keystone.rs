//! Tokens of a real Keystone.

use std::sync::Arc;
use std::time::{Duration, Instant};

use http::{HeaderMap, HeaderValue, Method, Request};
use ironic_core::runtime::ManualClock;
use ironic_core::{Clock, Secret, SystemClock, Timestamp};
use ironic_standalone::access::{
    Asked, Authenticator, Identity, KeystoneAuthenticator, KeystoneLogin, KeystoneScope,
    KeystoneSettings, Refusal,
};
use ironic_standalone::{Host, HostConfig};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::identity_service::{IdentityService, PASSWORD};
use crate::service::{Answer, PATIENCE, Service, baremetal, provider, refused};

const SYSTEM: &str = "/system";

fn settings(keystone: &IdentityService) -> KeystoneSettings {
    let password = Secret::new(PASSWORD.to_owned());
    let scope = KeystoneScope::system();
    let login = KeystoneLogin::password("admin", "Default", password, scope);
    KeystoneSettings::new(&keystone.url(), login)
}

fn authenticator(settings: KeystoneSettings) -> KeystoneAuthenticator {
    KeystoneAuthenticator::new(settings, Arc::new(SystemClock)).unwrap()
}

fn request(token: &str) -> Request<()> {
    let request = Request::get("/v1/nodes").header("x-auth-token", token);
    request.body(()).unwrap()
}

async fn identify(by: &KeystoneAuthenticator, request: &Request<()>) -> Result<Identity, Refusal> {
    by.authenticate(Asked::of(request)).await
}

async fn status(by: &KeystoneAuthenticator, request: &Request<()>) -> u16 {
    match identify(by, request).await {
        Ok(_) => 200,
        Err(refusal) => refusal.status().as_u16(),
    }
}

/// A project, and its scope.
async fn project(keystone: &IdentityService, name: &str) -> (String, Value) {
    let body = json!({"name": name, "domain_id": "default"});
    let id = keystone.create("project", body).await;
    let scope = json!({"project": {"id": id}});
    (id, scope)
}

/// What the policies see, as the original's middleware has it and as this one has it.
async fn seen_by_both(by: &KeystoneAuthenticator, middleware: &str, token: &str) -> (Value, Value) {
    let asked = reqwest::Client::new()
        .get(middleware)
        .header("x-auth-token", token);
    let answer = Answer::of(asked.send().await.unwrap()).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let roles = answer.body["roles"].as_array().unwrap().iter();
    let mut roles: Vec<_> = roles
        .map(|role| role.as_str().unwrap().to_lowercase())
        .collect();
    roles.sort();
    let mut theirs = serde_json::Map::new();
    for name in FIELDS {
        theirs.insert((*name).to_owned(), answer.body[*name].clone());
    }
    theirs.insert("roles".to_owned(), json!(roles));
    let ours = identify(by, &request(token)).await.unwrap();
    let mut roles = ours.roles.clone();
    roles.sort();
    let ours = json!({
        "user_id": ours.user_id,
        "user_name": ours.user_name,
        "user_domain_id": ours.user_domain_id,
        "project_id": ours.project_id,
        "project_name": ours.project_name,
        "project_domain_id": ours.project_domain_id,
        "domain_id": ours.domain_id,
        "system_scope": ours.system_scope,
        "roles": roles,
    });
    (theirs.into(), ours)
}

const FIELDS: &[&str] = &[
    "user_id",
    "user_name",
    "user_domain_id",
    "project_id",
    "project_name",
    "project_domain_id",
    "domain_id",
    "system_scope",
];

/// Each sort of token says the same as to the original's middleware.
async fn the_same_as_the_original(keystone: &IdentityService, middleware: &str) {
    let by = authenticator(settings(keystone));
    let (lab, in_lab) = project(keystone, "lab").await;
    let rita = keystone
        .user("rita", "reader", &format!("/projects/{lab}"))
        .await;
    keystone.grant(&rita, "member", "/domains/default").await;
    keystone.user("sam", "reader", SYSTEM).await;
    keystone.create("role", json!({"name": "Auditor-X"})).await;
    keystone
        .grant(&rita, "Auditor-X", &format!("/projects/{lab}"))
        .await;
    let in_system = json!({"system": {"all": true}});
    let in_domain = json!({"domain": {"id": "default"}});
    let admin = keystone
        .password_token("admin", PASSWORD, Some(in_system.clone()))
        .await;
    let scoped = keystone
        .password_token("rita", "rita", Some(in_lab.clone()))
        .await;
    let credential = json!({"application_credential": {"name": "c", "secret": "s3"}});
    let path = format!("/users/{rita}/application_credentials");
    let made = keystone
        .ask_as(&scoped, Method::POST, &path, credential)
        .await;
    let credential = made["application_credential"]["id"].as_str().unwrap();
    let mut compared = 0;
    for token in [
        admin,
        keystone.password_token("sam", "sam", Some(in_system)).await,
        scoped,
        keystone
            .password_token("rita", "rita", Some(in_domain))
            .await,
        keystone.password_token("rita", "rita", None).await,
        keystone.credential_token(credential, "s3").await,
    ] {
        let (theirs, ours) = seen_by_both(&by, middleware, &token).await;
        assert_eq!(theirs, ours);
        compared += 1;
    }
    println!("{compared} of 6 tokens say the same");
    let path = format!("/users/{rita}/application_credentials");
    rules_of_a_credential(keystone, middleware, &by, &path, in_lab).await;
}

/// A credential that is for some requests alone.
async fn rules_of_a_credential(
    keystone: &IdentityService,
    middleware: &str,
    by: &KeystoneAuthenticator,
    credentials: &str,
    scope: Value,
) {
    let rules = json!([
        {"service": "baremetal", "method": "GET", "path": "/v1/nodes"},
        {"service": "baremetal", "method": "GET", "path": "/v1/nodes/*"},
        {"service": "baremetal", "method": "POST", "path": "/v1/**"},
        {"service": "compute", "method": "DELETE", "path": "/**"},
    ]);
    let restricted = json!({"application_credential": {
        "name": "r", "secret": "s4", "access_rules": rules,
    }});
    let body = json!({"type": "baremetal", "name": "ironic"});
    keystone.create("service", body).await;
    let scoped = keystone.password_token("rita", "rita", Some(scope)).await;
    let made = keystone
        .ask_as(&scoped, Method::POST, credentials, restricted)
        .await;
    let credential = made["application_credential"]["id"].as_str().unwrap();
    let token = keystone.credential_token(credential, "s4").await;
    let root = middleware.strip_suffix("/v1/nodes").unwrap();
    for (method, path) in [
        ("GET", "/v1/nodes"),
        ("GET", "/v1/nodes/n"),
        ("GET", "/v1/nodes/n/states"),
        ("GET", "/v1/ports"),
        ("POST", "/v1/nodes/n/states"),
        ("DELETE", "/v1/nodes/n"),
        ("PUT", "/v1/nodes"),
    ] {
        let method: Method = method.parse().unwrap();
        let http = reqwest::Client::new();
        let asked = http.request(method.clone(), format!("{root}{path}"));
        let theirs = asked.header("x-auth-token", &token).send().await.unwrap();
        let request = Request::builder().method(&method).uri(path);
        let request = request.header("x-auth-token", &token).body(()).unwrap();
        let ours = status(by, &request).await;
        assert_eq!(ours, theirs.status().as_u16(), "{method} {path}");
    }
}

async fn refused_as_by_keystone(keystone: &IdentityService) {
    let service = Service::start(&sections(keystone, "password")).await;
    let url = format!("http://{}/v1/nodes", service.address);
    let http = reqwest::Client::new();
    let nothing = Answer::of(http.get(&url).send().await.unwrap()).await;
    let wrong = http.get(&url).header("x-auth-token", "nonsense");
    let wrong = Answer::of(wrong.send().await.unwrap()).await;
    for answer in [nothing, wrong] {
        assert_eq!(answer.status, 401);
        let uri = format!("Keystone uri=\"{}/v3\"", keystone.url());
        assert_eq!(answer.header("www-authenticate"), Some(&*uri));
        assert_eq!(answer.body["error"]["code"], json!(401));
        assert_eq!(answer.body["error"]["title"], json!("Unauthorized"));
        assert!(answer.header("openstack-request-id").is_some());
    }
    let right = http.get(&url).header("x-auth-token", &keystone.admin);
    assert_eq!(right.send().await.unwrap().status(), 200);
    service.stop().await;
}

/// The settings of the service, which asks as this sort of user.
fn sections(keystone: &IdentityService, login: &str) -> String {
    let login = match login {
        "password" => format!(
            "username = \"admin\"\npassword = {PASSWORD:?}\nuser_domain_id = \"default\"\n\
             system_scope = \"all\"\n"
        ),
        credential => {
            let (id, secret) = credential.split_once(':').unwrap();
            format!(
                "application_credential_id = {id:?}\napplication_credential_secret = {secret:?}\n"
            )
        }
    };
    let url = keystone.url();
    format!("[access]\nauth_strategy = \"keystone\"\n[keystone]\nauth_url = \"{url}/v3\"\n{login}")
}

/// Ended and revoked tokens, and those of services that act for users.
async fn ended_and_revoked(keystone: &IdentityService) {
    let token_of = async |user: &str| {
        let scope = json!({"system": {"all": true}});
        keystone.password_token(user, user, Some(scope)).await
    };
    keystone.user("nova", "service", SYSTEM).await;
    keystone.user("tom", "reader", SYSTEM).await;
    let (tom, nova) = (token_of("tom").await, token_of("nova").await);
    let by = authenticator(settings(keystone));
    assert_eq!(status(&by, &request(&tom)).await, 200);
    assert_eq!(status(&by, &request(&format!("  {tom} "))).await, 200);
    // Not remembered there, but asked about.
    let mut forgetful = settings(keystone);
    forgetful.cache_time = Duration::ZERO;
    let forgetful = authenticator(forgetful);
    assert_eq!(status(&forgetful, &request(&tom)).await, 200);
    keystone.revoke(&tom).await;
    assert_eq!(status(&forgetful, &request(&tom)).await, 401, "revoked");
    assert_eq!(status(&by, &request(&tom)).await, 200, "still remembered");
    // In two hours from now the token has ended, whatever Keystone thinks of it.
    let other = token_of("nova").await;
    let later = SystemClock.now().as_micros() + 7200 * 1_000_000;
    let clock = Arc::new(ManualClock::new(Timestamp::from_micros(later)));
    let by = KeystoneAuthenticator::new(settings(keystone), clock.clone()).unwrap();
    assert_eq!(status(&by, &request(&other)).await, 401, "ended");
    clock.set(SystemClock.now());
    assert_eq!(status(&by, &request(&other)).await, 200);
    clock.set(Timestamp::from_micros(later));
    assert_eq!(
        status(&by, &request(&other)).await,
        401,
        "ended while remembered"
    );
    // Services act for users by tokens of their own, with which those of users may have ended.
    let both = |user: &str, service: &str| {
        let mut both = request(user);
        let service = HeaderValue::from_str(service).unwrap();
        both.headers_mut().insert("x-service-token", service);
        both
    };
    let by = authenticator(settings(keystone));
    let sam = keystone.admin.clone();
    assert_eq!(status(&by, &both(&sam, &nova)).await, 200);
    assert_eq!(status(&by, &both(&sam, "nonsense")).await, 401);
    assert_eq!(status(&by, &both(&sam, &sam)).await, 401, "of no service");
    assert_eq!(status(&by, &both("nonsense", &nova)).await, 401);
    let mut lenient = settings(keystone);
    lenient.service_token_roles_required = false;
    let lenient = authenticator(lenient);
    assert_eq!(status(&lenient, &both(&sam, &sam)).await, 200);
    let mut headers = HeaderMap::new();
    headers.insert("x-service-token", HeaderValue::from_str(&nova).unwrap());
    let mut alone = request("x");
    *alone.headers_mut() = headers;
    assert_eq!(status(&by, &alone).await, 401, "a service alone");
}

/// A thousand requests with one token at once.
async fn asked_about_once(keystone: &IdentityService) {
    let by = Arc::new(authenticator(settings(keystone)));
    let token = keystone.admin.clone();
    let start = Instant::now();
    let mut asking = JoinSet::new();
    for _ in 0..1000 {
        let (by, token) = (Arc::clone(&by), token.clone());
        asking.spawn(async move { status(&by, &request(&token)).await });
    }
    while let Some(status) = asking.join_next().await {
        assert_eq!(status.unwrap(), 200);
    }
    println!(
        "1000 requests with one token at once in {:?}",
        start.elapsed()
    );
}

/// One Keystone for all: to set it up takes longer than what is asked of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_real_keystone_tells_whom_to_let_in() {
    provider();
    let mut keystone = IdentityService::start().await;
    let middleware = keystone.middleware().await;
    the_same_as_the_original(&keystone, &middleware).await;
    refused_as_by_keystone(&keystone).await;
    ended_and_revoked(&keystone).await;
    asked_about_once(&keystone).await;
    credentials_of_ones_own(&keystone).await;
    the_originals_client(&keystone).await;
    away_and_back(&mut keystone).await;
}

/// This service's own token: by an application credential, and by a wrong password.
async fn credentials_of_ones_own(keystone: &IdentityService) {
    let (id, scope) = project(keystone, "services").await;
    let ironic = keystone
        .user("ironic", "service", &format!("/projects/{id}"))
        .await;
    keystone
        .grant(&ironic, "admin", &format!("/projects/{id}"))
        .await;
    let token = keystone
        .password_token("ironic", "ironic", Some(scope))
        .await;
    let path = format!("/users/{ironic}/application_credentials");
    let body = json!({"application_credential": {"name": "own", "secret": "s5"}});
    let made = keystone.ask_as(&token, Method::POST, &path, body).await;
    let id = made["application_credential"]["id"].as_str().unwrap();
    let service = Service::start(&sections(keystone, &format!("{id}:s5"))).await;
    let url = format!("http://{}/v1/nodes", service.address);
    let http = reqwest::Client::new();
    let ask = async || {
        let asked = http.get(&url).header("x-auth-token", &keystone.admin);
        asked.send().await.unwrap().status().as_u16()
    };
    assert_eq!(ask().await, 200);
    service.stop().await;

    // A password that is set, be it the same, ends all tokens of its user: then this service
    // needs a new one itself.
    let own = keystone.user("own", "admin", SYSTEM).await;
    let password = Secret::new("own".to_owned());
    let login = KeystoneLogin::password("own", "Default", password, KeystoneScope::system());
    let mut without_memory = KeystoneSettings::new(&keystone.url(), login);
    without_memory.cache_time = Duration::ZERO;
    let by = authenticator(without_memory);
    assert_eq!(status(&by, &request(&token)).await, 200);
    let same = json!({"user": {"password": "own"}});
    keystone
        .ask(Method::PATCH, &format!("/users/{own}"), same)
        .await;
    let renewed = async {
        // What ends tokens ends those of the same second, too.
        while status(&by, &request(&token)).await != 200 {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(PATIENCE, renewed)
        .await
        .expect("no new token");

    let password = Secret::new("wrong".to_owned());
    let login = KeystoneLogin::password("ironic", "Default", password, KeystoneScope::system());
    let by = authenticator(KeystoneSettings::new(&keystone.url(), login));
    assert_eq!(status(&by, &request(&token)).await, 503);
    let start = Instant::now();
    for _ in 0..100 {
        assert_eq!(status(&by, &request(&token)).await, 503);
    }
    assert!(
        start.elapsed() < Duration::from_secs(5),
        "it goes on trying"
    );
}

/// `baremetal`, which finds the service in the catalogue.
async fn the_originals_client(keystone: &IdentityService) {
    let service = Service::start(&sections(keystone, "password")).await;
    let found = keystone
        .ask(Method::GET, "/services?type=baremetal", Value::Null)
        .await;
    let id = &found["services"][0]["id"];
    let endpoint = json!({
        "service_id": id,
        "interface": "public",
        "region_id": "here",
        "url": format!("http://{}", service.address),
    });
    keystone.create("endpoint", endpoint).await;
    let url = format!("{}/v3", keystone.url());
    let options = |password| {
        [
            ["--os-auth-type", "password"],
            ["--os-auth-url", &url],
            ["--os-username", "admin"],
            ["--os-password", password],
            ["--os-user-domain-id", "default"],
            ["--os-system-scope", "all"],
        ]
        .concat()
    };
    let right = options(PASSWORD);
    baremetal(&right, "node create --driver fake-hardware --name n")
        .await
        .unwrap();
    let shown = baremetal(&right, "node list -f value -c Name")
        .await
        .unwrap();
    assert_eq!(shown.trim(), "n");
    let wrong = baremetal(&options("wrong"), "node list").await.unwrap_err();
    assert!(wrong.contains("401"), "{wrong}");
    service.stop().await;
}

/// Keystone is killed and comes back.
async fn away_and_back(keystone: &mut IdentityService) {
    let scope = json!({"system": {"all": true}});
    let other = keystone
        .password_token("admin", PASSWORD, Some(scope.clone()))
        .await;
    let known = keystone
        .password_token("admin", PASSWORD, Some(scope))
        .await;
    let service = Service::start(&sections(keystone, "password")).await;
    let url = format!("http://{}/v1/nodes", service.address);
    let http = reqwest::Client::new();
    let ask = async |token: &str| {
        let asked = http.get(&url).header("x-auth-token", token);
        Answer::of(asked.send().await.unwrap()).await
    };
    assert_eq!(ask(&known).await.status, 200);
    keystone.kill().await;
    let start = Instant::now();
    let away = ask(&other).await;
    println!(
        "while Keystone is away: {} after {:?}",
        away.status,
        start.elapsed()
    );
    assert_eq!(away.status, 503);
    assert!(away.header("retry-after").is_some());
    assert_eq!(away.header("www-authenticate"), None);
    assert_eq!(ask(&known).await.status, 200, "remembered");
    keystone.serve().await;
    assert_eq!(ask(&other).await.status, 200, "back");
    service.stop().await;
}

#[tokio::test]
async fn settings_that_do_not_go_together_are_told_at_the_start() {
    let access = "[access]\nauth_strategy = \"keystone\"\n[keystone]\n";
    let url = "auth_url = \"http://127.0.0.1:1/v3\"\n";
    let user = "username = \"ironic\"\npassword = \"hush\"\n";
    for (keys, part) in [
        (String::new(), "auth_url"),
        ("auth_url = \"keystone:5000\"".to_owned(), "http or https"),
        (url.to_owned(), "username and password"),
        (
            format!("{url}username = \"ironic\""),
            "username and password",
        ),
        (format!("{url}{user}"), "project_name or system_scope"),
        (
            format!("{url}{user}system_scope = \"some\""),
            "system_scope",
        ),
        (
            format!("{url}{user}system_scope = \"all\"\nproject_name = \"p\""),
            "either project_name or",
        ),
        (format!("{url}auth_type = \"v2password\""), "auth_type"),
        (
            format!("{url}application_credential_secret = \"hush\""),
            "application_credential_id",
        ),
        (
            format!("{url}{user}project_name = \"p\"\nattempts = 0"),
            "attempts from 1 to 10",
        ),
        (
            format!("{url}{user}project_name = \"p\"\nca_file = \"/nowhere.pem\""),
            "/nowhere.pem",
        ),
        (
            format!("{url}{user}usrname = \"p\""),
            "did you mean `username`",
        ),
    ] {
        let error = refused(&format!("{access}{keys}\n")).await;
        assert!(error.contains(part), "{keys}: {error}");
        assert!(!error.contains("hush"), "{error}");
    }
    // One that cannot be reached is no reason not to start.
    let text = format!("{access}{url}{user}project_name = \"p\"\nattempts = 1\n");
    let service = Service::start(&text).await;
    let http = reqwest::Client::new();
    let asked = http.get(format!("http://{}/v1/nodes", service.address));
    let answer = asked.header("x-auth-token", "t").send().await.unwrap();
    assert_eq!(answer.status(), 503);
    service.stop().await;
}

#[tokio::test]
async fn a_host_brings_its_own_authenticator() {
    struct Everybody;
    #[async_trait::async_trait]
    impl Authenticator for Everybody {
        async fn authenticate(&self, asked: Asked<'_>) -> Result<Identity, Refusal> {
            assert_eq!((asked.method, asked.path), (&Method::GET, "/v1/nodes"));
            Ok(Identity::trusted())
        }
    }
    provider();
    let text = "[access]\nauth_strategy = \"noauth\"\n\
                [drivers]\nenabled_hardware_types = [\"fake-hardware\"]\n";
    let host = Host::builder(HostConfig::parse(text).unwrap());
    let host = host
        .authenticator(Arc::new(Everybody))
        .start()
        .await
        .unwrap();
    let service = Service::run(host).await;
    let asked = reqwest::get(format!("http://{}/v1/nodes?limit=1", service.address));
    assert_eq!(asked.await.unwrap().status(), 200);
    service.stop().await;
}
