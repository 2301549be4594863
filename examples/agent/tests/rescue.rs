//! A machine is given to the rescue user.
#![allow(
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on fails"
)]

mod support;

use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;

use ironic_agent::{Agent, Hardware, LinuxHardware};
use ironic_core::{Secret, sha_crypt};
use serde_json::{Value, json};
use support::{Machine, Running, Script, Service, client, config};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// `openssl passwd -5 -salt x a`
const HASH: &str = "$5$x$85aGabM7xSEYcp0wkefjwtqWAYi1Rrq3b01Gtllmmh7";

/// A machine that says which password its rescue user got.
fn machine() -> (Machine, watch::Receiver<Option<String>>) {
    let (sender, given) = watch::channel(None);
    let machine = Machine::with(5 << 30, |builder, _| {
        builder.on_rescue(move |hash| {
            sender.send_replace(Some(hash.expose().clone()));
        })
    });
    (machine, given)
}

#[tokio::test]
async fn the_command_is_answered_and_the_agent_ends() {
    let service = Service::start(Script::default()).await;
    let (machine, given) = machine();
    let mut agent = Running::ready(&machine, &service).await;
    let address = agent.callback().trim_start_matches("http://").to_owned();
    let params = json!({"rescue_password": HASH, "hashed": true});
    let answer = agent.complete("rescue.finalize_rescue", params).await;
    assert_eq!(answer["command_status"], "SUCCEEDED");
    assert_eq!(answer["command_result"], Value::Null);
    assert_eq!(given.borrow().as_deref(), Some(HASH));
    (&mut agent.handle).await.unwrap().unwrap();
    let refused = TcpStream::connect(address).await;
    assert!(refused.is_err(), "nobody takes commands any more");
}

#[tokio::test]
async fn a_password_in_clear_is_hashed_before_it_is_kept() {
    let service = Service::start(Script::default()).await;
    let (machine, given) = machine();
    let agent = Running::ready(&machine, &service).await;
    let params = json!({"rescue_password": "pässwörd"});
    agent.complete("rescue.finalize_rescue", params).await;
    let hash = given.borrow().clone().unwrap();
    assert!(sha_crypt::verify("pässwörd", &hash), "{hash}");
}

#[tokio::test]
async fn what_would_let_anybody_in_or_nobody_is_refused() {
    let service = Service::start(Script::default()).await;
    let (machine, given) = machine();
    let agent = Running::ready(&machine, &service).await;
    for params in [
        json!({}),
        json!({"rescue_password": ""}),
        json!({"rescue_password": "", "hashed": true}),
        json!({"rescue_password": "x:y", "hashed": true}),
        json!({"rescue_password": "x\ny", "hashed": true}),
        json!({"rescue_password": 5}),
        json!({"rescue_password": "x", "more": 1}),
    ] {
        let shown = params.to_string();
        let (code, body) = agent.command("rescue.finalize_rescue", params, false).await;
        assert_eq!(code, 400, "{shown}: {body}");
    }
    assert_eq!(*given.borrow(), None);
    let (code, _) = agent.get("/v1/status").await;
    assert_eq!(code, 200, "it goes on taking commands");
}

#[tokio::test]
async fn a_locked_agent_takes_no_commands_and_stays() {
    let service = Service::start(Script::default()).await;
    let (machine, _) = machine();
    let agent = Running::ready(&machine, &service).await;
    let (code, body) = agent
        .command("system.lockdown", json!({"more": 1}), false)
        .await;
    assert_eq!(code, 400, "{body}");
    let (code, body) = agent.command("system.lockdown", json!({}), false).await;
    assert_eq!((code, &body["command_status"]), (200, &json!("SUCCEEDED")));
    let address = agent.callback().trim_start_matches("http://");
    while TcpStream::connect(address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    assert!(
        !agent.handle.is_finished(),
        "nobody is to start another one"
    );
}

#[tokio::test]
async fn a_ramdisk_keeps_the_password_where_its_login_looks_for_it() {
    let root = tempfile::tempdir().unwrap();
    let linux = LinuxHardware::new(root.path());
    let hash = Secret::new(HASH.to_owned());
    let missing = linux.set_rescue_password(&hash).await.unwrap_err();
    let file = "etc/ipa-rescue-config/ipa-rescue-password";
    assert!(missing.to_string().contains(file), "{missing}");
    assert!(!linux.is_rescued().await, "there is no rescue user");

    std::fs::create_dir_all(root.path().join("etc/ipa-rescue-config")).unwrap();
    linux.set_rescue_password(&hash).await.unwrap();
    let file = root.path().join(file);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), HASH);
    let mode = std::fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "nobody else reads it");
    assert!(linux.is_rescued().await);

    // An agent that is started again does nothing: it finds no API to fail at.
    let plug = CancellationToken::new();
    let agent = Agent::builder(config("http://127.0.0.1:1", ""), Arc::new(linux), client());
    let mut running = tokio::spawn(agent.stop(plug.clone()).build().run());
    tokio::task::yield_now().await;
    assert!(!running.is_finished());
    plug.cancel();
    (&mut running).await.unwrap().unwrap();
}
