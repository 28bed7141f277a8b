//! Fields of a query or of a form (`application/x-www-form-urlencoded`), read strictly: what a
//! browser would not send is an error, never a guess. Knows nothing of any page.

/// Most fields that one query or form may have; the largest form of ours has a fifth of it.
pub const MAX_FIELDS: usize = 64;

/// Why a query or a form cannot be read; the text completes "The form cannot be read: …".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FieldsError {
    /// More than [`MAX_FIELDS`].
    #[error("it has more than {MAX_FIELDS} fields")]
    TooMany,
    /// A `%` that no two hexadecimal digits follow.
    #[error("it has a “%” that is not followed by two hexadecimal digits")]
    Percent,
    /// Bytes that are no text.
    #[error("it holds something that is not UTF-8 text")]
    NotUtf8,
    /// A field that is given once came again.
    #[error("the field “{0}” came more than once")]
    Repeated(&'static str),
    /// A field that the form always has did not come.
    #[error("the field “{0}” is missing")]
    Missing(&'static str),
}

/// Names and values in the order in which they came, decoded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fields(Vec<(String, String)>);

impl Fields {
    /// Reads `name=value&…`.
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

    /// The value of a field that comes at most once.
    ///
    /// # Errors
    /// [`FieldsError::Repeated`].
    pub fn one(&self, name: &'static str) -> Result<Option<&str>, FieldsError> {
        let mut values = self.0.iter().filter(|(n, _)| n == name).map(|(_, value)| value.as_str());
        match (values.next(), values.next()) {
            (_, Some(_)) => Err(FieldsError::Repeated(name)),
            (value, None) => Ok(value),
        }
    }

    /// The value of a field that a person types; one that did not come is empty.
    ///
    /// # Errors
    /// [`FieldsError::Repeated`].
    pub fn typed(&self, name: &'static str) -> Result<&str, FieldsError> {
        Ok(self.one(name)?.unwrap_or_default())
    }

    /// The value of a field that the form always has.
    ///
    /// # Errors
    /// [`FieldsError::Missing`] and [`FieldsError::Repeated`].
    pub fn required(&self, name: &'static str) -> Result<&str, FieldsError> {
        self.one(name)?.ok_or(FieldsError::Missing(name))
    }

    /// True when a check box was ticked: browsers leave out one that was not.
    ///
    /// # Errors
    /// [`FieldsError::Repeated`].
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
    fn a_form_as_browsers_send_it() {
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
    fn what_no_browser_sends_is_an_error() {
        for broken in ["a=%", "a=%4", "a=%zz", "%g1=1", "a=%+1"] {
            assert_eq!(Fields::parse(broken.as_bytes()), Err(FieldsError::Percent), "{broken}");
        }
        assert_eq!(Fields::parse(b"a=%ff"), Err(FieldsError::NotUtf8));
        assert_eq!(Fields::parse(b"a=\xff"), Err(FieldsError::NotUtf8));
        assert_eq!(Fields::parse(b"a=1&a=2").unwrap().one("a"), Err(FieldsError::Repeated("a")));
        assert!(Fields::parse("a=1&".repeat(MAX_FIELDS).as_bytes()).is_ok());
        assert_eq!(Fields::parse("a=1&".repeat(MAX_FIELDS + 1).as_bytes()), Err(FieldsError::TooMany));
    }

    proptest! {
        #[test]
        fn whatever_was_encoded_comes_back(name in "\\PC{1,20}", value in any::<String>()) {
            let mut form = form_urlencoded::Serializer::new(String::new());
            form.append_pair(&name, &value);
            let fields = Fields::parse(form.finish().as_bytes()).unwrap();
            prop_assert_eq!(fields.0, vec![(name, value)]);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in any::<Vec<u8>>()) {
            let _ = Fields::parse(&bytes);
        }
    }
}
