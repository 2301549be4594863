//! The settings of how clients reach the service, and what it tells of itself.

use std::net::SocketAddr;

use ironic_core::Error;

use super::ConfigError;
use super::sections::{section, settings};
use super::value::{Names, Seconds};
use crate::api::{BodyLimits, Healthcheck};
use crate::front::Cors;
use crate::serve::Limits;

settings! {
    /// `[limits]`: what clients may take of the service. What each is, its default and its
    /// extremes: [`Limits`].
    pub struct LimitsSection("LIMITS") of Limits {
        /// How many connections there are at a time. Default 4096.
        max_connections: usize => max_connections,
        /// How many of them one address may have; 0 is any number. Default 0.
        max_connections_per_address: usize => max_connections_per_address,
        /// How many requests are worked on at a time; further ones are answered 503. Default 1000.
        max_requests_in_flight: usize => max_requests_in_flight,
        /// How many bytes the head of a request may have. Default 65536.
        max_header_bytes: usize => max_header_bytes,
        /// How many headers a request may have. Default 100.
        max_headers: usize => max_headers,
        /// How many bytes path and query of a request may have. Default 16384.
        max_uri_bytes: usize => max_uri_bytes,
        /// How long a client may send nothing in the midst of a body. Default 30.
        body_timeout: Seconds => body_timeout,
        /// How long a request may take from its head to its answer. Default 300.
        request_timeout: Seconds => request_timeout,
        /// How long a client may take nothing of an answer. Default 30.
        write_timeout: Seconds => write_timeout,
        /// Whether a connection serves one request after another. Default true.
        keep_alive: bool => keep_alive,
    }
}

settings! {
    /// `[cors]`: which pages of other sites may use the API from a browser. Off unless
    /// `allowed_origin` names some.
    pub struct CorsSection("CORS") of Cors {
        /// The origins, as `https://dashboard.example.com`; `*` is any. Default none.
        allowed_origin: Names => allowed_origin,
        /// Whether the browser may send credentials along. Default true.
        allow_credentials: bool => allow_credentials,
        /// Headers of answers that pages may read. Default those of versions.
        expose_headers: Names => expose_headers,
        /// For how many seconds a browser may remember what it was allowed. Default 3600.
        max_age: u64 => max_age,
        /// Methods that pages may use. Default GET, PUT, POST, DELETE, PATCH.
        allow_methods: Names => allow_methods,
        /// Headers that pages may send besides the usual. Default none.
        allow_headers: Names => allow_headers,
    }
}

settings! {
    /// `[healthcheck]`: what load balancers are told at `/healthcheck`.
    pub struct HealthcheckSection("HEALTHCHECK") of Healthcheck {
        /// Whether it is served. Default true.
        enabled: bool => enabled,
        /// While there is such a file the service says that it is not available. Default none.
        disable_by_file_path: String => disable_by_file_path,
        /// How long the store may take to answer. Default 5.
        timeout: Seconds => timeout,
    }
}

/// Whether and where numbers are told to Prometheus.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct MetricsSettings {
    /// Whether they are. Default false.
    pub enabled: bool,
    /// At which address of its own, at the path `/metrics`. Default none: at `/metrics` of the
    /// API, where everybody who reaches the API reads them.
    pub listen: Option<SocketAddr>,
}

settings! {
    /// `[metrics]`: numbers for Prometheus.
    pub struct MetricsSection("METRICS") of MetricsSettings {
        /// Whether they are served. Default false.
        enabled: bool => enabled,
        /// An address of its own for them. Default none: `/metrics` of the API.
        listen: SocketAddr => listen,
    }
}

section! {
    /// `[log]`: what is logged besides what the filter of the command line lets through.
    pub struct LogSection("LOG") {
        /// Whether every request is logged when it has been answered. Default true.
        access: bool,
    }
}

/// Sizes of bodies, in KiB as in the original.
#[derive(Debug, Default)]
pub(super) struct BodySizes {
    pub(super) depth: Option<usize>,
    pub(super) usual: Option<usize>,
    pub(super) provision: Option<usize>,
    pub(super) inspection: Option<usize>,
}

impl BodySizes {
    pub(super) fn apply(self, limits: &mut BodyLimits) -> Result<(), ConfigError> {
        if let Some(depth) = self.depth {
            if !(8..=100).contains(&depth) {
                let wrong = "max_json_body_depth in [api] must be from 8 to 100";
                return Err(Error::invalid(wrong).into());
            }
            limits.depth = depth;
        }
        for (key, kib, limit) in [
            ("max_json_body_size", self.usual, &mut limits.usual),
            (
                "max_json_body_size_provision",
                self.provision,
                &mut limits.provision,
            ),
            (
                "max_json_body_size_inspection",
                self.inspection,
                &mut limits.inspection,
            ),
        ] {
            let Some(kib) = kib else { continue };
            if !(4..=1 << 20).contains(&kib) {
                let wrong = format!("{key} in [api] must be from 4 to 1048576 (KiB)");
                return Err(Error::invalid(wrong).into());
            }
            *limit = kib << 10;
        }
        Ok(())
    }
}
