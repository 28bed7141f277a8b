//! A value that is made once per key and then shared: only the newest is kept. Whoever makes something
//! costly from a revision keeps it here.

use std::sync::{Arc, PoisonError, RwLock};
use tokio::sync::OnceCell;

/// The newest value, with the key under which it was made.
#[derive(Debug)]
pub struct Newest<K, V>(RwLock<Option<Arc<Slot<K, V>>>>);

#[derive(Debug)]
struct Slot<K, V> {
    key: K,
    value: OnceCell<V>,
}

impl<K, V> Default for Newest<K, V> {
    fn default() -> Self {
        Self(RwLock::default())
    }
}

impl<K: PartialEq + Clone, V: Clone> Newest<K, V> {
    /// The value of `key`: the one at hand, else what `make` gives. Whoever asks for the same key
    /// meanwhile waits for it; should `make` fail or be dropped, the next one's is tried.
    ///
    /// # Errors
    /// Those of `make`.
    pub async fn get<E>(&self, key: &K, make: impl Future<Output = Result<V, E>>) -> Result<V, E> {
        let kept = self.kept(key);
        if let Some(value) = kept.as_ref().and_then(|slot| slot.value.get()) {
            return Ok(value.clone());
        }
        let slot = kept.unwrap_or_else(|| self.begin(key));
        slot.value.get_or_try_init(|| make).await.cloned()
    }

    fn kept(&self, key: &K) -> Option<Arc<Slot<K, V>>> {
        let slot = self.0.read().unwrap_or_else(PoisonError::into_inner);
        slot.as_ref().filter(|slot| slot.key == *key).cloned()
    }

    fn begin(&self, key: &K) -> Arc<Slot<K, V>> {
        let mut newest = self.0.write().unwrap_or_else(PoisonError::into_inner);
        // Another may have been faster.
        if let Some(slot) = newest.as_ref().filter(|slot| slot.key == *key) {
            return Arc::clone(slot);
        }
        let slot = Arc::new(Slot { key: key.clone(), value: OnceCell::new() });
        *newest = Some(Arc::clone(&slot));
        slot
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;
    use std::future::pending;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use tokio::task::yield_now;

    #[tokio::test]
    async fn whoever_comes_at_once_shares_one_value() {
        let (newest, made) = (Newest::default(), AtomicUsize::new(0));
        let get = |key: u8| {
            let make = async {
                yield_now().await;
                Ok::<_, ()>(made.fetch_add(1, Ordering::SeqCst))
            };
            let newest = &newest;
            async move { newest.get(&key, make).await }
        };
        let (a, b, c) = tokio::join!(get(1), get(1), get(1));
        assert_eq!((a, b, c), (Ok(0), Ok(0), Ok(0)));
        assert_eq!(get(1).await, Ok(0));
        assert_eq!((get(2).await, get(2).await), (Ok(1), Ok(1)));
        assert_eq!(get(1).await, Ok(2), "only the newest is kept");
    }

    #[tokio::test]
    async fn a_failure_is_not_kept_and_keeps_nobody_waiting() {
        let newest = Newest::default();
        let fail = async {
            yield_now().await;
            Err("no")
        };
        let (failed, made) =
            tokio::join!(newest.get(&1, fail), newest.get(&1, async { Ok::<_, &str>("yes") }));
        assert_eq!((failed, made), (Err("no"), Ok("yes")));
        let never = pending::<Result<&str, &str>>();
        assert_eq!(newest.get(&2, never).now_or_never(), None);
        assert_eq!(newest.get(&2, async { Ok::<_, &str>("two") }).await, Ok("two"));
    }
}
