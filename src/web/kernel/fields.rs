//! Parses the fields of a query or of a form (`application/x-www-form-urlencoded`, or multipart) strictly: anything
//! that a browser would not send is an error. Independent of any page.

/// Most fields of one query or form; our largest form has a fifth of it.
pub const MAX_FIELDS: usize = 64;

/// Why a query or a form cannot be read; the text completes "The form cannot be read: …".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FieldsError {
    #[error("it has more than {MAX_FIELDS} fields")]
    TooMany,
    /// A `%` that is not followed by two hexadecimal digits.
    #[error("it has a “%” that is not followed by two hexadecimal digits")]
    Percent,
    /// A multipart form that is not encoded as browsers encode it.
    #[error("its parts cannot be told apart")]
    NotParts,
    #[error("it holds something that is not UTF-8 text")]
    NotUtf8,
    /// A field that may occur only once occurred again.
    #[error("the field “{0}” came more than once")]
    Repeated(&'static str),
    /// A field that the form always sends is missing.
    #[error("the field “{0}” is missing")]
    Missing(&'static str),
}

/// Decoded names and values, in the order in which they were sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fields(Vec<(String, String)>);

impl Fields {
    /// Parses `name=value&…`.
    ///
    /// # Errors
    /// Too many fields, a broken percent-encoding, or bytes that are not UTF-8.
    pub fn parse(encoded: &[u8]) -> Result<Self, FieldsError> {
        let pairs = encoded.split(|&byte| byte == b'&').filter(|pair| !pair.is_empty());
        let mut fields = Vec::new();
        for pair in pairs {
            if fields.len() == MAX_FIELDS {
                return Err(FieldsError::TooMany);
            }
            let mut halves = pair.splitn(2, |&byte| byte == b'=');
            let (name, value) = (halves.next().unwrap_or_default(), halves.next().unwrap_or_default());
            fields.push((decode(name)?, decode(value)?));
        }
        Ok(Self(fields))
    }

    /// Parses as much as possible of a rejected form, to show it again: the beginning of one that is too long, with
    /// U+FFFD for bytes that are not UTF-8.
    pub fn parse_lossy(encoded: &[u8]) -> Self {
        let broken = encoded.iter().rev().take(2).position(|&byte| byte == b'%').map_or(0, |at| at + 1);
        let whole = encoded.get(..encoded.len() - broken).unwrap_or_default();
        let mut fields: Vec<_> = form_urlencoded::parse(whole).into_owned().take(MAX_FIELDS).collect();
        if let Some((_, value)) = fields.last_mut() {
            // The cut may have split a character.
            value.truncate(value.trim_end_matches(char::REPLACEMENT_CHARACTER).len());
        }
        Self(fields)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Adds a field that was sent as a part of its own.
    pub fn push(&mut self, name: String, value: String) -> Result<(), FieldsError> {
        if self.0.len() == MAX_FIELDS {
            return Err(FieldsError::TooMany);
        }
        self.0.push((name, value));
        Ok(())
    }

    /// The value of a field that occurs at most once; [`FieldsError::Repeated`] otherwise.
    pub fn one(&self, name: &'static str) -> Result<Option<&str>, FieldsError> {
        let mut values = self.0.iter().filter(|(n, _)| n == name).map(|(_, value)| value.as_str());
        match (values.next(), values.next()) {
            (_, Some(_)) => Err(FieldsError::Repeated(name)),
            (value, None) => Ok(value),
        }
    }

    /// The value of a text field; empty if it was not sent.
    pub fn typed(&self, name: &'static str) -> Result<&str, FieldsError> {
        Ok(self.one(name)?.unwrap_or_default())
    }

    /// The value of a field that the form always sends.
    pub fn required(&self, name: &'static str) -> Result<&str, FieldsError> {
        self.one(name)?.ok_or(FieldsError::Missing(name))
    }

    /// True if a check box is ticked: browsers do not send unticked ones.
    pub fn ticked(&self, name: &'static str) -> Result<bool, FieldsError> {
        Ok(self.one(name)?.is_some_and(|value| !value.is_empty()))
    }
}

fn decode(encoded: &[u8]) -> Result<String, FieldsError> {
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut rest = encoded.iter();
    while let Some(&byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => (hex_digit(rest.next())? << 4) | hex_digit(rest.next())?,
            other => other,
        });
    }
    String::from_utf8(bytes).map_err(|_| FieldsError::NotUtf8)
}

fn hex_digit(byte: Option<&u8>) -> Result<u8, FieldsError> {
    let digit = byte.and_then(|&byte| char::from(byte).to_digit(16)).ok_or(FieldsError::Percent)?;
    u8::try_from(digit).map_err(|_| FieldsError::Percent)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn browser_form_is_parsed() {
        let fields = Fields::parse(b"a=1&b=x+y%20z%26&c=&d&safety=on&&t=%F0%9F%AA%9A").unwrap();
        assert_eq!(fields.one("a"), Ok(Some("1")));
        assert_eq!(fields.typed("b"), Ok("x y z&"));
        assert_eq!(fields.required("c"), Ok(""));
        assert_eq!(fields.one("d"), Ok(Some("")));
        assert_eq!(fields.typed("t"), Ok("🪚"));
        assert_eq!((fields.ticked("safety"), fields.ticked("c")), (Ok(true), Ok(false)));
        assert_eq!(fields.one("nothing"), Ok(None));
        assert_eq!(fields.required("nothing"), Err(FieldsError::Missing("nothing")));
    }

    #[test]
    fn malformed_forms_are_errors() {
        for broken in ["a=%", "a=%4", "a=%zz", "%g1=1", "a=%+1"] {
            assert_eq!(Fields::parse(broken.as_bytes()), Err(FieldsError::Percent), "{broken}");
        }
        assert_eq!(Fields::parse(b"a=%ff"), Err(FieldsError::NotUtf8));
        assert_eq!(Fields::parse(b"a=\xff"), Err(FieldsError::NotUtf8));
        assert_eq!(Fields::parse(b"a=1&a=2").unwrap().one("a"), Err(FieldsError::Repeated("a")));
        assert!(Fields::parse("a=1&".repeat(MAX_FIELDS).as_bytes()).is_ok());
        for too_many in [MAX_FIELDS + 1, 10_000] {
            assert_eq!(Fields::parse("a=1&".repeat(too_many).as_bytes()), Err(FieldsError::TooMany));
        }
    }

    #[test]
    fn cut_form_is_read_to_its_last_character() {
        let encoded = b"a=1&b=x%20%F0%9F%AA%9A";
        let read = |length: usize| Fields::parse_lossy(&encoded[..length]).typed("b").unwrap().to_owned();
        assert_eq!(read(encoded.len()), "x 🪚");
        for length in 10..encoded.len() {
            assert_eq!(read(length), "x ", "{length}");
        }
        assert_eq!(Fields::parse_lossy(&b"a=1&".repeat(10_000)).iter().count(), MAX_FIELDS);
        assert_eq!(Fields::parse_lossy(b"a=%zz&b=\xff1").typed("b"), Ok("\u{fffd}1"));
    }

    proptest! {
        #[test]
        fn encoded_form_round_trips(name in "\\PC{1,20}", value in any::<String>()) {
            let mut form = form_urlencoded::Serializer::new(String::new());
            form.append_pair(&name, &value);
            let fields = Fields::parse(form.finish().as_bytes()).unwrap();
            prop_assert_eq!(fields.0, vec![(name, value)]);
        }

        #[test]
        fn parser_agrees_with_form_urlencoded(bytes in form()) {
            let pairs = bytes.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()).count();
            let meant: Vec<(String, String)> = form_urlencoded::parse(&bytes).into_owned().collect();
            match Fields::parse(&bytes) {
                Ok(fields) => prop_assert_eq!(fields.0, meant),
                Err(FieldsError::TooMany) => prop_assert!(pairs > MAX_FIELDS),
                Err(FieldsError::Percent) => prop_assert!(bytes.contains(&b'%')),
                // The library writes U+FFFD for bytes that are not UTF-8.
                Err(error) => {
                    prop_assert_eq!(error, FieldsError::NotUtf8);
                    let replaced = |text: &String| text.contains(char::REPLACEMENT_CHARACTER);
                    prop_assert!(meant.iter().any(|(name, value)| replaced(name) || replaced(value)));
                }
            }
        }

        #[test]
        fn percent_encoded_text_is_decoded(bytes in any::<Vec<u8>>()) {
            let encoded: String = bytes.iter().map(|byte| format!("%{byte:02X}")).collect();
            let read = Fields::parse(format!("a={encoded}").as_bytes());
            match String::from_utf8(bytes) {
                Ok(text) => prop_assert_eq!(read.unwrap().0, vec![("a".to_owned(), text)]),
                Err(_) => prop_assert_eq!(read, Err(FieldsError::NotUtf8)),
            }
        }

        #[test]
        fn repeated_field_is_an_error(names in prop::collection::vec("[ab]", 0..2 * MAX_FIELDS)) {
            let Ok(fields) = Fields::parse(names.join("&").as_bytes()) else {
                prop_assert!(names.len() > MAX_FIELDS);
                return Ok(());
            };
            match names.iter().filter(|name| *name == "a").count() {
                0 => prop_assert_eq!(fields.required("a"), Err(FieldsError::Missing("a"))),
                1 => prop_assert_eq!(fields.required("a"), Ok("")),
                _ => prop_assert_eq!(fields.typed("a"), Err(FieldsError::Repeated("a"))),
            }
        }
    }

    /// Bytes, often ones that are special in a form.
    fn form() -> impl Strategy<Value = Vec<u8>> {
        let telling = prop::sample::select(&b"a=b&%+&=%4fC3a9\xff"[..]);
        prop_oneof![any::<Vec<u8>>(), prop::collection::vec(telling, 0..200)]
    }
}
