//! From which version on paths lead somewhere: asked of the rules that requests go by.

use http::Method;

use super::super::{Version, root};

/// Since when something is served, and what is answered before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Gate {
    pub(super) since: u16,
    /// What the oldest version answers.
    pub(super) before: Option<u16>,
}

impl Gate {
    /// The gate before what is served at a path without `/v1`.
    pub(super) fn of(method: &Method, path: &str) -> Self {
        let path: Vec<_> = path
            .split('/')
            .map(|segment| {
                if segment.starts_with('{') {
                    "x"
                } else {
                    segment
                }
            })
            .collect();
        let path = path.join("/");
        let refusal = |minor: u16| root::hidden(Version::new(minor)?, method, &path);
        // Some paths are open to clients that name no version at all: the last one counts that
        // is refused.
        let last = (1..=Version::newest())
            .rev()
            .find(|minor| refusal(*minor).is_some());
        Self {
            since: last.map_or(1, |last| last + 1),
            before: last.and_then(refusal).map(|fault| fault.status().as_u16()),
        }
    }
}

#[cfg(test)]
mod tests {
    use http::Method;

    use super::Gate;

    #[test]
    fn the_gates_are_those_of_requests() {
        for (method, path, since, before) in [
            (Method::GET, "/nodes/{ident}", 1, None),
            (Method::GET, "/nodes/{ident}/bios/{name}", 40, Some(404)),
            (Method::POST, "/allocations", 52, Some(405)),
            (Method::GET, "/allocations", 52, Some(404)),
            (Method::PATCH, "/allocations/{ident}", 57, Some(405)),
            (Method::POST, "/continue_inspection", 84, Some(404)),
        ] {
            let gate = Gate::of(&method, path);
            assert_eq!(
                (gate.since, gate.before),
                (since, before),
                "{method} {path}"
            );
        }
    }
}
