//! A query or form: it is parsed as browsers mean it, and survives a round trip.

#![no_main]

use esb::web::kernel::fields::{Fields, MAX_FIELDS};
use libfuzzer_sys::fuzz_target;

const NAMES: [&str; 4] = ["a", "q", "description", "csrf_token"];

fuzz_target!(|bytes: &[u8]| {
    let Ok(fields) = Fields::parse(bytes) else { return };
    let meant: Vec<(String, String)> = form_urlencoded::parse(bytes).into_owned().collect();
    assert!(meant.len() <= MAX_FIELDS);
    for name in NAMES {
        let values: Vec<&str> =
            meant.iter().filter(|(other, _)| other == name).map(|(_, value)| value.as_str()).collect();
        match fields.one(name) {
            Ok(value) => assert_eq!(value.into_iter().collect::<Vec<_>>(), values),
            Err(_) => assert!(values.len() > 1, "{name} came {} times", values.len()),
        }
    }
    let again = form_urlencoded::Serializer::new(String::new()).extend_pairs(&meant).finish();
    assert_eq!(Fields::parse(again.as_bytes()), Ok(fields));
});
