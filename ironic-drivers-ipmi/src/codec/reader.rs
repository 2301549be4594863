use super::CodecError;

/// Reads fields from the front of a slice; every read is checked.
#[derive(Debug, Clone)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
    what: &'static str,
}

impl<'a> Reader<'a> {
    /// Reads `data`, naming `what` in errors.
    pub(crate) fn new(data: &'a [u8], what: &'static str) -> Self {
        Self { rest: data, what }
    }

    pub(crate) fn take(&mut self, len: usize) -> Result<&'a [u8], CodecError> {
        let (head, tail) = self
            .rest
            .split_at_checked(len)
            .ok_or(CodecError::Truncated {
                what: self.what,
                missing: len.saturating_sub(self.rest.len()),
            })?;
        self.rest = tail;
        Ok(head)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], CodecError> {
        let mut out = [0; N];
        out.copy_from_slice(self.take(N)?);
        Ok(out)
    }

    pub(crate) fn u8(&mut self) -> Result<u8, CodecError> {
        let [byte] = self.array()?;
        Ok(byte)
    }

    pub(crate) fn u16(&mut self) -> Result<u16, CodecError> {
        Ok(u16::from_le_bytes(self.array()?))
    }

    pub(crate) fn u32(&mut self) -> Result<u32, CodecError> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    pub(crate) fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.rest)
    }

    /// Takes all but the last `N` bytes, and then these.
    pub(crate) fn split_last<const N: usize>(&mut self) -> Result<(&'a [u8], [u8; N]), CodecError> {
        let body_len = self
            .rest
            .len()
            .checked_sub(N)
            .ok_or(CodecError::Truncated {
                what: self.what,
                missing: N.saturating_sub(self.rest.len()),
            })?;
        let body = self.take(body_len)?;
        Ok((body, self.array()?))
    }

    /// Refuses bytes that no field has claimed.
    pub(crate) fn finish(&self) -> Result<(), CodecError> {
        if self.rest.is_empty() {
            return Ok(());
        }
        Err(CodecError::Trailing {
            what: self.what,
            extra: self.rest.len(),
        })
    }
}
