//! Generates and stores a secret key in the data directory if none is configured.

use rand::RngExt;
use secrecy::SecretString;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::{fs, io};

/// Bytes of randomness in a generated secret.
const BYTES: usize = 48;

#[derive(Debug)]
pub struct StoredSecretKey {
    pub secret: SecretString,
    /// It was generated just now: no other process has it.
    pub is_new: bool,
}

/// Reads `<data_dir>/secret_key`, or creates it (mode 0600).
///
/// # Errors
/// The file cannot be read or created, or is too short.
pub fn load_or_create(data_dir: &Path) -> io::Result<StoredSecretKey> {
    let path = data_dir.join("secret_key");
    match fs::read_to_string(&path) {
        Ok(secret) if secret.trim().len() >= BYTES => {
            return Ok(StoredSecretKey { secret: secret.trim().into(), is_new: false });
        }
        Ok(_) => {
            let message =
                format!("{} is too short to be a secret: delete it to get a new one", path.display());
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        }
        Err(e) if e.kind() == io::ErrorKind::NotFound => {}
        Err(e) => return Err(e),
    }
    fs::DirBuilder::new().recursive(true).mode(0o700).create(data_dir)?;
    let secret = hex::encode(rand::rng().random::<[u8; BYTES]>());
    match fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path) {
        Ok(mut file) => {
            writeln!(file, "{secret}")?;
            file.sync_all()?;
            Ok(StoredSecretKey { secret: secret.into(), is_new: true })
        }
        // Another process created the file first: use that secret.
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => load_or_create(data_dir),
        Err(e) => Err(e),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn key_is_created_once_and_private() {
        let dir = tempfile::tempdir().unwrap();
        let first = load_or_create(&dir.path().join("data")).unwrap();
        let again = load_or_create(&dir.path().join("data")).unwrap();
        assert_eq!((first.is_new, again.is_new), (true, false));
        assert_eq!(first.secret.expose_secret(), again.secret.expose_secret());
        assert_eq!(first.secret.expose_secret().len(), 2 * BYTES);
        let mode = |name: &str| fs::metadata(dir.path().join(name)).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode("data"), mode("data/secret_key")), (0o700, 0o600));
    }

    #[test]
    fn short_key_file_is_rejected() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("secret_key"), "x").unwrap();
        assert!(load_or_create(dir.path()).is_err());
    }
}
