// Package limits is what benchmarks are held against: the same bytes through
// the same libraries with nothing of ours in between. It parses and evaluates
// with hcl alone, exchanges ReserveNow over bare sockets, and writes rows in
// bare SQLite transactions. It imports nothing of this module, decides nothing,
// and is written as lean as it can be: whoever makes it faster makes the
// product's goals harder, which is its purpose.
package limits
