//! Where whoever counts keeps its handles, so that nothing is looked up under a lock twice.
//!
//! **Invariant:** a handle that was given once for a name is given again for it; nothing waits for anything.

use std::sync::OnceLock;

/// Handles by a name out of the code or the contract: a list that only grows, as there are few.
#[derive(Debug)]
pub struct ByName<Handle>(OnceLock<Box<Entry<Handle>>>);

#[derive(Debug)]
struct Entry<Handle> {
    name: &'static str,
    handle: Handle,
    next: ByName<Handle>,
}

impl<Handle> Default for ByName<Handle> {
    fn default() -> Self {
        Self(OnceLock::new())
    }
}

impl<Handle> ByName<Handle> {
    /// The handle under `name`.
    pub fn get(&self, name: &'static str, make: impl Fn() -> Handle) -> &Handle {
        let mut list = self;
        loop {
            // Whoever is first at the end of the list makes the next entry, for its own name.
            let make = || Box::new(Entry { name, handle: make(), next: Self::default() });
            let entry = list.0.get_or_init(make);
            if entry.name == name {
                return &entry.handle;
            }
            list = &entry.next;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    use super::*;

    /// Planted bug: an entry that is made for whoever comes to the end, under the name of who came first.
    #[test]
    fn every_thread_gets_the_same_handle_for_a_name() {
        const NAMES: [&str; 4] = ["a", "b", "c", "d"];
        let (list, made) = (ByName::default(), AtomicUsize::new(0));
        let asked = |first: usize| {
            let handle = |name| *list.get(name, || (name, made.fetch_add(1, Ordering::SeqCst)));
            (0..NAMES.len()).map(|n| handle(NAMES[(first + n) % NAMES.len()])).collect::<BTreeSet<_>>()
        };
        let given: Vec<_> = thread::scope(|scope| {
            let asking: Vec<_> = (0..8).map(|first| scope.spawn(move || asked(first))).collect();
            asking.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(
            given.iter().all(|handles| *handles == given[0] && handles.len() == NAMES.len()),
            "{given:?}"
        );
        assert_eq!(made.into_inner(), NAMES.len());
    }
}
