//! All records of a database, page by page, as they were at one moment.

use ironic_core::store::{Kind, Query, Record};

use super::ExportError;
use crate::store::OpenError;
use crate::store::dialect::{Dialect, begin_by};
use crate::store::error::Failure;
use crate::store::records::rows;
use crate::store::row;
use crate::store::schema;
use crate::store::sql::Sql;
use crate::store::translate::Marker;

/// How many records are held at once: some are of several MiB.
const PAGE: u32 = 64;

/// A moment of a database.
pub(super) struct Pages<'c, D: Dialect> {
    connection: &'c mut D::Connection,
    kinds: std::vec::IntoIter<Kind>,
    kind: Option<Kind>,
    after: Option<Marker>,
    /// The highest revision given so far.
    pub(super) revision: i64,
    /// How many records there are.
    pub(super) records: u64,
}

impl<'c, D: Dialect> Pages<'c, D> {
    /// Takes the moment that it is now. A database with another schema than this program's is
    /// refused.
    pub(super) async fn open(connection: &'c mut D::Connection) -> Result<Self, ExportError> {
        begin_by::<D>(connection, D::BEGIN_LONG_SNAPSHOT)
            .await
            .map_err(Failure::from)?;
        expect_schema::<D>(connection).await?;
        let mut number = async |sql| {
            let number = D::whole(connection, Sql::fixed(sql, [])).await;
            number.map(Option::unwrap_or_default).map_err(Failure::from)
        };
        let revision = number("SELECT value FROM revision").await?;
        let records = number("SELECT count(*) FROM records").await?;
        // In an order that does not depend on this program's version.
        let mut kinds = Kind::ALL.to_vec();
        kinds.sort_by_key(|kind| kind.as_str());
        Ok(Self {
            connection,
            kinds: kinds.into_iter(),
            kind: None,
            after: None,
            revision,
            records: u64::try_from(records).unwrap_or(0),
        })
    }

    /// What the statements between two pages see, too.
    pub(super) fn connection(&mut self) -> &mut D::Connection {
        self.connection
    }

    /// The next records, which are of one kind, in the order of their creation, and the query
    /// that gave them; none at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Page>, ExportError> {
        loop {
            let Some(kind) = self.kind.or_else(|| self.kinds.next()) else {
                return Ok(None);
            };
            let query = Query::all(kind).limit(PAGE);
            let after = self.after;
            let records = rows::<D>(self.connection, &query, after).await?;
            let Some(last) = records.last() else {
                (self.kind, self.after) = (None, None);
                continue;
            };
            self.kind = Some(kind);
            self.after = Some(Marker {
                id: last.id,
                created: row::counted(last.created),
            });
            return Ok(Some(Page {
                records,
                query,
                after,
            }));
        }
    }

    pub(super) async fn close(self) -> Result<(), ExportError> {
        let ended = D::run(self.connection, "ROLLBACK").await;
        Ok(ended.map_err(Failure::from)?)
    }
}

/// Some records, and how to ask for others in their place.
pub(super) struct Page {
    pub(super) records: Vec<Record>,
    pub(super) query: Query,
    pub(super) after: Option<Marker>,
}

/// Fails unless the tables are those that this program works with.
pub(super) async fn expect_schema<D: Dialect>(
    connection: &mut D::Connection,
) -> Result<(), ExportError> {
    let found = schema::version::<D>(connection)
        .await
        .map_err(Failure::from)?;
    let known = schema::newest::<D>();
    match found.cmp(&known) {
        std::cmp::Ordering::Less => Err(ExportError::Older { found, known }),
        std::cmp::Ordering::Greater => Err(OpenError::Newer { found, known }.into()),
        std::cmp::Ordering::Equal => Ok(()),
    }
}
