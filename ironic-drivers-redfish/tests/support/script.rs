//! A BMC that answers from a list, for what no emulator does.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use ironic_drivers_redfish::{
    Client, ClientOptions, Connection, HttpError, HttpRequest, HttpResponse, HttpTransport,
};
use serde_json::Value;

/// What the BMC answers to one request.
#[derive(Debug, Clone)]
pub(crate) struct Answer(Result<HttpResponse, &'static str>);

impl Answer {
    pub(crate) fn status(status: u16) -> Self {
        Self(Ok(HttpResponse::new(
            StatusCode::from_u16(status).unwrap(),
            HeaderMap::new(),
            "",
        )))
    }

    pub(crate) fn json(body: &Value) -> Self {
        Self::status(200).body(body)
    }

    /// A refusal with one message.
    pub(crate) fn error(status: u16, message_id: &str, text: &str) -> Self {
        let body = serde_json::json!({"error": {"code": "Base.1.8.GeneralError", "message": "see ExtendedInfo",
            "@Message.ExtendedInfo": [{"MessageId": message_id, "Message": text, "Severity": "Critical"}]}});
        Self::status(status).body(&body)
    }

    /// No response; `kind` is "connect", "interrupted" or "timeout".
    pub(crate) fn lost(kind: &'static str) -> Self {
        Self(Err(kind))
    }

    pub(crate) fn body(mut self, body: &Value) -> Self {
        if let Ok(response) = &mut self.0 {
            response.body = body.to_string().into();
        }
        self
    }

    pub(crate) fn raw(mut self, body: &[u8]) -> Self {
        if let Ok(response) = &mut self.0 {
            response.body = body.to_vec().into();
        }
        self
    }

    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        if let Ok(response) = &mut self.0 {
            response.headers.insert(
                HeaderName::from_static(name),
                HeaderValue::from_str(value).unwrap(),
            );
        }
        self
    }
}

/// What was sent: method and path, headers, body.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    pub(crate) line: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Sent {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

#[derive(Debug, Default)]
pub(crate) struct Script {
    answers: Mutex<VecDeque<(String, Answer)>>,
    sent: Mutex<Vec<Sent>>,
}

impl Script {
    /// Requests in the order they must come in ("GET /redfish/v1/"), each with its answer.
    pub(crate) fn new(steps: impl IntoIterator<Item = (&'static str, Answer)>) -> Arc<Self> {
        let answers = steps
            .into_iter()
            .map(|(line, answer)| (line.to_owned(), answer))
            .collect();
        Arc::new(Self {
            answers: Mutex::new(answers),
            sent: Mutex::default(),
        })
    }

    pub(crate) fn client(self: &Arc<Self>) -> Arc<Client> {
        self.client_with(
            Connection::new("https://bmc.example.org").unwrap(),
            ClientOptions::new(),
        )
    }

    pub(crate) fn client_with(
        self: &Arc<Self>,
        connection: Connection,
        options: ClientOptions,
    ) -> Arc<Client> {
        Arc::new(Client::new(connection, self.clone(), options).unwrap())
    }

    pub(crate) fn sent(&self) -> Vec<Sent> {
        self.sent.lock().unwrap().clone()
    }

    /// Every answer was asked for.
    pub(crate) fn assert_done(&self) {
        let left: Vec<_> = self
            .answers
            .lock()
            .unwrap()
            .iter()
            .map(|(line, _)| line.clone())
            .collect();
        assert!(left.is_empty(), "never asked for: {left:?}");
    }
}

#[async_trait]
impl HttpTransport for Script {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        assert_eq!(request.url.authority().unwrap(), "bmc.example.org");
        let line = format!(
            "{} {}",
            request.method,
            request.url.path_and_query().unwrap()
        );
        let body = serde_json::from_slice(&request.body).unwrap_or_default();
        self.sent.lock().unwrap().push(Sent {
            line: line.clone(),
            headers: request.headers,
            body,
        });
        let next = self.answers.lock().unwrap().pop_front();
        let (expected, answer) = next.unwrap_or_else(|| panic!("{line} is one request too many"));
        assert_eq!(line, expected);
        answer.0.map_err(|kind| match kind {
            "connect" => HttpError::Connect {
                reason: "refused".to_owned(),
                source: None,
            },
            "timeout" => HttpError::Timeout,
            _ => HttpError::Interrupted {
                reason: "reset".to_owned(),
                source: None,
            },
        })
    }
}
