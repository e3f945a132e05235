//! Events between owners: feed, subscription, inbox order, retry, parked keys, dead letters.
