//! Arguments of a call, from JSON bodies, form bodies and query strings.
//!
//! Owns: parsing. Must not: depend on a method. Called by: `server`, which builds them, and every method.

use serde_json::{Map, Value};

use super::ApiError;

/// The arguments; in a form, structured ones are JSON strings, as in Slack.
#[derive(Clone, Debug, Default)]
pub(crate) struct Args(pub(crate) Map<String, Value>);

impl Args {
    /// Reads a request: its query string, and its body by content type.
    pub(crate) fn read(query: &str, content_type: &str, body: &[u8]) -> Result<Self, ApiError> {
        let mut args = Map::new();
        let mut take_form = |bytes: &[u8]| {
            args.extend(
                form_urlencoded::parse(bytes).map(|(k, v)| (k.into_owned(), Value::String(v.into_owned()))),
            );
        };
        take_form(query.as_bytes());
        if content_type.starts_with("application/json") {
            match serde_json::from_slice(body) {
                Ok(Value::Object(json)) => args.extend(json),
                Ok(_) => return Err("json_not_object".into()),
                Err(_) if body.is_empty() => {}
                Err(_) => return Err("invalid_json".into()),
            }
        } else {
            take_form(body);
        }
        Ok(Self(args))
    }

    /// Removes the token from the arguments, so that no record shows it.
    pub(crate) fn take_token(&mut self) -> Option<String> {
        match self.0.remove("token") {
            Some(Value::String(token)) => Some(token),
            _ => None,
        }
    }

    /// A text argument; an empty one counts as absent.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(Value::as_str).filter(|s| !s.is_empty())
    }

    /// A required text argument.
    pub(crate) fn need(&self, name: &str) -> Result<&str, ApiError> {
        self.text(name).ok_or_else(|| ApiError::arguments(&format!("missing required field: {name}")))
    }

    /// A list of words: an array, or one string with commas, as in forms.
    pub(crate) fn words(&self, name: &str) -> Vec<&str> {
        match self.0.get(name) {
            Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).collect(),
            Some(Value::String(text)) => text.split(',').map(str::trim).filter(|w| !w.is_empty()).collect(),
            _ => Vec::new(),
        }
    }

    /// A structured argument, as JSON or as JSON in a string.
    pub(crate) fn json(&self, name: &str) -> Result<Option<Value>, ApiError> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) if text.is_empty() => Ok(None),
            Some(Value::String(text)) => serde_json::from_str(text)
                .map(Some)
                .map_err(|_| ApiError::arguments(&format!("{name} is not JSON [json-pointer:/{name}]"))),
            Some(value) => Ok(Some(value.clone())),
        }
    }

    /// A boolean; forms write it as a word or a digit.
    pub(crate) fn flag(&self, name: &str) -> bool {
        match self.0.get(name) {
            Some(Value::Bool(flag)) => *flag,
            Some(Value::String(text)) => text == "true" || text == "1",
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn form_and_json_mean_the_same() {
        let json =
            Args::read("", "application/json; charset=utf-8", br#"{"view":{"a":1},"on":true}"#).unwrap();
        let form =
            Args::read("", "application/x-www-form-urlencoded", b"view=%7B%22a%22%3A1%7D&on=true").unwrap();
        for args in [json, form] {
            assert_eq!(args.json("view").unwrap(), Some(json!({"a": 1})));
            assert!(args.flag("on"));
        }
    }

    #[test]
    fn list_is_an_array_or_has_commas() {
        for body in [r#"{"users":["U1","U2"]}"#, r#"{"users":"U1, U2"}"#] {
            let args = Args::read("", "application/json", body.as_bytes()).unwrap();
            assert_eq!(args.words("users"), ["U1", "U2"]);
        }
    }

    #[test]
    fn broken_json_is_refused_by_name() {
        assert_eq!(Args::read("", "application/json", b"{").unwrap_err().code, "invalid_json");
        assert_eq!(Args::read("", "application/json", b"[]").unwrap_err().code, "json_not_object");
    }
}
