//! All records as lines of JSON.

use std::io::{self, Write};

use ironic_core::store::StoreError;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::Progress;
use super::line::{End, FORMAT, Head, Line, VERSION, hex};
use super::pages::Pages;
use crate::store::connections::Connections;
use crate::store::dialect::Dialect;
use crate::store::error::{Failure, OpenError};

/// Why a database could not be read as a whole.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// The database cannot be used.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// An older program has written the database.
    #[error(
        "the database has schema version {found}, and this program works with {known}: \
         upgrade it first"
    )]
    Older {
        /// What the database has.
        found: i64,
        /// What this program works with.
        known: i64,
    },
    /// The database fails, or what it holds makes no sense.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The lines cannot be written.
    #[error("the lines cannot be written: {0}")]
    Write(#[from] io::Error),
}

impl From<Failure> for ExportError {
    fn from(failure: Failure) -> Self {
        Self::Store(failure.into())
    }
}

pub(super) async fn export<D: Dialect>(
    connections: &Connections<D>,
    to: &mut (dyn Write + Send),
    progress: Progress<'_>,
) -> Result<u64, ExportError> {
    let mut lease = connections.acquire().await.map_err(Failure::from)?;
    let mut pages = Pages::<D>::open(&mut lease).await?;
    let mut lines = Lines {
        to,
        hash: Sha256::new(),
    };
    lines.write(&Head {
        format: FORMAT.into(),
        version: VERSION,
        revision: u64::try_from(pages.revision).unwrap_or(0),
        records: pages.records,
    })?;
    let mut done = 0;
    while let Some(page) = pages.next().await? {
        for record in &page.records {
            lines.write(&Line::of(record))?;
            done += 1;
        }
        progress(done, pages.records);
    }
    pages.close().await?;
    let digest = std::mem::take(&mut lines.hash).finalize();
    lines.write(&End {
        sha256: hex(&digest).into(),
    })?;
    lines.to.flush()?;
    Ok(done)
}

struct Lines<'a> {
    to: &'a mut (dyn Write + Send),
    hash: Sha256,
}

impl Lines<'_> {
    fn write(&mut self, line: &impl Serialize) -> io::Result<()> {
        let mut line = serde_json::to_vec(line)?;
        line.push(b'\n');
        self.hash.update(&line);
        self.to.write_all(&line)
    }
}
