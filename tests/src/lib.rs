//! The matrix as tests.
