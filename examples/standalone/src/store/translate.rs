//! Filters and orders as SQL over `json_type` and `json_extract`.
//!
//! A condition is true, or it is false or NULL, which a WHERE clause, AND and OR take alike; NOT
//! is the one place where they differ, and there stands `IS NOT TRUE`.

use ironic_core::model::NodeSummary;
use ironic_core::store::{Compare, Filter, Kind, Query, Scalar, Sort, StoreError};
use sqlx::{QueryBuilder, Sqlite};
use uuid::Uuid;

use super::columns::COLUMNS;
use super::row::{columns, summary};

type Sql = QueryBuilder<Sqlite>;

/// Fields, each with a call that takes the body apart.
macro_rules! calls {
    ($function:literal: $($field:literal)+) => {
        &[$(($field, concat!($function, "(r.body, '$.\"", $field, "\"')"))),+]
    };
}

/// Fields with an index over their text: with [`INDEXED_TYPE`] those of
/// [`Kind::indexed_fields`]. An index only serves an expression that is literally its own, so
/// their paths are written into the SQL and not bound.
pub(super) const INDEXED_TEXT: &[(&str, &str)] = calls! {
    "json_extract":
    "node_uuid"
    "provision_state"
    "driver"
    "resource_class"
    "conductor_group"
    "owner"
    "lessee"
    "shard"
    "name"
    "address"
    "holder"
    "parent_node"
    "state"
};

/// Fields with an index over their type, of which true and false are two.
pub(super) const INDEXED_TYPE: &[(&str, &str)] =
    calls!("json_type": "maintenance" "console_enabled");

/// Where the record is that a list goes on after.
#[derive(Debug, Clone, Copy)]
pub(super) struct Marker {
    pub(super) id: Uuid,
    pub(super) created: i64,
}

/// The statement that counts the records of a kind that match.
pub(super) fn count(kind: Kind, filter: &Filter) -> Result<Sql, StoreError> {
    let mut sql = Sql::new("SELECT count(*) FROM records AS r WHERE r.kind = ");
    sql.push_bind(kind.as_str());
    sql.push(" AND ");
    condition(&mut sql, filter)?;
    Ok(sql)
}

/// Whether [`summary`] is all that a query asks for.
pub(super) fn is_summary(query: &Query) -> bool {
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

/// The statement that lists what a query asks for: rows of whole records, or one row of all
/// summaries.
pub(super) fn list(query: &Query, marker: Option<Marker>) -> Result<Sql, StoreError> {
    let mut sql = Sql::new("");
    let from = match marker {
        Some(marker) if !query.sort.is_empty() => {
            marker_keys(&mut sql, query, marker);
            " FROM m CROSS JOIN records AS r WHERE r.kind = "
        }
        _ => " FROM records AS r WHERE r.kind = ",
    };
    let is_summary = is_summary(query);
    sql.push(if is_summary {
        concat!(
            "SELECT group_concat(summary, char(30)) FROM (SELECT ",
            summary!(),
            " AS summary"
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
        // The planner does not know what it costs to read bodies. The kind is written out, as the
        // index is for this one alone.
        sql.push(" FROM records AS r INDEXED BY node_summaries WHERE r.kind = 'node'");
        for column in unset {
            sql.push(format_args!(" AND ifnull(r.{column} = 'null', 1)"));
        }
    } else {
        sql.push(from);
        sql.push_bind(query.kind.as_str());
        sql.push(" AND ");
        condition(&mut sql, &query.filter)?;
    }
    if let Some(marker) = marker {
        sql.push(" AND ");
        behind(&mut sql, &query.sort, 0, marker);
    }
    sql.push(" ORDER BY ");
    for sort in &query.sort {
        let direction = if sort.descending { " DESC, " } else { ", " };
        rank(&mut sql, &sort.field);
        sql.push(direction);
        value(&mut sql, &sort.field);
        sql.push(direction);
    }
    sql.push("r.created, r.id");
    if let Some(limit) = query.limit {
        sql.push(" LIMIT ");
        sql.push_bind(i64::from(limit));
    }
    if is_summary {
        sql.push(")");
    }
    Ok(sql)
}

/// What the marker is sorted by, as the one row of `m`: compared with the other records by the
/// same expressions, so that a number is on both sides what SQLite takes it for.
fn marker_keys(sql: &mut Sql, query: &Query, marker: Marker) {
    sql.push("WITH m AS MATERIALIZED (SELECT ");
    for (n, sort) in query.sort.iter().enumerate() {
        rank(sql, &sort.field);
        sql.push(format_args!(" AS rank{n}, "));
        value(sql, &sort.field);
        sql.push(format_args!(" AS value{n}, "));
    }
    sql.push("0 FROM records AS r WHERE r.kind = ");
    sql.push_bind(query.kind.as_str());
    sql.push(" AND r.id = ");
    sql.push_bind(marker.id.to_string());
    sql.push(") ");
}

/// The record comes after the marker, as far as the sort fields from the n-th on tell, and
/// creation after them.
fn behind(sql: &mut Sql, sorts: &[Sort], n: usize, marker: Marker) {
    let Some((sort, rest)) = sorts.split_first() else {
        sql.push("(r.created, r.id) > (");
        sql.push_bind(marker.created);
        sql.push(", ");
        sql.push_bind(marker.id.to_string());
        sql.push(")");
        return;
    };
    let further = if sort.descending { "<" } else { ">" };
    // Of one rank, values are of one type or both NULL.
    sql.push("(");
    rank(sql, &sort.field);
    sql.push(format_args!(" {further} m.rank{n} OR ("));
    rank(sql, &sort.field);
    sql.push(format_args!(" = m.rank{n} AND ("));
    value(sql, &sort.field);
    sql.push(format_args!(" {further} m.value{n} OR ("));
    value(sql, &sort.field);
    sql.push(format_args!(" IS m.value{n} AND "));
    behind(sql, rest, n + 1, marker);
    sql.push("))))");
}

fn condition(sql: &mut Sql, filter: &Filter) -> Result<(), StoreError> {
    match filter {
        Filter::All => {
            sql.push("1");
        }
        Filter::Is(field, compare, scalar) => is(sql, field, *compare, scalar),
        Filter::Null(field) => {
            sql.push("ifnull(");
            json_type(sql, field);
            sql.push(" = 'null', 1)");
        }
        Filter::In(field, scalars) => one_of(sql, field, scalars),
        Filter::Contains(field, scalar) => contains(sql, field, scalar),
        Filter::Like(field, part) => like(sql, field, part),
        Filter::And(filters) => joined(sql, filters, " AND ", "1")?,
        Filter::Or(filters) => joined(sql, filters, " OR ", "0")?,
        Filter::Not(filter) => {
            sql.push("((");
            condition(sql, filter)?;
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
fn joined(
    sql: &mut Sql,
    filters: &[Filter],
    operator: &str,
    empty: &str,
) -> Result<(), StoreError> {
    match filters {
        [] => {
            sql.push(empty);
        }
        [one] => condition(sql, one)?,
        several => {
            let (left, right) = several.split_at(several.len() / 2);
            sql.push("(");
            joined(sql, left, operator, empty)?;
            sql.push(operator);
            joined(sql, right, operator, empty)?;
            sql.push(")");
        }
    }
    Ok(())
}

fn is(sql: &mut Sql, field: &str, compare: Compare, scalar: &Scalar) {
    match scalar {
        Scalar::Bool(flag) => is_flag(sql, field, compare, *flag),
        // SQLite has no NaN. Every number is unequal to it, and that is all.
        Scalar::Number(number) if number.is_nan() && compare == Compare::Ne => {
            is_number(sql, field);
        }
        Scalar::Number(number) if number.is_nan() => {
            sql.push("0");
        }
        Scalar::Number(bound) => {
            sql.push("(");
            is_number(sql, field);
            sql.push(" AND ");
            number(sql, field);
            sql.push(operator(compare));
            sql.push_bind(*bound);
            sql.push(")");
        }
        Scalar::String(text) => {
            sql.push("(");
            json_type(sql, field);
            sql.push(" = 'text' AND ");
            json_extract(sql, field);
            sql.push(operator(compare));
            sql.push_bind(text.clone());
            sql.push(")");
        }
    }
}

fn is_flag(sql: &mut Sql, field: &str, compare: Compare, flag: bool) {
    let holds = |value: bool| match compare {
        Compare::Eq => value == flag,
        Compare::Ne => value != flag,
        Compare::Lt => !value & flag,
        Compare::Le => value <= flag,
        Compare::Gt => value & !flag,
        Compare::Ge => value >= flag,
    };
    let types = match (holds(false), holds(true)) {
        (false, false) => {
            sql.push("0");
            return;
        }
        (true, false) => " = 'false'",
        (false, true) => " = 'true'",
        (true, true) => " IN ('false', 'true')",
    };
    json_type(sql, field);
    sql.push(types);
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

/// How many texts are looked for one by one.
const FEW: usize = 8;

/// The scalars of each type travel as one JSON array, however many they are, but for a few texts.
fn one_of(sql: &mut Sql, field: &str, scalars: &[Scalar]) {
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
        json_type(sql, field);
        sql.push(" = 'text' AND ");
        json_extract(sql, field);
        match texts.as_slice() {
            // Of a few the planner knows how few they are.
            few if few.len() <= FEW => {
                sql.push(" IN (");
                let mut list = sql.separated(", ");
                for text in few {
                    list.push_bind((*text).to_owned());
                }
                list.push_unseparated(")");
            }
            many => among(sql, serde_json::json!(many)),
        }
        or = " OR ";
    }
    if !numbers.is_empty() {
        sql.push(or);
        is_number(sql, field);
        sql.push(" AND ");
        number(sql, field);
        among(sql, serde_json::json!(numbers));
        or = " OR ";
    }
    for flag in [false, true].iter().filter(|flag| flags.contains(flag)) {
        sql.push(or);
        is_flag(sql, field, Compare::Eq, *flag);
        or = " OR ";
    }
    sql.push(if or == "(" { "0" } else { ")" });
}

fn among(sql: &mut Sql, values: serde_json::Value) {
    sql.push(" IN (SELECT e.value FROM json_each(");
    sql.push_bind(values.to_string());
    sql.push(") AS e)");
}

fn contains(sql: &mut Sql, field: &str, scalar: &Scalar) {
    sql.push("((");
    json_type(sql, field);
    sql.push(" = 'array' AND EXISTS (SELECT 1 FROM json_each(r.body, ");
    sql.push_bind(path(field));
    sql.push(") AS e WHERE ");
    match scalar {
        Scalar::Bool(true) => {
            sql.push("e.type = 'true'");
        }
        Scalar::Bool(false) => {
            sql.push("e.type = 'false'");
        }
        Scalar::Number(number) if number.is_nan() => {
            sql.push("0");
        }
        Scalar::Number(number) => {
            sql.push("e.type IN ('integer', 'real') AND CAST(e.value AS REAL) = ");
            sql.push_bind(*number);
        }
        Scalar::String(text) => {
            sql.push("e.type = 'text' AND e.value = ");
            sql.push_bind(text.clone());
        }
    }
    sql.push("))");
    if let Scalar::String(name) = scalar {
        sql.push(" OR (");
        json_type(sql, field);
        sql.push(" = 'object' AND EXISTS (SELECT 1 FROM json_each(r.body, ");
        sql.push_bind(path(field));
        sql.push(") AS e WHERE e.key = ");
        sql.push_bind(name.clone());
        sql.push("))");
    }
    sql.push(")");
}

/// `lower` folds ASCII and nothing else, unlike LIKE knows no wildcards, and is undone by no pragma.
fn like(sql: &mut Sql, field: &str, part: &str) {
    sql.push("(");
    json_type(sql, field);
    sql.push(" = 'text' AND instr(lower(");
    json_extract(sql, field);
    sql.push("), ");
    sql.push_bind(part.to_ascii_lowercase());
    sql.push(") > 0)");
}

/// The place of the field's type in the order of types; of booleans, of the value as well.
fn rank(sql: &mut Sql, field: &str) {
    sql.push("CASE ");
    json_type(sql, field);
    sql.push(
        " WHEN 'false' THEN 1 WHEN 'true' THEN 2 WHEN 'integer' THEN 3 WHEN 'real' THEN 3 \
         WHEN 'text' THEN 4 ELSE 0 END",
    );
}

/// The value of the field that is a number or a text, else NULL.
fn value(sql: &mut Sql, field: &str) {
    sql.push("CASE ");
    json_type(sql, field);
    sql.push(" WHEN 'text' THEN ");
    json_extract(sql, field);
    for number_type in ["integer", "real"] {
        sql.push(format_args!(" WHEN '{number_type}' THEN "));
        number(sql, field);
    }
    sql.push(" END");
}

fn is_number(sql: &mut Sql, field: &str) {
    json_type(sql, field);
    sql.push(" IN ('integer', 'real')");
}

/// The field as a 64-bit float; SQLite would compare whole numbers as such.
fn number(sql: &mut Sql, field: &str) {
    sql.push("CAST(");
    json_extract(sql, field);
    sql.push(" AS REAL)");
}

fn json_extract(sql: &mut Sql, field: &str) {
    call(sql, "json_extract(r.body, ", INDEXED_TEXT, field);
}

fn json_type(sql: &mut Sql, field: &str) {
    call(sql, "json_type(r.body, ", INDEXED_TYPE, field);
}

fn call(sql: &mut Sql, function: &str, indexed: &[(&str, &str)], field: &str) {
    match indexed.iter().find(|(name, _)| *name == field) {
        Some((_, expression)) => {
            sql.push(expression);
        }
        None => {
            sql.push(function);
            sql.push_bind(path(field));
            sql.push(")");
        }
    }
}

/// A field as a path of SQLite: each member as a JSON string, which is how it reads a quoted label.
fn path(field: &str) -> String {
    let mut path = String::from("$");
    for member in field.split('.') {
        path.push('.');
        path.push_str(&serde_json::Value::from(member).to_string());
    }
    path
}
