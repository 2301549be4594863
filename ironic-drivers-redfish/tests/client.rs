//! What the client does with the answers that BMCs give and the emulator does not.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected is to stop there"
)]

mod support;

use std::time::Duration;

use http::StatusCode;
use ironic_drivers_redfish::{ClientOptions, Connection, RedfishError, Until};
use serde_json::{Value, json};
use support::script::{Answer, Script};
use tokio::time::Instant;

const SYSTEM: &str = "/redfish/v1/Systems/1";

/// The status, or how it failed without one.
fn outcome<T>(result: &Result<T, RedfishError>) -> String {
    match result {
        Ok(_) => "ok".to_owned(),
        Err(error) => error.status().map_or_else(
            || {
                format!("{error:?}")
                    .split([' ', '{'])
                    .next()
                    .unwrap()
                    .to_owned()
            },
            |s| s.as_str().to_owned(),
        ),
    }
}

#[tokio::test(start_paused = true)]
async fn reading_is_tried_again() {
    let script = Script::new([
        ("GET /redfish/v1/Systems/1", Answer::lost("connect")),
        ("GET /redfish/v1/Systems/1", Answer::lost("interrupted")),
        (
            "GET /redfish/v1/Systems/1",
            Answer::status(503).header("retry-after", "20"),
        ),
        ("GET /redfish/v1/Systems/1", Answer::status(500)),
        (
            "GET /redfish/v1/Systems/1",
            Answer::json(&json!({"Id": "1"})),
        ),
    ]);
    let start = Instant::now();
    script.client().get::<Value>(SYSTEM).await.unwrap();
    assert_eq!(start.elapsed().as_secs(), 1 + 2 + 20 + 8);
    script.assert_done();
}

#[tokio::test(start_paused = true)]
async fn acting_is_tried_again_only_where_nothing_can_have_happened() {
    for (repeatable, answers, expected) in [
        (
            false,
            vec![Answer::lost("connect"), Answer::status(204)],
            "ok",
        ),
        (false, vec![Answer::lost("interrupted")], "Transport"),
        (false, vec![Answer::lost("timeout")], "Transport"),
        (false, vec![Answer::status(503)], "503"),
        (
            false,
            vec![
                Answer::error(503, "IDRAC.2.8.SYS518", "not ready"),
                Answer::status(204),
            ],
            "ok",
        ),
        (
            true,
            vec![
                Answer::lost("timeout"),
                Answer::status(503),
                Answer::status(204),
            ],
            "ok",
        ),
        (true, vec![Answer::status(400)], "400"),
    ] {
        let shown = format!("{repeatable} {answers:?}");
        let script = Script::new(
            answers
                .into_iter()
                .map(|answer| ("POST /redfish/v1/x", answer)),
        );
        let result = script
            .client()
            .post("/redfish/v1/x", &json!({}), repeatable)
            .await;
        assert_eq!(outcome(&result), expected, "{shown}");
        script.assert_done();
    }
}

#[tokio::test(start_paused = true)]
async fn a_silent_bmc_times_out() {
    let options = ClientOptions::new()
        .request_timeout(Duration::from_secs(7))
        .retries(2, Duration::from_secs(1), Duration::from_secs(1));
    let connection = Connection::new("https://bmc.example.org").unwrap();
    let client = ironic_drivers_redfish::Client::new(
        connection,
        std::sync::Arc::new(support::Silent::default()),
        options,
    )
    .unwrap();
    let start = Instant::now();
    let error = client.get::<Value>(SYSTEM).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("GET {SYSTEM}: no response in time")
    );
    assert_eq!(start.elapsed().as_secs(), 7 + 1 + 7);
}

#[tokio::test]
async fn etags_are_sent_as_bmcs_take_them() {
    // What the BMC says of the resource, what it refuses, and the tags it is sent.
    for (etag, refusals, sent) in [
        (None, vec![], vec![None]),
        (Some("\"1\""), vec![], vec![Some("\"1\"")]),
        (Some("\"1\""), vec![412], vec![Some("\"1\""), None]),
        (
            Some("W/\"1\""),
            vec![412],
            vec![Some("W/\"1\""), Some("\"1\"")],
        ),
        (
            Some("W/\"1\""),
            vec![412, 412],
            vec![Some("W/\"1\""), Some("\"1\""), None],
        ),
    ] {
        let answers = refusals
            .into_iter()
            .map(Answer::status)
            .chain([Answer::status(204)]);
        let script = Script::new(answers.map(|answer| ("PATCH /redfish/v1/Systems/1", answer)));
        script
            .client()
            .patch(SYSTEM, etag, &json!({"AssetTag": "a"}))
            .await
            .unwrap();
        script.assert_done();
        let tags: Vec<_> = script
            .sent()
            .iter()
            .map(|sent| sent.header("if-match").map(str::to_owned))
            .collect();
        assert_eq!(
            tags,
            sent.into_iter()
                .map(|tag: Option<&str>| tag.map(str::to_owned))
                .collect::<Vec<_>>()
        );
    }
}

#[tokio::test]
async fn a_bmc_that_insists_on_a_tag_gets_the_present_one() {
    let script = Script::new([
        ("PATCH /redfish/v1/Systems/1", Answer::status(412)),
        ("PATCH /redfish/v1/Systems/1", Answer::status(428)),
        (
            "GET /redfish/v1/Systems/1",
            Answer::json(&json!({"@odata.etag": "\"new\""})),
        ),
        ("PATCH /redfish/v1/Systems/1", Answer::status(200)),
    ]);
    script
        .client()
        .patch(SYSTEM, Some("\"old\""), &json!({}))
        .await
        .unwrap();
    script.assert_done();
    assert_eq!(script.sent()[3].header("if-match"), Some("\"new\""));
}

#[tokio::test]
async fn a_tag_that_has_grown_old_is_read_anew() {
    for (current, more) in [
        (
            json!({"@odata.etag": "\"new\""}),
            Some(("PATCH /redfish/v1/Systems/1", Answer::status(200))),
        ),
        (json!({"@odata.etag": "\"old\""}), None),
        (json!({}), None),
    ] {
        let ok = more.is_some();
        let steps = [
            ("PATCH /redfish/v1/Systems/1", Answer::status(412)),
            ("PATCH /redfish/v1/Systems/1", Answer::status(412)),
            ("GET /redfish/v1/Systems/1", Answer::json(&current)),
        ];
        let script = Script::new(steps.into_iter().chain(more));
        let result = script
            .client()
            .patch(SYSTEM, Some("\"old\""), &json!({}))
            .await;
        assert_eq!(outcome(&result), if ok { "ok" } else { "412" });
        script.assert_done();
    }
}

#[tokio::test(start_paused = true)]
async fn a_bmc_is_asked_a_few_things_at_a_time() {
    let busy = std::sync::Arc::new(support::Busy::default());
    let connection = Connection::new("https://bmc.example.org").unwrap();
    let options = ClientOptions::new().concurrency(3);
    let client = std::sync::Arc::new(
        ironic_drivers_redfish::Client::new(connection, busy.clone(), options).unwrap(),
    );
    let mut requests = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let client = client.clone();
        requests.spawn(async move { client.get::<Value>(SYSTEM).await.map(drop) });
    }
    while let Some(request) = requests.join_next().await {
        request.unwrap().unwrap();
    }
    assert_eq!(busy.most(), 3);
}

#[tokio::test]
async fn a_tag_in_the_header_goes_before_one_in_the_body() {
    let body = json!({"@odata.etag": "\"body\""});
    let script = Script::new([
        (
            "GET /redfish/v1/Systems/1",
            Answer::json(&body).header("etag", "\"header\""),
        ),
        (
            "GET /redfish/v1/Systems/1",
            Answer::json(&body).header("etag", ""),
        ),
    ]);
    let client = script.client();
    assert_eq!(
        client.get::<Value>(SYSTEM).await.unwrap().etag.as_deref(),
        Some("\"header\"")
    );
    assert_eq!(
        client.get::<Value>(SYSTEM).await.unwrap().etag.as_deref(),
        Some("\"body\"")
    );
}

#[tokio::test(start_paused = true)]
async fn tasks_are_followed() {
    let accepted =
        || Answer::status(202).header("location", "/redfish/v1/TaskService/Tasks/7/Monitor");
    let task = |status, state: &str| {
        Answer::status(status).body(
            &json!({"@odata.id": "/redfish/v1/TaskService/Tasks/7", "TaskState": state,
        "Messages": [{"MessageId": "Base.1.8.InternalError", "Message": "fan on fire"}]}),
        )
    };
    let cases = [
        (
            "done at once",
            Until::Done,
            vec![Answer::status(204)],
            "ok",
            0,
        ),
        (
            "no way to hear more",
            Until::Done,
            vec![Answer::status(202)],
            "ok",
            0,
        ),
        (
            "the monitor ends with the result",
            Until::Done,
            vec![accepted(), Answer::status(202), Answer::status(204)],
            "ok",
            2,
        ),
        (
            "the monitor says when",
            Until::Done,
            vec![accepted().header("retry-after", "9"), Answer::status(200)],
            "ok",
            9,
        ),
        (
            "a task instead of a monitor",
            Until::Done,
            vec![accepted(), task(200, "Running"), task(200, "Completed")],
            "ok",
            2,
        ),
        (
            "a failed task",
            Until::Done,
            vec![accepted(), task(202, "Running"), task(200, "Exception")],
            "TaskFailed",
            2,
        ),
        (
            "the operation's own refusal",
            Until::Done,
            vec![accepted(), Answer::status(400)],
            "400",
            1,
        ),
        (
            "waits for a restart and does not say so",
            Until::Scheduled,
            std::iter::once(accepted())
                .chain((0..30).map(|_| task(200, "Starting")))
                .collect(),
            "ok",
            30,
        ),
        (
            "asked to look at once, for ever",
            Until::Done,
            vec![
                accepted().header("retry-after", "0"),
                Answer::status(202).header("retry-after", "0"),
                Answer::status(204),
            ],
            "ok",
            0,
        ),
        (
            "waits for a restart",
            Until::Scheduled,
            vec![accepted(), task(200, "Pending")],
            "ok",
            1,
        ),
    ];
    for (name, until, answers, expected, seconds) in cases {
        let gets = std::iter::repeat("GET /redfish/v1/TaskService/Tasks/7/Monitor");
        let script = Script::new(
            std::iter::once("POST /redfish/v1/x")
                .chain(gets)
                .zip(answers),
        );
        let client = script.client();
        let start = Instant::now();
        let reply = client
            .post("/redfish/v1/x", &json!({}), false)
            .await
            .unwrap();
        let result = client.finish(reply, until).await;
        assert_eq!(outcome(&result), expected, "{name}");
        assert_eq!(start.elapsed().as_secs(), seconds, "{name}");
        if let Err(RedfishError::TaskFailed { detail, .. }) = &result {
            assert_eq!(detail, "fan on fire");
        }
        script.assert_done();
    }
}

#[tokio::test(start_paused = true)]
async fn a_task_without_end_is_given_up() {
    let accepted = Answer::status(202).header("location", "/redfish/v1/Tasks/7");
    let polls = std::iter::repeat_n(
        (
            "GET /redfish/v1/Tasks/7",
            Answer::status(202).header("retry-after", "5"),
        ),
        2,
    );
    let script = Script::new([("POST /redfish/v1/x", accepted)].into_iter().chain(polls));
    let options = ClientOptions::new().tasks(Duration::from_secs(10), Duration::from_secs(1));
    let client = script.client_with(Connection::new("https://bmc.example.org").unwrap(), options);
    let reply = client
        .post("/redfish/v1/x", &json!({}), false)
        .await
        .unwrap();
    let error = client.finish(reply, Until::Done).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "task /redfish/v1/Tasks/7 did not end within 10 s"
    );
    assert!(error.is_retryable());
}

#[tokio::test]
async fn collections_are_read_to_their_end() {
    let page = |members: &[&str], next: Option<&str>| {
        let members: Vec<_> = members
            .iter()
            .map(|id| json!({"@odata.id": format!("/redfish/v1/C/{id}")}))
            .collect();
        Answer::json(&json!({"Members": members, "Members@odata.nextLink": next}))
    };
    let cases = [
        (
            "one page",
            vec![("GET /redfish/v1/C", page(&["1", "2", "1"], None))],
            "1 2",
        ),
        (
            "none",
            vec![(
                "GET /redfish/v1/C",
                Answer::json(&json!({"Members@odata.count": 0})),
            )],
            "",
        ),
        (
            "two pages",
            vec![
                (
                    "GET /redfish/v1/C",
                    page(&["1"], Some("/redfish/v1/C?$skip=1")),
                ),
                ("GET /redfish/v1/C?$skip=1", page(&["2"], None)),
            ],
            "1 2",
        ),
        (
            "a loop",
            vec![
                ("GET /redfish/v1/C", page(&["1"], Some("/redfish/v1/D"))),
                ("GET /redfish/v1/D", page(&["2"], Some("/redfish/v1/C#x"))),
            ],
            "collection /redfish/v1/C: its pages form a loop",
        ),
        (
            "a page elsewhere",
            vec![(
                "GET /redfish/v1/C",
                page(&["1"], Some("https://evil.example/redfish/v1/C")),
            )],
            "refusing to follow a link: another authority",
        ),
        (
            "a member elsewhere",
            vec![(
                "GET /redfish/v1/C",
                Answer::json(&json!({"Members": [{"@odata.id": "//evil.example/"}]})),
            )],
            "refusing to follow a link: another authority",
        ),
    ];
    for (name, steps, expected) in cases {
        let script = Script::new(steps);
        let members = script.client().members("/redfish/v1/C").await;
        let shown = match members {
            Ok(members) => members
                .iter()
                .map(|path| path.rsplit('/').next().unwrap())
                .collect::<Vec<_>>()
                .join(" "),
            Err(error) => error.to_string(),
        };
        assert_eq!(shown, expected, "{name}");
        script.assert_done();
    }
}

#[tokio::test]
async fn redirects_stay_with_the_bmc() {
    let moved = |status, to: &str| Answer::status(status).header("location", to);
    let there = || ("GET /redfish/v1/", Answer::json(&json!({})));
    for (steps, expected) in [
        (
            vec![("GET /redfish/v1", moved(308, "/redfish/v1/")), there()],
            "ok",
        ),
        (
            vec![
                (
                    "GET /redfish/v1",
                    moved(301, "https://bmc.example.org/redfish/v1/"),
                ),
                there(),
            ],
            "ok",
        ),
        (
            vec![(
                "GET /redfish/v1",
                moved(302, "http://169.254.169.254/latest"),
            )],
            "ForeignLink",
        ),
        (vec![("GET /redfish/v1", Answer::status(302))], "Malformed"),
        (
            std::iter::repeat_n(("GET /redfish/v1", moved(307, "/redfish/v1")), 4).collect(),
            "Malformed",
        ),
    ] {
        let script = Script::new(steps);
        assert_eq!(
            outcome(&script.client().get::<Value>("/redfish/v1").await),
            expected
        );
        script.assert_done();
    }
}

#[tokio::test]
async fn what_is_not_a_resource_is_said_to_be_none() {
    for body in [&b"<html>login</html>"[..], b"", b"[1", &[0xff; 8]] {
        let script = Script::new([("GET /redfish/v1/Systems/1", Answer::status(200).raw(body))]);
        let error = script.client().get::<Value>(SYSTEM).await.unwrap_err();
        assert!(
            matches!(error, RedfishError::Malformed { .. }) && !error.is_retryable(),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_refusal_says_why() {
    let script = Script::new([(
        "POST /redfish/v1/x",
        Answer::error(400, "Base.1.8.ActionParameterUnknown", "no such thing"),
    )]);
    let error = script
        .client()
        .post("/redfish/v1/x", &json!({}), false)
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "POST /redfish/v1/x answered 400: Base.1.8.ActionParameterUnknown: no such thing"
    );
    assert_eq!(error.status(), Some(StatusCode::BAD_REQUEST));
    assert!(
        error
            .refusal()
            .unwrap()
            .extended
            .has_key("ActionParameterUnknown")
    );
}
