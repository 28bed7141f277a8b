//! Users: matched by an earlier run, else with existing users by name, else by email, else added. User ids are not
//! printed anywhere, so a user whose id is taken gets another.

use super::convert::{RowReader, quoted};
use super::run::{Account, Run};
use super::{Tally, USERS_KNOWN};
use crate::domain::actor::Role;
use crate::domain::characters::is_zero_width;
use crate::domain::ids::UserId;
use crate::domain::text::{EmailAddress, SlackHandle, Username, caseless};
use crate::domain::username::Appearances;
use crate::ops::{OpError, accounts::password};
use crate::store::legacy::Row;
use crate::store::legacy::tables::USERS;
use crate::store::users::{User, email_key};
use crate::store::{self, import, settings};
use std::collections::{HashMap, HashSet};

/// Stored for users without a password. No password hash has this form.
const NO_PASSWORD: &str = "!";

pub(super) async fn copy(run: &mut Run<'_>) -> Result<Tally, OpError> {
    let mut pages = run.begin(USERS).await?;
    let highest = import::highest_user(run.ctx.store.read()).await?.max(run.old.highest(USERS).await?);
    let stored = settings::stored(run.ctx.store.read()).await?;
    let mut known: HashMap<i64, UserId> =
        stored.get(USERS_KNOWN).map_or_else(|| Ok(HashMap::new()), serde_json::from_str)?;
    // An account that is matched with an old user is not matched with another.
    let mut used =
        UsedNames { ids: known.values().copied().collect(), next: highest + 1, ..UsedNames::default() };
    for user in store::users::labels(run.ctx.store.read()).await? {
        used.looks.add(&user.username);
        used.email_looks.add(&user.email);
    }
    while let Some(page) = pages.next(run).await? {
        let named: Vec<_> = page.iter().filter_map(Named::read).collect();
        let names: Vec<_> = named.iter().flat_map(|user| [user.name.clone(), user.other_name()]).collect();
        let emails: Vec<_> = named.iter().filter_map(|user| user.email.clone()).collect();
        let ids = page.iter().flat_map(|row| [Some(row.id), known.get(&row.id).map(|user| user.0)]);
        let ids: Vec<_> = ids.flatten().collect();
        let ours = import::users_like(run.ctx.store.read(), &names, &emails, &ids).await?;
        let mut new = Vec::new();
        for user in named {
            new.extend(convert(run, user, &ours, &known, &mut used));
        }
        let before = known.len();
        known.extend(run.known.users.iter().map(|(old, account)| (*old, account.id)));
        let (json, now) = (serde_json::to_string(&known)?, run.ctx.clock.now());
        run.write(known.len() > before, async |tx| {
            import::add(tx, new.clone()).await?;
            settings::set(tx, USERS_KNOWN, &json, now).await
        })
        .await?;
    }
    Ok(run.end())
}

/// Names and ids of the users that were processed.
#[derive(Debug, Default)]
struct UsedNames {
    ids: HashSet<UserId>,
    names: HashSet<String>,
    emails: HashSet<String>,
    /// Skeletons of all names, existing and new.
    looks: Appearances,
    email_looks: Appearances,
    /// A free id, above all ids of both systems.
    next: i64,
}

/// A user of the Python system by name and address.
struct Named<'a> {
    reader: RowReader<'a>,
    name: Username,
    email: Option<String>,
}

impl<'a> Named<'a> {
    fn read(row: &'a Row) -> Option<Self> {
        let mut reader = RowReader::new(row);
        let name = reader.short("username", Username::MAX, Username::parse);
        let name = name.or_else(|| Username::parse(&format!("user-{}", row.id)).ok())?;
        let email = row.text("email").and_then(|email| EmailAddress::parse(email).ok());
        Some(Self { reader, name, email: email.map(|email| email.as_str().to_owned()) })
    }

    /// The name that the user gets if their own is taken.
    fn other_name(&self) -> Username {
        let own: String = self.name.as_str().chars().take(Username::MAX - 20).collect();
        Username::parse(&format!("{own}-{}", self.reader.row.id)).unwrap_or_else(|_| self.name.clone())
    }

    /// The existing user who is the same person.
    fn counterpart<'u>(
        &self,
        ours: &'u [User],
        known: &HashMap<i64, UserId>,
        used: &UsedNames,
    ) -> Option<&'u User> {
        if let Some(id) = known.get(&self.reader.row.id) {
            return ours.iter().find(|user| user.id == *id);
        }
        let find = |same: &dyn Fn(&User) -> bool| {
            ours.iter().find(|user| same(user) && !used.ids.contains(&user.id))
        };
        let named = |name: &Username| {
            let key = caseless(name.as_str());
            find(&|user| user.username_key == key)
        };
        let email = self.email.as_deref().map(email_key);
        named(&self.name)
            .or_else(|| named(&self.other_name()))
            .or_else(|| find(&|user| email.as_ref() == Some(&user.email_key)))
    }
}

/// The user to add; `None` if there is a counterpart.
fn convert(
    run: &mut Run<'_>,
    mut named: Named<'_>,
    ours: &[User],
    known: &HashMap<i64, UserId>,
    used: &mut UsedNames,
) -> Option<User> {
    let row = named.reader.row;
    let old_name = row.text("username").unwrap_or_default();
    if let Some(user) = named.counterpart(ours, known, used) {
        if user.created_at != named.reader.made() {
            let what = format!(
                "matched with the existing account {}, which stays unchanged, with its password",
                quoted(&user.username)
            );
            run.report_row(row.id, old_name, &what);
        }
        run.count_existing();
        used.ids.insert(user.id);
        run.known.add_user(row.id, old_name, Account { id: user.id, name: user.username.clone() });
        return None;
    }
    let is_named = |key: &String| ours.iter().any(|user| user.username_key == *key);
    let mut key = caseless(named.name.as_str());
    if used.names.contains(&key) || is_named(&key) {
        named.name = named.other_name();
        key = caseless(named.name.as_str());
        named.reader.report(
            "username",
            old_name,
            &format!("is taken: {} instead", quoted(named.name.as_str())),
        );
    }
    let email = address(&mut named, ours, used);
    report_look_alikes(&mut named, &email, used);
    let mut id = UserId(row.id);
    if used.ids.contains(&id) || ours.iter().any(|user| user.id == id) {
        id = UserId(used.next);
        used.next += 1;
    }
    let reader = &mut named.reader;
    let user = User {
        id,
        username: named.name.as_str().to_owned(),
        username_key: key.clone(),
        email_key: email_key(&email),
        email,
        role: role(reader),
        active: reader.flag("is_active"),
        slack_handle: reader
            .short("slack_handle", SlackHandle::MAX, SlackHandle::parse)
            .map_or_else(String::new, SlackHandle::into_string),
        slack_user_id: None,
        password_hash: password_hash(reader),
        must_change_password: false,
        created_at: reader.made(),
        updated_at: reader.changed(),
    };
    run.report_copied(&user.username, &named.reader);
    used.ids.insert(id);
    used.names.insert(key);
    used.emails.insert(user.email_key.clone());
    run.known.add_user(row.id, old_name, Account { id, name: user.username.clone() });
    Some(user)
}

/// Reports a name or an address that looks like another one. It is copied nevertheless.
fn report_look_alikes(named: &mut Named<'_>, email: &str, used: &mut UsedNames) {
    let (name, row) = (named.name.as_str().to_owned(), named.reader.row);
    let old_name = row.text("username").unwrap_or_default();
    if old_name.contains(is_zero_width) {
        let became = format!("holds characters that nobody sees: {} instead", quoted(&name));
        named.reader.report("username", old_name, &became);
    }
    if let Some(other) = used.looks.like(&name) {
        let became = format!("looks like the name of another user, {}", quoted(other));
        named.reader.report("username", &name, &became);
    }
    let other = used.email_looks.like(email).filter(|other| !(email.is_ascii() && other.is_ascii()));
    if let Some(other) = other {
        let became = format!("looks like the address of another user, {}", quoted(other));
        named.reader.report("email", email, &became);
    }
    used.looks.add(&name);
    used.email_looks.add(email);
}

/// The email address, or an address that does not exist.
fn address(named: &mut Named<'_>, ours: &[User], used: &UsedNames) -> String {
    let row = named.reader.row;
    let nowhere = format!("user-{}@legacy.invalid", row.id);
    let text = row.text("email").unwrap_or_default();
    let Some(email) = named.email.clone() else {
        named.reader.report("email", text, &format!("is no address: {nowhere} instead"));
        return nowhere;
    };
    let key = email_key(&email);
    if used.emails.contains(&key) || ours.iter().any(|user| user.email_key == key) {
        named.reader.report("email", text, &format!("is taken: {nowhere} instead"));
        return nowhere;
    }
    email
}

fn role(reader: &mut RowReader<'_>) -> Role {
    let role = reader.word("role", &Role::ALL, Role::word, "is no role: Technician instead");
    role.unwrap_or(Role::Technician)
}

/// The old hash if log-in supports its algorithm.
fn password_hash(reader: &mut RowReader<'_>) -> String {
    match reader.row.text("password_hash") {
        Some(hash) if password::is_imported(hash) => hash.to_owned(),
        _ => {
            reader.findings.push("has no usable password: set one on the Users page".to_owned());
            NO_PASSWORD.to_owned()
        }
    }
}
