//! Secrets that we issue: too long to guess, stored as digests. Only operations use it.

use rand::RngExt;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

/// Characters of a secret.
const LENGTH: usize = 64;

/// A new secret of 256 random bits in hexadecimal, and its digest to store. With that many random bits no salt is
/// needed.
pub(super) fn random() -> (SecretString, String) {
    let secret = hex::encode(rand::rng().random::<[u8; LENGTH / 2]>());
    let digest = digest_of(&secret);
    (secret.into(), digest)
}

/// Letters and digits that are not easily confused.
const LEGIBLE: &[u8; 31] = b"abcdefghjkmnpqrstuvwxyz23456789";

/// A password to be read and typed once: four groups of four characters, 79 random bits.
pub(super) fn temporary_password() -> SecretString {
    let mut random = rand::rng();
    let mut group = || -> String {
        (0..4)
            .filter_map(|_| LEGIBLE.get(random.random_range(..LEGIBLE.len())))
            .map(|&c| char::from(c))
            .collect()
    };
    [group(), group(), group(), group()].join("-").into()
}

/// The digest to store for a secret; `None` if it cannot be one of ours.
pub(super) fn digest(secret: &SecretString) -> Option<String> {
    let text = secret.expose_secret();
    let ours = text.len() == LENGTH && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    ours.then(|| digest_of(text))
}

pub(super) fn digest_of(secret: &str) -> String {
    hex::encode(Sha256::digest(secret.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_unique_and_only_valid_ones_digest() {
        let ((one, kept), (other, _)) = (random(), random());
        assert_ne!(one.expose_secret(), other.expose_secret());
        assert_eq!((kept.len(), digest(&one).as_ref()), (64, Some(&kept)));
        assert!(kept != one.expose_secret() && digest(&other).as_ref() != Some(&kept));
        for junk in ["", "x", &"g".repeat(64), &"A".repeat(64), &"a".repeat(65), &"ä".repeat(32)] {
            assert_eq!(digest(&junk.to_owned().into()), None, "{junk}");
        }
    }
}
