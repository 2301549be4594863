//! Whether a request is sent again, and when. Pure.

use std::time::Duration;

use http::{HeaderMap, Method, StatusCode, header};

use super::ClientOptions;
use super::http_date::seconds_of;
use crate::error::ExtendedError;
use crate::http::{HttpError, HttpResponse};

/// What to do after a try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Hand the outcome to the caller.
    Finish,
    /// Send it again after this long.
    Again(Duration),
}

/// Decides after try number `attempt` (from 0). `repeatable` says that doing it twice does no
/// harm; without it only what certainly was not done is sent again.
pub(super) fn decide(
    options: &ClientOptions,
    method: &Method,
    repeatable: bool,
    attempt: u32,
    outcome: Result<&HttpResponse, &HttpError>,
) -> Verdict {
    if attempt + 1 >= options.attempts {
        return Verdict::Finish;
    }
    let again = match outcome {
        Err(error) => error.is_retryable() && (repeatable || error.was_not_sent()),
        Ok(response) => match response.status {
            status if status.as_u16() < 400 => false,
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS if repeatable => true,
            status if method == Method::GET && is_server_fault(status) => true,
            _ => ExtendedError::parse(&response.body).is_not_ready(),
        },
    };
    if !again {
        return Verdict::Finish;
    }
    match outcome
        .ok()
        .and_then(|response| retry_after(&response.headers))
    {
        Some(asked) if asked > options.retry_after_limit => Verdict::Finish,
        Some(asked) => Verdict::Again(asked),
        None => Verdict::Again(backoff(options, attempt)),
    }
}

fn is_server_fault(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::INTERNAL_SERVER_ERROR
            | StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT
    )
}

fn backoff(options: &ClientOptions, attempt: u32) -> Duration {
    options
        .retry_delay
        .saturating_mul(1_u32.checked_shl(attempt).unwrap_or(u32::MAX))
        .min(options.retry_delay_limit)
}

/// `Retry-After` (RFC 9110 §10.2.3). A date is taken against the response's own `Date`, so that the
/// BMC's clock need not be right.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let now = seconds_of(headers.get(header::DATE)?.to_str().ok()?)?;
    Some(Duration::from_secs(seconds_of(text)?.saturating_sub(now)))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::{HeaderMap, Method, StatusCode};

    use super::{Verdict, decide, retry_after};
    use crate::client::ClientOptions;
    use crate::http::{HttpError, HttpResponse};

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (http::HeaderName::from_static(name), value.parse().unwrap()))
            .collect()
    }

    fn response(status: u16, pairs: &[(&'static str, &str)], body: &'static str) -> HttpResponse {
        HttpResponse::new(StatusCode::from_u16(status).unwrap(), headers(pairs), body)
    }

    #[test]
    fn what_is_sent_again() {
        let busy = r#"{"error":{"@Message.ExtendedInfo":[{"MessageId":"IDRAC.2.8.SYS518"}]}}"#;
        let second = Some(Duration::from_secs(1));
        let cases = [
            ("get 503", Method::GET, true, response(503, &[], ""), second),
            ("get 500", Method::GET, true, response(500, &[], ""), second),
            ("get 501", Method::GET, true, response(501, &[], ""), None),
            ("get 404", Method::GET, true, response(404, &[], ""), None),
            (
                "get 503 with a time",
                Method::GET,
                true,
                response(503, &[("retry-after", "7")], ""),
                Some(Duration::from_secs(7)),
            ),
            (
                "get 503 with a long time",
                Method::GET,
                true,
                response(503, &[("retry-after", "3600")], ""),
                None,
            ),
            (
                "patch 503",
                Method::PATCH,
                true,
                response(503, &[], ""),
                second,
            ),
            (
                "patch 500",
                Method::PATCH,
                true,
                response(500, &[], ""),
                None,
            ),
            (
                "post 503",
                Method::POST,
                false,
                response(503, &[("retry-after", "1")], ""),
                None,
            ),
            (
                "safe post 503",
                Method::POST,
                true,
                response(503, &[], ""),
                second,
            ),
            (
                "post to a busy iDRAC",
                Method::POST,
                false,
                response(400, &[], busy),
                second,
            ),
            (
                "post 200",
                Method::POST,
                true,
                response(200, &[("retry-after", "1")], ""),
                None,
            ),
        ];
        for (name, method, repeatable, response, expected) in cases {
            let verdict = decide(
                &ClientOptions::default(),
                &method,
                repeatable,
                0,
                Ok(&response),
            );
            assert_eq!(
                verdict,
                expected.map_or(Verdict::Finish, Verdict::Again),
                "{name}"
            );
        }
    }

    #[test]
    fn without_a_response() {
        let connect = HttpError::Connect {
            reason: String::new(),
            source: None,
        };
        let tls = HttpError::Tls {
            reason: String::new(),
            source: None,
        };
        let options = ClientOptions::default();
        let post = |repeatable, attempt, error| {
            decide(&options, &Method::POST, repeatable, attempt, Err(error))
        };
        assert_eq!(
            post(false, 0, &connect),
            Verdict::Again(Duration::from_secs(1))
        );
        assert_eq!(
            post(false, 3, &connect),
            Verdict::Again(Duration::from_secs(8))
        );
        assert_eq!(post(false, 4, &connect), Verdict::Finish);
        assert_eq!(post(false, 0, &HttpError::Timeout), Verdict::Finish);
        assert_eq!(
            post(true, 0, &HttpError::Timeout),
            Verdict::Again(Duration::from_secs(1))
        );
        assert_eq!(post(true, 0, &tls), Verdict::Finish);
    }

    #[test]
    fn the_time_asked_for() {
        let date = ("date", "Sun, 06 Nov 1994 08:49:37 GMT");
        for (pairs, seconds) in [
            (vec![("retry-after", "120")], Some(120)),
            (
                vec![("retry-after", "Sun, 06 Nov 1994 08:50:07 GMT"), date],
                Some(30),
            ),
            (
                vec![("retry-after", "Sun, 06 Nov 1994 08:49:00 GMT"), date],
                Some(0),
            ),
            (vec![("retry-after", "Sun, 06 Nov 1994 08:50:07 GMT")], None),
            (vec![("retry-after", "-1")], None),
            (vec![("retry-after", "soon"), date], None),
            (vec![date], None),
        ] {
            assert_eq!(
                retry_after(&headers(&pairs)),
                seconds.map(Duration::from_secs),
                "{pairs:?}"
            );
        }
    }
}
