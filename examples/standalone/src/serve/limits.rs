use std::time::Duration;

/// What clients may take of the service.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// How many connections there are at a time. When one more is there, the one goes that its
    /// client has kept waiting longest; while every one is being answered, the new one waits.
    /// Default 4096, at least 1. The program raises how many files it may have open to this, as
    /// far as the system lets it.
    pub max_connections: usize,
    /// How many of them one address may have; 0 is any number. Default 0: behind a proxy there is
    /// but one address.
    pub max_connections_per_address: usize,
    /// How many requests are worked on at a time; further ones are answered 503 with
    /// `Retry-After`. A request whose body is still on its way does not count. Default 1000, at
    /// least 1.
    pub max_requests_in_flight: usize,
    /// How many bytes the head of a request may have (431). Default 65536, at least 8192.
    pub max_header_bytes: usize,
    /// How many headers a request may have (431). Default 100, at least 1.
    pub max_headers: usize,
    /// How many bytes path and query of a request may have (414). Default 16384, at least 256,
    /// at most 65534.
    pub max_uri_bytes: usize,
    /// How long a client may send nothing in the midst of a body (408). Default 30 s, more
    /// than 0.
    pub body_timeout: Duration,
    /// How long a request may take from its head to its answer: 408 where its body is not
    /// complete by then, else 504. What was begun goes on. Default 300 s, more than 0.
    pub request_timeout: Duration,
    /// How long a client may take nothing of an answer before the connection is closed. Default
    /// 30 s, more than 0.
    pub write_timeout: Duration,
    /// Whether a connection serves one request after another. Default true.
    pub keep_alive: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_connections: 4096,
            max_connections_per_address: 0,
            max_requests_in_flight: 1000,
            max_header_bytes: 65_536,
            max_headers: 100,
            max_uri_bytes: 16_384,
            body_timeout: Duration::from_secs(30),
            request_timeout: Duration::from_secs(300),
            write_timeout: Duration::from_secs(30),
            keep_alive: true,
        }
    }
}

impl Limits {
    /// Whether these can be kept; which one cannot, and why.
    pub(crate) fn check(&self) -> Result<(), String> {
        let least = [
            ("max_connections", self.max_connections, 1),
            ("max_requests_in_flight", self.max_requests_in_flight, 1),
            ("max_header_bytes", self.max_header_bytes, 8192),
            ("max_headers", self.max_headers, 1),
            ("max_uri_bytes", self.max_uri_bytes, 256),
        ];
        for (key, value, least) in least {
            if value < least {
                return Err(format!("{key} in [limits] must be at least {least}"));
            }
        }
        let most = [
            ("max_connections", self.max_connections, 1 << 20),
            (
                "max_requests_in_flight",
                self.max_requests_in_flight,
                1 << 20,
            ),
            ("max_headers", self.max_headers, 10_000),
            ("max_uri_bytes", self.max_uri_bytes, 65_534),
            ("max_header_bytes", self.max_header_bytes, 16 << 20),
        ];
        for (key, value, most) in most {
            if value > most {
                return Err(format!("{key} in [limits] must be at most {most}"));
            }
        }
        for (key, value) in [
            ("body_timeout", self.body_timeout),
            ("request_timeout", self.request_timeout),
            ("write_timeout", self.write_timeout),
        ] {
            if value.is_zero() {
                return Err(format!("{key} in [limits] must be more than 0"));
            }
        }
        Ok(())
    }
}
