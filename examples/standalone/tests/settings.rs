//! What the settings make of a host.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

use std::net::Ipv4Addr;
use std::path::Path;

use axum::body::{Body, to_bytes};
use http::Request;
use ironic_standalone::config::DhcpMode;
use ironic_standalone::{Host, HostConfig};
use serde_json::Value;
use tokio::net::{TcpListener, UdpSocket};
use tower::ServiceExt;

async fn get(host: &Host, path: &str) -> Value {
    let request = Request::builder()
        .uri(path)
        .header("X-OpenStack-Ironic-API-Version", "latest")
        .body(Body::empty())
        .unwrap();
    let response = host.router().oneshot(request).await.unwrap();
    let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

/// As a program does that embeds a host.
fn provider() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// Settings of a host with boot services on loopback, and `more`.
fn settings(root: &Path, more: &str) -> HostConfig {
    let root = root.display();
    let text = format!(
        r#"
[drivers]
enabled_hardware_types = ["ipmi", "redfish"]
[boot]
tftp_root = "{root}/tftp"
http_root = "{root}/http"
{more}"#
    );
    HostConfig::parse(&text).unwrap()
}

async fn refused(config: HostConfig, words: &[&str]) {
    let error = Host::builder(config).start().await.unwrap_err().to_string();
    for word in words {
        assert!(error.contains(word), "{error}: no {word}");
    }
}

#[test]
fn every_configuration_that_is_shipped_is_right() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("config");
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        HostConfig::load(Some(&path), &|_| None)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        seen += 1;
    }
    assert!(seen >= 2, "only {seen} files");
}

#[test]
fn steps_are_given_priorities_and_disallowed_by_name() {
    let text = r#"
[conductor.clean_step_priority_override]
"deploy.erase_devices" = "0"
"raid.delete_configuration" = "20"
[api]
disallow_clean_steps = ["bios.factory_reset"]
disallow_service_steps = []
"#;
    let policy = HostConfig::parse(text).unwrap().conductor.policy;
    let overrides = policy.clean_step_priority_override.iter();
    let overrides: Vec<_> = overrides.map(|(step, n)| format!("{step}={n}")).collect();
    assert_eq!(
        overrides,
        ["deploy.erase_devices=0", "raid.delete_configuration=20"]
    );
    let names = |steps: &std::collections::BTreeSet<ironic_core::steps::StepName>| {
        steps.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(names(&policy.disallow_clean_steps), ["bios.factory_reset"]);
    assert_eq!(names(&policy.disallow_deploy_steps), ["vendor.send_raw"]);
    assert!(policy.disallow_service_steps.is_empty());

    let variable = |name: &str| {
        (name == "IRONIC_CONDUCTOR_VERIFY_STEP_PRIORITY_OVERRIDE")
            .then(|| "management.clear_job_queue:7".to_owned())
    };
    let policy = HostConfig::load(None, &variable).unwrap().conductor.policy;
    assert!(!policy.verify_step_priority_override.is_empty());
    for (wrong, part) in [
        (
            "[conductor.verify_step_priority_override]\n\"power.x\" = \"high\"",
            "power.x",
        ),
        (
            "[conductor.clean_step_priority_override]\n\"nosuch.x\" = \"1\"",
            "nosuch.x",
        ),
        ("[api]\ndisallow_deploy_steps = [\"deploy\"]", "\"deploy\""),
    ] {
        let error = HostConfig::parse(wrong).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn lists_and_tables_are_variables_too() {
    let environment = |name: &str| {
        let text = match name {
            "IRONIC_DHCP_MODE" => "full",
            "IRONIC_DHCP_HOSTS" => "52:54:00:00:00:01=192.0.2.7, 52:54:00:00:00:02=192.0.2.8",
            "IRONIC_DHCP_ROUTERS" => "192.0.2.1,192.0.2.2",
            "IRONIC_BOOT_DEPLOY_KERNEL_BY_ARCH" => "aarch64:http://images/kernel",
            "IRONIC_TFTP_LISTEN" => "127.0.0.1:69",
            "IRONIC_REDFISH_CONNECTION_ATTEMPTS" => "2",
            "IRONIC_CONSOLE_PORT_RANGE" => "10000:10010, 20000:20001",
            "IRONIC_CONSOLE_SOCAT_ADDRESS" => "192.0.2.5",
            _ => return None,
        };
        Some(text.to_owned())
    };
    let config = HostConfig::load(None, &environment).unwrap();
    assert_eq!(config.dhcp.mode, Some(DhcpMode::Full));
    let hosts: Vec<_> = config.dhcp.hosts.as_ref().unwrap().iter().collect();
    assert_eq!(hosts[1].mac, "52:54:00:00:00:02");
    assert_eq!(hosts[1].address, Ipv4Addr::new(192, 0, 2, 8));
    assert_eq!(config.dhcp.routers.as_deref().unwrap().len(), 2);
    let kernels = config.boot.deploy_kernel_by_arch.as_deref().unwrap();
    assert_eq!(kernels["aarch64"], "http://images/kernel");
    assert_eq!(config.tftp.listen.unwrap().port(), 69);
    assert_eq!(config.redfish.connection_attempts, Some(2));
    assert_eq!(config.console.port_range.as_deref().unwrap().len(), 2);
    assert_eq!(config.console.socat_address, Some([192, 0, 2, 5].into()));
}

#[test]
fn what_no_machine_could_boot_by_is_refused() {
    for (text, shown) in [
        ("[boot]\ntftp_root = \"tftp\"\n", "tftp_root"),
        ("[boot]\nhttp_root = \"/\"\n", "http_root"),
        ("[boot]\nhttp_url = \"192.0.2.1\"\n", "http_url"),
        ("[boot]\ndefault_boot_mode = \"efi\"\n", "default_boot_mode"),
        ("[boot]\nkernel = \"x\"\n", "kernel"),
        ("[tftp]\nlisten = \"69\"\n", "listen"),
        ("[http_boot]\nport = 80\n", "port"),
        ("[dhcp]\nmode = \"on\"\n", "proxy"),
        ("[dhcp]\nlisten = \"[::]:67\"\n", "listen"),
        (
            "[dhcp]\nhosts = [{ mac = \"nothing\", address = \"192.0.2.7\" }]\n",
            "nothing",
        ),
        (
            "[dhcp]\nmode = \"proxy\"\nhosts = [{ mac = \"02:00:00:00:00:01\", address = \"192.0.2.7\" }]\n",
            "full",
        ),
        (
            "[dhcp]\nhosts = [{ mac = \"02:00:00:00:00:01\", address = \"192.0.2.7\" },\n\
             { mac = \"02:00:00:00:00:02\", address = \"192.0.2.7\" }]\n",
            "twice",
        ),
        (
            "[dhcp]\nhosts = [{ mac = \"02:00:00:00:00:01\", ip = \"192.0.2.7\" }]\n",
            "ip",
        ),
        ("[console]\nport_range = [\"10:9\"]\n", "port_range"),
        ("[console]\nsocat_address = \"here\"\n", "socat_address"),
        ("[redfish]\nsilence_limit = 0\n", "silence_limit"),
        ("[redfish]\nauth_type = \"digest\"\n", "auth_type"),
        (
            "[redfish]\nconnection_attempts = 0\n",
            "connection_attempts",
        ),
        (
            "[redfish]\ntls_minimum_version = \"3\"\n",
            "tls_minimum_version",
        ),
    ] {
        let error = HostConfig::parse(text).unwrap_err().to_string();
        assert!(error.contains(shown), "{text:?}: {error}");
    }
}

#[tokio::test]
async fn real_hardware_takes_no_more_than_its_name() {
    provider();
    let root = tempfile::tempdir().unwrap();
    let config = settings(root.path(), "[tftp]\nlisten = \"127.0.0.1:0\"\n");
    let host = Host::builder(config).start().await.unwrap();
    for (driver, power) in [("ipmi", "ipmitool"), ("redfish", "redfish")] {
        let driver = get(&host, &format!("/v1/drivers/{driver}")).await;
        assert_eq!(driver["default_power_interface"], power);
        assert_eq!(driver["default_management_interface"], power);
        assert_eq!(driver["default_boot_interface"], "ipxe");
        assert_eq!(driver["default_deploy_interface"], "direct");
        assert_eq!(driver["default_inspect_interface"], "agent");
    }
    assert!(root.path().join("http/boot.ipxe").is_file());
    host.stop().await.unwrap();

    // Without any boot service nothing pretends to boot machines.
    let config = HostConfig::parse("[drivers]\nenabled_hardware_types = [\"ipmi\"]\n").unwrap();
    refused(config, &["boot"]).await;
}

#[tokio::test]
async fn an_operator_can_start_from_what_is_shipped() {
    provider();
    let root = tempfile::tempdir().unwrap();
    let root = root.path().display().to_string();
    let environment = |name: &str| {
        let text = match name {
            "IRONIC_SERVICE_DATABASE" => "memory:".to_owned(),
            "IRONIC_BOOT_TFTP_ROOT" => format!("{root}/tftp"),
            "IRONIC_BOOT_HTTP_ROOT" => format!("{root}/http"),
            "IRONIC_BOOT_FILE_URL_ALLOWED_PATHS" => root.clone(),
            // Whether the packages are installed is another matter.
            "IRONIC_BOOT_LOADER_FILE_PATHS" => String::new(),
            "IRONIC_TFTP_LISTEN"
            | "IRONIC_HTTP_BOOT_LISTEN"
            | "IRONIC_DHCP_LISTEN"
            | "IRONIC_DHCP_PXE_LISTEN" => "127.0.0.1:0".to_owned(),
            "IRONIC_DHCP_INTERFACE" => "lo".to_owned(),
            _ => return None,
        };
        Some(text)
    };
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/ipmi.toml");
    let config = HostConfig::load(Some(&file), &environment).unwrap();
    let host = Host::builder(config).start().await.unwrap();
    let driver = get(&host, "/v1/drivers/ipmi").await;
    assert_eq!(driver["default_boot_interface"], "ipxe");
    assert_eq!(
        driver["enabled_inspect_interfaces"],
        serde_json::json!(["agent", "no-inspect"])
    );
    host.stop().await.unwrap();
}

#[tokio::test]
async fn servers_run_as_long_as_the_host() {
    provider();
    let root = tempfile::tempdir().unwrap();
    let loader = root.path().join("package.efi");
    std::fs::write(&loader, "a boot loader").unwrap();
    let more = format!(
        "loader_file_paths = {{ \"snponly.efi\" = \"{}\" }}\n[tftp]\nlisten = \"127.0.0.1:0\"\n\
         [http_boot]\nlisten = \"127.0.0.1:0\"\n[dhcp]\nmode = \"full\"\nlisten = \"127.0.0.1:0\"\n",
        loader.display()
    );
    let host = Host::builder(settings(root.path(), &more))
        .start()
        .await
        .unwrap();
    let boot = host.boot().unwrap();
    let (tftp, dhcp) = (boot.tftp_addr().unwrap(), boot.dhcp_addr().unwrap());
    let http = boot.http_addr().unwrap();
    let script = reqwest::get(format!("http://{http}/boot.ipxe"))
        .await
        .unwrap();
    assert!(script.text().await.unwrap().starts_with("#!ipxe"));
    let copied = reqwest::get(format!("http://{http}/snponly.efi"))
        .await
        .unwrap();
    assert_eq!(copied.text().await.unwrap(), "a boot loader");
    assert_eq!(
        std::fs::read(root.path().join("tftp/snponly.efi")).unwrap(),
        b"a boot loader"
    );

    // A second one says which setting is in its way.
    for (section, address) in [("tftp", tftp), ("http_boot", http)] {
        let more = format!("[{section}]\nlisten = \"{address}\"\n");
        let setting = format!("[{section}] listen");
        let config = settings(root.path(), &more);
        refused(config, &[&setting, &address.to_string(), "another program"]).await;
    }
    let more = format!("[dhcp]\nmode = \"full\"\nlisten = \"{dhcp}\"\n");
    refused(settings(root.path(), &more), &["[dhcp] listen"]).await;

    host.stop().await.unwrap();
    freed(async || UdpSocket::bind(tftp).await.is_ok()).await;
    freed(async || UdpSocket::bind(dhcp).await.is_ok()).await;
    freed(async || TcpListener::bind(http).await.is_ok()).await;
}

/// Tries to take an address until whoever had it has let it go.
async fn freed(take: impl AsyncFn() -> bool) {
    for _ in 0..1000 {
        if take().await {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("an address is still taken");
}

#[tokio::test]
async fn what_cannot_be_told_has_to_be_said() {
    provider();
    let root = tempfile::tempdir().unwrap();
    for (more, setting) in [
        ("[tftp]\nlisten = \"0.0.0.0:0\"\n", "[boot] tftp_server"),
        ("[http_boot]\nlisten = \"0.0.0.0:0\"\n", "[boot] http_url"),
        (
            "[dhcp]\nmode = \"full\"\nlisten = \"0.0.0.0:0\"\n",
            "[dhcp] server_address",
        ),
        (
            "file_url_allowed_paths = [\"/nowhere\"]\n[tftp]\nlisten = \"127.0.0.1:0\"\n",
            "[boot] file_url_allowed_paths",
        ),
        (
            "loader_file_paths = { a = \"/nowhere/a\" }\n[tftp]\nlisten = \"127.0.0.1:0\"\n",
            "[boot] loader_file_paths",
        ),
    ] {
        refused(settings(root.path(), more), &[setting]).await;
    }
    let blocked = root.path().join("file");
    std::fs::write(&blocked, "").unwrap();
    refused(
        settings(&blocked, "[tftp]\nlisten = \"127.0.0.1:0\"\n"),
        &["[boot] tftp_root"],
    )
    .await;
}

#[test]
fn a_database_url_with_a_password_is_not_printed() {
    let mut config = HostConfig::default();
    assert!(format!("{config:?}").contains("memory:"));
    config.database = "postgres://ironic:hunter2@db/ironic".to_owned();
    assert!(!format!("{config:?}").contains("hunter2"), "{config:?}");
}
