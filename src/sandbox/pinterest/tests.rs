//! pinterest as a client meets it.
