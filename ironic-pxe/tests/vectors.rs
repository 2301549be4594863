//! Network boot compared with what the original did: `pxe.json`.
#![allow(
    clippy::disallowed_methods,
    reason = "IRONIC_VECTORS names another folder of cases"
)]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test"
)]

mod meaning;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use ironic_pxe::BootInterface;
use ironic_pxe::boot::{
    BootConfig, BootError, BootFile, BootNode, BootPlan, BootPort, BootRequest, DhcpProvider,
    IpVersion, KernelCommandLine, RamdiskParams, Root, VolumeTarget, boot_file, boot_mode,
    common_files, dhcp_options, grub_link_paths, ip_link_path, kernel_append_params, label_path,
    label_url, mac_link_path, prepare_instance, prepare_ramdisk, pxe_options,
    render_ipxe_boot_script, sanitize_kernel_command_line, volume_options,
};
use meaning::meaning;
use serde_json::{Map, Value, json};

// Paths of the recorded files are shown below these two; the folders themselves were T and H.
const SHOWN: [(&str, &str); 2] = [("/roots/T", "/tftpboot"), ("/roots/H", "/httpboot")];

const SKIPPED: [&str; 0] = [];

type Outcome = Result<Value, BootError>;

fn load() -> Value {
    let read = |folder: &str| -> Value {
        let path = format!("{folder}/pxe.json");
        let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}"));
        serde_json::from_str(&text).unwrap()
    };
    let mut file = read(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../ironic-core/tests/vectors"
    ));
    if let Ok(folder) = std::env::var("IRONIC_VECTORS") {
        let other = read(&folder);
        for name in ["cases", "fixtures", "base_config"] {
            if let Some(value) = other.get(name) {
                file[name] = value.clone();
            }
        }
    }
    file
}

#[test]
fn pxe() {
    let file = load();
    let cases = file["cases"].as_array().unwrap();
    let base = file["base_config"].as_object().unwrap();
    let (mut passed, mut counted) = (0, 0);
    let mut skipped = BTreeSet::new();
    let mut misses = Vec::new();
    for case in cases {
        let kind = case["kind"].as_str().unwrap();
        if SKIPPED.contains(&kind) {
            skipped.insert(kind);
            continue;
        }
        counted += 1;
        let expected = &case["expect"];
        let outcome = run(kind, case, base);
        let right = match (&outcome, expected.get("error")) {
            (Err(error), Some(name)) => same_error(error, name.as_str().unwrap()),
            (Ok(found), None) => found == expected,
            _ => false,
        };
        if right {
            passed += 1;
        } else {
            let found = match outcome {
                Ok(value) => value.to_string(),
                Err(error) => format!("error: {error}"),
            };
            misses.push(format!(
                "{} {kind}\n  found    {found}\n  expected {expected}",
                case["id"]
            ));
        }
    }
    for kind in skipped {
        println!("skipped: pxe.json {kind}");
    }
    println!("pxe.json: {passed} of {counted} cases");
    assert!(misses.is_empty(), "{}", misses.join("\n"));
}

fn same_error(error: &BootError, name: &str) -> bool {
    match name {
        "MissingParameterValue" => error.code() == "missing_parameter",
        "InvalidParameterValue" => error.code() == "invalid_parameter",
        // An uncaught crash there: any error is right.
        _ => true,
    }
}

fn run(kind: &str, case: &Value, base: &Map<String, Value>) -> Outcome {
    let config = config(base, case.get("config"));
    match kind {
        "prepare_ramdisk" => ramdisk(case, base, &config),
        "prepare_instance" => instance(case, base, &config),
        "volume_pxe_options" => volume_case(case, base, &config),
        "iscsi_url" => iscsi_url_case(case),
        "dhcp_options" => dhcp_options_case(case, &config),
        "boot_file" => {
            let node = node(json!({"properties": case["properties"]}));
            boot_file(&config, &node, case["ipxe"] == true).map(|name| json!({"ok": name}))
        }
        "kernel_append_params" => append_params_case(case),
        "kernel_cmdline_parse" => command_line_case(case),
        "kernel_cmdline_sanitize" => {
            Ok(json!({"ok": sanitize_kernel_command_line(text(&case["cmdline"]))}))
        }
        "mac_paths" => {
            let mut port = BootPort::new(text(&case["mac"]));
            if let Some(id) = case["client_id"].as_str() {
                port.extra.insert("client-id".into(), id.into());
            }
            let root = if case["ipxe"] == true {
                Root::Http
            } else {
                Root::Tftp
            };
            Ok(json!({
                "mac_path": shown(&mac_link_path(&config, root, &port)),
                "grub_paths": grub_link_paths(&config, root, &port).map(|path| shown(&path)),
            }))
        }
        "ip_path" => Ok(json!(shown(&ip_link_path(&config, text(&case["ip"]))))),
        "label_paths" => {
            let (uuid, label) = (text(&case["node_uuid"]), text(&case["label"]));
            Ok(json!({
                "file": shown(&label_path(&config, Root::Tftp, uuid, label)),
                "url": label_url("http://h:1", uuid, label),
            }))
        }
        "boot_mode" => boot_mode_case(case),
        "ipxe_boot_script" => {
            let script = render_ipxe_boot_script(&config)?;
            Ok(json!({"files": {"/httpboot/boot.ipxe": {"boots": meaning(&script)}}}))
        }
        other => panic!("no rule for cases of kind {other}"),
    }
}

fn ramdisk(case: &Value, base: &Map<String, Value>, config: &BootConfig) -> Outcome {
    let node = node(case["node"].clone());
    let addresses = strings(&case["ip_addresses"]);
    let request = request(config, &node, case, base).with_ip_addresses(&addresses);
    let params = RamdiskParams::from_map(case["ramdisk_params"].as_object().unwrap());
    let mut plan = prepare_ramdisk(&request, &params)?;
    // A listing of the roots also shows what was put there before any node was touched.
    let listed = case["expect"]["files"].as_object();
    for (path, file) in common_files(config)? {
        if listed.is_some_and(|listed| listed.contains_key(&shown(&path))) {
            plan.files.entry(path).or_insert(file);
        }
    }
    Ok(plan_value(&plan))
}

fn instance(case: &Value, base: &Map<String, Value>, config: &BootConfig) -> Outcome {
    let node = node(case["node"].clone());
    prepare_instance(&request(config, &node, case, base)).map(|plan| plan_value(&plan))
}

// These record the file that a ramdisk's boot would write, without its DHCP options.
fn volume_case(case: &Value, base: &Map<String, Value>, config: &BootConfig) -> Outcome {
    let node = node(case["node"].clone());
    let request = request(config, &node, case, base);
    let none = RamdiskParams::new();
    let options = pxe_options(&request, &[], false, &none)?;
    let mut files = plan_value(&prepare_ramdisk(&request, &none)?)["files"].clone();
    files.as_object_mut().unwrap().remove("/httpboot/boot.ipxe");
    Ok(json!({"options": serde_json::to_value(options).unwrap(), "files": files}))
}

fn iscsi_url_case(case: &Value) -> Outcome {
    let mut node = BootNode::new("node");
    node.driver_internal_info
        .insert("boot_from_volume".into(), "volume".into());
    let properties = case["properties"].as_object().unwrap().clone();
    let volume = VolumeTarget::new("volume", text(&case["volume_type"]), 0, properties);
    node.volume_targets.push(volume);
    Ok(match volume_options(&node)? {
        Some(options) => json!({"ok": serde_json::to_value(options).unwrap()}),
        None => json!({"ok": {}}),
    })
}

fn dhcp_options_case(case: &Value, config: &BootConfig) -> Outcome {
    let mut properties = json!({"cpu_arch": case["cpu_arch"]});
    if let Some(mode) = case["boot_mode"].as_str() {
        properties["capabilities"] = json!(format!("boot_mode:{mode}"));
    }
    let version = case["ip_version"].as_u64().map(ip_version);
    let interface = BootInterface::from_name(text(&case["boot_interface"])).unwrap();
    let options = dhcp_options(
        config,
        &node(json!({"properties": properties})),
        interface,
        version,
    )?;
    Ok(json!({"ok": serde_json::to_value(options).unwrap()}))
}

fn append_params_case(case: &Value) -> Outcome {
    let mut node = BootNode::new("node");
    for (name, fields) in [
        ("instance_info", &mut node.instance_info),
        ("driver_info", &mut node.driver_info),
    ] {
        if !case[name].is_null() {
            fields.insert("kernel_append_params".into(), case[name].clone());
        }
    }
    let disabled = case["disable_parsing"] == true;
    kernel_append_params(&node, case["default"].as_str(), disabled).map(|line| json!({"ok": line}))
}

fn command_line_case(case: &Value) -> Outcome {
    let line = KernelCommandLine::parse(text(&case["cmdline"]))?;
    let params: BTreeMap<&str, Vec<String>> = line
        .parameters()
        .map(|(key, list)| (key, list.iter().map(ToString::to_string).collect()))
        .collect();
    Ok(json!({
        "ok": {"init_args": line.init_args(), "params": params, "str": line.to_string()},
    }))
}

fn boot_mode_case(case: &Value) -> Outcome {
    let mut properties = json!({});
    if !case["capabilities"].is_null() {
        properties["capabilities"] = case["capabilities"].clone();
    }
    let node = node(json!({
        "properties": properties,
        "instance_info": case["instance_info"],
        "driver_internal_info": case["driver_internal_info"],
    }));
    let mut config = BootConfig::default();
    config.default_boot_mode = text(&case["default_boot_mode"]).into();
    boot_mode(&config, &node).map(|mode| json!({"ok": mode}))
}

fn request<'a>(
    config: &'a BootConfig,
    node: &'a BootNode,
    case: &Value,
    base: &'a Map<String, Value>,
) -> BootRequest<'a> {
    let interface = BootInterface::from_name(text(&case["node"]["boot_interface"])).unwrap();
    BootRequest::new(config, node, interface)
        .with_global_request_id(text(&base["request context global id"]))
}

fn node(value: Value) -> BootNode {
    serde_json::from_value(value).unwrap()
}

fn plan_value(plan: &BootPlan) -> Value {
    let files: BTreeMap<String, Value> = plan
        .files
        .iter()
        .map(|(path, file)| {
            let value = match file {
                BootFile::Text(text) => json!({"boots": meaning(text)}),
                BootFile::Symlink(target) => json!({"symlink": target}),
            };
            (shown(path), value)
        })
        .collect();
    let device: Vec<_> = plan
        .boot_device
        .iter()
        .map(|change| json!([change.device.name(), change.persistent]))
        .collect();
    json!({
        "files": files,
        "dhcp_options": serde_json::to_value(&plan.dhcp_options).unwrap(),
        "set_boot_device": device,
    })
}

fn config(base: &Map<String, Value>, case: Option<&Value>) -> BootConfig {
    let mut config = BootConfig::default();
    [config.tftp_root, config.http_root] = SHOWN.map(|(folder, _)| folder.to_owned());
    let overrides = case.and_then(Value::as_object).into_iter().flatten();
    for (name, value) in base.iter().chain(overrides) {
        apply(&mut config, name, value);
    }
    config
}

fn apply(config: &mut BootConfig, name: &str, value: &Value) {
    let word = || text(value).to_owned();
    let maybe = || value.as_str().map(str::to_owned);
    match name {
        "DEFAULT.debug" => config.debug = value == true,
        "DEFAULT.my_ipv6" => config.my_ipv6 = maybe(),
        "conductor.deploy_kernel" => config.ramdisks.deploy_kernel = maybe(),
        "conductor.deploy_ramdisk" => config.ramdisks.deploy_ramdisk = maybe(),
        "conductor.rescue_kernel" => config.ramdisks.rescue_kernel = maybe(),
        "conductor.rescue_ramdisk" => config.ramdisks.rescue_ramdisk = maybe(),
        "conductor.disable_kernel_parameter_parsing" => {
            config.disable_kernel_parameter_parsing = value == true;
        }
        "conductor.automated_clean" => config.automated_clean = value == true,
        // Shown as /httpboot and /tftpboot; the folders are named above.
        "deploy.http_root" | "pxe.tftp_root" => {}
        "deploy.http_url" => config.http_url = word(),
        "deploy.default_boot_mode" => config.default_boot_mode = word(),
        "dhcp.dhcp_provider" => config.dhcp_provider = DhcpProvider::from_name(text(value)),
        "neutron.add_all_ports" => config.add_all_ports = value == true,
        "pxe.enable_netboot_fallback" => config.enable_netboot_fallback = value == true,
        "pxe.ip_version" => {
            config.ip_version = ip_version(text(value).parse().unwrap());
        }
        "pxe.ipxe_bootfile_name" => config.ipxe_bootfile_name = word(),
        "pxe.uefi_ipxe_bootfile_name" => config.uefi_ipxe_bootfile_name = word(),
        "pxe.pxe_bootfile_name" => config.pxe_bootfile_name = word(),
        "pxe.uefi_pxe_bootfile_name" => config.uefi_pxe_bootfile_name = word(),
        "pxe.ipxe_bootfile_name_by_arch" => config.ipxe_bootfile_name_by_arch = map(value),
        "pxe.pxe_bootfile_name_by_arch" => config.pxe_bootfile_name_by_arch = map(value),
        "pxe.ipxe_fallback_script" => config.ipxe_fallback_script = maybe(),
        "pxe.ipxe_timeout" => config.ipxe_timeout = Duration::from_secs(value.as_u64().unwrap()),
        "pxe.kernel_append_params" => config.kernel_append_params = word(),
        "pxe.tftp_server" => config.tftp_server = word(),
        // The request's own, and the API's address, which callers put into the parameters.
        "request context global id" | "service_catalog.endpoint_override" => {}
        other => panic!("no setting for {other}"),
    }
}

fn ip_version(number: u64) -> IpVersion {
    match number {
        4 => IpVersion::V4,
        6 => IpVersion::V6,
        other => panic!("no IP version {other}"),
    }
}

fn shown(path: &str) -> String {
    SHOWN
        .iter()
        .find_map(|(folder, shown)| Some(format!("{shown}{}", path.strip_prefix(folder)?)))
        .unwrap_or_else(|| path.to_owned())
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn strings(value: &Value) -> Vec<String> {
    value
        .as_array()
        .into_iter()
        .flatten()
        .map(|item| text(item).to_owned())
        .collect()
}

fn map(value: &Value) -> BTreeMap<String, String> {
    serde_json::from_value(value.clone()).unwrap()
}
