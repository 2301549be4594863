//! The hardware type `redfish` keeps the contracts of the interfaces, on a real sushy-emulator.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected is to stop there"
)]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use ironic_core::driver::Registry;
use ironic_core::driver::fake::{self, FakeBehaviour, FakeBoot, FakeDeploy};
use ironic_core::model::{JsonMap, Node};
use ironic_core::states::{BootDevice, InterfaceKind};
use ironic_core::testing::{DriverFactory, TestMachine};
use ironic_drivers_redfish::{
    ClientOptions, ClientPool, HttpError, HttpRequest, HttpResponse, HttpTransport, RedfishDriver,
    ReqwestTransport, TlsSettings, register,
};
use serde_json::json;
use support::house::Only;
use support::{Emulator, Setup, uuid};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use uuid::Uuid;

const PASSWORD: &str = "0pen-sesame";

/// A wire that counts what passes, and that can be cut.
#[derive(Debug)]
struct Wire {
    inner: ReqwestTransport,
    requests: AtomicU64,
    cut: AtomicBool,
}

#[async_trait]
impl HttpTransport for Wire {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        self.requests.fetch_add(1, Ordering::SeqCst);
        if self.cut.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        self.inner.send(request).await
    }
}

struct Emulated {
    emulator: Emulator,
    image: String,
    wire: Arc<Wire>,
}

impl Emulated {
    fn info(&self, password: &str) -> JsonMap {
        let info = json!({"redfish_address": self.emulator.address, "redfish_username": "keeper",
            "redfish_password": password,
            "redfish_system_id": format!("/redfish/v1/Systems/{}", uuid(0))});
        info.as_object().unwrap().clone()
    }
}

#[async_trait]
impl TestMachine for Emulated {
    fn registry(&self) -> Arc<Registry> {
        let second = Duration::from_secs(1);
        let options = ClientOptions::new().retries(2, second, second);
        let pool = ClientPool::new(Arc::new(Only(self.wire.clone())), options);
        let fakes = FakeBehaviour::new();
        let builder = fake::register(Registry::builder(), &fakes)
            .boot("ipxe", Arc::new(FakeBoot::new(&fakes)))
            .deploy("direct", Arc::new(FakeDeploy::new(&fakes)));
        let registry = register(builder, &RedfishDriver::new(Arc::new(pool)))
            .enable_hardware_types(["redfish"])
            .enable(InterfaceKind::Power, ["fake", "redfish"])
            .enable(InterfaceKind::Management, ["fake", "redfish", "noop"])
            .enable(InterfaceKind::Firmware, ["fake", "redfish", "no-firmware"])
            .enable(InterfaceKind::Vendor, ["fake", "redfish", "no-vendor"])
            .enable(InterfaceKind::Boot, ["fake", "ipxe"])
            .enable(InterfaceKind::Deploy, ["fake", "direct"])
            .build();
        Arc::new(registry.unwrap())
    }

    fn node(&self) -> Node {
        let mut node = Node::new(Uuid::nil(), "redfish");
        node.driver_info = self.info(PASSWORD);
        node
    }

    fn kinds(&self) -> Vec<InterfaceKind> {
        vec![
            InterfaceKind::Power,
            InterfaceKind::Management,
            InterfaceKind::Firmware,
            InterfaceKind::Vendor,
        ]
    }

    fn required(&self) -> Vec<&'static str> {
        vec!["redfish_address"]
    }

    fn messages(&self) -> Option<u64> {
        Some(self.wire.requests.load(Ordering::SeqCst))
    }

    async fn unplug(&self) -> bool {
        self.wire.cut.store(true, Ordering::SeqCst);
        true
    }

    async fn plug_in(&self) {
        self.wire.cut.store(false, Ordering::SeqCst);
    }

    fn wrong_credentials(&self) -> Option<JsonMap> {
        Some(self.info("not-0pen-sesame"))
    }

    /// The emulator has no set-up to boot into, and says `Pxe` where it was told `UefiHttp`.
    fn boot_devices(&self) -> Option<Vec<BootDevice>> {
        Some(vec![BootDevice::Pxe, BootDevice::Cdrom, BootDevice::Disk])
    }

    fn keeps_persistence(&self) -> bool {
        false
    }

    /// A read is tried twice: that fits into what the suite grants an operation.
    fn command_timeout(&self) -> Duration {
        Duration::from_secs(4)
    }

    fn image_url(&self) -> Option<String> {
        Some(self.image.clone())
    }

    /// Each change of power takes the emulator up to 11 s.
    fn cancellations(&self) -> usize {
        6
    }
}

/// Serves one image of a CD to whoever asks for anything; the emulator fetches what is inserted.
async fn serve_image() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut caller, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut request = [0; 4096];
                let _ = caller.read(&mut request).await;
                let head = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\n";
                let _ = caller.write_all(head.as_bytes()).await;
                let _ = caller.write_all(b"CD01").await;
                let _ = caller.shutdown().await;
            });
        }
    });
    format!("http://{address}/boot.iso")
}

struct Sushy;

#[async_trait]
impl DriverFactory for Sushy {
    async fn machine(&self) -> Box<dyn TestMachine> {
        support::install_provider();
        let emulator = Emulator::start(Setup {
            systems: 1,
            auth: true,
            ..Setup::default()
        })
        .await;
        let wire = Wire {
            inner: ReqwestTransport::new(&TlsSettings::new()).unwrap(),
            requests: AtomicU64::new(0),
            cut: AtomicBool::new(false),
        };
        let wire = Arc::new(wire);
        let image = serve_image().await;
        Box::new(Emulated {
            emulator,
            image,
            wire,
        })
    }

    fn skips(&self) -> Vec<(&'static str, &'static str)> {
        let kinds = "the rest is not Redfish here";
        let steps = "the emulator cannot update firmware";
        vec![
            ("boot_may_be_asked_for_again", kinds),
            ("booting_switches_no_power", kinds),
            ("deploy_may_be_asked_for_again", kinds),
            ("inspection_may_be_asked_for_again", kinds),
            ("networks_may_be_asked_for_again", kinds),
            ("volumes_may_be_asked_for_again", kinds),
            ("a_console_may_be_asked_for_again", kinds),
            ("rescue_may_be_asked_for_again", kinds),
            ("raid_configurations_are_judged", kinds),
            ("what_comes_before_steps_was_foreseen", kinds),
            ("what_a_step_does_was_foreseen", steps),
            ("every_step_can_be_run", steps),
            ("idempotent_steps_may_run_twice", steps),
            ("unsupported_targets_are_refused", "it can do everything"),
            ("what_the_button_did_is_read", "the emulator has no button"),
            (
                "the_persistent_flag_is_kept",
                "the emulator keeps all for good",
            ),
        ]
    }

    fn patience(&self) -> Duration {
        Duration::from_secs(400)
    }
}

ironic_core::driver_conformance!(Sushy);
