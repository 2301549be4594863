//! Lists in pages: how many items, from where on, in which order, and where the next page is.

use std::convert::Infallible;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::stream;
use http::header::{self, HeaderValue};
use ironic_core::Error;
use ironic_core::store::Query;
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use super::args;
use super::arguments::Arguments;
use super::fault::Fault;
use super::links::Endpoint;

/// The page that a request asks for.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) sort_key: String,
    descending: bool,
    limit: u32,
    pub(super) marker: Option<Uuid>,
}

impl Page {
    /// Takes the page's arguments out; at most `most` items, and all of those without a limit.
    pub(super) fn take(arguments: &mut Arguments, most: u32) -> Result<Self, Fault> {
        let marker = arguments.uuid("marker")?;
        Self::take_without_marker(arguments, most).map(|page| Self { marker, ..page })
    }

    /// The same where items have no uuid.
    pub(super) fn take_without_marker(arguments: &mut Arguments, most: u32) -> Result<Self, Fault> {
        Self::take_sorted_by(arguments, most, "id")
    }

    /// The same, sorted by this unless the request says otherwise.
    pub(super) fn take_sorted_by(
        arguments: &mut Arguments,
        most: u32,
        sort_key: &str,
    ) -> Result<Self, Fault> {
        let direction = arguments.text("sort_dir")?;
        Ok(Self {
            limit: args::limit(arguments.integer("limit")?, most)?,
            marker: None,
            sort_key: arguments
                .text("sort_key")?
                .filter(|key| !key.is_empty())
                .unwrap_or_else(|| sort_key.to_owned()),
            descending: args::descending(direction.as_deref().unwrap_or("asc"))?,
        })
    }

    /// How many items at most.
    pub(super) fn limit(&self) -> usize {
        self.limit as usize
    }

    /// The query, of this page of it; `path` is the place of the sort key in a record.
    pub(super) fn of(&self, query: Query, path: Option<String>) -> Query {
        let mut query = query.limit(self.limit);
        query = match path {
            // The other way round goes all of the order, also that of what is equal.
            Some(path) if self.descending => query.sort_by(path, true).sort_by("created_at", true),
            Some(path) => query.sort_by(path, false),
            // Records come in the order of their creation, and creation times follow it.
            None if self.descending => query.sort_by("created_at", true),
            None => query,
        };
        query.marker = self.marker;
        query
    }

    /// The word for its direction.
    pub(super) fn order(&self) -> &'static str {
        if self.descending { "desc" } else { "asc" }
    }

    /// Whether items come in the reverse order.
    pub(super) fn is_descending(&self) -> bool {
        self.descending
    }
}

/// An answer with a page of items.
pub(super) struct Listing<'a> {
    /// The path of the next page.
    pub(super) path: &'a str,
    /// The fields that were asked for.
    pub(super) fields: Option<&'a [String]>,
    /// What the arguments of the next page begin with.
    pub(super) lead: &'static str,
    /// Further arguments that the next page is asked for with: those that the original repeats.
    /// Filters are not among them, and clients of the original know to repeat them.
    pub(super) with: Vec<(&'static str, String)>,
}

/// How long the pieces of a long answer are, but for an item that is longer. Below what the system's
/// allocator takes for large (128 KiB, glibc's `M_MMAP_THRESHOLD`): from the first such buffer that
/// is given back on it keeps as much in the process for ever.
const PIECE: usize = 64 << 10;

/// An answer with a list, each item written when it is added: of many the values would be many
/// times as large as the text.
#[derive(Debug)]
pub(super) struct Items {
    pieces: Vec<Bytes>,
    /// The piece that is written.
    text: Vec<u8>,
    count: usize,
}

impl Items {
    /// Begins the list of this name.
    pub(super) fn of(name: &'static str) -> Self {
        Self {
            pieces: Vec::new(),
            text: format!("{{{name:?}:[").into_bytes(),
            count: 0,
        }
    }

    /// Adds an item.
    pub(super) fn push(&mut self, item: &impl Serialize) -> Result<(), Fault> {
        if self.count > 0 {
            self.text.push(b',');
        }
        self.count += 1;
        let before = self.text.len();
        let written = serde_json::to_writer(&mut self.text, item);
        written.map_err(|e| Error::internal(e.to_string()))?;
        // Items are about as long as those before them.
        let longest = self.text.len() + (self.text.len() - before);
        if longest > PIECE {
            let piece = std::mem::replace(&mut self.text, Vec::with_capacity(PIECE));
            self.pieces.push(piece.into());
        }
        Ok(())
    }

    /// Ends the answer, with this for the next page.
    fn end(mut self, next: Option<String>) -> Response {
        self.text.push(b']');
        if let Some(next) = next {
            let next = format!(",\"next\":{}", Value::from(next));
            self.text.extend_from_slice(next.as_bytes());
        }
        self.text.push(b'}');
        self.pieces.push(self.text.into());
        let length: usize = self.pieces.iter().map(Bytes::len).sum();
        let pieces = self.pieces.into_iter().map(Ok::<_, Infallible>);
        let headers = [
            (
                header::CONTENT_TYPE,
                HeaderValue::from_static("application/json"),
            ),
            (header::CONTENT_LENGTH, HeaderValue::from(length)),
        ];
        (headers, Body::from_stream(stream::iter(pieces))).into_response()
    }
}

impl Listing<'_> {
    /// The answer with these items. There may be a next page when this one is full; `last` names
    /// its last item.
    pub(super) fn answer(
        &self,
        endpoint: &Endpoint,
        page: &Page,
        items: Items,
        last: Option<String>,
    ) -> Response {
        let last = last.filter(|_| items.count == page.limit());
        items.end(last.map(|marker| self.next(endpoint, page, &marker)))
    }

    fn next(&self, endpoint: &Endpoint, page: &Page, marker: &str) -> String {
        let mut query = format!(
            "{}sort_key={}&sort_dir={}",
            self.lead,
            page.sort_key,
            page.order()
        );
        for (name, value) in &self.with {
            query += &format!("&{name}={value}");
        }
        if let Some(fields) = self.fields.filter(|fields| !fields.is_empty()) {
            query += &format!("&fields={}", fields.join(","));
        }
        endpoint.url(&format!(
            "{}?{query}&limit={}&marker={marker}",
            self.path, page.limit
        ))
    }
}
