//! Encrypts secrets in deliveries, i.e. temporary passwords. Operations seal, the worker opens. The key is derived
//! from `SECRET_KEY`; what was sealed before a rotation is opened with the previous key. Must not log or show the
//! content.

pub use crate::views::account::TemporaryPassword;

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, Salt};
use secrecy::zeroize::Zeroize;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use std::fmt;

/// Purpose of the key: cookies are signed with another key from the same secret.
const PURPOSE: &[u8] = b"esb: temporary passwords in deliveries";
/// Prefix of a sealed text of this format.
const FORM: &str = "sealed:1:";

/// Why sealing or opening failed. Contains neither key nor content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SecretBoxError {
    /// No key can be derived, or nothing can be sealed with it: never in practice.
    #[error("it cannot be sealed")]
    Unusable,
    /// Sealed with another key or for another delivery, or altered since.
    #[error("it was sealed with another SECRET_KEY or for another delivery, or changed since")]
    Foreign,
    /// The content has an unknown format, from another version of the program.
    #[error("it holds something that this version does not know")]
    Unknown,
}

pub struct SecretBox {
    present: LessSafeKey,
    previous: Option<LessSafeKey>,
}

impl fmt::Debug for SecretBox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretBox").finish_non_exhaustive()
    }
}

/// The sealed content, as JSON.
#[derive(Serialize)]
struct Content<'a> {
    username: &'a str,
    password: &'a str,
    by: &'a str,
    is_new: bool,
    email_key: Option<&'a str>,
}

impl SecretBox {
    /// Seals with a key derived from `secret`; also opens what was sealed with the key of `previous`.
    pub fn new(secret: &SecretString, previous: Option<&SecretString>) -> Result<Self, SecretBoxError> {
        Ok(Self { present: key(secret)?, previous: previous.map(key).transpose()? })
    }

    /// Seals for the delivery with that dedupe key: in another delivery it cannot be opened.
    pub fn seal(&self, delivery: &str, given: &TemporaryPassword) -> Result<String, SecretBoxError> {
        let TemporaryPassword { username, password, by, is_new, email_key } = given;
        let (password, is_new, email_key) = (password.expose_secret(), *is_new, email_key.as_deref());
        let content = Content { username, password, by, is_new, email_key };
        let mut text = serde_json::to_vec(&content).map_err(|_| SecretBoxError::Unusable)?;
        let nonce: [u8; NONCE_LEN] = rand::random();
        let unique = Nonce::assume_unique_for_key(nonce);
        // Encrypts in place, so that the plain text is gone.
        self.present
            .seal_in_place_append_tag(unique, Aad::from(delivery), &mut text)
            .map_err(|_| SecretBoxError::Unusable)?;
        Ok(format!("{FORM}{}{}", hex::encode(nonce), hex::encode(text)))
    }

    /// Opens what was sealed for the delivery with that dedupe key.
    ///
    /// # Errors
    /// `Foreign`, `Unknown`.
    pub fn open(&self, delivery: &str, sealed: &str) -> Result<TemporaryPassword, SecretBoxError> {
        let digits = sealed.strip_prefix(FORM).ok_or(SecretBoxError::Unknown)?;
        let bytes = hex::decode(digits).map_err(|_| SecretBoxError::Foreign)?;
        let opened = [Some(&self.present), self.previous.as_ref()]
            .into_iter()
            .flatten()
            .find_map(|key| opened(key, delivery, &bytes));
        opened.ok_or(SecretBoxError::Foreign)?
    }
}

/// Opens with one key; `None` if that fails.
fn opened(
    key: &LessSafeKey,
    delivery: &str,
    sealed: &[u8],
) -> Option<Result<TemporaryPassword, SecretBoxError>> {
    let (nonce, rest) = sealed.split_first_chunk::<NONCE_LEN>()?;
    let mut rest = rest.to_vec();
    let nonce = Nonce::assume_unique_for_key(*nonce);
    let text = key.open_in_place(nonce, Aad::from(delivery), &mut rest).ok()?;
    // Drops the error: it may quote the text.
    let given = serde_json::from_slice(text).map_err(|_| SecretBoxError::Unknown);
    rest.zeroize();
    Some(given)
}

fn key(secret: &SecretString) -> Result<LessSafeKey, SecretBoxError> {
    let random = Salt::new(HKDF_SHA256, b"").extract(secret.expose_secret().as_bytes());
    let purpose = [PURPOSE];
    let key = random.expand(&purpose, &CHACHA20_POLY1305).map_err(|_| SecretBoxError::Unusable)?;
    Ok(LessSafeKey::new(UnboundKey::from(key)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HERE: &str = "password:7:0123456789abcdef";

    fn seal(secret: &str, previous: Option<&str>) -> SecretBox {
        let previous = previous.map(SecretString::from);
        SecretBox::new(&secret.into(), previous.as_ref()).unwrap()
    }

    fn given() -> TemporaryPassword {
        TemporaryPassword {
            username: "nia".into(),
            password: "abcd-efgh-jkmn-pqrs".into(),
            by: "Stu".into(),
            is_new: true,
            email_key: Some("nia@example.org".into()),
        }
    }

    #[test]
    fn encrypted_payload_hides_content_and_decrypts() {
        let ours = seal("a secret of some length", None);
        let (one, other) = (ours.seal(HERE, &given()).unwrap(), ours.seal(HERE, &given()).unwrap());
        assert_ne!(one, other, "each with a nonce of its own");
        assert!(!one.contains("nia") && !one.contains("abcd"));
        let opened = ours.open(HERE, &one).unwrap();
        assert_eq!(opened.password.expose_secret(), "abcd-efgh-jkmn-pqrs");
        assert_eq!((&*opened.username, &*opened.by, opened.is_new), ("nia", "Stu", true));
        assert_eq!(opened.email_key.as_deref(), Some("nia@example.org"));
        let shown = format!("{ours:?} {:?} {opened:?}", given());
        assert!(!shown.contains("abcd") && !shown.contains("length"), "{shown}");
    }

    #[test]
    fn payload_decrypts_only_with_key_and_delivery() {
        let sealed = seal("a secret of some length", None).seal(HERE, &given()).unwrap();
        let rotated = seal("another secret", Some("a secret of some length"));
        assert_eq!(rotated.open(HERE, &sealed).unwrap().username, "nia");
        assert!(
            rotated
                .seal(HERE, &given())
                .is_ok_and(|new| seal("another secret", None).open(HERE, &new).is_ok())
        );
        let foreign = SecretBoxError::Foreign;
        assert_eq!(seal("another secret", None).open(HERE, &sealed).unwrap_err(), foreign);
        assert_eq!(rotated.open("password:8:0123456789abcdef", &sealed).unwrap_err(), foreign);
        for (odd, expected) in [
            ("", SecretBoxError::Unknown),
            ("sealed:2:00", SecretBoxError::Unknown),
            (FORM, foreign),
            ("sealed:1:0", foreign),
            ("sealed:1:zz", foreign),
            ("sealed:1:ä", foreign),
            (&sealed[..sealed.len() - 2], foreign),
        ] {
            assert_eq!(rotated.open(HERE, odd).unwrap_err(), expected, "{odd}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn altered_payload_does_not_decrypt(at in 0..100usize, to in "[0-9a-f]") {
            let ours = seal("a secret of some length", None);
            let mut sealed = ours.seal(HERE, &given()).unwrap();
            let at = FORM.len() + at;
            let same = sealed[at..=at] == to;
            sealed.replace_range(at..=at, &to);
            prop_assert_eq!(ours.open(HERE, &sealed).is_ok(), same);
        }

        #[test]
        fn arbitrary_payload_is_rejected_without_panic(sealed in any::<String>(), hex in "[0-9a-f]{0,80}") {
            let ours = seal("a secret of some length", None);
            prop_assert!(ours.open(HERE, &sealed).is_err());
            let of_our_form = format!("{FORM}{hex}");
            prop_assert!(ours.open(HERE, &of_our_form).is_err());
        }
    }
}
