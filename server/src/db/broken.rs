//! Contacts that do not work any more: written with the delivery that showed it, read at start and for lists.

use super::{
    Store, StoreError,
    commit::{json, rewrite, write_rows},
    restore::document,
    schema::broken_contact,
};
use diesel::{ExpressionMethods as _, Insertable, QueryDsl as _, RunQueryDsl as _};
use engine::broken::Broken;
use serde::{Deserialize, Serialize};
use shared::{ContactId, PersonId, Timestamp, config::ContactKind};
use std::collections::BTreeMap;

/// What was learned of a contact: how it is broken, or none when it is not, or not any more.
pub type Learned = ((PersonId, ContactId), Option<Broken>);

/// As it is stored. The address stands as a hash: some are as good as a password.
#[derive(Serialize, Deserialize)]
struct BrokenDoc {
    channel: ContactKind,
    address: String,
    at: Timestamp,
    why: String,
    #[serde(default)]
    told: bool,
}

impl Store {
    /// Every contact that is known to be broken.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn broken_contacts(&mut self) -> Result<Vec<Broken>, StoreError> {
        let rows: Vec<(String, String, String)> = broken_contact::table
            .order((broken_contact::person, broken_contact::contact))
            .select((broken_contact::person, broken_contact::contact, broken_contact::doc))
            .load(&mut self.db)?;
        let read = |(person, contact, doc): (String, String, String)| {
            let BrokenDoc { channel, address, at, why, told } = document("broken_contact", 0, &doc)?;
            Ok(Broken { person: person.into(), contact: contact.into(), channel, address, at, why, told })
        };
        rows.into_iter().map(read).collect()
    }

    pub(super) fn put_broken(&mut self, learned: &[Learned]) -> Result<(), StoreError> {
        let newest: BTreeMap<_, _> = learned.iter().map(|(of, broken)| (of, broken)).collect();
        let mut rows = Vec::new();
        for ((person, contact), broken) in newest {
            let Some(Broken { channel, address, at, why, told, .. }) = broken else {
                let of = broken_contact::table.find((person.as_str(), contact.as_str()));
                diesel::delete(of).execute(&mut self.db)?;
                continue;
            };
            let (address, why) = (address.clone(), why.clone());
            let doc = json("a broken contact", &BrokenDoc { channel: *channel, address, at: *at, why, told: *told })?;
            rows.push(BrokenRow { person: person.to_string(), contact: contact.to_string(), doc });
        }
        rewrite!(&mut self.db, broken_contact by person | contact, rows, doc);
        Ok(())
    }
}

#[derive(Insertable)]
#[diesel(table_name = broken_contact, treat_none_as_default_value = false)]
struct BrokenRow {
    person: String,
    contact: String,
    doc: String,
}
