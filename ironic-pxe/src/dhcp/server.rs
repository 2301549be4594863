use std::net::{Ipv4Addr, SocketAddrV4};

use super::{
    CLIENT_PORT, ClientInfo, DhcpMessage, HostConfig, HostTable, MessageError, MessageType,
    Operation, SERVER_PORT, code,
};

// RFC 2131 §2: every client takes 576 bytes, headers of IP and UDP and all.
const SMALLEST_LIMIT: u16 = 576;
const IP_AND_UDP: usize = 28;
// PXE 2.1 §2.4.5: discovery control, bit 3: load the file that the offer names; then the end.
const PXE_USE_BOOT_FILE: [u8; 4] = [6, 1, 8, 255];

/// Settings of a DHCP server.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct ServerConfig {
    /// The server's own address, by which clients tell it from others.
    pub address: Ipv4Addr,
    /// Gives no addresses, and tells PXE clients only what to boot.
    pub proxy: bool,
    /// Answers to where a request came from, rather than to where RFC 2131 says; for clients
    /// that speak from an address, over loopback or through a tunnel.
    pub reply_to_source: bool,
}

impl ServerConfig {
    /// Makes a configuration of a server that gives addresses.
    pub fn new(address: Ipv4Addr) -> Self {
        Self {
            address,
            proxy: false,
            reply_to_source: false,
        }
    }

    /// Sets whether the server gives no addresses.
    #[must_use]
    pub fn with_proxy(mut self, proxy: bool) -> Self {
        self.proxy = proxy;
        self
    }

    /// Sets whether answers go to where requests come from.
    #[must_use]
    pub fn with_reply_to_source(mut self, reply_to_source: bool) -> Self {
        self.reply_to_source = reply_to_source;
        self
    }
}

/// Port that a request arrived at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerPort {
    /// 67.
    Dhcp,
    /// 4011, where PXE clients ask what to boot once they have an address.
    Pxe,
}

/// A datagram to send.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reply {
    /// Whereto; 255.255.255.255 is the network that the request came from.
    pub to: SocketAddrV4,
    /// What it says.
    pub message: DhcpMessage,
}

/// A DHCP server: answers requests by a table of machines.
///
/// It keeps nothing of its own. Every machine has its address for good, so a lease is a promise
/// to ask again, and a server that starts anew answers as the one before it.
#[derive(Debug)]
pub struct DhcpServer<T> {
    config: ServerConfig,
    hosts: T,
}

impl<T: HostTable> DhcpServer<T> {
    /// Makes a server over a table of machines.
    pub fn new(config: ServerConfig, hosts: T) -> Self {
        Self { config, hosts }
    }

    /// Answers a datagram; none is sent where silence is the answer.
    ///
    /// # Errors
    ///
    /// When the datagram is not a DHCP message.
    pub fn handle_datagram(
        &self,
        bytes: &[u8],
        from: SocketAddrV4,
        port: ServerPort,
    ) -> Result<Option<Reply>, MessageError> {
        let request = DhcpMessage::parse(bytes)?;
        let Some(kind) = request.options.message_type() else {
            return Ok(None);
        };
        if request.operation != Operation::Request {
            return Ok(None);
        }
        let client = ClientInfo {
            hardware_address: request.hardware_address,
            arch: request.options.client_arch(),
            is_ipxe: request.options.is_ipxe(),
            relay: Some(request.relay_address).filter(|relay| !relay.is_unspecified()),
        };
        let Some(host) = self.hosts.lookup(&client) else {
            return Ok(None);
        };
        let message = match host.address.filter(|_| !self.config.proxy) {
            Some(address) if port == ServerPort::Dhcp => {
                self.answer(&request, kind, &client, &host, address)
            }
            _ => self.answer_pxe(&request, kind, &client, &host, port),
        };
        Ok(message.map(|message| Reply {
            to: self.destination(&request, &message, from, port),
            message,
        }))
    }

    fn answer(
        &self,
        request: &DhcpMessage,
        kind: MessageType,
        client: &ClientInfo,
        host: &HostConfig,
        address: Ipv4Addr,
    ) -> Option<DhcpMessage> {
        match kind {
            MessageType::Discover => {
                Some(self.lease(request, MessageType::Offer, client, host, address))
            }
            MessageType::Request => {
                let chosen = request.options.address(code::SERVER_ID);
                if chosen.is_some_and(|server| server != self.config.address) {
                    return None;
                }
                // RFC 2131 §4.3.2: selecting and rebooting clients name the address in an option,
                // renewing and rebinding ones in the field.
                let held = request.options.address(code::REQUESTED_ADDRESS);
                let held = held.unwrap_or(request.client_address);
                Some(if held == address {
                    self.lease(request, MessageType::Ack, client, host, address)
                } else {
                    self.refuse(request)
                })
            }
            MessageType::Inform => {
                let mut reply = self.describe(request, MessageType::Ack, client, host);
                reply.client_address = request.client_address;
                self.fit(request, host, &mut reply);
                Some(reply)
            }
            MessageType::Decline => {
                tracing::warn!(
                    client = %client.hardware_address, %address,
                    "the client found its address in use"
                );
                None
            }
            _ => None,
        }
    }

    // Only PXE and HTTP boot clients are answered, and nothing but what they boot.
    fn answer_pxe(
        &self,
        request: &DhcpMessage,
        kind: MessageType,
        client: &ClientInfo,
        host: &HostConfig,
        port: ServerPort,
    ) -> Option<DhcpMessage> {
        let class = request.options.text(code::VENDOR_CLASS)?;
        let class = ["PXEClient", "HTTPClient"]
            .into_iter()
            .find(|name| class.starts_with(name))?;
        let kind = match (kind, port) {
            (MessageType::Discover, ServerPort::Dhcp) => MessageType::Offer,
            (MessageType::Request | MessageType::Inform, ServerPort::Pxe) => MessageType::Ack,
            _ => return None,
        };
        host.boot.choose(client)?;
        let mut reply = request.reply(kind);
        reply.client_address = request.client_address;
        reply
            .options
            .set(code::SERVER_ID, self.config.address.octets());
        reply.options.set(code::VENDOR_CLASS, class.as_bytes());
        if class == "PXEClient" {
            reply.options.set(code::VENDOR_SPECIFIC, PXE_USE_BOOT_FILE);
        }
        self.set_boot(&mut reply, client, host);
        self.fit(request, host, &mut reply);
        Some(reply)
    }

    fn lease(
        &self,
        request: &DhcpMessage,
        kind: MessageType,
        client: &ClientInfo,
        host: &HostConfig,
        address: Ipv4Addr,
    ) -> DhcpMessage {
        let mut reply = self.describe(request, kind, client, host);
        reply.your_address = address;
        if kind == MessageType::Ack {
            reply.client_address = request.client_address;
        }
        let seconds = u32::try_from(host.lease.as_secs()).unwrap_or(u32::MAX);
        reply.options.set(code::LEASE_TIME, seconds.to_be_bytes());
        self.fit(request, host, &mut reply);
        reply
    }

    fn describe(
        &self,
        request: &DhcpMessage,
        kind: MessageType,
        client: &ClientInfo,
        host: &HostConfig,
    ) -> DhcpMessage {
        let mut reply = request.reply(kind);
        let options = &mut reply.options;
        options.set(code::SERVER_ID, self.config.address.octets());
        options.set(code::SUBNET_MASK, host.netmask.octets());
        if !host.routers.is_empty() {
            options.set_addresses(code::ROUTERS, &host.routers);
        }
        if !host.name_servers.is_empty() {
            options.set_addresses(code::NAME_SERVERS, &host.name_servers);
        }
        if let Some(name) = &host.host_name {
            options.set(code::HOST_NAME, name.as_bytes());
        }
        if let Some(name) = &host.domain_name {
            options.set(code::DOMAIN_NAME, name.as_bytes());
        }
        // UEFI HTTP boot takes an offer only with its class in it (UEFI 2.10 §24.7.3.1).
        let class = request.options.text(code::VENDOR_CLASS).unwrap_or_default();
        if class.starts_with("HTTPClient") {
            options.set(code::VENDOR_CLASS, b"HTTPClient".as_slice());
        }
        self.set_boot(&mut reply, client, host);
        reply
    }

    fn set_boot(&self, reply: &mut DhcpMessage, client: &ClientInfo, host: &HostConfig) {
        let Some(file) = host.boot.choose(client) else {
            return;
        };
        // Both places: some firmware reads the fields only, other the options.
        reply.server_address = host.next_server.unwrap_or(self.config.address);
        file.clone_into(&mut reply.boot_file);
        reply.options.set(code::BOOT_FILE, file.as_bytes());
        let name = host
            .tftp_server_name
            .clone()
            .unwrap_or_else(|| reply.server_address.to_string());
        reply.options.set(code::TFTP_SERVER_NAME, name.as_bytes());
    }

    // Adds the host's further options, and leaves out what makes the message too large: first
    // what was not asked for.
    fn fit(&self, request: &DhcpMessage, host: &HostConfig, reply: &mut DhcpMessage) {
        for (code, value) in &host.options {
            reply.options.set(*code, value.as_slice());
        }
        let limit = request
            .options
            .short(code::MAX_SIZE)
            .unwrap_or(0)
            .max(SMALLEST_LIMIT);
        let limit = usize::from(limit).saturating_sub(IP_AND_UDP);
        let asked = request
            .options
            .get(code::PARAMETER_LIST)
            .unwrap_or_default();
        let (asked, other): (Vec<u8>, Vec<u8>) =
            host.options.keys().partition(|code| asked.contains(code));
        for code in other.into_iter().chain(asked) {
            if reply.to_bytes().len() <= limit {
                break;
            }
            tracing::warn!(client = %reply.hardware_address, code, "option left out, no room");
            reply.options.remove(code);
        }
    }

    fn refuse(&self, request: &DhcpMessage) -> DhcpMessage {
        let mut reply = request.reply(MessageType::Nak);
        reply
            .options
            .set(code::SERVER_ID, self.config.address.octets());
        // So that a relay's client hears it although it has no address (RFC 2131 §4.3.2).
        reply.broadcast = true;
        reply
    }

    // RFC 2131 §4.1. A client without an address that could take unicast is sent a broadcast as
    // well: unicast to it would need its address in the host's ARP table.
    fn destination(
        &self,
        request: &DhcpMessage,
        reply: &DhcpMessage,
        from: SocketAddrV4,
        port: ServerPort,
    ) -> SocketAddrV4 {
        let refused = reply.options.message_type() == Some(MessageType::Nak);
        if self.config.reply_to_source || port == ServerPort::Pxe {
            from
        } else if !request.relay_address.is_unspecified() {
            SocketAddrV4::new(request.relay_address, SERVER_PORT)
        } else if !request.client_address.is_unspecified() && !refused {
            SocketAddrV4::new(request.client_address, CLIENT_PORT)
        } else {
            SocketAddrV4::new(Ipv4Addr::BROADCAST, CLIENT_PORT)
        }
    }
}
