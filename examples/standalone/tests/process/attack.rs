//! Whatever clients do, others are served meanwhile, and nothing of it lasts.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};

use crate::program::{PATIENCE, Program, Taken};
use crate::raw::{raw, request, status};

/// How long an ordinary request may take meanwhile: a hundred times as long without optimisation,
/// on a machine that has other tests to run, and the attack itself.
fn moment() -> Duration {
    let installed = std::env::var_os("IRONIC_PROGRAM").is_some();
    if cfg!(debug_assertions) && !installed {
        Duration::from_secs(10)
    } else {
        Duration::from_millis(100)
    }
}

/// How much more memory may be there afterwards: what the allocator keeps for the next time.
const MARGIN_KIB: u64 = 48 << 10;

/// Connections of a slowloris: more than the service has places for.
const SLOW: usize = 5000;

/// Ordinary requests, one after the other on connections of their own, until told to stop. How
/// long the slowest took, and how many there were.
async fn ordinary(program: &Program, stop: &AtomicBool) -> (Duration, usize) {
    let (mut slowest, mut count) = (Duration::ZERO, 0);
    while !stop.load(Ordering::Relaxed) {
        let begun = Instant::now();
        let answer = raw(program, &request("GET", "/v1/nodes/n", b"")).await;
        assert_eq!(status(&answer), Some(200), "{answer:?}");
        slowest = slowest.max(begun.elapsed());
        count += 1;
        sleep(Duration::from_millis(5)).await;
    }
    (slowest, count)
}

async fn with_node() -> Program {
    let program = Program::start(&[], &[("IRONIC_LIMITS_BODY_TIMEOUT", "2")]).await;
    let node = json!({"driver": "fake-hardware", "name": "n"});
    let (status, _) = program
        .ask(reqwest::Method::POST, "/v1/nodes", Some(node))
        .await;
    assert_eq!(status, 201);
    // As warm as it gets by itself.
    for _ in 0..50 {
        program.get("/v1/nodes/detail").await;
    }
    program
}

/// Waits until nothing of an attack is left, but for so much memory.
async fn over(program: &Program, before: Taken, margin_kib: u64, what: &str) {
    let ends = Instant::now() + PATIENCE;
    loop {
        let now = program.taken();
        // A few connections of ordinary requests may just be there.
        let left = now.fds > before.fds + 8 || now.rss_kib > before.rss_kib + margin_kib;
        if !left {
            println!("{what}: {before:?} before, {now:?} after");
            return;
        }
        assert!(
            Instant::now() < ends,
            "{what}: {before:?} before, {now:?} after"
        );
        sleep(Duration::from_millis(50)).await;
    }
}

/// Carries an attack out while ordinary requests are served, then sees that nothing of it is left.
async fn attacked(program: &Program, what: &str, attack: impl Future<Output = ()>) {
    attacked_within(program, MARGIN_KIB, what, attack).await;
}

async fn attacked_within(
    program: &Program,
    margin_kib: u64,
    what: &str,
    attack: impl Future<Output = ()>,
) {
    let before = program.taken();
    let stop = AtomicBool::new(false);
    let attack = async {
        // So that some are served before it begins, and some after.
        sleep(Duration::from_millis(20)).await;
        attack.await;
        stop.store(true, Ordering::Relaxed);
    };
    let ((), (slowest, count)) = tokio::join!(attack, ordinary(program, &stop));
    println!("{what}: {count} ordinary requests, the slowest took {slowest:?}");
    assert!(count > 0 && slowest < moment(), "{what}: {slowest:?}");
    over(program, before, margin_kib, what).await;
}

/// Sends the same bytes on several connections at once; each is refused with one of these.
async fn refused(program: &Program, bytes: &[u8], times: usize, wanted: &[u16]) {
    let all = (0..times).map(|_| raw(program, bytes));
    let mut seen = String::new();
    for answer in futures_join(all).await {
        let shown: String = answer.chars().take(200).collect();
        let got = status(&answer).unwrap_or_else(|| panic!("no answer: {shown:?}"));
        assert!(wanted.contains(&got), "{got}: {shown:?}");
        let _ = write!(seen, "{got} ");
    }
    println!("    answered {seen}");
}

/// All of several futures, at once.
async fn futures_join<T>(all: impl Iterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let mut pinned: Vec<_> = all.map(|one| (Box::pin(one), None)).collect();
    std::future::poll_fn(|cx| {
        let mut pending = false;
        for (future, done) in &mut pinned {
            if done.is_none() {
                match future.as_mut().poll(cx) {
                    std::task::Poll::Ready(value) => *done = Some(value),
                    std::task::Poll::Pending => pending = true,
                }
            }
        }
        match pending {
            true => std::task::Poll::Pending,
            false => std::task::Poll::Ready(()),
        }
    })
    .await;
    pinned.into_iter().filter_map(|(_, done)| done).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_bytes_cost_anything_that_lasts() {
    let program = with_node().await;
    let size = 100 << 20;
    let head = "POST /v1/nodes HTTP/1.1\r\nHost: x\r\nConnection: close\r\n";
    let mut announced = format!("{head}Content-Length: {size}\r\n\r\n").into_bytes();
    announced.resize(announced.len() + size, b' ');
    let mut chunked = format!("{head}Transfer-Encoding: chunked\r\n\r\n").into_bytes();
    for _ in 0..100 {
        chunked.extend(b"100000\r\n");
        chunked.resize(chunked.len() + (1 << 20), b' ');
        chunked.extend(b"\r\n");
    }
    attacked(&program, "bodies of 100 MB", async {
        refused(&program, &announced, 4, &[413]).await;
        refused(&program, &chunked, 4, &[413]).await;
    })
    .await;
    drop((announced, chunked));

    let headers: String = (0..10_000).map(|at| format!("X-{at}: 1\r\n")).collect();
    let headers = format!("GET /v1 HTTP/1.1\r\nHost: x\r\n{headers}\r\n");
    attacked(&program, "10,000 headers", async {
        refused(&program, headers.as_bytes(), 50, &[431]).await;
    })
    .await;

    let deep = |pair: (&str, &str)| format!("{}{}", pair.0.repeat(150_000), pair.1.repeat(150_000));
    let list = request("POST", "/v1/nodes", deep(("[", "]")).as_bytes());
    let patch = request("PATCH", "/v1/nodes/n", deep(("{\"a\":", "}")).as_bytes());
    attacked(&program, "deep JSON", async {
        refused(&program, &list, 50, &[400]).await;
        refused(&program, &patch, 50, &[400]).await;
    })
    .await;

    let wide = format!(
        "[{}]",
        "{\"op\":\"remove\",\"path\":\"/name\"},".repeat(30_000)
    );
    let wide = request("PATCH", "/v1/nodes/n", wide.replace(",]", "]").as_bytes());
    let words: String = (0..2500).map(|at| format!("f{at:x},")).collect();
    let fields = request("GET", &format!("/v1/nodes?fields={words}"), b"");
    let query: String = (0..3000).map(|at| format!("{at:x}&")).collect();
    let query = request("GET", &format!("/v1/nodes?{query}"), b"");
    attacked(&program, "patches and lists without end", async {
        refused(&program, &wide, 20, &[400]).await;
        refused(&program, &fields, 20, &[400]).await;
        refused(&program, &query, 20, &[400]).await;
    })
    .await;

    let mut invalid = b"{\"driver\": \"fake-hardware\", \"name\": \"".to_vec();
    invalid.resize(500_000, 0xff);
    invalid.extend(b"\"}");
    let invalid = request("POST", "/v1/nodes", &invalid);
    attacked(&program, "bad UTF-8", async {
        refused(&program, &invalid, 50, &[400]).await;
        refused(
            &program,
            &request("GET", "/v1/nodes/%c3%28", b""),
            50,
            &[400],
        )
        .await;
        refused(
            &program,
            b"GET /v1/nodes/\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n",
            50,
            &[400],
        )
        .await;
    })
    .await;

    for page in ["999999999999999999999999", "-1", "1e999", "0x7fffffff"] {
        let path = format!("/v1/nodes?limit={page}");
        let answer = raw(&program, &request("GET", &path, b"")).await;
        // A page may be asked for that is larger than any; what is no number is refused.
        let wanted = if page.starts_with('9') {
            [400, 200]
        } else {
            [400, 400]
        };
        let got = status(&answer).unwrap();
        assert!(wanted.contains(&got), "{page}: {answer}");
        println!("limit={page}: {got}");
    }
    for path in [
        "/driver_internal_info/agent_secret_token",
        "/reservation",
        "/uuid",
        "/created_at",
    ] {
        let patch = json!([{"op": "add", "path": path, "value": "x"}]).to_string();
        refused(
            &program,
            &request("PATCH", "/v1/nodes/n", patch.as_bytes()),
            1,
            &[400],
        )
        .await;
    }
    let node = program.get("/v1/nodes/n").await;
    assert_eq!(node["driver_internal_info"], json!({}));
    program.kill().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_bodies_cost_nothing_that_lasts() {
    let program = with_node().await;
    attacked(&program, "bodies of which one byte comes", async {
        let head = b"POST /v1/nodes HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n{";
        let all = (0..500).map(|_| raw(&program, head));
        for answer in futures_join(all).await {
            assert_eq!(status(&answer), Some(408), "{answer}");
        }
    })
    .await;
    program.kill().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slowloris_locks_nobody_out() {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    let wanted = SLOW as u64 + 500;
    assert!(
        hard >= wanted,
        "the test needs {wanted} open files (ulimit -Hn)"
    );
    setrlimit(Resource::RLIMIT_NOFILE, soft.max(wanted), hard).unwrap();

    let program = with_node().await;
    // The allocator keeps the buffers of as many connections as there may be for the next time:
    // the first attack leaves that much, and a second one nothing more.
    let buffers = 4096 * 24;
    attacked_within(&program, buffers, "a slowloris", slowloris(&program)).await;
    attacked(&program, "a second slowloris", slowloris(&program)).await;
    program.kill().await;
}

/// More connections than there are places, each of which sends a head as slowly as it can.
async fn slowloris(program: &Program) {
    let mut streams = Vec::new();
    for at in 0..SLOW {
        let connect = timeout(PATIENCE, TcpStream::connect(program.address())).await;
        let mut stream = connect.expect("no connection").unwrap();
        let head = format!("GET /v1/nodes/{at} HTTP/1.1\r\nHost: x\r\n");
        let _ = stream.write_all(head.as_bytes()).await;
        streams.push(stream);
    }
    for round in 0..3 {
        for stream in &mut streams {
            let line = format!("X-{round}: y\r\n");
            let _ = stream.write_all(line.as_bytes()).await;
        }
        sleep(Duration::from_millis(300)).await;
    }
    let held = program.taken();
    println!("    with {SLOW} connections: {held:?}");
    assert!((3000..4096 + 200).contains(&held.fds), "{held:?}");
    // The oldest had to go.
    let mut gone = 0;
    for stream in streams.iter_mut().take(SLOW - 4096) {
        let read = timeout(Duration::from_millis(200), stream.read(&mut [0])).await;
        gone += usize::from(!matches!(read, Err(_) | Ok(Ok(1))));
    }
    assert!(gone > 0, "none of the oldest had to go");
}
