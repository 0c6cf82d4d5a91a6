//! googlebusiness as a client meets it.
