//! The fields of records in SQLite: by `json_type` and `json_extract`.

use ironic_core::store::{Kind, Scalar};

use super::Sqlite;
use crate::store::dialect::Expressions;
use crate::store::sql::Sql;

/// Fields, each with the column that keeps what a call finds in the body, and that call.
macro_rules! columns {
    ($function:literal: $($field:literal)+) => {
        &[$(Indexed {
            field: $field,
            column: concat!("by_", $field),
            asked: concat!("r.by_", $field),
            call: concat!($function, "(?2, '$.\"", $field, "\"')"),
        }),+]
    };
}

/// A field with an index.
#[derive(Debug)]
pub(super) struct Indexed {
    pub(super) field: &'static str,
    pub(super) column: &'static str,
    /// The column as statements about a record `r` call it.
    asked: &'static str,
    /// What belongs into the column, if the body is the second argument of a statement.
    pub(super) call: &'static str,
}

/// Fields with an index over their text: with [`INDEXED_TYPE`] those of [`Kind::indexed_fields`].
pub(super) const INDEXED_TEXT: &[Indexed] = columns! {
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
pub(super) const INDEXED_TYPE: &[Indexed] = columns!("json_type": "maintenance" "console_enabled");

/// How many texts are looked for one by one.
const FEW: usize = 8;

impl Expressions for Sqlite {
    // The planner does not know what it costs to read bodies. The kind is written out, as the
    // index is for this one alone.
    const SUMMARIES: &'static str =
        " FROM records AS r INDEXED BY node_summaries WHERE r.kind = 'node'";

    const SORT_KEYS: usize = 2;

    fn kind(sql: &mut Sql, kind: Kind) {
        sql.push("r.kind = ");
        sql.bind(kind.as_str());
    }

    fn is_null(sql: &mut Sql, field: &str) {
        sql.push("ifnull(");
        json_type(sql, field);
        sql.push(" = 'null', 1)");
    }

    fn is_flag(sql: &mut Sql, field: &str, flag: bool) {
        json_type(sql, field);
        sql.push(if flag { " = 'true'" } else { " = 'false'" });
    }

    fn is_boolean(sql: &mut Sql, field: &str) {
        json_type(sql, field);
        sql.push(" IN ('false', 'true')");
    }

    fn is_number(sql: &mut Sql, field: &str) {
        json_type(sql, field);
        sql.push(" IN ('integer', 'real')");
    }

    /// SQLite would compare whole numbers as such.
    fn number(sql: &mut Sql, field: &str) {
        sql.push("CAST(");
        json_extract(sql, field);
        sql.push(" AS REAL)");
    }

    fn compares_text(sql: &mut Sql, field: &str, operator: &str, text: &str) {
        sql.push("(");
        json_type(sql, field);
        sql.push(" = 'text' AND ");
        json_extract(sql, field);
        sql.push(operator);
        sql.bind(text.to_owned());
        sql.push(")");
    }

    /// They travel as one JSON array, however many they are, but for a few.
    fn one_of_texts(sql: &mut Sql, field: &str, texts: &[&str]) {
        json_type(sql, field);
        sql.push(" = 'text' AND ");
        json_extract(sql, field);
        if texts.len() > FEW {
            return among(sql, serde_json::json!(texts));
        }
        // Of a few the planner knows how few they are.
        let mut before = " IN (";
        for text in texts {
            sql.push(before);
            sql.bind((*text).to_owned());
            before = ", ";
        }
        sql.push(")");
    }

    fn one_of_numbers(sql: &mut Sql, field: &str, numbers: &[f64]) {
        Self::is_number(sql, field);
        sql.push(" AND ");
        Self::number(sql, field);
        among(sql, serde_json::json!(numbers));
    }

    fn contains(sql: &mut Sql, field: &str, scalar: &Scalar) {
        sql.push("((");
        json_type(sql, field);
        sql.push(" = 'array' AND EXISTS (SELECT 1 FROM json_each(r.body, ");
        sql.bind(path(field));
        sql.push(") AS e WHERE ");
        match scalar {
            Scalar::Bool(true) => sql.push("e.type = 'true'"),
            Scalar::Bool(false) => sql.push("e.type = 'false'"),
            Scalar::Number(number) if number.is_nan() => sql.push("0"),
            Scalar::Number(number) => {
                sql.push("e.type IN ('integer', 'real') AND CAST(e.value AS REAL) = ");
                sql.bind(*number);
            }
            Scalar::String(text) => {
                sql.push("e.type = 'text' AND e.value = ");
                sql.bind(text.clone());
            }
        }
        sql.push("))");
        if let Scalar::String(name) = scalar {
            sql.push(" OR (");
            json_type(sql, field);
            sql.push(" = 'object' AND EXISTS (SELECT 1 FROM json_each(r.body, ");
            sql.bind(path(field));
            sql.push(") AS e WHERE e.key = ");
            sql.bind(name.clone());
            sql.push("))");
        }
        sql.push(")");
    }

    /// `lower` folds ASCII and nothing else, unlike LIKE knows no wildcards, and is undone by no
    /// pragma.
    fn like(sql: &mut Sql, field: &str, part: &str) {
        sql.push("(");
        json_type(sql, field);
        sql.push(" = 'text' AND instr(lower(");
        json_extract(sql, field);
        sql.push("), ");
        sql.bind(part.to_ascii_lowercase());
        sql.push(") > 0)");
    }

    fn sort_key(sql: &mut Sql, field: &str, n: usize) {
        if n == 0 {
            rank(sql, field);
        } else {
            value(sql, field);
        }
    }
}

fn among(sql: &mut Sql, values: serde_json::Value) {
    sql.push(" IN (SELECT e.value FROM json_each(");
    sql.bind(values.to_string());
    sql.push(") AS e)");
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
    for number_type in [" WHEN 'integer' THEN ", " WHEN 'real' THEN "] {
        sql.push(number_type);
        Sqlite::number(sql, field);
    }
    sql.push(" END");
}

fn json_extract(sql: &mut Sql, field: &str) {
    call(sql, "json_extract(r.body, ", INDEXED_TEXT, field);
}

fn json_type(sql: &mut Sql, field: &str) {
    call(sql, "json_type(r.body, ", INDEXED_TYPE, field);
}

fn call(sql: &mut Sql, function: &str, indexed: &[Indexed], field: &str) {
    match indexed.iter().find(|indexed| indexed.field == field) {
        Some(indexed) => sql.push(indexed.asked),
        None => {
            sql.push(function);
            sql.bind(path(field));
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
