use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::process::{Child, Command};
use std::time::Duration;
use std::{fs, thread};

use hyper::StatusCode;
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, SysconfVar, sysconf};
use tokio::time::Instant;

use super::{Connection, Failure};

/// How long a service may take to start before something is wrong.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long one may take to stop before it is killed.
const LAST: Duration = Duration::from_secs(10);
const BETWEEN_LOOKS: Duration = Duration::from_millis(1);

/// A running service: a process, and those that it has started.
#[derive(Debug)]
pub struct Service {
    child: Child,
    address: SocketAddr,
    started: Duration,
}

impl Service {
    /// Runs a program that is to answer at this address, and waits until it does.
    ///
    /// # Errors
    /// It cannot be run, or ends, or does not answer.
    pub async fn start(mut command: Command, address: SocketAddr) -> Result<Self, Failure> {
        let began = Instant::now();
        let mut service = Self {
            child: command.spawn()?,
            address,
            started: Duration::ZERO,
        };
        while !answers(address).await {
            if let Some(status) = service.child.try_wait()? {
                return Err(format!("{command:?} has ended: {status}").into());
            }
            if began.elapsed() > PATIENCE {
                return Err(format!("{command:?} does not answer").into());
            }
            tokio::time::sleep(BETWEEN_LOOKS).await;
        }
        service.started = began.elapsed();
        Ok(service)
    }

    /// Where it answers.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How long it took until `GET /v1` was answered.
    pub fn started(&self) -> Duration {
        self.started
    }

    /// The mebibytes that its processes have in memory now, as `ps` tells of each (proc(5), VmRSS).
    ///
    /// # Errors
    /// The system does not tell.
    pub fn memory(&self) -> io::Result<f64> {
        self.processes()?.into_iter().try_fold(0.0, |sum, process| {
            Ok(sum + resident(&process.to_string(), "VmRSS:")?)
        })
    }

    /// The seconds of processor time that its processes have taken so far (proc(5), utime and
    /// stime).
    ///
    /// # Errors
    /// The system does not tell.
    pub fn processor(&self) -> Result<f64, Failure> {
        let per_second = sysconf(SysconfVar::CLK_TCK)?.ok_or("the clock has no ticks")?;
        let mut ticks = 0_u64;
        for process in self.processes()? {
            for time in stat(process, 14, 2)? {
                ticks += time.parse::<u64>()?;
            }
        }
        Ok(ticks as f64 / per_second as f64)
    }

    /// It and its descendants.
    fn processes(&self) -> io::Result<Vec<u32>> {
        let mut found = vec![self.child.id()];
        let mut next = 0;
        while let Some(process) = found.get(next).copied() {
            next += 1;
            for thread in fs::read_dir(format!("/proc/{process}/task"))? {
                let children = fs::read_to_string(thread?.path().join("children"))?;
                found.extend(children.split_whitespace().flat_map(str::parse::<u32>));
            }
        }
        Ok(found)
    }

    /// Ends it, and waits until all of it is gone.
    pub fn stop(self) {}

    fn end(&mut self) {
        let began = Instant::now();
        let all = self.processes().unwrap_or_default();
        let others: Vec<_> = all.iter().skip(1).map(|it| (*it, birth(*it))).collect();
        signal(self.child.id(), Signal::SIGTERM);
        while began.elapsed() < LAST && matches!(self.child.try_wait(), Ok(None)) {
            pause();
        }
        // One that has ended already is none of ours any more, whoever has its number now.
        let _ = self.child.kill();
        let _ = self.child.wait();
        for (process, born) in others {
            if born.is_some() && birth(process) == born {
                signal(process, Signal::SIGKILL);
            }
        }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.end();
    }
}

#[allow(
    clippy::disallowed_methods,
    reason = "where a service is dropped nothing can be awaited"
)]
fn pause() {
    thread::sleep(Duration::from_millis(10));
}

fn signal(process: u32, signal: Signal) {
    if let Ok(process) = i32::try_from(process) {
        // One that is gone already needs none.
        let _ = kill(Pid::from_raw(process), signal);
    }
}

/// When it was started: with its number, this tells it from all others.
fn birth(process: u32) -> Option<String> {
    stat(process, 22, 1).ok()?.pop()
}

/// So many of what the system tells about a process, from this one on (proc(5), stat).
fn stat(process: u32, first: usize, count: usize) -> io::Result<Vec<String>> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The second field, the name, may have blanks and brackets; the third comes after it.
    let fields = stat.rsplit(')').next().unwrap_or_default();
    let fields = fields.split_whitespace().skip(first - 3).take(count);
    Ok(fields.map(str::to_owned).collect())
}

async fn answers(address: SocketAddr) -> bool {
    let asked = async {
        let mut connection = Connection::open(address).await?;
        connection.get("/v1").await
    };
    asked
        .await
        .is_ok_and(|answer| answer.status == StatusCode::OK)
}

/// An address of this machine where nobody listens now.
///
/// # Errors
/// There is none.
pub fn free_address() -> io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}

/// The mebibytes that a process has in memory (proc(5)): `VmRSS:` now, `VmHWM:` at most so far.
///
/// # Errors
/// The system does not tell.
pub fn resident(process: &str, what: &str) -> io::Result<f64> {
    let file = format!("/proc/{process}/status");
    let text = fs::read_to_string(&file)?;
    let line = text.lines().find_map(|line| line.strip_prefix(what));
    let kibibytes = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    let missing = || io::Error::other(format!("{file} has no {what}"));
    Ok(kibibytes.ok_or_else(missing)? / 1024.0)
}
