//! A small pool of connections, for everything but the engine's own writes.

use super::{DatabaseUrl, Store, StoreError};
use crate::seal::KeyFile;
use std::{
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// How long a caller waits for a connection.
const PATIENCE: Duration = Duration::from_millis(2_000);

/// Connections that are opened when they are needed and kept for the next caller.
pub struct Readers {
    url: DatabaseUrl,
    keys: KeyFile,
    shelf: Mutex<Shelf>,
    returned: Condvar,
}

struct Shelf {
    idle: Vec<Store>,
    /// How many more callers may have a connection.
    free: usize,
}

impl Readers {
    /// A pool of at most `size` connections, opened as [`Store::open`] does; none is opened yet.
    #[must_use]
    pub fn new(url: DatabaseUrl, size: usize) -> Self {
        let keys = url.keys().unwrap_or_else(KeyFile::nowhere);
        Self::with_keys(url, keys, size)
    }

    /// The same with keys that are elsewhere.
    #[must_use]
    pub fn with_keys(url: DatabaseUrl, keys: KeyFile, size: usize) -> Self {
        Self { url, keys, shelf: Mutex::new(Shelf { idle: Vec::new(), free: size.max(1) }), returned: Condvar::new() }
    }

    /// Runs `work` with a connection; blocks, so call it where blocking is allowed.
    ///
    /// # Errors
    /// [`StoreError::Busy`] when every connection stays in use, [`StoreError::Unavailable`] when none can be opened,
    /// and whatever `work` returns.
    pub fn with<T>(&self, work: impl FnOnce(&mut Store) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let mut lease = self.lease()?;
        let mut store = match lease.store.take() {
            Some(store) => store,
            None => Store::open_with(&self.url, &self.keys)?,
        };
        // Should `work` panic, the connection is closed with it and only its place is given back.
        let result = work(&mut store);
        if matches!(result, Err(StoreError::Unavailable { .. })) {
            // The others were opened to the same database before it went away.
            self.shelf().idle.clear();
        } else if store.is_sound() {
            lease.store = Some(store);
        }
        result
    }

    /// The same for whoever must not block: `work` runs on a thread where that is no harm.
    ///
    /// # Errors
    /// As [`Readers::with`]; [`StoreError::Busy`] also when the server is stopping.
    pub async fn aside<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&mut Store) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let readers = Arc::clone(self);
        let done = tokio::task::spawn_blocking(move || readers.with(work)).await;
        done.unwrap_or_else(|_| Err(StoreError::Busy { context: "the server is stopping".to_owned(), source: None }))
    }

    fn lease(&self) -> Result<Lease<'_>, StoreError> {
        let waited = self.returned.wait_timeout_while(self.shelf(), PATIENCE, |shelf| shelf.free == 0);
        let (mut shelf, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
        if timeout.timed_out() && shelf.free == 0 {
            return Err(StoreError::Busy { context: "every connection is in use".to_owned(), source: None });
        }
        shelf.free -= 1;
        Ok(Lease { readers: self, store: shelf.idle.pop() })
    }

    /// Whatever a panicking thread left on the shelf is whole: a connection is taken off it before it is used.
    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place in the pool, given back when it is dropped.
struct Lease<'a> {
    readers: &'a Readers,
    store: Option<Store>,
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        let mut shelf = self.readers.shelf();
        shelf.free += 1;
        shelf.idle.extend(self.store.take());
        drop(shelf);
        self.readers.returned.notify_one();
    }
}
