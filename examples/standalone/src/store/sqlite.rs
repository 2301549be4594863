use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;

use async_trait::async_trait;
use ironic_core::store::{
    Batch, Filter, Kind, Query, Record, Revision, Store, StoreError, UniqueKey,
};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection as _};
use uuid::Uuid;

use super::OpenError;
use super::connections::{BUSY_TIMEOUT, Connections, Lease};
use super::error::Failure;
use super::row::{columns, fetch, record, summaries};
use super::schema::migrate;
use super::translate::{self, Marker};
use super::writer::Writer;

/// How many reads run at once.
const READERS: usize = 4;

/// Keeps records in a SQLite database.
///
/// Several programs on one machine can use one file. A commit that has returned survives the end
/// of the process; at a power failure the last commits before it may be lost as a whole, never
/// in part.
#[derive(Debug)]
pub struct SqliteStore {
    readers: Arc<Connections>,
    writer: Writer,
}

impl SqliteStore {
    /// Opens the database at a URL of the form `sqlite:PATH`, and creates it if there is none;
    /// `sqlite::memory:` is one that nobody else sees and that ends with this.
    ///
    /// Commits run on the runtime on which this is called.
    ///
    /// # Errors
    /// [`OpenError`] tells them apart.
    pub async fn open(url: &str) -> Result<Self, OpenError> {
        let name = url.strip_prefix("sqlite:").ok_or(OpenError::Url)?;
        if name.trim_start_matches('/').is_empty() || name.starts_with('?') {
            return Err(OpenError::Url);
        }
        let options = SqliteConnectOptions::from_str(url).map_err(|_| OpenError::Url)?;
        let options = options
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal)
            .busy_timeout(BUSY_TIMEOUT)
            .row_buffer_size(1024)
            .disable_statement_logging();
        if name.starts_with(":memory:") {
            Self::in_memory(options).await
        } else {
            Self::in_file(options).await
        }
    }

    /// The records are gone with the only connection.
    async fn in_memory(options: SqliteConnectOptions) -> Result<Self, OpenError> {
        let only = Arc::new(Connections::new(options, 1));
        Self::over(only.clone(), only).await
    }

    async fn in_file(options: SqliteConnectOptions) -> Result<Self, OpenError> {
        create(options.get_filename())?;
        let writer = Arc::new(Connections::new(options.clone(), 1));
        Self::over(Arc::new(Connections::new(options, READERS)), writer).await
    }

    async fn over(readers: Arc<Connections>, writer: Arc<Connections>) -> Result<Self, OpenError> {
        migrate(&mut *writer.acquire().await?).await?;
        Ok(Self {
            readers,
            writer: Writer::start(writer),
        })
    }

    async fn reader(&self) -> Result<Lease<'_>, Failure> {
        Ok(self.readers.acquire().await?)
    }
}

async fn list(connection: &mut SqliteConnection, query: &Query) -> Result<Vec<Record>, Failure> {
    let Some(after) = query.marker else {
        return rows(connection, query, None).await;
    };
    let mut snapshot = connection.begin().await?;
    let created = sqlx::query_scalar("SELECT created FROM records WHERE kind = ? AND id = ?")
        .bind(query.kind.as_str())
        .bind(after.to_string())
        .fetch_optional(&mut *snapshot)
        .await?;
    let Some(created) = created else {
        let (kind, id) = (query.kind, after);
        return Err(StoreError::NoMarker { kind, id }.into());
    };
    let marker = Marker { id: after, created };
    let records = rows(&mut snapshot, query, Some(marker)).await?;
    snapshot.commit().await?;
    Ok(records)
}

/// Creates a file that only its owner reads, as it will hold the passwords of machines; SQLite
/// gives the same rights to the files that it puts beside it.
fn create(path: &Path) -> Result<(), OpenError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(source) => Err(OpenError::Create {
            path: path.display().to_string(),
            source,
        }),
    }
}

async fn rows(
    connection: &mut SqliteConnection,
    query: &Query,
    marker: Option<Marker>,
) -> Result<Vec<Record>, Failure> {
    let mut sql = translate::list(query, marker)?;
    if translate::is_summary(query) {
        return summaries(&sql.build().fetch_one(connection).await?);
    }
    let rows = sql.build().fetch_all(connection).await?;
    rows.iter().map(|row| record(query.kind, row)).collect()
}

async fn find(
    connection: &mut SqliteConnection,
    kind: Kind,
    key: &UniqueKey,
) -> Result<Option<Record>, Failure> {
    const SQL: &str = concat!(
        "SELECT ",
        columns!(),
        " FROM unique_keys AS k JOIN records AS r ON r.kind = k.kind AND r.id = k.id \
         WHERE k.kind = ? AND k.field = ? AND k.value = ?"
    );
    let row = sqlx::query(SQL)
        .bind(kind.as_str())
        .bind(&key.field)
        .bind(&key.value)
        .fetch_optional(connection)
        .await?;
    row.map(|row| record(kind, &row)).transpose()
}

async fn count(
    connection: &mut SqliteConnection,
    kind: Kind,
    filter: &Filter,
) -> Result<u64, Failure> {
    let mut sql = translate::count(kind, filter)?;
    let count: i64 = sql.build_query_scalar().fetch_one(connection).await?;
    Ok(u64::try_from(count).unwrap_or(0))
}

#[async_trait]
impl Store for SqliteStore {
    async fn get(&self, kind: Kind, id: Uuid) -> Result<Option<Record>, StoreError> {
        let mut lease = self.reader().await?;
        let record = fetch(&mut lease, kind, id).await;
        Ok(lease.end(record)?)
    }

    async fn find(&self, kind: Kind, key: &UniqueKey) -> Result<Option<Record>, StoreError> {
        let mut lease = self.reader().await?;
        let record = find(&mut lease, kind, key).await;
        Ok(lease.end(record)?)
    }

    async fn list(&self, query: &Query) -> Result<Vec<Record>, StoreError> {
        let mut lease = self.reader().await?;
        let records = list(&mut lease, query).await;
        Ok(lease.end(records)?)
    }

    async fn count(&self, kind: Kind, filter: &Filter) -> Result<u64, StoreError> {
        let mut lease = self.reader().await?;
        let count = count(&mut lease, kind, filter).await;
        Ok(lease.end(count)?)
    }

    async fn commit(&self, batch: Batch) -> Result<Vec<Revision>, StoreError> {
        self.writer.commit(batch).await
    }
}
