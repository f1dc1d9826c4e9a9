// Package day is the test that lives a day: a depot of simulated stations at the
// endpoint, the loops and a state in SQLite, in virtual time. Vans come and do
// not come, strangers take bays, links are lost, stations start anew and drop
// what they hold, and the process is restarted. In the end the journal has to
// explain what became of every window, and stations hold nothing that it does not
// know. `make day` runs it with a fleet of 500.
package day
