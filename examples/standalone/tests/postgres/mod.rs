//! A PostgreSQL server (package postgresql) that the tests of one process have to themselves.

#![allow(dead_code, reason = "each program of tests uses a part of it")]

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};

use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};

/// A server. It ends, and its files are removed, when this is dropped or the process ends,
/// however that comes: its keeper reads a pipe that only this process writes to.
pub(crate) struct Cluster {
    keeper: Mutex<Keeper>,
    folder: PathBuf,
    made: AtomicUsize,
}

struct Keeper {
    _child: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Cluster {
    /// Starts a server of its own.
    pub(crate) fn start() -> Self {
        let folder = tempfile::Builder::new().prefix("pg").tempdir().unwrap();
        // The keeper removes it, when nobody is left here to do so.
        let folder = folder.keep();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/postgres/cluster.sh");
        let mut child = Command::new("sh")
            .arg(script)
            .arg(&folder)
            .arg(Path::new(env!("CARGO_TARGET_TMPDIR")).join("postgres"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // It outlives this process by a moment, and would keep its end from being noticed.
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let orders = child.stdin.take().unwrap();
        let answers = BufReader::new(child.stdout.take().unwrap());
        let cluster = Self {
            keeper: Mutex::new(Keeper {
                _child: child,
                orders,
                answers,
            }),
            folder,
            made: AtomicUsize::new(0),
        };
        cluster.order("start", "ready");
        cluster
    }

    /// The server that the tests of this process share.
    pub(crate) fn shared() -> &'static Self {
        static SHARED: OnceLock<Cluster> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    /// Has the keeper do something, and waits until it is done.
    pub(crate) fn order(&self, order: &str, expected: &str) {
        let mut keeper = self.keeper.lock().unwrap();
        // A keeper that has given up has said why.
        let _ = writeln!(keeper.orders, "{order}");
        let mut answer = String::new();
        keeper.answers.read_line(&mut answer).unwrap();
        assert_eq!(answer.trim(), expected, "PostgreSQL");
    }

    /// A URL at which everything goes into this schema.
    pub(crate) fn url(&self, schema: &str) -> String {
        let folder = self.folder.display();
        format!(
            "postgres://postgres@localhost/postgres?host={folder}&options[search_path]={schema}"
        )
    }

    /// What it has written to its log.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("log")).unwrap()
    }

    /// The URL of a new schema, with nothing in it.
    pub(crate) async fn create(&self) -> String {
        let schema = format!("s{}", self.made.fetch_add(1, Ordering::SeqCst));
        let url = self.url(&schema);
        let mut connection = connect(&url).await;
        let create = format!("CREATE SCHEMA {schema}");
        connection.execute(AssertSqlSafe(create)).await.unwrap();
        url
    }
}

/// A connection past the store, as any other program has one.
pub(crate) async fn connect(url: &str) -> PgConnection {
    PgConnection::connect(url).await.unwrap()
}
