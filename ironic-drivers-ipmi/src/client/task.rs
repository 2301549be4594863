use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
    time::Instant,
};

use ironic_core::Entropy;
use tokio::{
    net::UdpSocket,
    sync::{mpsc, oneshot},
};

use super::Endpoint;
use crate::{
    console::{ConsoleSession, IpmiError, Request, RequestId},
    session::Random,
};

/// More than any datagram of IPMI; what is longer is cut, and then fails as it should.
const MAX_DATAGRAM: usize = 2048;
/// How many datagrams are taken from a socket before anything else has its turn.
const BURST: usize = 64;

type Reply = oneshot::Sender<Result<Vec<u8>, IpmiError>>;

/// Stands for a caller's request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Ticket(pub(crate) u64);

/// What handles want of the task.
#[derive(Debug)]
pub(crate) enum Order {
    Submit {
        ticket: Ticket,
        endpoint: Arc<Endpoint>,
        request: Request,
        reply: Reply,
    },
    Cancel {
        ticket: Ticket,
    },
}

/// Stands for a session in the tables below.
type SessionKey = u64;

#[derive(Debug)]
struct Entry {
    endpoint: Arc<Endpoint>,
    session: ConsoleSession,
    callers: BTreeMap<RequestId, (Ticket, Reply)>,
    timer: Option<Instant>,
}

/// Draws from the client's entropy.
struct Drawn<'a>(&'a dyn Entropy);

impl Random for Drawn<'_> {
    fn fill(&mut self, out: &mut [u8]) {
        self.0.fill(out);
    }
}

/// The background task: all sessions, and the sockets that they share.
#[derive(Debug)]
struct Task {
    entropy: Arc<dyn Entropy>,
    sockets: Sockets,
    sessions: BTreeMap<SessionKey, Entry>,
    by_address: BTreeMap<SocketAddr, Vec<SessionKey>>,
    by_ticket: BTreeMap<Ticket, (SessionKey, RequestId)>,
    timers: BTreeSet<(Instant, SessionKey)>,
    begun: SessionKey,
}

/// Runs until the last handle is gone.
pub(crate) async fn run(mut inbox: mpsc::UnboundedReceiver<Order>, entropy: Arc<dyn Entropy>) {
    let mut task = Task {
        entropy,
        sockets: Sockets::default(),
        sessions: BTreeMap::new(),
        by_address: BTreeMap::new(),
        by_ticket: BTreeMap::new(),
        timers: BTreeSet::new(),
        begun: 0,
    };
    let (mut v4, mut v6) = (vec![0; MAX_DATAGRAM], vec![0; MAX_DATAGRAM]);
    loop {
        let timer = task.timers.first().map(|(at, _)| *at);
        tokio::select! {
            biased;
            () = sleep_until(timer) => task.ring().await,
            order = inbox.recv() => match order {
                Some(order) => task.obey(order).await,
                None => return task.close().await,
            },
            // Last, as anybody can fill the sockets.
            received = receive(task.sockets.v4.as_deref(), &mut v4) => {
                task.take_in(received, task.sockets.v4.clone(), &mut v4).await;
            }
            received = receive(task.sockets.v6.as_deref(), &mut v6) => {
                task.take_in(received, task.sockets.v6.clone(), &mut v6).await;
            }
        }
    }
}

impl Task {
    async fn obey(&mut self, order: Order) {
        match order {
            Order::Submit {
                ticket,
                endpoint,
                request,
                reply,
            } => self.submit(ticket, endpoint, request, reply).await,
            Order::Cancel { ticket } => {
                let Some((key, id)) = self.by_ticket.remove(&ticket) else {
                    return;
                };
                if let Some(entry) = self.sessions.get_mut(&key) {
                    entry.callers.remove(&id);
                    entry.session.cancel(now(), id, &mut Drawn(&*self.entropy));
                }
                self.settle(key).await;
            }
        }
    }

    async fn submit(
        &mut self,
        ticket: Ticket,
        endpoint: Arc<Endpoint>,
        request: Request,
        reply: Reply,
    ) {
        if let Err(error) = self.sockets.ensure(endpoint.address).await {
            // The caller may have gone.
            let _ = reply.send(Err(IpmiError::Socket { kind: error.kind() }));
            return;
        }
        let key = self.find_or_begin(endpoint);
        let Some(entry) = self.sessions.get_mut(&key) else {
            return;
        };
        match entry
            .session
            .submit(now(), request, &mut Drawn(&*self.entropy))
        {
            Ok(id) => {
                entry.callers.insert(id, (ticket, reply));
                self.by_ticket.insert(ticket, (key, id));
            }
            Err(error) => {
                let _ = reply.send(Err(error));
            }
        }
        self.settle(key).await;
    }

    fn find_or_begin(&mut self, endpoint: Arc<Endpoint>) -> SessionKey {
        let keys = self.by_address.entry(endpoint.address).or_default();
        let known = keys.iter().find(|key| {
            self.sessions
                .get(*key)
                .is_some_and(|entry| entry.endpoint == endpoint)
        });
        if let Some(key) = known {
            return *key;
        }
        self.begun += 1;
        keys.push(self.begun);
        let entry = Entry {
            session: ConsoleSession::new(Arc::new(endpoint.config.clone())),
            endpoint,
            callers: BTreeMap::new(),
            timer: None,
        };
        self.sessions.insert(self.begun, entry);
        self.begun
    }

    /// Takes in what a socket has received, and what else waits there.
    async fn take_in(
        &mut self,
        received: io::Result<(usize, SocketAddr)>,
        socket: Option<Arc<UdpSocket>>,
        buffer: &mut [u8],
    ) {
        let mut received = received;
        // What has been taken from the socket is always handled: the bound is looked at before the
        // next datagram is taken, not after.
        for taken in 1.. {
            match received {
                Ok((len, from)) => {
                    self.handle(from, buffer.get(..len).unwrap_or_default())
                        .await;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                // A BMC's host may say that nobody listens; its session finds out by itself.
                Err(error) => return tracing::debug!(%error, "could not receive"),
            }
            let Some(socket) = socket.as_ref().filter(|_| taken < BURST) else {
                return;
            };
            received = socket.try_recv_from(buffer);
        }
    }

    async fn handle(&mut self, from: SocketAddr, datagram: &[u8]) {
        let keys = self.by_address.get(&from).cloned().unwrap_or_default();
        for key in keys {
            if let Some(entry) = self.sessions.get_mut(&key) {
                let random = &mut Drawn(&*self.entropy);
                entry.session.handle_datagram(now(), datagram, random);
            }
            self.settle(key).await;
        }
    }

    /// Wakes the sessions that are due.
    async fn ring(&mut self) {
        let now = now();
        while let Some((at, key)) = self.timers.first().copied() {
            if at > now {
                return;
            }
            self.timers.remove(&(at, key));
            if let Some(entry) = self.sessions.get_mut(&key) {
                entry.timer = None;
                let random = &mut Drawn(&*self.entropy);
                entry.session.handle_timeout(now, random);
            }
            self.settle(key).await;
        }
    }

    /// Carries out what a session has come to: datagrams, outcomes, the next timer.
    async fn settle(&mut self, key: SessionKey) {
        let Some(entry) = self.sessions.get_mut(&key) else {
            return;
        };
        while let Some(datagram) = entry.session.poll_transmit() {
            self.sockets.send(entry.endpoint.address, &datagram).await;
        }
        while let Some(outcome) = entry.session.poll_outcome() {
            if let Some((ticket, reply)) = entry.callers.remove(&outcome.id) {
                self.by_ticket.remove(&ticket);
                // The caller may have gone.
                let _ = reply.send(outcome.result);
            }
        }
        let timer = entry.session.poll_timeout();
        if timer != entry.timer {
            if let Some(at) = entry.timer {
                self.timers.remove(&(at, key));
            }
            if let Some(at) = timer {
                self.timers.insert((at, key));
            }
            entry.timer = timer;
        }
        if entry.session.is_idle() {
            let address = entry.endpoint.address;
            self.sessions.remove(&key);
            if let Some(keys) = self.by_address.get_mut(&address) {
                keys.retain(|other| *other != key);
                if keys.is_empty() {
                    self.by_address.remove(&address);
                }
            }
        }
    }

    /// Tells all BMCs that their sessions are over.
    async fn close(mut self) {
        for entry in self.sessions.values_mut() {
            entry.session.close(&mut Drawn(&*self.entropy));
            while let Some(datagram) = entry.session.poll_transmit() {
                self.sockets.send(entry.endpoint.address, &datagram).await;
            }
        }
    }
}

/// One socket for each address family, bound when it is first needed.
#[derive(Debug, Default)]
struct Sockets {
    v4: Option<Arc<UdpSocket>>,
    v6: Option<Arc<UdpSocket>>,
}

impl Sockets {
    async fn ensure(&mut self, address: SocketAddr) -> io::Result<()> {
        let (slot, local) = match address {
            SocketAddr::V4(_) => (&mut self.v4, SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0))),
            SocketAddr::V6(_) => (&mut self.v6, SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0))),
        };
        if slot.is_none() {
            *slot = Some(Arc::new(UdpSocket::bind(local).await?));
        }
        Ok(())
    }

    async fn send(&self, to: SocketAddr, datagram: &[u8]) {
        let socket = match to {
            SocketAddr::V4(_) => &self.v4,
            SocketAddr::V6(_) => &self.v6,
        };
        if let Some(socket) = socket
            && let Err(error) = socket.send_to(datagram, to).await
        {
            // As good as a datagram lost on the way: it is sent again.
            tracing::debug!(%to, %error, "could not send");
        }
    }
}

async fn receive(socket: Option<&UdpSocket>, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
    match socket {
        Some(socket) => socket.recv_from(buffer).await,
        None => std::future::pending().await,
    }
}

async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at.into()).await,
        None => std::future::pending().await,
    }
}

fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}
