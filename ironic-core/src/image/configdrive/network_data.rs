use serde_json::Value;

use super::contents::is_empty;

/// Whether links without an MTU count as a fault of network metadata.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MtuCheck {
    /// They do: some clouds write `"mtu": null`, with which some machines come up without a network.
    #[default]
    Required,
    /// They do not.
    Disabled,
}

/// What is wrong with network metadata, so that they have to be made anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NetworkDataFault {
    /// They are no JSON object.
    #[error("network metadata are not an object")]
    NotAnObject,
    /// They have neither links nor networks nor services.
    #[error("network metadata have no links, networks or services")]
    Empty,
    /// `links` is there but nothing that has members.
    #[error("links of network metadata are not a list")]
    LinksNotAList,
    /// A link is no JSON object.
    #[error("link {index} of network metadata is not an object")]
    LinkNotAnObject {
        /// The link's place in the list, from 0.
        index: usize,
    },
    /// A link has no MTU.
    #[error("link {index} of network metadata has no mtu")]
    MissingMtu {
        /// The link's place in the list, from 0.
        index: usize,
    },
}

/// The first fault of network metadata (OpenStack's `network_data.json`), if they have any.
///
/// This is no validation by a schema: it finds what clouds are known to get wrong.
pub fn network_data_fault(network_data: &Value, mtu: MtuCheck) -> Option<NetworkDataFault> {
    let Some(members) = network_data.as_object() else {
        return Some(NetworkDataFault::NotAnObject);
    };
    let has = |name| members.get(name).is_some_and(|value| !is_empty(value));
    if !["links", "networks", "services"].into_iter().any(has) {
        return Some(NetworkDataFault::Empty);
    }
    match (mtu, members.get("links")) {
        (MtuCheck::Disabled, _) | (MtuCheck::Required, None) => None,
        (MtuCheck::Required, Some(links)) => links_fault(links),
    }
}

fn links_fault(links: &Value) -> Option<NetworkDataFault> {
    let links = match links {
        Value::Array(links) => links,
        // A text or an object has members too, none of which is an object with an MTU.
        Value::String(text) if text.is_empty() => return None,
        Value::Object(members) if members.is_empty() => return None,
        Value::String(_) | Value::Object(_) => {
            return Some(NetworkDataFault::LinkNotAnObject { index: 0 });
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {
            return Some(NetworkDataFault::LinksNotAList);
        }
    };
    links
        .iter()
        .enumerate()
        .find_map(|(index, link)| match link.as_object() {
            None => Some(NetworkDataFault::LinkNotAnObject { index }),
            Some(link) if link.get("mtu").is_none_or(Value::is_null) => {
                Some(NetworkDataFault::MissingMtu { index })
            }
            Some(_) => None,
        })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_fault_is_named() {
        let cases = [
            (json!("text"), Some(NetworkDataFault::NotAnObject)),
            (
                json!({"links": [], "networks": null}),
                Some(NetworkDataFault::Empty),
            ),
            (
                json!({"links": null, "networks": [1]}),
                Some(NetworkDataFault::LinksNotAList),
            ),
            (
                json!({"links": [{"mtu": 1500}, 7]}),
                Some(NetworkDataFault::LinkNotAnObject { index: 1 }),
            ),
            (
                json!({"links": [{"mtu": 0}, {"mtu": null}]}),
                Some(NetworkDataFault::MissingMtu { index: 1 }),
            ),
            (json!({"links": [{"mtu": 1500}]}), None),
            (json!({"networks": [{}]}), None),
        ];
        for (data, fault) in cases {
            assert_eq!(
                network_data_fault(&data, MtuCheck::Required),
                fault,
                "{data}"
            );
        }
        assert_eq!(
            network_data_fault(&json!({"links": [{}]}), MtuCheck::Disabled),
            None
        );
    }
}
