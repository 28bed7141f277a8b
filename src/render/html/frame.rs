//! The frame around every page: the navigation, and who is signed in.

use crate::domain::actor::Role;
use serde::Serialize;

/// Navigation entries in order: label, address, and the required role (`None`: everyone).
pub const NAVIGATION: &[(&str, &str, Option<Role>)] = &[
    ("Board", "/", None),
    ("Repairs", "/repairs", Some(Role::Technician)),
    ("Equipment", "/equipment", Some(Role::Technician)),
    ("Areas", "/admin/areas", Some(Role::Staff)),
    ("Users", "/admin/users", Some(Role::Staff)),
    ("Settings", "/admin/config", Some(Role::Staff)),
    ("Jobs", "/admin/jobs", Some(Role::Staff)),
    ("Audit", "/admin/audit", Some(Role::Staff)),
];

/// The frame of one page; the default has no signed-in person.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Frame {
    places: Vec<Place>,
    person: Option<Person>,
    /// Nobody can log in yet: the page links to `/setup`.
    offers_setup: bool,
}

#[derive(Debug, Clone, Serialize)]
struct Place {
    label: &'static str,
    path: &'static str,
    current: bool,
}

/// The signed-in person, and the token of the logout form.
#[derive(Debug, Clone, Serialize)]
struct Person {
    name: String,
    csrf_token: String,
}

impl Frame {
    /// The frame for a signed-in person on the page at `path`.
    pub fn of(name: &str, role: Role, csrf_token: String, path: &str) -> Self {
        let seen = NAVIGATION.iter().filter(|(_, _, least)| least.is_none_or(|least| role >= least));
        let places = seen.map(|&(label, to, _)| Place { label, path: to, current: to == path }).collect();
        Self { places, person: Some(Person { name: name.to_owned(), csrf_token }), offers_setup: false }
    }

    /// Sets whether the frame links to `/setup`.
    pub fn offering_setup(self, offers_setup: bool) -> Self {
        Self { offers_setup, ..self }
    }
}
