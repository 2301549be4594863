//! The document as a page to read: complete without scripts, and without anything from elsewhere.

use std::borrow::Cow;

use serde_json::{Map, Value};

/// HTML under construction. Tags are constants; whatever else comes in is escaped.
#[derive(Default)]
struct Html(String);

impl Html {
    fn raw(&mut self, tags: &'static str) -> &mut Self {
        self.0.push_str(tags);
        self
    }

    fn text(&mut self, text: &str) -> &mut Self {
        self.0.push_str(&escaped(text));
        self
    }
}

/// Text as it stands in HTML and in its quoted attributes.
fn escaped(text: &str) -> Cow<'_, str> {
    let special = |c: char| matches!(c, '&' | '<' | '>' | '"' | '\'');
    if !text.contains(special) {
        return text.into();
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped.into()
}

/// The methods in the order in which they are shown.
const METHODS: &[&str] = &["get", "post", "put", "patch", "delete"];

/// The page of a document.
pub(super) fn page(document: &Value) -> String {
    let mut html = Html::default();
    let info = at(document, "/info");
    let tags: Vec<_> = items(at(document, "/tags"))
        .iter()
        .map(|tag| text(at(tag, "/name")))
        .collect();
    html.raw("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">")
        .raw("<meta name=\"viewport\" content=\"width=device-width\"><title>")
        .text(text(at(info, "/title")))
        .raw("</title><link rel=\"stylesheet\" href=\"docs/page.css\">")
        .raw("<script defer src=\"docs/page.js\"></script></head><body><header><h1>")
        .text(text(at(info, "/title")))
        .raw(" <small>")
        .text(text(at(info, "/version")))
        .raw("</small></h1><p>")
        .text(text(at(info, "/description")))
        .raw(" The same for programs: <a href=\"openapi.json\">openapi.json</a>.</p><nav>");
    for tag in &tags {
        html.raw("<a href=\"#tag-")
            .text(&anchor(tag))
            .raw("\">")
            .text(tag)
            .raw("</a>");
    }
    html.raw("<a href=\"#schemas\">Schemas</a></nav>")
        .raw("<input id=\"find\" type=\"search\" placeholder=\"Search\" aria-label=\"Search\" hidden>")
        .raw("</header><main>");
    for tag in &tags {
        html.raw("<section id=\"tag-")
            .text(&anchor(tag))
            .raw("\"><h2>")
            .text(tag)
            .raw("</h2>");
        for (path, methods) in members(at(document, "/paths")) {
            for method in METHODS {
                let operation = methods.get(*method).unwrap_or(&Value::Null);
                if text(at(operation, "/tags/0")) == *tag {
                    put_operation(&mut html, document, method, path, operation);
                }
            }
        }
        html.raw("</section>");
    }
    html.raw("<section id=\"schemas\"><h2>Schemas</h2>");
    for (name, schema) in members(at(document, "/components/schemas")) {
        put_component(&mut html, name, schema);
    }
    html.raw("</section></main></body></html>\n");
    html.0
}

fn put_operation(html: &mut Html, document: &Value, method: &str, path: &str, operation: &Value) {
    html.raw("<details id=\"")
        .text(text(at(operation, "/operationId")))
        .raw("\"><summary><code class=\"method\">")
        .text(&method.to_uppercase())
        .raw("</code><code>")
        .text(path)
        .raw("</code><span>")
        .text(text(at(operation, "/summary")))
        .raw("</span>");
    put_since(html, operation);
    html.raw("</summary><div>");
    let arguments = items(at(operation, "/parameters"));
    let arguments: Vec<_> = arguments
        .iter()
        .filter(|one| one.get("$ref").is_none())
        .collect();
    if !arguments.is_empty() {
        html.raw("<h3>Arguments</h3><table>");
        for argument in arguments {
            let required = at(argument, "/required") == true;
            put_row(
                html,
                text(at(argument, "/name")),
                required,
                at(argument, "/schema"),
                argument,
            );
        }
        html.raw("</table>");
    }
    for (_, body) in members(at(operation, "/requestBody/content")) {
        html.raw("<h3>Body</h3>");
        put_schema(html, at(body, "/schema"));
    }
    html.raw("<h3>Answers</h3><table>");
    for (status, answer) in members(at(operation, "/responses")) {
        let answer = referred(document, answer);
        html.raw("<tr><td><code>")
            .text(status)
            .raw("</code></td><td>");
        html.text(text(at(answer, "/description"))).raw("</td><td>");
        for (media_type, content) in members(at(answer, "/content")) {
            match media_type.as_str() {
                "application/json" => put_schema(html, at(content, "/schema")),
                other => {
                    html.raw("<code>").text(other).raw("</code>");
                }
            }
        }
        html.raw("</td></tr>");
    }
    html.raw("</table></div></details>");
}

fn put_component(html: &mut Html, name: &str, schema: &Value) {
    html.raw("<details id=\"schema-")
        .text(name)
        .raw("\"><summary><code>")
        .text(name)
        .raw("</code></summary><div>");
    put_schema(html, schema);
    html.raw("</div></details>");
}

fn put_since(html: &mut Html, of: &Value) {
    match text(at(of, "/x-since")) {
        "" | "1.1" => {}
        since => {
            html.raw("<span class=\"since\">since ")
                .text(since)
                .raw("</span>");
        }
    }
}

/// A row of a table: a name, what it looks like, what it is about, since when it is there.
fn put_row(html: &mut Html, name: &str, required: bool, schema: &Value, about: &Value) {
    html.raw("<tr><td><code>").text(name).raw("</code>");
    if required {
        html.raw(" <small>needed</small>");
    }
    html.raw("</td><td>");
    put_schema(html, schema);
    html.raw("</td><td>")
        .text(text(at(about, "/description")))
        .raw("</td><td>");
    put_since(html, about);
    html.raw("</td></tr>");
}

/// What a schema says. How deep schemas stand within each other the code that makes them says.
fn put_schema(html: &mut Html, schema: &Value) {
    if let Some(name) = text(at(schema, "/$ref"))
        .rsplit('/')
        .next()
        .filter(|name| !name.is_empty())
    {
        html.raw("<a href=\"#schema-")
            .text(name)
            .raw("\">")
            .text(name)
            .raw("</a>");
        return;
    }
    if let Some(choices) = at(schema, "/anyOf").as_array() {
        for (at, choice) in choices.iter().enumerate() {
            html.raw(if at > 0 { " or " } else { "" });
            put_schema(html, choice);
        }
        return;
    }
    put_kind(html, schema);
    if let Some(items) = schema.get("items") {
        html.raw(" of ");
        put_schema(html, items);
    }
    if let Some(values) = schema
        .get("additionalProperties")
        .filter(|values| values.is_object())
    {
        html.raw(" of ");
        put_schema(html, values);
    }
    let properties = at(schema, "/properties");
    if properties.as_object().is_none_or(Map::is_empty) {
        return;
    }
    html.raw("<table>");
    for (name, property) in members(properties) {
        let required = items(at(schema, "/required")).iter().any(|one| one == name);
        put_row(html, name, required, property, property);
    }
    html.raw("</table>");
}

/// Of which type a value is, and within which bounds.
fn put_kind(html: &mut Html, schema: &Value) {
    if let Some(words) = at(schema, "/enum").as_array() {
        for (at, word) in words.iter().enumerate() {
            html.raw(if at > 0 { ", " } else { "" }).raw("<code>");
            match word {
                Value::String(word) => html.text(word),
                other => html.text(&other.to_string()),
            };
            html.raw("</code>");
        }
        return;
    }
    let kinds = match at(schema, "/type") {
        Value::String(kind) => kind.clone(),
        Value::Array(kinds) => kinds.iter().map(text).collect::<Vec<_>>().join(" or "),
        _ => "anything".to_owned(),
    };
    html.text(&kinds);
    for (name, before) in [("format", ", "), ("pattern", ", like ")] {
        if let Some(said) = schema.get(name).and_then(Value::as_str) {
            html.raw(before).raw("<code>").text(said).raw("</code>");
        }
    }
    for (name, before) in [
        ("minimum", ", at least "),
        ("minLength", ", at least "),
        ("maxLength", ", at most "),
        ("minItems", ", at least "),
    ] {
        if let Some(bound) = schema.get(name).and_then(Value::as_u64) {
            html.raw(before).text(&bound.to_string());
        }
    }
}

/// What an answer refers to, or the answer itself.
fn referred<'a>(document: &'a Value, answer: &'a Value) -> &'a Value {
    match text(at(answer, "/$ref")).strip_prefix('#') {
        Some(place) => document.pointer(place).unwrap_or(answer),
        None => answer,
    }
}

/// A name as a part of an address within the page.
fn anchor(name: &str) -> String {
    name.to_lowercase().replace(' ', "-")
}

/// What stands at a place of a document; null where nothing does.
fn at<'a>(value: &'a Value, place: &str) -> &'a Value {
    value.pointer(place).unwrap_or(&Value::Null)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::page;

    #[test]
    fn whatever_the_document_says_is_text() {
        let sly = "</code><script>alert('\"&')</script>";
        let operation = json!({
            "tags": [sly],
            "operationId": sly,
            "summary": sly,
            "x-since": sly,
            "parameters": [{"name": sly, "schema": {"enum": [sly]}, "description": sly}],
            "requestBody": {"content": {"application/json": {"schema": {
                "properties": {(sly): {"type": sly, "format": sly, "pattern": sly}},
            }}}},
            "responses": {(sly): {"description": sly, "content": {(sly): {}}}},
        });
        let page = page(&json!({
            "info": {"title": sly, "version": sly, "description": sly},
            "tags": [{"name": sly}],
            "paths": {(sly): {"get": operation}},
            "components": {"schemas": {(sly): {"$ref": sly}}},
        }));
        assert!(!page.contains("<script>"), "{page}");
        assert!(!page.contains("'\""), "{page}");
        // Everything has been shown.
        assert!(page.matches("&lt;script&gt;").count() >= 17, "{page}");
    }
}
