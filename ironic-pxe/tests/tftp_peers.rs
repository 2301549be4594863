//! Real TFTP clients against our server, over loopback.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that runs programs"
)]

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;
use std::time::Duration;

use ironic_pxe::files::{FileSource, MemoryFiles};
use ironic_pxe::tftp::{
    Mode, ReadRequest, ReceiveConfig, RetryPolicy, TftpOptions, TftpService, TftpServiceConfig,
    TransferError, TransferLimits, fetch,
};
use tokio::net::UdpSocket;

async fn serve(files: impl FileSource, config: TftpServiceConfig) -> TftpService {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    TftpService::start(socket, Arc::new(files), config).unwrap()
}

fn files() -> MemoryFiles {
    let files = MemoryFiles::new();
    files.insert("small", "one\ntwo\n").unwrap();
    files.insert("empty", "").unwrap();
    files.insert("node/kernel", content(3_000_000)).unwrap();
    files.insert_link("pxelinux.cfg/01-aa", "../small").unwrap();
    files
}

fn content(size: u32) -> Vec<u8> {
    (0..size)
        .map(|at| u8::try_from(at * 31 % 251).unwrap())
        .collect()
}

async fn program(name: &'static str, package: &str, arguments: &[&str], folder: &Path) -> Output {
    let mut command = Command::new(name);
    command.args(arguments).current_dir(folder);
    let output = tokio::task::spawn_blocking(move || command.output())
        .await
        .unwrap();
    output.unwrap_or_else(|e| panic!("{name} does not run ({e}): install the package {package}"))
}

#[tokio::test]
async fn tftp_hpa() {
    let folder = tempfile::tempdir().unwrap();
    let service = serve(files(), TftpServiceConfig::default()).await;
    let port = service.local_addr().port().to_string();
    for (mode, name, expected) in [
        ("octet", "small", b"one\ntwo\n".to_vec()),
        ("netascii", "small", b"one\ntwo\n".to_vec()),
        ("octet", "/node//kernel", content(3_000_000)),
        ("octet", "pxelinux.cfg/01-aa", b"one\ntwo\n".to_vec()),
        ("octet", "empty", Vec::new()),
    ] {
        let arguments = ["127.0.0.1", &port, "-m", mode, "-c", "get", name, "got"];
        let output = program("tftp", "tftp-hpa", &arguments, folder.path()).await;
        assert!(output.status.success(), "{name}: {output:?}");
        let got = std::fs::read(folder.path().join("got")).unwrap();
        assert!(
            got == expected,
            "{name} in {mode}: {} bytes, {output:?}",
            got.len()
        );
    }
    for (arguments, said) in [
        (["get", "nothing", "none"], "not found"),
        (["get", "../etc/passwd", "none"], "denied"),
        (["put", "got", "new"], "denied"),
    ] {
        let all = [
            &["127.0.0.1", &port, "-m", "octet", "-c"],
            arguments.as_slice(),
        ]
        .concat();
        let output = program("tftp", "tftp-hpa", &all, folder.path()).await;
        let text = format!("{output:?}");
        assert!(text.contains(said), "{arguments:?}: {text}");
    }
}

#[tokio::test]
async fn atftp_with_every_option() {
    let folder = tempfile::tempdir().unwrap();
    let limits = TransferLimits::new(8192, 32);
    let config = TftpServiceConfig::new(8, limits, RetryPolicy::default());
    let service = serve(files(), config).await;
    let port = service.local_addr().port().to_string();
    for options in [
        &[][..],
        &["--option", "blksize 1456"],
        &["--option", "blksize 65464", "--option", "tsize 0"],
        &["--option", "windowsize 16", "--option", "blksize 1024"],
        &["--option", "timeout 3", "--option", "windowsize 64"],
    ] {
        let fixed = [
            "--get",
            "-r",
            "node/kernel",
            "-l",
            "got",
            "127.0.0.1",
            &port,
        ];
        let arguments = [options, fixed.as_slice()].concat();
        let output = program("atftp", "atftp", &arguments, folder.path()).await;
        assert!(output.status.success(), "{options:?}: {output:?}");
        let got = std::fs::read(folder.path().join("got")).unwrap();
        assert!(
            got == content(3_000_000),
            "{options:?}: {} bytes, {output:?}",
            got.len()
        );
    }
}

#[tokio::test]
async fn curl() {
    let folder = tempfile::tempdir().unwrap();
    let service = serve(files(), TftpServiceConfig::default()).await;
    let url = format!("tftp://{}/node/kernel", service.local_addr());
    for options in [&["--tftp-blksize", "1400"][..], &["--tftp-no-options"]] {
        let arguments = [&["-sS", "-o", "got", url.as_str()], options].concat();
        let output = program("curl", "curl", &arguments, folder.path()).await;
        assert!(output.status.success(), "{output:?}");
        assert!(std::fs::read(folder.path().join("got")).unwrap() == content(3_000_000));
    }
    let missing = format!("tftp://{}/nothing", service.local_addr());
    let output = program("curl", "curl", &["-sS", &missing], folder.path()).await;
    // 68: file not found on the server.
    assert_eq!(output.status.code(), Some(68), "{output:?}");
}

fn asking(window: u16, blksize: u16) -> ReadRequest {
    let mut options = TftpOptions::new();
    (options.windowsize, options.blksize, options.tsize) = (Some(window), Some(blksize), Some(0));
    ReadRequest::new("node/kernel").with_options(options)
}

#[tokio::test]
async fn many_at_once_and_more_than_there_is_room_for() {
    let config = TftpServiceConfig::new(4, TransferLimits::default(), RetryPolicy::default());
    let service = serve(files(), config).await;
    let address = service.local_addr();
    let retry = RetryPolicy::new(Duration::from_millis(50), Duration::from_millis(400), 200);
    let fetches = (0..12).map(|_| {
        let config = ReceiveConfig::new(retry, 10_000_000);
        tokio::spawn(fetch(address, asking(8, 1400), config))
    });
    for fetch in fetches.collect::<Vec<_>>() {
        assert!(fetch.await.unwrap().unwrap() == content(3_000_000));
    }
}

#[tokio::test]
async fn a_dropped_service_ends_its_transfers() {
    let service = serve(files(), TftpServiceConfig::default()).await;
    let address: SocketAddr = service.local_addr();
    let request = ReadRequest::new("small").with_mode(Mode::Netascii);
    let retry = RetryPolicy::new(Duration::from_millis(20), Duration::from_millis(20), 2);
    let config = ReceiveConfig::new(retry, 1000);
    assert_eq!(
        fetch(address, request.clone(), config).await.unwrap(),
        b"one\ntwo\n"
    );
    drop(service);
    let ended = fetch(address, request, config).await.unwrap_err();
    assert!(
        matches!(
            ended,
            TransferError::TimedOut { .. } | TransferError::Socket { .. }
        ),
        "{ended:?}"
    );
}
