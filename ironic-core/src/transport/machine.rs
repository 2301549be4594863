//! What is asked of a machine, beside its life and its power.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::driver::{
    Component, ConsoleInfo, IndicatorState, Indicators, VendorMethod, VirtualMediaDevice,
    VirtualMediaSlot,
};
use crate::model::JsonMap;
use crate::states::BootMode;

/// What a conductor can be asked about a machine's hardware.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
#[non_exhaustive]
pub enum MachineCall {
    /// Set how the machine boots.
    SetBootMode {
        /// How.
        mode: BootMode,
    },
    /// Set whether the firmware checks what it boots.
    SetSecureBoot {
        /// Whether.
        on: bool,
    },
    /// Interrupt the processor.
    InjectNmi,
    /// List the lights.
    Indicators {
        /// Of this part only.
        component: Option<Component>,
    },
    /// Say what a light does.
    GetIndicator {
        /// The part that it is on.
        component: Component,
        /// Its name.
        indicator: String,
    },
    /// Set what a light does.
    SetIndicator {
        /// The part that it is on.
        component: Component,
        /// Its name.
        indicator: String,
        /// What it is to do.
        state: IndicatorState,
    },
    /// List the slots for virtual media.
    VirtualMedia,
    /// Put an image into a slot.
    AttachVirtualMedia {
        /// The kind of slot.
        device: VirtualMediaDevice,
        /// Where the BMC fetches the image.
        image_url: String,
    },
    /// Empty slots.
    DetachVirtualMedia {
        /// Of these kinds; without any, all.
        devices: Vec<VirtualMediaDevice>,
    },
    /// Say how to reach the console.
    Console,
    /// Start or stop the console.
    SetConsole {
        /// Start it.
        on: bool,
    },
    /// List what only this vendor offers.
    VendorMethods,
    /// Call a method of the vendor's.
    CallVendor {
        /// Which.
        method: String,
        /// The HTTP method that the caller used.
        http_method: String,
        /// What with.
        args: JsonMap,
    },
    /// List the virtual interfaces.
    Vifs,
    /// Attach a virtual interface.
    AttachVif {
        /// The interface; it has an `id`.
        info: JsonMap,
    },
    /// Detach a virtual interface.
    DetachVif {
        /// Its id.
        id: String,
    },
}

impl MachineCall {
    /// What is asked for.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::SetBootMode { .. } => "set boot mode",
            Self::SetSecureBoot { .. } => "set secure boot",
            Self::InjectNmi => "inject nmi",
            Self::Indicators { .. } => "get supported indicators",
            Self::GetIndicator { .. } => "get indicator state",
            Self::SetIndicator { .. } => "set indicator state",
            Self::VirtualMedia => "get virtual media",
            Self::AttachVirtualMedia { .. } => "attach virtual media",
            Self::DetachVirtualMedia { .. } => "detach virtual media",
            Self::Console => "get console",
            Self::SetConsole { .. } => "set console mode",
            Self::VendorMethods => "get vendor methods",
            Self::CallVendor { .. } => "call vendor method",
            Self::Vifs => "list vifs",
            Self::AttachVif { .. } => "attach vif",
            Self::DetachVif { .. } => "detach vif",
        }
    }
}

impl std::fmt::Debug for MachineCall {
    /// Prints what is asked for: arguments and URLs may have passwords in them.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// What a conductor can be asked about a hardware type rather than a node.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
#[non_exhaustive]
pub enum DriverCall {
    /// List what only this vendor offers.
    VendorMethods,
    /// Call a method of the vendor's.
    CallVendor {
        /// Which.
        method: String,
        /// The HTTP method that the caller used.
        http_method: String,
        /// What with.
        args: JsonMap,
    },
    /// Say what the properties of a logical disk mean.
    LogicalDiskProperties,
}

impl std::fmt::Debug for DriverCall {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::VendorMethods => "get vendor methods",
            Self::CallVendor { .. } => "call vendor method",
            Self::LogicalDiskProperties => "get logical disk properties",
        })
    }
}

/// What a vendor's method answered.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct VendorAnswer {
    /// What it said; null for one that is still at work.
    #[serde(rename = "return")]
    pub value: Value,
    /// Whether it is still at work.
    #[serde(rename = "async")]
    pub asynchronous: bool,
    /// Whether what it said is a file for the caller.
    pub attach: bool,
}

impl VendorAnswer {
    /// An answer.
    pub fn new(value: Value, asynchronous: bool, attach: bool) -> Self {
        Self {
            value,
            asynchronous,
            attach,
        }
    }
}

impl std::fmt::Debug for VendorAnswer {
    /// Prints no value: what a vendor's method says is anybody's guess.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VendorAnswer")
            .field("asynchronous", &self.asynchronous)
            .field("attach", &self.attach)
            .finish_non_exhaustive()
    }
}

/// What a conductor answers to a [`MachineCall`] or a [`DriverCall`].
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "about", rename_all = "snake_case")]
#[non_exhaustive]
pub enum MachineAnswer {
    /// It has been done, or has begun.
    Done,
    /// The lights.
    Indicators {
        /// By part and name.
        indicators: Indicators,
    },
    /// What a light does.
    Indicator {
        /// What.
        state: IndicatorState,
    },
    /// The slots for virtual media.
    VirtualMedia {
        /// Each with what is in it.
        slots: Vec<VirtualMediaSlot>,
    },
    /// The console.
    Console {
        /// How to reach it.
        info: ConsoleInfo,
    },
    /// What only this vendor offers.
    VendorMethods {
        /// By name.
        methods: BTreeMap<String, VendorMethod>,
    },
    /// What a vendor's method answered.
    Vendor {
        /// The answer.
        answer: VendorAnswer,
    },
    /// The virtual interfaces.
    Vifs {
        /// Each with its `id`.
        vifs: Vec<JsonMap>,
    },
    /// What the properties of a logical disk mean.
    LogicalDiskProperties {
        /// By name.
        properties: BTreeMap<String, String>,
    },
}

impl std::fmt::Debug for MachineAnswer {
    /// Prints what sort of answer it is.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Done => "done",
            Self::Indicators { .. } => "indicators",
            Self::Indicator { .. } => "an indicator's state",
            Self::VirtualMedia { .. } => "virtual media",
            Self::Console { .. } => "a console",
            Self::VendorMethods { .. } => "vendor methods",
            Self::Vendor { .. } => "a vendor method's answer",
            Self::Vifs { .. } => "virtual interfaces",
            Self::LogicalDiskProperties { .. } => "properties of logical disks",
        })
    }
}
