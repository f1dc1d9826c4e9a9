// Package bench holds the product against the bare limits of package limits:
// each benchmark does the same work both ways in one run, in alternation, and
// reports how they compare. `make bench` prints the table. Nothing here fails
// because a machine is slow.
package bench
