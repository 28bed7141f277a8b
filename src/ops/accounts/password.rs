//! Passwords: rules, hashing and verification, including hashes of the Python system.

use crate::domain::password::check_new;
use crate::ops::{OpError, secret};
use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::{OnceCell, Semaphore};

/// Passwords hashed at once: each takes 19 MiB and a core.
static AT_ONCE: Semaphore = Semaphore::const_new(2);

/// Hashes a password with argon2id; returns the PHC string. About 30 ms of work, off the async threads.
///
/// # Errors
/// Refused when it is too short, or begins or ends with a blank.
pub async fn hash(password: SecretString) -> Result<String, OpError> {
    check_new(password.expose_secret()).map_err(|error| OpError::refused("password", error.to_string()))?;
    rehash(password).await
}

/// Like [`hash`], without the rules: for a password that was accepted under earlier ones.
pub async fn rehash(password: SecretString) -> Result<String, OpError> {
    let hashed = work(move || {
        Argon2::default().hash_password(password.expose_secret().as_bytes()).map(|hash| hash.to_string())
    });
    hashed.await?.map_err(|error| OpError::Internal(error.into()))
}

/// True when the password matches the hash `kept`. Without a hash the same work is done, so that the duration does
/// not reveal whether the user exists. While some users have hashes of the Python system (`imported`), the work of
/// both kinds is done for every request.
pub async fn verify(password: SecretString, kept: Option<String>, imported: bool) -> Result<bool, OpError> {
    static NOBODYS: OnceCell<String> = OnceCell::const_new();
    let nobodys = NOBODYS.get_or_try_init(|| hash("the password of nobody".into())).await?.clone();
    work(move || {
        let theirs = kept.as_deref().and_then(Imported::read);
        let is_ours = kept.is_some() && theirs.is_none();
        let ours = if is_ours { kept.as_deref().unwrap_or_default() } else { &nobodys };
        let given = password.expose_secret().as_bytes();
        let fits_ours =
            PasswordHash::new(ours).is_ok_and(|ours| Argon2::default().verify_password(given, &ours).is_ok());
        let known = theirs.is_some();
        let fits_theirs = (known || imported) && theirs.unwrap_or(Imported::NOBODYS).is_of(given);
        (is_ours && fits_ours) || (known && fits_theirs)
    })
    .await
}

/// Prefix of the Python system's hashes, as Werkzeug writes them: scrypt with a cost of 2^15, then salt and digest
/// (64 bytes in hexadecimal), each after a `$`. It never wrote others.
pub const IMPORTED: &str = "scrypt:32768:8:1$";

/// True when the hash is one of the Python system's, which [`verify`] supports.
pub fn is_imported(kept: &str) -> bool {
    Imported::read(kept).is_some()
}

/// A hash of the Python system.
#[derive(Debug, Clone, Copy)]
struct Imported<'a> {
    salt: &'a str,
    digest: &'a str,
}

impl<'a> Imported<'a> {
    /// Compared with when there is no hash.
    const NOBODYS: Imported<'static> = Imported { salt: "the salt of nobody", digest: "" };
    /// Bytes of a digest.
    const LENGTH: usize = 64;

    fn read(kept: &'a str) -> Option<Self> {
        let (salt, digest) = kept.strip_prefix(IMPORTED)?.split_once('$')?;
        let is_whole = digest.len() == 2 * Self::LENGTH && digest.bytes().all(|b| b.is_ascii_hexdigit());
        (is_whole && !salt.is_empty()).then_some(Self { salt, digest })
    }

    fn is_of(self, password: &[u8]) -> bool {
        let mut digest = [0; Self::LENGTH];
        let made = scrypt::Params::new(15, 8, 1)
            .ok()
            .and_then(|cost| scrypt::scrypt(password, self.salt.as_bytes(), &cost, &mut digest).ok());
        let digest = hex::encode(digest);
        // Compares digests, so that the duration reveals nothing about the stored hash.
        made.is_some() && secret::digest_of(&digest) == secret::digest_of(&self.digest.to_ascii_lowercase())
    }
}

/// Runs work off the async threads, a few at once; others wait for a permit.
async fn work<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, OpError> {
    let turn = AT_ONCE.acquire().await.map_err(|error| OpError::Internal(error.into()))?;
    let worked = tokio::task::spawn_blocking(move || {
        // Kept until the work ends, even if the caller is gone.
        let _turn = turn;
        work()
    });
    worked.await.map_err(|error| OpError::Internal(error.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn password_hash_is_salted_argon2id() {
        let (first, second) =
            (hash("changeme123".into()).await.unwrap(), hash("changeme123".into()).await.unwrap());
        assert!(first.starts_with("$argon2id$"));
        assert_ne!(first, second);
        assert!(verify("changeme123".into(), Some(first.clone()), false).await.unwrap());
        assert!(!verify("changeme124".into(), Some(first), true).await.unwrap());
    }

    #[tokio::test]
    async fn short_password_is_refused() {
        for short in ["short", "            "] {
            assert!(matches!(hash(short.into()).await, Err(OpError::Refused(_))), "{short:?}");
        }
    }

    #[tokio::test]
    async fn missing_or_invalid_hash_never_verifies() {
        for given in ["the password of nobody", "", "x"] {
            for imported in [false, true] {
                assert!(!verify(given.into(), None, imported).await.unwrap(), "{given}");
            }
        }
        for kept in ["no hash", "", "!", "scrypt:32768:8:1$salt$"] {
            for given in ["", "x", "the password of nobody"] {
                assert!(!verify(given.into(), Some(kept.into()), true).await.unwrap(), "{kept} {given}");
            }
        }
    }

    #[tokio::test]
    async fn python_system_hash_is_recognized_and_verified() {
        assert!(is_imported(CHANGEME));
        assert!(verify("changeme".into(), Some(CHANGEME.into()), true).await.unwrap());
        assert!(!verify("changeme1".into(), Some(CHANGEME.into()), true).await.unwrap());
        let longer = format!("{CHANGEME}0");
        let other_cost = CHANGEME.replacen("32768", "65536", 1);
        for kept in [longer.as_str(), &other_cost, "scrypt:32768:8:1$$", "pbkdf2:sha256:600000$x$00"] {
            assert!(!is_imported(kept), "{kept}");
            assert!(!verify("changeme".into(), Some(kept.into()), true).await.unwrap(), "{kept}");
        }
    }

    /// The hash of `changeme`, by Python's own `hashlib.scrypt` and Werkzeug's format.
    const CHANGEME: &str = "scrypt:32768:8:1$Qx7zR0aTgP2LmN4k$\
                            2433c77bffc1828c7bfc417199205e308d742b904edfb811f46527dd874ad3af2e19521dd27fa09de0ef411cf5b9bcfc6d4e9cd8091dd520f3e18fbe86084e11";
}
