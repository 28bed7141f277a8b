//! Each limit of Block Kit, at it and beyond it.
