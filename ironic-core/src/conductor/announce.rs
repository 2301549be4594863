//! Telling others of requests that change records: as each begins, and what became of it.

use std::sync::Arc;

use serde_json::{Map, Value};
use uuid::Uuid;

use super::Inner;
use crate::Error;
use crate::model::{Node, Port};
use crate::notify::{Event, Level, Object, Payload, RecordChange, Status};
use crate::store::Kind;
use crate::transport::{AnyRecord, Call, Change, RequestContext, Response, object_of};

/// What a request changes, and how events about that begin.
struct Announcement {
    what: What,
    subject: Subject,
}

#[derive(Clone, Copy)]
enum What {
    Record(RecordChange),
    Maintenance,
}

enum Subject {
    Node(Box<Node>),
    Other(Object, Value),
}

impl Announcement {
    fn of_node(what: What, node: Node) -> Self {
        let subject = Subject::Node(Box::new(node));
        Self { what, subject }
    }

    fn of_record(change: RecordChange, object: Object, body: Value) -> Self {
        let subject = Subject::Other(object, body);
        let what = What::Record(change);
        Self { what, subject }
    }

    /// The record as an answer has it, where it has.
    fn answered(&mut self, answer: &Response) {
        match (answer, &mut self.subject) {
            (Response::Node { node }, Subject::Node(old)) => old.clone_from(node),
            (Response::Port { port }, Subject::Other(_, old)) => *old = body(port),
            (Response::Record { record }, Subject::Other(_, old)) => *old = inner_body(record),
            _ => {}
        }
    }

    fn event(&self, status: Status) -> Event {
        match (self.what, &self.subject) {
            (What::Maintenance, _) => Event::MaintenanceSet { status },
            (What::Record(change), Subject::Node(_)) => Event::Record {
                object: Object::Node,
                change,
                status,
            },
            (What::Record(change), Subject::Other(object, _)) => Event::Record {
                object: *object,
                change,
                status,
            },
        }
    }
}

impl Inner {
    /// Answers a call, and tells of it if it changes a record.
    pub(super) async fn announced(
        self: &Arc<Self>,
        mut call: Call,
        context: &RequestContext,
    ) -> Result<Response, Error> {
        let notifier = self.manager.notifier();
        let announcement = if notifier.wants(Level::Info) || notifier.wants(Level::Error) {
            self.announcement(&mut call).await
        } else {
            None
        };
        let Some(mut announcement) = announcement else {
            return self.dispatch(call, context).await;
        };
        self.tell_status(&announcement, Status::Start).await;
        let answer = self.dispatch(call, context).await;
        match &answer {
            Ok(response) => {
                announcement.answered(response);
                if let (What::Maintenance, Subject::Node(node)) =
                    (announcement.what, &mut announcement.subject)
                    && let Ok(now) = self.stored(node.uuid).await
                {
                    **node = now;
                }
                self.tell_status(&announcement, Status::End).await;
            }
            Err(_) => self.tell_status(&announcement, Status::Error).await,
        }
        answer
    }

    /// What to tell of a call. A record that is to be made gets its identity here, so that the
    /// first event has it.
    async fn announcement(&self, call: &mut Call) -> Option<Announcement> {
        let context = self.manager.context();
        let identified = |id: &mut Uuid| {
            if id.is_nil() {
                *id = context.entropy.uuid();
            }
        };
        let changed = |change| What::Record(change);
        Some(match call {
            Call::CreateNode { node } => {
                identified(&mut node.uuid);
                Announcement::of_node(changed(RecordChange::Create), (**node).clone())
            }
            Call::UpdateNode { node, changes } => {
                let node = self.stored(*node).await.ok()?;
                let after = serde_json::from_value(applied(body(&node), changes));
                Announcement::of_node(changed(RecordChange::Update), after.unwrap_or(node))
            }
            Call::DestroyNode { node } => {
                let node = self.stored(*node).await.ok()?;
                Announcement::of_node(changed(RecordChange::Delete), node)
            }
            Call::SetMaintenance { node, .. } => {
                let node = self.stored(*node).await.ok()?;
                Announcement::of_node(What::Maintenance, node)
            }
            Call::CreatePort { port } => {
                identified(&mut port.uuid);
                Announcement::of_record(RecordChange::Create, Object::Port, body(port))
            }
            Call::UpdatePort { port, changes, .. } => {
                let port = body(&self.port(*port).await.ok()?);
                let after = applied(port, changes);
                Announcement::of_record(RecordChange::Update, Object::Port, after)
            }
            Call::DestroyPort { port, .. } => {
                let port = body(&self.port(*port).await.ok()?);
                Announcement::of_record(RecordChange::Delete, Object::Port, port)
            }
            Call::CreateRecord { record } => {
                let object = object_of(record.kind())?;
                Announcement::of_record(RecordChange::Create, object, inner_body(record))
            }
            Call::UpdateRecord { kind, id, changes } => {
                let before = self.stored_body(*kind, *id).await?;
                let after = applied(before, changes);
                Announcement::of_record(RecordChange::Update, object_of(*kind)?, after)
            }
            Call::DestroyRecord { kind, id } => {
                let before = self.stored_body(*kind, *id).await?;
                Announcement::of_record(RecordChange::Delete, object_of(*kind)?, before)
            }
            _ => return None,
        })
    }

    async fn stored_body(&self, kind: Kind, id: Uuid) -> Option<Value> {
        let store = self.manager.context().repository.store();
        let record = store.get(kind, id).await.ok()??;
        serde_json::from_str(record.body.get()).ok()
    }

    async fn stored(&self, node: Uuid) -> Result<Node, Error> {
        let repository = &self.manager.context().repository;
        Ok(repository.load::<Node>(node).await?.value)
    }

    async fn port(&self, port: Uuid) -> Result<Port, Error> {
        let repository = &self.manager.context().repository;
        Ok(repository.load::<Port>(port).await?.value)
    }

    async fn tell_status(&self, announcement: &Announcement, status: Status) {
        let event = announcement.event(status);
        match &announcement.subject {
            Subject::Node(node) => self.manager.tell(node, None, event).await,
            Subject::Other(object, body) => {
                if self.manager.notifier().wants(event.level()) {
                    let payload = Payload::of_record(*object, body);
                    self.manager.tell_of(event, payload);
                }
            }
        }
    }

    /// Tells of an event of a node, with the node as it is.
    pub(super) async fn notify(&self, node: &Node, event: Event) {
        self.manager.tell(node, None, event).await;
    }
}

/// The body of a record that says what sort of record it is beside.
fn inner_body(record: &AnyRecord) -> Value {
    let mut tagged = body(record);
    tagged.get_mut("body").map(Value::take).unwrap_or_default()
}

fn body(record: &impl serde::Serialize) -> Value {
    serde_json::to_value(record).unwrap_or_default()
}

/// A record's body as it becomes if the changes are accepted.
pub(crate) fn applied(mut body: Value, changes: &[Change]) -> Value {
    for change in changes {
        let Some((last, members)) = change.path.split_last() else {
            continue;
        };
        let mut at = &mut body;
        for member in members {
            let Value::Object(map) = at else { break };
            let inner = map.entry(member.as_str());
            at = inner.or_insert_with(|| Value::Object(Map::new()));
        }
        if let Value::Object(map) = at {
            match &change.value {
                Some(value) => map.insert(last.clone(), value.clone()),
                None => map.remove(last),
            };
        }
    }
    body
}
