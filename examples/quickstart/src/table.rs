//! What became of the machines, as a table, and what to try next.

use comfy_table::{CellAlignment, Table, presets};
use ironic_core::states::ProvisionState as State;

use crate::life::Story;
use crate::rack::{PASSWORD, Rack, USERNAME};
use crate::site::Site;

/// The states that a life has here, in their order.
const STATES: &[State] = &[
    State::Enroll,
    State::Verifying,
    State::Manageable,
    State::Inspecting,
    State::InspectWait,
    State::Cleaning,
    State::CleanWait,
    State::Available,
    State::Deploying,
    State::DeployWait,
    State::Active,
    State::Deleting,
];

/// A row per machine: the seconds that it spent in each state, and what was found on its disk.
pub(crate) fn render(stories: &[Story]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    let mut header = vec!["machine".to_owned(), "boots by".to_owned()];
    // The seconds spent in each state; a name of two words stands on two lines.
    header.extend(
        STATES
            .iter()
            .map(|state| state.to_string().replace([' ', '-'], "\n")),
    );
    header.extend(["image\non disk".to_owned(), "config drive".to_owned()]);
    table.set_header(header);
    for story in stories {
        let mut row = vec![
            story.machine.clone(),
            format!("{} {}", story.firmware, story.boot),
        ];
        row.extend(STATES.iter().map(|state| {
            let time = story.times.iter().find(|(spent, _)| spent == state);
            time.map(|(_, time)| format!("{:.2}", time.as_secs_f64()))
                .unwrap_or_default()
        }));
        let image = story.image.as_deref().and_then(|hash| hash.get(..8));
        row.push(image.map_or_else(|| "–".to_owned(), |hash| format!("✓ {hash}…")));
        row.push(
            story
                .config_drive
                .as_deref()
                .map_or_else(|| "–".to_owned(), |name| format!("✓ {name}")),
        );
        table.add_row(row);
    }
    for column in 2..2 + STATES.len() {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

pub(crate) fn hints(site: &Site, rack: &Rack, stories: &[Story]) -> String {
    let url = &site.api_url;
    let node = stories
        .first()
        .map(|story| story.machine.as_str())
        .unwrap_or("machine-1");
    let port = rack
        .machines()
        .first()
        .map(|unit| unit.bmc.port())
        .unwrap_or_default();
    let version = "-H 'OpenStack-API-Version: baremetal 1.90'";
    format!(
        "everything is left running; Ctrl-C ends it. Try:\n\
         \x20 curl -s {url}/v1/nodes {version}\n\
         \x20 curl -s {url}/v1/nodes/{node} {version}\n\
         \x20 curl -s -X PUT {url}/v1/nodes/{node}/states/power {version} -H 'Content-Type: application/json' -d '{{\"target\": \"rebooting\"}}'\n\
         \x20 curl -s -X PUT {url}/v1/nodes/{node}/states/provision {version} -H 'Content-Type: application/json' -d '{{\"target\": \"deleted\"}}'\n\
         \x20 ipmitool -I lanplus -H 127.0.0.1 -p {port} -U {USERNAME} -P {PASSWORD} -C 17 chassis status"
    )
}
