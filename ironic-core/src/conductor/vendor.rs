//! What only a vendor offers: listing the methods, and passing calls through.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;
use uuid::Uuid;

use super::Inner;
use super::jobs::Job;
use crate::Error;
use crate::driver::{Vendor, VendorMethod};
use crate::model::JsonMap;
use crate::transport::{MachineAnswer, VendorAnswer};

impl Inner {
    pub(super) async fn vendor_methods(&self, node: Uuid) -> Result<MachineAnswer, Error> {
        let task = self.manager.shared(node, "list vendor methods").await?;
        let methods = task.driver().vendor.methods();
        Ok(MachineAnswer::VendorMethods { methods })
    }

    /// Calls a method of a node's vendor interface. One that changes something has the node held;
    /// one that is asynchronous goes on after the answer.
    pub(super) async fn call_vendor(
        self: &Arc<Self>,
        node: Uuid,
        method: String,
        http_method: &str,
        args: JsonMap,
    ) -> Result<MachineAnswer, Error> {
        let purpose = "call vendor method";
        let task = self.manager.shared(node, purpose).await?;
        let vendor = task.driver().vendor.clone();
        let http_method = http_method.to_ascii_uppercase();
        let def = find(&vendor.methods(), &method, &http_method)?;
        if def.read_only {
            vendor
                .validate_call(&task, &method, &http_method, &args)
                .await?;
            if !def.asynchronous {
                let value = vendor.read(&task, &method, &http_method, &args).await?;
                return Ok(answer(value, &def));
            }
            let worker = self.worker()?;
            self.spawn(async move {
                if let Err(error) = vendor.read(&task, &method, &http_method, &args).await {
                    tracing::warn!(%node, method, %error, "a vendor method failed");
                }
                drop(worker);
            });
            return Ok(answer(Value::Null, &def));
        }
        let worker = match def.asynchronous {
            true => Some(self.worker()?),
            false => None,
        };
        let mut task = self.manager.upgrade(task, Some(purpose)).await?;
        let valid = vendor.validate_call(&task, &method, &http_method, &args);
        let called = match (valid.await, worker) {
            (Err(error), _) => Err(error),
            (Ok(()), Some(worker)) => {
                let job = Job::Vendor(method, http_method, args);
                self.begin_job(task, worker, job).await?;
                return Ok(answer(Value::Null, &def));
            }
            (Ok(()), None) => vendor.call(&mut task, &method, &http_method, &args).await,
        };
        match called {
            Ok(value) => {
                self.conclude(task, Ok(())).await?;
                Ok(answer(value, &def))
            }
            Err(error) => {
                self.give_up(task).await;
                Err(error)
            }
        }
    }

    pub(super) fn driver_vendor_methods(&self, driver: &str) -> Result<MachineAnswer, Error> {
        let methods = self.driver_vendor(driver)?.driver_methods();
        Ok(MachineAnswer::VendorMethods { methods })
    }

    /// Calls a method of a hardware type's default vendor interface, for no node.
    pub(super) async fn call_driver_vendor(
        self: &Arc<Self>,
        driver: &str,
        method: String,
        http_method: &str,
        args: JsonMap,
    ) -> Result<MachineAnswer, Error> {
        let vendor = self.driver_vendor(driver)?;
        let http_method = http_method.to_ascii_uppercase();
        let def = find(&vendor.driver_methods(), &method, &http_method)?;
        let context = Arc::clone(self.manager.context());
        if !def.asynchronous {
            let called = vendor.call_driver(&context, &method, &http_method, &args);
            return Ok(answer(called.await?, &def));
        }
        let worker = self.worker()?;
        self.spawn(async move {
            let called = vendor.call_driver(&context, &method, &http_method, &args);
            if let Err(error) = called.await {
                tracing::warn!(method, %error, "a vendor method failed");
            }
            drop(worker);
        });
        Ok(answer(Value::Null, &def))
    }

    fn driver_vendor(&self, driver: &str) -> Result<Arc<dyn Vendor>, Error> {
        Ok(self.manager.registry().default_vendor(driver)?)
    }
}

/// The method of this name, if it takes calls by this HTTP method.
fn find(
    methods: &BTreeMap<String, VendorMethod>,
    method: &str,
    http_method: &str,
) -> Result<VendorMethod, Error> {
    let Some(def) = methods.get(method) else {
        let known: Vec<_> = methods.keys().map(String::as_str).collect();
        return Err(Error::invalid(format!(
            "there is no vendor method \"{method}\": there are {}",
            if known.is_empty() {
                "none".to_owned()
            } else {
                known.join(", ")
            }
        )));
    };
    if !def.http_methods.iter().any(|known| known == http_method) {
        return Err(Error::invalid(format!(
            "the vendor method \"{method}\" does not support HTTP {http_method}: it does {}",
            def.http_methods.join(", ")
        )));
    }
    Ok(def.clone())
}

fn answer(value: Value, def: &VendorMethod) -> MachineAnswer {
    MachineAnswer::Vendor {
        answer: VendorAnswer::new(value, def.asynchronous, def.attach),
    }
}
