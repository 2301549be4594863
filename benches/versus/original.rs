//! The original, as `benches/versus/install` has put it into a venv.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::side::Program;
use ironic_benches::service::Failure;

/// Names the venv.
const VENV: &str = "IRONIC_ORIGINAL";

/// The settings that `examples/standalone/config/fake.toml` has too, and where its files are.
const CONFIG: &str = include_str!("original.conf");

/// Sets the database to how the original's source means to have it (`journal_mode`); the setting
/// is kept in the file.
const WAL: &str = "import sqlite3, sys; \
    sqlite3.connect(sys.argv[1]).execute('PRAGMA journal_mode=WAL').fetchall()";

pub(crate) fn program() -> Result<Program, Failure> {
    let venv = std::env::var_os(VENV).ok_or_else(|| format!("{VENV} is not set: make bench-vs"))?;
    let programs = PathBuf::from(venv).join("bin");
    if !programs.join("ironic").exists() {
        return Err(format!("{} has no ironic: make bench-vs", programs.display()).into());
    }
    Ok(Program {
        name: "the original",
        prepare: Box::new(move |folder, address| prepare(&programs, folder, address)),
        look_every: Duration::from_secs(1),
    })
}

fn prepare(programs: &Path, folder: &Path, address: SocketAddr) -> Result<Command, Failure> {
    let config = folder.join("ironic.conf");
    let port = address.port().to_string();
    let text = CONFIG.replace("{port}", &port);
    fs::write(
        &config,
        text.replace("{folder}", &folder.display().to_string()),
    )?;
    let mut create = Command::new(programs.join("ironic-dbsync"));
    create
        .arg("--config-file")
        .arg(&config)
        .arg("create_schema");
    run(create)?;
    let mut wal = Command::new(programs.join("python"));
    wal.arg("-c").arg(WAL).arg(folder.join("ironic.db"));
    run(wal)?;
    let mut command = Command::new(programs.join("ironic"));
    command
        .arg("--config-file")
        .arg(config)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(File::create(folder.join("errors"))?);
    Ok(command)
}

fn run(mut command: Command) -> Result<(), Failure> {
    let said = command.output()?;
    if said.status.success() {
        return Ok(());
    }
    let errors = String::from_utf8_lossy(&said.stderr);
    Err(format!("{command:?}: {errors}").into())
}
