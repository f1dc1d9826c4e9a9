// Package state keeps the journal and the books in one SQLite file.
//
// The journal is the record of what was proposed, asked, answered and reported;
// the books, kept as rows, are what is believed because of it. Both change in
// the same transaction, which is on disk before a call returns. What an event
// means is the fold's business (reservation.Fold): this package loads the part
// of a book that an event may touch, calls the fold, and writes what differs.
//
// A checkpoint keeps all books, and the version of the rules that fold what
// follows: a replay may begin there, and the journal is cut there (DB.Retain).
//
// One goroutine writes. Appends that arrive while it is busy are committed
// together; see DB.Append for what that promises. Readers have connections of
// their own. One process writes at a time, which AcquireLock is there to
// ensure; a second writer does no harm to what is stored, but its changes wake
// nobody here.
package state
