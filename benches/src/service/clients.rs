use std::cell::Cell;
use std::net::SocketAddr;
use std::time::Duration;

use futures::future::try_join_all;
use tokio::time::Instant;

use super::{Connection, Failure};

/// Clients of a service, each with a connection that it keeps, and with one request at a time.
#[derive(Debug)]
pub struct Clients(Vec<Connection>);

impl Clients {
    /// Connects this many.
    ///
    /// # Errors
    /// Nobody listens there.
    pub async fn open(address: SocketAddr, count: usize) -> Result<Self, Failure> {
        let connections = (0..count).map(|_| Connection::open(address));
        Ok(Self(try_join_all(connections).await?))
    }

    /// Does this with each of the numbers up to `count`, as soon as a client is free for the next
    /// one; answers how long that takes.
    ///
    /// # Errors
    /// The first failure.
    pub async fn each<W>(&mut self, count: usize, work: W) -> Result<Duration, Failure>
    where
        W: AsyncFn(&mut Connection, usize) -> Result<(), Failure>,
    {
        let (next, began) = (Cell::new(0), Instant::now());
        let clients = self.0.iter_mut().map(async |connection| {
            while next.get() < count {
                work(connection, next.replace(next.get() + 1)).await?;
            }
            Ok::<_, Failure>(())
        });
        try_join_all(clients).await?;
        Ok(began.elapsed())
    }

    /// Does this again and again for so long, with numbers from 0 on; answers how often in a
    /// second.
    ///
    /// # Errors
    /// The first failure.
    pub async fn rate<W>(&mut self, long: Duration, work: W) -> Result<f64, Failure>
    where
        W: AsyncFn(&mut Connection, usize) -> Result<(), Failure>,
    {
        let (next, began) = (Cell::new(0), Instant::now());
        let clients = self.0.iter_mut().map(async |connection| {
            while began.elapsed() < long {
                work(connection, next.replace(next.get() + 1)).await?;
            }
            Ok::<_, Failure>(())
        });
        try_join_all(clients).await?;
        Ok(next.get() as f64 / began.elapsed().as_secs_f64())
    }
}
