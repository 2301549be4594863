use std::time::Duration;

use ironic_core::{Entropy, Secret};
use serde::Deserialize;
use serde_json::{Map, Value};
use tokio::time::Instant;

use super::{ApiError, IronicApi};
use crate::chance::uniform;
use crate::node::Node;

/// Longest pause between two lookups.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// Shortest and longest heartbeat time-outs that are believed, in seconds.
const HEARTBEAT_TIMEOUT: std::ops::RangeInclusive<f64> = 1.0..=86_400.0;
/// Shortest token that is one; the conductor's have 43 characters.
const SHORTEST_TOKEN: usize = 32;
/// What stands for a token that was handed out before.
const TOKEN_TAKEN: &str = "******";

/// What the API says about the token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TokenOffer {
    /// Nothing, or something that is not a token.
    None,
    /// Here it is; it is shown once.
    Token(Secret<String>),
    /// Somebody has it already.
    Taken,
}

/// The answer to a lookup.
#[derive(Debug, Clone)]
pub(crate) struct Lookup {
    pub(crate) node: Node,
    pub(crate) heartbeat_timeout: Duration,
    pub(crate) token: TokenOffer,
    pub(crate) md5_enabled: Option<bool>,
}

#[derive(Deserialize)]
struct Body {
    node: Map<String, Value>,
    config: Option<Config>,
    heartbeat_timeout: Option<f64>,
}

#[derive(Deserialize)]
struct Config {
    heartbeat_timeout: f64,
    #[serde(default)]
    agent_token: Option<Secret<String>>,
    #[serde(default)]
    agent_md5_checksum_enable: Option<bool>,
}

impl Lookup {
    /// Reads an answer; `config` holds the time-out, of old the answer itself does.
    pub(super) fn parse(body: &[u8]) -> Result<Self, ApiError> {
        let malformed = |what: &str| ApiError::Malformed(what.to_owned());
        // The text of a parse error may quote the token, so only its place is told.
        let body: Body = serde_json::from_slice(body).map_err(|error| {
            ApiError::Malformed(format!(
                "not a lookup (line {}, column {})",
                error.line(),
                error.column()
            ))
        })?;
        let node = Node::new(body.node).ok_or_else(|| malformed("a node without a uuid"))?;
        let config = match (body.config, body.heartbeat_timeout) {
            (Some(config), _) => config,
            (None, Some(heartbeat_timeout)) => Config {
                heartbeat_timeout,
                agent_token: None,
                agent_md5_checksum_enable: None,
            },
            (None, None) => return Err(malformed("no heartbeat time-out")),
        };
        if !config.heartbeat_timeout.is_finite() {
            return Err(malformed("a heartbeat time-out without end"));
        }
        let seconds = config
            .heartbeat_timeout
            .clamp(*HEARTBEAT_TIMEOUT.start(), *HEARTBEAT_TIMEOUT.end());
        let token = match config.agent_token {
            Some(token) if token.expose().len() >= SHORTEST_TOKEN => TokenOffer::Token(token),
            Some(token) if token.expose() == TOKEN_TAKEN => TokenOffer::Taken,
            _ => TokenOffer::None,
        };
        Ok(Self {
            node,
            heartbeat_timeout: Duration::from_secs_f64(seconds),
            token,
            md5_enabled: config.agent_md5_checksum_enable,
        })
    }
}

/// Pauses between lookups: between `first` and twice as long each time, by chance, and an
/// extra one while the node is locked.
#[derive(Debug)]
pub(crate) struct LookupBackOff {
    first: Duration,
    attempt: u32,
    locked: Duration,
}

impl LookupBackOff {
    pub(crate) const fn new(first: Duration) -> Self {
        Self {
            first,
            attempt: 0,
            locked: Duration::ZERO,
        }
    }

    /// The pause after one more failure.
    pub(crate) fn next(&mut self, conflict: bool, entropy: &dyn Entropy) -> Duration {
        let most = Duration::from_secs(1_u64.checked_shl(self.attempt).unwrap_or(u64::MAX))
            .min(LONGEST_PAUSE)
            .max(self.first);
        self.attempt = (self.attempt + 1).min(32);
        let pause = self.first + (most - self.first).mul_f64(uniform(entropy, 0.0, 1.0));
        if !conflict {
            return pause;
        }
        self.locked = match self.locked.as_secs() {
            0 => Duration::from_secs(5),
            5 => Duration::from_secs(10),
            _ => Duration::from_secs(30),
        };
        pause + self.locked
    }
}

impl IronicApi {
    /// Looks the node up until it is found or `limit` is over.
    ///
    /// # Errors
    /// The last [`ApiError`] when the time is over.
    pub(crate) async fn lookup_until(
        &self,
        addresses: &[String],
        node: Option<&str>,
        limit: Duration,
        first_pause: Duration,
        entropy: &dyn Entropy,
    ) -> Result<Lookup, ApiError> {
        let started = Instant::now();
        let mut back_off = LookupBackOff::new(first_pause);
        loop {
            let error = match self.lookup(addresses, node).await {
                Ok(found) => return Ok(found),
                Err(error) => error,
            };
            if started.elapsed() >= limit {
                return Err(error);
            }
            let conflict = matches!(error, ApiError::Conflict(_));
            let pause = back_off.next(conflict, entropy);
            tracing::warn!(%error, ?pause, "lookup failed, trying again");
            tokio::time::sleep(pause).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use ironic_core::runtime::SeededEntropy;
    use proptest::prelude::{any, proptest};
    use serde_json::json;

    use super::{Lookup, LookupBackOff, TokenOffer};

    fn parse(value: &serde_json::Value) -> Option<Lookup> {
        Lookup::parse(value.to_string().as_bytes()).ok()
    }

    #[test]
    fn a_lookup_has_a_node_and_a_time_out() {
        let token = "A".repeat(43);
        let full = json!({"node": {"uuid": "n-1"}, "config": {"heartbeat_timeout": 10,
            "agent_token": token, "agent_md5_checksum_enable": false, "metrics": {}}});
        let found = parse(&full).unwrap();
        assert_eq!(found.node.uuid(), "n-1");
        assert_eq!(found.heartbeat_timeout, Duration::from_secs(10));
        assert_eq!(found.token, TokenOffer::Token(token.into()));
        assert_eq!(found.md5_enabled, Some(false));
        let old = parse(&json!({"node": {"uuid": "n-1"}, "heartbeat_timeout": 300})).unwrap();
        assert_eq!(old.heartbeat_timeout, Duration::from_secs(300));
        assert_eq!(old.token, TokenOffer::None);
    }

    #[test]
    fn a_token_is_long_or_taken() {
        let offer = |token: &str| {
            let config = json!({"heartbeat_timeout": 1, "agent_token": token});
            parse(&json!({"node": {"uuid": "n"}, "config": config}))
                .unwrap()
                .token
        };
        assert_eq!(offer("******"), TokenOffer::Taken);
        assert_eq!(offer("short"), TokenOffer::None);
    }

    #[test]
    fn nonsense_is_refused_and_extremes_are_cut() {
        for bad in [
            json!([]),
            json!({"node": {}}),
            json!({"node": {"uuid": "../x"}, "heartbeat_timeout": 1}),
            json!({"node": {"uuid": ""}, "heartbeat_timeout": 1}),
            json!({"node": {"uuid": "n"}}),
            json!({"node": {"uuid": "n"}, "config": {"heartbeat_timeout": "soon"}}),
        ] {
            assert!(parse(&bad).is_none(), "{bad}");
        }
        for (given, taken) in [(json!(-5), 1), (json!(0), 1), (json!(1e300), 86_400)] {
            let found = parse(&json!({"node": {"uuid": "n"}, "heartbeat_timeout": given}));
            assert_eq!(found.unwrap().heartbeat_timeout, Duration::from_secs(taken));
        }
    }

    #[test]
    fn pauses_grow_to_a_minute_and_conflicts_add_to_them() {
        let entropy = SeededEntropy::new(1);
        let mut back_off = LookupBackOff::new(Duration::from_secs(1));
        assert_eq!(back_off.next(false, &entropy), Duration::from_secs(1));
        for attempt in 1..40_u32 {
            let most = 2_u64.saturating_pow(attempt).min(60);
            let pause = back_off.next(false, &entropy);
            assert!(pause >= Duration::from_secs(1) && pause <= Duration::from_secs(most));
        }
        let mut locked = LookupBackOff::new(Duration::from_secs(60));
        let extra: Vec<_> = (0..4)
            .map(|_| locked.next(true, &entropy).as_secs() - 60)
            .collect();
        assert_eq!(extra, [5, 10, 30, 30]);
    }

    proptest! {
        #[test]
        fn no_answer_breaks_the_parser(body in any::<Vec<u8>>()) {
            let _ = Lookup::parse(&body);
        }
    }
}
