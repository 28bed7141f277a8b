//! How views open, stack, change and close.
