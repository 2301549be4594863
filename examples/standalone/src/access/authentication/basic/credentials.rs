//! A name and a password in a header (RFC 7617 §2).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, header};
use ironic_core::Secret;

use super::super::Refusal;

/// How clients are told to send their name and password.
const CHALLENGE: &str = "Basic realm=\"Baremetal API\"";

/// Who somebody says that they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Credentials {
    pub(super) name: String,
    pub(super) password: Secret<Vec<u8>>,
}

/// The refusal of those who say nothing, or something wrong.
pub(super) fn unauthorized(message: &'static str) -> Refusal {
    Refusal::Unauthorized {
        message,
        challenge: CHALLENGE.to_owned(),
    }
}

impl Credentials {
    /// What a request says.
    ///
    /// # Errors
    /// 401 without the header, 400 for one that cannot be read.
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, Refusal> {
        let malformed = |message| Refusal::Malformed { message };
        let mut sent = headers.get_all(header::AUTHORIZATION).iter();
        let Some(value) = sent.next() else {
            return Err(unauthorized("this needs a name and a password"));
        };
        if sent.next().is_some() {
            return Err(malformed("the header authorization is there twice"));
        }
        let unreadable = "the header authorization cannot be read";
        let value = value.to_str().map_err(|_| malformed(unreadable))?.trim();
        let (scheme, token) = value
            .split_once(|c: char| c.is_ascii_whitespace())
            .ok_or_else(|| malformed(unreadable))?;
        if !scheme.eq_ignore_ascii_case("basic") {
            return Err(malformed("only basic authorization is taken"));
        }
        let pair = STANDARD.decode(token.trim_start());
        let pair = pair.map_err(|_| malformed("the authorization is not in base64"))?;
        let colon = pair.iter().position(|byte| *byte == b':');
        let split = colon.and_then(|at| pair.split_at_checked(at));
        let (name, password) = split.ok_or_else(|| malformed("the password is missing"))?;
        let name = String::from_utf8(name.to_vec());
        Ok(Self {
            name: name.map_err(|_| malformed("the name is not in UTF-8"))?,
            password: Secret::new(password.iter().skip(1).copied().collect()),
        })
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue, header};
    use proptest::prelude::*;

    use super::Credentials;

    fn read(value: &[u8]) -> Result<(String, Vec<u8>), u16> {
        let mut headers = HeaderMap::new();
        headers.insert(
            header::AUTHORIZATION,
            HeaderValue::from_bytes(value).unwrap(),
        );
        let read = Credentials::of(&headers);
        read.map(|it| (it.name, it.password.expose().clone()))
            .map_err(|refusal| refusal.status().as_u16())
    }

    #[test]
    fn headers_of_all_sorts() {
        let ann = |password: &[u8]| Ok(("ann".to_owned(), password.to_vec()));
        for (value, wanted) in [
            ("Basic YW5uOnNlc2FtZQ==", ann(b"sesame")),
            ("  bAsIc \t YW5uOnNlc2FtZQ==  ", ann(b"sesame")),
            ("Basic YW5uOmE6Yg==", ann(b"a:b")),
            ("Basic YW5uOg==", ann(b"")),
            ("Basic YW5uOv8=", ann(b"\xff")),
            ("Basic Og==", Ok((String::new(), Vec::new()))),
            ("Basic YW5u", Err(400)),
            ("Basic /zph", Err(400)),
            ("Basic YW5uOnNlc2FtZQ", Err(400)),
            ("Basic YW5uOn Nlc2FtZQ==", Err(400)),
            ("Basic", Err(400)),
            ("", Err(400)),
            ("Bearer YW5uOnNlc2FtZQ==", Err(400)),
        ] {
            assert_eq!(read(value.as_bytes()), wanted, "{value}");
        }
        let missing = Credentials::of(&HeaderMap::new()).unwrap_err();
        assert_eq!(missing.status().as_u16(), 401);
    }

    #[test]
    fn the_password_does_not_print() {
        let mut headers = HeaderMap::new();
        let value = HeaderValue::from_static("Basic YW5uOnNlc2FtZQ==");
        headers.append(header::AUTHORIZATION, value.clone());
        let printed = format!("{:?}", Credentials::of(&headers).unwrap());
        assert!(printed.contains("ann") && printed.contains("***"));
        assert!(!printed.contains("sesame") && !printed.contains("115"));
        headers.append(header::AUTHORIZATION, value);
        let twice = Credentials::of(&headers).unwrap_err();
        assert_eq!(twice.status().as_u16(), 400);
    }

    proptest! {
        #[test]
        fn any_value_is_read(value in proptest::collection::vec(0x20_u8..=0xff, 0..60)) {
            prop_assume!(!value.contains(&0x7f));
            let _ = read(&value);
            let _ = read(&[b"Basic ".as_slice(), &value].concat());
        }
    }
}
