//! Sessions: a session service before a real sushy-emulator, and what such services may answer.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected is to stop there"
)]

mod support;

use std::sync::Arc;

use ironic_drivers_redfish::{AuthMethod, Client, ClientOptions, Connection, ReqwestTransport};
use serde_json::json;
use support::gate::Gate;
use support::script::{Answer, Script};
use support::{Emulator, PASSWORD, Setup, USER};

async fn gated() -> (Emulator, Arc<Gate<ReqwestTransport>>) {
    let emulator = Emulator::start(Setup {
        systems: 1,
        ..Setup::default()
    })
    .await;
    support::install_provider();
    let gate = Gate::new(ReqwestTransport::new(&emulator.connection().tls).unwrap());
    (emulator, Arc::new(gate))
}

fn client(connection: Connection, gate: &Arc<Gate<ReqwestTransport>>) -> Client {
    Client::new(connection, gate.clone(), ClientOptions::new()).unwrap()
}

#[tokio::test]
async fn one_login_serves_until_the_session_ends() {
    let (emulator, gate) = gated().await;
    for auth in [AuthMethod::Session, AuthMethod::Auto] {
        let before = gate.counts();
        let client = client(
            emulator.connection().credentials(USER, PASSWORD).auth(auth),
            &gate,
        );
        let path = client.systems().await.unwrap().remove(0);
        client.get::<serde_json::Value>(&path).await.unwrap();
        assert_eq!(gate.counts(), (before.0 + 1, before.1, 1), "one login");

        gate.expire();
        client.get::<serde_json::Value>(&path).await.unwrap();
        assert_eq!(
            gate.counts(),
            (before.0 + 2, before.1, 1),
            "logged in again"
        );

        client.close().await;
        client.close().await;
        assert_eq!(
            gate.counts(),
            (before.0 + 2, before.1 + 1, 0),
            "logged out, once"
        );
        client.systems().await.unwrap();
        client.close().await;
        assert_eq!(gate.counts().2, 0);
    }
}

#[tokio::test]
async fn many_requests_share_a_login() {
    let (emulator, gate) = gated().await;
    let client = client(emulator.connection().credentials(USER, PASSWORD), &gate);
    for logins in [1, 2] {
        let (a, b, c, d) = tokio::join!(
            client.systems(),
            client.systems(),
            client.systems(),
            client.systems()
        );
        for systems in [a, b, c, d] {
            assert_eq!(systems.unwrap().len(), 1);
        }
        assert_eq!(gate.counts().0, logins);
        gate.expire();
    }
}

#[tokio::test]
async fn a_session_that_cannot_be_renewed_is_no_reason_for_basic() {
    let (emulator, gate) = gated().await;
    let client = client(
        emulator
            .connection()
            .credentials(USER, PASSWORD)
            .auth(AuthMethod::Auto),
        &gate,
    );
    client.systems().await.unwrap();
    gate.expire();
    gate.close();
    let error = client.systems().await.unwrap_err();
    assert!(
        error.is_access_denied() && error.to_string().starts_with("POST "),
        "{error}"
    );
}

#[tokio::test]
async fn a_wrong_password_gets_no_session() {
    let (emulator, gate) = gated().await;
    let client = client(
        emulator
            .connection()
            .credentials(USER, "wrong")
            .auth(AuthMethod::Session),
        &gate,
    );
    let error = client.systems().await.unwrap_err();
    assert!(error.is_access_denied(), "{error}");
    assert_eq!(gate.counts(), (0, 0, 0));
}

fn account(auth: AuthMethod) -> Connection {
    Connection::new("https://bmc.example.org")
        .unwrap()
        .credentials("u", "p")
        .auth(auth)
}

#[tokio::test]
async fn auto_falls_back_to_basic_when_there_are_no_sessions() {
    let basic = "Basic dTpw";
    for refusal in [
        Answer::status(404),
        Answer::status(401),
        Answer::status(405),
        Answer::status(201),
    ] {
        let script = Script::new([
            ("GET /redfish/v1/", Answer::json(&json!({}))),
            ("POST /redfish/v1/SessionService/Sessions", refusal),
            ("GET /x", Answer::json(&json!({}))),
            ("GET /x", Answer::json(&json!({}))),
        ]);
        let client = script.client_with(account(AuthMethod::Auto), ClientOptions::new());
        for _ in 0..2 {
            client.get::<serde_json::Value>("/x").await.unwrap();
        }
        script.assert_done();
        let sent = script.sent();
        assert_eq!(
            [0, 1, 2, 3].map(|n| sent[n].header("authorization")),
            [None, None, Some(basic), Some(basic)]
        );
        assert_eq!(sent[1].body, json!({"UserName": "u", "Password": "p"}));
    }
}

#[tokio::test(start_paused = true)]
async fn auto_does_not_fall_back_when_the_bmc_is_away() {
    let lost = std::iter::repeat_n(("GET /redfish/v1/", Answer::lost("connect")), 5);
    let script = Script::new(lost);
    let client = script.client_with(account(AuthMethod::Auto), ClientOptions::new());
    assert!(
        client
            .get::<serde_json::Value>("/x")
            .await
            .unwrap_err()
            .is_retryable()
    );
    script.assert_done();
}

#[tokio::test]
async fn a_session_is_ended_only_on_the_bmc() {
    for (location, body, ended) in [
        (
            Some("https://bmc.example.org/S/1"),
            json!({}),
            Some("DELETE /S/1"),
        ),
        (
            Some("https://evil.example/S/1"),
            json!({"@odata.id": "/S/2"}),
            Some("DELETE /S/2"),
        ),
        (None, json!({"@odata.id": "/S/3"}), Some("DELETE /S/3")),
        (Some("https://evil.example/S/1"), json!({}), None),
    ] {
        let mut made = Answer::status(201).header("x-auth-token", "t").body(&body);
        if let Some(location) = location {
            made = made.header("location", location);
        }
        let steps = [
            (
                "GET /redfish/v1/",
                Answer::json(&json!({"Links": {"Sessions": {"@odata.id": "/S"}}})),
            ),
            ("POST /S", made),
            ("GET /x", Answer::json(&json!({}))),
        ];
        let script = Script::new(
            steps
                .into_iter()
                .chain(ended.map(|line| (line, Answer::status(204)))),
        );
        let client = script.client_with(account(AuthMethod::Session), ClientOptions::new());
        client.get::<serde_json::Value>("/x").await.unwrap();
        client.close().await;
        script.assert_done();
        assert_eq!(script.sent()[2].header("x-auth-token"), Some("t"));
        let shown = format!("{:?}", client.connection());
        assert!(shown.contains("password: ***"), "{shown}");
    }
}

#[tokio::test]
async fn no_method_no_proof() {
    for connection in [
        account(AuthMethod::None),
        Connection::new("https://bmc.example.org").unwrap(),
    ] {
        let script = Script::new([("GET /x", Answer::json(&json!({})))]);
        let client = script.client_with(connection, ClientOptions::new());
        client.get::<serde_json::Value>("/x").await.unwrap();
        assert!(script.sent()[0].header("authorization").is_none());
    }
}
