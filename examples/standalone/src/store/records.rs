//! The store over either database.

use std::sync::Arc;

use ironic_core::store::{Batch, Filter, Kind, Query, Record, Revision, StoreError, UniqueKey};
use uuid::Uuid;

use super::OpenError;
use super::connections::{Connections, patiently};
use super::dialect::{Dialect, begin_by};
use super::error::Failure;
use super::row::fetch;
use super::schema::migrate;
use super::sql::{Arg, Sql};
use super::translate::{self, Marker};
use super::writer::Writer;

/// A database that may not have been looked at yet.
#[derive(Debug)]
pub(super) struct Database<D: Dialect> {
    pub(super) readers: Arc<Connections<D>>,
    pub(super) writer: Arc<Connections<D>>,
}

impl<D: Dialect> Database<D> {
    /// With as many connections to read, and one to write.
    pub(super) fn new(read: D::Options, readers: usize, write: D::Options) -> Self {
        Self {
            readers: Arc::new(Connections::new(read, readers)),
            writer: Arc::new(Connections::new(write, 1)),
        }
    }

    /// With one connection for everything.
    pub(super) fn shared(options: D::Options) -> Self {
        let only = Arc::new(Connections::new(options, 1));
        Self {
            readers: Arc::clone(&only),
            writer: only,
        }
    }
}

/// Keeps records in a database.
#[derive(Debug)]
pub(super) struct Records<D: Dialect> {
    readers: Arc<Connections<D>>,
    writer: Writer,
}

/// Does something on a connection of those that read.
macro_rules! read {
    ($self:ident, $lease:ident => $call:expr) => {
        loop {
            let mut $lease = $self.readers.acquire().await.map_err(Failure::from)?;
            let answer = patiently::<D, _, _>($call).await;
            if let Some(answer) = $lease.end(answer) {
                return Ok(answer?);
            }
        }
    };
}

impl<D: Dialect> Records<D> {
    /// Brings the database forward, and starts the task that writes.
    pub(super) async fn over(database: Database<D>) -> Result<Self, OpenError> {
        migrate::<D>(&mut *database.writer.acquire().await?).await?;
        Ok(Self {
            readers: database.readers,
            writer: Writer::start(database.writer)?,
        })
    }

    pub(super) async fn get(&self, kind: Kind, id: Uuid) -> Result<Option<Record>, StoreError> {
        read!(self, lease => D::record(&mut lease, kind, fetch(kind, id)))
    }

    pub(super) async fn find(
        &self,
        kind: Kind,
        key: &UniqueKey,
    ) -> Result<Option<Record>, StoreError> {
        read!(self, lease => D::record(&mut lease, kind, D::find(kind, key)))
    }

    pub(super) async fn list(&self, query: &Query) -> Result<Vec<Record>, StoreError> {
        read!(self, lease => list::<D>(&mut lease, query))
    }

    pub(super) async fn count(&self, kind: Kind, filter: &Filter) -> Result<u64, StoreError> {
        read!(self, lease => count::<D>(&mut lease, kind, filter))
    }

    pub(super) async fn commit(&self, batch: Batch) -> Result<Vec<Revision>, StoreError> {
        self.writer.commit(batch).await
    }
}

async fn list<D: Dialect>(
    connection: &mut D::Connection,
    query: &Query,
) -> Result<Vec<Record>, Failure> {
    let Some(after) = query.marker else {
        return rows::<D>(connection, query, None).await;
    };
    begin_by::<D>(connection, D::BEGIN_SNAPSHOT).await?;
    let records = list_after::<D>(connection, query, after).await;
    if !matches!(records, Err(Failure::Database(_))) {
        D::run(connection, "COMMIT").await?;
    }
    records
}

async fn list_after<D: Dialect>(
    connection: &mut D::Connection,
    query: &Query,
    after: Uuid,
) -> Result<Vec<Record>, Failure> {
    const CREATED: &str = "SELECT created FROM records WHERE kind = $1 AND id = $2";
    let args = [Arg::from(query.kind.as_str()), after.to_string().into()];
    let created = D::whole(connection, Sql::fixed(CREATED, args)).await?;
    let Some(created) = created else {
        let (kind, id) = (query.kind, after);
        return Err(StoreError::NoMarker { kind, id }.into());
    };
    let marker = Marker { id: after, created };
    rows::<D>(connection, query, Some(marker)).await
}

/// What a query asks for, from behind a marker on.
pub(super) async fn rows<D: Dialect>(
    connection: &mut D::Connection,
    query: &Query,
    marker: Option<Marker>,
) -> Result<Vec<Record>, Failure> {
    let sql = translate::list::<D>(query, marker)?;
    D::records(connection, query.kind, sql).await
}

async fn count<D: Dialect>(
    connection: &mut D::Connection,
    kind: Kind,
    filter: &Filter,
) -> Result<u64, Failure> {
    let sql = translate::count::<D>(kind, filter)?;
    let count = D::whole(connection, sql).await?;
    Ok(count
        .and_then(|count| u64::try_from(count).ok())
        .unwrap_or(0))
}
