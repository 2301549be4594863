//! The clients of a process, one per BMC and account.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ironic_core::secret::constant_time_eq;

use crate::base_url::BaseUrl;
use crate::client::{Client, ClientOptions};
use crate::connection::{AuthMethod, Connection};
use crate::error::RedfishError;
use crate::http::{HttpError, HttpTransport, TlsSettings};

/// The default of the original's `[redfish]connection_cache_size`.
const DEFAULT_CAPACITY: usize = 1000;

/// Makes the transport for a set of TLS settings.
pub trait TransportFactory: Send + Sync + fmt::Debug {
    /// A transport of these settings; the same one may be handed out many times.
    ///
    /// # Errors
    ///
    /// [`HttpError::Invalid`] when there can be none.
    fn transport(&self, tls: &TlsSettings) -> Result<Arc<dyn HttpTransport>, HttpError>;
}

/// Keeps one [`Client`], and with it one session, per BMC and account.
#[derive(Debug)]
pub struct ClientPool {
    factory: Arc<dyn TransportFactory>,
    options: ClientOptions,
    capacity: usize,
    clients: Mutex<Clients>,
}

#[derive(Debug, Default)]
struct Clients {
    by_key: BTreeMap<Key, Entry>,
    /// Rises with every use; the entry with the lowest is the one to go.
    clock: u64,
}

#[derive(Debug)]
struct Entry {
    client: Arc<Client>,
    used: u64,
}

/// All that tells one client from another but the password, which is compared in constant time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    base: BaseUrl,
    username: Option<String>,
    root: String,
    auth: AuthMethod,
    tls: TlsSettings,
}

impl ClientPool {
    /// An empty pool of at most 1000 clients.
    pub fn new(factory: Arc<dyn TransportFactory>, options: ClientOptions) -> Self {
        Self {
            factory,
            options,
            capacity: DEFAULT_CAPACITY,
            clients: Mutex::default(),
        }
    }

    /// Sets how many clients are kept; 0 keeps none, so that every use logs in for itself.
    #[must_use]
    pub const fn capacity(mut self, capacity: usize) -> Self {
        self.capacity = capacity;
        self
    }

    /// The client for `connection`: the one in the pool, or a new one. One with another password
    /// is replaced, and its session ended; so is the one that was least recently used when the
    /// pool is full, unless it is in use.
    ///
    /// # Errors
    ///
    /// [`RedfishError::InvalidSettings`] when the connection or the options make no sense.
    pub async fn client(&self, connection: &Connection) -> Result<Arc<Client>, RedfishError> {
        let (client, leaving) = self.lend(connection)?;
        for client in leaving {
            client.close().await;
        }
        Ok(client)
    }

    /// As [`client`](Self::client), but those that leave the pool are for the caller to close.
    pub(crate) fn lend(
        &self,
        connection: &Connection,
    ) -> Result<(Arc<Client>, Vec<Arc<Client>>), RedfishError> {
        let key = Key::of(connection);
        if let Some(client) = self.lock().present(&key, connection) {
            return Ok((client, Vec::new()));
        }
        let transport = self.factory.transport(&connection.tls).map_err(|error| {
            RedfishError::InvalidSettings {
                reason: error.to_string(),
            }
        })?;
        let made = Arc::new(Client::new(
            connection.clone(),
            transport,
            self.options.clone(),
        )?);
        Ok(self.lock().keep(key, connection, made, self.capacity))
    }

    /// Forgets all clients and ends their sessions.
    pub async fn close(&self) {
        let clients = std::mem::take(&mut *self.lock());
        for entry in clients.by_key.into_values() {
            entry.client.close().await;
        }
    }

    /// How many clients are kept.
    pub fn len(&self) -> usize {
        self.lock().by_key.len()
    }

    /// Whether no client is kept.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn lock(&self) -> MutexGuard<'_, Clients> {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clients {
    fn present(&mut self, key: &Key, connection: &Connection) -> Option<Arc<Client>> {
        self.clock += 1;
        let entry = self.by_key.get_mut(key)?;
        let known = entry.client.connection().password.expose().as_bytes();
        if !constant_time_eq(known, connection.password.expose().as_bytes()) {
            return None;
        }
        entry.used = self.clock;
        Some(entry.client.clone())
    }

    /// Takes `made` in, unless somebody was faster; says whom to close.
    fn keep(
        &mut self,
        key: Key,
        connection: &Connection,
        made: Arc<Client>,
        capacity: usize,
    ) -> (Arc<Client>, Vec<Arc<Client>>) {
        if capacity == 0 {
            return (made, Vec::new());
        }
        if let Some(client) = self.present(&key, connection) {
            return (client, Vec::new());
        }
        let entry = Entry {
            client: made.clone(),
            used: self.clock,
        };
        let mut leaving: Vec<_> = self
            .by_key
            .insert(key, entry)
            .map(|entry| entry.client)
            .into_iter()
            .collect();
        while self.by_key.len() > capacity {
            let idle = self
                .by_key
                .iter()
                .filter(|(_, entry)| Arc::strong_count(&entry.client) == 1);
            let Some(key) = idle
                .min_by_key(|(_, entry)| entry.used)
                .map(|(key, _)| key.clone())
            else {
                break;
            };
            leaving.extend(self.by_key.remove(&key).map(|entry| entry.client));
        }
        (made, leaving)
    }
}

impl Key {
    fn of(connection: &Connection) -> Self {
        Self {
            base: connection.base.clone(),
            username: connection.username.clone(),
            root: connection.root.clone(),
            auth: connection.auth,
            tls: connection.tls.clone(),
        }
    }
}
