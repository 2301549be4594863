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
/// Besides what [`Interface`] asks for:
///
/// | method | who calls it, and when | lock |
/// |---|---|---|
/// | [`methods`](Self::methods), [`driver_methods`](Self::driver_methods) | a request for the list, and before each call | no |
/// | [`validate_call`](Self::validate_call) | before each call for a node | held, unless it is read-only |
/// | [`call`](Self::call) | a request, which waits for it; of an asynchronous method, after its answer | held |
/// | [`read`](Self::read) | the same, for a method that says it is read-only | no |
/// | [`call_driver`](Self::call_driver) | a request about a hardware type, of its default vendor interface | no node at all |
///
/// - **As it says of itself.** A method gets here only by its name and an HTTP method that it
///   lists, and after `validate_call` has agreed (but for `call_driver`, which is asked nothing
///   before). `read` changes neither machine nor node.
/// - **Errors.** Of a call that is waited for, the caller gets them. An asynchronous one that fails
///   says so in `last_error` and in the node's history, an asynchronous `read` or `call_driver`
///   in the log alone. A method that is not there is [`Error::Unsupported`].
/// - **The node.** What `call` changed on it is kept when it has succeeded, and after an
///   asynchronous call in any case.
/// - **Crash.** A call is forgotten, and is not repeated.
///
/// **Checked by** `driver_conformance!`: `vendor_methods_are_documented_and_known`.
///
/// ```
/// use std::collections::BTreeMap;
///
/// use async_trait::async_trait;
/// use ironic_core::Error;
/// use ironic_core::driver::{Interface, SharedTask, Vendor, VendorMethod};
/// use ironic_core::model::JsonMap;
/// use serde_json::{Value, json};
///
/// struct AssetTag;
///
/// # #[async_trait]
/// # impl Interface for AssetTag {
/// #     async fn validate(&self, _task: &SharedTask) -> Result<(), Error> { Ok(()) }
/// # }
/// #[async_trait]
/// impl Vendor for AssetTag {
///     fn methods(&self) -> BTreeMap<String, VendorMethod> {
///         let tag = VendorMethod::new(&["GET"], "the tag on the machine").read_only();
///         [("asset_tag".to_owned(), tag)].into()
///     }
///
///     async fn read(
///         &self,
///         task: &SharedTask,
///         _method: &str,
///         _http_method: &str,
///         _args: &JsonMap,
///     ) -> Result<Value, Error> {
///         Ok(json!({"asset_tag": task.node().extra.get("asset_tag")}))
///     }
/// }
/// ```
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
