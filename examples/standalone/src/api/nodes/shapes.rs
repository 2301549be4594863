//! What is sent and answered of nodes.

use ironic_core::driver::{Component, IndicatorState, VirtualMediaDevice};
use ironic_core::states::{BootDevice, BootMode, PowerTarget, ProvisionState, Verb};

use super::super::document::{Member, Record, Shape};
use super::super::version::since;
use super::steps::Steps;
use super::{FIELDS, firmware, history, list, media};

/// A node as answers show it.
pub(in super::super) const SHOWN: Shape = Shape::Record(
    Record::new("node", FIELDS).besides(&[
        Member::new("links", Shape::Links, "Where it is.").required(),
        Member::new("ports", Shape::Links, "Where its ports are."),
        Member::new("states", Shape::Links, "Where its states are.").since(since::STATES_LINKS),
        Member::new("portgroups", Shape::Links, "Where its port groups are.")
            .since(since::PORTGROUP_LINKS),
        Member::new("volume", Shape::Links, "Where its volumes are.").since(since::VOLUME),
    ]),
);

/// Which nodes a list is of.
pub(in super::super) const FILTERS: &[Member] = &[
    Member::new(
        "associated",
        Shape::FLAG,
        "Those with an instance, or without.",
    ),
    Member::new("chassis_uuid", Shape::Uuid, "Those in this chassis."),
    Member::new(
        "conductor",
        Shape::Text,
        "Those that this conductor looks after.",
    )
    .since(since::CONDUCTORS),
    Member::new(
        "conductor_group",
        Shape::Text,
        "Those of this group of conductors.",
    )
    .since(since::CONDUCTOR_GROUP),
    Member::new(
        "description_contains",
        Shape::Text,
        "Those of which the description has this.",
    ),
    Member::new("driver", Shape::Text, "Those with this driver.").since(since::DRIVER_FILTER),
    Member::new(
        "fault",
        Shape::Words(list::FAULTS),
        "Those that have failed so.",
    )
    .since(since::FAULT),
    Member::new(
        "include_children",
        Shape::FLAG,
        "Also those within other nodes.",
    )
    .since(since::CHILD_NODES),
    Member::new("instance_name", Shape::Text, "The one of this instance.")
        .since(since::INSTANCE_NAME),
    Member::new("instance_uuid", Shape::Uuid, "The one of this instance."),
    Member::new("lessee", Shape::Text, "Those lent to this project.").since(since::LESSEE),
    Member::new("maintenance", Shape::FLAG, "Those in maintenance, or not."),
    Member::new("owner", Shape::Text, "Those of this project.").since(since::OWNER),
    Member::new("parent_node", Shape::Uuid, "Those within this node.").since(since::CHILD_NODES),
    Member::new(
        "project",
        Shape::Text,
        "Those of this project, or lent to it.",
    ),
    Member::new(
        "provision_state",
        Shape::Known(provision_states),
        "Those in this state.",
    )
    .since(since::PROVISION_STATE_FILTER),
    Member::new("resource_class", Shape::Text, "Those of this class.").since(since::RESOURCE_CLASS),
    Member::new("retired", Shape::FLAG, "Those that are retired, or not."),
    Member::new("shard", Shape::List(&Shape::Text), "Those of these shards.").since(since::SHARDS),
    Member::new("sharded", Shape::FLAG, "Those of any shard, or of none.").since(since::SHARDS),
];

/// Something that has happened, as answers show it.
pub(super) const EVENT: Shape = Shape::Record(Record::new("history event", history::EVENT));

/// A BIOS setting as answers show it.
pub(super) const SETTING: Shape = Shape::Record(Record::new("BIOS setting", firmware::SETTING));

/// A component with firmware as answers show it.
const COMPONENT: Shape =
    Shape::Record(Record::new("firmware component", firmware::COMPONENT).besides(&[]));

/// Traits, all of them.
pub(super) const TRAITS: Shape =
    Shape::Members(&[
        Member::new("traits", Shape::List(&Shape::Text), "Names of traits.").required(),
    ]);

fn provision_states() -> Vec<&'static str> {
    ProvisionState::ALL
        .iter()
        .map(|state| state.as_str())
        .collect()
}

fn power_targets() -> Vec<&'static str> {
    PowerTarget::ALL
        .iter()
        .map(|target| target.as_str())
        .collect()
}

fn boot_devices() -> Vec<&'static str> {
    BootDevice::ALL
        .iter()
        .map(|device| device.as_str())
        .collect()
}

fn boot_modes() -> Vec<&'static str> {
    BootMode::ALL.iter().map(|mode| mode.as_str()).collect()
}

fn lights() -> Vec<&'static str> {
    IndicatorState::ALL
        .iter()
        .map(|state| state.as_str())
        .collect()
}

fn components() -> Vec<&'static str> {
    Component::ALL
        .iter()
        .map(|component| component.as_str())
        .collect()
}

pub(super) fn media_kinds() -> Vec<&'static str> {
    VirtualMediaDevice::ALL
        .iter()
        .map(|device| device.as_str())
        .collect()
}

/// The words for what can be asked for, those that mean the same beside each other.
fn targets() -> Vec<&'static str> {
    let verbs = Verb::ALL.iter().map(|verb| verb.as_str());
    verbs.chain(["deploy", "undeploy"]).collect()
}

/// What a validation tells, by interface.
pub(super) const VALIDATED: Shape = Shape::Map(&Shape::Members(&[
    Member::new(
        "result",
        Shape::OrNull(&Shape::Bool),
        "Whether it could; null without one.",
    ),
    Member::new("reason", Shape::Text, "Why it could not."),
]));

/// What a node is asked to become.
pub(super) const PROVISION: Shape = Shape::Members(&[
    Member::new("target", Shape::Known(targets), "What is to be done.").required(),
    Member::new(
        "configdrive",
        Shape::OrNull(&Shape::Either(&[
            Shape::Text,
            Shape::Members(&[
                Member::new("meta_data", Shape::Object, "What the instance is.")
                    .since(since::BUILT_CONFIGDRIVE),
                Member::new("network_data", Shape::Object, "How it is connected.")
                    .since(since::BUILT_CONFIGDRIVE),
                Member::new("user_data", Shape::Anything, "What it runs at first.")
                    .since(since::BUILT_CONFIGDRIVE),
                Member::new("vendor_data", Shape::Object, "What a vendor adds.")
                    .since(since::CONFIGDRIVE_VENDOR_DATA),
            ]),
        ])),
        "What the instance finds at its start: gzip in base64, where that is, or its parts.",
    ),
    Member::new(
        "clean_steps",
        Shape::OrNull(&Shape::Steps(Steps::Clean)),
        "How to clean.",
    )
    .since(since::MANUAL_CLEAN),
    Member::new(
        "deploy_steps",
        Shape::OrNull(&Shape::Steps(Steps::Deploy)),
        "Further steps.",
    )
    .since(since::DEPLOY_STEPS),
    Member::new(
        "service_steps",
        Shape::OrNull(&Shape::Steps(Steps::Service)),
        "How to service.",
    )
    .since(since::SERVICE_VERB),
    Member::new(
        "rescue_password",
        Shape::OrNull(&Shape::Text),
        "Whom the rescue lets in.",
    )
    .since(since::RESCUE),
    Member::new(
        "disable_ramdisk",
        Shape::OrNull(&Shape::Bool),
        "Whether no agent is booted.",
    )
    .since(since::CLEAN_WITHOUT_RAMDISK),
    Member::new(
        "runbook",
        Shape::OrNull(&Shape::Text),
        "The runbook that has the steps.",
    )
    .since(since::RUNBOOKS),
]);

/// What a light does.
pub(super) const LIGHT: Shape =
    Shape::Members(&[Member::new("state", Shape::Known(lights), "What it does.").required()]);

/// Virtual drives, as BMCs tell of them.
pub(super) const DRIVES: Shape = Shape::List(&Shape::Object);

/// The nodes within a node.
pub(super) const CHILDREN: Shape = Shape::Members(&[
    Member::new("children", Shape::List(&Shape::Uuid), "Their uuids.").required(),
    Member::new("links", Shape::Object, "Where they are."),
]);

/// The settings of a BIOS.
pub(super) const BIOS: Shape =
    Shape::Members(&[Member::new("bios", Shape::List(&SETTING), "The settings.").required()]);

/// What firmware there is.
pub(super) const FIRMWARE: Shape = Shape::Members(&[Member::new(
    "firmware",
    Shape::List(&COMPONENT),
    "The components that have some.",
)
.required()]);

/// What an inspection has found.
pub(super) const INVENTORY: Shape = Shape::Members(&[
    Member::new("inventory", Shape::Object, "What the machine is made of."),
    Member::new("plugin_data", Shape::Object, "What was found besides."),
]);

/// An image to be put into a drive.
pub(super) const MEDIUM: Shape = Shape::Members(&[
    Member::new(
        "device_type",
        Shape::Known(media_kinds),
        "Which sort of drive.",
    )
    .required(),
    Member::new("image_url", Shape::Text, "Where the image is.").required(),
    Member::new(
        "image_download_source",
        Shape::Words(media::SOURCES),
        "How the machine gets it.",
    ),
]);

/// The virtual interfaces of a node.
pub(super) const VIFS: Shape = Shape::Members(&[Member::new(
    "vifs",
    Shape::List(&Shape::Object),
    "The virtual interfaces.",
)
.required()]);

/// A virtual interface to be attached.
pub(super) const VIF: Shape = Shape::Open(&[
    Member::new("id", Shape::Ident, "The virtual interface.").required(),
    Member::new("port_uuid", Shape::Uuid, "To this port.").since(since::VIF_ON_A_PORT),
    Member::new("portgroup_uuid", Shape::Uuid, "To this port group.").since(since::VIF_ON_A_PORT),
]);

/// Why a node is in maintenance.
pub(super) const REASON: Shape = Shape::Members(&[Member::new(
    "reason",
    Shape::OrNull(&Shape::Text),
    "Why, for people.",
)]);

/// What is to be done to the power.
pub(super) const POWER: Shape = Shape::Members(&[
    Member::new("target", Shape::Known(power_targets), "What is to be done.").required(),
    Member::new(
        "timeout",
        Shape::OrNull(&Shape::Positive),
        "How many seconds it may take.",
    )
    .since(since::SOFT_POWER),
]);

/// How the firmware is to boot.
pub(super) const BOOT_MODE: Shape =
    Shape::Members(&[Member::new("target", Shape::Known(boot_modes), "The boot mode.").required()]);

/// Whether the firmware is to check what it boots.
pub(super) const SECURE_BOOT: Shape =
    Shape::Members(&[Member::new("target", Shape::Bool, "Whether it does.").required()]);

/// Where the console is.
pub(super) const CONSOLE: Shape = Shape::Members(&[
    Member::new("console_enabled", Shape::Bool, "Whether there is one.").required(),
    Member::new(
        "console_info",
        Shape::OrNull(&Shape::Members(&[
            Member::new("type", Shape::Text, "Of what sort it is."),
            Member::new("url", Shape::Text, "Where it is."),
        ])),
        "What is known of it.",
    )
    .required(),
]);

/// Whether there is to be a console.
pub(super) const SET_CONSOLE: Shape =
    Shape::Members(&[
        Member::new("enabled", Shape::Bool, "Whether there is to be one.").required(),
    ]);

/// What a machine boots from.
pub(super) const BOOT_DEVICE: Shape = Shape::Members(&[
    Member::new(
        "boot_device",
        Shape::OrNull(&Shape::Text),
        "What it boots from.",
    )
    .required(),
    Member::new("persistent", Shape::OrNull(&Shape::Bool), "Whether always.").required(),
]);

/// What a machine is to boot from.
pub(super) const SET_BOOT_DEVICE: Shape = Shape::Members(&[
    Member::new("boot_device", Shape::Known(boot_devices), "The device.").required(),
    Member::new("persistent", Shape::OrNull(&Shape::Bool), "Whether always."),
]);

/// What a machine can boot from.
pub(super) const BOOT_DEVICES: Shape = Shape::Members(&[Member::new(
    "supported_boot_devices",
    Shape::List(&Shape::Known(boot_devices)),
    "The devices.",
)
.required()]);

/// A body in which there is nothing.
pub(super) const NOTHING: Shape = Shape::Members(&[]);

/// The lights of a machine.
pub(super) const LIGHTS: Shape = Shape::Members(&[Member::new(
    "indicators",
    Shape::List(&Shape::Members(&[
        Member::new("name", Shape::Text, "Its name@component.").required(),
        Member::new("component", Shape::Known(components), "What it is on."),
        Member::new("readonly", Shape::Bool, "Whether it can only be seen."),
        Member::new(
            "states",
            Shape::List(&Shape::Known(lights)),
            "What it can do.",
        ),
        Member::new("links", Shape::Links, "Where it is."),
    ])),
    "The lights.",
)
.required()]);
