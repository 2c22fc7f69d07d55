//! The first administrator, made with a code that works once.

use super::{Account, Refused, Store, StoreError, connection::Turn};

const CODE: &str = "setup.code";

impl Store {
    /// Whether the first administrator is still to be made.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn setup_needed(&mut self) -> Result<bool, StoreError> {
        Ok(self.count_admins()? == 0)
    }

    /// Stores the hash of a new setup code in place of an older one; false when there is an administrator already.
    ///
    /// # Errors
    /// When the database refuses it.
    pub fn setup_code_put(&mut self, code_hash: &str) -> Result<bool, StoreError> {
        self.write(|store| {
            store.take_turn(Turn::Accounts)?;
            let needed = store.setup_needed()?;
            if needed {
                store.meta_put(CODE, code_hash)?;
            }
            Ok(needed)
        })
    }

    /// Uses the code up and makes the first administrator, both or neither.
    ///
    /// # Errors
    /// [`Refused::SetUpAlready`] and [`Refused::WrongSetupCode`].
    pub fn setup_take(&mut self, code_hash: &str, admin: &Account) -> Result<(), StoreError> {
        self.write(|store| {
            store.take_turn(Turn::Accounts)?;
            if !store.setup_needed()? {
                return Err(Refused::SetUpAlready.into());
            }
            // Hashes are compared: the time this takes tells nothing about the code.
            if store.meta(CODE)?.as_deref() != Some(code_hash) {
                return Err(Refused::WrongSetupCode.into());
            }
            store.meta_remove(CODE)?;
            store.account_create(admin)
        })
    }
}
