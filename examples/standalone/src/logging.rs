//! The program's log, on standard error.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use crate::Failure;
use crate::log_thread::LogThread;

/// How the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum LogFormat {
    /// Lines for people, in colour on a terminal.
    Text,
    /// A JSON object a line.
    Json,
}

/// Starts the log; what was logged is written before what this returns has been dropped.
pub(crate) fn init(filter: &str, format: LogFormat) -> Result<LogThread, Failure> {
    let filter = EnvFilter::try_new(filter)
        .map_err(|error| format!("the log filter {filter:?} is wrong: {error}"))?;
    let thread = LogThread::start(std::io::stderr())?;
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(thread.lines());
    match format {
        LogFormat::Text => log.with_ansi(std::io::stderr().is_terminal()).init(),
        LogFormat::Json => log.json().flatten_event(true).init(),
    }
    Ok(thread)
}
