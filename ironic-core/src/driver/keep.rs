//! What an interface has read of a machine, kept as records.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::Task;
use crate::Error;
use crate::model::{BiosSetting, FirmwareComponent};
use crate::store::{Batch, Expect, Filter, Op, Persistent, Query, put_new};

impl Task {
    /// Keeps the firmware settings that have just been read, in place of those that were read
    /// before: one that is not among them is gone.
    ///
    /// # Errors
    /// What the store answers.
    pub async fn keep_bios_settings(&mut self, settings: Vec<BiosSetting>) -> Result<(), Error> {
        let now = self.now();
        self.keep(settings, |new: &mut BiosSetting, old| {
            new.created_at = old.map_or(now, |old| old.created_at);
            new.updated_at = old.and_then(|old| old.updated_at);
            if old.is_some_and(|old| old != new) {
                new.updated_at = Some(now);
            }
        })
        .await
    }

    /// Keeps the firmware versions that have just been read, in place of those that were read
    /// before; of a component that was known, the version that was read first stays.
    ///
    /// # Errors
    /// What the store answers.
    pub async fn keep_firmware_components(
        &mut self,
        components: Vec<FirmwareComponent>,
    ) -> Result<(), Error> {
        let now = self.now();
        self.keep(components, |new: &mut FirmwareComponent, old| {
            new.created_at = old.map_or(now, |old| old.created_at);
            let Some(old) = old else { return };
            new.initial_version.clone_from(&old.initial_version);
            let flashed = old.last_version_flashed.clone();
            new.last_version_flashed = new.last_version_flashed.take().or(flashed);
            new.updated_at = old.updated_at;
            if old != new {
                new.updated_at = Some(now);
            }
        })
        .await
    }

    async fn keep<T: Persistent + PartialEq>(
        &mut self,
        fresh: Vec<T>,
        carry_over: impl Fn(&mut T, Option<&T>),
    ) -> Result<(), Error> {
        let of_node = Filter::text("node_uuid", self.node_id().to_string());
        let query = Query::all(T::KIND).filter(of_node);
        let known = self.repository().list::<T>(&query).await?;
        let mut known: BTreeMap<Uuid, T> = known
            .into_iter()
            .map(|stored| (stored.value.id(), stored.value))
            .collect();
        let mut ops = Vec::new();
        for mut record in fresh {
            let old = known.remove(&record.id());
            carry_over(&mut record, old.as_ref());
            if old.as_ref() == Some(&record) {
                continue;
            }
            // Only who holds the node writes these, so nothing has come in between.
            if let Op::Put { record, .. } = put_new(&record)? {
                let expect = Expect::Any;
                ops.push(Op::Put { record, expect });
            }
        }
        ops.extend(known.into_keys().map(|id| Op::Delete {
            kind: T::KIND,
            id,
            expect: Expect::Any,
        }));
        if ops.is_empty() {
            return Ok(());
        }
        let fence = Some(self.fence());
        self.repository().commit(Batch { fence, ops }).await?;
        Ok(())
    }
}
