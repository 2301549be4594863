//! Parts that many resources share.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::tolerant;

/// A reference to a resource (DSP0266, "Reference properties").
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[non_exhaustive]
pub struct Link {
    /// Where it is.
    #[serde(rename = "@odata.id", default, deserialize_with = "tolerant::text")]
    pub id: Option<String>,
}

/// One page of a collection (DSP0266, "Resource collections").
#[derive(Debug, Clone, Default, Deserialize)]
#[non_exhaustive]
pub struct Collection {
    /// The members of this page; whole resources when the BMC has expanded them.
    #[serde(rename = "Members", default, deserialize_with = "tolerant::list")]
    pub members: Option<Vec<Map<String, Value>>>,
    /// The next page.
    #[serde(
        rename = "Members@odata.nextLink",
        default,
        deserialize_with = "tolerant::text"
    )]
    pub next: Option<String>,
    /// The next page, as some BMCs spell it.
    #[serde(
        rename = "@odata.nextLink",
        default,
        deserialize_with = "tolerant::text"
    )]
    pub bare_next: Option<String>,
    /// Whatever else there is.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// `Status` (DSP0268 Resource.Status).
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[non_exhaustive]
pub struct Status {
    /// `Enabled`, `Disabled`, `Absent`, …
    #[serde(rename = "State", default, deserialize_with = "tolerant::text")]
    pub state: Option<String>,
    /// `OK`, `Warning` or `Critical`, of this resource alone.
    #[serde(rename = "Health", default, deserialize_with = "tolerant::text")]
    pub health: Option<String>,
    /// As `health`, with everything below it.
    #[serde(rename = "HealthRollup", default, deserialize_with = "tolerant::text")]
    pub health_rollup: Option<String>,
    /// As `health_rollup`, in an older spelling.
    #[serde(rename = "HealthRollUp", default, deserialize_with = "tolerant::text")]
    pub health_roll_up: Option<String>,
}

/// An action that a resource offers (DSP0266, "Actions property").
#[derive(Debug, Clone, Default, Deserialize)]
#[non_exhaustive]
pub struct Action {
    /// Where to POST.
    #[serde(default, deserialize_with = "tolerant::text")]
    pub target: Option<String>,
    /// Where the parameters are described.
    #[serde(
        rename = "@Redfish.ActionInfo",
        default,
        deserialize_with = "tolerant::text"
    )]
    pub action_info: Option<String>,
    /// Whatever else there is, `…@Redfish.AllowableValues` among it.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

impl Action {
    /// The values that a parameter may have, when the action itself says so.
    pub fn allowable_values(&self, parameter: &str) -> Option<Vec<String>> {
        allowable_values(&self.rest, parameter)
    }
}

/// What an action's parameters are (DSP0268 ActionInfo).
#[derive(Debug, Clone, Default, Deserialize)]
#[non_exhaustive]
pub struct ActionInfo {
    /// The parameters.
    #[serde(rename = "Parameters", default, deserialize_with = "tolerant::list")]
    pub parameters: Option<Vec<ActionParameter>>,
}

impl ActionInfo {
    /// The values that a parameter may have, when there is a list of them.
    pub fn allowable_values(&self, parameter: &str) -> Option<Vec<String>> {
        let parameter = self
            .parameters
            .iter()
            .flatten()
            .find(|candidate| candidate.name.as_deref() == Some(parameter))?;
        parameter
            .allowable_values
            .clone()
            .filter(|values| !values.is_empty())
    }
}

/// One parameter of an action (DSP0268 ActionInfo.Parameters).
#[derive(Debug, Clone, Default, Deserialize)]
#[non_exhaustive]
pub struct ActionParameter {
    /// Its name.
    #[serde(rename = "Name", default, deserialize_with = "tolerant::text")]
    pub name: Option<String>,
    /// The values it may have.
    #[serde(
        rename = "AllowableValues",
        default,
        deserialize_with = "tolerant::list"
    )]
    pub allowable_values: Option<Vec<String>>,
}

/// `@Redfish.Settings`: where changes to a resource are to be written (DSP0266, "Settings resource").
#[derive(Debug, Clone, Default, Deserialize)]
#[non_exhaustive]
pub struct Settings {
    /// The resource that takes the changes.
    #[serde(
        rename = "SettingsObject",
        default,
        deserialize_with = "tolerant::lenient"
    )]
    pub object: Option<Link>,
    /// When it can apply them.
    #[serde(
        rename = "SupportedApplyTimes",
        default,
        deserialize_with = "tolerant::list"
    )]
    pub apply_times: Option<Vec<String>>,
    /// Whatever else there is.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

impl Settings {
    /// The path of the resource that takes the changes.
    pub fn path(&self) -> Option<&str> {
        self.object.as_ref()?.id.as_deref()
    }
}

/// `NAME@Redfish.AllowableValues`; an empty list says as little as none.
pub(crate) fn allowable_values(members: &Map<String, Value>, name: &str) -> Option<Vec<String>> {
    let values = members
        .get(&format!("{name}@Redfish.AllowableValues"))?
        .as_array()?;
    let values: Vec<_> = values
        .iter()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect();
    (!values.is_empty()).then_some(values)
}
