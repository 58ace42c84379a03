//! The matrix as data.
