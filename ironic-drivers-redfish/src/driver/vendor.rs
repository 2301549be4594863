use std::collections::BTreeMap;

use async_trait::async_trait;
use ironic_core::Error;
use ironic_core::driver::{Interface, Properties, SharedTask, Task, Vendor, VendorMethod};
use ironic_core::model::JsonMap;
use ironic_core::model::lenient::is_truthy;
use serde_json::Value;

use super::bmc::Bmc;
use super::subscriptions::{self, Subscription};
use super::{RedfishDriver, properties};
use crate::error::RedfishError;

const EJECT: &str = "eject_vmedia";
const CREATE: &str = "create_subscription";
const DELETE: &str = "delete_subscription";
const GET: &str = "get_subscription";
const GET_ALL: &str = "get_all_subscriptions";

/// The vendor interface `redfish`: emptying the slots for virtual media, and subscriptions to the
/// BMC's events.
#[derive(Debug)]
pub struct RedfishVendor {
    driver: RedfishDriver,
}

impl RedfishVendor {
    /// The interface, over what `driver` shares.
    pub fn new(driver: &RedfishDriver) -> Self {
        Self {
            driver: driver.clone(),
        }
    }

    async fn eject(&self, task: &SharedTask, kinds: &[&str]) -> Result<(), Error> {
        let mut bmc = Bmc::open(&self.driver, task).await?;
        let system = bmc.system().await?;
        if !kinds.is_empty() {
            let slots = bmc.run(system.virtual_media()).await?;
            let known: Vec<_> = slots.iter().flat_map(|slot| &slot.media_types).collect();
            if !known.iter().any(|known| kinds.contains(&known.as_str())) {
                let known: Vec<_> = known.into_iter().map(String::as_str).collect();
                return Err(Error::invalid(format!(
                    "boot_device is no slot of the BMC's: it has slots for {}",
                    known.join(", ")
                )));
            }
        }
        bmc.run(system.eject_media(kinds)).await
    }

    async fn carry_out(
        &self,
        task: &SharedTask,
        method: &str,
        args: &JsonMap,
    ) -> Result<Value, Error> {
        if method == EJECT {
            self.eject(task, media_types(args)?).await?;
            return Ok(Value::Null);
        }
        let mut bmc = Bmc::open(&self.driver, task).await?;
        let client = bmc.client();
        let outcome = match method {
            CREATE => {
                let wanted = Subscription::of(args)?;
                bmc.attempt(subscriptions::create(&client, &wanted)).await?
            }
            DELETE => {
                let id = subscriptions::id(args)?;
                bmc.attempt(subscriptions::delete(&client, &id)).await?
            }
            GET => {
                let id = subscriptions::id(args)?;
                bmc.attempt(subscriptions::get(&client, &id)).await?
            }
            GET_ALL => bmc.attempt(subscriptions::all(&client)).await?,
            _ => return Err(bmc.unsupported(method)),
        };
        outcome.map_err(|error| match error {
            RedfishError::MissingAttribute { .. } => bmc.unsupported(method),
            other => bmc.convert(other),
        })
    }
}

/// The kinds of slots that are to be emptied; none named stands for all.
fn media_types(args: &JsonMap) -> Result<&'static [&'static str], Error> {
    let Some(device) = args.get("boot_device").filter(|device| is_truthy(device)) else {
        return Ok(&[]);
    };
    let named = device.as_str().map(str::to_ascii_lowercase);
    match named.as_deref() {
        Some("cd") => Ok(&["CD"]),
        Some("dvd") => Ok(&["DVD"]),
        Some("floppy") => Ok(&["Floppy"]),
        Some("usb" | "usbstick") => Ok(&["USBStick"]),
        _ => Err(Error::invalid("boot_device must be cd, dvd, usb or floppy")),
    }
}

#[async_trait]
impl Interface for RedfishVendor {
    fn properties(&self) -> Properties {
        properties::properties()
    }

    async fn validate(&self, task: &SharedTask) -> Result<(), Error> {
        self.driver.settings(task.node()).map(|_| ())
    }
}

#[async_trait]
impl Vendor for RedfishVendor {
    fn methods(&self) -> BTreeMap<String, VendorMethod> {
        let eject = VendorMethod::new(
            &["POST"],
            "Ejects virtual media. Argument: boot_device, which to eject: cd, dvd, usb or floppy; \
             without it, all.",
        );
        let create = VendorMethod::new(
            &["POST"],
            "Subscribes to the BMC's events. Required argument: Destination, the URL that they \
             are sent to. Others: Protocol, Context, EventTypes, HttpHeaders.",
        );
        let delete = VendorMethod::new(
            &["DELETE"],
            "Ends a subscription. Required argument: id, the BMC's name for it.",
        );
        let get = VendorMethod::new(
            &["GET"],
            "Tells of a subscription. Required argument: id, the BMC's name for it.",
        );
        let all = VendorMethod::new(&["GET"], "Tells of all subscriptions.");
        [
            (EJECT, eject.asynchronous()),
            (CREATE, create),
            (DELETE, delete),
            (GET, get),
            (GET_ALL, all),
        ]
        .map(|(name, method)| (name.to_owned(), method))
        .into()
    }

    async fn validate_call(
        &self,
        task: &SharedTask,
        method: &str,
        _http_method: &str,
        args: &JsonMap,
    ) -> Result<(), Error> {
        match method {
            EJECT => media_types(args).map(|_| ())?,
            CREATE => Subscription::of(args).map(|_| ())?,
            DELETE | GET => subscriptions::id(args).map(|_| ())?,
            _ => {}
        }
        self.validate(task).await
    }

    async fn call(
        &self,
        task: &mut Task,
        method: &str,
        _http_method: &str,
        args: &JsonMap,
    ) -> Result<Value, Error> {
        self.carry_out(task, method, args).await
    }
}
