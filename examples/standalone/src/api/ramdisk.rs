//! What the agent in a ramdisk calls: lookup, heartbeat, and what an inspection has found.

use axum::Json;
use http::StatusCode;
use ironic_core::ErrorKind;
use ironic_core::model::{MacAddress, Node};
use ironic_core::states::InterfaceKind;
use ironic_core::transport::{HeartbeatArgs, InspectionArgs, LookupAnswer};
use serde_json::{Map, Value, json};

use crate::access::Target;

use super::arguments::{Arguments, Document, INSPECTION_BODY_LIMIT, QueryArguments};
use super::caller::{Caller, Ident};
use super::document::{ACCEPTED, Member, Routes, Shape, about, get, post, shows};
use super::fault::Fault;
use super::nodes;
use super::version::since;

/// The fields of its node that an agent is shown.
const SHOWN: &[&str] = &[
    "uuid",
    "properties",
    "instance_info",
    "driver_internal_info",
];

/// What an agent that reports may say of itself.
const STATUSES: &[&str] = &["start", "end", "error"];

/// The heartbeat interval that an agent is told where no conductor was asked for it.
const HEARTBEAT_TIMEOUT: u64 = 300;

/// Management interfaces by which the BMC's address is known, so that no agent has to find it out.
const KNOW_THE_BMC: &[&str] = &["redfish", "idrac-redfish"];

/// What an agent is told.
const TOLD: &[Member] = &[
    Member::new("node", nodes::SHOWN, "Its node, as far as agents see it."),
    Member::new("config", Shape::Object, "How it is to behave."),
];

/// What an agent tells of itself.
const HEARTBEAT: &[Member] = &[
    Member::new("callback_url", Shape::Text, "Where it takes commands.").required(),
    Member::new(
        "agent_token",
        Shape::OrNull(&Shape::Text),
        "What lookup gave out.",
    )
    .since(since::AGENT_TOKEN),
    Member::new("agent_version", Shape::OrNull(&Shape::Text), "Its version.")
        .since(since::AGENT_VERSION),
    Member::new(
        "agent_verify_ca",
        Shape::OrNull(&Shape::Text),
        "Its certificate (PEM).",
    )
    .since(since::AGENT_CERTIFICATE),
    Member::new(
        "agent_status",
        Shape::OrNull(&Shape::Words(STATUSES)),
        "How far it is.",
    )
    .since(since::AGENT_STATUS),
    Member::new(
        "agent_status_message",
        Shape::OrNull(&Shape::Text),
        "What it says to that.",
    )
    .since(since::AGENT_STATUS),
];

/// What an inspection has found.
const FOUND: &[Member] = &[Member::new(
    "inventory",
    Shape::Open(&[
        Member::new(
            "interfaces",
            Shape::List(&Shape::Open(&[Member::new(
                "mac_address",
                Shape::Text,
                "Its address.",
            )
            .required()])),
            "The network interfaces, one at least.",
        )
        .required(),
        Member::new(
            "bmc_address",
            Shape::OrNull(&Shape::Text),
            "Where its BMC is.",
        ),
        Member::new(
            "bmc_v6address",
            Shape::OrNull(&Shape::Text),
            "The same by IPv6.",
        ),
    ]),
    "What the machine is made of.",
)
.required()];

/// What an agent is told that has reported: before 1.84 of its node only.
const INSPECTED: Shape = Shape::Either(&[
    Shape::Members(&[Member::new("uuid", Shape::Uuid, "The uuid of its node.").required()]),
    Shape::Members(TOLD),
]);

/// The routes.
pub(super) fn routes() -> Routes {
    Routes::of("Ramdisk")
        .route(
            "/lookup",
            get(
                lookup,
                about(
                    "Tells an agent which node it is on.",
                    shows(Shape::Members(TOLD)),
                )
                .query(&[
                    Member::new("addresses", Shape::List(&Shape::Mac), "Its addresses."),
                    Member::new("node_uuid", Shape::Uuid, "The node, where that is known."),
                ])
                .public(),
            ),
        )
        .route(
            "/heartbeat/{ident}",
            post(
                heartbeat,
                about("Takes note that an agent lives.", ACCEPTED)
                    .takes(Shape::Members(HEARTBEAT))
                    .public(),
            ),
        )
        .route(
            "/continue_inspection",
            post(
                continue_inspection,
                about(
                    "Takes what an inspection has found.",
                    shows(INSPECTED).begun(),
                )
                .query(&[
                    Member::new("node_uuid", Shape::Uuid, "The node, where that is known.")
                        .since(since::CONTINUE_INSPECTION),
                ])
                .takes(Shape::Open(FOUND))
                .public(),
            )
            .body_limit(INSPECTION_BODY_LIMIT),
        )
}

/// `GET /v1/lookup`.
async fn lookup(
    caller: Caller,
    QueryArguments(mut query): QueryArguments,
) -> Result<Json<Value>, Fault> {
    let addresses = query.list("addresses")?;
    let node = query.uuid("node_uuid")?;
    query.end()?;
    caller.need_to("baremetal:driver:ipa_lookup", &Target::public())?;
    let addresses = right_addresses(addresses.unwrap_or_default().iter().map(String::as_str));
    if addresses.is_empty() && node.is_none() {
        return Err(Fault::bad(
            "addresses or node_uuid must tell which node this is",
        ));
    }
    // What is wrong is told to nobody who is not an agent that is waited for.
    let nothing = || Fault::not_found("no node waits for an agent there");
    let found = caller.client.lookup(node, &addresses).await;
    let answer = found.map_err(|error| match error.kind() {
        ErrorKind::NotFound => nothing(),
        _ => error.into(),
    })?;
    document(&caller, &answer).await.map(Json)
}

/// The addresses that are some; agents report others too.
fn right_addresses<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<MacAddress> {
    texts
        .filter_map(super::args::normal_mac)
        .filter_map(|text| text.parse().ok())
        .collect()
}

/// What an agent is told about its node and how to behave.
async fn document(caller: &Caller, answer: &LookupAnswer) -> Result<Value, Fault> {
    let fields: Vec<_> = SHOWN.iter().map(|name| (*name).to_owned()).collect();
    let node = nodes::show(caller, &answer.node, Some(&fields)).await?;
    let handed_out = answer.node.internal_str("agent_secret_token").is_some();
    let token = match &answer.agent_token {
        Some(token) => Value::from(token.as_str()),
        // A client of the time before tokens takes anything for none, but this.
        None if handed_out && !caller.version.has(since::AGENT_TOKEN) => "".into(),
        None if handed_out => "******".into(),
        None => Value::Null,
    };
    Ok(json!({"node": node, "config": config(answer, &token)}))
}

/// How the agent is to behave: the original's settings at their defaults.
fn config(answer: &LookupAnswer, token: &Value) -> Value {
    let management = answer.node.interfaces.get(InterfaceKind::Management);
    json!({
        "metrics": {
            "backend": "noop",
            "prepend_host": false,
            "prepend_uuid": false,
            "prepend_host_reverse": true,
            "global_prefix": null,
        },
        "metrics_statsd": {"statsd_host": "localhost", "statsd_port": 8125},
        "heartbeat_timeout": answer.heartbeat_timeout,
        "agent_containers": {
            "allow_arbitrary_containers": false,
            "allowed_containers": [],
            "container_steps_file": "/etc/ironic-python-agent.d/mysteps.yaml",
            "runner": "podman",
            "pull_options": [],
            "run_options": ["--rm", "--network=host"],
        },
        "agent_token": token,
        "agent_token_required": true,
        "agent_md5_checksum_enable": answer.allow_md5,
        "disable_deep_image_inspection": false,
        "permitted_image_formats": ["raw", "gpt", "qcow2", "iso"],
        "agent_skip_bmc_detect": management.is_some_and(|name| KNOW_THE_BMC.contains(&name)),
        "enable_bios_bootloader_install": false,
        "tls_min_version": "1.3",
        "tls_cipher_suites": null,
    })
}

/// `POST /v1/heartbeat/{ident}`.
async fn heartbeat(
    caller: Caller,
    Ident(ident): Ident,
    mut arguments: Arguments,
) -> Result<StatusCode, Fault> {
    let url = arguments.text("callback_url")?;
    let token = arguments.text("agent_token")?;
    let mut args = HeartbeatArgs::new(
        url.ok_or_else(|| Fault::bad("callback_url must say where the agent takes commands"))?,
        token,
    );
    args.agent_version = arguments.text("agent_version")?;
    args.agent_verify_ca = arguments.text("agent_verify_ca")?;
    args.agent_status = arguments.text("agent_status")?;
    args.agent_status_message = arguments.text("agent_status_message")?;
    arguments.end()?;
    caller.need_to("baremetal:node:ipa_heartbeat", &Target::public())?;
    check_version(&caller, &args)?;
    let node = caller.any_node(&ident).await?;
    if args.agent_token.is_none() {
        return Err(Fault::bad("agent_token is required: lookup gave it out"));
    }
    let status = args.agent_status.as_deref();
    if status.is_some_and(|status| !STATUSES.contains(&status)) {
        return Err(Fault::bad(format!(
            "agent_status must be one of {}",
            STATUSES.join(", ")
        )));
    }
    let known = node.internal_str("agent_url");
    if known.is_some_and(|known| known != args.callback_url) {
        return Err(Fault::bad(
            "callback_url is another than before: an agent stays where it is",
        ));
    }
    caller.client.heartbeat(node.uuid, args).await?;
    Ok(StatusCode::ACCEPTED)
}

fn check_version(caller: &Caller, args: &HeartbeatArgs) -> Result<(), Fault> {
    let given = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.is_empty());
    let status = given(&args.agent_status) || given(&args.agent_status_message);
    for (name, set, from) in [
        (
            "agent_version",
            given(&args.agent_version),
            since::AGENT_VERSION,
        ),
        ("agent_status", status, since::AGENT_STATUS),
        (
            "agent_verify_ca",
            args.agent_verify_ca.is_some(),
            since::AGENT_CERTIFICATE,
        ),
    ] {
        if set && !caller.version.has(from) {
            return Err(Fault::bad(format!(
                "{name} needs at least version 1.{from} of the API"
            )));
        }
    }
    Ok(())
}

/// `POST /v1/continue_inspection`.
async fn continue_inspection(
    caller: Caller,
    QueryArguments(mut query): QueryArguments,
    Document(body): Document,
) -> Result<(StatusCode, Json<Value>), Fault> {
    let uuid = query.uuid("node_uuid")?;
    query.end()?;
    caller.need_to(
        "baremetal:driver:ipa_continue_inspection",
        &Target::public(),
    )?;
    let found = found(body)?;
    let named = caller.version.has(since::CONTINUE_INSPECTION);
    if uuid.is_some() && !named {
        return Err(Fault::not_found(
            "node_uuid needs a newer version of the API",
        ));
    }
    let macs = addresses(&found.inventory);
    let has_bmc = ["bmc_address", "bmc_v6address"].iter().any(|name| {
        let address = found.inventory.get(*name).and_then(Value::as_str);
        address.is_some_and(|address| !address.is_empty())
    });
    if macs.is_empty() && !has_bmc && uuid.is_none() {
        return Err(Fault::bad("nothing tells which node this is"));
    }
    // The token is given out before what was found is made use of: afterwards nobody waits for
    // the agent any more.
    let token = match named {
        true => caller.client.lookup(uuid, &macs).await.ok(),
        false => None,
    };
    let node = caller
        .client
        .continue_inspection(uuid, &macs, found)
        .await?;
    let answer = if named {
        inspected(&caller, node, token).await?
    } else {
        json!({"uuid": node.uuid})
    };
    Ok((StatusCode::ACCEPTED, Json(answer)))
}

/// What the agent is told that has reported.
async fn inspected(
    caller: &Caller,
    node: Node,
    lookup: Option<LookupAnswer>,
) -> Result<Value, Fault> {
    let timeout = lookup.as_ref().map(|answer| answer.heartbeat_timeout);
    let token = lookup.and_then(|answer| answer.agent_token);
    let answer = LookupAnswer::new(node, timeout.unwrap_or(HEARTBEAT_TIMEOUT), token);
    document(caller, &answer).await
}

/// The inventory, and what was found besides.
fn found(body: Option<Value>) -> Result<InspectionArgs, Fault> {
    let Some(Value::Object(mut data)) = body else {
        return Err(Fault::bad(
            "the body must be a JSON object with an inventory",
        ));
    };
    let Some(Value::Object(inventory)) = data.remove("inventory") else {
        return Err(Fault::bad("inventory must be a JSON object"));
    };
    for name in ["bmc_address", "bmc_v6address"] {
        let address = inventory.get(name);
        if address.is_some_and(|value| !value.is_null() && !value.is_string()) {
            return Err(Fault::bad(format!("inventory/{name} must be a string")));
        }
    }
    let interfaces = inventory.get("interfaces").and_then(Value::as_array);
    let right = interfaces.is_some_and(|interfaces| {
        let has_mac = |i: &Value| i.get("mac_address").is_some_and(Value::is_string);
        !interfaces.is_empty() && interfaces.iter().all(has_mac)
    });
    if !right {
        return Err(Fault::bad(
            "inventory/interfaces must be a list of interfaces, each with a mac_address",
        ));
    }
    Ok(InspectionArgs::new(inventory, data))
}

fn addresses(inventory: &Map<String, Value>) -> Vec<MacAddress> {
    let interfaces = inventory.get("interfaces").and_then(Value::as_array);
    let macs = interfaces.into_iter().flatten();
    right_addresses(macs.filter_map(|interface| interface.get("mac_address")?.as_str()))
}
