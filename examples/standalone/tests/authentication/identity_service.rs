//! A real Keystone on SQLite, of the package `keystone`, and the middleware by which the original
//! asks it.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE;
use http::Method;
use ironic_core::{Entropy, OsEntropy};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

use crate::service::{Answer, in_venv};

/// How long it may take to set one up, on a machine that does other things.
const SET_UP: Duration = Duration::from_secs(150);

/// Serves Keystone by the port that it is given, which Keystone itself is not to see.
const SERVE: &str = "import sys, waitress\n\
    port = sys.argv.pop()\n\
    from keystone.wsgi.api import application\n\
    waitress.serve(application, listen='127.0.0.1:' + port, threads=4)\n";

/// Serves what the original would make of a request's tokens: the values that its policies see.
const SERVE_MIDDLEWARE: &str = "import json, sys, waitress\n\
    from keystonemiddleware import auth_token\n\
    from oslo_config import cfg\n\
    from oslo_context import context\n\
    url, port, password = sys.argv[1:]\n\
    def app(environ, start):\n\
    \x20   seen = context.RequestContext.from_environ(environ)\n\
    \x20   values = dict(seen.to_policy_values(), user_name=seen.user_name,\n\
    \x20                 project_name=seen.project_name)\n\
    \x20   start('200 OK', [('Content-Type', 'application/json')])\n\
    \x20   return [json.dumps(values).encode()]\n\
    conf = {'auth_type': 'password', 'auth_url': url, 'www_authenticate_uri': url,\n\
    \x20       'username': 'admin', 'password': password, 'user_domain_id': 'default',\n\
    \x20       'system_scope': 'all', 'interface': 'public', 'service_type': 'baremetal',\n\
    \x20       'token_cache_time': -1}\n\
    cfg.CONF([], project='probe')\n\
    app = auth_token.AuthProtocol(app, conf)\n\
    waitress.serve(app, listen='127.0.0.1:' + port, threads=4)\n";

/// What nobody may do without.
pub(crate) const PASSWORD: &str = "an-admin-password";

/// A running Keystone.
pub(crate) struct IdentityService {
    folder: TempDir,
    server: Option<Child>,
    middleware: Option<Child>,
    port: u16,
    http: reqwest::Client,
    /// A token of the whole system's admin.
    pub(crate) admin: String,
}

fn program(name: &str) -> PathBuf {
    in_venv(Some("keystone"), name, "keystone and waitress")
}

/// A port that nobody listens at.
fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

impl IdentityService {
    /// Makes a database with an admin in it, and serves it.
    pub(crate) async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let text = format!(
            "[DEFAULT]\nlog_file = {}\n[database]\nconnection = sqlite:///{}\n\
             [fernet_tokens]\nkey_repository = {keys}\n[fernet_receipts]\nkey_repository = {keys}\n\
             [identity]\npassword_hash_rounds = 4\n",
            path("keystone.log").display(),
            path("keystone.db").display(),
            keys = path("keys").display(),
        );
        std::fs::write(path("keystone.conf"), text).unwrap();
        std::fs::create_dir(path("keys")).unwrap();
        for name in ["keys/0", "keys/1"] {
            let mut key = [0; 32];
            OsEntropy.fill(&mut key);
            std::fs::write(path(name), URL_SAFE.encode(key)).unwrap();
        }
        let port = free_port();
        let url = format!("http://127.0.0.1:{port}/v3");
        let bootstrap = [
            &["bootstrap", "--bootstrap-password", PASSWORD][..],
            &[
                "--bootstrap-region-id",
                "here",
                "--bootstrap-public-url",
                &url,
            ],
        ];
        manage(&path("keystone.conf"), &["db_sync"]).await;
        manage(&path("keystone.conf"), &bootstrap.concat()).await;
        let mut new = Self {
            folder,
            server: None,
            middleware: None,
            port,
            http: reqwest::Client::new(),
            admin: String::new(),
        };
        new.serve().await;
        let scope = json!({"system": {"all": true}});
        new.admin = new.password_token("admin", PASSWORD, Some(scope)).await;
        new
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Serves again after a kill, at the same address.
    pub(crate) async fn serve(&mut self) {
        let mut command = self.python(&["-c", SERVE, &self.port.to_string()]);
        let configuration = self.folder.path().join("keystone.conf");
        command.env("OS_KEYSTONE_CONFIG_FILES", configuration);
        let url = format!("{}/v3", self.url());
        self.server = Some(self.until_answered(command, &url).await);
    }

    fn python(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(program("python"));
        let said = std::fs::File::options()
            .append(true)
            .create(true)
            .open(self.folder.path().join("stderr"));
        command
            .args(["-W", "ignore"])
            .args(arguments)
            .stdout(Stdio::null())
            .stderr(said.unwrap())
            .kill_on_drop(true);
        command
    }

    /// Starts a server and waits until it answers.
    async fn until_answered(&self, mut command: Command, url: &str) -> Child {
        let mut server = command.spawn().unwrap();
        let answered = async {
            while self.http.get(url).send().await.is_err() {
                if let Some(status) = server.try_wait().unwrap() {
                    let said = std::fs::read_to_string(self.folder.path().join("stderr"));
                    panic!("it has ended, {status}: {}", said.unwrap());
                }
                sleep(Duration::from_millis(100)).await;
            }
        };
        timeout(SET_UP, answered).await.expect("nobody answers");
        server
    }

    /// Ends it as a crash would.
    pub(crate) async fn kill(&mut self) {
        self.server.take().unwrap().kill().await.unwrap();
    }

    /// Serves the original's middleware; where.
    pub(crate) async fn middleware(&mut self) -> String {
        let port = free_port();
        let arguments = [SERVE_MIDDLEWARE, &self.url(), &port.to_string(), PASSWORD];
        let command = self.python(&[&["-c"][..], &arguments].concat());
        let url = format!("http://127.0.0.1:{port}/v1/nodes");
        self.middleware = Some(self.until_answered(command, &url).await);
        url
    }

    /// Asks it something as the admin; the answer to what went well.
    pub(crate) async fn ask(&self, method: Method, path: &str, body: Value) -> Value {
        self.ask_as(&self.admin, method, path, body).await
    }

    pub(crate) async fn ask_as(
        &self,
        token: &str,
        method: Method,
        path: &str,
        body: Value,
    ) -> Value {
        let mut request = self
            .http
            .request(method, format!("{}/v3{path}", self.url()))
            .header("x-auth-token", token);
        if !body.is_null() {
            request = request.json(&body);
        }
        let answer = Answer::of(request.send().await.unwrap()).await;
        assert!(answer.status < 300, "{path}: {answer:?}");
        answer.body
    }

    /// The id of something that is made.
    pub(crate) async fn create(&self, what: &str, body: Value) -> String {
        let body = json!({ what: body });
        let made = self.ask(Method::POST, &format!("/{what}s"), body).await;
        made[what]["id"].as_str().unwrap().to_owned()
    }

    /// A user, who has a role somewhere: the path to what the role is for.
    pub(crate) async fn user(&self, name: &str, role: &str, on: &str) -> String {
        let body = json!({"name": name, "password": name, "domain_id": "default"});
        let user = self.create("user", body).await;
        self.grant(&user, role, on).await;
        user
    }

    pub(crate) async fn grant(&self, user: &str, role: &str, on: &str) {
        let path = format!("/roles?name={role}");
        let found = self.ask(Method::GET, &path, Value::Null).await;
        let role = found["roles"][0]["id"].as_str().unwrap();
        let path = format!("{on}/users/{user}/roles/{role}");
        self.ask(Method::PUT, &path, Value::Null).await;
    }

    /// A token that is had by a password.
    pub(crate) async fn password_token(
        &self,
        user: &str,
        password: &str,
        scope: Option<Value>,
    ) -> String {
        let user = json!({"name": user, "domain": {"id": "default"}, "password": password});
        let mut auth = json!({"identity": {"methods": ["password"], "password": {"user": user}}});
        auth["scope"] = scope.unwrap_or_else(|| json!("unscoped"));
        self.token(auth).await
    }

    /// A token of an application credential.
    pub(crate) async fn credential_token(&self, id: &str, secret: &str) -> String {
        self.token(json!({"identity": {
            "methods": ["application_credential"],
            "application_credential": {"id": id, "secret": secret},
        }}))
        .await
    }

    async fn token(&self, auth: Value) -> String {
        let request = self
            .http
            .post(format!("{}/v3/auth/tokens", self.url()))
            .json(&json!({"auth": auth}));
        let answer = Answer::of(request.send().await.unwrap()).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.header("x-subject-token").unwrap().to_owned()
    }

    pub(crate) async fn revoke(&self, token: &str) {
        let request = self
            .http
            .delete(format!("{}/v3/auth/tokens", self.url()))
            .header("x-auth-token", &self.admin)
            .header("x-subject-token", token);
        assert_eq!(request.send().await.unwrap().status(), 204);
    }
}

async fn manage(configuration: &Path, arguments: &[&str]) {
    let ran = Command::new(program("keystone-manage"))
        .arg("--config-file")
        .arg(configuration)
        .args(arguments)
        .output();
    let ran = timeout(SET_UP, ran)
        .await
        .expect("keystone-manage")
        .unwrap();
    assert!(ran.status.success(), "{arguments:?}: {ran:?}");
}
