// shared one
