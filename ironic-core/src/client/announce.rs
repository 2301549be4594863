//! Telling others of the records that a client writes by itself.

use serde_json::Value;

use super::Client;
use crate::Error;
use crate::notify::{Event, Level, Notification, Payload, RecordChange, Status};
use crate::transport::ClientRecord;

impl Client {
    /// Does something to a record, and tells of it: as it begins, with the record as it is to
    /// become, and of what became of it.
    pub(super) async fn announced<T: ClientRecord, R>(
        &self,
        change: RecordChange,
        planned: impl FnOnce() -> Value,
        work: impl Future<Output = Result<R, Error>>,
        outcome: impl FnOnce(&R) -> Option<Value>,
    ) -> Result<R, Error> {
        if !self.notifier.wants(Level::Info) && !self.notifier.wants(Level::Error) {
            return work.await;
        }
        let planned = planned();
        self.tell_status::<T>(change, Status::Start, &planned);
        let done = work.await;
        match &done {
            Ok(done) => {
                let became = outcome(done).unwrap_or(planned);
                self.tell_status::<T>(change, Status::End, &became);
            }
            Err(_) => self.tell_status::<T>(change, Status::Error, &planned),
        }
        done
    }

    fn tell_status<T: ClientRecord>(&self, change: RecordChange, status: Status, body: &Value) {
        let object = T::OBJECT;
        let event = Event::Record {
            object,
            change,
            status,
        };
        if self.notifier.wants(event.level()) {
            let payload = Payload::of_record(object, body);
            let told = Notification::new(self.clock.now(), &self.host, event, payload);
            self.notifier.notify(&told);
        }
    }
}

/// A record as it is written.
pub(super) fn body(record: &impl serde::Serialize) -> Value {
    serde_json::to_value(record).unwrap_or_default()
}
