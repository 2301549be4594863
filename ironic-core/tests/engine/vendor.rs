use std::sync::Arc;

use async_trait::async_trait;
use ironic_core::driver::fake::{FakeOperation, FakeRule};
use ironic_core::driver::{Interface, SharedTask, TaskContext, Vendor, VendorMethod};
use ironic_core::model::JsonMap;
use ironic_core::states::InterfaceKind;
use ironic_core::{Error, ErrorKind};
use serde_json::{Value, json};

use crate::house::{House, LONG, enrolled};

fn bar(value: &str) -> JsonMap {
    json!({"bar": value}).as_object().unwrap().clone()
}

#[tokio::test(start_paused = true)]
async fn methods_are_listed_and_called_as_they_say_of_themselves() {
    let house = House::new();
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let node = enrolled(&client).await;
    let methods = client.vendor_methods(node).await.unwrap();
    assert_eq!(methods["third_method_sync"].http_methods, ["POST"]);
    assert!(methods["second_method"].asynchronous);

    let meow = client.call_vendor(node, "third_method_sync", "post", bar("meow"));
    let answer = meow.await.unwrap();
    assert_eq!(
        serde_json::to_value(answer).unwrap(),
        json!({"return": true, "async": false, "attach": false})
    );
    let answer = client.call_vendor(node, "second_method", "POST", bar("kazoo"));
    assert_eq!(
        serde_json::to_value(answer.await.unwrap()).unwrap(),
        json!({"return": null, "async": true, "attach": false})
    );
    for (method, http_method, args, kind, word) in [
        (
            "fifth",
            "POST",
            bar("x"),
            ErrorKind::InvalidParameter,
            "second_method",
        ),
        (
            "second_method",
            "GET",
            bar("x"),
            ErrorKind::InvalidParameter,
            "it does POST",
        ),
        (
            "second_method",
            "POST",
            JsonMap::new(),
            ErrorKind::MissingParameter,
            "bar",
        ),
        (
            "third_method_sync",
            "POST",
            JsonMap::new(),
            ErrorKind::MissingParameter,
            "bar",
        ),
    ] {
        let error = client.call_vendor(node, method, http_method, args).await;
        let error = error.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(word), "{error}");
    }
    client
        .wait_until(node, LONG, |_| Some(Ok(())))
        .await
        .unwrap();
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_method_that_reads_needs_no_lock_and_one_that_changes_does() {
    let mut house = House::new();
    house.config.node_locked_retry_attempts = 0;
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let node = enrolled(&client).await;
    let held = conductor.tasks().exclusive(node, "a test").await.unwrap();
    let shared = client.call_vendor(node, "fourth_method_shared_lock", "POST", bar("woof"));
    assert!(shared.await.unwrap().asynchronous);
    for method in ["third_method_sync", "second_method"] {
        let refused = client.call_vendor(node, method, "POST", bar("x")).await;
        assert_eq!(
            refused.unwrap_err().kind(),
            ErrorKind::NodeLocked,
            "{method}"
        );
    }
    conductor.tasks().release(held).await.unwrap();
    conductor.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_asynchronous_method_that_fails_is_told_by_the_node() {
    let house = House::new();
    let conductor = house.conductor("cond-a").await;
    let client = house.client(&conductor);
    let node = enrolled(&client).await;
    house.fakes.add(FakeRule::fails(
        FakeOperation::CallVendor,
        Error::driver("fake", "no kazoo"),
    ));
    let called = client.call_vendor(node, "second_method", "POST", bar("kazoo"));
    called.await.unwrap();
    let record = client
        .wait_until(node, LONG, |node| node.last_error.as_ref().map(|_| Ok(())))
        .await
        .unwrap();
    assert!(
        record
            .last_error
            .unwrap()
            .contains("second_method: no kazoo")
    );
    let error = client.call_vendor(node, "third_method_sync", "POST", bar("meow"));
    assert!(error.await.unwrap_err().to_string().contains("no kazoo"));
    conductor.stop().await.unwrap();
}

/// A vendor with something to say about the hardware type as such.
struct Catalogue;

#[async_trait]
impl Interface for Catalogue {
    async fn validate(&self, _task: &SharedTask) -> Result<(), Error> {
        Ok(())
    }
}

#[async_trait]
impl Vendor for Catalogue {
    fn driver_methods(&self) -> std::collections::BTreeMap<String, VendorMethod> {
        let method = VendorMethod::new(&["GET"], "Lists the models.");
        [("models".to_owned(), method)].into()
    }

    async fn call_driver(
        &self,
        context: &TaskContext,
        _method: &str,
        http_method: &str,
        args: &JsonMap,
    ) -> Result<Value, Error> {
        Ok(json!([context.config.host, http_method, args]))
    }
}

#[tokio::test(start_paused = true)]
async fn a_hardware_type_answers_without_a_node() {
    let house = House::new();
    let conductor = house
        .conductor_with("cond-a", |builder| {
            builder
                .vendor("catalogue", Arc::new(Catalogue))
                .enable(InterfaceKind::Vendor, ["catalogue", "no-vendor"])
                .default_interface(InterfaceKind::Vendor, "catalogue")
        })
        .await;
    let client = house.client(&conductor);
    let methods = client.driver_vendor_methods("fake-hardware").await;
    assert_eq!(methods.unwrap()["models"].http_methods, ["GET"]);
    let models = client.call_driver_vendor("fake-hardware", "models", "get", bar("x"));
    assert_eq!(
        models.await.unwrap().value,
        json!(["cond-a", "GET", {"bar": "x"}])
    );
    let wrong = client.call_driver_vendor("fake-hardware", "models", "PUT", bar("x"));
    assert_eq!(wrong.await.unwrap_err().kind(), ErrorKind::InvalidParameter);
    let unknown = client.driver_vendor_methods("ilo").await;
    assert_eq!(unknown.unwrap_err().kind(), ErrorKind::NotFound);
    conductor.stop().await.unwrap();
}
