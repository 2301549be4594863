use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

use thiserror::Error;

use super::{
    ClientArch, DhcpMessage, HardwareAddress, MessageType, Operation, PXE_PORT, SERVER_PORT, code,
};

// PXE 2.1 §2.2.1 and RFC 2131 §4.1: 4, 8, 16, 32 seconds.
const FIRST_WAIT: Duration = Duration::from_secs(4);
const ATTEMPTS: u32 = 4;
// How long an offer without a boot file waits for a proxy's (PXE 2.1 §2.2.2 leaves it open).
const PROXY_WAIT: Duration = Duration::from_secs(2);

/// What a client says of itself.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ClientConfig {
    /// Its hardware address.
    pub hardware_address: HardwareAddress,
    /// Number of its exchanges: random, or at least different from other clients'.
    pub transaction: u32,
    /// Its kind of machine; one without it is no PXE client.
    pub arch: Option<ClientArch>,
    /// The machine's identifier.
    pub machine_id: Option<[u8; 16]>,
    /// Speaks as iPXE.
    pub is_ipxe: bool,
}

impl ClientConfig {
    /// Makes a client that is no PXE client.
    pub fn new(hardware_address: HardwareAddress, transaction: u32) -> Self {
        Self {
            hardware_address,
            transaction,
            arch: None,
            machine_id: None,
            is_ipxe: false,
        }
    }

    /// Makes the firmware of a kind of machine.
    #[must_use]
    pub fn with_arch(mut self, arch: ClientArch) -> Self {
        self.arch = Some(arch);
        self
    }

    /// Sets the machine's identifier.
    #[must_use]
    pub fn with_machine_id(mut self, id: [u8; 16]) -> Self {
        self.machine_id = Some(id);
        self
    }

    /// Sets whether the client speaks as iPXE.
    #[must_use]
    pub fn with_ipxe(mut self, is_ipxe: bool) -> Self {
        self.is_ipxe = is_ipxe;
        self
    }
}

/// What a client was given.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Lease {
    /// The client's address.
    pub address: Ipv4Addr,
    /// The server that gave it.
    pub server: Ipv4Addr,
    /// The server to boot from.
    pub next_server: Option<Ipv4Addr>,
    /// What to load from it: a file's name or a URL.
    pub boot_file: Option<String>,
    /// How long the address may be kept.
    pub duration: Duration,
    /// The whole acknowledgement.
    pub message: DhcpMessage,
}

/// Why a client has no lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ClientError {
    /// No server offered an address.
    #[error("no server offered an address")]
    NoOffer,
    /// The server that offered stayed silent.
    #[error("the server that offered an address stayed silent")]
    NoAcknowledgement,
    /// The server that offered refused.
    #[error("the server refused what it had offered")]
    Refused,
}

impl ClientError {
    /// Tells whether another try may succeed: always, once servers are told of the client.
    pub fn is_retryable(&self) -> bool {
        true
    }
}

/// A DHCP client as firmware has it: asks once, and boots with what it is given.
///
/// Time is given as a duration since any moment that stays the same. After every call, send all
/// that [`poll_transmit`](Self::poll_transmit) gives; 255.255.255.255 is the machine's network.
#[derive(Debug)]
pub struct DhcpClient {
    config: ClientConfig,
    started: Duration,
    state: State,
    // The last packet, for its repetitions.
    sent: (SocketAddrV4, DhcpMessage),
    attempt: u32,
    due: Option<Duration>,
    to_send: Option<(SocketAddrV4, Vec<u8>)>,
    proxy: Option<DhcpMessage>,
    outcome: Option<Result<Lease, ClientError>>,
}

#[derive(Debug)]
enum State {
    Selecting,
    // An offer without a boot file is in hand.
    AwaitingProxy(Box<DhcpMessage>),
    Requesting,
    // The address is had; a proxy was asked what to boot.
    AskingProxy(Box<Lease>),
    Done,
}

impl DhcpClient {
    /// Starts a client.
    pub fn new(config: ClientConfig, now: Duration) -> Self {
        let discover = DhcpMessage::request(
            MessageType::Discover,
            config.hardware_address,
            config.transaction,
        );
        let everyone = SocketAddrV4::new(Ipv4Addr::BROADCAST, SERVER_PORT);
        let mut client = Self {
            config,
            started: now,
            state: State::Selecting,
            sent: (everyone, discover.clone()),
            attempt: 0,
            due: None,
            to_send: None,
            proxy: None,
            outcome: None,
        };
        client.send(everyone, discover, now);
        client
    }

    /// Tells what came of it; none while it is under way.
    pub fn outcome(&self) -> Option<&Result<Lease, ClientError>> {
        self.outcome.as_ref()
    }

    /// Returns the next packet to send, and whereto.
    pub fn poll_transmit(&mut self) -> Option<(SocketAddrV4, Vec<u8>)> {
        self.to_send.take()
    }

    /// Returns when [`handle_timeout`](Self::handle_timeout) is due.
    pub fn poll_timeout(&self) -> Option<Duration> {
        self.due
    }

    /// Repeats what was not answered, or goes on without an answer, when it is due.
    pub fn handle_timeout(&mut self, now: Duration) {
        if self.due.is_none_or(|due| now < due) {
            return;
        }
        if let State::AwaitingProxy(offer) = &self.state {
            let offer = offer.clone();
            self.request(&offer, now);
            return;
        }
        if self.attempt < ATTEMPTS {
            let (to, message) = self.sent.clone();
            self.transmit(to, message, now);
            return;
        }
        match std::mem::replace(&mut self.state, State::Done) {
            // The address is good, with or without something to boot.
            State::AskingProxy(lease) => self.end(Ok(*lease)),
            State::Requesting => self.end(Err(ClientError::NoAcknowledgement)),
            _ => self.end(Err(ClientError::NoOffer)),
        }
    }

    /// Takes a packet; what is not for this client is passed over.
    pub fn handle_datagram(&mut self, bytes: &[u8], now: Duration) {
        let Ok(message) = DhcpMessage::parse(bytes) else {
            return;
        };
        if message.operation != Operation::Reply
            || message.transaction != self.config.transaction
            || message.hardware_address != self.config.hardware_address
        {
            return;
        }
        match (&self.state, message.options.message_type()) {
            (State::Selecting | State::AwaitingProxy(_), Some(MessageType::Offer)) => {
                self.handle_offer(message, now);
            }
            (State::Requesting, Some(MessageType::Ack)) => self.handle_ack(message, now),
            (State::Requesting, Some(MessageType::Nak)) => {
                self.end(Err(ClientError::Refused));
            }
            (State::AskingProxy(lease), Some(MessageType::Ack)) => {
                let mut lease = lease.clone();
                take_boot(&mut lease, &message);
                self.end(Ok(*lease));
            }
            _ => {}
        }
    }

    fn handle_offer(&mut self, offer: DhcpMessage, now: Duration) {
        if offer.options.address(code::SERVER_ID).is_none() {
            return;
        }
        let class = offer.options.text(code::VENDOR_CLASS);
        if offer.your_address.is_unspecified() {
            if class.is_some_and(|class| class.starts_with("PXEClient")) {
                self.proxy.get_or_insert(offer);
                if let State::AwaitingProxy(offer) = &self.state {
                    let offer = offer.clone();
                    self.request(&offer, now);
                }
            }
            return;
        }
        if matches!(self.state, State::AwaitingProxy(_)) {
            return;
        }
        if self.config.arch.is_some() && offer.boot_file().is_none() && self.proxy.is_none() {
            self.state = State::AwaitingProxy(Box::new(offer));
            self.due = Some(now.saturating_add(PROXY_WAIT));
            return;
        }
        self.request(&offer, now);
    }

    fn request(&mut self, offer: &DhcpMessage, now: Duration) {
        let mut request = DhcpMessage::request(
            MessageType::Request,
            self.config.hardware_address,
            self.config.transaction,
        );
        if let Some(server) = offer.options.address(code::SERVER_ID) {
            request.options.set(code::SERVER_ID, server.octets());
        }
        request
            .options
            .set(code::REQUESTED_ADDRESS, offer.your_address.octets());
        self.state = State::Requesting;
        self.send(
            SocketAddrV4::new(Ipv4Addr::BROADCAST, SERVER_PORT),
            request,
            now,
        );
    }

    fn handle_ack(&mut self, message: DhcpMessage, now: Duration) {
        let server = message.options.address(code::SERVER_ID);
        let seconds = message.options.long(code::LEASE_TIME).unwrap_or_default();
        let mut lease = Lease {
            address: message.your_address,
            server: server.unwrap_or(message.server_address),
            next_server: None,
            boot_file: None,
            duration: Duration::from_secs(seconds.into()),
            message: message.clone(),
        };
        take_boot(&mut lease, &message);
        if let (None, Some(proxy)) = (&lease.boot_file, &self.proxy) {
            if proxy.boot_file().is_some() {
                take_boot(&mut lease, &proxy.clone());
            } else if let Some(server) = proxy.options.address(code::SERVER_ID) {
                let mut request = DhcpMessage::request(
                    MessageType::Request,
                    self.config.hardware_address,
                    self.config.transaction,
                );
                request.client_address = lease.address;
                self.state = State::AskingProxy(Box::new(lease));
                self.send(SocketAddrV4::new(server, PXE_PORT), request, now);
                return;
            }
        }
        self.end(Ok(lease));
    }

    fn send(&mut self, to: SocketAddrV4, mut message: DhcpMessage, now: Duration) {
        // Without an address only broadcasts arrive at a plain socket.
        message.broadcast = message.client_address.is_unspecified();
        let options = &mut message.options;
        options.set(code::MAX_SIZE, 1260u16.to_be_bytes());
        let wanted = [
            1, 3, 6, 12, 15, 43, 51, 54, 60, 66, 67, 97, 150, 175, 209, 210,
        ];
        options.set(code::PARAMETER_LIST, wanted);
        if let Some(arch) = self.config.arch {
            let class = if arch.is_http() {
                "HTTPClient"
            } else {
                "PXEClient"
            };
            let class = format!("{class}:Arch:{:05}:UNDI:003016", arch.0);
            options.set(code::VENDOR_CLASS, class);
            options.set(code::CLIENT_ARCH, arch.0.to_be_bytes());
            // Type 1, UNDI 3.16.
            options.set(code::CLIENT_INTERFACE, [1, 3, 16]);
        }
        if let Some(id) = self.config.machine_id {
            options.set(code::CLIENT_MACHINE_ID, [&[0], id.as_slice()].concat());
        }
        if self.config.is_ipxe {
            options.set(code::USER_CLASS, b"iPXE".as_slice());
        }
        self.attempt = 0;
        self.transmit(to, message, now);
    }

    fn transmit(&mut self, to: SocketAddrV4, mut message: DhcpMessage, now: Duration) {
        let seconds = now.saturating_sub(self.started).as_secs();
        message.seconds = u16::try_from(seconds).unwrap_or(u16::MAX);
        self.to_send = Some((to, message.to_bytes()));
        self.sent = (to, message);
        let factor = 1u32.checked_shl(self.attempt).unwrap_or(u32::MAX);
        self.due = Some(now.saturating_add(FIRST_WAIT.saturating_mul(factor)));
        self.attempt = self.attempt.saturating_add(1);
    }

    fn end(&mut self, outcome: Result<Lease, ClientError>) {
        self.state = State::Done;
        self.due = None;
        self.outcome = Some(outcome);
    }
}

fn take_boot(lease: &mut Lease, message: &DhcpMessage) {
    if let Some(file) = message.boot_file() {
        lease.boot_file = Some(file.to_owned());
        let named = message
            .options
            .text(code::TFTP_SERVER_NAME)
            .and_then(|name| name.parse().ok());
        let field = Some(message.server_address).filter(|address| !address.is_unspecified());
        lease.next_server = field.or(named);
    }
}
