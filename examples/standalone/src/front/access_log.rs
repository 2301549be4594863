use std::time::Duration;

use axum::body::HttpBody as _;
use axum::response::Response;
use http::Method;

use crate::api::Passage;

/// A request that has been answered, for the log.
pub(super) struct Answered<'a> {
    pub(super) method: &'a Method,
    /// The template of the path, or `other`.
    pub(super) route: &'a str,
    /// The path as it was asked for.
    pub(super) path: &'a str,
    pub(super) passage: &'a Passage,
    pub(super) response: &'a Response,
    pub(super) took: Duration,
}

/// How much of a path is shown that leads nowhere.
const SHOWN: usize = 200;

impl Answered<'_> {
    /// Writes the line. Texts are written as quoted strings, in which nothing a client has sent
    /// can end the line or reach a terminal; the query, which may have secrets, is left out.
    pub(super) fn log(&self) {
        let passage = self.passage;
        let (user, project) = passage.who.get().map_or((None, None), |(user, project)| {
            (user.as_deref(), project.as_deref())
        });
        let shown: String;
        let path = match self.route {
            "other" => {
                shown = self.path.chars().take(SHOWN).collect();
                shown.as_str()
            }
            route => route,
        };
        let remote = passage.remote.map(|remote| remote.ip().to_canonical());
        tracing::info!(
            target: "ironic::access",
            request = passage.request_id.as_str(),
            global_request = passage.global_request_id.as_deref(),
            method = self.method.as_str(),
            path,
            node = self.node(),
            status = self.response.status().as_u16(),
            bytes = self.response.body().size_hint().exact(),
            micros = u64::try_from(self.took.as_micros()).unwrap_or(u64::MAX),
            user,
            project,
            remote = remote.map(tracing::field::display),
            "answered"
        );
    }

    /// The node that the path names.
    fn node(&self) -> Option<&str> {
        if !self.route.starts_with("/v1/nodes/{") {
            return None;
        }
        let path = self.path.strip_prefix("/v1").unwrap_or(self.path);
        let node = path.strip_prefix("/nodes/")?;
        // No name is longer; what is has found no node.
        node.split('/').next().filter(|node| node.len() <= 255)
    }
}
