//! Passwords: what is accepted, how they are kept, and whether one is right.

use super::OpError;
use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::{OnceCell, Semaphore};

/// Fewest characters of a password (spec/web.md "Staff").
pub const LENGTH_MIN: usize = 10;

/// Passwords worked on at once: each takes 19 MiB and a core.
static AT_ONCE: Semaphore = Semaphore::const_new(2);

/// Hashes a password with argon2id; the PHC string to keep. About 30 ms of work, off the async threads.
///
/// # Errors
/// Refused when it is too short.
pub async fn hash(password: SecretString) -> Result<String, OpError> {
    if password.expose_secret().chars().count() < LENGTH_MIN {
        let message = format!("A password needs at least {LENGTH_MIN} characters.");
        return Err(OpError::refused("password", message));
    }
    let hashed = work(move || {
        Argon2::default().hash_password(password.expose_secret().as_bytes()).map(|hash| hash.to_string())
    });
    hashed.await?.map_err(|error| OpError::Internal(error.into()))
}

/// True when the password is the one that `kept` was made of. Where there is none to compare with, the
/// same work is done: how long it takes does not tell whether the user is known.
///
/// # Errors
/// Only those of the machine.
pub async fn verify(password: SecretString, kept: Option<String>) -> Result<bool, OpError> {
    static NOBODYS: OnceCell<String> = OnceCell::const_new();
    let nobodys = NOBODYS.get_or_try_init(|| hash("the password of nobody".into())).await?.clone();
    let is_known = kept.is_some();
    let kept = kept.unwrap_or(nobodys);
    let is_right = work(move || {
        PasswordHash::new(&kept).is_ok_and(|kept| {
            Argon2::default().verify_password(password.expose_secret().as_bytes(), &kept).is_ok()
        })
    });
    Ok(is_right.await? && is_known)
}

/// Works off the async threads, with few at once; further ones wait for their turn.
async fn work<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, OpError> {
    let turn = AT_ONCE.acquire().await.map_err(|error| OpError::Internal(error.into()))?;
    let worked = tokio::task::spawn_blocking(move || {
        // Held to the end of the work, also when nobody waits for it any more.
        let _turn = turn;
        work()
    });
    worked.await.map_err(|error| OpError::Internal(error.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_is_argon2id_and_salted() {
        let (first, second) =
            (hash("changeme123".into()).await.unwrap(), hash("changeme123".into()).await.unwrap());
        assert!(first.starts_with("$argon2id$"));
        assert_ne!(first, second);
        assert!(verify("changeme123".into(), Some(first.clone())).await.unwrap());
        assert!(!verify("changeme124".into(), Some(first)).await.unwrap());
    }

    #[tokio::test]
    async fn a_short_one_is_refused() {
        assert!(matches!(hash("short".into()).await, Err(OpError::Refused(_))));
    }

    #[tokio::test]
    async fn nobody_has_a_password() {
        for given in ["the password of nobody", "", "x"] {
            assert!(!verify(given.into(), None).await.unwrap(), "{given}");
        }
        assert!(!verify("x".into(), Some("no hash".into())).await.unwrap());
    }
}
