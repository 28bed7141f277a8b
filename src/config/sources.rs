//! Reads `.env` in the working directory and the environment of the process, which overrides it. Must not: interpret
//! values. Called by `Config::from_env` and `check-config`.

use super::{ConfigErrors, Environment, VARIABLES, value_of};
use std::path::PathBuf;
use std::{fmt, fs, io};

#[derive(Debug)]
pub struct Sources {
    /// Names and values; those of the process override those of the file.
    pub environment: Environment,
    /// The path of `.env`, even if it does not exist.
    path: PathBuf,
    /// The content of `.env`, if it exists.
    file: Option<Environment>,
    process: Environment,
}

impl Sources {
    pub fn read() -> Result<Self, ConfigErrors> {
        let file = match fs::read(".env") {
            Ok(content) => {
                // Editors on Windows may begin the file with a byte order mark.
                let content = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&content);
                let lines: Result<Environment, _> = dotenvy::from_read_iter(content).collect();
                Some(lines.map_err(|error| ConfigErrors(vec![unreadable(&error)]))?)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(ConfigErrors(vec![format!(".env: {error}")])),
        };
        let process: Environment = std::env::vars_os()
            .filter_map(|(name, value)| {
                Some((name.into_string().ok()?, value.to_string_lossy().into_owned()))
            })
            .collect();
        let mut environment = file.clone().unwrap_or_default();
        environment.extend(process.clone());
        let path = std::path::absolute(".env").unwrap_or_else(|_| ".env".into());
        Ok(Self { environment, path, file, process })
    }
}

impl fmt::Display for Sources {
    /// Both sources with the names of their variables, without values.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        match &self.file {
            Some(file) => write!(f, "{path} ({})", names(file))?,
            None => write!(f, "no file {path}")?,
        }
        write!(f, "; the environment ({})", names(&self.process))
    }
}

/// Names of our variables that have a value.
fn names(environment: &Environment) -> String {
    let is_set = |name: &&str| value_of(environment, name).is_some();
    let names: Vec<&str> = VARIABLES.iter().map(|(name, _)| *name).filter(is_set).collect();
    if names.is_empty() { "sets nothing".into() } else { names.join(", ") }
}

/// What is wrong with `.env`. Names only the variable of a line, since the value may be a secret.
fn unreadable(error: &dotenvy::Error) -> String {
    let dotenvy::Error::LineParse(line, _) = error else { return format!(".env: {error}") };
    let name = line.split('=').next().unwrap_or_default().trim();
    let plain = !name.is_empty()
        && name.len() < line.len()
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    let which = if plain { format!("the line of {name}") } else { "a line".to_owned() };
    format!(".env: {which} cannot be read. Check its quotation marks.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bad_dotenv_line_is_named_without_its_secret() {
        let line = "SLACK_BOT_TOKEN=\"xoxb-1-secret".to_owned();
        let text = unreadable(&dotenvy::Error::LineParse(line, 3));
        assert!(text.contains("the line of SLACK_BOT_TOKEN") && !text.contains("secret"), "{text}");
        let text = unreadable(&dotenvy::Error::LineParse("xoxb-1-secret".into(), 0));
        assert!(!text.contains("secret"), "{text}");
    }

    #[test]
    fn sources_are_shown_without_values() {
        let set = |name: &str, value: &str| Environment::from([(name.to_owned(), value.to_owned())]);
        let mut sources = Sources {
            environment: Environment::new(),
            path: "/srv/.env".into(),
            file: None,
            process: set("SECRET_KEY", "hidden"),
        };
        assert_eq!(sources.to_string(), "no file /srv/.env; the environment (SECRET_KEY)");
        (sources.file, sources.process) = (Some(set("TZ", "UTC")), set("PATH", "/bin"));
        assert_eq!(sources.to_string(), "/srv/.env (TZ); the environment (sets nothing)");
    }
}
