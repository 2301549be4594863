use crate::{
    codec::CompletionCode,
    command::{BootOption, BootParameter, SetInProgress},
};

/// The boot options that a BMC keeps itself; the flags are the machine's.
#[derive(Debug, Default)]
pub(crate) struct BootOptions {
    progress: SetInProgress,
    /// The session that set `progress` to other than complete.
    setter: Option<u32>,
    valid_clearing: u8,
    info_ack: u8,
}

impl BootOptions {
    pub(crate) fn set(
        &mut self,
        session: u32,
        parameter: &BootParameter,
    ) -> Result<(), CompletionCode> {
        match parameter {
            BootParameter::SetInProgress(SetInProgress::InProgress)
                if self.progress != SetInProgress::Complete =>
            {
                Err(CompletionCode::SET_IN_PROGRESS)
            }
            BootParameter::SetInProgress(progress) => {
                self.progress = *progress;
                self.setter = (*progress != SetInProgress::Complete).then_some(session);
                Ok(())
            }
            BootParameter::ValidClearing(bits) => {
                self.valid_clearing = bits & 0x1f;
                Ok(())
            }
            BootParameter::InfoAck { mask, data } => {
                self.info_ack = (self.info_ack & !mask) | (data & mask);
                Ok(())
            }
            BootParameter::Flags(_) | BootParameter::Other { .. } => {
                Err(CompletionCode::PARAMETER_NOT_SUPPORTED)
            }
        }
    }

    pub(crate) fn get(&self, option: BootOption) -> Result<BootParameter, CompletionCode> {
        match option {
            BootOption::SET_IN_PROGRESS => Ok(BootParameter::SetInProgress(self.progress)),
            BootOption::VALID_CLEARING => Ok(BootParameter::ValidClearing(self.valid_clearing)),
            BootOption::INFO_ACK => Ok(BootParameter::InfoAck {
                mask: 0,
                data: self.info_ack,
            }),
            _ => Err(CompletionCode::PARAMETER_NOT_SUPPORTED),
        }
    }

    /// Frees the options where the session that was changing them ends without completing.
    pub(crate) fn session_ended(&mut self, session: u32) {
        if self.setter == Some(session) {
            self.setter = None;
            self.progress = SetInProgress::Complete;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_session_changes_options_at_a_time_and_cannot_take_them_to_its_grave() {
        let begin = BootParameter::SetInProgress(SetInProgress::InProgress);
        let mut options = BootOptions::default();
        assert_eq!(options.set(1, &begin), Ok(()));
        assert_eq!(options.set(2, &begin), Err(CompletionCode::SET_IN_PROGRESS));
        options.session_ended(2);
        assert_eq!(options.get(BootOption::SET_IN_PROGRESS), Ok(begin.clone()));
        options.session_ended(1);
        assert_eq!(options.set(2, &begin), Ok(()));
    }

    #[test]
    fn acknowledgements_change_under_their_mask() {
        let mut options = BootOptions::default();
        for (mask, data) in [(0x03, 0x03), (0x01, 0x00)] {
            options
                .set(1, &BootParameter::InfoAck { mask, data })
                .unwrap();
        }
        assert_eq!(
            options.get(BootOption::INFO_ACK),
            Ok(BootParameter::InfoAck { mask: 0, data: 2 })
        );
        assert_eq!(
            options.get(BootOption::new(7)),
            Err(CompletionCode::PARAMETER_NOT_SUPPORTED)
        );
    }
}
