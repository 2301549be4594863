//! The fields of records in PostgreSQL: by columns where there are some, else by what is in the
//! body, which is taken apart once for each record.

use ironic_core::store::{Kind, Scalar};
use serde_json::json;

use super::Postgres;
use super::escape::escape;
use super::indexed::{FLAGS, TEXTS, column};
use crate::store::columns::COLUMNS;
use crate::store::dialect::Expressions;
use crate::store::sql::Sql;

/// Takes a body apart. Without the OFFSET this would be merged into the query, and done over
/// wherever a field is named.
const BODIES: &str = " CROSS JOIN LATERAL \
    (SELECT coalesce(r.document, r.body::jsonb) AS document OFFSET 0) AS b";

impl Expressions for Postgres {
    const SUMMARIES: &'static str = " FROM records AS r WHERE r.kind = 'node'";

    const SORT_KEYS: usize = 3;

    /// Written out, so that a plan that is kept is for this kind: some have many records, some
    /// few. There are not many kinds, and they are words of this program.
    fn kind(sql: &mut Sql, kind: Kind) {
        sql.push("r.kind = '");
        sql.push(kind.as_str());
        sql.push("'");
    }

    fn is_null(sql: &mut Sql, field: &str) {
        if sql.kind == Some(Kind::Node) && COLUMNS.contains(&field) {
            sql.push("coalesce(r.");
            sql.push(field);
        } else {
            sql.push("coalesce(jsonb_typeof(");
            value(sql, field);
            sql.push(")");
        }
        sql.push(" = 'null', TRUE)");
    }

    fn is_flag(sql: &mut Sql, field: &str, flag: bool) {
        if is_column(sql, &FLAGS, field) {
            sql.push("r.by_");
            sql.push(field);
            sql.push(if flag { " = TRUE" } else { " = FALSE" });
        } else {
            value(sql, field);
            sql.push(if flag {
                " = 'true'::jsonb"
            } else {
                " = 'false'::jsonb"
            });
        }
    }

    fn is_boolean(sql: &mut Sql, field: &str) {
        is_type(sql, field, "boolean");
    }

    fn is_number(sql: &mut Sql, field: &str) {
        is_type(sql, field, "number");
    }

    fn number(sql: &mut Sql, field: &str) {
        sql.push("CASE WHEN ");
        is_type(sql, field, "number");
        sql.push(" THEN ironic_number(");
        value(sql, field);
        sql.push(") END");
    }

    fn compares_text(sql: &mut Sql, field: &str, operator: &str, wanted: &str) {
        match column(wanted) {
            Some(wanted) if operator == " = " && is_column(sql, &TEXTS, field) => {
                sql.push("r.by_");
                sql.push(field);
                sql.push(operator);
                sql.bind(wanted);
            }
            _ => {
                text(sql, field);
                sql.push(operator);
                sql.bind(escape(wanted).into_owned());
            }
        }
    }

    fn one_of_texts(sql: &mut Sql, field: &str, texts: &[&str]) {
        let columns: Option<Vec<_>> = texts.iter().map(|text| column(text)).collect();
        let wanted = match columns {
            Some(columns) if is_column(sql, &TEXTS, field) => {
                sql.push("r.by_");
                sql.push(field);
                json!(columns)
            }
            _ => {
                text(sql, field);
                let texts = texts.iter().map(|text| escape(text));
                json!(texts.collect::<Vec<_>>())
            }
        };
        sql.push(" = ANY(ARRAY(SELECT jsonb_array_elements_text(");
        sql.bind(wanted.to_string());
        sql.push("::jsonb)))");
    }

    fn one_of_numbers(sql: &mut Sql, field: &str, numbers: &[f64]) {
        Self::number(sql, field);
        sql.push(" = ANY(ARRAY(SELECT ironic_number(e) FROM jsonb_array_elements(");
        sql.bind(json!(numbers).to_string());
        sql.push("::jsonb) AS e))");
    }

    fn contains(sql: &mut Sql, field: &str, scalar: &Scalar) {
        if let Scalar::String(text) = scalar {
            // Of a text it would say whether it is that text.
            sql.push("(jsonb_typeof(");
            value(sql, field);
            sql.push(") IN ('array', 'object') AND jsonb_exists(");
            value(sql, field);
            sql.push(", ");
            sql.bind(escape(text).into_owned());
            sql.push("))");
            return;
        }
        // An AND might be judged from its end, and fail of what is no array.
        sql.push("CASE WHEN ");
        is_type(sql, field, "array");
        sql.push(" THEN EXISTS (SELECT 1 FROM jsonb_array_elements(");
        value(sql, field);
        sql.push(") AS e WHERE ");
        match scalar {
            Scalar::Bool(true) => sql.push("e = 'true'::jsonb"),
            Scalar::Bool(false) => sql.push("e = 'false'::jsonb"),
            Scalar::Number(number) if !number.is_nan() => {
                sql.push("CASE WHEN jsonb_typeof(e) = 'number' THEN ironic_number(e) END = ");
                sql.bind(*number);
            }
            _ => sql.push("FALSE"),
        }
        sql.push(") END");
    }

    /// With the collation C, `lower` folds ASCII and nothing else.
    fn like(sql: &mut Sql, field: &str, part: &str) {
        sql.push("strpos(lower(");
        text(sql, field);
        sql.push("), ");
        sql.bind(escape(&part.to_ascii_lowercase()).into_owned());
        sql.push(") > 0");
    }

    fn sort_key(sql: &mut Sql, field: &str, n: usize) {
        match n {
            0 => rank(sql, field),
            1 => Self::number(sql, field),
            _ => text(sql, field),
        }
    }

    fn finish(sql: &mut Sql) {
        if sql.opens_bodies {
            sql.join(BODIES);
        }
    }
}

/// Whether a field has a column, of records of the kind that is asked for.
fn is_column(sql: &Sql, columns: &[&str], field: &str) -> bool {
    let indexed = sql.kind.map(Kind::indexed_fields).unwrap_or_default();
    !indexed.is_empty() && columns.contains(&field)
}

/// The place of the field's type in the order of types; of booleans, of the value as well.
fn rank(sql: &mut Sql, field: &str) {
    sql.push("CASE jsonb_typeof(");
    value(sql, field);
    sql.push(") WHEN 'boolean' THEN CASE WHEN ");
    Postgres::is_flag(sql, field, true);
    sql.push(" THEN 2 ELSE 1 END WHEN 'number' THEN 3 WHEN 'string' THEN 4 ELSE 0 END");
}

fn is_type(sql: &mut Sql, field: &str, name: &str) {
    sql.push("jsonb_typeof(");
    value(sql, field);
    sql.push(") = '");
    sql.push(name);
    sql.push("'");
}

/// The field where it is a text, else NULL.
fn text(sql: &mut Sql, field: &str) {
    sql.push("(CASE WHEN ");
    is_type(sql, field, "string");
    sql.push(" THEN ");
    value(sql, field);
    sql.push(" #>> '{}' END COLLATE \"C\")");
}

/// The field as JSON: NULL where there is none. Of an array no member has a name.
fn value(sql: &mut Sql, field: &str) {
    sql.opens_bodies = true;
    sql.push("(b.document");
    for member in field.split('.') {
        sql.push(" -> ");
        sql.bind(escape(member).into_owned());
    }
    sql.push(")");
}
