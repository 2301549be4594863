use std::{future::Future, io, net::SocketAddr, pin::Pin, sync::Arc};

use tokio::{net::UdpSocket, time::Instant};

use super::{BmcConfig, BmcServer, Machine, MachineAnswer, Operation, OperationToken};
use crate::{codec::CompletionCode, session::Random};

/// More than any datagram of IPMI; what is longer is cut, and then fails as it should.
const MAX_DATAGRAM: usize = 2048;

/// How much room there has to be before the machine's serial port is heard.
const LONGEST_SAID: usize = 4096;

type Running =
    Pin<Box<dyn Future<Output = (OperationToken, Result<MachineAnswer, CompletionCode>)> + Send>>;

/// Serves a BMC on a socket until the future is dropped.
///
/// # Errors
/// The socket failed to receive. That a datagram could not be sent is no error: the console asks again.
pub async fn serve(
    socket: UdpSocket,
    config: BmcConfig,
    machine: Arc<dyn Machine>,
    mut random: impl Random + Send,
) -> io::Result<()> {
    let mut server = BmcServer::new(config);
    server.listens_at(socket.local_addr()?.port());
    let mut running: Option<Running> = None;
    let mut buffer = vec![0; MAX_DATAGRAM];
    loop {
        while let Some(transmit) = server.poll_transmit() {
            if let Err(error) = socket.send_to(&transmit.datagram, transmit.to).await {
                tracing::debug!(to = %transmit.to, %error, "could not send");
            }
        }
        while let Some(typed) = server.poll_typed() {
            machine.serial_input(&typed);
        }
        if running.is_none()
            && let Some(operation) = server.poll_operation()
        {
            running = Some(run(operation, Arc::clone(&machine)));
        }
        let timeout = server.poll_timeout().map(Instant::from_std);
        tokio::select! {
            biased;
            (token, result) = finish(running.as_mut()), if running.is_some() => {
                running = None;
                server.respond(now(), token, result, &mut random);
            }
            received = socket.recv_from(&mut buffer) => {
                let (len, from) = received?;
                handle(&mut server, from, buffer.get(..len).unwrap_or_default(), &mut random);
            }
            said = machine.serial_output(), if server.serial_room() >= LONGEST_SAID => {
                server.say(now(), &said, &mut random);
            }
            () = sleep_until(timeout), if timeout.is_some() => {
                server.handle_timeout(now());
                server.drive_serial_port(now(), &mut random);
            }
        }
    }
}

fn handle(server: &mut BmcServer, from: SocketAddr, datagram: &[u8], random: &mut dyn Random) {
    tracing::trace!(%from, len = datagram.len(), "datagram");
    server.handle_datagram(now(), from, datagram, random);
}

fn run(operation: Operation, machine: Arc<dyn Machine>) -> Running {
    let Operation { token, request } = operation;
    Box::pin(async move {
        let result = request.run(&*machine).await;
        tracing::debug!(?request, ?result, "machine");
        (token, result)
    })
}

async fn finish(
    running: Option<&mut Running>,
) -> (OperationToken, Result<MachineAnswer, CompletionCode>) {
    match running {
        Some(running) => running.await,
        None => std::future::pending().await,
    }
}

async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}

fn now() -> std::time::Instant {
    Instant::now().into_std()
}
