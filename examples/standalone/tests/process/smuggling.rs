//! Requests whose end others may see elsewhere: one that a proxy takes for one, and the service
//! for two (RFC 9112 §11.2).

use crate::program::Program;
use crate::raw::{raw, status};

/// A request that must never be served, hidden behind another.
const HIDDEN: &str = "DELETE /v1/nodes/n HTTP/1.1\r\nHost: x\r\n\r\n";

#[tokio::test]
async fn no_request_hides_behind_another() {
    let program = Program::start(&[], &[]).await;
    let node = serde_json::json!({"driver": "fake-hardware", "name": "n"});
    let (created, _) = program
        .ask(reqwest::Method::POST, "/v1/nodes", Some(node))
        .await;
    assert_eq!(created, 201);
    let hidden = HIDDEN.len();
    let post = |headers: &str, body: &str| {
        format!("POST /v1/nodes HTTP/1.1\r\nHost: x\r\n{headers}\r\n\r\n{body}{HIDDEN}")
    };
    let chunks = "Transfer-Encoding: chunked";
    for (what, request) in [
        (
            "a length, and chunks",
            post(
                &format!("Content-Length: {}\r\n{chunks}", hidden + 5),
                "0\r\n\r\n",
            ),
        ),
        (
            "chunks, and a length",
            post(
                &format!("{chunks}\r\nContent-Length: {}", hidden + 5),
                "0\r\n\r\n",
            ),
        ),
        (
            "chunks twice",
            post(&format!("{chunks}\r\n{chunks}"), "0\r\n\r\n"),
        ),
        (
            "chunks within another coding",
            post("Transfer-Encoding: gzip, chunked", "0\r\n\r\n"),
        ),
        ("another coding", post("Transfer-Encoding: identity", "")),
        (
            "a coding that nobody knows",
            post("Transfer-Encoding: xchunked", ""),
        ),
        (
            "a blank before the colon",
            post("Transfer-Encoding : chunked", ""),
        ),
        (
            "a tab before the coding",
            post("Transfer-Encoding:\tchunked, identity", ""),
        ),
        (
            "a folded line",
            post("X: y\r\n Transfer-Encoding: chunked", ""),
        ),
        (
            "two lengths",
            post(
                &format!("Content-Length: 0\r\nContent-Length: {hidden}"),
                "",
            ),
        ),
        (
            "a list of lengths",
            post(&format!("Content-Length: 0, {hidden}"), ""),
        ),
        ("a length with a sign", post("Content-Length: +0", "")),
        ("a negative length", post("Content-Length: -1", "")),
        ("a length in hexadecimal", post("Content-Length: 0x0", "")),
        (
            "a length too large",
            post("Content-Length: 18446744073709551616", ""),
        ),
        ("a chunk of no size", post(chunks, "\r\n\r\n")),
        ("a chunk of a size with a sign", post(chunks, "-1\r\n\r\n")),
        (
            "a chunk of a size with a prefix",
            post(chunks, "0x0\r\n\r\n"),
        ),
        (
            "a chunk that is too large",
            post(chunks, "ffffffffffffffff\r\n\r\n"),
        ),
        (
            "a chunk that does not end",
            post(chunks, "2\r\n{}0\r\n\r\n"),
        ),
        (
            "chunks in HTTP/1.0",
            post(chunks, "0\r\n\r\n").replacen("HTTP/1.1", "HTTP/1.0", 1),
        ),
        (
            "a carriage return within a header",
            post("X: y\rTransfer-Encoding: chunked", ""),
        ),
        ("a zero within a header", post("X: y\0", "")),
        ("a header without a name", post(": chunked", "")),
        (
            "a request line with a blank too many",
            format!("GET /v1  HTTP/1.1\r\nHost: x\r\n\r\n{HIDDEN}"),
        ),
    ] {
        let answer = raw(&program, request.as_bytes()).await;
        let refused = status(&answer).is_some_and(|status| (400..500).contains(&status));
        assert!(refused, "{what}: {answer:?}");
        let answers = answer.matches("HTTP/1.1 ").count();
        assert_eq!(answers, 1, "{what}: {answer:?}");
        assert!(!answer.contains("HTTP/1.1 204"), "{what}: {answer:?}");
    }
    let node = program.get("/v1/nodes/n").await;
    assert_eq!(node["name"], "n");
    // What is as it should be is served, one after the other on one connection.
    let right = format!(
        "POST /v1/nodes HTTP/1.1\r\nHost: x\r\n{chunks}\r\n\r\n2;a=b\r\n{{}}\r\n0\r\nT: u\r\n\r\n\
         GET /v1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    );
    let answer = raw(&program, right.as_bytes()).await;
    assert_eq!(status(&answer), Some(400), "{answer}");
    assert!(answer.contains("HTTP/1.1 200 OK"), "{answer}");
    program.kill().await;
}
