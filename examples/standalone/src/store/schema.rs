use super::OpenError;
use super::dialect::{Dialect, begin_by};
use super::error::DatabaseError;
use super::sql::Sql;

/// What version of the schema a database has; 0 if it has none yet.
pub(super) async fn version<D: Dialect>(
    connection: &mut D::Connection,
) -> Result<i64, DatabaseError> {
    let tables = D::whole(connection, Sql::fixed(D::HAS_VERSION, [])).await?;
    if tables == Some(0) {
        return Ok(0);
    }
    let version = Sql::fixed("SELECT max(version) FROM schema_version", []);
    Ok(D::whole(connection, version).await?.unwrap_or(0))
}

/// The newest version that this program knows.
pub(super) fn newest<D: Dialect>() -> i64 {
    i64::try_from(D::MIGRATIONS.len()).unwrap_or(i64::MAX)
}

/// Brings a database to the newest version; creates what a new one needs. Answers which version
/// it had.
///
/// All steps are one transaction, so that a program that ends in the middle of it leaves nothing
/// behind, and a second one that starts meanwhile waits and then finds nothing to do.
pub(super) async fn migrate<D: Dialect>(connection: &mut D::Connection) -> Result<i64, OpenError> {
    let known = newest::<D>();
    // Without a lock: who only may read, or comes while others write, needs none.
    let found = version::<D>(connection).await?;
    if found == known {
        return Ok(found);
    }
    D::check(connection).await?;
    begin_by::<D>(connection, D::BEGIN_MIGRATION).await?;
    let migrated = bring_forward::<D>(connection, known).await;
    if migrated.is_err() {
        // The first error tells more.
        let _ = D::run(connection, "ROLLBACK").await;
        return migrated;
    }
    D::run(connection, "COMMIT").await?;
    migrated
}

async fn bring_forward<D: Dialect>(
    connection: &mut D::Connection,
    known: i64,
) -> Result<i64, OpenError> {
    let found = version::<D>(connection).await?;
    let missing = usize::try_from(found)
        .ok()
        .and_then(|n| D::MIGRATIONS.get(n..));
    let Some(missing) = missing else {
        return Err(OpenError::Newer { found, known });
    };
    for migration in missing {
        D::run(connection, migration).await?;
    }
    if !missing.is_empty() {
        D::set_version(connection, known).await?;
    }
    Ok(found)
}
