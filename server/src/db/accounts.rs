//! Who may sign in; there is always an administrator once there was one.

use super::{
    Refused, Store, StoreError,
    connection::Turn,
    schema::{account, session},
    text::plain,
};
use diesel::{
    BoolExpressionMethods as _, ExpressionMethods as _, OptionalExtension as _, QueryDsl as _, Queryable,
    RunQueryDsl as _,
};
use shared::{PersonId, Timestamp, api::Role};
use std::fmt;

/// Somebody who may sign in.
#[derive(Clone, PartialEq, Eq)]
pub struct Account {
    /// As it was written; two logins that differ only in case are the same.
    pub login: String,
    pub name: String,
    pub role: Role,
    /// The person of the on-call configuration this is.
    pub person: Option<PersonId>,
    /// None for an account that cannot sign in with a password.
    pub password_hash: Option<String>,
    pub disabled: bool,
    pub created_at: Timestamp,
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account")
            .field("login", &self.login)
            .field("role", &self.role)
            .field("disabled", &self.disabled)
            .finish_non_exhaustive()
    }
}

/// What changes of an account; what is none stays as it is.
#[derive(Clone, Default)]
pub struct AccountPatch {
    pub name: Option<String>,
    pub role: Option<Role>,
    pub person: Option<Option<PersonId>>,
    pub disabled: Option<bool>,
    pub password_hash: Option<String>,
}

impl Store {
    /// Makes an account.
    ///
    /// # Errors
    /// [`Refused::LoginTaken`] when the login exists, in whatever case.
    pub fn account_create(&mut self, new: &Account) -> Result<(), StoreError> {
        self.write(|store| {
            store.take_turn(Turn::Accounts)?;
            if store.account(&new.login)?.is_some() {
                return Err(Refused::LoginTaken { login: new.login.clone() }.into());
            }
            diesel::insert_into(account::table)
                .values((
                    account::login_key.eq(login_key(&new.login)),
                    account::login.eq(plain(&new.login)),
                    account::name.eq(plain(&new.name)),
                    account::role.eq(new.role.as_str()),
                    account::person.eq(new.person.as_ref().map(|person| plain(person.as_str()))),
                    account::password_hash.eq(new.password_hash.as_deref().map(plain)),
                    account::disabled.eq(i16::from(new.disabled)),
                    account::created_at.eq(new.created_at.ms()),
                ))
                .execute(&mut store.db)?;
            Ok(())
        })
    }

    /// The account of this login, in whatever case.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn account(&mut self, login: &str) -> Result<Option<Account>, StoreError> {
        let row: Option<Row> = account::table.find(login_key(login)).first(&mut self.db).optional()?;
        row.map(Account::try_from).transpose()
    }

    /// All accounts, by login.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn accounts(&mut self) -> Result<Vec<Account>, StoreError> {
        let rows: Vec<Row> = account::table.order(account::login_key).load(&mut self.db)?;
        rows.into_iter().map(Account::try_from).collect()
    }

    /// How many administrators there are that are not disabled.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn count_admins(&mut self) -> Result<i64, StoreError> {
        Ok(account::table
            .filter(account::role.eq(Role::Admin.as_str()).and(account::disabled.eq(0)))
            .count()
            .get_result(&mut self.db)?)
    }

    /// Changes an account and gives it as it is then. A changed role or password, and disabling, end its sessions; disabling,
    /// and being another person, its devices.
    ///
    /// # Errors
    /// [`Refused::NoSuchAccount`], or [`Refused::LastAdmin`] when no administrator would be left.
    pub fn account_change(&mut self, login: &str, patch: &AccountPatch) -> Result<Account, StoreError> {
        self.write(|store| {
            store.take_turn(Turn::Accounts)?;
            let before = store.existing(login)?;
            let mut after = before.clone();
            after.name = patch.name.clone().unwrap_or(after.name);
            after.role = patch.role.unwrap_or(after.role);
            after.person = patch.person.clone().unwrap_or(after.person);
            after.disabled = patch.disabled.unwrap_or(after.disabled);
            after.password_hash = patch.password_hash.clone().or(after.password_hash);
            if before.is_active_admin() && !after.is_active_admin() && store.count_admins()? <= 1 {
                return Err(Refused::LastAdmin.into());
            }
            let key = login_key(login);
            diesel::update(account::table.find(&key))
                .set((
                    account::name.eq(plain(&after.name)),
                    account::role.eq(after.role.as_str()),
                    account::person.eq(after.person.as_ref().map(|person| plain(person.as_str()))),
                    account::password_hash.eq(after.password_hash.as_deref().map(plain)),
                    account::disabled.eq(i16::from(after.disabled)),
                ))
                .execute(&mut store.db)?;
            if after.role != before.role || after.disabled || patch.password_hash.is_some() {
                store.sessions_end(login, None)?;
            }
            // Whoever may not sign in any more, or is somebody else now, is not pushed to as who they were.
            if after.disabled || after.person != before.person {
                store.devices_end(login)?;
            }
            Ok(after)
        })
    }

    /// Sets a password and ends all sessions of the account but the one that asked.
    ///
    /// # Errors
    /// [`Refused::NoSuchAccount`].
    pub fn password_set(&mut self, login: &str, hash: &str, keep: Option<i64>) -> Result<(), StoreError> {
        self.write(|store| {
            store.take_turn(Turn::Accounts)?;
            store.existing(login)?;
            diesel::update(account::table.find(login_key(login)))
                .set(account::password_hash.eq(plain(hash)))
                .execute(&mut store.db)?;
            store.sessions_end(login, keep)?;
            Ok(())
        })
    }

    /// Ends the sessions of an account, all but one, and those of its apps; gives how many ended in browsers.
    ///
    /// # Errors
    /// When the database refuses it.
    pub fn sessions_end(&mut self, login: &str, keep: Option<i64>) -> Result<usize, StoreError> {
        // No app was what asked: changing a password is for browsers.
        self.device_sessions_end(login)?;
        // Numbers begin at 1: without one to keep, none is kept.
        Ok(diesel::delete(session::table)
            .filter(session::account.eq(login_key(login)).and(session::id.ne(keep.unwrap_or(0))))
            .execute(&mut self.db)?)
    }

    pub(super) fn existing(&mut self, login: &str) -> Result<Account, StoreError> {
        self.account(login)?.ok_or_else(|| Refused::NoSuchAccount { login: login.to_owned() }.into())
    }
}

impl Account {
    fn is_active_admin(&self) -> bool {
        self.role == Role::Admin && !self.disabled
    }
}

/// What makes two logins the same.
pub(super) fn login_key(login: &str) -> String {
    plain(&login.to_lowercase()).into_owned()
}

#[derive(Queryable)]
pub(super) struct Row {
    _login_key: String,
    login: String,
    name: String,
    role: String,
    person: Option<String>,
    password_hash: Option<String>,
    disabled: i16,
    created_at: i64,
}

impl TryFrom<Row> for Account {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let role = row
            .role
            .parse()
            .map_err(|error: String| StoreError::corrupt(format!("account {}: {error}", row.login), error))?;
        Ok(Self {
            login: row.login,
            name: row.name,
            role,
            person: row.person.map(PersonId::from),
            password_hash: row.password_hash,
            disabled: row.disabled != 0,
            created_at: Timestamp::from_ms(row.created_at),
        })
    }
}
