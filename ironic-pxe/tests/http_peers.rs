//! curl against the router, over loopback.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that runs programs"
)]

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use ironic_pxe::files::{DirectoryFiles, FileSource, MemoryFiles};
use ironic_pxe::http::boot_files_router;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

async fn serve(source: impl FileSource) -> (SocketAddr, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = axum::Router::new().nest("/boot", boot_files_router(Arc::new(source)));
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    (
        address,
        tokio::spawn(async move { axum::serve(listener, service).await.unwrap() }),
    )
}

struct Answer {
    status: String,
    headers: String,
    body: Vec<u8>,
}

async fn curl(folder: &Path, url: String, options: &[&str]) -> Answer {
    let mut command = Command::new("curl");
    command.args([
        "-sS",
        "--path-as-is",
        "-D",
        "headers",
        "-o",
        "body",
        "-w",
        "%{http_code}",
    ]);
    command.args(options).arg(url).current_dir(folder);
    let _ = fs::remove_file(folder.join("body"));
    let output = tokio::task::spawn_blocking(move || command.output())
        .await
        .unwrap();
    let output = output.unwrap_or_else(|e| panic!("curl does not run ({e}): install curl"));
    assert!(output.status.success(), "{output:?}");
    Answer {
        status: String::from_utf8(output.stdout).unwrap(),
        headers: fs::read_to_string(folder.join("headers"))
            .unwrap()
            .to_lowercase(),
        body: fs::read(folder.join("body")).unwrap_or_default(),
    }
}

fn content() -> Vec<u8> {
    (0..3_000_000u32)
        .map(|at| u8::try_from(at * 31 % 251).unwrap())
        .collect()
}

#[tokio::test]
async fn whole_parts_and_heads() {
    let folder = tempfile::tempdir().unwrap();
    let root = tempfile::tempdir().unwrap();
    let content = content();
    fs::create_dir(root.path().join("node")).unwrap();
    fs::write(root.path().join("node/kernel"), &content).unwrap();
    let memory = MemoryFiles::new();
    memory.insert("node/kernel", content.clone()).unwrap();
    let servers = [
        serve(memory).await,
        serve(DirectoryFiles::new(root.path()).unwrap()).await,
    ];
    for (address, _) in &servers {
        let url = format!("http://{address}/boot/node/kernel");
        let whole = curl(folder.path(), url.clone(), &[]).await;
        assert_eq!(whole.status, "200");
        assert!(whole.body == content && whole.headers.contains("content-length: 3000000"));
        assert!(!whole.headers.contains("etag") && !whole.headers.contains("last-modified"));

        for (range, from, to) in [
            ("5-9", 5, 10),
            ("2999990-", 2_999_990, 3_000_000),
            ("-4", 2_999_996, 3_000_000),
        ] {
            let part = curl(folder.path(), url.clone(), &["-r", range]).await;
            assert_eq!(part.status, "206", "{range}");
            assert!(part.body == content[from..to], "{range}");
            let about = format!("content-range: bytes {from}-{}/3000000", to - 1);
            assert!(part.headers.contains(&about), "{}", part.headers);
        }
        let none = curl(folder.path(), url.clone(), &["-r", "3000000-"]).await;
        assert_eq!(none.status, "416");
        assert!(none.headers.contains("content-range: bytes */3000000"));
        let conditional = ["-r", "0-1", "-H", "If-Range: \"x\""];
        assert_eq!(
            curl(folder.path(), url.clone(), &conditional).await.status,
            "200"
        );

        let head = curl(folder.path(), url.clone(), &["-I"]).await;
        assert!(
            head.headers.contains("content-length: 3000000"),
            "{}",
            head.headers
        );
        assert_eq!(head.status, "200");
        assert_eq!(
            curl(folder.path(), url, &["-X", "POST"]).await.status,
            "405"
        );
    }
}

#[tokio::test]
async fn nothing_but_the_roots_files() {
    let folder = tempfile::tempdir().unwrap();
    let base = tempfile::tempdir().unwrap();
    let root = base.path().join("root");
    fs::create_dir(&root).unwrap();
    fs::write(base.path().join("secret"), "secret").unwrap();
    fs::write(root.join("open"), "open").unwrap();
    let (address, _server) = serve(DirectoryFiles::new(&root).unwrap()).await;
    let get = |path: &str| curl(folder.path(), format!("http://{address}/boot/{path}"), &[]);
    let (open, twice) = (get("open").await, get("/.//open").await);
    assert_eq!(
        (open.body, twice.body),
        (b"open".to_vec(), b"open".to_vec())
    );
    for (path, status) in [
        ("nothing", "404"),
        ("../secret", "403"),
        ("%2e%2e/secret", "403"),
        ("..%2fsecret", "403"),
        ("..%5csecret", "403"),
        ("open%00", "403"),
        ("%ff", "400"),
    ] {
        let answer = get(path).await;
        assert_eq!(answer.status, status, "{path}");
        assert!(!answer.body.starts_with(b"secret"), "{path}");
    }
}
