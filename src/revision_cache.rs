//! Caches a value per key and shares it; only the newest key is kept. For values that are costly to compute from a
//! revision.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, PoisonError, RwLock};
use tokio::sync::OnceCell;

/// The newest value, with its key.
#[derive(Debug)]
pub struct LatestCache<K, V>(RwLock<Option<Arc<Slot<K, V>>>>);

#[derive(Debug)]
struct Slot<K, V> {
    key: K,
    value: OnceCell<V>,
}

impl<K, V> Default for LatestCache<K, V> {
    fn default() -> Self {
        Self(RwLock::default())
    }
}

impl<K: PartialEq + Clone, V: Clone> LatestCache<K, V> {
    /// The value of `key`: from the cache, else from `make`. Callers with the same key wait for it; if `make` fails or
    /// is dropped, the next caller's is tried.
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
        // A concurrent caller may have been faster.
        if let Some(slot) = newest.as_ref().filter(|slot| slot.key == *key) {
            return Arc::clone(slot);
        }
        let slot = Arc::new(Slot { key: key.clone(), value: OnceCell::new() });
        *newest = Some(Arc::clone(&slot));
        slot
    }
}

/// Caches the results of queries under the newest key, up to a limit.
#[derive(Debug)]
pub struct QueryCache<K, Q, V>(RwLock<Option<(K, HashMap<Q, V>)>>);

/// Most cached results: people request the same few pages.
const ANSWERS: usize = 64;

impl<K, Q, V> Default for QueryCache<K, Q, V> {
    fn default() -> Self {
        Self(RwLock::default())
    }
}

impl<K: PartialEq + Clone, Q: Eq + Hash, V: Clone> QueryCache<K, Q, V> {
    /// The result of `question` under `key`: from the cache, else from `make`.
    pub async fn get<E>(
        &self,
        key: &K,
        question: Q,
        make: impl Future<Output = Result<V, E>>,
    ) -> Result<V, E> {
        if let Some(answer) = self.kept(key, &question) {
            return Ok(answer);
        }
        let answer = make.await?;
        let mut kept = self.0.write().unwrap_or_else(PoisonError::into_inner);
        match kept.as_mut().filter(|(newest, _)| newest == key) {
            Some((_, answers)) if answers.len() < ANSWERS => {
                answers.insert(question, answer.clone());
            }
            Some(_) => {}
            None => *kept = Some((key.clone(), HashMap::from([(question, answer.clone())]))),
        }
        Ok(answer)
    }

    fn kept(&self, key: &K, question: &Q) -> Option<V> {
        let kept = self.0.read().unwrap_or_else(PoisonError::into_inner);
        kept.as_ref().filter(|(newest, _)| newest == key)?.1.get(question).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn answer_is_computed_once_per_key_and_bounded() {
        let (answers, made) = (QueryCache::default(), AtomicUsize::new(0));
        let get = async |key: u8, question: usize| {
            let make = async { Ok::<_, ()>(made.fetch_add(1, Ordering::SeqCst)) };
            answers.get(&key, question, make).await.unwrap()
        };
        assert_eq!((get(1, 7).await, get(1, 8).await, get(1, 7).await), (0, 1, 0));
        assert_eq!(get(2, 7).await, 2, "another key has other answers");
        for question in 100..100 + 2 * ANSWERS {
            get(2, question).await;
        }
        assert!(answers.0.read().unwrap().as_ref().unwrap().1.len() <= ANSWERS);
        assert_eq!(get(2, 7).await, 2);
    }
    use futures_util::FutureExt;
    use std::future::pending;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use tokio::task::yield_now;

    #[tokio::test]
    async fn concurrent_readers_share_one_value() {
        let (newest, made) = (LatestCache::default(), AtomicUsize::new(0));
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
    async fn failure_is_neither_cached_nor_blocking() {
        let newest = LatestCache::default();
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
