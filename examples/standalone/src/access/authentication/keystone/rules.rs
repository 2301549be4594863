//! The access rules of application credentials: what a token is for, and nothing else.

use http::Method;
use serde::Deserialize;

/// One request that a token is for.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct AccessRule {
    service: String,
    method: String,
    path: String,
}

impl AccessRule {
    /// Whether the rule is about such a request to a service of this type.
    pub(super) fn allows(&self, method: &Method, path: &str, service: &str) -> bool {
        self.service == service && self.method == method.as_str() && matches(&self.path, path)
    }
}

/// Whether a path fits a pattern: `*` and `{name}` stand for one or more characters that are no
/// slash, `**` for any characters, none as well.
fn matches(pattern: &str, path: &str) -> bool {
    // Which places in the pattern can be reached by what was seen of the path: linear in both,
    // however many stars there are.
    let parts = parts(pattern);
    let mut reached = vec![false; parts.len() + 1];
    let skip = |reached: &mut Vec<bool>| {
        for at in 0..parts.len() {
            let skipped = reached.get(at) == Some(&true) && parts.get(at) == Some(&Part::Anything);
            if let (true, Some(next)) = (skipped, reached.get_mut(at + 1)) {
                *next = true;
            }
        }
    };
    if let Some(first) = reached.first_mut() {
        *first = true;
    }
    skip(&mut reached);
    for c in path.chars() {
        let mut next = vec![false; parts.len() + 1];
        for (at, part) in parts.iter().enumerate() {
            if reached.get(at) != Some(&true) {
                continue;
            }
            let (stays, goes_on) = match part {
                Part::Anything => (true, true),
                Part::Segment => (c != '/', c != '/'),
                Part::Literal(literal) => (false, *literal == c),
            };
            if let (true, Some(place)) = (stays, next.get_mut(at)) {
                *place = true;
            }
            if let (true, Some(place)) = (goes_on, next.get_mut(at + 1)) {
                *place = true;
            }
        }
        skip(&mut next);
        reached = next;
    }
    reached.last() == Some(&true)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// `**`
    Anything,
    /// `*` or `{name}`
    Segment,
    Literal(char),
}

fn parts(pattern: &str) -> Vec<Part> {
    let (mut parts, mut rest) = (Vec::new(), pattern);
    while let Some(c) = rest.chars().next() {
        let after = |prefix: &str| rest.strip_prefix(prefix);
        let tag = || after("{")?.split_once('}').map(|(_, rest)| rest);
        let (part, next) = if let Some(next) = after("**") {
            (Part::Anything, next)
        } else if let Some(next) = after("*").or_else(tag) {
            (Part::Segment, next)
        } else {
            let next = rest.get(c.len_utf8()..).unwrap_or_default();
            (Part::Literal(c), next)
        };
        parts.push(part);
        rest = next;
    }
    parts
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{AccessRule, Method, matches};

    #[test]
    fn patterns_of_all_sorts() {
        for (pattern, path, fits) in [
            ("/v1/nodes", "/v1/nodes", true),
            ("/v1/nodes", "/v1/nodes/", false),
            ("/v1/nodes", "/v1/node", false),
            ("/v1/nodes/*", "/v1/nodes/n", true),
            ("/v1/nodes/*", "/v1/nodes/", false),
            ("/v1/nodes/*", "/v1/nodes/n/states", false),
            ("/v1/nodes/{node}/states", "/v1/nodes/n/states", true),
            ("/v1/nodes/{node}/states", "/v1/nodes/a/b/states", false),
            ("/v1/**", "/v1/nodes/a/b", true),
            ("/v1/**", "/v1/", true),
            ("/v1/**", "/v1", false),
            ("**", "", true),
            ("/a{", "/a{", true),
            ("/v1.nodes", "/v1/nodes", false),
            ("", "", true),
            ("", "/", false),
        ] {
            assert_eq!(matches(pattern, path), fits, "{pattern} {path}");
        }
    }

    #[test]
    fn service_and_method_count_too() {
        let rule = AccessRule {
            service: "baremetal".to_owned(),
            method: "GET".to_owned(),
            path: "/v1/nodes".to_owned(),
        };
        assert!(rule.allows(&Method::GET, "/v1/nodes", "baremetal"));
        assert!(!rule.allows(&Method::POST, "/v1/nodes", "baremetal"));
        assert!(!rule.allows(&Method::GET, "/v1/nodes", "compute"));
        assert!(!rule.allows(&Method::GET, "/v1/ports", "baremetal"));
    }

    proptest! {
        #[test]
        fn any_pattern_is_taken(pattern in "[a/*{}]{0,40}", path in "[a/]{0,40}") {
            let longer = (format!("{pattern}**"), format!("{path}x"));
            prop_assert!(!matches(&pattern, &path) || matches(&longer.0, &longer.1));
        }

        #[test]
        fn a_plain_path_fits_itself_alone(a in "[a-c/]{0,8}", b in "[a-c/]{0,8}") {
            prop_assert_eq!(matches(&a, &b), a == b);
        }
    }
}
