//! Users: known from an earlier run, else matched with those who are here by name, else by e-mail, else
//! added. Their numbers are printed nowhere: where one is taken, the user gets another.

use super::convert::{Fitting, quoted};
use super::run::{Account, Run};
use super::{Tally, USERS_KNOWN};
use crate::domain::actor::Role;
use crate::domain::characters::is_zero_width;
use crate::domain::ids::UserId;
use crate::domain::text::{EmailAddress, SlackHandle, Username, caseless};
use crate::domain::username::Appearances;
use crate::ops::{OpError, password};
use crate::store::legacy::Row;
use crate::store::legacy::tables::USERS;
use crate::store::users::{User, email_key};
use crate::store::{self, import, settings};
use std::collections::{HashMap, HashSet};

/// Password hash of whoever has no password: none is of this form.
const NO_PASSWORD: &str = "!";

pub(super) async fn copy(run: &mut Run<'_>) -> Result<Tally, OpError> {
    let mut pages = run.begin(USERS).await?;
    let highest = import::highest_user(run.ctx.store.read()).await?.max(run.old.highest(USERS).await?);
    let stored = settings::stored(run.ctx.store.read()).await?;
    let mut known: HashMap<i64, UserId> =
        stored.get(USERS_KNOWN).map_or_else(|| Ok(HashMap::new()), serde_json::from_str)?;
    // Who is known to be one of the old users is nobody else.
    let mut taken = Taken { ids: known.values().copied().collect(), next: highest + 1, ..Taken::default() };
    for user in store::users::labels(run.ctx.store.read()).await? {
        taken.looks.add(&user.username);
        taken.email_looks.add(&user.email);
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
            new.extend(one(run, user, &ours, &known, &mut taken));
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

/// What the users have by now who have been dealt with.
#[derive(Debug, Default)]
struct Taken {
    ids: HashSet<UserId>,
    names: HashSet<String>,
    emails: HashSet<String>,
    /// What the names look like, here and of those who were dealt with.
    looks: Appearances,
    email_looks: Appearances,
    /// A number that nobody has or will have.
    next: i64,
}

/// A user of the Python system by name and address.
struct Named<'a> {
    fitting: Fitting<'a>,
    name: Username,
    email: Option<String>,
}

impl<'a> Named<'a> {
    fn read(row: &'a Row) -> Option<Self> {
        let mut fitting = Fitting::new(row);
        let name = fitting.short("username", Username::MAX, Username::parse);
        let name = name.or_else(|| Username::parse(&format!("user-{}", row.id)).ok())?;
        let email = row.text("email").and_then(|email| EmailAddress::parse(email).ok());
        Some(Self { fitting, name, email: email.map(|email| email.as_str().to_owned()) })
    }

    /// The name that it gets where its own is somebody else's.
    fn other_name(&self) -> Username {
        let own: String = self.name.as_str().chars().take(Username::MAX - 20).collect();
        Username::parse(&format!("{own}-{}", self.fitting.row.id)).unwrap_or_else(|_| self.name.clone())
    }

    /// The one of our users who is the same.
    fn counterpart<'u>(
        &self,
        ours: &'u [User],
        known: &HashMap<i64, UserId>,
        taken: &Taken,
    ) -> Option<&'u User> {
        if let Some(id) = known.get(&self.fitting.row.id) {
            return ours.iter().find(|user| user.id == *id);
        }
        let find = |same: &dyn Fn(&User) -> bool| {
            ours.iter().find(|user| same(user) && !taken.ids.contains(&user.id))
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

/// The user to add; `None` where there is a counterpart.
fn one(
    run: &mut Run<'_>,
    mut named: Named<'_>,
    ours: &[User],
    known: &HashMap<i64, UserId>,
    taken: &mut Taken,
) -> Option<User> {
    let row = named.fitting.row;
    let old_name = row.text("username").unwrap_or_default();
    if let Some(user) = named.counterpart(ours, known, taken) {
        if user.created_at != named.fitting.made() {
            let what = format!(
                "taken for the account {} that is here, which stays as it is, with its password",
                quoted(&user.username)
            );
            run.odd(row.id, old_name, &what);
        }
        run.is_here();
        taken.ids.insert(user.id);
        run.known.add_user(row.id, old_name, Account { id: user.id, name: user.username.clone() });
        return None;
    }
    let is_named = |key: &String| ours.iter().any(|user| user.username_key == *key);
    let mut key = caseless(named.name.as_str());
    if taken.names.contains(&key) || is_named(&key) {
        named.name = named.other_name();
        key = caseless(named.name.as_str());
        named.fitting.say(
            "username",
            old_name,
            &format!("is taken: {} instead", quoted(named.name.as_str())),
        );
    }
    let email = address(&mut named, ours, taken);
    tell_looks(&mut named, &email, taken);
    let mut id = UserId(row.id);
    if taken.ids.contains(&id) || ours.iter().any(|user| user.id == id) {
        id = UserId(taken.next);
        taken.next += 1;
    }
    let fitting = &mut named.fitting;
    let user = User {
        id,
        username: named.name.as_str().to_owned(),
        username_key: key.clone(),
        email_key: email_key(&email),
        email,
        role: role(fitting),
        active: fitting.flag("is_active"),
        slack_handle: fitting
            .short("slack_handle", SlackHandle::MAX, SlackHandle::parse)
            .map_or_else(String::new, SlackHandle::into_string),
        slack_user_id: None,
        password_hash: password_hash(fitting),
        must_change_password: false,
        created_at: fitting.made(),
        updated_at: fitting.changed(),
    };
    run.fitted(&user.username, &named.fitting);
    taken.ids.insert(id);
    taken.names.insert(key);
    taken.emails.insert(user.email_key.clone());
    run.known.add_user(row.id, old_name, Account { id, name: user.username.clone() });
    Some(user)
}

/// Tells of a name or an address that people take for another's; it is copied all the same.
fn tell_looks(named: &mut Named<'_>, email: &str, taken: &mut Taken) {
    let (name, row) = (named.name.as_str().to_owned(), named.fitting.row);
    let old_name = row.text("username").unwrap_or_default();
    if old_name.contains(is_zero_width) {
        let became = format!("holds characters that nobody sees: {} instead", quoted(&name));
        named.fitting.say("username", old_name, &became);
    }
    if let Some(other) = taken.looks.like(&name) {
        let became = format!("looks like the name of another user, {}", quoted(other));
        named.fitting.say("username", &name, &became);
    }
    let other = taken.email_looks.like(email).filter(|other| !(email.is_ascii() && other.is_ascii()));
    if let Some(other) = other {
        let became = format!("looks like the address of another user, {}", quoted(other));
        named.fitting.say("email", email, &became);
    }
    taken.looks.add(&name);
    taken.email_looks.add(email);
}

/// Its e-mail address, or one that leads nowhere.
fn address(named: &mut Named<'_>, ours: &[User], taken: &Taken) -> String {
    let row = named.fitting.row;
    let nowhere = format!("user-{}@legacy.invalid", row.id);
    let text = row.text("email").unwrap_or_default();
    let Some(email) = named.email.clone() else {
        named.fitting.say("email", text, &format!("is no address: {nowhere} instead"));
        return nowhere;
    };
    let key = email_key(&email);
    if taken.emails.contains(&key) || ours.iter().any(|user| user.email_key == key) {
        named.fitting.say("email", text, &format!("is taken: {nowhere} instead"));
        return nowhere;
    }
    email
}

fn role(fitting: &mut Fitting<'_>) -> Role {
    let role = fitting.word("role", &Role::ALL, Role::word, "is no role: Technician instead");
    role.unwrap_or(Role::Technician)
}

/// The hash as it is, where login knows it.
fn password_hash(fitting: &mut Fitting<'_>) -> String {
    match fitting.row.text("password_hash") {
        Some(hash) if password::is_imported(hash) => hash.to_owned(),
        _ => {
            fitting.odd.push("has no password that can be kept: set one on the page Users".to_owned());
            NO_PASSWORD.to_owned()
        }
    }
}
