//! A session service in front of an emulator, which has none.

use std::collections::BTreeSet;
use std::sync::Mutex;

use async_trait::async_trait;
use http::{HeaderMap, Method, StatusCode};
use ironic_drivers_redfish::{HttpError, HttpRequest, HttpResponse, HttpTransport};
use serde_json::{Value, json};

use super::{PASSWORD, USER};

const SESSIONS: &str = "/redfish/v1/Nonstandard/Sessions";

/// Passes on requests that carry the token of a live session; refuses all others with 401.
#[derive(Debug)]
pub(crate) struct Gate<T> {
    inner: T,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    live: BTreeSet<String>,
    logins: usize,
    logouts: usize,
    closed: bool,
}

impl<T> Gate<T> {
    pub(crate) fn new(inner: T) -> Self {
        Self {
            inner,
            state: Mutex::default(),
        }
    }

    /// Ends all sessions, as the BMC's own time-out does.
    pub(crate) fn expire(&self) {
        self.state.lock().unwrap().live.clear();
    }

    /// From now on there are no sessions to be had.
    pub(crate) fn close(&self) {
        self.state.lock().unwrap().closed = true;
    }

    /// Logins, logouts and live sessions.
    pub(crate) fn counts(&self) -> (usize, usize, usize) {
        let state = self.state.lock().unwrap();
        (state.logins, state.logouts, state.live.len())
    }

    fn log_in(&self, request: &HttpRequest) -> HttpResponse {
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        assert!(
            !request.headers.contains_key("authorization")
                && !request.headers.contains_key("x-auth-token")
        );
        let mut state = self.state.lock().unwrap();
        if state.closed || body != json!({"UserName": USER, "Password": PASSWORD}) {
            return answer(401);
        }
        state.logins += 1;
        let id = state.logins.to_string();
        state.live.insert(id.clone());
        let mut response = answer(201);
        response.headers.insert("x-auth-token", id.parse().unwrap());
        response
            .headers
            .insert("location", format!("{SESSIONS}/{id}").parse().unwrap());
        response
    }

    fn is_live(&self, request: &HttpRequest) -> bool {
        let token = request
            .headers
            .get("x-auth-token")
            .map(|token| token.to_str().unwrap());
        token.is_some_and(|token| self.state.lock().unwrap().live.contains(token))
    }

    fn log_out(&self, id: &str) -> HttpResponse {
        let mut state = self.state.lock().unwrap();
        state.logouts += 1;
        answer(if state.live.remove(id) { 204 } else { 404 })
    }
}

#[async_trait]
impl<T: HttpTransport> HttpTransport for Gate<T> {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let path = request.url.path().to_owned();
        if path == "/redfish/v1/" {
            let mut response = self.inner.send(request).await?;
            let mut root: Value = serde_json::from_slice(&response.body).unwrap();
            root["Links"] = json!({"Sessions": {"@odata.id": SESSIONS}});
            response.body = root.to_string().into();
            response.headers.remove("content-length");
            return Ok(response);
        }
        if request.method == Method::POST && path == SESSIONS {
            return Ok(self.log_in(&request));
        }
        if !self.is_live(&request) {
            return Ok(answer(401));
        }
        if let (&Method::DELETE, Some(id)) =
            (&request.method, path.strip_prefix(&format!("{SESSIONS}/")))
        {
            return Ok(self.log_out(id));
        }
        self.inner.send(request).await
    }
}

fn answer(status: u16) -> HttpResponse {
    HttpResponse::new(StatusCode::from_u16(status).unwrap(), HeaderMap::new(), "")
}
