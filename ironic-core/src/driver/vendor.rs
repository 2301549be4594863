use std::collections::BTreeMap;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Interface, SharedTask, Task, TaskContext};
use crate::Error;
use crate::model::JsonMap;

/// A method that only a vendor's interface has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct VendorMethod {
    /// The HTTP methods that it takes.
    pub http_methods: Vec<String>,
    /// Whether it is answered before it is done.
    pub asynchronous: bool,
    /// What it does.
    pub description: String,
    /// Whether it changes nothing, so that the node need not be held: then it is called by
    /// [`Vendor::read`].
    pub read_only: bool,
    /// Whether what it answers is a file for the caller, rather than the body of an answer.
    #[serde(default)]
    pub attach: bool,
}

impl VendorMethod {
    /// A method that changes something, answered once it is done.
    pub fn new(http_methods: &[&str], description: &str) -> Self {
        Self {
            http_methods: http_methods.iter().map(ToString::to_string).collect(),
            asynchronous: false,
            description: description.to_owned(),
            read_only: false,
            attach: false,
        }
    }

    /// The same method, answered before it is done.
    #[must_use]
    pub fn asynchronous(mut self) -> Self {
        self.asynchronous = true;
        self
    }

    /// The same method, which changes nothing.
    #[must_use]
    pub fn read_only(mut self) -> Self {
        self.read_only = true;
        self
    }
}

/// What only this vendor offers.
///
/// # Contract
/// As [`Interface`]. A method is only ever called by an HTTP method that it takes, in the way
/// that it says of itself, and after [`Vendor::validate_call`] has agreed.
#[async_trait]
pub trait Vendor: Interface {
    /// The methods for a node, by name.
    fn methods(&self) -> BTreeMap<String, VendorMethod> {
        BTreeMap::new()
    }

    /// The methods for which no node is needed, by name.
    fn driver_methods(&self) -> BTreeMap<String, VendorMethod> {
        BTreeMap::new()
    }

    /// Whether the node and the arguments have what the method needs. Talks to no machine.
    ///
    /// # Errors
    /// As [`Interface::validate`].
    async fn validate_call(
        &self,
        task: &SharedTask,
        _method: &str,
        _http_method: &str,
        _args: &JsonMap,
    ) -> Result<(), Error> {
        self.validate(task).await
    }

    /// Calls a method.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for a method that it does not have; else what the method says.
    async fn call(
        &self,
        task: &mut Task,
        method: &str,
        _http_method: &str,
        _args: &JsonMap,
    ) -> Result<Value, Error> {
        super::interfaces::unsupported(task, method)
    }

    /// Calls a method that changes nothing.
    ///
    /// # Errors
    /// As [`Vendor::call`].
    async fn read(
        &self,
        task: &SharedTask,
        method: &str,
        _http_method: &str,
        _args: &JsonMap,
    ) -> Result<Value, Error> {
        super::interfaces::unsupported(task, method)
    }

    /// Calls a method for which no node is needed.
    ///
    /// # Errors
    /// As [`Vendor::call`].
    async fn call_driver(
        &self,
        _context: &TaskContext,
        method: &str,
        _http_method: &str,
        _args: &JsonMap,
    ) -> Result<Value, Error> {
        Err(Error::Unsupported {
            driver: "the vendor interface".to_owned(),
            extension: method.to_owned(),
        })
    }
}
