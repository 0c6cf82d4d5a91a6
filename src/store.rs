//! The store: one sled tree behind one writer thread, sealed secrets, media files.
