/// What is wrong with a driver.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Fault {
    /// Nothing.
    None,
    /// Lists a property without a word about it.
    SaysNothing,
    /// Reads a property that it does not list.
    HidesAProperty,
    /// Says that something is wrong, and not what.
    NamesNothing,
    /// Finds every node valid.
    TakesAnything,
    /// Believes that an address is a text.
    Believes,
    /// Tries the address out when it validates.
    TriesOut,
    /// Refuses an invalid node with an error that is not about the node.
    BlamesTheDriver,
    /// Shows a password that is too long.
    ShowsThePassword,
    /// Has a password under a name that does not tell.
    DisguisesThePassword,
    /// Sends what it must have no leave for.
    AsksNobody,
    /// Leaves a machine on that it was to switch off.
    LeavesItOn,
    /// Returns before the machine has got there.
    DoesNotWait,
    /// Complains about a machine that is in that state already.
    RefusesWhatIsSo,
    /// Switches a machine off and calls that a reboot.
    RebootsHalfway,
    /// Remembers the power that it set.
    Remembers,
    /// Forgets for how long a boot device was set.
    AlwaysOnce,
    /// Asks the BMC about boot devices that it does not know itself.
    LetsTheBmcRefuse,
    /// Restarts the machine so that the boot device takes effect.
    Restarts,
    /// Marks itself busy, and is busy for ever when it is dropped meanwhile.
    StaysBusy,
    /// Has one answer for everybody, and none for the second who asks.
    OneReader,
    /// Waits for as long as the BMC likes.
    WaitsForEver,
    /// Calls a BMC that does not answer a failure of the driver.
    CallsSilenceAFailure,
    /// Never tries a BMC again that was silent once.
    GivesUp,
    /// Calls wrong credentials a BMC that does not answer.
    CallsDenialSilence,
    /// Says which password was wrong.
    TellsWhatWasDenied,
    /// Says that something failed where time was up.
    CallsLatenessAFailure,
    /// Writes the power state into the record.
    WritesTheRecord,
    /// Offers a step twice.
    OffersTwice,
    /// Runs any step.
    RunsAnything,
    /// Runs a step without what it needs.
    RunsWithout,
    /// Counts how often an idempotent step ran.
    Counts,
    /// Asks the BMC before it foresees anything.
    AsksToForesee,
    /// Foresees something else each time.
    ForeseesThisAndThat,
    /// Foresees nothing of what it does.
    ForeseesNothing,
    /// Foresees that a harmless step takes the power.
    ForeseesTheWorst,
    /// Foresees that it waits, and does not.
    ForeseesAWait,
    /// Waits without having foreseen it.
    WaitsUnforeseen,
    /// Does something else for unsupported targets.
    ImprovisesTargets,
    /// Lists a light that knows no state.
    DarkLight,
    /// Sets a light, and forgets to tell the BMC.
    KeepsItDark,
    /// Reads any light that it is asked for.
    ReadsAnyLight,
    /// Sets any light that it is asked for.
    SetsAnyLight,
    /// Calls a light that is not there a failure of the driver.
    CallsAMissingLightAFailure,
    /// Attaches an image beside the one that is there.
    AttachesBeside,
    /// Refuses to attach an image where one is.
    RefusesAFullSlot,
    /// Says that an image is attached, and attaches none.
    AttachesNothing,
    /// Leaves an image where it is.
    DetachesNothing,
    /// Detaches what is named only, and nothing where nothing is named.
    DetachesByNameOnly,
    /// Refuses to empty an empty slot.
    RefusesAnEmptySlot,
    /// Calls a slot that is not there a failure of the driver.
    CallsAMissingSlotAFailure,
}
