//! The routes of nodes, and what each is for.

use axum::routing::MethodFilter;

use super::super::arguments::PROVISION_BODY_LIMIT;
use super::super::document::{
    ACCEPTED, DONE, Member, Refusal, Routes, Shape, about, created, delete, get, listed, put,
    refused, shows,
};
use super::super::ports;
use super::super::schema::NODE;
use super::super::version::since;
use super::shapes::{
    BIOS, BOOT_DEVICE, BOOT_DEVICES, BOOT_MODE, CHILDREN, CONSOLE, DRIVES, EVENT, FILTERS,
    FIRMWARE, INVENTORY, LIGHT, LIGHTS, MEDIUM, NOTHING, POWER, PROVISION, REASON, SECURE_BOOT,
    SET_BOOT_DEVICE, SET_CONSOLE, SETTING, SHOWN, TRAITS, VALIDATED, VIF, VIFS, media_kinds,
};
use super::{
    FIELDS, create, firmware, history, indicators, list, maintenance, management, media, patch,
    provision, settings, states, traits, vifs,
};

/// The routes.
pub(in super::super) fn routes() -> Routes {
    records()
        .merge(parts())
        .merge(found())
        .merge(attached())
        .merge(states_of())
        .merge(set())
        .merge(management_of())
        .merge(lights_of())
}

/// Nodes.
fn records() -> Routes {
    Routes::of("Nodes")
        .route(
            "/nodes",
            get(
                list::list,
                about("Lists nodes.", listed("nodes", &SHOWN))
                    .query(FILTERS)
                    .paged(FIELDS)
                    .selects(FIELDS)
                    .details(since::DETAIL_QUERY),
            )
            .post(
                create::create,
                about("Enrols a node.", created(SHOWN)).takes(Shape::Body(NODE)),
            )
            .refuses(
                MethodFilter::PATCH.or(MethodFilter::DELETE),
                Refusal::AsAWhole,
            ),
        )
        .route(
            "/nodes/detail",
            get(
                list::detail,
                about("Lists nodes with every field.", listed("nodes", &SHOWN))
                    .query(FILTERS)
                    .paged(FIELDS),
            ),
        )
        .route(
            "/nodes/validate",
            get(
                super::validate_by_argument,
                about(
                    "Tells what a node's drivers lack to do their work.",
                    shows(VALIDATED),
                )
                .query(&[
                    Member::new("node", Shape::Ident, "The uuid or name of the node."),
                    Member::new("node_uuid", Shape::Uuid, "The uuid of the node."),
                ]),
            ),
        )
        .route(
            "/nodes/{ident}",
            get(
                super::show_one,
                about("Shows a node.", shows(SHOWN)).selects(FIELDS),
            )
            .patch(
                patch::patch,
                about("Changes a node.", shows(SHOWN))
                    .query(&[Member::new(
                        "reset_interfaces",
                        Shape::FLAG,
                        "With a new driver: whether the interfaces become its defaults.",
                    )
                    .since(since::RESET_INTERFACES)])
                    .takes(Shape::Patch(NODE)),
            )
            .delete(super::delete, about("Forgets a node.", DONE)),
        )
        .route(
            "/nodes/{ident}/validate",
            get(
                super::validate,
                about(
                    "Tells what the node's drivers lack to do their work.",
                    shows(VALIDATED),
                ),
            ),
        )
}

/// What belongs to nodes.
fn parts() -> Routes {
    Routes::of("Nodes")
        .route(
            "/nodes/{ident}/children",
            get(
                list::children,
                about("Lists the nodes within a node.", shows(CHILDREN)).since(since::CHILD_NODES),
            ),
        )
        .route(
            "/nodes/{ident}/ports",
            get(
                ports::list_of_node,
                about("Lists the ports of a node.", listed("ports", &ports::SHOWN))
                    .query(ports::FILTERS)
                    .paged(ports::FIELDS)
                    .selects(ports::FIELDS)
                    .details(since::DETAIL_QUERY),
            )
            .refuses(MethodFilter::POST, Refusal::WithinAnother),
        )
        .route(
            "/nodes/{ident}/ports/detail",
            get(
                ports::detail_of_node,
                about(
                    "Lists the ports of a node with every field.",
                    listed("ports", &ports::SHOWN),
                )
                .query(ports::FILTERS)
                .paged(ports::FIELDS),
            ),
        )
        .route(
            "/nodes/{ident}/ports/{port}",
            refused(Refusal::WithinAnother),
        )
        .route(
            "/nodes/{ident}/traits",
            get(
                traits::list,
                about("Lists the traits of a node.", shows(TRAITS)).since(since::TRAITS),
            )
            .put(
                traits::replace,
                about("Gives a node exactly these traits.", DONE)
                    .since(since::TRAITS)
                    .impossible_before()
                    .takes(TRAITS),
            )
            .delete(
                traits::remove_all,
                about("Takes every trait from a node.", DONE).since(since::TRAITS),
            ),
        )
        .route(
            "/nodes/{ident}/traits/{name}",
            put(
                traits::add,
                about("Gives a node a trait besides the others.", DONE.located())
                    .since(since::TRAITS)
                    .impossible_before(),
            )
            .delete(
                traits::remove,
                about("Takes a trait from a node.", DONE).since(since::TRAITS),
            ),
        )
}

/// What has been found out about machines.
fn found() -> Routes {
    Routes::of("Nodes")
        .route(
            "/nodes/{ident}/bios",
            get(
                firmware::settings,
                about("Lists the BIOS settings of a node.", shows(BIOS))
                    .query(&[Member::new(
                        "fields",
                        Shape::Names(firmware::SETTING),
                        "Which fields are shown.",
                    )
                    .since(since::BIOS_REGISTRY)])
                    .details(since::BIOS_REGISTRY),
            ),
        )
        .route(
            "/nodes/{ident}/bios/{name}",
            get(
                firmware::setting,
                about("Shows a BIOS setting.", shows(Shape::Map(&SETTING))),
            ),
        )
        .route(
            "/nodes/{ident}/firmware",
            get(
                firmware::components,
                about("Lists the firmware of a node.", shows(FIRMWARE))
                    .selects_from_the_start(firmware::COMPONENT),
            ),
        )
        .route(
            "/nodes/{ident}/firmware/{component}",
            refused(Refusal::NoSuchMethod),
        )
        .route(
            "/nodes/{ident}/history",
            get(
                history::list,
                about(
                    "Lists what has happened to a node.",
                    listed("history", &EVENT),
                )
                .paged(history::EVENT)
                .selects_from_the_start(history::EVENT)
                .details(since::HISTORY),
            ),
        )
        .route(
            "/nodes/{ident}/history/{event}",
            get(
                history::show,
                about("Shows something that has happened.", shows(EVENT)),
            ),
        )
        .route(
            "/nodes/{ident}/inventory",
            get(
                history::inventory,
                about("Shows what an inspection has found.", shows(INVENTORY)),
            ),
        )
}

/// What is attached to machines.
fn attached() -> Routes {
    Routes::of("Nodes")
        .route(
            "/nodes/{ident}/vifs",
            get(
                vifs::list,
                about(
                    "Lists the virtual interfaces that a node's ports have.",
                    shows(VIFS),
                ),
            )
            .post(
                vifs::attach,
                about("Attaches a virtual interface.", DONE).takes(VIF),
            )
            .refuses(MethodFilter::DELETE, Refusal::AsAWhole),
        )
        .route(
            "/nodes/{ident}/vifs/{id}",
            delete(vifs::detach, about("Detaches a virtual interface.", DONE)),
        )
        .route(
            "/nodes/{ident}/vmedia",
            get(
                media::list,
                about("Lists the virtual drives of a machine.", shows(DRIVES))
                    .since(since::SHOW_VIRTUAL_MEDIA),
            )
            .post(
                media::attach,
                about("Puts an image into a virtual drive.", DONE).takes(MEDIUM),
            )
            .delete(
                media::detach,
                about("Takes images out of virtual drives.", DONE).query(&[Member::new(
                    "device_types",
                    Shape::List(&Shape::Known(media_kinds)),
                    "Out of these sorts only.",
                )]),
            ),
        )
}

/// What state nodes are in.
fn states_of() -> Routes {
    Routes::of("Nodes")
        .route(
            "/nodes/{ident}/maintenance",
            put(
                maintenance::set,
                about(
                    "Puts a node into maintenance: nothing is done to it.",
                    ACCEPTED,
                )
                .takes(REASON),
            )
            .delete(
                maintenance::unset,
                about("Takes a node out of maintenance.", ACCEPTED),
            ),
        )
        .route(
            "/nodes/{ident}/states",
            get(
                states::states,
                about(
                    "Shows the states of a node.",
                    shows(Shape::Part("node states", FIELDS, states::STATES)),
                ),
            ),
        )
        .route(
            "/nodes/{ident}/states/{what}",
            refused(Refusal::NoSuchMethod),
        )
        .route(
            "/nodes/{ident}/states/power",
            put(
                states::power,
                about("Switches a machine.", ACCEPTED.located()).takes(POWER),
            ),
        )
        .route(
            "/nodes/{ident}/states/provision",
            put(
                provision::provision,
                about(
                    "Deploys, cleans, inspects: changes the state.",
                    ACCEPTED.located(),
                )
                .takes(PROVISION),
            )
            .body_limit(PROVISION_BODY_LIMIT),
        )
}

/// What is set of machines.
fn set() -> Routes {
    Routes::of("Nodes")
        .route(
            "/nodes/{ident}/states/boot_mode",
            put(
                settings::boot_mode,
                about("Sets how the firmware boots.", ACCEPTED.located())
                    .since(since::CHANGE_BOOT_MODE)
                    .takes(BOOT_MODE),
            ),
        )
        .route(
            "/nodes/{ident}/states/secure_boot",
            put(
                settings::secure_boot,
                about(
                    "Sets whether the firmware checks what it boots.",
                    ACCEPTED.located(),
                )
                .since(since::CHANGE_BOOT_MODE)
                .takes(SECURE_BOOT),
            ),
        )
        .route(
            "/nodes/{ident}/states/raid",
            put(
                settings::raid,
                about("Sets which RAID the next cleaning makes.", DONE)
                    .since(since::RAID_CONFIG)
                    .takes(Shape::Object),
            ),
        )
        .route(
            "/nodes/{ident}/states/console",
            get(
                settings::console,
                about("Shows where the console is.", shows(CONSOLE)),
            )
            .put(
                settings::set_console,
                about("Starts or stops the console.", ACCEPTED.located()).takes(SET_CONSOLE),
            ),
        )
}

/// What else is asked of machines.
fn management_of() -> Routes {
    Routes::of("Nodes")
        .route("/nodes/{ident}/management", refused(Refusal::NoSuchMethod))
        .route(
            "/nodes/{ident}/management/{what}",
            refused(Refusal::NoSuchMethod),
        )
        .route(
            "/nodes/{ident}/management/boot_device",
            get(
                management::boot_device,
                about("Shows what a machine boots from.", shows(BOOT_DEVICE)),
            )
            .put(
                management::set_boot_device,
                about("Sets what a machine boots from.", DONE).takes(SET_BOOT_DEVICE),
            ),
        )
        .route(
            "/nodes/{ident}/management/boot_device/supported",
            get(
                management::supported_boot_devices,
                about("Lists what a machine can boot from.", shows(BOOT_DEVICES)),
            ),
        )
        .route(
            "/nodes/{ident}/management/inject_nmi",
            put(
                management::inject_nmi,
                about("Sends a non-maskable interrupt.", DONE)
                    .since(since::INJECT_NMI)
                    .takes(NOTHING),
            ),
        )
}

/// The lights of machines.
fn lights_of() -> Routes {
    Routes::of("Nodes")
        .route(
            "/nodes/{ident}/management/indicators",
            get(
                indicators::list,
                about("Lists the lights of a machine.", shows(LIGHTS)),
            ),
        )
        .route(
            "/nodes/{ident}/management/indicators/{name}",
            get(
                indicators::show,
                about("Shows what a light does.", shows(LIGHT)),
            )
            .put(
                indicators::set,
                about("Switches a light.", DONE).takes(LIGHT),
            ),
        )
}
