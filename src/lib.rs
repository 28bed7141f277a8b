//! Equipment Status Board.
