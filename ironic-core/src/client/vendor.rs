use std::collections::BTreeMap;

use uuid::Uuid;

use super::{Client, unexpected};
use crate::Error;
use crate::driver::VendorMethod;
use crate::model::JsonMap;
use crate::transport::{
    Call, DriverCall, MachineAnswer, MachineCall, Request, Response, VendorAnswer,
};

impl Client {
    /// What only the vendor of this node's machine offers, by name.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn vendor_methods(
        &self,
        node: Uuid,
    ) -> Result<BTreeMap<String, VendorMethod>, Error> {
        methods(self.ask_machine(node, MachineCall::VendorMethods).await?)
    }

    /// Calls a method of the vendor of this node's machine, as by this HTTP method.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] when there is no such method, it does not take this HTTP
    /// method, or its arguments are wrong; [`Error::NodeLocked`]; what the method says, unless it
    /// is asynchronous: then the node's `last_error` tells.
    pub async fn call_vendor(
        &self,
        node: Uuid,
        method: &str,
        http_method: &str,
        args: JsonMap,
    ) -> Result<VendorAnswer, Error> {
        let ask = MachineCall::CallVendor {
            method: method.to_owned(),
            http_method: http_method.to_owned(),
            args,
        };
        answer(self.ask_machine(node, ask).await?)
    }

    /// What only the vendor of a hardware type offers without a node, by name.
    ///
    /// # Errors
    /// [`Error::NotFound`] when no living conductor serves the hardware type.
    pub async fn driver_vendor_methods(
        &self,
        driver: &str,
    ) -> Result<BTreeMap<String, VendorMethod>, Error> {
        methods(self.ask_driver(driver, DriverCall::VendorMethods).await?)
    }

    /// Calls a method of the vendor of a hardware type, as by this HTTP method, on a conductor
    /// that serves it.
    ///
    /// # Errors
    /// As [`Client::call_vendor`]; [`Error::NotFound`] when no living conductor serves the
    /// hardware type.
    pub async fn call_driver_vendor(
        &self,
        driver: &str,
        method: &str,
        http_method: &str,
        args: JsonMap,
    ) -> Result<VendorAnswer, Error> {
        let ask = DriverCall::CallVendor {
            method: method.to_owned(),
            http_method: http_method.to_owned(),
            args,
        };
        answer(self.ask_driver(driver, ask).await?)
    }

    /// What the properties of a logical disk mean to a hardware type, by name: to its default RAID
    /// interface.
    ///
    /// # Errors
    /// [`Error::NotFound`] when no living conductor serves the hardware type.
    pub async fn raid_logical_disk_properties(
        &self,
        driver: &str,
    ) -> Result<BTreeMap<String, String>, Error> {
        let ask = DriverCall::LogicalDiskProperties;
        match self.ask_driver(driver, ask).await? {
            MachineAnswer::LogicalDiskProperties { properties } => Ok(properties),
            answer => Err(unexpected(&Response::Machine { answer })),
        }
    }

    async fn ask_driver(&self, driver: &str, ask: DriverCall) -> Result<MachineAnswer, Error> {
        self.membership.refresh().await?;
        let conductors = self.membership.conductors();
        let serves = conductors
            .into_iter()
            .find(|(record, lives)| *lives && record.drivers.iter().any(|served| served == driver));
        let (conductor, _) = serves.ok_or_else(|| Error::not_found("driver", driver))?;
        let call = Call::Driver {
            driver: driver.to_owned(),
            ask,
        };
        let request = Request::new(self.context.clone(), call);
        match self.transport.call(&conductor.hostname, request).await? {
            Response::Machine { answer } => Ok(answer),
            other => Err(unexpected(&other)),
        }
    }
}

fn methods(answer: MachineAnswer) -> Result<BTreeMap<String, VendorMethod>, Error> {
    match answer {
        MachineAnswer::VendorMethods { methods } => Ok(methods),
        answer => Err(unexpected(&Response::Machine { answer })),
    }
}

fn answer(answer: MachineAnswer) -> Result<VendorAnswer, Error> {
    match answer {
        MachineAnswer::Vendor { answer } => Ok(answer),
        answer => Err(unexpected(&Response::Machine { answer })),
    }
}
