use uuid::Uuid;

use super::{Client, unexpected};
use crate::Error;
use crate::driver::{
    Component, ConsoleInfo, IndicatorState, Indicators, VirtualMediaDevice, VirtualMediaSlot,
};
use crate::model::JsonMap;
use crate::states::BootMode;
use crate::transport::{Call, MachineAnswer, MachineCall, Response};

impl Client {
    pub(super) async fn ask_machine(
        &self,
        node: Uuid,
        ask: MachineCall,
    ) -> Result<MachineAnswer, Error> {
        match self.ask(node, Call::Machine { node, ask }).await? {
            Response::Machine { answer } => Ok(answer),
            other => Err(unexpected(&other)),
        }
    }

    async fn do_to_machine(&self, node: Uuid, ask: MachineCall) -> Result<(), Error> {
        match self.ask_machine(node, ask).await? {
            MachineAnswer::Done => Ok(()),
            answer => Err(unexpected(&Response::Machine { answer })),
        }
    }

    /// Sets how the machine boots; returns when that has begun. The node's `boot_mode` shows that
    /// it has been done, its `last_error` that it could not be.
    ///
    /// # Errors
    /// [`Error::StateConflict`] while the node is on its way from one state to another;
    /// [`Error::NodeLocked`]; [`Error::NoFreeWorker`].
    pub async fn set_boot_mode(&self, node: Uuid, mode: BootMode) -> Result<(), Error> {
        self.do_to_machine(node, MachineCall::SetBootMode { mode })
            .await
    }

    /// Sets whether the firmware checks what it boots; returns when that has begun. The node's
    /// `secure_boot` shows that it has been done, its `last_error` that it could not be.
    ///
    /// # Errors
    /// As [`Client::set_boot_mode`].
    pub async fn set_secure_boot(&self, node: Uuid, on: bool) -> Result<(), Error> {
        self.do_to_machine(node, MachineCall::SetSecureBoot { on })
            .await
    }

    /// Interrupts the machine's processor, to make its operating system write a dump.
    ///
    /// # Errors
    /// [`Error::Unsupported`]; [`Error::NodeLocked`]; when the BMC does not answer or refuses.
    pub async fn inject_nmi(&self, node: Uuid) -> Result<(), Error> {
        self.do_to_machine(node, MachineCall::InjectNmi).await
    }

    /// The machine's lights, of one part of it or of all.
    ///
    /// # Errors
    /// [`Error::Unsupported`]; when the BMC does not answer or refuses.
    pub async fn indicators(
        &self,
        node: Uuid,
        component: Option<Component>,
    ) -> Result<Indicators, Error> {
        match self
            .ask_machine(node, MachineCall::Indicators { component })
            .await?
        {
            MachineAnswer::Indicators { indicators } => Ok(indicators),
            answer => Err(unexpected(&Response::Machine { answer })),
        }
    }

    /// What a light of the machine does.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] when there is no such light; else as [`Client::indicators`].
    pub async fn indicator(
        &self,
        node: Uuid,
        component: Component,
        indicator: &str,
    ) -> Result<IndicatorState, Error> {
        let ask = MachineCall::GetIndicator {
            component,
            indicator: indicator.to_owned(),
        };
        match self.ask_machine(node, ask).await? {
            MachineAnswer::Indicator { state } => Ok(state),
            answer => Err(unexpected(&Response::Machine { answer })),
        }
    }

    /// Sets what a light of the machine does.
    ///
    /// # Errors
    /// As [`Client::indicator`]; [`Error::InvalidParameter`] also for a light that cannot be set,
    /// or not to this; [`Error::NodeLocked`].
    pub async fn set_indicator(
        &self,
        node: Uuid,
        component: Component,
        indicator: &str,
        state: IndicatorState,
    ) -> Result<(), Error> {
        let ask = MachineCall::SetIndicator {
            component,
            indicator: indicator.to_owned(),
            state,
        };
        self.do_to_machine(node, ask).await
    }

    /// The machine's slots for virtual media, and what is in them.
    ///
    /// # Errors
    /// [`Error::Unsupported`]; when the BMC does not answer or refuses.
    pub async fn virtual_media(&self, node: Uuid) -> Result<Vec<VirtualMediaSlot>, Error> {
        match self.ask_machine(node, MachineCall::VirtualMedia).await? {
            MachineAnswer::VirtualMedia { slots } => Ok(slots),
            answer => Err(unexpected(&Response::Machine { answer })),
        }
    }

    /// Lets the machine find an image, which the BMC fetches from this URL, in a slot of this
    /// kind; returns when that has begun. The node's `last_error` shows that it could not be done.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] for a URL that is not of HTTP; [`Error::StateConflict`] while
    /// the BMC does not answer; [`Error::NodeLocked`]; [`Error::NoFreeWorker`].
    pub async fn attach_virtual_media(
        &self,
        node: Uuid,
        device: VirtualMediaDevice,
        image_url: &str,
    ) -> Result<(), Error> {
        let ask = MachineCall::AttachVirtualMedia {
            device,
            image_url: image_url.to_owned(),
        };
        self.do_to_machine(node, ask).await
    }

    /// Empties the machine's slots of these kinds, or without any all of them; returns when that
    /// has begun.
    ///
    /// # Errors
    /// As [`Client::attach_virtual_media`].
    pub async fn detach_virtual_media(
        &self,
        node: Uuid,
        devices: &[VirtualMediaDevice],
    ) -> Result<(), Error> {
        let devices = devices.to_vec();
        self.do_to_machine(node, MachineCall::DetachVirtualMedia { devices })
            .await
    }

    /// How to reach the machine's console.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] when it is not enabled; [`Error::Unsupported`].
    pub async fn console(&self, node: Uuid) -> Result<ConsoleInfo, Error> {
        match self.ask_machine(node, MachineCall::Console).await? {
            MachineAnswer::Console { info } => Ok(info),
            answer => Err(unexpected(&Response::Machine { answer })),
        }
    }

    /// Starts or stops the machine's console; returns when that has begun. The node's
    /// `console_enabled` shows that it has been done, its `last_error` that it could not be.
    ///
    /// # Errors
    /// [`Error::Unsupported`]; [`Error::NodeLocked`]; [`Error::NoFreeWorker`].
    pub async fn set_console(&self, node: Uuid, on: bool) -> Result<(), Error> {
        self.do_to_machine(node, MachineCall::SetConsole { on })
            .await
    }

    /// The virtual interfaces that are attached to the machine, each with its `id`.
    ///
    /// # Errors
    /// When the network interface cannot tell.
    pub async fn vifs(&self, node: Uuid) -> Result<Vec<JsonMap>, Error> {
        match self.ask_machine(node, MachineCall::Vifs).await? {
            MachineAnswer::Vifs { vifs } => Ok(vifs),
            answer => Err(unexpected(&Response::Machine { answer })),
        }
    }

    /// Attaches a virtual interface to one of the machine's ports; `info` has its `id`, and may
    /// have the `port_uuid` or `portgroup_uuid` to attach it to.
    ///
    /// # Errors
    /// [`Error::MissingParameter`] without an id; [`Error::StateConflict`] when it is attached
    /// already; [`Error::InvalidParameter`] when no port is free; [`Error::NodeLocked`].
    pub async fn attach_vif(&self, node: Uuid, info: JsonMap) -> Result<(), Error> {
        self.do_to_machine(node, MachineCall::AttachVif { info })
            .await
    }

    /// Detaches a virtual interface.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] when it is not attached; [`Error::NodeLocked`].
    pub async fn detach_vif(&self, node: Uuid, id: &str) -> Result<(), Error> {
        let id = id.to_owned();
        self.do_to_machine(node, MachineCall::DetachVif { id })
            .await
    }
}
