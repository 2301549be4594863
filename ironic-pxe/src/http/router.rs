use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Path, Request, State};
use axum::http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, IF_RANGE, RANGE,
};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use futures::stream;

use super::range::{Part, part};
use crate::files::{FileError, FileSource, OpenFile};

// Read and handed on at once; what a connection holds in memory.
const CHUNK: u64 = 256 * 1024;

/// Makes a router that answers GET and HEAD requests by a source's files.
///
/// Ranges work, so that a broken download goes on where it ended. There is no `ETag` and no
/// `Last-Modified`: files change from boot to boot, and answers say so. Where the host serves the
/// router with connection information, the source is told the machine's address.
pub fn boot_files_router(source: Arc<dyn FileSource>) -> Router {
    Router::new()
        .route("/{*path}", get(serve))
        .with_state(source)
}

async fn serve(
    State(source): State<Arc<dyn FileSource>>,
    Path(path): Path<String>,
    request: Request,
) -> Response {
    let peer = request
        .extensions()
        .get::<ConnectInfo<SocketAddr>>()
        .map(|info| info.0);
    match source.open(&path, peer).await {
        Ok(file) => respond(file, request.headers()),
        Err(error) => {
            tracing::info!(?peer, path = %path.escape_debug(), %error, "request refused");
            refusal(&error).into_response()
        }
    }
}

fn respond(file: OpenFile, headers: &HeaderMap) -> Response {
    let size = file.size();
    // There is nothing that an `If-Range` could match.
    let header = headers
        .get(RANGE)
        .filter(|_| !headers.contains_key(IF_RANGE));
    let common = [
        (CONTENT_TYPE, "application/octet-stream"),
        (ACCEPT_RANGES, "bytes"),
        (CACHE_CONTROL, "no-cache"),
    ];
    match part(header.and_then(|header| header.to_str().ok()), size) {
        Part::Whole => {
            let length = [(CONTENT_LENGTH, size.to_string())];
            (common, length, content(file, 0, size)).into_response()
        }
        Part::Bytes(first, last) => {
            let end = last.saturating_add(1);
            let about = [
                (CONTENT_LENGTH, end.saturating_sub(first).to_string()),
                (CONTENT_RANGE, format!("bytes {first}-{last}/{size}")),
            ];
            let body = content(file, first, end);
            (StatusCode::PARTIAL_CONTENT, common, about, body).into_response()
        }
        Part::Unsatisfiable => {
            let about = [(CONTENT_RANGE, format!("bytes */{size}"))];
            (StatusCode::RANGE_NOT_SATISFIABLE, common, about).into_response()
        }
    }
}

fn content(file: OpenFile, first: u64, end: u64) -> Body {
    let chunks = stream::try_unfold((file, first), move |(mut file, offset)| async move {
        let length = end.saturating_sub(offset).min(CHUNK);
        if length == 0 {
            return Ok(None);
        }
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let chunk = file.read_at(offset, length).await.map_err(|error| {
            // The connection breaks off, so that the machine does not take a part for the whole.
            tracing::warn!(%error, "content could not be read");
            io::Error::other(error)
        })?;
        let next = offset.saturating_add(chunk.len() as u64);
        Ok::<_, io::Error>(Some((chunk, (file, next))))
    });
    Body::from_stream(chunks)
}

fn refusal(error: &FileError) -> StatusCode {
    match error {
        FileError::NotFound => StatusCode::NOT_FOUND,
        FileError::Forbidden => StatusCode::FORBIDDEN,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}
