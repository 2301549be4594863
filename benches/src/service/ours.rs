use std::fs::File;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};

use super::Failure;

const CONFIG: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../examples/standalone/config/fake.toml"
);

/// How the program `ironic` is run at this address: on fake machines, with its SQLite database and
/// its log in this folder. `temporary` is cargo's folder for this benchmark, beside which
/// `cargo build --release -p ironic-standalone` has put the program.
///
/// # Errors
/// It has not, or the log cannot be written.
#[allow(
    clippy::disallowed_methods,
    reason = "what is measured is a process of its own"
)]
pub fn ours(temporary: &str, folder: &Path, address: SocketAddr) -> Result<Command, Failure> {
    let program = Path::new(temporary).with_file_name("release");
    let program = program.join("ironic");
    if !program.exists() {
        let missing = program.display();
        let make = "cargo build --release -p ironic-standalone";
        return Err(format!("{missing} is missing: {make}").into());
    }
    let mut command = Command::new(program);
    command
        .args(["serve", "--config", CONFIG])
        .args(["--listen", &address.to_string()])
        .arg("--database")
        .arg(format!("sqlite:{}", folder.join("ironic.db").display()))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(File::create(folder.join("log"))?);
    Ok(command)
}
