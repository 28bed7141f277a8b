//! What stands around every page: where one can go, and who is signed in.

use crate::domain::actor::Role;
use serde::Serialize;

/// Where the header leads, in its order: the words, the address, and who sees it (`None`: everybody).
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

/// The frame of one page; the default is that of nobody in particular.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Frame {
    places: Vec<Place>,
    person: Option<Person>,
    /// Nobody can log in yet: the page leads to `/setup`.
    offers_setup: bool,
}

/// An entry of the navigation.
#[derive(Debug, Clone, Serialize)]
struct Place {
    label: &'static str,
    path: &'static str,
    current: bool,
}

/// Who is signed in, and what it takes to log out.
#[derive(Debug, Clone, Serialize)]
struct Person {
    name: String,
    csrf_token: String,
}

impl Frame {
    /// The frame for somebody signed in who looks at the page at `path`.
    pub fn of(name: &str, role: Role, csrf_token: String, path: &str) -> Self {
        let seen = NAVIGATION.iter().filter(|(_, _, least)| least.is_none_or(|least| role >= least));
        let places = seen.map(|&(label, to, _)| Place { label, path: to, current: to == path }).collect();
        Self { places, person: Some(Person { name: name.to_owned(), csrf_token }), offers_setup: false }
    }

    /// The same, with the way to `/setup` or without.
    pub fn offering_setup(self, offers_setup: bool) -> Self {
        Self { offers_setup, ..self }
    }
}
