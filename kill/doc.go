// Package kill is the test that kills: resctl apply --listen runs as the binary
// that people get, serves stations that live in a process of their own, and is
// killed with SIGKILL at random moments while its configuration changes. In the
// end every station must hold exactly what is wanted. `make kill` runs the long
// form.
package kill
