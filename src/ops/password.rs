//! Passwords: what is accepted, and how they are kept.

use super::OpError;
use argon2::Argon2;
use argon2::password_hash::PasswordHasher;
use secrecy::{ExposeSecret, SecretString};

/// Fewest characters of a password (spec/web.md "Staff").
pub const LENGTH_MIN: usize = 10;

/// Hashes a password with argon2id; the PHC string to keep. About 30 ms of work, off the async threads.
///
/// # Errors
/// Refused when it is too short.
pub async fn hash(password: SecretString) -> Result<String, OpError> {
    if password.expose_secret().chars().count() < LENGTH_MIN {
        let message = format!("A password needs at least {LENGTH_MIN} characters.");
        return Err(OpError::refused("password", message));
    }
    let hashed = tokio::task::spawn_blocking(move || {
        Argon2::default().hash_password(password.expose_secret().as_bytes()).map(|hash| hash.to_string())
    });
    let hashed = hashed.await.map_err(|error| OpError::Internal(error.into()))?;
    hashed.map_err(|error| OpError::Internal(error.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use argon2::password_hash::PasswordVerifier;
    use argon2::password_hash::phc::PasswordHash;

    #[tokio::test]
    async fn it_is_argon2id_and_salted() {
        let (first, second) =
            (hash("changeme123".into()).await.unwrap(), hash("changeme123".into()).await.unwrap());
        assert!(first.starts_with("$argon2id$"));
        assert_ne!(first, second);
        let parsed = PasswordHash::new(&first).unwrap();
        assert!(Argon2::default().verify_password(b"changeme123", &parsed).is_ok());
        assert!(Argon2::default().verify_password(b"changeme124", &parsed).is_err());
    }

    #[tokio::test]
    async fn a_short_one_is_refused() {
        assert!(matches!(hash("short".into()).await, Err(OpError::Refused(_))));
    }
}
