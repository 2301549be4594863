//! Whether what is stored fits together.

use std::collections::BTreeSet;
use std::fmt;

use ironic_core::model::NodeSummary;
use ironic_core::store::{Kind, Record};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::ExportError;
use super::Progress;
use super::pages::{Page, Pages};
use crate::store::connections::Connections;
use crate::store::dialect::{Dialect, Found};
use crate::store::error::Failure;
use crate::store::group::Wanted;
use crate::store::records::rows;
use crate::store::row;
use crate::store::sql::Sql;

/// Something that does not fit.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finding {
    /// The database's own check says so.
    Damaged(String),
    /// A record is not what it should be.
    Record {
        /// What sort.
        kind: Kind,
        /// Which one.
        id: Uuid,
        /// What is wrong with it.
        problem: String,
    },
    /// There are unique keys that belong to no record.
    StrayKeys {
        /// How many.
        keys: u64,
    },
    /// There are records that a search by one of their fields does not find, or finds by a value
    /// that they do not have.
    Misfiled {
        /// How many.
        records: u64,
    },
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Damaged(problem) => write!(f, "the database is damaged: {problem}"),
            Self::Record { kind, id, problem } => write!(f, "{kind} {id} {problem}"),
            Self::StrayKeys { keys } => write!(f, "{keys} unique keys belong to no record"),
            Self::Misfiled { records } => {
                write!(
                    f,
                    "{records} records are not found by the values of their fields"
                )
            }
        }
    }
}

pub(super) async fn check<D: Dialect>(
    connections: &Connections<D>,
    progress: Progress<'_>,
) -> Result<Vec<Finding>, ExportError> {
    let mut lease = connections.acquire().await.map_err(Failure::from)?;
    let mut findings = Vec::new();
    if let Some(sql) = D::INTEGRITY {
        let said = D::text(&mut lease, Sql::fixed(sql, [])).await;
        let said = said.map_err(Failure::from)?.unwrap_or_default();
        if said != "ok" {
            findings.push(Finding::Damaged(said));
            return Ok(findings);
        }
    }
    let mut pages = Pages::<D>::open(&mut lease).await?;
    let (mut done, mut keys) = (0, 0);
    while let Some(page) = pages.next().await? {
        let revision = pages.revision;
        for record in &page.records {
            let highest = row::counted(record.revision);
            if record.created > record.revision || highest > revision {
                findings.push(finding(record, "has a revision that was never given"));
            }
            let own: BTreeSet<_> = record.keys.iter().collect();
            keys += own.len() as u64;
        }
        owners::<D>(pages.connection(), &page, &mut findings).await?;
        if page.query.kind == Kind::Node {
            summaries::<D>(pages.connection(), &page, &mut findings).await?;
        }
        done += page.records.len() as u64;
        progress(done, pages.records);
    }
    let count = Sql::fixed("SELECT count(*) FROM unique_keys", []);
    let count = D::whole(pages.connection(), count).await;
    let count = count.map_err(Failure::from)?.unwrap_or(0);
    let stray = u64::try_from(count).unwrap_or(0).saturating_sub(keys);
    if stray > 0 {
        findings.push(Finding::StrayKeys { keys: stray });
    }
    if let Some(sql) = D::misfiled() {
        let records = D::whole(pages.connection(), sql).await;
        let records = records.map_err(Failure::from)?.unwrap_or(0);
        let records = u64::try_from(records).unwrap_or(0);
        findings.extend((records > 0).then_some(Finding::Misfiled { records }));
    }
    pages.close().await?;
    Ok(findings)
}

fn finding(record: &Record, problem: impl Into<String>) -> Finding {
    Finding::Record {
        kind: record.kind,
        id: record.id,
        problem: problem.into(),
    }
}

/// Each key of a record has to lead to it.
async fn owners<D: Dialect>(
    connection: &mut D::Connection,
    page: &Page,
    findings: &mut Vec<Finding>,
) -> Result<(), ExportError> {
    let mut wanted = Wanted::default();
    for record in &page.records {
        let keys = record.keys.iter().map(|key| (record.kind, key));
        wanted.keys.extend(keys);
    }
    let mut led = BTreeSet::new();
    for found in D::read(connection, &wanted).await? {
        if let Found::Owner(_, key, id) = found {
            led.insert((key, id));
        }
    }
    for record in &page.records {
        for key in &record.keys {
            if !led.contains(&(key.clone(), record.id)) {
                let problem = format!("is not found by its {}", key.field);
                findings.push(finding(record, problem));
            }
        }
    }
    Ok(())
}

/// What a list shows of a node has to be what its body says.
async fn summaries<D: Dialect>(
    connection: &mut D::Connection,
    page: &Page,
    findings: &mut Vec<Finding>,
) -> Result<(), ExportError> {
    let fields = NodeSummary::FIELDS.map(str::to_owned).to_vec();
    let brief = page.query.clone().fields(fields);
    let brief = rows::<D>(connection, &brief, page.after).await?;
    for (record, brief) in page.records.iter().zip(&brief) {
        let parse = |record: &Record| {
            let body = serde_json::from_str::<Map<String, Value>>(record.body.get());
            body.unwrap_or_default()
        };
        let (whole, brief) = (parse(record), parse(brief));
        let differs = |field: &&&str| whole.get(**field) != brief.get(**field);
        if let Some(field) = NodeSummary::FIELDS.iter().find(differs) {
            findings.push(finding(record, format!("is listed with another {field}")));
        }
    }
    Ok(())
}
