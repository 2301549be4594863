//! Filters and orders as SQL over the expressions of a dialect.

use ironic_core::model::NodeSummary;
use ironic_core::store::{Compare, Filter, Kind, Query, Scalar, Sort, StoreError};
use uuid::Uuid;

use super::columns::COLUMNS;
use super::dialect::Expressions;
use super::row::{columns, head, summary_body};
use super::sql::Sql;

/// Where the record is that a list goes on after.
#[derive(Debug, Clone, Copy)]
pub(super) struct Marker {
    pub(super) id: Uuid,
    pub(super) created: i64,
}

/// The statement that counts the records of a kind that match.
pub(super) fn count<E: Expressions>(kind: Kind, filter: &Filter) -> Result<Sql, StoreError> {
    let mut sql = Sql::of(kind);
    sql.push("SELECT count(*) FROM records AS r");
    sql.joint();
    sql.push(" WHERE ");
    E::kind(&mut sql, kind);
    sql.push(" AND ");
    condition::<E>(&mut sql, filter)?;
    E::finish(&mut sql);
    Ok(sql)
}

/// Whether summaries are all that a query asks for.
fn is_summary(query: &Query) -> bool {
    let known = |field: &String| NodeSummary::FIELDS.contains(&field.as_str());
    let fields = query.fields.as_ref();
    query.kind == Kind::Node && fields.is_some_and(|fields| fields.iter().all(known))
}

/// The columns that a filter wants to be null, where it wants nothing else.
fn unset_columns(filter: &Filter) -> Option<Vec<&'static str>> {
    match filter {
        Filter::All => Some(Vec::new()),
        Filter::Null(field) => {
            let column = COLUMNS.iter().find(|column| *column == field)?;
            Some(vec![*column])
        }
        Filter::And(filters) => {
            let all: Option<Vec<_>> = filters.iter().map(unset_columns).collect();
            Some(all?.concat())
        }
        _ => None,
    }
}

/// The statement that lists what a query asks for: rows of whole records, or summaries.
pub(super) fn list<E: Expressions>(
    query: &Query,
    marker: Option<Marker>,
) -> Result<Sql, StoreError> {
    let mut sql = Sql::of(query.kind);
    let is_summary = is_summary(query);
    let sorted_marker = marker.filter(|_| !query.sort.is_empty());
    if let Some(marker) = sorted_marker {
        marker_keys::<E>(&mut sql, query, marker);
    }
    sql.push(if is_summary {
        concat!(
            "SELECT ",
            head!(),
            " AS head, ",
            summary_body!(),
            " AS body"
        )
    } else {
        concat!("SELECT ", columns!())
    });
    let unset = if is_summary && query.sort.is_empty() {
        unset_columns(&query.filter)
    } else {
        None
    };
    if let Some(unset) = unset {
        sql.push(E::SUMMARIES);
        for column in unset {
            sql.push_args(format_args!(" AND coalesce(r.{column} = 'null', TRUE)"));
        }
    } else {
        sql.push(match sorted_marker {
            Some(_) => " FROM m CROSS JOIN records AS r",
            None => " FROM records AS r",
        });
        sql.joint();
        sql.push(" WHERE ");
        E::kind(&mut sql, query.kind);
        sql.push(" AND ");
        condition::<E>(&mut sql, &query.filter)?;
    }
    if let Some(marker) = marker {
        sql.push(" AND ");
        behind::<E>(&mut sql, &query.sort, 0, marker);
    }
    sql.push(" ORDER BY ");
    for sort in &query.sort {
        for n in 0..E::SORT_KEYS {
            E::sort_key(&mut sql, &sort.field, n);
            sql.push(if sort.descending { " DESC, " } else { ", " });
        }
    }
    sql.push("r.created, r.id");
    if let Some(limit) = query.limit {
        sql.push(" LIMIT ");
        sql.bind(i64::from(limit));
    }
    E::finish(&mut sql);
    Ok(sql)
}

/// What the marker is sorted by, as the one row of `m`: compared with the other records by the
/// same expressions, so that a number is on both sides what the database takes it for.
fn marker_keys<E: Expressions>(sql: &mut Sql, query: &Query, marker: Marker) {
    sql.push("WITH m AS MATERIALIZED (SELECT ");
    for (field, sort) in query.sort.iter().enumerate() {
        for n in 0..E::SORT_KEYS {
            E::sort_key(sql, &sort.field, n);
            sql.push_args(format_args!(" AS key{field}_{n}, "));
        }
    }
    sql.push("0 FROM records AS r");
    sql.joint();
    sql.push(" WHERE ");
    E::kind(sql, query.kind);
    sql.push(" AND r.id = ");
    sql.bind(marker.id.to_string());
    sql.push(") ");
}

/// The record comes after the marker, as far as the sort fields from the n-th on tell, and
/// creation after them.
fn behind<E: Expressions>(sql: &mut Sql, sorts: &[Sort], field: usize, marker: Marker) {
    let Some((sort, rest)) = sorts.split_first() else {
        sql.push("(r.created, r.id) > (");
        sql.bind(marker.created);
        sql.push(", ");
        sql.bind(marker.id.to_string());
        sql.push(")");
        return;
    };
    let further = if sort.descending { "<" } else { ">" };
    for n in 0..E::SORT_KEYS {
        sql.push("(");
        E::sort_key(sql, &sort.field, n);
        sql.push_args(format_args!(" {further} m.key{field}_{n} OR ("));
        E::sort_key(sql, &sort.field, n);
        sql.push_args(format_args!(" IS NOT DISTINCT FROM m.key{field}_{n} AND "));
    }
    behind::<E>(sql, rest, field + 1, marker);
    for _ in 0..E::SORT_KEYS {
        sql.push("))");
    }
}

fn condition<E: Expressions>(sql: &mut Sql, filter: &Filter) -> Result<(), StoreError> {
    match filter {
        Filter::All => sql.push("TRUE"),
        Filter::Is(field, compare, scalar) => is::<E>(sql, field, *compare, scalar),
        Filter::Null(field) => E::is_null(sql, field),
        Filter::In(field, scalars) => one_of::<E>(sql, field, scalars),
        Filter::Contains(field, scalar) => E::contains(sql, field, scalar),
        Filter::Like(field, part) => E::like(sql, field, part),
        Filter::And(filters) => joined::<E>(sql, filters, " AND ", "TRUE")?,
        Filter::Or(filters) => joined::<E>(sql, filters, " OR ", "FALSE")?,
        Filter::Not(filter) => {
            sql.push("((");
            condition::<E>(sql, filter)?;
            sql.push(") IS NOT TRUE)");
        }
        // `Filter` may grow, and neither true nor false is a safe guess.
        unknown => {
            let message = format!("this store does not know the filter {unknown:?}");
            return Err(StoreError::unavailable(message));
        }
    }
    Ok(())
}

/// Joins conditions as a balanced tree: SQLite takes expressions up to a depth of 1000.
fn joined<E: Expressions>(
    sql: &mut Sql,
    filters: &[Filter],
    operator: &str,
    empty: &str,
) -> Result<(), StoreError> {
    match filters {
        [] => sql.push(empty),
        [one] => condition::<E>(sql, one)?,
        several => {
            let (left, right) = several.split_at(several.len() / 2);
            sql.push("(");
            joined::<E>(sql, left, operator, empty)?;
            sql.push(operator);
            joined::<E>(sql, right, operator, empty)?;
            sql.push(")");
        }
    }
    Ok(())
}

fn is<E: Expressions>(sql: &mut Sql, field: &str, compare: Compare, scalar: &Scalar) {
    match scalar {
        Scalar::Bool(flag) => is_flag::<E>(sql, field, compare, *flag),
        // No database here has a NaN as floats have it. Every number is unequal to it, and that
        // is all.
        Scalar::Number(number) if number.is_nan() && compare == Compare::Ne => {
            E::is_number(sql, field);
        }
        Scalar::Number(number) if number.is_nan() => sql.push("FALSE"),
        Scalar::Number(bound) => {
            sql.push("(");
            E::is_number(sql, field);
            sql.push(" AND ");
            E::number(sql, field);
            sql.push(operator(compare));
            sql.bind(*bound);
            sql.push(")");
        }
        Scalar::String(text) => E::compares_text(sql, field, operator(compare), text),
    }
}

fn is_flag<E: Expressions>(sql: &mut Sql, field: &str, compare: Compare, flag: bool) {
    let holds = |value: bool| match compare {
        Compare::Eq => value == flag,
        Compare::Ne => value != flag,
        Compare::Lt => !value & flag,
        Compare::Le => value <= flag,
        Compare::Gt => value & !flag,
        Compare::Ge => value >= flag,
    };
    match (holds(false), holds(true)) {
        (false, false) => sql.push("FALSE"),
        (true, false) => E::is_flag(sql, field, false),
        (false, true) => E::is_flag(sql, field, true),
        (true, true) => E::is_boolean(sql, field),
    }
}

fn operator(compare: Compare) -> &'static str {
    match compare {
        Compare::Eq => " = ",
        Compare::Ne => " <> ",
        Compare::Lt => " < ",
        Compare::Le => " <= ",
        Compare::Gt => " > ",
        Compare::Ge => " >= ",
    }
}

fn one_of<E: Expressions>(sql: &mut Sql, field: &str, scalars: &[Scalar]) {
    let mut texts = Vec::new();
    let mut numbers = Vec::new();
    let mut flags = Vec::new();
    for scalar in scalars {
        match scalar {
            Scalar::Bool(flag) => flags.push(*flag),
            // No JSON number equals what is no JSON number.
            Scalar::Number(number) if number.is_finite() => numbers.push(*number),
            Scalar::Number(_) => {}
            Scalar::String(text) => texts.push(text.as_str()),
        }
    }
    // A lone condition must stand alone, or no index serves it.
    let mut or = "(";
    if !texts.is_empty() {
        sql.push(or);
        E::one_of_texts(sql, field, &texts);
        or = " OR ";
    }
    if !numbers.is_empty() {
        sql.push(or);
        E::one_of_numbers(sql, field, &numbers);
        or = " OR ";
    }
    for flag in [false, true].iter().filter(|flag| flags.contains(flag)) {
        sql.push(or);
        E::is_flag(sql, field, *flag);
        or = " OR ";
    }
    sql.push(if or == "(" { "FALSE" } else { ")" });
}
