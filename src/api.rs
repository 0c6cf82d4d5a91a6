//! JSON over HTTP for programs, under `/api/v1`.
