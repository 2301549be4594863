use std::sync::{Arc, Mutex, PoisonError};

use super::TransportFactory;
use super::bench::{Bench, request};
use super::samples;
use crate::{Error, ErrorKind, WireError};

/// Answers with errors and fails unless each comes back with all that decides what it is.
async fn expect_back(factory: &dyn TransportFactory, errors: Vec<Error>) {
    let bench = Bench::new(factory).await;
    let given = Arc::new(Mutex::new(errors.clone().into_iter()));
    let _log = bench
        .start("a", move |_| {
            let next = given.lock().unwrap_or_else(PoisonError::into_inner).next();
            async move { Err(next.unwrap_or_else(|| Error::internal("nothing is left"))) }
        })
        .await;
    for given in errors {
        let came = match bench.call("a", request("to be refused")).await {
            Ok(response) => panic!("{given} should come back, and {response:?} did"),
            Err(error) => error,
        };
        assert_eq!(came.kind(), given.kind(), "the kind of {given:?}");
        assert_eq!(came.code(), given.code(), "the code of {given:?}");
        assert_eq!(came.to_string(), given.to_string(), "the text");
        assert_eq!(came.is_retryable(), given.is_retryable(), "{given:?}");
        assert_eq!(
            WireError::from(&came).details,
            WireError::from(&given).details,
            "the facts of {given:?}"
        );
    }
}

pub(super) async fn every_error_comes_back_as_it_was_given(factory: &dyn TransportFactory) {
    expect_back(factory, samples::errors()).await;
}

pub(super) async fn every_kind_comes_back(factory: &dyn TransportFactory) {
    let kinds = ErrorKind::ALL.iter().copied();
    let errors = kinds.map(|kind| Error::Remote(samples::from_afar(kind)));
    expect_back(factory, errors.collect()).await;
}

pub(super) async fn an_error_that_came_from_afar_goes_further(factory: &dyn TransportFactory) {
    let bench = Bench::new(factory).await;
    let given = samples::from_afar(ErrorKind::Conflict);
    let far = given.clone();
    let _c = bench
        .start("c", move |_| {
            let far = far.clone();
            async move { Err(Error::Remote(far)) }
        })
        .await;
    let transport = Arc::clone(&bench.transport);
    let _b = bench
        .start("b", move |request| {
            let transport = Arc::clone(&transport);
            async move { transport.call("c", request).await }
        })
        .await;
    let came = bench.call("b", request("through b")).await;
    let came = came.err().map(|error| WireError::from(&error));
    assert_eq!(came, Some(given), "what c said should come through b");
}

pub(super) async fn odd_texts_come_back(factory: &dyn TransportFactory) {
    let long = "long ".repeat(200_000);
    let texts = [
        "",
        " ",
        "\"{}\"",
        "\0\u{1}\r\n",
        "é e\u{301} \u{1f5a5}",
        &long,
    ];
    let errors = texts.map(|text| Error::driver("redfish", text));
    expect_back(factory, errors.to_vec()).await;
}

pub(super) async fn the_facts_of_an_error_come_back(factory: &dyn TransportFactory) {
    let bench = Bench::new(factory).await;
    let node = uuid::Uuid::from_u128(7);
    let host = "cond-b".to_owned();
    let _log = bench
        .start("a", move |_| {
            let host = host.clone();
            let purpose = Some("provision: active".to_owned());
            let since = Some("2026-11-22T20:00:00Z".to_owned());
            async move {
                Err(Error::NodeLocked {
                    node,
                    host,
                    purpose,
                    since,
                })
            }
        })
        .await;
    let came = bench.call("a", request("refused")).await;
    let details = came.err().map(|error| WireError::from(&error).details);
    let expected = serde_json::json!({
        "node": node, "host": "cond-b",
        "purpose": "provision: active", "since": "2026-11-22T20:00:00Z",
    });
    assert_eq!(
        details,
        Some(expected),
        "who holds the node, what for and since when"
    );
}
