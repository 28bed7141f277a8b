//! The web edge.
