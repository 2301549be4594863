//! A machine's serial port on one side, a TCP connection on the other.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use ironic_core::{Entropy, Error, Uuid};
use thiserror::Error as ThisError;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};

use super::connection::Target;
use crate::command::{ActivateSol, Command, DeactivateSol, SolActivation};
use crate::console::{ConsoleSession, IpmiError, Outcome, Request, SolConsole, SolEnded, Timing};
use crate::session::Random;

/// More than any datagram of IPMI.
const MAX_DATAGRAM: usize = 2048;
/// Characters read from the connection at a time.
const CHUNK: usize = 1024;
/// How long the BMC is waited for when a console is over, and how long whoever is connected is to
/// take the last words.
const FAREWELL: Duration = Duration::from_secs(3);
/// How many unread characters are kept. What the machine says beyond that is not acknowledged.
const MOST_UNREAD: usize = 16 * 1024;
/// How long to leave a port alone that takes no connections.
const ACCEPT_PAUSE: Duration = Duration::from_secs(1);
/// A session lasts as long as the connection does.
const NEVER: Duration = Duration::from_secs(365 * 24 * 3600);

/// Serves connections to a machine's console, one at a time.
pub(super) struct Bridge {
    pub(super) node: Uuid,
    pub(super) listener: TcpListener,
    pub(super) target: Target,
    pub(super) entropy: Arc<dyn Entropy>,
    pub(super) idle_timeout: Duration,
    pub(super) unread_timeout: Duration,
    pub(super) stopped: watch::Receiver<bool>,
}

/// Why a connection to a console is over.
#[derive(Debug, ThisError)]
enum Over {
    #[error("the connection is closed")]
    Closed,
    #[error("the console is stopped")]
    Stopped,
    #[error("nobody has typed or read anything for {} s", .0.as_secs())]
    Idle(Duration),
    #[error("nobody has read what the machine says for {} s", .0.as_secs())]
    Unread(Duration),
    #[error("the BMC gives no console: {0}")]
    Refused(#[from] IpmiError),
    #[error("{0}")]
    Ended(#[from] SolEnded),
    #[error("the session with the BMC is lost")]
    Lost,
    #[error("no way to the BMC: {0}")]
    Unreachable(String),
}

impl From<io::Error> for Over {
    fn from(_: io::Error) -> Self {
        Self::Closed
    }
}

struct Drawn<'a>(&'a dyn Entropy);

impl Random for Drawn<'_> {
    fn fill(&mut self, out: &mut [u8]) {
        self.0.fill(out);
    }
}

fn now() -> std::time::Instant {
    Instant::now().into_std()
}

impl Bridge {
    /// Runs until it is stopped.
    pub(super) async fn run(mut self) {
        loop {
            let accepted = tokio::select! {
                biased;
                _ = self.stopped.changed() => return,
                accepted = self.listener.accept() => accepted,
            };
            let (mut caller, from) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(node = %self.node, %error, "the console takes no connections");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            };
            tracing::info!(node = %self.node, %from, "somebody is at the console");
            let over = self.serve(&mut caller).await;
            tracing::info!(node = %self.node, %from, %over, "the console is left");
            if !matches!(over, Over::Closed) {
                // Who is there learns why; who is not, or does not read, does not.
                let why = format!("\r\n[{over}]\r\n");
                let _ = timeout(FAREWELL, caller.write_all(why.as_bytes())).await;
            }
            let _ = caller.shutdown().await;
            if matches!(over, Over::Stopped) {
                return;
            }
        }
    }

    async fn serve(&mut self, caller: &mut TcpStream) -> Over {
        let mut line = tokio::select! {
            biased;
            _ = self.stopped.changed() => return Over::Stopped,
            line = Line::to(&self.target, &self.entropy) => match line {
                Ok(line) => line,
                Err(error) => return Over::Unreachable(error.to_string()),
            },
        };
        let over = self.carry(caller, &mut line).await;
        // The machine's console is free for the next one.
        let farewell = async {
            let _ = line.ask(&DeactivateSol).await;
        };
        let _ = timeout(FAREWELL, farewell).await;
        line.close().await;
        over
    }

    async fn carry(&mut self, caller: &mut TcpStream, line: &mut Line) -> Over {
        let activation = tokio::select! {
            biased;
            _ = self.stopped.changed() => return Over::Stopped,
            activation = line.activate() => match activation {
                Ok(activation) => activation,
                Err(error) => return error.into(),
            },
        };
        let Some(session) = line.session.session_id() else {
            return Over::Lost;
        };
        match self
            .pump(caller, line, SolConsole::new(activation), session)
            .await
        {
            Ok(never) => match never {},
            Err(over) => over,
        }
    }

    /// Hands characters on, both ways, until one side is over.
    async fn pump(
        &mut self,
        caller: &mut TcpStream,
        line: &mut Line,
        mut sol: SolConsole,
        session: u32,
    ) -> Result<std::convert::Infallible, Over> {
        let (mut keys, mut screen) = caller.split();
        let mut typed = [0; CHUNK];
        let mut datagram = vec![0; MAX_DATAGRAM];
        let mut active = Instant::now();
        let mut unread = Unread::default();
        loop {
            while let Some(payload) = sol.poll_payload() {
                let random = &mut Drawn(&*line.entropy);
                line.session.send_sol(now(), &payload, random);
            }
            line.flush().await;
            if line.session.session_id() != Some(session) {
                return Err(Over::Lost);
            }
            let due = [line.session.poll_timeout(), sol.poll_timeout()];
            let due = due.into_iter().flatten().min().map(Instant::from_std);
            let idle = limit(Some(active), self.idle_timeout);
            let stuck = limit(unread.since, self.unread_timeout);
            let room = sol.room().min(CHUNK);
            tokio::select! {
                biased;
                _ = self.stopped.changed() => return Err(Over::Stopped),
                () = at(stuck) => return Err(Over::Unread(self.unread_timeout)),
                () = at(due) => {
                    line.session.handle_timeout(now(), &mut Drawn(&*line.entropy));
                    sol.handle_timeout(now())?;
                }
                shown = screen.write(&unread.characters), if unread.since.is_some() => {
                    unread.shown(shown?);
                }
                received = line.socket.recv(&mut datagram), if unread.has_room() => {
                    // That nobody listens shows when nothing is acknowledged.
                    let len = received.unwrap_or_default();
                    let random = &mut Drawn(&*line.entropy);
                    let received = datagram.get(..len).unwrap_or_default();
                    line.session.handle_datagram(now(), received, random);
                    while let Some(payload) = line.session.poll_sol() {
                        let said = sol.handle(now(), &payload)?;
                        if !said.is_empty() {
                            active = Instant::now();
                            unread.said(&said);
                        }
                    }
                }
                read = keys.read(typed.get_mut(..room).unwrap_or_default()), if room > 0 => {
                    let characters = typed.get(..read?).unwrap_or_default();
                    if characters.is_empty() {
                        return Err(Over::Closed);
                    }
                    active = Instant::now();
                    sol.write(now(), characters);
                }
                () = at(idle) => return Err(Over::Idle(self.idle_timeout)),
            }
        }
    }
}

/// What the machine has said and nobody has read.
#[derive(Default)]
struct Unread {
    characters: Vec<u8>,
    /// Since when none of them is read.
    since: Option<Instant>,
}

impl Unread {
    fn said(&mut self, characters: &[u8]) {
        self.characters.extend_from_slice(characters);
        self.since.get_or_insert_with(Instant::now);
    }

    fn shown(&mut self, count: usize) {
        self.characters.drain(..count.min(self.characters.len()));
        self.since = (!self.characters.is_empty()).then(Instant::now);
    }

    /// Whether what a datagram brings still finds room.
    fn has_room(&self) -> bool {
        self.characters.len() < MOST_UNREAD
    }
}

/// A session of the console's own with its BMC.
struct Line {
    socket: UdpSocket,
    session: ConsoleSession,
    entropy: Arc<dyn Entropy>,
}

impl Line {
    async fn to(target: &Target, entropy: &Arc<dyn Entropy>) -> Result<Self, Error> {
        let (address, config) = target.resolve().await?;
        let socket = connect(address).await.map_err(|error| Error::Unreachable {
            what: format!("BMC {address}"),
            message: error.to_string(),
        })?;
        let timing = Timing {
            close_after: NEVER,
            ..Timing::default()
        };
        Ok(Self {
            socket,
            session: ConsoleSession::new(Arc::new(config.timing(timing))),
            entropy: Arc::clone(entropy),
        })
    }

    /// Activates serial over LAN; where it is active already, somebody has left it so.
    async fn activate(&mut self) -> Result<SolActivation, IpmiError> {
        let freed = self.ask(&DeactivateSol).await;
        // Not active is what is wanted.
        if let Err(error) = freed
            && !matches!(error, IpmiError::Completion { .. })
        {
            return Err(error);
        }
        self.ask(&ActivateSol).await
    }

    async fn ask<C: Command>(&mut self, command: &C) -> Result<C::Response, IpmiError> {
        let random = &mut Drawn(&*self.entropy);
        let id = self.session.submit(now(), Request::of(command), random)?;
        let mut datagram = vec![0; MAX_DATAGRAM];
        loop {
            self.flush().await;
            while let Some(Outcome {
                id: ended, result, ..
            }) = self.session.poll_outcome()
            {
                if ended == id {
                    return Ok(C::decode_response(&result?)?);
                }
            }
            let due = self.session.poll_timeout().map(Instant::from_std);
            tokio::select! {
                biased;
                () = at(due) => {
                    self.session.handle_timeout(now(), &mut Drawn(&*self.entropy));
                }
                received = self.socket.recv(&mut datagram) => {
                    let len = received.unwrap_or_default();
                    let received = datagram.get(..len).unwrap_or_default();
                    self.session.handle_datagram(now(), received, &mut Drawn(&*self.entropy));
                }
            }
        }
    }

    async fn flush(&mut self) {
        while let Some(datagram) = self.session.poll_transmit() {
            if let Err(error) = self.socket.send(&datagram).await {
                // As good as a datagram lost on the way: it is sent again.
                tracing::debug!(%error, "could not send");
            }
        }
    }

    async fn close(&mut self) {
        self.session.close(&mut Drawn(&*self.entropy));
        self.flush().await;
    }
}

async fn connect(bmc: SocketAddr) -> io::Result<UdpSocket> {
    let local = match bmc {
        SocketAddr::V4(_) => SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
        SocketAddr::V6(_) => SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)),
    };
    let socket = UdpSocket::bind(local).await?;
    socket.connect(bmc).await?;
    Ok(socket)
}

/// When the time is up that has run since then; zero is never.
fn limit(since: Option<Instant>, time: Duration) -> Option<Instant> {
    since.filter(|_| !time.is_zero()).map(|since| since + time)
}

async fn at(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        None => std::future::pending().await,
    }
}
