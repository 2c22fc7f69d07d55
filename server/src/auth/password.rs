//! Passwords: how they are kept (argon2id) and which ones are refused.
//!
//! Hashing takes tens of milliseconds and 19 MiB by design: call it on a blocking thread.

use crate::entropy;
use argon2::{
    Algorithm, Argon2, Params, PasswordHasher as _, PasswordVerifier as _, Version, password_hash::phc::PasswordHash,
};

const FEWEST_CHARS: usize = 12;
const MOST_CHARS: usize = 256;
const SALT_BYTES: usize = 16;

/// Verified against when there is no such user, so that the answer takes as long as for a real one.
/// It is the hash of nothing anybody knows, with the cost of `hasher`.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$dG9jc2luLWR1bW15LXNhbA$yt0V6Ai3NgzKYpIfUAPNT6d5zfwCs3gH8wwVQv9TXMg";

/// Of the lists of leaked passwords: those of twelve characters and more that lead them, and our own name.
const WORST: &[&str] = &[
    "000000000000",
    "1029384756qp",
    "12341234123412341234",
    "123123123123",
    "123412341234",
    "123456123456",
    "123456654321",
    "1234567890qwertyuiop",
    "123456789012",
    "1234567890123",
    "12345678901234567890",
    "123456789abc",
    "123456qwerty",
    "123qwe123qwe",
    "1q2w3e4r5t6y",
    "1q2w3e4r5t6y7u8i9o0p",
    "1qaz2wsx3edc",
    "1qaz2wsx3edc4rfv",
    "abc123abc123",
    "abcd1234abcd",
    "abcdefghijkl",
    "admin1234567",
    "administrator",
    "adminadminadmin",
    "asdfghjkl123",
    "changeme1234",
    "changemechangeme",
    "correct horse battery staple",
    "correcthorsebatterystaple",
    "iloveyou1234",
    "iloveyouiloveyou",
    "letmein12345",
    "letmeinletmein",
    "monkey123456",
    "p@ssw0rd1234",
    "passw0rd1234",
    "password1234",
    "password12345",
    "password123456",
    "password1234567",
    "password12345678",
    "password123456789",
    "passwordpassword",
    "q1w2e3r4t5y6",
    "qazwsxedcrfv",
    "qwerty123456",
    "qwertyqwerty",
    "qwertyuiop12",
    "qwertyuiop123",
    "qwertyuiop[]",
    "qwertyuiopasdfghjklzxcvbnm",
    "supersecret1",
    "tocsin123456",
    "tocsintocsin",
    "trustno1trustno1",
    "welcome12345",
    "woaini1314520",
    "zxcvbnm12345",
    "zxcvbnmasdfghjkl",
];

/// Why a password is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    #[error("a password has at least {FEWEST_CHARS} characters")]
    TooShort,
    #[error("a password has at most {MOST_CHARS} characters")]
    TooLong,
    #[error("the password is the login, or repeats it")]
    IsLogin,
    #[error("this password is among the first that are guessed")]
    TooCommon,
    #[error("the password could not be hashed")]
    Hashing,
}

/// Whether `password` may become the password of `login`.
pub fn check(login: &str, password: &str) -> Result<(), PasswordError> {
    let chars = password.chars().count();
    if chars < FEWEST_CHARS {
        return Err(PasswordError::TooShort);
    }
    if chars > MOST_CHARS {
        return Err(PasswordError::TooLong);
    }
    let (login, folded) = (login.trim().to_lowercase(), password.trim().to_lowercase());
    if !login.is_empty() && folded.replace(&login, "").is_empty() {
        return Err(PasswordError::IsLogin);
    }
    let first = folded.chars().next();
    let one_character = folded.chars().all(|c| Some(c) == first);
    if one_character || WORST.contains(&folded.as_str()) { Err(PasswordError::TooCommon) } else { Ok(()) }
}

/// The PHC string to store. Blocks for a while.
pub fn hash(password: &str) -> Result<String, PasswordError> {
    let salt = entropy::bytes::<SALT_BYTES>();
    let hash = hasher().hash_password_with_salt(password.as_bytes(), &salt).map_err(|_| PasswordError::Hashing)?;
    Ok(hash.to_string())
}

/// Whether `password` is the one `stored` was made of. Blocks for a while, equally long when there is no such
/// user (`None`) or the stored text is damaged.
#[must_use]
pub fn verify(password: &str, stored: Option<&str>) -> bool {
    let parsed = stored.and_then(|text| PasswordHash::new(text).ok());
    // Longer than any password we took: not worth hashing megabytes, but the time is spent all the same.
    let sane = password.len() <= MOST_CHARS * 4;
    match parsed {
        Some(hash) if sane => hasher().verify_password(password.as_bytes(), &hash).is_ok(),
        _ => {
            if let Ok(nobody) = PasswordHash::new(NOBODY) {
                hasher().verify_password(b"nobody", &nobody).ok();
            }
            false
        }
    }
}

/// The cost OWASP asks for at least: 19 MiB, two passes.
fn hasher() -> Argon2<'static> {
    #[expect(clippy::expect_used, reason = "the numbers are constants, and a test uses them")]
    let params = Params::new(19 * 1024, 2, 1, Some(32)).expect("valid cost");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_verifies_against_its_own_hash_only() {
        let stored = hash("three blind mice run").unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        assert!(verify("three blind mice run", Some(&stored)));
        assert!(!verify("three blind mice ran", Some(&stored)));
        assert_ne!(stored, hash("three blind mice run").unwrap(), "the salt differs");
    }

    #[test]
    fn an_unknown_user_costs_the_same_work_and_never_passes() {
        let dummy = PasswordHash::new(NOBODY).unwrap();
        let real = PasswordHash::new(&hash("three blind mice run").unwrap()).unwrap();
        assert_eq!((dummy.algorithm, dummy.version, &dummy.params), (real.algorithm, real.version, &real.params));
        assert_eq!(dummy.hash.map(|h| h.len()), real.hash.map(|h| h.len()));
        for password in ["nobody", "", "three blind mice run"] {
            assert!(!verify(password, None));
        }
        assert!(!verify("x", Some("damaged")));
        assert!(!verify(&"x".repeat(100_000), Some(NOBODY)));
    }

    #[test]
    fn weak_passwords_are_refused_with_the_reason() {
        for (password, why) in [
            ("short", PasswordError::TooShort),
            ("密码密码密码", PasswordError::TooShort),
            ("Li.Wei.Beijing", PasswordError::IsLogin),
            ("li.wei.beijingli.wei.beijing", PasswordError::IsLogin),
            ("Password1234", PasswordError::TooCommon),
            ("zzzzzzzzzzzzzz", PasswordError::TooCommon),
        ] {
            assert_eq!(check("li.wei.beijing", password), Err(why), "{password}");
        }
        assert_eq!(check("li", &"ab".repeat(129)), Err(PasswordError::TooLong));
        assert_eq!(check("li", "three blind mice run"), Ok(()));
        assert_eq!(check("", "three blind mice run"), Ok(()));
    }

    #[test]
    fn the_list_holds_only_what_the_other_rules_let_through() {
        for word in WORST {
            assert!(word.chars().count() >= FEWEST_CHARS && *word == word.to_lowercase(), "{word}");
        }
    }
}
