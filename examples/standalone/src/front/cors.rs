//! Cross-origin resource sharing: which pages of which sites may use the API from a browser (the
//! Fetch standard, "CORS protocol"). As the original does it, off unless origins are named.

use http::{HeaderMap, HeaderName, HeaderValue, Method, header};

/// Which sites may use the API from a browser.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Cors {
    /// The origins, as `https://dashboard.example.com`, without a slash at the end; `*` is any.
    /// Default: none, which turns it all off.
    pub allowed_origin: Vec<String>,
    /// Whether the browser may send credentials along. Default true, as in the original.
    pub allow_credentials: bool,
    /// Headers of answers that pages may read. Default: those of versions.
    pub expose_headers: Vec<String>,
    /// For how many seconds a browser may remember what it was allowed; 0 says nothing of it.
    /// Default 3600.
    pub max_age: u64,
    /// Methods that pages may use. Default GET, PUT, POST, DELETE and PATCH.
    pub allow_methods: Vec<String>,
    /// Headers that pages may send, besides those that every client of the API sends. Default:
    /// none.
    pub allow_headers: Vec<String>,
}

impl Default for Cors {
    fn default() -> Self {
        let list = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Self {
            allowed_origin: Vec::new(),
            allow_credentials: true,
            expose_headers: list(&[
                "X-OpenStack-Ironic-API-Maximum-Version",
                "X-OpenStack-Ironic-API-Minimum-Version",
                "X-OpenStack-Ironic-API-Version",
            ]),
            max_age: 3600,
            allow_methods: list(&["GET", "PUT", "POST", "DELETE", "PATCH"]),
            allow_headers: Vec::new(),
        }
    }
}

/// Headers that pages may always send.
const SIMPLE_HEADERS: &[&str] = &[
    "Accept",
    "Accept-Language",
    "Content-Type",
    "Cache-Control",
    "Content-Language",
    "Expires",
    "Last-Modified",
    "Pragma",
    "X-Auth-Token",
    "X-OpenStack-Ironic-API-Maximum-Version",
    "X-OpenStack-Ironic-API-Minimum-Version",
    "X-OpenStack-Ironic-API-Version",
];

/// What a request says that matters here.
#[derive(Debug, Default)]
pub(super) struct Asked {
    preflight: bool,
    origin: Option<HeaderValue>,
    method: Option<HeaderValue>,
    headers: Vec<String>,
}

impl Cors {
    /// Whether the settings make sense; what does not otherwise.
    pub(crate) fn check(&self) -> Result<(), String> {
        for origin in &self.allowed_origin {
            let right = origin == "*"
                || HeaderValue::from_str(origin).is_ok()
                    && origin
                        .split_once("://")
                        .is_some_and(|(_, host)| !host.is_empty() && !host.contains('/'));
            if !right {
                return Err(format!(
                    "allowed_origin in [cors]: {origin:?} is no origin, such as https://dashboard.example.com"
                ));
            }
        }
        for (key, names) in [
            ("expose_headers", &self.expose_headers),
            ("allow_headers", &self.allow_headers),
        ] {
            for name in names {
                if HeaderName::from_bytes(name.as_bytes()).is_err() {
                    return Err(format!("{key} in [cors]: {name:?} is no header's name"));
                }
            }
        }
        Ok(())
    }

    /// What a request asks, if anything is to be allowed at all.
    pub(super) fn asked(&self, method: &Method, headers: &HeaderMap) -> Option<Asked> {
        if self.allowed_origin.is_empty() {
            return None;
        }
        let origin = headers.get(header::ORIGIN)?.clone();
        if method != Method::OPTIONS {
            return Some(Asked {
                origin: Some(origin),
                ..Asked::default()
            });
        }
        let wanted = headers.get_all(header::ACCESS_CONTROL_REQUEST_HEADERS);
        let wanted = wanted.iter().filter_map(|value| value.to_str().ok());
        let wanted = wanted.flat_map(|value| value.split(','));
        let wanted = wanted.map(str::trim).filter(|name| !name.is_empty());
        Some(Asked {
            preflight: true,
            origin: Some(origin),
            method: headers.get(header::ACCESS_CONTROL_REQUEST_METHOD).cloned(),
            headers: wanted.map(str::to_owned).collect(),
        })
    }

    /// Adds to an answer what the browser wants to know.
    pub(super) fn allow(&self, asked: &Asked, answer: &mut HeaderMap) {
        let Some(origin) = asked.origin.as_ref().and_then(|given| self.origin(given)) else {
            return;
        };
        if asked.preflight {
            self.allow_preflight(asked, origin, answer);
            return;
        }
        answer.append(header::VARY, HeaderValue::from_static("Origin"));
        self.allow_origin(origin, answer);
        let exposed = HeaderValue::from_str(&self.expose_headers.join(","));
        if let (Ok(exposed), false) = (exposed, self.expose_headers.is_empty()) {
            answer.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
        }
    }

    fn allow_preflight(&self, asked: &Asked, origin: HeaderValue, answer: &mut HeaderMap) {
        let permitted = |method: &&HeaderValue| {
            self.allow_methods
                .iter()
                .any(|name| name.as_bytes() == method.as_bytes())
        };
        let Some(method) = asked.method.as_ref().filter(permitted) else {
            return;
        };
        let permitted = |wanted: &String| {
            let simple = SIMPLE_HEADERS.iter().copied();
            let mut known = simple.chain(self.allow_headers.iter().map(String::as_str));
            known.any(|name| name.eq_ignore_ascii_case(wanted))
        };
        if !asked.headers.iter().all(permitted) {
            return;
        }
        answer.insert(header::VARY, HeaderValue::from_static("Origin"));
        self.allow_origin(origin, answer);
        if self.max_age > 0 {
            answer.insert(header::ACCESS_CONTROL_MAX_AGE, self.max_age.into());
        }
        answer.insert(header::ACCESS_CONTROL_ALLOW_METHODS, method.clone());
        if let (Ok(headers), false) = (
            HeaderValue::from_str(&asked.headers.join(",")),
            asked.headers.is_empty(),
        ) {
            answer.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, headers);
        }
    }

    fn allow_origin(&self, origin: HeaderValue, answer: &mut HeaderMap) {
        answer.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        if self.allow_credentials {
            let yes = HeaderValue::from_static("true");
            answer.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, yes);
        }
    }

    /// By which name an origin is allowed, if it is.
    fn origin(&self, given: &HeaderValue) -> Option<HeaderValue> {
        let mut allowed = self.allowed_origin.iter();
        if allowed
            .clone()
            .any(|origin| origin.as_bytes() == given.as_bytes())
        {
            return Some(given.clone());
        }
        let any = allowed.any(|origin| origin == "*");
        any.then(|| HeaderValue::from_static("*"))
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, Method};

    use super::Cors;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect()
    }

    /// What is added to the answer, by name.
    fn answered(cors: &Cors, method: &Method, asked: &[(&'static str, &str)]) -> Vec<String> {
        let mut answer = HeaderMap::new();
        if let Some(asked) = cors.asked(method, &headers(asked)) {
            cors.allow(&asked, &mut answer);
        }
        let mut lines: Vec<_> = answer
            .iter()
            .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
            .collect();
        lines.sort();
        lines
    }

    fn one(origin: &str) -> Cors {
        Cors {
            allowed_origin: vec![origin.to_owned()],
            ..Cors::default()
        }
    }

    const ORIGIN: (&str, &str) = ("origin", "https://a.example");

    #[test]
    fn without_origins_nothing_is_said() {
        let asked = [ORIGIN, ("access-control-request-method", "GET")];
        assert!(answered(&Cors::default(), &Method::GET, &asked).is_empty());
        assert!(answered(&Cors::default(), &Method::OPTIONS, &asked).is_empty());
    }

    #[test]
    fn pages_of_a_named_site_may_read_versions() {
        let cors = one("https://a.example");
        let lines = answered(&cors, &Method::GET, &[ORIGIN]);
        assert_eq!(
            lines,
            [
                "access-control-allow-credentials: true",
                "access-control-allow-origin: https://a.example",
                "access-control-expose-headers: X-OpenStack-Ironic-API-Maximum-Version,\
                 X-OpenStack-Ironic-API-Minimum-Version,X-OpenStack-Ironic-API-Version",
                "vary: Origin",
            ]
        );
        for other in ["https://a.example:443", "http://a.example", "null", ""] {
            let lines = answered(&cors, &Method::GET, &[("origin", other)]);
            assert!(lines.is_empty(), "{other}: {lines:?}");
        }
        assert!(answered(&cors, &Method::GET, &[]).is_empty());
    }

    #[test]
    fn a_preflight_is_allowed_what_the_settings_say() {
        let mut cors = one("*");
        cors.allow_credentials = false;
        cors.allow_headers = vec!["X-Mine".to_owned()];
        let asked = |method, wanted| {
            let method = ("access-control-request-method", method);
            let wanted = ("access-control-request-headers", wanted);
            answered(&cors, &Method::OPTIONS, &[ORIGIN, method, wanted])
        };
        assert_eq!(
            asked("PATCH", "content-type, x-auth-token,x-mine"),
            [
                "access-control-allow-headers: content-type,x-auth-token,x-mine",
                "access-control-allow-methods: PATCH",
                "access-control-allow-origin: *",
                "access-control-max-age: 3600",
                "vary: Origin",
            ]
        );
        assert!(asked("TRACE", "").is_empty());
        assert!(asked("patch", "").is_empty());
        assert!(asked("GET", "x-other").is_empty());
        assert!(answered(&cors, &Method::OPTIONS, &[ORIGIN]).is_empty());
    }

    #[test]
    fn what_is_no_origin_is_refused() {
        assert!(one("*").check().is_ok());
        assert!(one("https://a.example:8443").check().is_ok());
        for wrong in ["a.example", "https://", "https://a.example/", "https://a\n"] {
            assert!(one(wrong).check().is_err(), "{wrong}");
        }
        let mut cors = one("*");
        cors.expose_headers = vec!["a b".to_owned()];
        assert!(cors.check().is_err());
    }
}
