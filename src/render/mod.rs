//! Views to Block Kit and HTML; pure.
